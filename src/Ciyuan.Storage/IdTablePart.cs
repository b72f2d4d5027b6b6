using System.Numerics;

namespace Ciyuan.Storage;

/// <summary>
/// The newest ids of one part of the digests: open addressing with linear probing, at most half full. An entry's home
/// is given by the top bits of its digest below those of the part (which are uniform), so that the part is almost in
/// order when it is written to a file.
/// </summary>
internal sealed class IdTablePart
{
    private const int SmallestCapacity = 1 << 6;

    private IdEntry[] _slots = new IdEntry[SmallestCapacity];
    private int _shift = 64 - BitOperations.Log2(SmallestCapacity);

    internal int Count { get; private set; }

    internal bool TryFind(ulong high, ulong low, out IdEntry found)
    {
        IdEntry[] slots = _slots;
        for (int slot = HomeOf(high); ; slot++)
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

    /// <summary>Writes the entries in order of their digests to the start of a span.</summary>
    internal void Sort(Span<IdEntry> to)
    {
        Span<IdEntry> sorted = to[..Count];
        int n = 0;
        for (int pass = 0; pass < 2; pass++)
        {
            // Entries that were pushed over the end stand at the start, before their home: they come last.
            for (int slot = 0; slot < _slots.Length; slot++)
            {
                ref readonly IdEntry entry = ref _slots[slot];
                bool wrapped = HomeOf(entry.High) > slot;
                if (!entry.IsEmpty && wrapped == (pass == 1))
                {
                    sorted[n++] = entry;
                }
            }
        }

        SortAlmostSorted(sorted);
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

    private int HomeOf(ulong high) => (int)(unchecked(high << IdTable.PartBits) >> _shift);

    private void Insert(in IdEntry entry)
    {
        int slot = HomeOf(entry.High);
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
