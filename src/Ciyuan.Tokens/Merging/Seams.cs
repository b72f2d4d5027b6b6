using System.Runtime.CompilerServices;
using System.Text;
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
        for (int id = 0; id <= vocabulary.MaxId; id++)
        {
            if (vocabulary.KindOf(id) is EntryKind.Normal or EntryKind.Unused)
            {
                Add(vocabulary.BytesOf(id));
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
        if (Ascii.IsValid(bytes))
        {
            return; // two of ASCII are taken to join
        }

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
