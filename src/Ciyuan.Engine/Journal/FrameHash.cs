using System.Buffers.Binary;
using System.Security.Cryptography;
using Ciyuan.Quantities;

namespace Ciyuan.Journal;

/// <summary>
/// The chain of frames: each frame's hash covers the one before, so no frame can be changed, dropped, moved or put in
/// without every later hash changing.
/// </summary>
public static class FrameHash
{
    /// <summary>Length of a hash.</summary>
    public const int Length = 32;

    private static ReadOnlySpan<byte> Domain => "ciyuan frame v1\0"u8;

    /// <summary>What stands before the first frame: 32 zero bytes.</summary>
    public static byte[] BeforeFirst => new byte[Length];

    /// <summary>SHA-256 of: domain, shard (int32), seq (int64), time in ns (int64), each little-endian, previous hash,
    /// body.</summary>
    public static byte[] Compute(
        int shard, long seq, Timestamp time, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> body)
    {
        Span<byte> head = stackalloc byte[Domain.Length + 20 + Length];
        Domain.CopyTo(head);
        Span<byte> numbers = head[Domain.Length..];
        BinaryPrimitives.WriteInt32LittleEndian(numbers, shard);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[4..], seq);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[12..], time.UnixNanoseconds);
        previous.CopyTo(numbers[20..]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }
}
