using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Ciyuan.Tokens.Splitting;

/// <summary>Reads code points of UTF-8 that is known to be valid.</summary>
internal static unsafe class Utf8Reader
{
    /// <summary>The length of the character that begins with this byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Length(byte lead) => lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    /// <summary>The code point at <paramref name="at"/>, and its length in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Decode(byte* at, out int length)
    {
        int lead = at[0];
        if (lead < 0x80)
        {
            length = 1;
            return lead;
        }

        if (lead < 0xE0)
        {
            length = 2;
            return ((lead & 31) << 6) | (at[1] & 63);
        }

        if (lead < 0xF0)
        {
            length = 3;
            return ((lead & 15) << 12) | ((at[1] & 63) << 6) | (at[2] & 63);
        }

        length = 4;
        return ((lead & 7) << 18) | ((at[1] & 63) << 12) | ((at[2] & 63) << 6) | (at[3] & 63);
    }

    /// <summary>The code point of three bytes. Four are read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int DecodeThree(byte* at) => Bmi2.IsSupported
        ? (int)Bmi2.ParallelBitExtract(BinaryPrimitives.ReverseEndianness(*(uint*)at), 0x0F3F3F00)
        : ((at[0] & 15) << 12) | ((at[1] & 63) << 6) | (at[2] & 63);
}
