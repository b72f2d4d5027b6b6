namespace Ciyuan.Tests.Tidy;

/// <summary>
/// C# with comments, texts and preprocessor lines blanked out, character for character and line for line, so that what
/// remains can be searched and its braces matched. Enough for this repository's style; not a parser.
/// </summary>
internal sealed class CSharpText
{
    private readonly string _text;
    private readonly char[] _code;
    private int _at;

    private CSharpText(string text)
    {
        _text = text;
        _code = text.ToCharArray();
    }

    /// <summary>Blanks out what is not code; the length and the line ends stay.</summary>
    internal static string CodeOnly(string text)
    {
        var source = new CSharpText(text);
        source.SkipCode(inHole: false);
        return new string(source._code);
    }

    /// <summary>Goes on to the end, or to the brace that closes the hole of an interpolated text.</summary>
    private void SkipCode(bool inHole)
    {
        int depth = 0;
        bool lineStart = true;
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (Is("//") || (c == '#' && lineStart))
            {
                BlankTo(IndexOrEnd("\n", _at));
            }
            else if (Is("/*"))
            {
                BlankTo(Math.Min(IndexOrEnd("*/", _at + 2) + 2, _text.Length));
            }
            else if (c == '\'')
            {
                SkipCharacter();
            }
            else if (c is '"' or '$' or '@' && StartsText())
            {
                SkipText();
            }
            else if (inHole && c == '}' && depth == 0)
            {
                return;
            }
            else
            {
                depth += c switch { '{' => 1, '}' => -1, _ => 0 };
                lineStart = c == '\n' || (lineStart && char.IsWhiteSpace(c));
                _at++;
                continue;
            }

            lineStart = false;
        }
    }

    private bool StartsText()
    {
        int i = _at;
        while (i < _text.Length && _text[i] is '$' or '@')
        {
            i++;
        }

        return i < _text.Length && _text[i] == '"';
    }

    private void SkipCharacter()
    {
        int end = _at + 1;
        while (end < _text.Length && _text[end] != '\'' && _text[end] != '\n')
        {
            end += _text[end] == '\\' ? 2 : 1;
        }

        BlankTo(Math.Min(end + 1, _text.Length));
    }

    private void SkipText()
    {
        int start = _at;
        int quote = _text.IndexOf('"', start);
        ReadOnlySpan<char> prefix = _text.AsSpan(start, quote - start);
        bool verbatim = prefix.Contains('@');
        bool interpolated = prefix.Contains('$');
        int quotes = 0;
        while (quote + quotes < _text.Length && _text[quote + quotes] == '"')
        {
            quotes++;
        }

        if (quotes >= 3 && !verbatim)
        {
            BlankTo(Math.Min(IndexOrEnd(new string('"', quotes), quote + quotes) + quotes, _text.Length));
            return;
        }

        BlankTo(quote + 1);
        while (_at < _text.Length && (_text[_at] != '"' || (verbatim && Is("\"\""))))
        {
            if (interpolated && _text[_at] == '{' && !Is("{{"))
            {
                BlankTo(_at + 1);
                SkipCode(inHole: true);
                BlankTo(Math.Min(_at + 1, _text.Length));
                continue;
            }

            bool pair = (!verbatim && _text[_at] == '\\') || (verbatim && Is("\"\"")) || (interpolated && Is("{{"));
            BlankTo(Math.Min(_at + (pair ? 2 : 1), _text.Length));
        }

        BlankTo(Math.Min(_at + 1, _text.Length));
    }

    private void BlankTo(int end)
    {
        for (; _at < end; _at++)
        {
            _code[_at] = _text[_at] == '\n' ? '\n' : ' ';
        }
    }

    private bool Is(string token) => string.CompareOrdinal(_text, _at, token, 0, token.Length) == 0;

    private int IndexOrEnd(string token, int from)
    {
        int index = _text.IndexOf(token, Math.Min(from, _text.Length), StringComparison.Ordinal);
        return index < 0 ? _text.Length : index;
    }
}
