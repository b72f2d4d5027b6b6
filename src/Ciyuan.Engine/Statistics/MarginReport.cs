using System.Globalization;
using Ciyuan.Quantities;

namespace Ciyuan.Statistics;

/// <summary>Revenue and cost of one group, in one currency.</summary>
/// <param name="Key">The group: time where time is cut, then the dimensions.</param>
/// <param name="Currency">The currency.</param>
/// <param name="Revenue">What consumers are charged.</param>
/// <param name="Cost">What providers, sites and data suppliers are owed.</param>
/// <param name="Tokens">Tokens of the group, of all directions; the same in each currency.</param>
public sealed record MarginRow(
    IReadOnlyList<string> Key, Currency Currency, Amount Revenue, Amount Cost, Int128 Tokens)
{
    /// <summary>Revenue less cost, exactly.</summary>
    public Amount Margin => Revenue - Cost;

    /// <summary>Margin in percent of the revenue, with one decimal, half to even; null without revenue.</summary>
    public string? Percent
    {
        get
        {
            if (Revenue.IsZero)
            {
                return null;
            }

            Amount tenths = Rounding.Proportion(Amount.FromUnits(1_000), Margin.Pico, Revenue.Pico);
            Int128 whole = Rounding.Divide(tenths.Pico, Amount.PicoPerUnit);
            string sign = Int128.IsNegative(whole) ? "-" : "";
            Int128 size = Int128.Abs(whole);
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{size / 10}.{size % 10}");
        }
    }
}

/// <summary>What was earned, by group and currency. Nothing is converted: what is sold in one currency and bought in
/// another stands in two rows.</summary>
public sealed record MarginReport
{
    /// <summary>The report that it is made of.</summary>
    public required Report Source { get; init; }

    /// <summary>The rows: in the order of the groups, then by currency.</summary>
    public required IReadOnlyList<MarginRow> Rows { get; init; }

    /// <summary>The whole, by currency: what the ledger has.</summary>
    public required IReadOnlyList<MarginRow> Totals { get; init; }

    /// <summary>Makes it of a report.</summary>
    public static MarginReport Of(Report report)
    {
        Currency[] currencies = [.. report.Columns.Select(c => c.Name)
            .Where(n => n.StartsWith("income_", StringComparison.Ordinal)
                || n.StartsWith("cost_", StringComparison.Ordinal))
            .Select(n => Currency.Parse(n.AsSpan(n.IndexOf('_', StringComparison.Ordinal) + 1))).Distinct().Order()];
        IEnumerable<MarginRow> RowsOf(ReportRow row) => currencies
            .Select(currency => new MarginRow(
                row.Key, currency, new Amount(report.Value(row, $"income_{currency}")),
                new Amount(report.Value(row, $"cost_{currency}")),
                report.Value(row, "tokens_input") + report.Value(row, "tokens_output")))
            .Where(r => !r.Revenue.IsZero || !r.Cost.IsZero);
        return new MarginReport
        {
            Source = report,
            Rows = [.. report.Rows.SelectMany(RowsOf)],
            Totals = [.. RowsOf(report.Total)],
        };
    }
}
