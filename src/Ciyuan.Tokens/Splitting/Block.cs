using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// 64 bytes, looked at all at once. Results are masks, a bit for each byte, the first lowest. In two registers: those
/// of 64 bytes were measured and gave nothing.
/// </summary>
internal readonly unsafe struct Block
{
    private readonly Vector256<byte> _low;
    private readonly Vector256<byte> _high;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Block(Vector256<byte> low, Vector256<byte> high) => (_low, _high) = (low, high);

    /// <summary>The highest bit of each byte.</summary>
    internal ulong Bits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _low.ExtractMostSignificantBits() | ((ulong)_high.ExtractMostSignificantBits() << 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Block operator |(Block left, Block right) => new(left._low | right._low, left._high | right._high);

    /// <summary>
    /// The highest bit of each byte is one of its own afterwards; the lowest are what its neighbour left.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Block operator <<(Block block, int bits) =>
        new((block._low.AsUInt16() << bits).AsByte(), (block._high.AsUInt16() << bits).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Block Load(byte* at) =>
        new(Vector256.Load(at), Vector256.Load(unchecked(at + 32)));

    /// <summary>The bytes of one value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Are(byte value)
    {
        Vector256<byte> values = Vector256.Create(value);
        return new Block(Vector256.Equals(_low, values), Vector256.Equals(_high, values)).Bits;
    }

    /// <summary>The bytes from one value to another, both included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Between(byte from, byte to)
    {
        Vector256<byte> first = Vector256.Create(from);
        Vector256<byte> span = Vector256.Create((byte)(to - from));
        Vector256<byte> low = _low - first;
        Vector256<byte> high = _high - first;
        return new Block(
            Vector256.Equals(Vector256.Min(low, span), low), Vector256.Equals(Vector256.Min(high, span), high)).Bits;
    }

    /// <summary>For each byte the bits that two tables have in common, of its lower half and of its upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Block Look(Vector128<byte> low, Vector128<byte> high)
    {
        Vector256<byte> lows = Vector256.Create(low, low);
        Vector256<byte> highs = Vector256.Create(high, high);
        return new Block(Look(_low, lows, highs), Look(_high, lows, highs));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Look(Vector256<byte> bytes, Vector256<byte> low, Vector256<byte> high)
    {
        Vector256<byte> half = Vector256.Create((byte)15);
        return Look(low, bytes & half) & Look(high, (bytes.AsUInt16() >>> 4).AsByte() & half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Look(Vector256<byte> table, Vector256<byte> index) => Avx2.IsSupported
        ? Avx2.Shuffle(table, index)
        : Vector256.Create(
            Vector128.Shuffle(table.GetLower(), index.GetLower()),
            Vector128.Shuffle(table.GetLower(), index.GetUpper()));
}
