using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Ciyuan.Storage;

/// <summary>The engine's state after a frame.</summary>
/// <param name="Seq">The frame.</param>
/// <param name="FrameHash">Its hash: the snapshot fits only the journal that has it.</param>
/// <param name="State">What <see cref="Journal.Engine.WriteState"/> wrote.</param>
internal sealed record Snapshot(long Seq, byte[] FrameHash, byte[] State);

/// <summary>
/// Snapshot files (docs/FORMATS.md), of which the newest two are kept: header of 96 bytes (magic, shard, frame, length,
/// hash of the frame, SHA-256 of the header so far and the state), then the state. They only save replay.
/// </summary>
internal static class SnapshotFolder
{
    private const int Kept = 2;
    private const int HashAt = 64;
    private const int HeaderLength = 96;
    private const ulong Magic = 0x3150_414e_535f_5943; // "CY_SNAP1"

    /// <summary>Writes a snapshot durably, then deletes all but the newest two.</summary>
    internal static void Write(string folder, int shard, Snapshot snapshot)
    {
        Directory.CreateDirectory(folder);
        byte[] header = new byte[HeaderLength];
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), shard);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), snapshot.Seq);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), snapshot.State.Length);
        snapshot.FrameHash.CopyTo(header.AsSpan(32));
        Hash(header, snapshot.State, header.AsSpan(HashAt));

        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{snapshot.Seq:D13}.snapshot"));
        using (var file = File.OpenHandle(path + ".tmp", FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, header, 0);
            RandomAccess.Write(file, snapshot.State, HeaderLength);
            DiskSync.Publish(file, path + ".tmp", path);
        }

        foreach (string old in NewestFirst(folder).Skip(Kept))
        {
            File.Delete(old);
        }
    }

    /// <summary>The intact snapshots of a shard, newest first.</summary>
    internal static IEnumerable<Snapshot> ReadIntact(string folder, int shard) =>
        NewestFirst(folder).Select(path => TryRead(path, shard)).OfType<Snapshot>();

    private static IEnumerable<string> NewestFirst(string folder) => Directory.Exists(folder)
        ? Directory.GetFiles(folder, "*.snapshot").OrderDescending(StringComparer.Ordinal)
        : [];

    private static Snapshot? TryRead(string path, int shard)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (bytes.Length < HeaderLength
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8)) != shard
            || BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(24)) != bytes.Length - HeaderLength)
        {
            return null;
        }

        byte[] hash = new byte[SHA256.HashSizeInBytes];
        Hash(bytes, bytes.AsSpan(HeaderLength), hash);
        return hash.AsSpan().SequenceEqual(bytes.AsSpan(HashAt, hash.Length))
            ? new Snapshot(
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)), bytes[32..64], bytes[HeaderLength..])
            : null;
    }

    private static void Hash(ReadOnlySpan<byte> header, ReadOnlySpan<byte> state, Span<byte> hash)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(header[..HashAt]);
        sha.AppendData(state);
        sha.GetHashAndReset(hash);
    }
}
