using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Counting;

/// <summary>A counter for one rule.</summary>
internal sealed unsafe class RuleCounter<TRule>(PieceScanner scanner, PieceMerger merger)
    : PartCounter(scanner, merger)
    where TRule : IBlockRule
{
    private readonly bool _divides = !merger.JoinsUnknown;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override long Count(ref byte* start, byte* end, bool final, long limit)
    {
        byte* at = start;
        long count = CountBlocks(ref at, end, end, final, limit);
        if (final && count <= limit && at < end)
        {
            // The last bytes again, with blanks after them: only white space at the end could tell, and a block does
            // not decide about that.
            int left = (int)(end - at);
            NativeMemory.Fill(TailRoom, Tail * 3, (byte)' ');
            Buffer.MemoryCopy(at, TailRoom, Tail, left);
            byte* tail = TailRoom;
            count += CountBlocks(ref tail, TailRoom + left, TailRoom + (Tail * 3), true, limit);
            at = end;
        }

        start = at;
        return count;
    }

    /// <summary>Counts up to where blocks would read too far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private long CountBlocks(ref byte* start, byte* end, byte* readable, bool final, long limit)
    {
        unchecked
        {
            byte* at = start;
            byte* lastBlock = readable - Tail;
            byte* kinds = UnicodeTable.Kinds;
            (long count, int waiting, ulong starts, ulong joins) = (0, 0, 0, 0);
            while (at < end && at <= lastBlock && count <= limit)
            {
                // What the next block says is on its way while the pieces of this one are taken.
                byte* ahead = starts == 0 ? at : at + (63 - BitOperations.LeadingZeroCount(starts));
                ulong nextJoins = 0;
                ulong next = TRule.HasBlocks && ahead <= lastBlock
                    ? BlockScanner<TRule>.Starts(ahead, kinds, out nextJoins) & ~1UL : 0;
                if (starts != 0)
                {
                    waiting = Take(ref at, starts, joins, readable, waiting, ref count);
                }
                else if (next == 0)
                {
                    byte* piece = at;
                    if ((at = Next(piece, end, final)) == null)
                    {
                        at = piece;
                        break;
                    }

                    waiting = TakeOne(piece, (int)(at - piece), readable, waiting, ref count);
                }

                (starts, joins) = (next, nextJoins);
                waiting = waiting < MostWaiting ? waiting : LookUp(waiting, ref count);
            }

            start = at;
            LookUp(waiting, ref count);
            return count;
        }
    }

    /// <summary>The end of one piece; null while it is not certain.</summary>
    private byte* Next(byte* at, byte* end, bool final)
    {
        byte* next = Scanner.Next(at, end);
        return final || Scanner.IsSettled(next, end) ? next : null;
    }

    /// <summary>
    /// Cuts pieces off: short ones wait for their line, which is fetched meanwhile; others are counted.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Take(ref byte* at, ulong starts, ulong joins, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            byte* block = at;
            int last = 63 - BitOperations.LeadingZeroCount(starts);
            at = block + last;
            joins &= ((1UL << last) - 1) & ~starts;
            if (joins != 0 && _divides)
            {
                return TakeThrees(block, starts, joins, readable, waiting, ref count);
            }

            // Fifteen bytes in a row with which no piece begins: a piece of sixteen.
            ulong inside = ~(starts | 1) & ((1UL << last) - 1);
            inside &= inside >> 1;
            inside &= inside >> 2;
            inside &= inside >> 4;
            return (inside & (inside >> 7)) == 0
                ? TakeShort(block, starts, waiting) : TakeEach(block, starts, readable, waiting, ref count);
        }
    }

    /// <summary>
    /// Short pieces, by fours, so that the end of the loop is seldom a surprise: up to three beyond the last are
    /// written and do not count.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int TakeShort(byte* block, ulong starts, int waiting)
    {
        unchecked
        {
            byte* table = Shorts.Table;
            int shift = Shorts.Shift;
            byte* keyMasks = KeyMasks;
            byte* key = Keys + ((nint)waiting * 16);
            uint* line = Lines + waiting;
            int number = BitOperations.PopCount(starts);
            int start = 0;
            for (int left = number; left > 0; left -= 4, key += 64, line += 4)
            {
                start = Wait(block, start, ref starts, key, line, table, shift, keyMasks);
                start = Wait(block, start, ref starts, key + 16, line + 1, table, shift, keyMasks);
                start = Wait(block, start, ref starts, key + 32, line + 2, table, shift, keyMasks);
                start = Wait(block, start, ref starts, key + 48, line + 3, table, shift, keyMasks);
            }

            return waiting + number;
        }
    }

    /// <summary>Has the piece up to the next start wait.</summary>
    /// <returns>Where it ends.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Wait(
        byte* block, int start, ref ulong starts, byte* to, uint* line, byte* table, int shift, byte* keyMasks)
    {
        unchecked
        {
            int next = BitOperations.TrailingZeroCount(starts);
            starts &= starts - 1;
            Vector128<byte> key = ShortCounts.Key(block + start, next - start, keyMasks);
            uint place = (uint)(ShortCounts.Hash(key) >> shift);
            Vector128.Store(key, to);
            *line = place;
            Prefetch(table + ((nint)place * 64));
            return next;
        }
    }

    /// <summary>
    /// Pieces with characters of three bytes side by side, as Chinese has them, cut where no token can reach over.
    /// </summary>
    /// <param name="block">Where the first begins.</param>
    /// <param name="starts">Where others do, and at last where the first one does that is not taken.</param>
    /// <param name="joins">Boundaries between two characters of three bytes within a piece.</param>
    /// <param name="readable">The end of readable memory.</param>
    /// <param name="waiting">How many pieces wait.</param>
    /// <param name="count">Tokens.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int TakeThrees(byte* block, ulong starts, ulong joins, byte* readable, int waiting, ref long count) =>
        TakeParts(block, starts | 1 | Seams.Between(block, joins), starts | 1, readable, waiting, ref count);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int TakeEach(byte* block, ulong starts, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            byte* piece = block;
            for (; starts != 0; starts &= starts - 1)
            {
                byte* next = block + BitOperations.TrailingZeroCount(starts);
                waiting = TakeOne(piece, (int)(next - piece), readable, waiting, ref count);
                piece = next;
            }

            return waiting;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int TakeOne(byte* piece, int length, byte* readable, int waiting, ref long count)
    {
        if (length <= ShortCounts.MaxLength)
        {
            Wait(ShortCounts.Key(piece, length, KeyMasks), waiting);
            return waiting + 1;
        }

        bool isAscii = length <= LongCounts.MaxLength && (Block.Load(piece).Bits & ((1UL << length) - 1)) == 0;
        if (isAscii || !_divides)
        {
            count += CountLong(piece, length, false, readable);
            return waiting;
        }

        return Divide(piece, piece + length, readable, waiting, ref count);
    }
}
