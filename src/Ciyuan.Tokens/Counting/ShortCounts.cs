using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ciyuan.Tokens.Merging;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// How many tokens pieces of up to 15 bytes have: 16 bytes each, the piece and in the last byte its length (upper half)
/// and its count (lower half), in lines of four. A piece stands in the line of its hash, or in the one beside it when
/// that is full, or else replaces another. So the table may forget, and never errs: an entry has all bytes of its
/// piece. For one thread.
/// </summary>
internal sealed unsafe class ShortCounts : IDisposable
{
    internal const int MaxLength = 15;

    /// <summary>Lines at first (64 KiB), and at most (8 MiB): half a million pieces.</summary>
    private const int FirstLines = 1 << 10;
    private const int MostLines = 1 << 17;
    private HugeMemory _memory = new(FirstLines * 64);
    private int _lines = FirstLines;
    private int _entries;
    private int _victim;

    internal byte* Table => _memory.Pointer;

    /// <summary>How far a hash is shifted right to give the number of its line.</summary>
    internal int Shift => unchecked(64 - BitOperations.Log2((uint)_lines));

    internal long NativeBytes => (long)_memory.Bytes;

    public void Dispose() => _memory.Dispose();

    /// <summary>The key of a piece of up to 15 bytes. Sixteen are read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> Key(byte* at, int length, byte* keyMasks)
    {
        unchecked
        {
            byte* mask = keyMasks + ((nint)length * 32);
            return (Vector128.Load(at) & Vector128.Load(mask)) | Vector128.Load(mask + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Hash(Vector128<byte> key) =>
        SpanHash.Of(key.AsUInt64().ToScalar(), key.AsUInt64().GetElement(1));

    /// <summary>For each length a mask of its bytes, and the length as it stands in a key.</summary>
    internal static void FillKeyMasks(byte* keyMasks)
    {
        for (int length = 0; length < 16; length++)
        {
            new Span<byte>(keyMasks + (length * 32), length).Fill(255);
            keyMasks[(length * 32) + 31] = (byte)(length << 4);
        }
    }

    /// <summary>The count of a key in a line; 0 when it is not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Find(byte* line, Vector128<byte> key)
    {
        unchecked
        {
            Vector256<byte> both = Vector256.Create(key, key);
            Vector256<byte> bits = Vector256.Create(
                ulong.MaxValue, 0xF0FFFFFF_FFFFFFFF, ulong.MaxValue, 0xF0FFFFFF_FFFFFFFF).AsByte();
            Vector256<ulong> a = Vector256.Equals((Vector256.Load(line) & bits).AsUInt64(), both.AsUInt64());
            Vector256<ulong> b = Vector256.Equals((Vector256.Load(line + 32) & bits).AsUInt64(), both.AsUInt64());
            uint equal = a.ExtractMostSignificantBits() | (b.ExtractMostSignificantBits() << 4);
            equal &= (equal >> 1) & 0x55;
            return equal == 0 ? 0 : line[((nint)BitOperations.TrailingZeroCount(equal) * 8) + 15] & 15;
        }
    }

    /// <summary>The count of a key wherever it may stand; 0 when it is not there.</summary>
    internal int Find(Vector128<byte> key)
    {
        byte* line = Line(key);
        int found = Find(line, key);
        return found != 0 || line[63] == 0 ? found : Find(Beside(line), key); // a line that is not full is all
    }

    /// <summary>Remembers a piece that is not there.</summary>
    internal void Add(Vector128<byte> key, int count)
    {
        unchecked
        {
            byte* line = Line(key);
            int place = FirstFree(line);
            if (place == 4)
            {
                place = FirstFree(Beside(line));
                line = place < 4 ? Beside(line) : line;
            }

            _entries += place < 4 ? 1 : 0;
            place = place < 4 ? place : _victim++ & 3;
            Vector128.Store(key, line + (place * 16));
            line[(place * 16) + 15] |= (byte)count;
        }
    }

    /// <summary>Grows a table that is half full; to be called while nothing points into it.</summary>
    internal void Grow()
    {
        if (_entries < _lines * 2 || _lines == MostLines)
        {
            return;
        }

        HugeMemory old = _memory;
        int oldLines = _lines;
        _lines = Math.Min(_lines * 4, MostLines);
        _memory = new HugeMemory((nuint)_lines * 64);
        _entries = 0;
        for (byte* at = old.Pointer; at < old.Pointer + ((nint)oldLines * 64); at += 16)
        {
            if (at[15] != 0)
            {
                int count = at[15] & 15;
                at[15] &= 0xF0;
                Add(Vector128.Load(at), count);
            }
        }

        old.Dispose();
    }

    private static int FirstFree(byte* line)
    {
        int place = 0;
        while (place < 4 && line[(place * 16) + 15] != 0)
        {
            place++;
        }

        return place;
    }

    /// <summary>The other line of the two that begin at a multiple of 128 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Beside(byte* line) => (byte*)((nint)line ^ 64);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Line(Vector128<byte> key) => unchecked(Table + ((nint)(Hash(key) >> Shift) * 64));
}
