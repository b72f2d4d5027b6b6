using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ciyuan.Server.Prices;

/// <summary>Names that a clause stands for, as a line of a book can say them.</summary>
/// <param name="Exact">Exact names.</param>
/// <param name="Patterns">Patterns with <c>*</c>.</param>
/// <param name="DatedOf">Exact names that may also have a date at their end.</param>
/// <param name="Lost">Parts that can't be said so, with the reason.</param>
internal sealed record ClauseNames(
    List<string> Exact, List<string> Patterns, List<string> DatedOf, List<string> Lost);

/// <summary>
/// A match clause of the genai-prices catalogue: equals, starts_with, ends_with, contains, regex, or, and. Case does not
/// count in them; a regular expression sees the name in small letters.
/// </summary>
internal static partial class GenaiClause
{
    private static readonly TimeSpan RegexTime = TimeSpan.FromSeconds(1);

    /// <summary>Whether a name matches, by the clause itself.</summary>
    internal static bool IsMatch(JsonElement clause, string name)
    {
        (string kind, JsonElement value) = Split(clause);
        if (kind is "or" or "and")
        {
            IEnumerable<JsonElement> parts = CatalogueJson.Array(value, $"The clause '{kind}'");
            return kind == "or" ? parts.Any(part => IsMatch(part, name)) : parts.All(part => IsMatch(part, name));
        }

        string text = Text(kind, value);
        return kind switch
        {
            "equals" => name.Equals(text, StringComparison.OrdinalIgnoreCase),
            "starts_with" => name.StartsWith(text, StringComparison.OrdinalIgnoreCase),
            "ends_with" => name.EndsWith(text, StringComparison.OrdinalIgnoreCase),
            "contains" => name.Contains(text, StringComparison.OrdinalIgnoreCase),
            _ => IsRegexMatch(text, name.ToLowerInvariant()),
        };
    }

    /// <summary>The names of a clause, in small letters and as the catalogue writes them.</summary>
    internal static ClauseNames Names(JsonElement clause)
    {
        var names = new ClauseNames([], [], [], []);
        Collect(clause, names);
        return names;
    }

    private static void Collect(JsonElement clause, ClauseNames names)
    {
        (string kind, JsonElement value) = Split(clause);
        if (kind == "or")
        {
            foreach (JsonElement part in CatalogueJson.Array(value, "The clause 'or'"))
            {
                Collect(part, names);
            }
        }
        else if (kind == "and")
        {
            CollectAnd(CatalogueJson.Array(value, "The clause 'and'"), names);
        }
        else if (kind == "regex")
        {
            CollectRegex(Text(kind, value), names);
        }
        else if (Text(kind, value) is var text && text.Contains('*', StringComparison.Ordinal))
        {
            names.Lost.Add($"{kind} '{text}': a star is no letter in a pattern");
        }
        else
        {
            foreach (string form in (string[])[text, text.ToLowerInvariant()])
            {
                string pattern = kind switch
                {
                    "starts_with" => $"{form}*",
                    "ends_with" => $"*{form}",
                    "contains" => $"*{form}*",
                    _ => form,
                };
                Add(kind == "equals" ? names.Exact : names.Patterns, NamePatterns.Normal(pattern));
            }
        }
    }

    // What all parts match: each name of one with each of the next. Small letters are enough to compare.
    private static void CollectAnd(IEnumerable<JsonElement> parts, ClauseNames names)
    {
        List<string>? all = null;
        foreach (JsonElement part in parts)
        {
            ClauseNames one = Names(part);
            names.Lost.AddRange(one.Lost.Concat(one.DatedOf.Select(name => $"a date after '{name}' within 'and'")));
            List<string> these = [.. one.Exact.Concat(one.Patterns).Select(n => n.ToLowerInvariant()).Distinct()];
            var next = new List<string>();
            foreach ((string a, string b) in (all ?? ["*"]).SelectMany(a => these.Select(b => (a, b))))
            {
                IReadOnlyList<string>? both = NamePatterns.Intersect(a, b);
                names.Lost.AddRange(both is null ? [$"'{a}' and '{b}' have too much in common"] : []);
                next.AddRange(both ?? []);
            }

            all = next;
        }

        foreach (string name in all ?? [])
        {
            Add(name.Contains('*', StringComparison.Ordinal) ? names.Patterns : names.Exact, name);
        }
    }

    // Of regular expressions only plain ones can be said: an anchor or none, letters, and digits at the end.
    private static void CollectRegex(string regex, ClauseNames names)
    {
        Match plain = PlainRegex().Match(regex);
        string letters = plain.Success ? Unescape(plain.Groups["text"].Value) : "";
        string front = plain.Groups["start"].Success ? "" : "*";
        string digits = plain.Groups["digits"].Value;
        bool ends = plain.Groups["end"].Success;
        if (!plain.Success || letters.Contains('*', StringComparison.Ordinal))
        {
            names.Lost.Add($"regex '{regex}': a pattern has nothing like it");
        }
        else if (digits == @"\d" && !ends)
        {
            for (char digit = '0'; digit <= '9'; digit++)
            {
                Add(names.Patterns, $"{front}{letters}{digit}*");
            }
        }
        else if (digits == @"\d{8}" && ends && front.Length == 0 && letters.EndsWith('-'))
        {
            Add(names.DatedOf, letters[..^1]);
        }
        else if (digits.Length == 0)
        {
            string pattern = front + letters + (ends ? "" : "*");
            Add(pattern.Contains('*', StringComparison.Ordinal) ? names.Patterns : names.Exact, pattern);
        }
        else
        {
            names.Lost.Add($"regex '{regex}': a pattern has nothing like it");
        }
    }

    private static string Unescape(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            plain.Append(text[i] == '\\' ? text[++i] : text[i]);
        }

        return plain.ToString();
    }

    private static (string Kind, JsonElement Value) Split(JsonElement clause)
    {
        JsonProperty[] fields = [.. CatalogueJson.Object(clause, "A match clause")];
        string[] known = ["equals", "starts_with", "ends_with", "contains", "regex", "or", "and"];
        return fields.Length == 1 && known.Contains(fields[0].Name)
            ? (fields[0].Name, fields[0].Value)
            : throw new PriceImportException(
                $"A match clause must be one of {string.Join(", ", known)}, not {clause.GetRawText()}");
    }

    private static string Text(string kind, JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : throw new PriceImportException($"The clause '{kind}' must be a text.");

    private static bool IsRegexMatch(string regex, string name)
    {
        try
        {
            return Regex.IsMatch(name, regex, RegexOptions.CultureInvariant, RegexTime);
        }
        catch (Exception bad) when (bad is ArgumentException or RegexMatchTimeoutException)
        {
            return false; // its names are listed as lost
        }
    }

    private static void Add(List<string> list, string name)
    {
        if (name.Length > 0 && !list.Contains(name))
        {
            list.Add(name);
        }
    }

    [GeneratedRegex(@"^(?<start>\^)?(?<text>(?:[A-Za-z0-9/_:@ -]|\\[^A-Za-z0-9])+)(?<digits>\\d(?:\{8\})?)?(?<end>\$)?$",
        RegexOptions.CultureInvariant)]
    private static partial Regex PlainRegex();
}
