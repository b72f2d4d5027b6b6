using System.Globalization;
using System.Text;

namespace Ciyuan.Tokens.Tests.Vocabularies;

/// <summary>
/// The patterns of tokenizers, as their authors wrote them, matched over characters in the most obvious way: a small
/// backtracking matcher, slow, without any knowledge of the rules. .NET's own regular expressions can't be used, for they
/// see half a character at a time.
/// </summary>
internal sealed class ReferencePattern
{
    private readonly List<List<Item>> _alternatives;

    private ReferencePattern(List<List<Item>> alternatives) => _alternatives = alternatives;

    internal static ReferencePattern Parse(string pattern)
    {
        var parser = new Parser(pattern);
        return new ReferencePattern(parser.Alternatives(ignoresCase: false));
    }

    /// <summary>The end of the match that begins at a place, of the first alternative that matches; -1 for none.</summary>
    internal int MatchAt(int[] text, int at)
    {
        foreach (int end in _alternatives.SelectMany(items => Ends(items, 0, text, at)))
        {
            return end;
        }

        return -1;
    }

    /// <summary>Cuts text so that matches are pieces, and what lies between them too.</summary>
    internal IEnumerable<(int Start, int End)> Cut(int[] text)
    {
        int open = 0;
        for (int at = 0; at < text.Length;)
        {
            int end = MatchAt(text, at);
            if (end <= at)
            {
                at++;
                continue;
            }

            if (open < at)
            {
                yield return (open, at);
            }

            yield return (at, end);
            (at, open) = (end, end);
        }

        if (open < text.Length)
        {
            yield return (open, text.Length);
        }
    }

    private static IEnumerable<int> Ends(List<Item> items, int index, int[] text, int at)
    {
        if (index == items.Count)
        {
            yield return at;
            yield break;
        }

        foreach (int end in items[index].Ends(text, at))
        {
            foreach (int last in Ends(items, index + 1, text, end))
            {
                yield return last;
            }
        }
    }

    private abstract record Item
    {
        internal abstract IEnumerable<int> Ends(int[] text, int at);
    }

    /// <summary>A class of characters, from Min to Max times, as many as possible first.</summary>
    private sealed record Run(Func<int, bool> Has, int Min, int Max, bool GivesBack) : Item
    {
        internal override IEnumerable<int> Ends(int[] text, int at)
        {
            int most = at;
            while (most < text.Length && most - at < Max && Has(text[most]))
            {
                most++;
            }

            for (int end = most; end - at >= Min; end--)
            {
                yield return end;
                if (!GivesBack)
                {
                    yield break;
                }
            }
        }
    }

    private sealed record Group(List<List<Item>> Alternatives, bool IsOptional) : Item
    {
        internal override IEnumerable<int> Ends(int[] text, int at)
        {
            foreach (int end in Alternatives.SelectMany(items => ReferencePattern.Ends(items, 0, text, at)))
            {
                yield return end;
            }

            if (IsOptional)
            {
                yield return at;
            }
        }
    }

    private sealed record Condition(Func<int[], int, bool> Holds) : Item
    {
        internal override IEnumerable<int> Ends(int[] text, int at) => Holds(text, at) ? [at] : [];
    }

    private sealed class Parser(string pattern)
    {
        private readonly int[] _pattern = [.. pattern.EnumerateRunes().Select(rune => rune.Value)];
        private int _at;

        private bool AtEnd => _at == _pattern.Length;

        private int Peek => AtEnd ? -1 : _pattern[_at];

        internal List<List<Item>> Alternatives(bool ignoresCase)
        {
            List<List<Item>> all = [[]];
            while (!AtEnd && Peek != ')')
            {
                if (Take("|"))
                {
                    all.Add([]);
                }
                else
                {
                    all[^1].Add(ReadItem(ignoresCase));
                }
            }

            return all;
        }

        private Item ReadItem(bool ignoresCase)
        {
            if (Take("(?!"))
            {
                Func<int, bool> inner = ReadClass(ignoresCase);
                Expect(")");
                return new Condition((text, at) => at == text.Length || !inner(text[at]));
            }

            if (Take("$"))
            {
                return new Condition((text, at) => at == text.Length);
            }

            bool isFolding = Take("(?i:");
            if (isFolding || Take("(?:"))
            {
                List<List<Item>> inner = Alternatives(ignoresCase || isFolding);
                Expect(")");
                return new Group(inner, Take("?"));
            }

            Func<int, bool> has = ReadClass(ignoresCase);
            (int min, int max) = Take("?") ? (0, 1) : Take("*") ? (0, int.MaxValue) : Take("+") ? (1, int.MaxValue)
                : Take("{1,3}") ? (1, 3) : Take("{2,}") ? (2, int.MaxValue) : (1, 1);
            return new Run(has, min, max, (min, max) == (1, 1) || !Take("+"));
        }

