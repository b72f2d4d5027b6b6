using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Knows between which two characters no entry reaches. There the text on both sides can be taken by itself, whatever
/// the model: most neighbours in Chinese are such. The answer errs to one side only: two characters may share a bit.
/// Immutable.
/// </summary>
internal sealed unsafe class Seams : IDisposable
{
    /// <summary>2^21 bits, 256 KiB: few of them set for the 200,000 entries of o200k.</summary>
    private const int PairBits = 21;

    /// <summary>A bit for the last byte before a boundary and the two after it.</summary>
    private const int PartBits = 18;
    private readonly HugeMemory _memory = new((1 << (PairBits - 3)) + (1 << (PartBits - 3)));
    private readonly uint* _pairs;
    private readonly uint* _parts;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal Seams(Vocabulary vocabulary)
    {
        _pairs = (uint*)_memory.Pointer;
        _parts = (uint*)(_memory.Pointer + (1 << (PairBits - 3)));
        EntryBytes entries = vocabulary.Entries;
        for (int id = 0; id < entries.Count; id++)
        {
            if (entries.IsMade(id) && !entries.IsAscii(id)) // two of ASCII are taken to join
            {
                Add(entries[id]);
            }
        }
    }

    internal long NativeBytes => (long)_memory.Bytes;

    public void Dispose() => _memory.Dispose();

    /// <summary>Whether an entry may reach over the boundary between two characters.</summary>
    /// <param name="left">The code point before it.</param>
    /// <param name="right">The code point after it.</param>
    /// <param name="at">Where the latter stands; the byte after it may be read.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool MayJoin(int left, int right, byte* at)
    {
        uint pair = Pair(left, right);
        return (left | right) < 0x80 || ((_pairs[pair >> 5] >> (int)(pair & 31)) & 1) != 0 || PartsJoin(at);
    }

    /// <summary>
    /// Whether an entry that has only a part of a character may reach over the boundary before a place.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool PartsJoin(byte* at)
    {
        uint part = Part(at[-1], at[0], at[1]);
        return ((_parts[part >> 5] >> (int)(part & 31)) & 1) != 0;
    }

    /// <summary>
    /// Whether entries may reach over the boundaries between nine characters of three bytes each, of which
    /// <paramref name="at"/> is the first: a bit for each of the eight. For processors with AVX2. Up to 31 bytes are
    /// read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal uint MayJoinEight(byte* at)
    {
        unchecked
        {
            Vector256<uint> left = Threes(at);
            Vector256<uint> right = Threes(at + 3);
            Vector256<uint> pair = ((CodePoints(left) * 0x9E3779B1) + (CodePoints(right) * 0x85EBCA77))
                >>> (32 - PairBits);
            Vector256<uint> part = (((left & Vector256.Create(0xFFu)) * 0x9E3779B1) + ((right >>> 8) * 0x85EBCA77))
                >>> (32 - PartBits);
            return (Bits(_pairs, pair) | Bits(_parts, part)).ExtractMostSignificantBits();
        }
    }

    /// <summary>The bits of a table, each moved to the top.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Bits(uint* table, Vector256<uint> places)
    {
        Vector256<uint> words = Avx2.GatherVector256(table, (places >>> 5).AsInt32(), sizeof(uint));
        return Avx2.ShiftLeftLogicalVariable(words, ~places & Vector256.Create(31u));
    }

    /// <summary>Eight characters of three bytes, the first byte of each highest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Threes(byte* at) => Avx2.Shuffle(
        Vector256.Create(Vector128.Load(at), Vector128.Load(at + 12)),
        Vector256.Create(
            (byte)2, 1, 0, 255, 5, 4, 3, 255, 8, 7, 6, 255, 11, 10, 9, 255,
            2, 1, 0, 255, 5, 4, 3, 255, 8, 7, 6, 255, 11, 10, 9, 255)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> CodePoints(Vector256<uint> threes) =>
        ((threes >>> 4) & Vector256.Create(0xF000u)) | ((threes >>> 2) & Vector256.Create(0xFC0u))
        | (threes & Vector256.Create(0x3Fu));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pair(int left, int right) =>
        unchecked((((uint)left * 0x9E3779B1) + ((uint)right * 0x85EBCA77)) >> (32 - PairBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Part(byte last, byte first, byte second)
    {
        uint after = first < 0x80 ? first : ((uint)first << 8) | second;
        return unchecked(((last * 0x9E3779B1u) + (after * 0x85EBCA77u)) >> (32 - PartBits));
    }

    private static bool IsInside(byte value) => (value & 0xC0) == 0x80;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (at < bytes.Length && IsInside(bytes[at]))
        {
            at++;
        }

        if (at > 0 && at < bytes.Length)
        {
            AddPart(bytes, at);
        }

        AddPairs(bytes, at);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddPairs(ReadOnlySpan<byte> bytes, int at)
    {
        fixed (byte* start = bytes)
        {
            int left = -1;
            while (at < bytes.Length && at + Utf8Reader.Length(bytes[at]) <= bytes.Length)
            {
                int right = Utf8Reader.Decode(start + at, out int length);
                if (left >= 0)
                {
                    uint pair = Pair(left, right);
                    _pairs[pair >> 5] |= 1u << (int)(pair & 31);
                }

                left = right;
                at += length;
            }
        }

        if (at > 0 && at < bytes.Length)
        {
            AddPart(bytes, at);
        }
    }

    private void AddPart(ReadOnlySpan<byte> bytes, int at)
    {
        bool open = bytes[at] >= 0x80 && at + 1 == bytes.Length;
        for (int second = open ? 0x80 : -1; second < (open ? 0xC0 : 0); second++)
        {
            byte next = open ? (byte)second : at + 1 < bytes.Length ? bytes[at + 1] : (byte)0;
            uint part = Part(bytes[at - 1], bytes[at], next);
            _parts[part >> 5] |= 1u << (int)(part & 31);
        }
    }
}
