using System.Runtime.CompilerServices;

namespace Ciyuan.Tokens.Merging;

/// <summary>
/// Hashes of short runs of bytes; their high bits are the good ones. They place entries and never decide.
/// </summary>
internal static unsafe class SpanHash
{
    internal const ulong First = 0x9E3779B97F4A7C15;
    internal const ulong Second = 0xC2B2AE3D27D4EB4F;

    /// <summary>
    /// The bytes from <paramref name="at"/> on as a number; of more than <paramref name="length"/>, which may be 8 at
    /// most, the rest is zero. Eight bytes are read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Low(byte* at, int length) =>
        unchecked(length >= 8 ? *(ulong*)at : *(ulong*)at & ((1UL << (length * 8)) - 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Of(ulong low, ulong high) => unchecked((low * First) + (high * Second));

    /// <summary>The hash of any number of bytes.</summary>
    internal static ulong Of(byte* at, int length)
    {
        unchecked
        {
            ulong hash = (ulong)length * First;
            for (; length >= 8; length -= 8, at += 8)
            {
                hash = (hash ^ *(ulong*)at) * Second;
                hash ^= hash >> 29;
            }

            ulong rest = 0;
            for (int i = 0; i < length; i++)
            {
                rest |= (ulong)at[i] << (8 * i);
            }

            return (hash ^ rest) * First;
        }
    }
}
