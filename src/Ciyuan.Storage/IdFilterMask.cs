using System.Runtime.Intrinsics;

namespace Ciyuan.Storage;

/// <summary>
/// The filter bits of an id, as a block in which only they are set: made once for a lookup, and held against a block of
/// each file in two comparisons without branches, so that the cache misses of all files overlap.
/// </summary>
internal readonly unsafe struct IdFilterMask
{
    private readonly Vector256<byte> _first;
    private readonly Vector256<byte> _second;

    internal IdFilterMask(ulong low)
    {
        ulong* words = stackalloc ulong[IdRunFormat.BlockLength / sizeof(ulong)];
        new Span<ulong>(words, IdRunFormat.BlockLength / sizeof(ulong)).Clear();
        for (int i = 0; i < IdRunFormat.FilterBitsPerId; i++)
        {
            int bit = IdRunFormat.FilterBit(low, i) + (8 * sizeof(uint)); // after the number of entries
            words[bit >> 6] |= 1UL << (bit & 63);
        }

        _first = Vector256.Load((byte*)words);
        _second = Vector256.Load((byte*)words + Vector256<byte>.Count);
    }

    /// <summary>True when all bits are set in a block: the id may be in the file.</summary>
    internal bool IsIn(byte* block)
    {
        Vector256<byte> missing = Vector256.AndNot(_first, Vector256.Load(block))
            | Vector256.AndNot(_second, Vector256.Load(block + Vector256<byte>.Count));
        return missing == Vector256<byte>.Zero;
    }
}
