using System.Runtime.CompilerServices;

namespace Ciyuan.Tokens.Splitting;

/// <summary>A piece begins at each U+2581, which stands for a space.</summary>
internal sealed unsafe class WordMarkScanner : PieceScanner
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override byte* Next(byte* start, byte* end)
    {
        unchecked
        {
            byte* at = start + Utf8Reader.Length(*start);
            while (end - at >= 3)
            {
                if (at[0] == 0xE2 && at[1] == 0x96 && at[2] == 0x81)
                {
                    return at;
                }

                at += Utf8Reader.Length(*at);
            }

            return end;
        }
    }
}
