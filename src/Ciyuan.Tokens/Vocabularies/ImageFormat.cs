using System.Buffers.Binary;
using System.Numerics;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// The compact file: docs/FORMATS.md, "Vocabularies". Numbers are little-endian. A header of <see cref="HeaderBytes"/>
/// bytes, then sections one after the other, in the order of <see cref="ImageHeader"/>'s counts.
/// </summary>
internal static class ImageFormat
{
    internal const int HeaderBytes = 64;

    /// <summary>
    /// The largest file: a million entries with seven bytes each, and as many merges, is a quarter of it.
    /// </summary>
    internal const int MaxFileBytes = 1 << 26;

    /// <summary>Ids fit into 20 bits, so that two of them take five bytes.</summary>
    internal const int MaxEntries = 1 << 20;

    /// <summary>All entries' bytes together: 64 MiB, thirty times the largest family's.</summary>
    internal const int MaxEntryBytes = 1 << 26;

    /// <summary>The first version: without an index. It is still read.</summary>
    internal const byte FirstVersion = 1;

    /// <summary>The bytes by which a file is known; the last is the version.</summary>
    internal static ReadOnlySpan<byte> Magic => "CYVOCAB\u0002"u8;

    /// <summary>CRC-32C of all that follows magic and checksum.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> file)
    {
        ReadOnlySpan<byte> rest = file[12..];
        uint crc = uint.MaxValue;
        for (; rest.Length >= 8; rest = rest[8..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(rest));
        }

        foreach (byte value in rest)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}

/// <summary>The counts of a compact file.</summary>
/// <param name="Entries">Ids, gaps included.</param>
/// <param name="EntryBytes">All entries' bytes together.</param>
/// <param name="Merges">Merges, five bytes each: low halves of left, of right, and a byte for the high bits of
/// both.</param>
/// <param name="Runs">Runs of results that follow one another, eight bytes each: first merge, its result.</param>
/// <param name="Literals">Bytes of the section of entries that no merge makes.</param>
/// <param name="Scores">Scores, four bytes each; none or one for each entry.</param>
/// <param name="Map">Bytes of the character map.</param>
/// <param name="Profiles">Bytes of the section of profiles.</param>
/// <param name="Slots">Slots of the index, four bytes each: a power of two, or none.</param>
internal readonly record struct ImageHeader(
    int Entries, int EntryBytes, int Merges, int Runs, int Literals, int Scores, int Map, int Profiles, int Slots)
{
    internal const int LeftAt = ImageFormat.HeaderBytes;

    internal int RightAt => LeftAt + (2 * Merges);

    internal int HighAt => RightAt + (2 * Merges);

    internal int RunsAt => HighAt + Merges;

    internal int LiteralsAt => RunsAt + (8 * Runs);

    internal int ScoresAt => LiteralsAt + Literals;

    internal int MapAt => ScoresAt + (4 * Scores);

    internal int ProfilesAt => MapAt + Map;

    internal int IndexAt => ProfilesAt + Profiles;

    internal int FileBytes => IndexAt + (4 * Slots);
}
