using System.Buffers.Binary;
using System.Text;

namespace Ciyuan.Journal;

/// <summary>
/// Grows a buffer of bytes: variable-length integers (LEB128: seven bits a byte, lowest first), signed ones in zigzag,
/// texts as length and UTF-8. Reusable: <see cref="Clear"/> keeps the buffer.
/// </summary>
public sealed class ByteWriter
{
    private const int MostVarintBytes = 19; // 128 bits / 7

    private byte[] _buffer = new byte[4096];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>Forgets what was written.</summary>
    public void Clear() => Length = 0;

    /// <summary>One byte.</summary>
    public void Byte(byte value)
    {
        Ensure(1);
        _buffer[Length++] = value;
    }

    /// <summary>An unsigned integer.</summary>
    public void Varint(ulong value)
    {
        Ensure(MostVarintBytes);
        int n = Length;
        for (; value >= 0x80; value >>= 7)
        {
            _buffer[n++] = (byte)(0x80 | (value & 0x7f));
        }

        _buffer[n++] = (byte)value;
        Length = n;
    }

    /// <summary>A number of things, 0 or more.</summary>
    public void Count(int value) => Varint((ulong)value);

    /// <summary>A signed integer.</summary>
    public void ZigZag(long value) => Varint(unchecked((ulong)((value << 1) ^ (value >> 63))));

    /// <summary>A signed 128-bit integer.</summary>
    public void ZigZag(Int128 value)
    {
        UInt128 zigzag = unchecked((UInt128)((value << 1) ^ (value >> 127)));
        if (zigzag <= ulong.MaxValue)
        {
            Varint((ulong)zigzag);
            return;
        }

        Ensure(MostVarintBytes);
        for (; zigzag >= 0x80; zigzag >>= 7)
        {
            _buffer[Length++] = (byte)(0x80 | (byte)(zigzag & 0x7f));
        }

        _buffer[Length++] = (byte)zigzag;
    }

    /// <summary>A text.</summary>
    public void Text(string value)
    {
        int most = 5 + (3 * value.Length);
        Ensure(most);
        if (value.Length < 128 / 3)
        {
            // The length fits one byte, so the text is written behind it in one pass.
            int written = Encoding.UTF8.GetBytes(value, _buffer.AsSpan(Length + 1));
            _buffer[Length] = (byte)written;
            Length += 1 + written;
            return;
        }

        Count(Encoding.UTF8.GetByteCount(value));
        Length += Encoding.UTF8.GetBytes(value, _buffer.AsSpan(Length));
    }

    /// <summary>Bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        Ensure(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>16 bytes, little-endian.</summary>
    public void Fixed128(UInt128 value)
    {
        Ensure(16);
        BinaryPrimitives.WriteUInt128LittleEndian(_buffer.AsSpan(Length), value);
        Length += 16;
    }

    private void Ensure(int more)
    {
        if (_buffer.Length - Length < more)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + more));
        }
    }
}
