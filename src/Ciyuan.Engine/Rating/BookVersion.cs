using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Rating;

/// <summary>The line that a model gets, and by what.</summary>
/// <param name="Line">The line.</param>
/// <param name="Kind">How its name matched.</param>
/// <param name="Name">The name or pattern that matched.</param>
public sealed record PriceMatch(PriceLine Line, NameMatch Kind, string Name);

/// <summary>A version of a price book; immutable.</summary>
public sealed class BookVersion
{
    private readonly Dictionary<string, List<PriceLine>> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<PriceLine>> _aliases = new(StringComparer.Ordinal);
    private readonly List<(ModelPattern Pattern, PriceLine Line)> _patterns = [];

    internal BookVersion(BookSetup setup, Currency currency, Period inForce, LocalClock clock, PriceLine[] lines)
    {
        Setup = setup;
        Currency = currency;
        InForce = inForce;
        Clock = clock;
        Lines = lines;
        foreach (PriceLine line in lines)
        {
            Index(line);
        }
    }

    /// <summary>As it was written.</summary>
    public BookSetup Setup { get; }

    /// <summary>Currency of all prices.</summary>
    public Currency Currency { get; }

    /// <summary>Event times at which it is in force, unless a higher version is too.</summary>
    public Period InForce { get; }

    /// <summary>Local time in its zone.</summary>
    public LocalClock Clock { get; }

    /// <summary>The lines, as they stand.</summary>
    public IReadOnlyList<PriceLine> Lines { get; }

    /// <summary>By how much the prices of the book that it is on are taken.</summary>
    internal Fraction OnFactor { get; init; } = Fraction.One;

    /// <summary>
    /// The line for a model, the first of: exact name, alias, name with a date at its end, alias with a date at its
    /// end,
    /// pattern. Within each, a line for the record's provider goes before one for any, and among patterns then the one
    /// with most literal characters, of equals the first. Null when none matches.
    /// </summary>
    public PriceMatch? Find(string model, string provider)
    {
        if ((Pick(_models, model, provider, dated: false) ?? Pick(_aliases, model, provider, dated: false))
            is { } exact)
        {
            return new PriceMatch(exact, exact.Model == model ? NameMatch.Exact : NameMatch.Alias, model);
        }

        if (WithoutDate(model) is { } name)
        {
            if (Pick(_models, name, provider, dated: true) is { } dated)
            {
                return new PriceMatch(dated, NameMatch.Dated, name);
            }

            if (Pick(_aliases, name, provider, dated: true) is { } datedAlias)
            {
                return new PriceMatch(datedAlias, NameMatch.DatedAlias, name);
            }
        }

        return FindPattern(model, provider);
    }

    /// <summary>A name without the date at its end, <c>-2025-08-07</c>, <c>-20250807</c>, <c>@20250807</c> or
    /// <c>-0807</c>; null when it has none. A name ends in at most one of them.</summary>
    internal static string? WithoutDate(string model)
    {
        int digits = 0;
        while (digits < model.Length && char.IsAsciiDigit(model[^(digits + 1)]))
        {
            digits++;
        }

        int mark = model.Length - digits - 1;
        if (mark < 1)
        {
            return null;
        }

        ReadOnlySpan<char> end = model.AsSpan(mark + 1);
        switch (digits)
        {
            case 8 when model[mark] is '-' or '@' && IsDate(end[..4], end[4..6], end[6..]):
            case 4 when model[mark] == '-' && IsDate("2024", end[..2], end[2..]): // a leap year: 0229 is a date
                return model[..mark];
            case 2 when mark >= 9 && model[mark] == '-' && model[mark - 3] == '-' && model[mark - 8] == '-'
                && IsDate(model.AsSpan(mark - 7, 4), model.AsSpan(mark - 2, 2), end):
                return model[..(mark - 8)];
            default:
                return null;
        }
    }

    private static bool IsDate(ReadOnlySpan<char> year, ReadOnlySpan<char> month, ReadOnlySpan<char> day) =>
        int.TryParse(year, NumberStyles.None, CultureInfo.InvariantCulture, out int y)
        && int.TryParse(month, NumberStyles.None, CultureInfo.InvariantCulture, out int m)
        && int.TryParse(day, NumberStyles.None, CultureInfo.InvariantCulture, out int d)
        && y is >= 2000 and <= 2099 && m is >= 1 and <= 12 && d >= 1 && d <= DateTime.DaysInMonth(y, m);

    private static PriceLine? Pick(
        Dictionary<string, List<PriceLine>> byName, string name, string provider, bool dated)
    {
        PriceLine? any = null;
        foreach (PriceLine line in byName.GetValueOrDefault(name) ?? [])
        {
            if (dated && !line.Setup.Dated)
            {
                continue;
            }

            if (line.Provider.Length > 0 && line.Provider == provider)
            {
                return line;
            }

            any ??= line.Provider.Length == 0 ? line : null;
        }

        return any;
    }

    private PriceMatch? FindPattern(string model, string provider)
    {
        PriceMatch? best = null;
        int bestRank = -1;
        foreach ((ModelPattern pattern, PriceLine line) in _patterns)
        {
            bool own = line.Provider.Length > 0;
            int rank = (own ? 1 << 16 : 0) + pattern.LiteralLength;
            if (rank > bestRank && (!own || line.Provider == provider) && pattern.Matches(model))
            {
                (best, bestRank) = (new PriceMatch(line, NameMatch.Pattern, pattern.Text), rank);
            }
        }

        return best;
    }

    private void Index(PriceLine line)
    {
        var own = new ModelPattern(line.Model);
        if (own.IsExact)
        {
            Add(_models, line.Model, line);
        }
        else
        {
            _patterns.Add((own, line));
        }

        foreach (string alias in line.Setup.Aliases ?? [])
        {
            Add(_aliases, alias, line);
        }

        foreach (string pattern in line.Setup.Patterns ?? [])
        {
            _patterns.Add((new ModelPattern(pattern), line));
        }
    }

    private static void Add(Dictionary<string, List<PriceLine>> byName, string name, PriceLine line)
    {
        if (!byName.TryGetValue(name, out List<PriceLine>? lines))
        {
            byName.Add(name, lines = []);
        }

        lines.Add(line);
    }
}
