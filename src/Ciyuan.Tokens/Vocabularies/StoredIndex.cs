using System.Buffers.Binary;
using System.Numerics;
using Ciyuan.Tokens.Merging;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// The index that a compact file has of itself: what two neighbours become is found in the file as it is mapped, before
/// anything is built. Slower than tables in memory, and there at once. Slots of four bytes, by linear probing: 0 where
/// free, else 12 bits of the hash, of which the highest is set, and in 20 bits an id (<see cref="TokenModel.RankBpe"/>,
/// by the bytes of entries) or the place of a merge (<see cref="TokenModel.MergeBpe"/>, by its two ids). Immutable.
/// </summary>
internal sealed unsafe class StoredIndex
{
    internal const int ValueBits = 20;
    internal const uint ValueMask = (1u << ValueBits) - 1;

    /// <summary>Deeper than any entry is made of others: an entry of n bytes is at most n deep.</summary>
    private const int MaxDepth = VocabularyDraft.MaxTokenBytes;

    private readonly ReadOnlyMemory<byte> _image;
    private readonly ImageHeader _header;
    private readonly int _limit;
    private readonly bool _byBytes;
    private readonly int[] _literalIds;
    private readonly int[] _literalStarts;
    private readonly int[] _literalLengths;

    /// <param name="image">The whole file, checked.</param>
    /// <param name="header">Its header, with slots.</param>
    /// <param name="limit">Ids from here on are left out.</param>
    internal StoredIndex(ReadOnlyMemory<byte> image, ImageHeader header, int limit)
    {
        _image = image;
        _header = header;
        _limit = limit;
        _byBytes = (TokenModel)image.Span[12] == TokenModel.RankBpe;
        int count = ImageReader.CountLiterals(image.Span, header);
        (_literalIds, _literalStarts, _literalLengths) = (new int[count], new int[count], new int[count]);
        ImageReader.FindLiterals(image.Span, header, _literalIds, _literalStarts, _literalLengths);
    }

    /// <summary>How many slots an index of so many takes: at most four fifths of them are full.</summary>
    internal static int SlotsFor(int number) =>
        number is 0 or > (int)ValueMask
            ? 0 : (int)BitOperations.RoundUpToPowerOf2(Math.Max(16, (uint)number * 5 / 4));

    /// <summary>The mark of a hash in a slot, above the value.</summary>
    internal static uint Mark(ulong hash) => unchecked((uint)(hash >> 8 & 0x7FF) | 0x800) << ValueBits;

    /// <summary>The hash of two ids.</summary>
    internal static ulong HashOf(int left, int right)
    {
        ulong key = ((ulong)(uint)left << 32) | (uint)right;
        return unchecked((key ^ (key >> 21)) * SpanHash.First);
    }

    /// <summary>The ids of single bytes; -1 for those without one.</summary>
    internal int[] ByteIds()
    {
        int[] ids = new int[256];
        for (int value = 0; value < 256; value++)
        {
            ids[value] = -1; // here and below no generic methods, which would be compiled before the first count
        }

        ReadOnlySpan<byte> file = _image.Span;
        for (int i = _literalIds.Length - 1; i >= 0; i--)
        {
            if (_literalLengths[i] == 1 && _literalIds[i] < _limit)
            {
                ids[file[_literalStarts[i]]] = _literalIds[i];
            }
        }

        return ids;
    }

    /// <summary>
    /// What two neighbours become: their rank, lower first, in the upper half, the id in the lower;
    /// <see cref="ulong.MaxValue"/> when they do not merge.
    /// </summary>
    /// <param name="both">The bytes of both.</param>
    /// <param name="left">The left one's id.</param>
    /// <param name="right">The right one's id.</param>
    internal ulong Find(ReadOnlySpan<byte> both, int left, int right)
    {
        if (!_byBytes)
        {
            return FindPair(left, right);
        }

        int id = FindEntry(both);
        return id < 0 ? ulong.MaxValue : ((ulong)(uint)id << 32) | (uint)id;
    }