        private Func<int, bool> ReadClass(bool ignoresCase)
        {
            if (!Take("["))
            {
                return ReadOne(ignoresCase).Has;
            }

            bool isNegated = Take("^");
            List<Func<int, bool>> any = [];
            Func<int, bool> also = _ => true;
            while (!Take("]"))
            {
                if (Take("&&"))
                {
                    also = ReadClass(ignoresCase);
                    continue;
                }

                (Func<int, bool> has, int single) = ReadOne(ignoresCase);
                if (single >= 0 && Peek == '-' && _pattern[_at + 1] != ']')
                {
                    _at++;
                    int last = ReadOne(false).Single;
                    any.Add(c => c >= single && c <= last);
                }
                else
                {
                    any.Add(has);
                }
            }

            return c => any.Exists(has => has(c)) != isNegated && also(c);
        }

        private (Func<int, bool> Has, int Single) ReadOne(bool ignoresCase)
        {
            int c = _pattern[_at++];
            if (c != '\\')
            {
                return (other => other == c || (ignoresCase && Fold(other) == Fold(c)), c);
            }

            int escape = _pattern[_at++];
            return escape switch
            {
                'r' => (other => other == '\r', '\r'),
                'n' => (other => other == '\n', '\n'),
                's' => (IsWhite, -1),
                'S' => (other => !IsWhite(other), -1),
                'p' => (ReadProperty(), -1),
                _ => (other => other == escape, escape),
            };
        }

        private Func<int, bool> ReadProperty()
        {
            Expect("{");
            int start = _at;
            _at = Array.IndexOf(_pattern, '}', start) + 1;
            string name = string.Concat(_pattern[start..(_at - 1)].Select(c => (char)c));
            return name == "Han" ? IsHan : c => Category(c).StartsWith(name, StringComparison.Ordinal);
        }

        private bool Take(string text)
        {
            bool isThere = _at + text.Length <= _pattern.Length
                && text.Select((c, i) => _pattern[_at + i] == c).All(same => same);
            _at += isThere ? text.Length : 0;
            return isThere;
        }

        private void Expect(string text) => Assert.True(Take(text), $"{text} is missing at {_at}");
    }

    private static bool IsWhite(int c) => c is (>= 9 and <= 13) or 0x20 or 0x85 or 0xA0 or 0x1680
        or (>= 0x2000 and <= 0x200A) or 0x2028 or 0x2029 or 0x202F or 0x205F or 0x3000;

    /// <summary>Simple case folding, with the two that lie outside of what lower case tells.</summary>
    private static int Fold(int c) => c switch
    {
        0x17F => 's',
        0x212A => 'k',
        _ when Rune.IsValid(c) => Rune.ToLowerInvariant(new Rune(c)).Value,
        _ => c,
    };

    /// <summary>The script Han of Unicode 16.</summary>
    private static bool IsHan(int c) => c is (>= 0x2E80 and <= 0x2E99) or (>= 0x2E9B and <= 0x2EF3)
        or (>= 0x2F00 and <= 0x2FD5) or 0x3005 or 0x3007 or (>= 0x3021 and <= 0x3029) or (>= 0x3038 and <= 0x303B)
        or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFA6D)
        or (>= 0xFA70 and <= 0xFAD9) or 0x16FE2 or 0x16FE3 or 0x16FF0 or 0x16FF1 or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B739) or (>= 0x2B740 and <= 0x2B81D) or (>= 0x2B820 and <= 0x2CEA1)
        or (>= 0x2CEB0 and <= 0x2EBE0) or (>= 0x2EBF0 and <= 0x2EE5D) or (>= 0x2F800 and <= 0x2FA1D)
        or (>= 0x30000 and <= 0x3134A) or (>= 0x31350 and <= 0x323AF);

    private static string Category(int c) => CharUnicodeInfo.GetUnicodeCategory(c) switch
    {
        UnicodeCategory.UppercaseLetter => "Lu",
        UnicodeCategory.LowercaseLetter => "Ll",
        UnicodeCategory.TitlecaseLetter => "Lt",
        UnicodeCategory.ModifierLetter => "Lm",
        UnicodeCategory.OtherLetter => "Lo",
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => "M",
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => "N",
        UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation => "P",
        UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol
            or UnicodeCategory.OtherSymbol => "S",
        _ => "C",
    };
}
