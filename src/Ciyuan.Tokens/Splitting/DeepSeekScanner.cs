using System.Runtime.CompilerServices;

namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// DeepSeek V3 and later: digits by threes, then runs of Chinese and kana, then a third rule inside of what those
/// leave. Each rule sees the end of a piece of the one before as the end of the text. What no rule takes is a piece as
/// well.
/// </summary>
internal sealed unsafe class DeepSeekScanner : PieceScanner
{
    internal override byte* Next(byte* start, byte* end)
    {
        int codePoint = Utf8Reader.Decode(start, out int length);
        CharacterKind kind = KindAt(start, out _);
        if (kind == CharacterKind.Number)
        {
            return Digits(start, end);
        }

        bool kana = IsChineseOrKana(codePoint);
        if (kana && kind == CharacterKind.Caseless)
        {
            return SkipChinese(start + length, end);
        }

        Segment segment = new(this, end, kana);
        if (Match(segment, start, kind, length) is var match && match != null)
        {
            return match;
        }

        byte* at = start + length;
        while (segment.Kind(at, out length) is CharacterKind next && Match(segment, at, next, length) == null)
        {
            at += length;
        }

        return at;
    }

    private static bool IsChineseOrKana(int codePoint) =>
        codePoint is (>= 0x4E00 and <= 0x9FA5) or (>= 0x3040 and <= 0x30FF);

    private static bool IsAsciiLetter(byte value) => char.IsAsciiLetter((char)value);

    private static bool IsAsciiPunctuation(byte value) =>
        value is (>= (byte)'!' and <= (byte)'/') or (>= (byte)':' and <= (byte)'@') or (>= (byte)'[' and <= (byte)'`')
            or (>= (byte)'{' and <= (byte)'~');

    private static bool IsWord(CharacterKind? kind) =>
        kind is CharacterKind.Upper or CharacterKind.Lower or CharacterKind.Caseless or CharacterKind.Mark;

    private static bool IsPunctuation(CharacterKind? kind) => kind is CharacterKind.Punctuation or CharacterKind.Symbol;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private byte* SkipChinese(byte* at, byte* end)
    {
        unchecked
        {
            while (at < end)
            {
                int codePoint = Utf8Reader.Decode(at, out int length);
                if (!IsChineseOrKana(codePoint) || !IsWord(KindOf(codePoint)))
                {
                    break;
                }

                at += length;
            }

            return at;
        }
    }

    private byte* Digits(byte* at, byte* end)
    {
        for (int count = 0; count < 3 && at < end && KindAt(at, out int length) == CharacterKind.Number; count++)
        {
            at += length;
        }

        return at;
    }

    /// <summary>The end of what the third rule matches at a place; null when it matches nothing there.</summary>
    private static byte* Match(Segment segment, byte* at, CharacterKind kind, int length)
    {
        byte* after = at + length;
        CharacterKind? next = segment.Kind(after, out int nextLength);
        if (IsAsciiPunctuation(*at) && next is not null && IsAsciiLetter(*after))
        {
            return segment.SkipAsciiLetters(after);
        }

        if (IsWord(kind))
        {
            return segment.SkipWord(after);
        }

        if (IsPunctuation(kind))
        {
            return segment.SkipPunctuation(after);
        }

        if (kind != CharacterKind.LineEnd && IsWord(next))
        {
            return segment.SkipWord(after);
        }

        if (*at == ' ' && IsPunctuation(next))
        {
            return segment.SkipPunctuation(after + nextLength);
        }

        return kind is CharacterKind.Space or CharacterKind.LineEnd ? segment.Space(at) : null;
    }

    /// <summary>A piece that the first two rules leave: it ends with the text, at a digit, or where kana begin or end.
    /// </summary>
    private readonly struct Segment(DeepSeekScanner scanner, byte* end, bool kana)
    {
        internal CharacterKind? Kind(byte* at, out int length)
        {
            length = 0;
            if (at >= end || IsChineseOrKana(Utf8Reader.Decode(at, out length)) != kana)
            {
                return null;
            }

            CharacterKind kind = scanner.KindAt(at, out length);
            return kind == CharacterKind.Number ? null : kind;
        }

        internal byte* SkipAsciiLetters(byte* at)
        {
            while (at < end && IsAsciiLetter(*at))
            {
                at++;
            }

            return at;
        }

        internal byte* SkipWord(byte* at)
        {
            while (IsWord(Kind(at, out int length)))
            {
                at += length;
            }

            return at;
        }

        internal byte* SkipPunctuation(byte* at)
        {
            while (IsPunctuation(Kind(at, out int length)))
            {
                at += length;
            }

            while (!kana && at < end && *at is (byte)'\r' or (byte)'\n')
            {
                at++;
            }

            return at;
        }

        internal byte* Space(byte* start)
        {
            byte* at = scanner.SkipSpace(start, end, out byte* afterLineEnd, out byte* last);
            bool atEnd = Kind(at, out _) is null;
            return afterLineEnd != null ? afterLineEnd : atEnd || last == start ? at : last;
        }
    }
}
