namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// The last merge by which rank BPE makes each entry. With it a file need not hold the entry's bytes, and a counter can
/// tell which tokens may stand side by side.
/// </summary>
internal static class RankSplits
{
    /// <summary>
    /// The merges, in order of the ids that they make. Single bytes, and entries that merging alone does not reach, have
    /// none.
    /// </summary>
    internal static List<Merge> Of(EntryBytes entries)
    {
        EntryTable table = new(entries);
        List<Merge> merges = [];
        List<int> parts = [];
        for (int id = 0; id < entries.Count; id++)
        {
            if (entries.Kinds[id] == (byte)EntryKind.Normal && entries.Lengths[id] > 1
                && TryReduce(entries, table, id, parts))
            {
                merges.Add(new Merge(parts[0], parts[1], id));
            }
        }

        return merges;
    }

    /// <summary>Merges an entry's bytes by ranks below its own; true when two tokens remain.</summary>
    private static bool TryReduce(EntryBytes entries, EntryTable table, int id, List<int> parts)
    {
        ReadOnlySpan<byte> bytes = entries[id];
        parts.Clear();
        for (int i = 0; i < bytes.Length; i++)
        {
            if (!table.TryFind(bytes.Slice(i, 1), out int single))
            {
                return false;
            }

            parts.Add(single);
        }

        while (parts.Count > 2)
        {
            if (!TryMergeOnce(entries, table, bytes, parts, id))
            {
                return false;
            }
        }

        return parts.Count == 2;
    }

    /// <summary>Merges the adjacent pair that makes the lowest id below a limit, the leftmost first.</summary>
    internal static bool TryMergeOnce(
        EntryBytes entries, EntryTable table, ReadOnlySpan<byte> bytes, List<int> parts, int limit)
    {
        (int best, int at) = (limit, -1);
        int start = 0;
        for (int i = 0; i + 1 < parts.Count; i++)
        {
            int left = entries.Lengths[parts[i]];
            if (table.TryFind(bytes.Slice(start, left + entries.Lengths[parts[i + 1]]), out int made) && made < best)
            {
                (best, at) = (made, i);
            }

            start += left;
        }

        if (at >= 0)
        {
            parts[at] = best;
            parts.RemoveAt(at + 1);
        }

        return at >= 0;
    }
}
