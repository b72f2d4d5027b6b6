using System.IO.Hashing;

namespace Ciyuan.Server.Ingest;

/// <summary>A map from short byte strings that is asked with spans, so that looking up what is known allocates nothing.
/// Not safe for several threads while something is added.</summary>
/// <param name="most">Most entries; when one more is added, all are forgotten first, which bounds the memory.</param>
internal sealed class ByteTable<T>(int most)
{
    private Entry[] _slots = new Entry[64]; // a power of two, at most half full
    private int _count;

    internal bool TryGet(ReadOnlySpan<byte> key, out T value)
    {
        ulong hash = XxHash3.HashToUInt64(key);
        int mask = _slots.Length - 1;
        for (int i = (int)(hash & (uint)mask); _slots[i].Key is { } known; i = (i + 1) & mask)
        {
            if (_slots[i].Hash == hash && key.SequenceEqual(known))
            {
                value = _slots[i].Value;
                return true;
            }
        }

        value = default!;
        return false;
    }

    /// <summary>Adds a key that is not there.</summary>
    internal void Add(ReadOnlySpan<byte> key, T value)
    {
        if (_count >= most)
        {
            Array.Clear(_slots);
            _count = 0;
        }

        if ((_count + 1) * 2 > _slots.Length)
        {
            Grow();
        }

        Place(new Entry(XxHash3.HashToUInt64(key), key.ToArray(), value));
        _count++;
    }

    private void Grow()
    {
        Entry[] old = _slots;
        _slots = new Entry[old.Length * 2];
        foreach (Entry entry in old)
        {
            if (entry.Key is not null)
            {
                Place(entry);
            }
        }
    }

    private void Place(Entry entry)
    {
        int mask = _slots.Length - 1;
        int i = (int)(entry.Hash & (uint)mask);
        while (_slots[i].Key is not null)
        {
            i = (i + 1) & mask;
        }

        _slots[i] = entry;
    }

    private readonly record struct Entry(ulong Hash, byte[]? Key, T Value);
}
