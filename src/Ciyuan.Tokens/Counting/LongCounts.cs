using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ciyuan.Tokens.Merging;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// As <see cref="ShortCounts"/> for pieces of 16 to 62 bytes: up to 30 bytes in entries of 32, then of 64; behind the
/// piece its count and its length. Two neighbours stand together. For one thread.
/// </summary>
internal sealed unsafe class LongCounts : IDisposable
{
    internal const int MaxLength = 62;

    /// <summary>
    /// Added to the length of a part of a piece: it may have another count than a piece of the same bytes.
    /// </summary>
    internal const int Part = 64;
    private const int FirstPairs = 1 << 10;
    private const int MostPairs = 1 << 16;
    private readonly int _size;
    private HugeMemory _memory;
    private int _pairs = FirstPairs;
    private int _entries;
    private int _victim;

    /// <param name="size">Bytes of an entry: 32 or 64.</param>
    internal LongCounts(int size)
    {
        _size = size;
        _memory = new HugeMemory((nuint)(FirstPairs * 2 * size));
    }

    internal long NativeBytes => (long)_memory.Bytes;

    public void Dispose() => _memory.Dispose();

    /// <summary>Masks for each length up to 64: the first so many bytes of 64.</summary>
    internal static void FillMasks(byte* masks)
    {
        new Span<byte>(masks, 64).Fill(255); // and zeros after them: a mask begins (64 − length) bytes in
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<byte> Half(byte* at, int length, int half, byte* masks) => unchecked(
        Vector256.Load(at + (half * 32)) & Vector256.Load(masks + 64 - length + (half * 32)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Hash(Vector256<byte> low, Vector256<byte> high, int length)
    {
        Vector256<ulong> a = low.AsUInt64();
        Vector256<ulong> b = high.AsUInt64();
        unchecked
        {
            ulong first = SpanHash.Of(a.GetElement(0), a.GetElement(1)) ^ BitOperations.RotateLeft(
                SpanHash.Of(a.GetElement(2), a.GetElement(3)), 23);
            ulong second = SpanHash.Of(b.GetElement(0), b.GetElement(1)) ^ BitOperations.RotateLeft(
                SpanHash.Of(b.GetElement(2), b.GetElement(3)), 23);
            return SpanHash.Of(first + (ulong)length, second);
        }
    }

    /// <summary>The two entries where a piece can stand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* Pair(ulong hash) => unchecked(
        _memory.Pointer + ((nint)(hash >> (64 - BitOperations.Log2((uint)_pairs))) * 2 * _size));

    /// <summary>The count of a piece; 0 when it is not there.</summary>
    internal int Find(ulong hash, Vector256<byte> low, Vector256<byte> high, int length)
    {
        unchecked
        {
            byte* pair = Pair(hash);
            for (byte* entry = pair; entry <= pair + _size; entry += _size)
            {
                if (entry[_size - 1] == length && Same(entry, low, high))
                {
                    return entry[_size - 2];
                }
            }

            return 0;
        }
    }

    /// <summary>Remembers a piece that is not there.</summary>
    internal void Add(ulong hash, Vector256<byte> low, Vector256<byte> high, int length, int count)
    {
        unchecked
        {
            byte* pair = Pair(hash);
            int place = pair[_size - 1] == 0 ? 0 : pair[(_size * 2) - 1] == 0 ? 1 : 2;
            _entries += place < 2 ? 1 : 0;
            place = place < 2 ? place : _victim++ & 1;
            byte* entry = pair + (place * _size);
            Vector256.Store(low, entry);
            if (_size == 64)
            {
                Vector256.Store(high, entry + 32);
            }

            entry[_size - 2] = (byte)count;
            entry[_size - 1] = (byte)length;
        }
    }

    /// <summary>Grows a table that is half full; to be called while nothing points into it.</summary>
    internal void Grow()
    {
        if (_entries < _pairs || _pairs == MostPairs)
        {
            return;
        }

        HugeMemory old = _memory;
        int oldPairs = _pairs;
        _pairs = Math.Min(_pairs * 4, MostPairs);
        _memory = new HugeMemory((nuint)_pairs * 2 * (nuint)_size);
        _entries = 0;
        for (byte* at = old.Pointer; at < old.Pointer + ((nint)oldPairs * 2 * _size); at += _size)
        {
            int length = at[_size - 1];
            if (length != 0)
            {
                int count = at[_size - 2];
                at[_size - 1] = at[_size - 2] = 0;
                Vector256<byte> low = Vector256.Load(at);
                Vector256<byte> high = _size == 64 ? Vector256.Load(at + 32) : Vector256<byte>.Zero;
                Add(Hash(low, high, length), low, high, length, count);
            }
        }

        old.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Same(byte* entry, Vector256<byte> low, Vector256<byte> high)
    {
        Vector256<byte> bits = Vector256.Create(
            ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x0000FFFF_FFFFFFFF).AsByte();
        if (_size == 32)
        {
            return (Vector256.Load(entry) & bits) == low;
        }

        return Vector256.Load(entry) == low && (Vector256.Load(entry + 32) & bits) == high;
    }
}
