using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ciyuan.Usage;

/// <summary>What an id names; ids of different kinds never meet. Numbers are stored: never change or reuse
/// one.</summary>
public enum IdKind : byte
{
    /// <summary>A usage record.</summary>
    Usage = 1,

    /// <summary>A group of ledger operations.</summary>
    Group = 2,

    /// <summary>A hold.</summary>
    Hold = 3,

    /// <summary>A conflicting record that was kept aside.</summary>
    Conflict = 4,

    /// <summary>The reversal of a group, under the group's id.</summary>
    Reversal = 5,

    /// <summary>A correction.</summary>
    Correction = 6,

    /// <summary>A step of settlement.</summary>
    Settlement = 7,
}

/// <summary>
/// The 128-bit digest under which an id is remembered for ever: SipHash-2-4 with 128-bit output (Aumasson and
/// Bernstein, 2012) under a random key of the ledger, so that nobody outside can make two ids meet. Among 10¹² ids the
/// chance of any accidental meeting is below 10⁻¹⁴.
/// </summary>
public readonly struct IdHasher
{
    private readonly ulong _key0;
    private readonly ulong _key1;

    /// <summary>A hasher under a key of 16 bytes, random and secret.</summary>
    public IdHasher(ReadOnlySpan<byte> key)
    {
        _key0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        _key1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
    }

    /// <summary>Digest of an id within its scope: kind byte, scope, a zero byte, id; texts in UTF-8.</summary>
    [SkipLocalsInit] // only the bytes written are read
    public UInt128 Digest(IdKind kind, string scope, string id)
    {
        int most = 2 + Encoding.UTF8.GetMaxByteCount(scope.Length) + Encoding.UTF8.GetMaxByteCount(id.Length);
        byte[]? rented = most > 1024 ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> bytes = rented ?? stackalloc byte[1024];
        bytes[0] = (byte)kind;
        int n = 1 + Encoding.UTF8.GetBytes(scope, bytes[1..]);
        bytes[n++] = 0;
        n += Encoding.UTF8.GetBytes(id, bytes[n..]);
        UInt128 digest = Hash(bytes[..n]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return digest;
    }

    /// <summary>SipHash-2-4-128 of some bytes; the first eight output bytes are the lower half.</summary>
    public UInt128 Hash(ReadOnlySpan<byte> data)
    {
        ulong v0 = _key0 ^ 0x736f6d6570736575;
        ulong v1 = _key1 ^ 0x646f72616e646f6d ^ 0xee;
        ulong v2 = _key0 ^ 0x6c7967656e657261;
        ulong v3 = _key1 ^ 0x7465646279746573;
        ulong last = (ulong)data.Length << 56;
        for (; data.Length >= 8; data = data[8..])
        {
            Compress(BinaryPrimitives.ReadUInt64LittleEndian(data), ref v0, ref v1, ref v2, ref v3);
        }

        for (int i = 0; i < data.Length; i++)
        {
            last |= (ulong)data[i] << (8 * i);
        }

        Compress(last, ref v0, ref v1, ref v2, ref v3);
        v2 ^= 0xee;
        ulong lower = Finish(ref v0, ref v1, ref v2, ref v3);
        v1 ^= 0xdd;
        return new UInt128(Finish(ref v0, ref v1, ref v2, ref v3), lower);
    }

    private static void Compress(ulong word, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    private static ulong Finish(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        for (int i = 0; i < 4; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }

        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        unchecked
        {
            v0 += v1;
            v2 += v3;
            v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
            v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
            v0 = BitOperations.RotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
            v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
            v2 = BitOperations.RotateLeft(v2, 32);
        }
    }
}
