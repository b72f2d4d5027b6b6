namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// Files made from rank files list every split of every token as a merge. Where that list says nothing that the ranks do
/// not say, it is left out: the file is a third as large, and counting needs no list.
/// </summary>
internal static class RankLists
{
    /// <summary>Turns a draft into rank BPE where both give the same tokens for every text.</summary>
    /// <returns>True when it did.</returns>
    /// <remarks>
    /// They do when the list has exactly the pairs whose concatenation is an entry, ordered by the id of what they make,
    /// and no tie is decided otherwise. Ranks take the leftmost of two places that make the same entry, a list the pair
    /// that comes first. It matters only where two pairs overlap, x y z with xy = yz, and the list has (y, z) first.
    /// Merging is local: until something outside takes part, x y z come about from their own bytes as they would alone.
    /// So when those bytes alone never stand as x, y, z, no text ever meets the tie.
    /// </remarks>
    internal static bool TrySimplify(VocabularyDraft draft)
    {
        if (draft.Model != TokenModel.MergeBpe || !draft.IgnoreMerges || draft.Merges.Count == 0)
        {
            return false;
        }

        HashSet<int> results = [.. draft.Merges.Select(merge => merge.Result)];
        List<int> controls = [.. draft.AddedTokens.Where(IsCutAnyway).Select(token => token.Id).Except(results)];
        Dictionary<int, EntryKind> kinds = new(draft.Kinds);
        controls.ForEach(id => draft.Kinds[id] = EntryKind.Control);
        EntryBytes entries = EntryBytes.Of(draft);
        EntryTable table = new(entries);
        if (IsComplete(draft.Merges, entries, table) && !HasTie(draft.Merges, entries, table))
        {
            draft.Model = TokenModel.RankBpe;
            draft.Merges.Clear();
            return true;
        }

        controls.ForEach(id => draft.Kinds.Remove(id));
        foreach ((int id, EntryKind kind) in kinds)
        {
            draft.Kinds[id] = kind;
        }

        return false;
    }

    /// <summary>
    /// True when every rule of cutting cuts the token's text: letters between punctuation. A model's entry with this text
    /// is never a whole piece then.
    /// </summary>
    private static bool IsCutAnyway(AddedToken token) =>
        token.Special && token.Content.Length > 2 && char.IsAsciiLetterOrDigit(token.Content[^2])
        && char.IsPunctuation(token.Content[0]) | char.IsSymbol(token.Content[0])
        && char.IsPunctuation(token.Content[^1]) | char.IsSymbol(token.Content[^1]);

    private static bool IsComplete(List<Merge> merges, EntryBytes entries, EntryTable table)
    {
        HashSet<Merge> listed = [.. merges];
        int found = 0;
        for (int id = 0; id < entries.Count; id++)
        {
            ReadOnlySpan<byte> bytes = entries[id];
            for (int cut = 1; cut < bytes.Length && entries.Kinds[id] == (byte)EntryKind.Normal; cut++)
            {
                if (table.TryFind(bytes[..cut], out int left) && table.TryFind(bytes[cut..], out int right))
                {
                    found++;
                    if (!listed.Contains(new Merge(left, right, id)))
                    {
                        return false;
                    }
                }
            }
        }

        return found == merges.Count && Enumerable.Range(1, found - 1).All(i => merges[i].Result >= merges[i - 1].Result);
    }

    private static bool HasTie(List<Merge> merges, EntryBytes entries, EntryTable table)
    {
        for (int first = 0; first < merges.Count; first++)
        {
            for (int later = first + 1; later < merges.Count && merges[later].Result == merges[first].Result; later++)
            {
                if (merges[later].Right == merges[first].Left
                    && IsReached(entries, table, [merges[later].Left, merges[first].Left, merges[first].Right]))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>True when rank BPE on the bytes of some tokens comes to stand at exactly these tokens.</summary>
    private static bool IsReached(EntryBytes entries, EntryTable table, List<int> tokens)
    {
        List<byte> bytes = [];
        tokens.ForEach(token => bytes.AddRange(entries[token].ToArray()));
        List<int> parts = [];
        foreach (byte value in bytes)
        {
            if (!table.TryFind([value], out int single))
            {
                return true; // without single bytes nothing is proved
            }

            parts.Add(single);
        }

        while (parts.Count >= tokens.Count)
        {
            if (parts.SequenceEqual(tokens))
            {
                return true;
            }

            if (!RankSplits.TryMergeOnce(entries, table, [.. bytes], parts, int.MaxValue))
            {
                return false;
            }
        }

        return false;
    }
}
