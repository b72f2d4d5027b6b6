using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ciyuan.Journal;

/// <summary>
/// Reads what <see cref="ByteWriter"/> wrote. Bytes are hostile until proven otherwise: every read is bounded, and one
/// that does not fit throws <see cref="JournalException"/>.
/// </summary>
public ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    private int _position;

    /// <summary>Offset of the next byte.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _bytes.Length - _position;

    /// <summary>One byte.</summary>
    public byte Byte() => (uint)_position < (uint)_bytes.Length ? _bytes[_position++] : throw Damaged("ends too early");

    /// <summary>An unsigned integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // most are below 128
    public ulong Varint()
    {
        ReadOnlySpan<byte> bytes = _bytes;
        int at = _position;
        if ((uint)at < (uint)bytes.Length && bytes[at] < 0x80)
        {
            _position = at + 1;
            return bytes[at];
        }

        return bytes.Length - at >= 10 ? LongVarint() : VarintAtEnd();
    }

    private ulong LongVarint()
    {
        ReadOnlySpan<byte> bytes = _bytes.Slice(_position, 10);
        ulong value = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            ulong b = bytes[i];
            value |= unchecked((b & 0x7f) << (7 * i));
            if (b < 0x80)
            {
                _position += i + 1;
                return value;
            }
        }

        _position += bytes.Length;
        throw Damaged("has an integer of more than 64 bits");
    }

    private ulong VarintAtEnd()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte b = Byte();
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw Damaged("has an integer of more than 64 bits");
    }

    /// <summary>A number of things of which each takes at least one byte, so it can't exceed what remains.</summary>
    public int Count()
    {
        ulong value = Varint();
        return value <= (ulong)Remaining
            ? (int)value
            : throw Damaged($"counts {value} things where {Remaining} bytes remain");
    }

    /// <summary>An integer of 0 to 2³¹−1.</summary>
    public int Natural()
    {
        ulong value = Varint();
        return value <= int.MaxValue
            ? (int)value
            : throw Damaged($"has {value} where at most {int.MaxValue} can stand");
    }

    /// <summary>An index below a limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Index(int limit)
    {
        ulong value = Varint();
        if (value >= (ulong)limit)
        {
            ThrowBeyond(value, limit);
        }

        return unchecked((int)value);
    }

    /// <summary>A signed integer.</summary>
    public long ZigZag()
    {
        ulong zigzag = Varint();
        return unchecked((long)(zigzag >> 1) ^ -(long)(zigzag & 1));
    }

    /// <summary>A signed 128-bit integer.</summary>
    public Int128 ZigZag128()
    {
        // Up to nine bytes are 63 bits, which amounts of one call nearly always are.
        ReadOnlySpan<byte> bytes = _bytes[_position..];
        bytes = bytes.Length > 9 ? bytes[..9] : bytes;
        ulong value = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            ulong b = bytes[i];
            value |= unchecked((b & 0x7f) << (7 * i));
            if (b < 0x80)
            {
                _position += i + 1;
                return unchecked((long)(value >> 1) ^ -(long)(value & 1));
            }
        }

        return LongZigZag128();
    }

    private Int128 LongZigZag128()
    {
        UInt128 zigzag = 0;
        for (int shift = 0; shift < 128; shift += 7)
        {
            byte b = Byte();
            zigzag |= (UInt128)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return unchecked((Int128)(zigzag >> 1) ^ -(Int128)(zigzag & 1));
            }
        }

        throw Damaged("has an integer of more than 128 bits");
    }

    /// <summary>Passes over integers of any length.</summary>
    /// <param name="count">How many.</param>
    public void SkipVarints(long count)
    {
        // Each ends with the one byte of it that is below 128: eight bytes are looked at together.
        while (count >= 8 && Remaining >= 8)
        {
            ulong eight = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_position..]);
            count -= BitOperations.PopCount(~eight & 0x8080808080808080);
            _position += 8;
        }

        while (count > 0)
        {
            count -= Byte() < 0x80 ? 1 : 0;
        }
    }

    /// <summary>A text.</summary>
    public string Text() => Encoding.UTF8.GetString(Raw(Count()));

    /// <summary>Bytes as they are.</summary>
    public ReadOnlySpan<byte> Raw(int length)
    {
        if (length > Remaining)
        {
            throw Damaged("ends too early");
        }

        _position += length;
        return _bytes.Slice(_position - length, length);
    }

    /// <summary>16 bytes, little-endian.</summary>
    public UInt128 Fixed128() => BinaryPrimitives.ReadUInt128LittleEndian(Raw(16));

    private readonly void ThrowBeyond(ulong value, int limit) => throw Damaged($"refers to entry {value} of {limit}");

    /// <summary>What to throw when the content makes no sense at this place.</summary>
    public readonly JournalException Damaged(string what) => new($"{what} (at byte {Position} of {_bytes.Length})");
}
