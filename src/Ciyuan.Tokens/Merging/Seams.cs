using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
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
    private const int PartsAt = 1 << (PairBits - 3);
    private const int RowsAt = PartsAt + (1 << (PartBits - 3));
    private readonly HugeMemory _memory = new(RowsAt + (1024 * sizeof(ulong)));
    private readonly ulong* _pairs;
    private readonly uint* _parts;

    /// <summary>
    /// The same parts where both characters have three bytes: a row for the lower bits of the first two bytes after a
    /// boundary, in it a bit for those of the last before.
    /// </summary>
    private readonly ulong* _rows;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal Seams(Vocabulary vocabulary)
    {
        _pairs = (ulong*)_memory.Pointer;
        _parts = (uint*)(_memory.Pointer + PartsAt);
        _rows = (ulong*)(_memory.Pointer + RowsAt);
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
        return (left | right) < 0x80 || ((_pairs[pair >> 6] >> (int)pair) & 1) != 0 || PartsJoin(at);
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
    /// Which of some boundaries between two characters of three bytes each no entry reaches over.
    /// </summary>
    /// <param name="block">64 bytes; those up to five after the last boundary are read.</param>
    /// <param name="boundaries">A bit for the first byte after each.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Between(byte* block, ulong boundaries)
    {
        unchecked
        {
            ulong seams = 0;
            for (; boundaries != 0; boundaries &= boundaries - 1)
            {
                int place = BitOperations.TrailingZeroCount(boundaries);
                ulong bytes = BinaryPrimitives.ReverseEndianness(*(ulong*)(block + place - 3));
                uint pair = Pair(Codes(bytes));
                ulong joined = (_pairs[pair >> 6] >> (int)pair) | (_rows[Row(bytes)] >> (int)(bytes >> 40));
                seams |= (~joined & 1) << place;
            }

            return seams;
        }
    }

    /// <summary>The code points of two characters of three bytes that a number begins with, 16 bits each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Codes(ulong bytes) => Bmi2.X64.IsSupported
        ? Bmi2.X64.ParallelBitExtract(bytes, 0x0F3F3F0F_3F3F0000)
        : ((bytes >> 28) & 0xF000_0000) | ((bytes >> 26) & 0xFC0_0000) | ((bytes >> 24) & 0x3F_0000)
            | ((bytes >> 20) & 0xF000) | ((bytes >> 18) & 0xFC0) | ((bytes >> 16) & 0x3F);

    /// <summary>The row of the fourth and fifth byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Row(ulong bytes) => Bmi2.X64.IsSupported
        ? Bmi2.X64.ParallelBitExtract(bytes, 0x0000000F_3F000000)
        : ((bytes >> 26) & 0x3C0) | ((bytes >> 24) & 0x3F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pair(ulong codes) => unchecked((uint)((codes * SpanHash.First) >> (64 - PairBits)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pair(int left, int right) => Pair(((ulong)(uint)left << 16) ^ (uint)right);

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
                    _pairs[pair >> 6] |= 1UL << (int)pair;
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
            if (IsInside(bytes[at - 1]) && bytes[at] is >= 0xE0 and < 0xF0)
            {
                _rows[((bytes[at] & 15) << 6) | (next & 63)] |= 1UL << (bytes[at - 1] & 63);
            }
        }
    }
}
