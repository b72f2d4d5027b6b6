namespace Ciyuan.Storage;

/// <summary>
/// The newest ids, in memory, in parts by the first bits of their digests: each grows by itself, so that no call waits
/// for all of them to be moved.
/// </summary>
internal sealed class IdTable
{
    /// <summary>Bits of a digest that say its part: 64 parts, a growth of which moves at most 0.5 MiB.</summary>
    internal const int PartBits = 6;

    private readonly IdTablePart[] _parts = new IdTablePart[1 << PartBits];

    internal IdTable()
    {
        for (int i = 0; i < _parts.Length; i++)
        {
            _parts[i] = new IdTablePart();
        }
    }

    internal int Count { get; private set; }

    internal bool TryFind(ulong high, ulong low, out IdEntry found) => PartOf(high).TryFind(high, low, out found);

    internal void Add(in IdEntry entry)
    {
        PartOf(entry.High).Add(entry);
        Count++;
    }

    /// <summary>Forgets all.</summary>
    internal void Clear()
    {
        Array.ForEach(_parts, part => part.Clear());
        Count = 0;
    }

    /// <summary>The entries in order of their digests, in a buffer that is made larger when needed.</summary>
    internal ReadOnlySpan<IdEntry> Sort(ref IdEntry[] buffer)
    {
        buffer = buffer.Length >= Count ? buffer : new IdEntry[Count];
        int n = 0;
        foreach (IdTablePart part in _parts)
        {
            part.Sort(buffer.AsSpan(n));
            n += part.Count;
        }

        return buffer.AsSpan(0, Count);
    }

    private IdTablePart PartOf(ulong high) => _parts[high >> (64 - PartBits)];
}
