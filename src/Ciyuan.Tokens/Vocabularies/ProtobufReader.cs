using System.Buffers.Binary;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Goes through the fields of one protobuf message. Every length is held against what is there.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string what)
{
    private ReadOnlySpan<byte> _rest = message;
    private readonly int _length = message.Length;

    /// <summary>The number of the field that was read last.</summary>
    internal int Field { get; private set; }

    /// <summary>Its value, where it is a number; for 32 and 64 bits the raw bits.</summary>
    internal ulong Number { get; private set; }

    /// <summary>Its bytes, where it is a text, bytes or a message; else empty.</summary>
    internal ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Its value as a number with 32 bits of precision.</summary>
    internal readonly float Single => BitConverter.UInt32BitsToSingle(unchecked((uint)Number));

    /// <summary>Reads the next field; false at the end.</summary>
    /// <exception cref="VocabularyException">The message is damaged.</exception>
    internal bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        ulong key = ReadVarint();
        Field = key >> 3 is > 0 and < 1 << 29 ? (int)(key >> 3) : throw Damaged("a field has no number");
        Bytes = default;
        switch (key & 7)
        {
            case 0:
                Number = ReadVarint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Number = ReadVarint();
                Bytes = Take(Number);
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Damaged($"field {Field} has the unknown wire type {key & 7}");
        }

        return true;
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length)
        {
            throw Damaged($"field {Field} says {count} bytes, where {_rest.Length} are left");
        }

        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Damaged("a number has more than 64 bits");
    }

    private readonly VocabularyException Damaged(string how) => new(
        $"{what} is damaged before byte {_length - _rest.Length}: {how}. Get the file again, and compare its SHA-256.");
}
