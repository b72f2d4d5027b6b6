using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// Counts pieces in parts, cut where no token can reach over: single characters by a table, short parts by
/// <see cref="ShortCounts"/>, where they wait for their lines together.
/// </summary>
internal abstract unsafe class PartCounter(PieceScanner scanner, PieceMerger merger) : Counter(scanner, merger)
{
    private Seams? _seams;

    /// <summary>Where pieces can be cut; found when first needed.</summary>
    private protected Seams Seams => _seams ??= Merger.Seams;

    private static Vector128<byte> PartKey => Vector128.Create(0, (ulong)PartMark << 48).AsByte();

    /// <summary>
    /// Takes what lies between cuts. Where Chinese can be cut is like chance, so there is no branch for each cut.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected int TakeParts(byte* block, ulong cuts, ulong starts, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            ulong before = (1UL << (63 - BitOperations.LeadingZeroCount(cuts))) - 1;
            ulong threes = BlockMasks.Leads(block, 0xE0, 0xEF) & before;
            ulong alone = threes & cuts & (cuts >> 3) & ~(starts & (starts >> 3));
            ulong parts = cuts & before & ~alone;
            count += CountSingles(block, alone);

            // Fourteen bytes in a row without a cut: a part of fifteen.
            ulong inside = ~cuts & before;
            inside &= inside >> 1;
            inside &= inside >> 2;
            inside &= inside >> 4;
            if ((inside & (inside >> 6)) != 0)
            {
                return TakeLongParts(block, parts, cuts, starts, readable, waiting, ref count);
            }

            byte* table = Shorts.Table;
            int shift = Shorts.Shift;
            byte* keyMasks = KeyMasks;
            byte* key = Keys + ((nint)waiting * 16);
            uint* line = Lines + waiting;
            for (ulong left = parts; left != 0; left &= left - 1, key += 16)
            {
                int start = BitOperations.TrailingZeroCount(left);
                int end = BitOperations.TrailingZeroCount(cuts & (ulong.MaxValue - 1 << start));
                ulong mark = (((starts >> start) & (starts >> end) & 1) - 1) & ((ulong)PartMark << 48);
                Vector128<byte> bytes = Vector128.Create(0, mark).AsByte()
                    | ShortCounts.Key(block + start, end - start, keyMasks);
                *line = (uint)(ShortCounts.Hash(bytes) >> shift);
                Vector128.Store(bytes, key);
                Prefetch(table + ((nint)(*line++) * 64));
            }

            return waiting + BitOperations.PopCount(parts);
        }
    }

    /// <summary>As the other, where some parts may not be short.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int TakeLongParts(
        byte* block, ulong parts, ulong cuts, ulong starts, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            for (; parts != 0; parts &= parts - 1)
            {
                int start = BitOperations.TrailingZeroCount(parts);
                int end = BitOperations.TrailingZeroCount(cuts & (ulong.MaxValue - 1 << start));
                bool part = ((starts >> start) & (starts >> end) & 1) == 0;
                if (end - start >= ShortCounts.MaxLength)
                {
                    count += CountLong(block + start, end - start, part, readable);
                    continue;
                }

                Vector128<byte> key = ShortCounts.Key(block + start, end - start, KeyMasks);
                Wait(part ? key | PartKey : key, waiting++);
            }

            return waiting;
        }
    }

    /// <summary>The counts of single characters of three bytes, each a part of a piece.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long CountSingles(byte* block, ulong places)
    {
        unchecked
        {
            byte* singles = Singles;
            (long count, long unknown) = (0, 0);
            for (ulong left = places; left != 0; left &= left - 1)
            {
                long single = singles[Utf8Reader.DecodeThree(block + BitOperations.TrailingZeroCount(left))];
                unknown |= single - 1;
                count += single;
            }

            return unknown >= 0 ? count : CountUnknownSingles(block, places);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long CountUnknownSingles(byte* block, ulong places)
    {
        long count = 0;
        for (; places != 0; places &= places - 1)
        {
            byte* at = block + BitOperations.TrailingZeroCount(places);
            int character = Utf8Reader.DecodeThree(at);
            count += Singles[character] != 0 ? Singles[character] : CountSingle(character, at, 3);
        }

        return count;
    }

    /// <summary>Takes a long piece apart where no token can reach over, and its parts one by one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected int Divide(byte* piece, byte* end, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            Seams seams = Seams;
            byte* at = piece;
            while (end - at >= 64 && at <= readable - Tail)
            {
                ulong threes = BlockMasks.Leads(at, 0xE0, 0xEF);
                ulong cuts = seams.Between(at, threes & (threes << 3));
                if (cuts == 0)
                {
                    break;
                }

                byte* next = at + (63 - BitOperations.LeadingZeroCount(cuts));
                waiting = TakeParts(at, cuts | 1, 0, readable, waiting, ref count);
                waiting = waiting < MostWaiting ? waiting : LookUp(waiting, ref count);
                at = next;
            }

            return DivideRest(at, end, at > piece, readable, waiting, ref count);
        }
    }

    /// <summary>As <see cref="Divide"/>, one character after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int DivideRest(byte* piece, byte* end, bool divided, byte* readable, int waiting, ref long count)
    {
        unchecked
        {
            Seams seams = Seams;
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
                    count += CountLong(start, length, divided || length < end - piece, readable);
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

    private protected int CountLong(byte* at, int length, bool part, byte* readable) => length <= LongCounts.MaxLength
        ? CountMiddle(at, length, part) : CountLarge(at, length, part, readable);

    /// <summary>Has a key wait for its line, which is fetched meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected void Wait(Vector128<byte> key, int place)
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
    private protected int LookUp(int waiting, ref long total)
    {
        unchecked
        {
            byte* table = Shorts.Table;
            byte* keys = Keys;
            uint* lines = Lines;
            long count = 0;
            nint missing = 0;
            for (nint i = 0; i < waiting; i++)
            {
                // Those that are not there move to the front; that is seldom.
                Vector128<byte> key = Vector128.Load(keys + (i * 16));
                int found = ShortCounts.Find(table + ((nint)lines[i] * 64), key);
                count += found;
                Vector128.Store(key, keys + (missing * 16));
                missing += found == 0 ? 1 : 0;
            }

            total += missing == 0 ? count : count + CountMissing((int)missing);
            return 0;
        }
    }

    /// <summary>The counts of the first keys, which were not remembered; two of them may be equal.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long CountMissing(int missing)
    {
        for (int i = 0; i < missing; i++)
        {
            Merger.Prefetch(ShortCounts.Hash(Vector128.Load(Keys + ((nint)i * 16))));
        }

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
    private protected static void Prefetch(byte* line)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(line);
        }
    }
}
