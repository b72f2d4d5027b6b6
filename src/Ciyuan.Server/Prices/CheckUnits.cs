using System.Globalization;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>
/// Prices that look as if another unit was meant: a price per token or per thousand where per million is meant, or the
/// other way round, told by the neighbours' prices in the same currency; and prices of one line that contradict one
/// another.
/// </summary>
internal static class CheckUnits
{
    /// <summary>Fewest other models of the same currency by which a price is judged.</summary>
    private const int MinNeighbours = 3;

    /// <summary>How far outside the neighbours' range a price must be to look wrong at all.</summary>
    private const decimal FarOutside = 20;

    /// <summary>What no model is known to cost less than, per million tokens in any currency. A small one among dear
    /// ones is far outside as well, and right.</summary>
    private const decimal Least = 0.004m;

    /// <summary>The same of models with output; embeddings cost less.</summary>
    private const decimal LeastWithOutput = 0.01m;

    /// <summary>What no model is known to cost more than; the dearest asked 600 dollars.</summary>
    private const decimal Most = 1_000m;

    /// <summary>The same without neighbours, and so without knowing what the currency is worth.</summary>
    private const decimal MostByItself = 10_000m;

    /// <summary>What one of a unit is known to cost at most, in any currency, with room. A character costs 0.0002 yuan,
    /// a token kept for an hour 0.000000017.</summary>
    private static readonly (string Unit, decimal Price)[] MostOfUnits =
        [("character", 0.01m), ("cache_token_hour", 0.001m), ("second", 100), ("page", 100), ("image", 1_000)];

    /// <summary>How much dearer than input output has been known to be: 60 times, for images.</summary>
    private const decimal MostTimes = 500;

    private static readonly decimal[] Factors = [1_000_000, 1_000];

    internal static void Run(List<CheckedLine> lines, List<PriceFinding> findings)
    {
        foreach (CheckedLine line in lines)
        {
            CheckLine(line, line.Row, "", line.Own, findings);
            for (int i = 0; i < line.Rules.Count; i++)
            {
                RuleSetup rule = line.Rules[i];
                CheckLine(line, line.RuleRows[i], $"rule '{rule.Name}': ",
                    meter => CheckedLine.Of(rule, meter), findings);
            }
        }

        foreach (IGrouping<string, CheckedLine> currency in lines.GroupBy(line => line.Book.Currency))
        {
            CheckCurrency(currency.First(), findings);
            foreach (string meter in (string[])[CheckedLine.Input, CheckedLine.Output])
            {
                CheckMeter([.. currency], meter, findings);
            }
        }
    }

    // Names that people use for a currency, and that no exchange rate and no agreement would have.
    private static void CheckCurrency(CheckedLine line, List<PriceFinding> findings)
    {
        if (line.Book.Currency switch { "RMB" or "CNH" or "YUAN" => "CNY", "YEN" => "JPY", "EURO" => "EUR", _ => "" }
            is { Length: > 0 } code)
        {
            Add(findings, true, line, line.Row,
                $"currency '{line.Book.Currency}' is no code of ISO 4217: write {code}");
        }
    }

    private static IEnumerable<(decimal Price, int Row)> PricesOf(CheckedLine line, string meter)
    {
        if (line.Own(meter) is { } own)
        {
            yield return (own, line.Row);
        }

        for (int i = 0; i < line.Rules.Count; i++)
        {
            if (CheckedLine.Of(line.Rules[i], meter) is { } price)
            {
                yield return (price, line.RuleRows[i]);
            }
        }
    }

    private static void CheckMeter(List<CheckedLine> lines, string meter, List<PriceFinding> findings)
    {
        (string Model, decimal Price)[] all = [.. lines.SelectMany(
            line => PricesOf(line, meter).Where(p => p.Price > 0).Select(p => (line.Price.Model, p.Price)))
            .OrderBy(p => p.Price)];
        int[] none = [];
        Dictionary<string, int[]> places = all.Select((p, i) => (p.Model, At: i)).GroupBy(p => p.Model)
            .ToDictionary(g => g.Key, g => g.Select(p => p.At).ToArray(), StringComparer.Ordinal);
        string direction = meter.Split('.')[0];
        foreach (CheckedLine line in lines)
        {
            int[] own = places.GetValueOrDefault(line.Price.Model, none);
            int models = places.Count - (own.Length > 0 ? 1 : 0);
            decimal least = PricesOf(line, CheckedLine.Output).Any(p => p.Price > 0) ? LeastWithOutput : Least;
            foreach ((decimal price, int row) in PricesOf(line, meter).Where(p => p.Price > 0))
            {
                string? problem = models >= MinNeighbours ? ByNeighbours(price, all, own, least) : ByItself(price);
                if (problem is not null)
                {
                    findings.Add(new PriceFinding(FindingKind.Unit, true, line.File, row, line.Where,
                        $"{direction} at {Plain(price)} a million tokens {problem}"));
                }
            }
        }
    }

