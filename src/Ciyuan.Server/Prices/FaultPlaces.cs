using System.Globalization;
using System.Text.RegularExpressions;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>Where a fault stands that a setup would be refused for: its sentence begins with the calendar, the
/// exchange rates, or book, version, model and rule that it is about.</summary>
internal static partial class FaultPlaces
{
    internal static PriceFinding Find(
        string fault, IReadOnlyList<(PriceFile File, Setup Setup, YamlPlaces Places)> setups)
    {
        Match named = Named().Match(fault);
        foreach ((PriceFile file, Setup setup, YamlPlaces places) in setups)
        {
            if (named.Success && PathOf(named.Groups, setup) is { } path)
            {
                return new PriceFinding(
                    FindingKind.Fault, true, file.Name, places.Line(path), WhereOf(named.Groups), fault);
            }
        }

        return new PriceFinding(FindingKind.Fault, true, "", 0, "", fault);
    }

    private static string WhereOf(GroupCollection names)
    {
        string version = names["version"].Success ? $" version {names["version"].Value}" : "";
        string model = names["model"].Success ? $", {names["model"].Value}" : "";
        return $"{(names["kind"].Value == "book" ? "" : $"{names["kind"].Value} ")}{names["id"].Value}{version}{model}";
    }

    private static object[]? PathOf(GroupCollection names, Setup setup)
    {
        string id = names["id"].Value;
        string version = names["version"].Value;
        return names["kind"].Value switch
        {
            "calendar" => At("calendars", setup.Calendars, c => c.Id == id && Plain(c.Version) == version),
            "exchange" => At("exchange", setup.Exchange, e => e.Id == id),
            _ => At("books", setup.Books, b => b.Id == id && Plain(b.Version) == version) is [_, int at] book
                ? [.. book, .. PartOf(names, setup.Books[at])]
                : null,
        };
    }

    private static object[] PartOf(GroupCollection names, BookSetup book)
    {
        if (At("prices", book.Prices, p => p.Model == names["model"].Value) is not [_, int at] line)
        {
            return [];
        }

        PriceSetup price = book.Prices[at];
        string name = names["name"].Value;
        return [.. line, .. names["part"].Value switch
        {
            "rule" => At("rules", price.Rules, r => r.Name == name),
            "factor" => At("factors", price.Factors, f => f.Name == name),
            "curve" => At("curves", price.Curves, c => c.Name == name),
            _ => null,
        } ?? []];
    }

    private static object[]? At<T>(string list, IReadOnlyList<T>? items, Predicate<T> fits)
    {
        int at = items?.ToList().FindIndex(fits) ?? -1;
        return at < 0 ? null : [list, at];
    }

    private static string Plain(int version) => version.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("^(?<kind>book|calendar|exchange) '(?<id>[^']*)'(?: version (?<version>[0-9]+))?"
        + "(?:, model '(?<model>[^']*)')?(?:, (?<part>rule|factor|curve) '(?<name>[^']*)')?",
        RegexOptions.CultureInvariant)]
    private static partial Regex Named();
}
