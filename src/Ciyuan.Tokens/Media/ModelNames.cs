namespace Ciyuan.Tokens.Media;

/// <summary>
/// Compares model names with patterns. A model is told by its last part: <c>vendor/model</c> is model.
/// </summary>
internal static class ModelNames
{
    /// <summary>
    /// The name without what routers and clouds put before it: everything up to the last slash, and up to and including
    /// a dot-ended vendor mark such as <c>anthropic.</c>; in lower case.
    /// </summary>
    public static string Bare(string model, IReadOnlyList<string> marks)
    {
        string name = model[(model.LastIndexOf('/') + 1)..].ToLowerInvariant();
        foreach (string mark in marks)
        {
            int at = name.IndexOf(mark, StringComparison.Ordinal);
            if (at >= 0)
            {
                return name[(at + mark.Length)..];
            }
        }

        return name;
    }

    /// <summary>How many letters of the pattern are literal when it matches; -1 when it does not.</summary>
    public static int Weight(string pattern, string name)
    {
        string[] pieces = pattern.Split('*');
        int literal = pattern.Length - (pieces.Length - 1);
        if (pieces.Length == 1)
        {
            return pattern == name ? literal + 1 : -1; // an exact name goes before a pattern of the same letters
        }

        string first = pieces[0];
        string last = pieces[^1];
        if (name.Length < first.Length + last.Length || !name.StartsWith(first, StringComparison.Ordinal)
            || !name.EndsWith(last, StringComparison.Ordinal))
        {
            return -1;
        }

        int from = first.Length;
        int to = name.Length - last.Length;
        foreach (string piece in pieces.AsSpan(1, pieces.Length - 2))
        {
            int at = name.IndexOf(piece, from, to - from, StringComparison.Ordinal);
            if (at < 0)
            {
                return -1;
            }

            from = at + piece.Length;
        }

        return literal;
    }
}
