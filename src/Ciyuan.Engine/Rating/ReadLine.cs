using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using NodaTime.Text;

namespace Ciyuan.Rating;

/// <summary>Reads and checks one line of a price book.</summary>
internal static class ReadLine
{
    private const int MaxNames = 256;

    internal static PriceLine Read(PriceSetup setup, BookSetup book, string what, List<string> faults)
    {
        what = $"{what}, model '{setup.Model}'";
        ReadNames(setup, what, faults);
        bool hasCalendar = book.Calendar is not null;
        PriceRule[] rules = [.. (setup.Rules ?? []).Select((r, i) => new PriceRule(
            r.Name, ReadCondition.Read(r.When, hasCalendar, $"{what}, rule '{Name(r.Name, i)}'", faults),
            ReadRulePrices(r, $"{what}, rule '{Name(r.Name, i)}'", faults)))];
        PriceFactor[] factors = [.. (setup.Factors ?? []).Select((f, i) =>
            ReadFactor(f, hasCalendar, $"{what}, factor '{Name(f.Name, i)}'", faults))];
        if (rules.Length + factors.Length > PriceLine.MaxConditions)
        {
            faults.Add($"{what}: has {rules.Length + factors.Length} rules and factors, at most "
                + $"{PriceLine.MaxConditions} are taken; make it several models, or drop rules that are over");
        }

        PriceCurve[] curves = ReadCurves.Read(setup.Curves ?? [], what, faults);
        ReadCurves.CheckFactors(curves, factors, what, faults);
        return new PriceLine(setup, ReadPrices(setup.PerMillionTokens, setup.PerUnit, what, faults))
        {
            Rules = rules,
            Factors = factors,
            AsksClock = Array.Exists(rules, r => r.When.AsksClock) || Array.Exists(factors, f => f.When.AsksClock),
            AsksLengths = Array.Exists(rules, r => r.When.AsksLengths)
                || Array.Exists(factors, f => f.When.AsksLengths),
            Curves = curves,
            Minimum = ReadMinimum(setup, what, faults),
            Billable = ReadBillable(setup, what, faults),
        };
    }

    /// <summary>A price as pico for one step.</summary>
    /// <param name="text">Price of <paramref name="steps"/> steps, as it is written.</param>
    /// <param name="steps">Steps in a million tokens, in a unit, or 1 for a package.</param>
    /// <param name="what">Where it stands.</param>
    /// <param name="name">What it is the price of.</param>
    /// <param name="faults">Receives a fault.</param>
    internal static Fraction ReadPrice(string text, long steps, string what, string name, List<string> faults)
    {
        int decimals = text.IndexOf('.', StringComparison.Ordinal) is var point and >= 0
            ? text.AsSpan(point + 1).TrimEnd('0').Length
            : 0;
        if (!Fraction.TryParse(text, out Fraction price)
            || (decimals > Amount.Decimals && !text.Contains('/', StringComparison.Ordinal))
            || price.Numerator > price.Denominator * 1_000_000_000_000_000)
        {
            faults.Add($"{what}: price '{text}' of {name} must be a decimal of 0 or more with at most "
                + $"{Amount.Decimals} decimals, or the price of so many: 0.36/3600");
            return default;
        }

        Fraction pico = price * new Fraction(Amount.PicoPerUnit, steps);
        if (pico.Denominator > Rate.MaxDivisor)
        {
            faults.Add($"{what}: price '{text}' of {name} is a fraction that is too fine to be kept exactly");
            return default;
        }

        return pico;
    }

    private static void ReadNames(PriceSetup setup, string what, List<string> faults)
    {
        if (setup.Model.Length is 0 or > UsageRecord.MaxNameLength)
        {
            faults.Add($"{what}: name a model, or a pattern with *");
        }

        if (setup.Provider is { Length: > UsageRecord.MaxNameLength }
            || (setup.Aliases?.Count ?? 0) + (setup.Patterns?.Count ?? 0) > MaxNames)
        {
            faults.Add($"{what}: a provider has at most {UsageRecord.MaxNameLength} characters, a line at most "
                + $"{MaxNames} aliases and patterns");
        }

        foreach (string alias in setup.Aliases ?? [])
        {
            if (alias.Length is 0 or > UsageRecord.MaxNameLength || alias.Contains('*', StringComparison.Ordinal))
            {
                faults.Add($"{what}: alias '{alias}' must be an exact name; write patterns under 'patterns'");
            }
        }

        foreach (string pattern in setup.Patterns ?? [])
        {
            if (pattern.Length > UsageRecord.MaxNameLength || !pattern.Contains('*', StringComparison.Ordinal))
            {
                faults.Add($"{what}: pattern '{pattern}' must have a *; write exact names under 'aliases'");
            }
        }

        if (setup.Dated && setup.Model.Contains('*', StringComparison.Ordinal) && setup.Aliases is not { Count: > 0 })
        {
            faults.Add($"{what}: 'dated' is for exact names, and the line has none");
        }

        if (setup.AsOf is { } asOf && !LocalDatePattern.Iso.Parse(asOf).Success)
        {
            faults.Add($"{what}: as_of '{asOf}' must be a day such as 2026-11-01");
        }
    }

    private static string Name(string name, int place) => name.Length > 0 ? name : $"#{place + 1}";

