namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// BERT: words, and each punctuation character by itself; the white space before one belongs to its piece, and makes no
/// token.
/// </summary>
internal sealed unsafe class WordScanner : PieceScanner
{
    private readonly nint _categories = (nint)OldCategories.Bits;

    internal override byte* Next(byte* start, byte* end)
    {
        unchecked
        {
            byte* at = SkipWhite(start, end);
            byte* word = at;
            while (at < end)
            {
                byte category = ((byte*)_categories)[Utf8Reader.Decode(at, out int length)];
                if ((category & OldCategories.Punctuation) != 0)
                {
                    return at == word ? at + length : at;
                }

                if ((category & OldCategories.White) != 0)
                {
                    return at;
                }

                at += length;
            }

            return end;
        }
    }

    /// <summary>Where the white space ends that begins at a place.</summary>
    internal static byte* SkipWhite(byte* at, byte* end)
    {
        byte* categories = OldCategories.Bits;
        while (at < end && (categories[Utf8Reader.Decode(at, out int length)] & OldCategories.White) != 0)
        {
            at += length;
        }

        return at;
    }
}
