using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Counting;

/// <summary>A counter for one rule.</summary>
internal sealed unsafe class RuleCounter<TRule>(PieceScanner scanner, PieceMerger merger) : Counter(scanner, merger)
    where TRule : IBlockRule
{
    private readonly bool _divides = !merger.JoinsUnknown;

    private static Vector128<byte> PartKey => Vector128.Create(0, (ulong)PartMark << 48).AsByte();

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
            (long count, int waiting, ulong starts) = (0, 0, 0);
            while (at < end && at <= lastBlock && count <= limit)
            {
                // What the next block says is on its way while the pieces of this one are taken.
                byte* ahead = starts == 0 ? at : at + (63 - BitOperations.LeadingZeroCount(starts));
                ulong next = TRule.HasBlocks && ahead <= lastBlock
                    ? BlockScanner<TRule>.Starts(ahead, kinds) & ~1UL : 0;
                if (starts != 0)
                {
                    waiting = Take(ref at, starts, readable, waiting, ref count);
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

                starts = next;
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
    private int Take(ref byte* at, ulong starts, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            byte* block = at;
            int last = 63 - BitOperations.LeadingZeroCount(starts);
            at = block + last;

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

        if (!_divides)
        {
            count += CountLong(piece, length, false, readable);
            return waiting;
        }

        return Avx2.IsSupported && length <= LongCounts.MaxLength && AreThrees(piece, length)
            ? DivideThrees(piece, length, readable, waiting, ref count)
            : Divide(piece, piece + length, readable, waiting, ref count);
    }

    /// <summary>Whether all characters of a piece have three bytes, as Chinese has. 64 bytes are read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreThrees(byte* piece, int length)
    {
        const ulong EachThird = 0x9249_2492_4924_9249;
        return ((BlockMasks.Leads(piece, 0xE0, 0xEF) ^ EachThird) & ((1UL << length) - 1)) == 0;
    }

    /// <summary>
    /// As <see cref="Divide"/> for a piece of 16 to 62 bytes in characters of three, without a branch for each: where
    /// Chinese can be taken apart is like chance. Fewer parts wait then than the piece has bytes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int DivideThrees(byte* piece, int length, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            Seams seams = Merger.Seams;
            int last = (length / 3) - 1;
            uint joined = seams.MayJoinEight(piece);
            joined |= last > 8 ? seams.MayJoinEight(piece + 24) << 8 : 0;
            joined |= last > 16 ? seams.MayJoinEight(piece + 48) << 16 : 0;
            uint ends = (~joined & ((1u << last) - 1)) | (1u << last);
            bool whole = ends == 1u << last;
            byte* start = piece;
            for (; ends != 0; ends &= ends - 1)
            {
                byte* end = piece + (BitOperations.TrailingZeroCount(ends) * 3) + 3;
                int size = (int)(end - start);
                if (size < ShortCounts.MaxLength)
                {
                    Wait(ShortCounts.Key(start, size, KeyMasks) | PartKey, waiting++);
                }
                else
                {
                    count += CountLong(start, size, !whole, readable);
                }

                start = end;
            }

            return waiting;
        }
    }

    /// <summary>Takes a long piece apart where no token can reach over, and its parts one by one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int Divide(byte* piece, byte* end, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            Seams seams = Merger.Seams;
            byte* singles = Singles;
            int right = Utf8Reader.Decode(piece, out int size);
            for (byte* start = piece, at = piece + size; ; at += size)
            {
                int left = right;
                if (at < end && seams.MayJoin(left, right = Utf8Reader.Decode(at, out size), at))
                {
                    continue;
                }

                int length = (int)(at - start);
                if (length <= 3 && Utf8Reader.Length(*start) == length)
                {
                    count += singles[left] != 0 ? singles[left] : CountSingle(left, start, length);
                }
                else if (length < ShortCounts.MaxLength)
                {
                    Wait(ShortCounts.Key(start, length, KeyMasks) | PartKey, waiting++);
                }
                else
                {
                    count += CountLong(start, length, length < end - piece, readable);
                }

                if (at == end)
                {
                    return waiting;
                }

                start = at;
                waiting = waiting <= (MostWaiting * 2) - 4 ? waiting : LookUp(waiting, ref count);
            }
        }
    }

    private int CountLong(byte* at, int length, bool part, byte* readable) => length <= LongCounts.MaxLength
        ? CountMiddle(at, length, part) : CountLarge(at, length, part, readable);

    /// <summary>Has a key wait for its line, which is fetched meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Wait(Vector128<byte> key, int place)
    {
        unchecked
        {
            uint line = (uint)(ShortCounts.Hash(key) >> Shorts.Shift);
            Vector128.Store(key, Keys + ((nint)place * 16));
            Lines[place] = line;
            Prefetch(Shorts.Table + ((nint)line * 64));
        }
    }

    /// <summary>Looks up the pieces that wait.</summary>
    /// <returns>How many wait then: none.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int LookUp(int waiting, ref long total)
    {
        unchecked
        {
            byte* table = Shorts.Table;
            byte* keys = Keys;
            uint* lines = Lines;
            long count = 0;
            int missing = 0;
            for (int i = 0; i < waiting; i++)
            {
                Vector128<byte> key = Vector128.Load(keys + ((nint)i * 16));
                int found = ShortCounts.Find(table + ((nint)lines[i] * 64), key);
                count += found;
                if (found == 0)
                {
                    Vector128.Store(key, keys + ((nint)missing++ * 16));
                    Merger.Prefetch(ShortCounts.Hash(key));
                }
            }

            total += missing == 0 ? count : count + CountMissing(missing);
            return 0;
        }
    }

    /// <summary>The counts of the first keys, which were not remembered; two of them may be equal.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long CountMissing(int missing)
    {
        long count = 0;
        for (int i = 0; i < missing; i++)
        {
            Vector128<byte> key = Vector128.Load(Keys + ((nint)i * 16));
            int found = Shorts.Find(key);
            count += found != 0 ? found : CountMissing(key);
        }

        Shorts.Grow();
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* line)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(line);
        }
    }
}
