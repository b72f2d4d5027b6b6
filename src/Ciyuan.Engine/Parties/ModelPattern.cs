namespace Ciyuan.Parties;

/// <summary>
/// A model name, or a pattern in which each <c>*</c> stands for any characters, none included. Case counts; everything
/// else is literal. The empty pattern matches every name.
/// </summary>
public readonly struct ModelPattern
{
    private readonly string[] _pieces; // the literal pieces between the stars

    /// <summary>Makes a pattern from its text.</summary>
    public ModelPattern(string text)
    {
        Text = text;
        _pieces = text.Split('*');
    }

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>True when the pattern matches just one name.</summary>
    public bool IsExact => _pieces.Length == 1 && Text.Length > 0;

    /// <summary>How many characters must be met literally: what makes one pattern go before another.</summary>
    public int LiteralLength => Text.Length - (_pieces.Length - 1);

    /// <summary>Whether a name matches.</summary>
    public bool Matches(string name)
    {
        if (Text.Length == 0)
        {
            return true;
        }

        string first = _pieces[0];
        string last = _pieces[^1];
        if (_pieces.Length == 1)
        {
            return name == first;
        }

        if (name.Length < first.Length + last.Length || !name.StartsWith(first, StringComparison.Ordinal)
            || !name.EndsWith(last, StringComparison.Ordinal))
        {
            return false;
        }

        // Between the ends, taking each piece at its first place leaves the most room for the next.
        int from = first.Length;
        int to = name.Length - last.Length;
        for (int i = 1; i < _pieces.Length - 1; i++)
        {
            int at = name.IndexOf(_pieces[i], from, to - from, StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            from = at + _pieces[i].Length;
        }

        return true;
    }
}
