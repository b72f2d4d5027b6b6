using System.Runtime.CompilerServices;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Merges one long piece: its symbols in a list, its pairs in a heap of (rank, place). What the heap says of a place is
/// out of date when the place has another rank by now. A symbol's number is the place of its first byte.
/// </summary>
internal unsafe struct MergeHeap<TPairs>
    where TPairs : struct, IPairSource
{
    private const int BytesAPlace = sizeof(ulong) + (3 * sizeof(int)) + (3 * sizeof(ulong));
    private readonly byte* _at;
    private readonly int _length;
    private readonly TPairs _pairs;
    private readonly ulong* _pair;
    private readonly ulong* _heap;
    private readonly int* _id;
    private readonly int* _next;
    private readonly int* _previous;
    private int _size;

    internal MergeHeap(byte* at, int length, MergeRoom room, TPairs pairs)
    {
        _at = at;
        _length = length;
        _pairs = pairs;
        nuint places = (nuint)length + 1;
        _pair = (ulong*)room.Rent(places * BytesAPlace);
        _heap = _pair + places;
        _id = (int*)(_heap + (places * 3));
        _next = _id + places;
        _previous = _next + places;
    }

    /// <summary>Merges until nothing merges.</summary>
    /// <returns>The number of symbols left.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Merge(WholeCharacters characters)
    {
        unchecked
        {
            int count = characters.Begin(_at, _length, _id, _next, _previous);
            for (int i = 0; i < _length; i = _next[i])
            {
                Look(i);
            }

            while (_size > 0)
            {
                ulong top = Pop();
                int place = (int)(uint)top;
                if (_pair[place] >> 32 != top >> 32)
                {
                    continue;
                }

                count--;
                int right = _next[place];
                int after = _next[right];
                _id[place] = (int)_pair[place];
                _next[place] = after;
                _pair[right] = ulong.MaxValue;
                if (after < _length)
                {
                    _previous[after] = place;
                }

                Look(place);
                if (place > 0)
                {
                    Look(_previous[place]);
                }
            }

            return count;
        }
    }

    /// <summary>The number of tokens, when some symbols may be unknown.</summary>
    internal readonly int Count(UnknownCharacters unknown)
    {
        int count = 0;
        bool before = false;
        for (int i = 0; i < _length; i = _next[i])
        {
            count += unknown.Count(_id[i], _next[i] - i, ref before);
        }

        return count;
    }

    internal readonly void AddIds(UnknownCharacters? unknown, List<int> ids)
    {
        bool before = false;
        for (int i = 0; i < _length; i = _next[i])
        {
            if (unknown is null)
            {
                ids.Add(_id[i]);
            }
            else
            {
                unknown.Add(_at + i, _id[i], _next[i] - i, ids, ref before);
            }
        }
    }

    /// <summary>Finds out what a symbol and its right neighbour become.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Look(int place)
    {
        unchecked
        {
            int right = _next[place];
            if (right >= _length)
            {
                _pair[place] = ulong.MaxValue;
                return;
            }

            ulong pair = _pairs.Find(_at + place, _next[right] - place, _id[place], _id[right]);
            _pair[place] = pair;
            if (pair != ulong.MaxValue)
            {
                Push((pair & 0xFFFFFFFF_00000000) | (uint)place);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Push(ulong item)
    {
        unchecked
        {
            int at = _size++;
            while (at > 0 && _heap[(at - 1) / 2] > item)
            {
                _heap[at] = _heap[(at - 1) / 2];
                at = (at - 1) / 2;
            }

            _heap[at] = item;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong Pop()
    {
        unchecked
        {
            ulong top = _heap[0];
            ulong item = _heap[--_size];
            int at = 0;
            for (int child = 1; child < _size; child = (2 * at) + 1)
            {
                child += child + 1 < _size && _heap[child + 1] < _heap[child] ? 1 : 0;
                if (_heap[child] >= item)
                {
                    break;
                }

                _heap[at] = _heap[child];
                at = child;
            }

            _heap[at] = item;
            return top;
        }
    }
}
