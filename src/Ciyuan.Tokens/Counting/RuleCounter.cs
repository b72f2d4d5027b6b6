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
            long count = 0;
            int waiting = 0;
            while (at < end && at <= lastBlock && count <= limit)
            {
                ulong starts = TRule.HasBlocks ? BlockScanner<TRule>.Starts(at, kinds) & ~1UL : 0;
                if (starts == 0)
                {
                    byte* next = Next(at, end, final);
                    if (next == null)
                    {
                        break;
                    }

                    if (next - at > LongCounts.MaxLength)
                    {
                        waiting = Divide(at, next, readable, waiting, ref count);
                        at = next;
                    }
                    else
                    {
                        starts = 1UL << (int)(next - at);
                    }
                }

                waiting = starts == 0 ? waiting : Take(ref at, starts, readable, waiting, ref count);
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
            byte* piece = at;
            byte* table = Shorts.Table;
            int shift = Shorts.Shift;
            byte* keys = Keys;
            uint* lines = Lines;
            byte* keyMasks = KeyMasks;
            do
            {
                byte* next = block + BitOperations.TrailingZeroCount(starts);
                starts &= starts - 1;
                int length = (int)(next - piece);
                if (length <= ShortCounts.MaxLength)
                {
                    Vector128<byte> key = ShortCounts.Key(piece, length, keyMasks);
                    uint line = (uint)(ShortCounts.Hash(key) >> shift);
                    Vector128.Store(key, keys + ((nint)waiting * 16));
                    lines[waiting++] = line;
                    Prefetch(table + ((nint)line * 64));
                }
                else
                {
                    waiting = Divide(piece, next, readable, waiting, ref count);
                }

                piece = next;
            }
            while (starts != 0);
            at = piece;
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
            for (int i = 0; i < waiting; i++)
            {
                Vector128<byte> key = Vector128.Load(keys + ((nint)i * 16));
                int found = ShortCounts.Find(table + ((nint)lines[i] * 64), key);
                count += found != 0 ? found : CountMissing(key);
            }

            Shorts.Grow();
            total += count;
            return 0;
        }
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