    // The price at a place among those of other models.
    private static decimal OfOthers(int at, (string Model, decimal Price)[] all, int[] own)
    {
        foreach (int mine in own)
        {
            at += mine <= at ? 1 : 0;
        }

        return all[at].Price;
    }

    private static string? ByNeighbours(
        decimal price, (string Model, decimal Price)[] all, int[] own, decimal least)
    {
        // The outermost tenth at each end may be wrong itself.
        int others = all.Length - own.Length;
        decimal low = OfOthers(others / 10, all, own);
        decimal high = OfOthers(others - 1 - (others / 10), all, own);
        bool isLow = price < least && price * FarOutside < low;
        if (!isLow && (price <= Most || price <= high * FarOutside))
        {
            return null;
        }

        decimal factor = Array.Find(Factors, f => (isLow ? price * f : price / f) is var meant
            && meant >= low / FarOutside && meant <= high * FarOutside);
        string range = $": others cost {Plain(low)} to {Plain(high)}";
        return factor == 0 ? null : (isLow ? PerLess(factor) : TooHigh(factor)) + range;
    }

    private static string? ByItself(decimal price) =>
        price < Least
            ? $"{PerLess(price * 1_000 < LeastWithOutput ? 1_000_000 : 1_000)}: no model is known to cost so little"
        : price > MostByItself ? $"{TooHigh(1_000_000)}: no model is known to cost so much"
        : null;

    private static string PerLess(decimal factor) =>
        $"looks like a price {(factor == 1_000 ? "per thousand" : "per token")}";

    private static string TooHigh(decimal factor) =>
        $"looks {(factor == 1_000 ? "a thousand" : "a million")} times too high";

    private static void CheckLine(
        CheckedLine line, int row, string prefix, Func<string, decimal?> price, List<PriceFinding> findings)
    {
        decimal? input = price(CheckedLine.Input);
        decimal? output = price(CheckedLine.Output);
        if (input is > 0 && output is > 0)
        {
            decimal times = Math.Max(input.Value, output.Value) / Math.Min(input.Value, output.Value);
            string both = $"{prefix}input at {Plain(input.Value)} and output at {Plain(output.Value)}";
            if (times > MostTimes)
            {
                Add(findings, true, line, row, $"{both} can hardly be in the same unit");
            }
            else if (output < input)
            {
                Add(findings, false, line, row, $"{both}: output is cheaper than input");
            }
        }

        foreach ((string unit, decimal most) in MostOfUnits)
        {
            if (price(unit) is { } one && one > most)
            {
                Add(findings, true, line, row, $"{prefix}one {unit} at {Plain(one)} {TooHigh(1_000_000)}; a price of "
                    + $"a million is written {{ price: {Plain(one)}, units: 1000000 }}");
            }
        }

        CheckCache(line, row, prefix, input, price, findings);
    }

    private static void CheckCache(
        CheckedLine line, int row, string prefix, decimal? input, Func<string, decimal?> price,
        List<PriceFinding> findings)
    {
        decimal? read = price(CheckedLine.CacheRead);
        decimal? write = price(CheckedLine.CacheWrite);
        if (input is { } fresh && read > fresh)
        {
            Add(findings, true, line, row,
                $"{prefix}reading from the cache at {Plain(read.Value)} is dearer than input at {Plain(fresh)}");
        }

        if (read is { } cached && write < cached)
        {
            Add(findings, false, line, row,
                $"{prefix}writing to the cache at {Plain(write.Value)} is cheaper than reading at {Plain(cached)}");
        }
    }

    internal static string Plain(decimal value) => value.ToString("0.############", CultureInfo.InvariantCulture);

    private static void Add(List<PriceFinding> findings, bool isWrong, CheckedLine line, int row, string text) =>
        findings.Add(new PriceFinding(FindingKind.Unit, isWrong, line.File, row, line.Where, text));
}
