using System.Buffers.Binary;
using Ciyuan.Journal;

namespace Ciyuan.Storage;

/// <summary>
/// Looks at SQLite's write-ahead log before SQLite does. SQLite takes the first bad checksum for the torn end of the
/// log and forgets what follows, which is right after a loss of power, but would silently drop acknowledged frames
/// when the bad bytes are in the middle. Since each commit is synced before the next one starts, a torn end can spoil
/// only the last transaction: when anything was written after the spoiled transaction's commit, it is damage.
/// </summary>
/// <remarks>Layout: https://www.sqlite.org/fileformat2.html#walformat. Header of 32 bytes; frames of a 24-byte header
/// (page number, size after commit or 0, two salts, two checksums) and a page.</remarks>
internal static class WriteAheadLog
{
    private const int HeaderLength = 32;
    private const int FrameHeaderLength = 24;
    private const uint MagicLittleEndian = 0x377f0682;
    private const uint MagicBigEndian = 0x377f0683;

    /// <summary>Refuses a log that is damaged before its last transaction.</summary>
    /// <exception cref="JournalException">It is damaged.</exception>
    internal static void RequireWhole(string databasePath)
    {
        string path = databasePath + "-wal";
        if (!File.Exists(path))
        {
            return;
        }

        using var log = new BufferedStream(File.OpenRead(path), 1 << 20);
        byte[] header = new byte[HeaderLength];
        if (log.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength)
        {
            return; // the log was just begun
        }

        uint magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        int pageSize = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8)), 65_536);
        bool bigEndian = magic == MagicBigEndian;
        (uint, uint) sum = Sum(header.AsSpan(0, 24), (0, 0), bigEndian);
        bool whole = magic is MagicLittleEndian or MagicBigEndian && pageSize >= 512 && sum == Checksum(header, 24);
        if (!whole)
        {
            RequireEmptyAfterHeader(path, log.Length);
            return;
        }

        if (FirstDamage(log, header.AsSpan(16, 8), new byte[FrameHeaderLength + pageSize], sum, bigEndian) is { } page)
        {
            throw new JournalException(
                $"{path} is damaged at its page {page}, and committed frames follow it: opening would lose them; " +
                "restore the folder from a backup");
        }
    }

    /// <summary>
    /// The first page with a bad checksum that is followed by a commit and by more of this log; null if none.
    /// </summary>
    private static long? FirstDamage(Stream log, Span<byte> salts, byte[] frame, (uint, uint) sum, bool bigEndian)
    {
        long? bad = null;
        bool committed = false;
        for (long page = 1; log.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length; page++)
        {
            bool ours = frame.AsSpan(8, 8).SequenceEqual(salts);
            if (bad is null)
            {
                sum = Sum(frame.AsSpan(0, 8), sum, bigEndian);
                sum = Sum(frame.AsSpan(FrameHeaderLength), sum, bigEndian);
                bad = ours && sum == Checksum(frame, 16) ? null : page;
            }

            if (bad is not null && ours)
            {
                if (committed)
                {
                    return bad;
                }

                committed = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) != 0;
            }
        }

        return null;
    }

    private static void RequireEmptyAfterHeader(string path, long length)
    {
        // The header is synced before the first page is written: pages behind a bad header mean that it went bad later.
        if (length > HeaderLength)
        {
            throw new JournalException(
                $"{path} has a damaged header, and pages follow it: opening would lose them; " +
                "restore the folder from a backup");
        }
    }

    private static (uint, uint) Checksum(byte[] bytes, int at) =>
        (BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at)),
            BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at + 4)));

    private static (uint, uint) Sum(ReadOnlySpan<byte> bytes, (uint First, uint Second) sum, bool bigEndian)
    {
        (uint first, uint second) = sum;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            uint even = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            uint odd = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            unchecked
            {
                first += (bigEndian ? BinaryPrimitives.ReverseEndianness(even) : even) + second;
                second += (bigEndian ? BinaryPrimitives.ReverseEndianness(odd) : odd) + first;
            }
        }

        return (first, second);
    }
}
