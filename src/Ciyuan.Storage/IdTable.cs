using System.Numerics;

namespace Ciyuan.Storage;

/// <summary>
/// The newest ids, in memory: open addressing with linear probing, at most half full. An entry's home is given by the
/// top bits of its digest (which is uniform), so that the table is almost in order when it is written to a file.
/// </summary>
internal sealed class IdTable
{
    private const int SmallestCapacity = 1 << 10;

    private IdEntry[] _slots = new IdEntry[SmallestCapacity];
    private int _shift = 64 - BitOperations.Log2(SmallestCapacity);

    internal int Count { get; private set; }

    internal bool TryFind(ulong high, ulong low, out IdEntry found)
    {
        IdEntry[] slots = _slots;
        for (int slot = (int)(high >> _shift); ; slot++)
        {
            slot = slot < slots.Length ? slot : 0;
            ref readonly IdEntry entry = ref slots[slot];
            if (entry.IsEmpty)
            {
                found = default;
                return false;
            }

            if (entry.Low == low && entry.High == high)
            {
                found = entry;
                return true;
            }
        }
    }

    internal void Add(in IdEntry entry)
    {
        if (2 * (Count + 1) > _slots.Length)
        {
            Grow();
        }

        Insert(entry);
        Count++;
    }

    /// <summary>Forgets all.</summary>
    internal void Clear()
    {
        if (_slots.Length > SmallestCapacity && _slots.Length / 16 > Count)
        {
            _slots = new IdEntry[SmallestCapacity]; // clearing a large table for a few entries would cost more
            _shift = 64 - BitOperations.Log2(SmallestCapacity);
        }
        else
        {
            Array.Clear(_slots);
        }

        Count = 0;
    }

    /// <summary>The entries in order of their digests, in a buffer that is made larger when needed.</summary>
    internal ReadOnlySpan<IdEntry> Sort(ref IdEntry[] buffer)
    {
        buffer = buffer.Length >= Count ? buffer : new IdEntry[Count];
        Span<IdEntry> sorted = buffer.AsSpan(0, Count);
        int n = 0;
        for (int pass = 0; pass < 2; pass++)
        {
            // Entries that were pushed over the end stand at the start, before their home: they come last.
            for (int slot = 0; slot < _slots.Length; slot++)
            {
                ref readonly IdEntry entry = ref _slots[slot];
                bool wrapped = (int)(entry.High >> _shift) > slot;
                if (!entry.IsEmpty && wrapped == (pass == 1))
                {
                    sorted[n++] = entry;
                }
            }
        }

        SortAlmostSorted(sorted);
        return sorted;
    }

    private static void SortAlmostSorted(Span<IdEntry> entries)
    {
        long movesLeft = 16L * entries.Length; // digests that are not uniform would make this quadratic
        for (int i = 1; i < entries.Length; i++)
        {
            IdEntry entry = entries[i];
            int to = i;
            for (; to > 0 && entry.Precedes(entries[to - 1]); to--)
            {
                entries[to] = entries[to - 1];
            }

            entries[to] = entry;
            movesLeft -= i - to;
            if (movesLeft < 0)
            {
                entries.Sort();
                return;
            }
        }
    }

    private void Insert(in IdEntry entry)
    {
        int slot = (int)(entry.High >> _shift);
        while (!_slots[slot].IsEmpty)
        {
            slot = slot + 1 < _slots.Length ? slot + 1 : 0;
        }

        _slots[slot] = entry;
    }

    private void Grow()
    {
        IdEntry[] old = _slots;
        _slots = new IdEntry[2 * old.Length];
        _shift--;
        foreach (IdEntry entry in old)
        {
            if (!entry.IsEmpty)
            {
                Insert(entry);
            }
        }
    }
}