    private static WrittenPrice[] ReadRulePrices(RuleSetup rule, string what, List<string> faults)
    {
        int before = faults.Count;
        WrittenPrice[] prices = ReadPrices(rule.PerMillionTokens, rule.PerUnit, what, faults);
        if (faults.Count == before && (prices.Length == 0 || rule.Name.Length is 0 or > 64))
        {
            faults.Add($"{what}: needs a name of 1 to 64 characters, and a price");
        }

        return prices;
    }

    private static WrittenPrice[] ReadPrices(
        IReadOnlyDictionary<string, string>? perMillionTokens, IReadOnlyDictionary<string, string>? perUnit,
        string what, List<string> faults)
    {
        var prices = new List<WrittenPrice>();
        foreach ((string name, string price) in perMillionTokens ?? new Dictionary<string, string>())
        {
            bool known = MeterPattern.TryParse(name, out MeterPattern meters) && meters.Value < 256;
            Add(prices, known, meters, price, 1_000_000, what, name, faults);
        }

        foreach ((string name, string price) in perUnit ?? new Dictionary<string, string>())
        {
            bool known = Meter.TryParse(name, out Meter meter) && !meter.IsTokens;
            long steps = known ? meter.StepsPerUnit : 1;
            Add(prices, known, new MeterPattern(meter.Value), price, steps, what, name, faults);
        }

        return [.. prices.OrderByDescending(p => p.Meters.Specificity).ThenBy(p => p.Meters.Value)];
    }

    private static void Add(
        List<WrittenPrice> prices, bool known, MeterPattern meters, string price, long steps, string what, string name,
        List<string> faults)
    {
        if (!known)
        {
            faults.Add($"{what}: {Unknown(name)}");
        }
        else if (prices.Exists(p => p.Meters == meters))
        {
            faults.Add($"{what}: {name} is priced twice");
        }
        else
        {
            prices.Add(new WrittenPrice(meters, ReadPrice(price, steps, what, name, faults)));
        }
    }

    // What was meant is often plain: a kind without its direction, or a unit among the tokens.
    private static string Unknown(string name)
    {
        if (MeterPattern.TryParse(name, out MeterPattern elsewhere))
        {
            return elsewhere.Value < 256
                ? $"'{name}' is counted in tokens; write its price under 'per_million_tokens'"
                : $"'{name}' is counted by itself and not in tokens; write its price under 'per_unit'";
        }

        string kind = name.Split('.')[^1];
        string direction = name.StartsWith("output", StringComparison.Ordinal) ? "output" : "input";
        string near = $"{direction}.text.{kind}";
        near = TokenClass.TryParse(near, out _) ? near : "input.text.cache_read";
        return $"'{name}' is no token class such as {near}, front part of one, or unit ("
            + $"{string.Join(", ", Meter.OtherUnits)}; a minute is {{ price: 0.006, units: 60 }} of second)";
    }

    private static PriceFactor ReadFactor(FactorSetup setup, bool hasCalendar, string what, List<string> faults)
    {
        if (!Fraction.TryParse(setup.Factor, out Fraction factor) || ReadBook.IsTooFine(factor)
            || setup.Name.Length is 0 or > 64)
        {
            faults.Add($"{what}: needs a name of 1 to 64 characters, and a decimal of 0 or more such as 0.5 with at "
                + $"most 9 decimals, not '{setup.Factor}'");
        }

        MeterPattern[]? meters = setup.Meters is null ? null : ReadMeters(setup.Meters, what, faults);
        return new PriceFactor(setup.Name, ReadCondition.Read(setup.When, hasCalendar, what, faults), factor, meters);
    }

    internal static MeterPattern[] ReadMeters(IReadOnlyList<string> names, string what, List<string> faults)
    {
        var meters = new List<MeterPattern>();
        foreach (string name in names)
        {
            if (!MeterPattern.TryParse(name, out MeterPattern pattern) || meters.Contains(pattern))
            {
                faults.Add($"{what}: meters has '{name}', which is no token class, front part of one, or unit, or "
                    + "stands twice");
                continue;
            }

            meters.Add(pattern);
        }

        if (names.Count == 0)
        {
            faults.Add($"{what}: meters is empty; name what it is for");
        }

        return [.. meters];
    }

    private static Fraction? ReadMinimum(PriceSetup setup, string what, List<string> faults) =>
        setup.MinimumPerCall is null ? null : ReadPrice(setup.MinimumPerCall, 1, what, "minimum_per_call", faults);

    private static BillableQuantity[] ReadBillable(PriceSetup setup, string what, List<string> faults)
    {
        var billable = new List<BillableQuantity>();
        foreach ((string name, BillableSetup quantity) in setup.Billable ?? new Dictionary<string, BillableSetup>())
        {
            bool known = Meter.TryParse(name, out Meter meter);
            int places = known && meter.StepsPerUnit > 1 ? 6 : 0;
            bool read = Amount.TryParseScaled(quantity.Step ?? "1", places, out Int128 step)
                & Amount.TryParseScaled(quantity.Minimum ?? "0", places, out Int128 least);
            if (!known || !read || step < 1 || least < 0 || step > UsageRecord.MaxSteps || least > UsageRecord.MaxSteps
                || (quantity.Step is null && quantity.Minimum is null))
            {
                faults.Add($"{what}: billable '{name}' must be a token class or unit with a step above 0 or a minimum, "
                    + $"as decimals of at most {places} places");
                continue;
            }

            // Without a step a minimum leaves larger quantities as they are, to the smallest step.
            billable.Add(new BillableQuantity(meter, quantity.Step is null ? 1 : (long)step, (long)least));
        }

        return [.. billable.OrderBy(b => b.Meter)];
    }
}
