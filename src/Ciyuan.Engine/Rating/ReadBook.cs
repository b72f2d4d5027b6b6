using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Rating;

/// <summary>Reads one version of a price book and checks it: each fault says what is wrong, where, and what to
/// write.</summary>
internal static class ReadBook
{
    /// <summary>The version; null when there is a fault.</summary>
    internal static BookVersion? Read(
        BookSetup setup, string what, IReadOnlyDictionary<string, DayCalendar> calendars, List<string> faults)
    {
        int before = faults.Count;
        if (!Currency.TryParse(setup.Currency, out Currency currency))
        {
            faults.Add($"{what}: currency '{setup.Currency}' must be a code such as CNY");
        }

        DateTimeZone? zone = setup.Zone is null
            ? DateTimeZone.Utc
            : DateTimeZoneProviders.Tzdb.GetZoneOrNull(setup.Zone);
        if (zone is null)
        {
            faults.Add($"{what}: there is no zone '{setup.Zone}'; write an IANA name such as Asia/Shanghai");
        }

        if (setup.Calendar is { } calendar && !calendars.ContainsKey(calendar))
        {
            faults.Add($"{what}: there is no calendar '{calendar}'; add it first");
        }

        Fraction factor = ReadOn(setup, what, faults);
        Period inForce = Catalog.ReadValidity(setup.From, setup.To, what, faults);
        PriceLine[] lines = [.. setup.Prices.Select(p => ReadLine.Read(p, setup, what, faults))];
        FindDoubles(lines, what, faults);
        return faults.Count > before
            ? null
            : new BookVersion(setup, currency, inForce, new LocalClock(zone!), lines) { OnFactor = factor };
    }

    private static Fraction ReadOn(BookSetup setup, string what, List<string> faults)
    {
        Fraction factor = Fraction.One;
        if (setup.On is { } on && (!Fraction.TryParse(on.Factor, out factor) || IsTooFine(factor)))
        {
            faults.Add($"{what}: on: factor '{on.Factor}' must be a decimal of 0 or more, such as 0.85");
        }

        return factor;
    }

    /// <summary>Factors of more than 9 decimals are more likely a slip than a price.</summary>
    internal static bool IsTooFine(Fraction factor) =>
        factor.Denominator > 1_000_000_000 || factor.Numerator > 1_000_000_000_000;

    private static void FindDoubles(PriceLine[] lines, string what, List<string> faults)
    {
        var models = new HashSet<(string Name, string Provider)>();
        var aliases = new HashSet<(string Name, string Provider)>();
        foreach (PriceLine line in lines)
        {
            if (!models.Add((line.Model, line.Provider)))
            {
                faults.Add($"{what}: model '{line.Model}' is priced twice{Of(line)}");
            }

            foreach (string alias in line.Setup.Aliases ?? [])
            {
                if (!aliases.Add((alias, line.Provider)))
                {
                    faults.Add($"{what}, model '{line.Model}': alias '{alias}' is given twice{Of(line)}; which "
                        + "price it has would be an accident");
                }
            }
        }
    }

    private static string Of(PriceLine line) => line.Provider.Length == 0 ? "" : $" for provider '{line.Provider}'";
}
