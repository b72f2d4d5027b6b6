using System.Buffers.Binary;
using System.Globalization;

namespace Ciyuan.Storage;

/// <summary>
/// Layout of a run file (docs/FORMATS.md): header of 64 bytes, filter blocks of 64 bytes, entries of 32 bytes in order
/// of their digests, footer with the XxHash3 of the header, of the filter and of the entries. Little-endian.
/// </summary>
/// <remarks>
/// An id belongs to the block <c>high × blocks / 2⁶⁴</c>, so blocks are in the order of the entries. A block holds in
/// its first 4 bytes the number of entries before it, and in the other 480 bits a Bloom filter with 7 bits for each
/// id. One cache line thus answers "not here" for 99 of 100 absent ids, and says where to look for the others.
/// </remarks>
internal readonly record struct IdRunFormat(long Count, long FirstSeq, long LastSeq)
{
    internal const int HeaderLength = 64;
    internal const int BlockLength = 64;
    internal const int FooterLength = 24;
    internal const int IdsPerBlock = 48; // 480 bits, 10 for each id
    internal const int FilterBits = 480;
    internal const int FilterBitsPerId = 7;

    /// <summary>Most entries in a run: their number fits the 4 bytes in a block.</summary>
    internal const long MaxCount = uint.MaxValue;

    private const ulong Magic = 0x3153_4449_4e55_5943; // "CYUNIDS1"

    internal long Blocks => (Count / IdsPerBlock) + 1;

    internal long EntriesAt => HeaderLength + (Blocks * BlockLength);

    internal long FooterAt => EntriesAt + (Count * IdEntry.Size);

    internal long Length => FooterAt + FooterLength;

    internal string FileName => string.Create(CultureInfo.InvariantCulture, $"{FirstSeq:D13}-{LastSeq:D13}.ids");

    internal static bool TryParseName(string name, out long first, out long last)
    {
        last = 0;
        return long.TryParse(name.AsSpan(0, Math.Min(13, name.Length)), NumberStyles.None, null, out first)
            && name.Length == 31 && name[13] == '-' && name.EndsWith(".ids", StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(14, 13), NumberStyles.None, null, out last) && first >= 1 && last >= first;
    }

    internal void WriteHeader(Span<byte> header)
    {
        header.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], FirstSeq);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], LastSeq);
    }

    internal static bool TryReadHeader(ReadOnlySpan<byte> header, out IdRunFormat format)
    {
        format = new IdRunFormat(
            BinaryPrimitives.ReadInt64LittleEndian(header[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
        return BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic && format.Count is >= 0 and <= MaxCount;
    }

    /// <summary>The filter bit of an id: the <paramref name="i"/>-th 9 bits of its lower half, scaled to 480.</summary>
    internal static int FilterBit(ulong low, int i) => (int)((((low >> (9 * i)) & 511) * FilterBits) >> 9);
}
