namespace Ciyuan.Tokens.Splitting;

/// <summary>The rules of the GPT lineage, one character after the other.</summary>
internal sealed unsafe class LineageScanner(SplitTraits traits) : PieceScanner
{
    internal override byte* Next(byte* start, byte* end)
    {
        unchecked
        {
            byte value = ValueAt(start, out int length);
            byte* after = start + length;
            if (traits.HanApart && (value & UnicodeTable.Han) != 0)
            {
                return SkipHan(after, end);
            }

            CharacterKind kind = (CharacterKind)(value & UnicodeTable.KindBits);
            if (*start == '\'' && traits.Contractions is Contractions.Apart or Contractions.LowerCase
                && Contraction(start, end, traits.Contractions == Contractions.LowerCase) is int suffix and > 0)
            {
                return start + suffix;
            }

            if (IsLetter(kind))
            {
                return Letters(start, end);
            }

            bool mayPrefix = kind is not (CharacterKind.LineEnd or CharacterKind.Number)
                && (traits.AnyPrefix || *start == ' ');
            if (mayPrefix && after < end && StartsLetters(after))
            {
                return Letters(after, end);
            }

            return kind switch
            {
                CharacterKind.Number => Digits(start, end),
                CharacterKind.Space or CharacterKind.LineEnd => AfterSpace(start, after, end),
                _ => Punctuation(after, end),
            };
        }
    }

    /// <summary>The length of the contraction at an apostrophe; 0 when there is none.</summary>
    internal static int Contraction(byte* at, byte* end, bool lowerCase)
    {
        long left = end - at;
        if (left < 2)
        {
            return 0;
        }

        int fold = lowerCase ? 0 : 0x20;
        int first = at[1] | fold;
        if (first is 's' or 't' or 'm' or 'd')
        {
            return 2;
        }

        if (left < 3)
        {
            return 0;
        }

        // U+017F, the long s, is an s in any case.
        if (!lowerCase && at[1] == 0xC5 && at[2] == 0xBF)
        {
            return 3;
        }

        int second = at[2] | fold;
        return (first is 'r' or 'v' && second == 'e') || (first == 'l' && second == 'l') ? 3 : 0;
    }

    private bool IsLetter(CharacterKind kind) =>
        kind is CharacterKind.Upper or CharacterKind.Lower or CharacterKind.Caseless
        || (kind == CharacterKind.Mark && traits.MarksJoin);

    private bool StartsLetters(byte* at)
    {
        byte value = ValueAt(at, out _);
        return IsLetter((CharacterKind)(value & UnicodeTable.KindBits))
            && !(traits.HanApart && (value & UnicodeTable.Han) != 0);
    }

    private byte* SkipHan(byte* at, byte* end)
    {
        unchecked
        {
            while (at < end && (ValueAt(at, out int length) & UnicodeTable.Han) != 0)
            {
                at += length;
            }

            return at;
        }
    }

    private byte* Letters(byte* at, byte* end)
    {
        unchecked
        {
            if (traits.CaseRuns)
            {
                at = CaseRun(at, end);
                bool suffixed = traits.Contractions == Contractions.Suffix && at < end && *at == '\'';
                return suffixed ? at + Contraction(at, end, lowerCase: false) : at;
            }

            while (at < end && IsLetter(KindAt(at, out int length)))
            {
                at += length;
            }

            return at;
        }
    }

    /// <summary>
    /// Upper case, then lower case; what has no case is both. Letters that end before any lower case came end at the
    /// last one that can pass for lower case, or, without such a one, where they end.
    /// </summary>
    private byte* CaseRun(byte* at, byte* end)
    {
        unchecked
        {
            byte* lastCaseless = null;
            bool lower = false;
            while (at < end)
            {
                byte value = ValueAt(at, out int length);
                CharacterKind kind = (CharacterKind)(value & UnicodeTable.KindBits);
                if (!IsLetter(kind) || (traits.HanApart && (value & UnicodeTable.Han) != 0))
                {
                    break;
                }

                if (kind == CharacterKind.Upper)
                {
                    if (lower)
                    {
                        return at;
                    }
                }
                else if (kind == CharacterKind.Lower)
                {
                    lower = true;
                }
                else
                {
                    lastCaseless = at + length;
                }

                at += length;
            }

            return lower || lastCaseless == null ? at : lastCaseless;
        }
    }

    private byte* Digits(byte* at, byte* end)
    {
        unchecked
        {
            for (int count = 0; count < traits.MaxDigits && at < end; count++)
            {
                if (KindAt(at, out int length) != CharacterKind.Number)
                {
                    break;
                }

                at += length;
            }

            return at;
        }
    }

    private bool IsPunctuation(CharacterKind kind) =>
        kind is CharacterKind.Punctuation or CharacterKind.Symbol or CharacterKind.Other
        || (kind == CharacterKind.Mark && traits.MarksPunctuate);

    private byte* Punctuation(byte* at, byte* end)
    {
        unchecked
        {
            while (at < end && IsPunctuation(KindAt(at, out int length)))
            {
                at += length;
            }

            while (traits.LineEnds && at < end && (*at is (byte)'\r' or (byte)'\n' || (traits.SlashTail && *at == '/')))
            {
                at++;
            }

            return at;
        }
    }

    private byte* AfterSpace(byte* start, byte* after, byte* end)
    {
        unchecked
        {
            if (*start == ' ' && after < end)
            {
                CharacterKind kind = KindAt(after, out int length);
                if (IsPunctuation(kind))
                {
                    return Punctuation(after + length, end);
                }

                if (traits.DigitPrefix && kind == CharacterKind.Number)
                {
                    return Digits(after, end);
                }
            }

            byte* at = SkipSpace(start, end, out byte* afterLineEnd, out byte* last);
            if (at == end && traits.TrailingSpaceWhole)
            {
                return at;
            }

            if (traits.LineEnds && afterLineEnd != null)
            {
                return afterLineEnd;
            }

            bool ends = at == end || (traits.DigitsEnd && KindAt(at, out _) == CharacterKind.Number);
            return ends || last == start ? at : last;
        }
    }
}
