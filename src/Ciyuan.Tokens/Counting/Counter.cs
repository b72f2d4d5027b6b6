using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// Counts the tokens of text that is valid UTF-8, remembering the counts of pieces. What it remembers makes it faster
/// and never changes a result. For one thread at a time; a <see cref="Tokenizer"/> keeps as many as it needs at once.
/// </summary>
internal abstract unsafe class Counter : IDisposable
{
    /// <summary>
    /// How far before the end of readable memory a block may begin: the last piece in it that is looked up begins up to
    /// 46 bytes later, and 64 bytes are read of it and 16 after its end.
    /// </summary>
    private protected const int Tail = 128;

    /// <summary>So many pieces wait for their lines at most before a block, and 62 more after it.</summary>
    private protected const int MostWaiting = 64;

    /// <summary>
    /// Stands in the last byte of the key of a part, which is no byte of UTF-8: a part may have another count than a
    /// piece of the same bytes.
    /// </summary>
    private protected const byte PartMark = 255;
    private const int RoomBytes = 8192 + 0x10000;
    private readonly HugeMemory _room = new(RoomBytes);
    private HugeMemory? _copy;

    private protected Counter(PieceScanner scanner, PieceMerger merger)
    {
        Scanner = scanner;
        Merger = merger;
        ShortCounts.FillKeyMasks(KeyMasks);
        LongCounts.FillMasks(LengthMasks);
    }

    /// <summary>The keys of the pieces that wait, and the numbers of their lines.</summary>
    private protected byte* Keys => _room.Pointer;

    private protected uint* Lines => unchecked((uint*)(_room.Pointer + 2048));

    private protected byte* KeyMasks => unchecked(_room.Pointer + 3072);

    private protected byte* LengthMasks => unchecked(_room.Pointer + 3584);

    /// <summary>Room for the end of a text, and blanks.</summary>
    private protected byte* TailRoom => _room.Pointer + 4096;

    /// <summary>Room for one short piece.</summary>
    private protected byte* PieceRoom => _room.Pointer + 4608;

    /// <summary>
    /// The counts of single characters of up to three bytes, as parts of pieces; 0 when not known yet.
    /// </summary>
    private protected byte* Singles => unchecked(_room.Pointer + 8192);

    private protected PieceScanner Scanner { get; }

    private protected PieceMerger Merger { get; }

    private protected ShortCounts Shorts { get; } = new();

    private protected LongCounts Middles { get; } = new(32);

    private protected LongCounts Longs { get; } = new(64);

    private protected MergeRoom Room { get; } = new();

    /// <summary>Bytes outside of the managed heap.</summary>
    internal long NativeBytes => RoomBytes + Shorts.NativeBytes + Middles.NativeBytes + Longs.NativeBytes;

    /// <summary>Counts the tokens of whole pieces, as far as they are certain.</summary>
    /// <param name="at">Where a piece begins; afterwards where the first uncounted one does.</param>
    /// <param name="end">Where the text ends that is there by now.</param>
    /// <param name="final">True when it ends there for good; then all of it is counted.</param>
    /// <param name="limit">Counting may stop when more than so many tokens are found.</param>
    internal abstract long Count(ref byte* at, byte* end, bool final, long limit);

    public void Dispose()
    {
        _room.Dispose();
        Shorts.Dispose();
        Middles.Dispose();
        Longs.Dispose();
        Room.Dispose();
        _copy?.Dispose();
    }

    /// <summary>The count of a short piece that was not remembered, which it is then.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private protected int CountMissing(Vector128<byte> key)
    {
        Vector128.Store(key, PieceRoom);
        bool part = PieceRoom[14] == PartMark;
        int count = Merger.Count(PieceRoom, PieceRoom[15] >> 4, part, Room);
        Shorts.Add(key, count);
        return count;
    }

    /// <summary>The count of a single character as a part of a piece.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private protected int CountSingle(int character, byte* at, int length)
    {
        int count = Merger.Count(at, length, true, Room);
        Singles[character] = (byte)count;
        return count;
    }

    /// <summary>The count of a piece of 16 to 62 bytes. Up to 64 bytes are read, and up to 16 after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected int CountMiddle(byte* at, int length, bool part)
    {
        LongCounts counts = length <= 30 ? Middles : Longs;
        Vector256<byte> low = LongCounts.Half(at, length, 0, LengthMasks);
        Vector256<byte> high = length <= 30 ? Vector256<byte>.Zero : LongCounts.Half(at, length, 1, LengthMasks);
        int mark = part ? length + LongCounts.Part : length;
        ulong hash = LongCounts.Hash(low, high, mark);
        int count = counts.Find(hash, low, high, mark);
        if (count == 0)
        {
            count = Merger.Count(at, length, part, Room);
            counts.Add(hash, low, high, mark, count);
            counts.Grow();
        }

        return count;
    }

    /// <summary>The count of a longer piece, which is not remembered.</summary>
    private protected int CountLarge(byte* at, int length, bool part, byte* readable) =>
        Merger.Count(WithSlack(at, length, readable), length, part, Room);

    /// <summary>Adds the ids of the tokens of a text.</summary>
    internal void Encode(ReadOnlySpan<byte> utf8, List<int> ids)
    {
        fixed (byte* text = utf8)
        {
            byte* end = text + utf8.Length;
            for (byte* at = text; at < end;)
            {
                byte* next = Scanner.Next(at, end);
                Merger.Encode(WithSlack(at, (int)(next - at), end), (int)(next - at), Room, ids);
                at = next;
            }
        }
    }

    /// <summary>A piece, or a copy of it when memory may not be read after it.</summary>
    private byte* WithSlack(byte* at, int length, byte* readable)
    {
        if (readable - at >= length + TokenIndex.Slack)
        {
            return at;
        }

        if (_copy is null || _copy.Bytes < (nuint)length + TokenIndex.Slack)
        {
            _copy?.Dispose();
            _copy = new HugeMemory((nuint)length + TokenIndex.Slack);
        }

        Buffer.MemoryCopy(at, _copy.Pointer, length, length);
        return _copy.Pointer;
    }
}

