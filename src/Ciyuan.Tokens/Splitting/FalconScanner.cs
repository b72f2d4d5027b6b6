namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// Falcon: runs of punctuation are pieces, ASCII signs among it; what is between them is cut as GPT-2 does, which then
/// sees no apostrophe. The last rules, for digits, are left to <see cref="Merging.DigitMerger"/>: they cut inside of
/// characters.
/// </summary>
internal sealed unsafe class FalconScanner : PieceScanner
{
    private readonly nint _categories = (nint)OldCategories.Bits;

    private enum Kind
    {
        White,
        Letter,
        Number,
        Punctuation,
        Rest,
    }

    internal override byte* Next(byte* start, byte* end)
    {
        unchecked
        {
            Kind first = At(start, out int length);
            byte* after = start + length;
            if (first != Kind.White)
            {
                return Skip(first, after, end);
            }

            Kind second = after < end ? At(after, out length) : Kind.Punctuation;
            if (*start == ' ' && second is not (Kind.White or Kind.Punctuation))
            {
                return Skip(second, after + length, end);
            }

            byte* at = SkipSpace(start, end, out _, out byte* last);
            return last == start || at == end || At(at, out _) == Kind.Punctuation ? at : last;
        }
    }

    private byte* Skip(Kind kind, byte* at, byte* end)
    {
        unchecked
        {
            while (at < end && At(at, out int length) == kind)
            {
                at += length;
            }

            return at;
        }
    }

    private Kind At(byte* at, out int length)
    {
        int point = Utf8Reader.Decode(at, out length);
        return (((byte*)_categories)[point] & OldCategories.Punctuation) != 0 ? Kind.Punctuation : KindOf(point) switch
        {
            CharacterKind.Space or CharacterKind.LineEnd => Kind.White,
            CharacterKind.Upper or CharacterKind.Lower or CharacterKind.Caseless => Kind.Letter,
            CharacterKind.Number => Kind.Number,
            _ => Kind.Rest,
        };
    }
}
