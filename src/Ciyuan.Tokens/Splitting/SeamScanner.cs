using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Merging;

namespace Ciyuan.Tokens.Splitting;

/// <summary>Cuts text that no rule cuts, where no token can reach over.</summary>
internal sealed unsafe class SeamScanner(Seams seams, bool cuts) : PieceScanner
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override byte* Next(byte* start, byte* end)
    {
        if (!cuts)
        {
            return end;
        }

        int right = Utf8Reader.Decode(start, out int length);
        byte* at = start + length;
        while (at < end)
        {
            int left = right;
            right = Utf8Reader.Decode(at, out length);
            if (!seams.MayJoin(left, right, at))
            {
                return at;
            }

            at += length;
        }

        return end;
    }
}
