using System.Text;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// DeepSeek LLM, V2 and Coder V1: line ends one by one; words, with one white space before them; signs, likewise; in
/// DeepSeek LLM white space at an end; runs of the scripts from U+0800 on; digits one by one. Each rule cuts the pieces
/// that the ones before have left, words and signs included, and sees nothing beyond them.
/// </summary>
internal sealed unsafe class FirstDeepSeekScanner : PieceScanner
{
    /// <summary>What DeepSeek LLM takes for letters.</summary>
    internal const string LlmLetters =
        "A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF"
        + "\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5"
        + "\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA"
        + "\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45"
        + "\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE"
        + "\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102"
        + "\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139"
        + "\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3"
        + "\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06"
        + "\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3"
        + "\U000104D8-\U000104FB\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF"
        + "\U0001E900-\U0001E943";

    /// <summary>What DeepSeek LLM takes for signs: letters of ASCII and full width too.</summary>
    internal const string LlmSigns = "!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002";

    /// <summary>The scripts whose runs are cut out.</summary>
    internal const string Scripts = "\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF";

    private const byte Letter = 1;
    private const byte Sign = 2;
    private const byte Script = 4;
    private const byte White = 8;
    private const byte LineEnd = 16;
    private const byte Number = 32;

    /// <summary>The classes of each code point. Pinned: read by address.</summary>
    private readonly byte[] _classes = GC.AllocateArray<byte>(0x110000, pinned: true);
    private readonly byte* _classAt;
    private readonly bool _endsWhite;

    internal FirstDeepSeekScanner(SplitRule rule)
    {
        _endsWhite = rule == SplitRule.DeepSeekLlm;
        fixed (byte* first = _classes)
        {
            _classAt = first;
        }

        for (int codePoint = 0; codePoint < _classes.Length; codePoint++)
        {
            _classes[codePoint] = KindOf(codePoint) switch
            {
                CharacterKind.LineEnd => LineEnd,
                CharacterKind.Space => White,
                CharacterKind.Number => Number,
                CharacterKind.Upper or CharacterKind.Lower or CharacterKind.Caseless when !_endsWhite => Letter,
                CharacterKind.Punctuation when !_endsWhite => Sign,
                _ => 0,
            };
        }

        Add(Scripts, Script);
        Add(_endsWhite ? LlmLetters : "", Letter);
        Add(_endsWhite ? LlmSigns : "", Sign);
    }

    internal override byte* Next(byte* start, byte* end)
    {
        byte first = ClassAt(start, end, out int length);
        byte* at = start + length;
        if ((first & (LineEnd | Number)) != 0)
        {
            return at;
        }

        bool isWhite = (first & White) != 0;
        int kinds = first | (isWhite ? ClassAt(at, end, out _) : 0);
        bool word = (kinds & Letter) != 0;
        Piece piece = new(this, end, word, (first & Sign) != 0 || ((kinds & Sign) != 0 && IsInside(at, end, word)));
        byte* middle = at; // white space up to here is not the end of what the first rules left
        for (byte value; piece.Has(at, out value, out length); at += length)
        {
            if (((value ^ first) & Script) != 0 || (value & Number) != 0)
            {
                break;
            }

            isWhite &= (value & White) != 0; // whether all so far is: that is one piece, at an end or not
            if (_endsWhite && !isWhite && (value & White) != 0 && at >= middle)
            {
                for (middle = at; piece.Has(middle, out value, out length) && (value & White) != 0;)
                {
                    middle += length;
                }

                if (!piece.Has(middle, out _, out _))
                {
                    break;
                }

                ClassAt(at, end, out length);
            }
        }

        return at;
    }

    private byte ClassAt(byte* at, byte* end, out int length)
    {
        length = 0;
        return at < end ? _classAt[Utf8Reader.Decode(at, out length)] : LineEnd;
    }

    /// <summary>Whether a place still belongs to what the first two rules have cut.</summary>
    private bool IsInside(byte* at, byte* end, bool word)
    {
        byte value = ClassAt(at, end, out int length);
        return word ? (value & Letter) != 0 : (value & (LineEnd | Letter)) == 0
            && ((value & White) == 0 || (ClassAt(at + length, end, out _) & Letter) == 0);
    }

    /// <summary>Gives a class to characters written as in a pattern: single ones, and first-last.</summary>
    private void Add(string characters, byte value)
    {
        int first = 0;
        bool isLast = false;
        foreach (Rune rune in characters.EnumerateRunes())
        {
            if (rune.Value == '-' && first > 0)
            {
                isLast = true;
                continue;
            }

            for (int codePoint = isLast ? first + 1 : rune.Value; codePoint <= rune.Value; codePoint++)
            {
                _classes[codePoint] |= value;
            }

            (first, isLast) = (isLast ? 0 : rune.Value, false);
        }
    }

    /// <summary>What the first three rules leave.</summary>
    private readonly struct Piece(FirstDeepSeekScanner scanner, byte* end, bool word, bool sign)
    {
        internal bool Has(byte* at, out byte value, out int length)
        {
            value = scanner.ClassAt(at, end, out length);
            return scanner.IsInside(at, end, word)
                && (sign ? (value & Sign) != 0 : (value & Sign) == 0 && !IsBeforeSign(at + length, value));
        }

        private bool IsBeforeSign(byte* next, byte value) => (value & White) != 0
            && (scanner.ClassAt(next, end, out _) & Sign) != 0 && scanner.IsInside(next, end, word);
    }
}