    /// <summary>The entry of some bytes; -1 when there is none, or no index by bytes.</summary>
    internal int FindEntry(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> file = _image.Span;
        ulong hash;
        fixed (byte* start = bytes)
        {
            hash = SpanHash.Of(start, bytes.Length);
        }

        uint mark = Mark(hash);
        for (int slot = First(hash), tries = _header.Slots; _byBytes && tries > 0; slot = Next(slot), tries--)
        {
            uint there = Slot(file, slot);
            int id = (int)(there & ValueMask);
            if (there == 0)
            {
                return -1;
            }

            if ((there & ~ValueMask) == mark && id < _limit && Spells(file, id, bytes, 0, 0) == bytes.Length)
            {
                return id;
            }
        }

        return -1;
    }

    private ulong FindPair(int left, int right)
    {
        ReadOnlySpan<byte> file = _image.Span;
        ulong hash = HashOf(left, right);
        uint mark = Mark(hash);
        for (int slot = First(hash), tries = _header.Slots; tries > 0; slot = Next(slot), tries--)
        {
            uint there = Slot(file, slot);
            int merge = (int)(there & ValueMask);
            if (there == 0)
            {
                break;
            }

            if ((there & ~ValueMask) == mark && merge < _header.Merges
                && ImageReader.PartsOf(file, _header, merge) == (left, right))
            {
                int result = ResultOf(file, merge);
                return result < _limit ? ((ulong)(uint)merge << 32) | (uint)result : ulong.MaxValue;
            }
        }

        return ulong.MaxValue;
    }

    private int First(ulong hash) => unchecked((int)(hash >> (64 - BitOperations.Log2((uint)_header.Slots))));

    private int Next(int slot) => (slot + 1) & (_header.Slots - 1);

    private uint Slot(ReadOnlySpan<byte> file, int slot) =>
        BinaryPrimitives.ReadUInt32LittleEndian(file[(_header.IndexAt + (4 * slot))..]);

    /// <summary>Where bytes go on behind an entry that begins at a place; -1 when it does not stand there.</summary>
    private int Spells(ReadOnlySpan<byte> file, int id, ReadOnlySpan<byte> bytes, int at, int depth)
    {
        int literal = LiteralOf(id);
        if (literal >= 0)
        {
            ReadOnlySpan<byte> entry = file.Slice(_literalStarts[literal], _literalLengths[literal]);
            return bytes[at..].StartsWith(entry) ? at + entry.Length : -1;
        }

        int merge = depth < MaxDepth ? MergeOf(file, id) : -1;
        if (merge < 0)
        {
            return -1;
        }

        (int left, int right) = ImageReader.PartsOf(file, _header, merge);
        int middle = Spells(file, left, bytes, at, depth + 1);
        return middle < 0 ? -1 : Spells(file, right, bytes, middle, depth + 1);
    }

    /// <summary>The place of an entry among those that are spelled out; -1 when it is not.</summary>
    private int LiteralOf(int id)
    {
        (int low, int high) = (0, _literalIds.Length);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _literalIds[middle] < id ? (middle + 1, high) : (low, middle);
        }

        return low < _literalIds.Length && _literalIds[low] == id ? low : -1;
    }

    /// <summary>The merge that makes an entry, in a file whose results rise; -1 when there is none.</summary>
    private int MergeOf(ReadOnlySpan<byte> file, int id)
    {
        int run = LastRun(file, 4, id);
        int merge = run < 0 ? -1 : RunField(file, run, 0) + id - RunField(file, run, 4);
        int end = run + 1 < _header.Runs ? RunField(file, run + 1, 0) : _header.Merges;
        return merge < end ? merge : -1;
    }

    private int ResultOf(ReadOnlySpan<byte> file, int merge)
    {
        int run = LastRun(file, 0, merge);
        return RunField(file, run, 4) + merge - RunField(file, run, 0);
    }

    /// <summary>The last run whose first merge (0) or result (4) is not beyond a value; -1 for none.</summary>
    private int LastRun(ReadOnlySpan<byte> file, int field, int value)
    {
        (int low, int high) = (0, _header.Runs);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = RunField(file, middle, field) <= value ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    private int RunField(ReadOnlySpan<byte> file, int run, int field) =>
        BinaryPrimitives.ReadInt32LittleEndian(file[(_header.RunsAt + (8 * run) + field)..]);
}
