using System.Text;

namespace Ciyuan.Server.Prices;

/// <summary>What two patterns have in common. <c>*</c> stands for any characters, none included.</summary>
internal static class NamePatterns
{
    /// <summary>Most patterns that an intersection may take; one with more is given up.</summary>
    internal const int MaxParts = 64;

    /// <summary>Patterns that together match exactly the names that both match; none when there are no such names, null
    /// when it would take too many.</summary>
    internal static IReadOnlyList<string>? Intersect(string a, string b)
    {
        var known = new Dictionary<(int, int), HashSet<string>>();
        HashSet<string> all = From(a, 0, b, 0, known);
        List<string> fewest = [.. all.Where(one => !all.Any(other => other != one && Covers(other, one)))
            .Order(StringComparer.Ordinal)];
        return fewest.Count > MaxParts ? null : fewest;
    }

    /// <summary>Whether each name that the second matches is matched by the first.</summary>
    internal static bool Covers(string wide, string narrow)
    {
        // A star of the narrow one can only be met by a star of the wide one; so it is a letter that nothing equals.
        // The last star of the wide one takes as little as it can, and more when the rest does not fit.
        (int w, int star, int taken) = (0, -1, 0);
        for (int n = 0; n < narrow.Length;)
        {
            if (w < wide.Length && wide[w] == '*')
            {
                (star, taken) = (w++, n);
            }
            else if (w < wide.Length && wide[w] == narrow[n])
            {
                (w, n) = (w + 1, n + 1);
            }
            else if (star >= 0)
            {
                (w, n) = (star + 1, ++taken);
            }
            else
            {
                return false;
            }
        }

        return wide.AsSpan(w).Trim('*').IsEmpty;
    }

    /// <summary>Characters that must be met literally.</summary>
    internal static int LiteralLength(string pattern) => pattern.Length - pattern.AsSpan().Count('*');

    /// <summary>A pattern without stars that follow one another.</summary>
    internal static string Normal(string pattern)
    {
        var text = new StringBuilder(pattern.Length);
        foreach (char c in pattern)
        {
            if (c != '*' || text.Length == 0 || text[^1] != '*')
            {
                text.Append(c);
            }
        }

        return text.ToString();
    }

    private static HashSet<string> From(string a, int i, string b, int j, Dictionary<(int, int), HashSet<string>> known)
    {
        if (known.TryGetValue((i, j), out HashSet<string>? found))
        {
            return found;
        }

        var all = new HashSet<string>(StringComparer.Ordinal);
        known.Add((i, j), all);
        bool starA = i < a.Length && a[i] == '*';
        bool starB = j < b.Length && b[j] == '*';
        if (i == a.Length && j == b.Length)
        {
            all.Add("");
        }
        else if (starA && starB)
        {
            Add(all, "*", From(a, i + 1, b, j, known));
            Add(all, "*", From(a, i, b, j + 1, known));
        }
        else if (starA || starB)
        {
            Add(all, "", starA ? From(a, i + 1, b, j, known) : From(a, i, b, j + 1, known));
            if (starA && j < b.Length)
            {
                Add(all, b[j].ToString(), From(a, i, b, j + 1, known));
            }
            else if (starB && i < a.Length)
            {
                Add(all, a[i].ToString(), From(a, i + 1, b, j, known));
            }
        }
        else if (i < a.Length && j < b.Length && a[i] == b[j])
        {
            Add(all, a[i].ToString(), From(a, i + 1, b, j + 1, known));
        }

        return all;
    }

    private static void Add(HashSet<string> all, string first, HashSet<string> rest)
    {
        foreach (string end in rest)
        {
            all.Add(first == "*" && end.StartsWith('*') ? end : first + end);
        }
    }
}
