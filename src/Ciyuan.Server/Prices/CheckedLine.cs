using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Server.Prices;

/// <summary>A line of a book under check, with where it stands.</summary>
/// <param name="File">The file.</param>
/// <param name="Book">Its book version.</param>
/// <param name="Price">The line.</param>
/// <param name="Row">Its line in the file.</param>
/// <param name="RuleRows">The lines of its rules.</param>
internal sealed record CheckedLine(string File, BookSetup Book, PriceSetup Price, int Row, int[] RuleRows)
{
    /// <summary>The classes by which lines are compared.</summary>
    internal const string Input = "input.text.fresh";

    internal const string Output = "output.text.fresh";

    internal const string CacheRead = "input.text.cache_read";

    internal const string CacheWrite = "input.text.cache_write";

    internal IReadOnlyList<RuleSetup> Rules => Price.Rules ?? [];

    internal string Where => string.Create(CultureInfo.InvariantCulture, $"{Book.Id} version {Book.Version}, {Name}");

    internal string Name => Price.Provider is null ? Price.Model : $"{Price.Provider}/{Price.Model}";

    /// <summary>All that the line or a rule prices, each as one meter: a front part of a name as its plainest
    /// class.</summary>
    internal IEnumerable<string> Meters => Rules
        .SelectMany(rule => Keys(rule.PerMillionTokens, rule.PerUnit))
        .Concat(Keys(Price.PerMillionTokens, Price.PerUnit))
        .Concat((Price.Curves ?? []).SelectMany(curve => curve.Meters.Select(Plainest)))
        .Distinct(StringComparer.Ordinal);

    internal bool HasCurve(string meter) =>
        (Price.Curves ?? []).Any(curve => curve.Meters.Any(pattern => Covers(pattern, meter)));

    /// <summary>The line's own price of a meter, rules aside; null without one.</summary>
    internal decimal? Own(string meter) => Find(Price.PerMillionTokens, Price.PerUnit, meter);

    /// <summary>A rule's price of a meter.</summary>
    internal static decimal? Of(RuleSetup rule, string meter) => Find(rule.PerMillionTokens, rule.PerUnit, meter);

    /// <summary>Whether a meter has a price, by the line itself, a curve or a rule.</summary>
    internal bool Prices(string meter) =>
        Own(meter) is not null || HasCurve(meter) || Rules.Any(rule => Of(rule, meter) is not null);

    /// <summary>Whether the line or a rule names this very class or unit.</summary>
    internal bool Names(string meter) => Names(Price.PerMillionTokens, Price.PerUnit, meter)
        || Rules.Any(rule => Names(rule.PerMillionTokens, rule.PerUnit, meter));

    /// <summary>Whether a class or front part of a name covers a meter.</summary>
    internal static bool Covers(string pattern, string meter) => pattern == meter
        || (pattern.Length > 0 && pattern[0] == meter[0] // most are told apart by that, and quickly
            && MeterPattern.TryParse(pattern, out MeterPattern of) && Meter.TryParse(meter, out Meter one)
            && of.Matches(one));

    // One class, or one kind of all modalities.
    private static bool Names(
        IReadOnlyDictionary<string, string>? tokens, IReadOnlyDictionary<string, string>? units, string meter) =>
        (tokens?.ContainsKey(meter) ?? false) || (units?.ContainsKey(meter) ?? false)
        || (meter.Split('.') is [var direction, _, var kind]
            && (tokens?.ContainsKey($"{direction}.*.{kind}") ?? false));

    /// <summary>A price as a decimal, a fraction rounded; null when it is none.</summary>
    internal static decimal? Value(string price)
    {
        int slash = price.IndexOf('/', StringComparison.Ordinal);
        string over = slash < 0 ? "1" : price[(slash + 1)..];
        return ExactNumber.TryParse(slash < 0 ? price : price[..slash], out ExactNumber number)
            && decimal.TryParse(number.Rounded(18).ToString(), NumberStyles.Number, CultureInfo.InvariantCulture,
                out decimal value)
            && long.TryParse(over, NumberStyles.None, CultureInfo.InvariantCulture, out long units) && units > 0
                ? value / units
                : null;
    }

    private static decimal? Find(
        IReadOnlyDictionary<string, string>? tokens, IReadOnlyDictionary<string, string>? units, string meter)
    {
        string? best = null;
        foreach (string pattern in (tokens?.Keys ?? []).Concat(units?.Keys ?? []))
        {
            best = Covers(pattern, meter) && (best is null || pattern.Length > best.Length) ? pattern : best;
        }

        string? price = null;
        return best is null ? null
            : (tokens?.TryGetValue(best, out price) ?? false) || (units?.TryGetValue(best, out price) ?? false)
                ? Value(price!)
                : null;
    }

    private static IEnumerable<string> Keys(
        IReadOnlyDictionary<string, string>? tokens, IReadOnlyDictionary<string, string>? units) =>
        (tokens?.Keys ?? []).Concat(units?.Keys ?? []).Select(Plainest);

    private static string Plainest(string pattern) => pattern.Split('.') switch
    {
        ["input" or "output"] => $"{pattern}.text.fresh",
        ["input" or "output", _] => $"{pattern}.fresh",
        ["input" or "output", "*", var kind] => $"{pattern.Split('.')[0]}.text.{kind}",
        _ => pattern,
    };
}
