using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Byte pair merging that begins with bytes. Of all adjacent pairs the one of the lowest rank merges, the leftmost
/// first among equals, until none is left. Short pieces search their pairs from end to end, long ones keep them in a
/// heap, so the time is n log n.
/// </summary>
internal sealed unsafe class BytePairMerger<TPairs> : PieceMerger
    where TPairs : struct, IPairSource
{
    private readonly TokenIndex _index;
    private readonly TPairs _pairs;
    private readonly Lazy<Seams> _seams;
    private readonly Lazy<WholeCharacters> _characters;
    private readonly Lazy<AsciiPairs> _firstPairs;
    private readonly bool _wholeFirst;
    private readonly IDisposable? _owned;
    private readonly UnknownCharacters? _unknown;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="index">Their index; owned from here on.</param>
    /// <param name="pairs">What merges.</param>
    /// <param name="owned">What else is to be disposed with this.</param>
    internal BytePairMerger(Vocabulary vocabulary, TokenIndex index, TPairs pairs, IDisposable? owned)
    {
        _index = index;
        _pairs = pairs;
        _owned = owned;
        _wholeFirst = vocabulary.IgnoreMerges;
        _seams = new Lazy<Seams>(() => new Seams(vocabulary)); // when a text needs them: short ones seldom do
        bool bytes = vocabulary.Model is TokenModel.RankBpe or TokenModel.MergeBpe;
        _unknown = bytes ? null : new UnknownCharacters(vocabulary);
        _characters = new Lazy<WholeCharacters>(() => bytes
            ? WholeCharacters.Find(vocabulary, Seams, pairs) : WholeCharacters.All(vocabulary, Seams, index));
        _firstPairs = new Lazy<AsciiPairs>(() => AsciiPairs.Find(_characters.Value, pairs));
    }

    internal override Seams Seams => _seams.Value;

    internal override bool JoinsUnknown => _unknown?.Fuse ?? false;

    internal override long NativeBytes =>
        _index.NativeBytes + (_seams.IsValueCreated ? Seams.NativeBytes : 0)
        + (_firstPairs.IsValueCreated ? _firstPairs.Value.NativeBytes : 0)
        + ((_owned as PairTable)?.NativeBytes ?? 0);

    internal override void Prefetch(ulong hash) => _index.Prefetch(hash);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override int Count(byte* at, int length, bool part, MergeRoom room)
    {
        if (_wholeFirst && !part && _index.Find(at, length) != TokenIndex.None)
        {
            return 1;
        }

        if (length > MergeRoom.MaxShort)
        {
            MergeHeap<TPairs> heap = new(at, length, room, _pairs);
            int count = heap.Merge(_characters.Value);
            count = _unknown is null ? count : heap.Count(_unknown);
            room.Trim();
            return count;
        }

        int symbols = Merge(at, length, room);
        return _unknown is null ? symbols : CountSymbols(symbols, room.Symbols);
    }

    internal override void Encode(byte* at, int length, MergeRoom room, List<int> ids)
    {
        if (_wholeFirst && _index.Find(at, length) is int id and not TokenIndex.None)
        {
            ids.Add(id);
            return;
        }

        if (length > MergeRoom.MaxShort)
        {
            MergeHeap<TPairs> heap = new(at, length, room, _pairs);
            heap.Merge(_characters.Value);
            heap.AddIds(_unknown, ids);
            room.Trim();
            return;
        }

        int count = Merge(at, length, room);
        bool unknown = false;
        for (int i = 0; i < count; i++)
        {
            int symbol = unchecked((int)room.Symbols[i]);
            int start = (int)(room.Symbols[i] >> 32);
            if (_unknown is null)
            {
                ids.Add(symbol);
            }
            else
            {
                _unknown.Add(at + start, symbol, (int)(room.Symbols[i + 1] >> 32) - start, ids, ref unknown);
            }
        }
    }

    private int CountSymbols(int number, ulong* symbols)
    {
        int count = 0;
        bool unknown = false;
        for (int i = 0; i < number; i++)
        {
            int length = (int)(symbols[i + 1] >> 32) - (int)(symbols[i] >> 32);
            count += _unknown!.Count(unchecked((int)symbols[i]), length, ref unknown);
        }

        return count;
    }

    /// <summary>Merges a short piece; its symbols stay in the room.</summary>
    /// <returns>Their number.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Merge(byte* at, int length, MergeRoom room)
    {
        unchecked
        {
            ulong* symbols = room.Symbols;
            ulong* pairs = room.Pairs;
            int count = _characters.Value.Begin(at, length, symbols);
            symbols[count] = (ulong)(uint)length << 32;
            FillPairs(at, symbols, pairs, count - 1);
            while (true)
            {
                ulong lowest = Lowest(pairs, count - 1, out int best);
                if (lowest == ulong.MaxValue)
                {
                    return count;
                }

                symbols[best] = (symbols[best] & 0xFFFFFFFF_00000000) | (uint)lowest;
                for (int i = best + 1; i < count; i++)
                {
                    symbols[i] = symbols[i + 1];
                    pairs[i - 1] = pairs[i];
                }

                count--;
                if (best > 0)
                {
                    pairs[best - 1] = Pair(at, symbols, best - 1);
                }

                pairs[best] = best < count - 1 ? Pair(at, symbols, best) : ulong.MaxValue;
            }
        }
    }

    /// <summary>What the first symbols and their right neighbours become.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FillPairs(byte* at, ulong* symbols, ulong* pairs, int number)
    {
        unchecked
        {
            AsciiPairs first = _firstPairs.Value;
            for (int i = 0; i < number; i++)
            {
                byte left = at[symbols[i] >> 32];
                byte right = at[symbols[i + 1] >> 32];
                pairs[i] = (left | right) < 0x80 ? first.Of(left, right) : Pair(at, symbols, i);
            }
        }
    }

    /// <summary>The pair that merges next, of equal ones the leftmost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Lowest(ulong* pairs, int count, out int best)
    {
        best = 0;
        ulong lowest = ulong.MaxValue;
        for (int i = 0; i < count; i++)
        {
            ulong pair = pairs[i];
            best = pair < lowest ? i : best;
            lowest = pair < lowest ? pair : lowest;
        }

        return lowest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Pair(byte* at, ulong* symbols, int left)
    {
        unchecked
        {
            int start = (int)(symbols[left] >> 32);
            int end = (int)(symbols[left + 2] >> 32);
            return _pairs.Find(at + start, end - start, (int)symbols[left], (int)symbols[left + 1]);
        }
    }

    public override void Dispose()
    {
        _index.Dispose();
        _owned?.Dispose();
        if (_firstPairs.IsValueCreated)
        {
            _firstPairs.Value.Dispose();
        }

        if (_characters.IsValueCreated)
        {
            _characters.Value.Dispose();
        }

        if (_seams.IsValueCreated)
        {
            Seams.Dispose();
        }
    }
}
