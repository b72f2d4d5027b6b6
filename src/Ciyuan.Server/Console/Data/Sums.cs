using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console.Data;

/// <summary>Figures of one or more rows of a report, by what they mean.</summary>
internal sealed class Sums
{
    private Int128 _standard;
    private Int128 _standardError;

    internal Int128 Calls { get; private set; }

    internal Int128 Failed { get; private set; }

    internal Int128 Cut { get; private set; }

    internal Int128 Input { get; private set; }

    internal Int128 Output { get; private set; }

    internal Int128 Tokens => Input + Output;

    /// <summary>Standard tokens of text and code, converted from the sums.</summary>
    internal Int128 Standard => (_standard + (StandardRatios.PerToken / 2)) / StandardRatios.PerToken;

    /// <summary>How far they may be off, to either side.</summary>
    internal Int128 StandardError => (_standardError + StandardRatios.PerToken - 1) / StandardRatios.PerToken;

    /// <summary>Income by currency, in 10⁻¹² of a unit.</summary>
    internal SortedDictionary<string, Int128> Income { get; } = new(StringComparer.Ordinal);

    /// <summary>Cost by currency.</summary>
    internal SortedDictionary<string, Int128> Cost { get; } = new(StringComparer.Ordinal);

    /// <summary>What moves between others, by currency.</summary>
    internal SortedDictionary<string, Int128> Between { get; } = new(StringComparer.Ordinal);

    /// <summary>Currencies in which something moves.</summary>
    internal IEnumerable<string> Currencies => Income.Concat(Cost).Concat(Between).Where(sum => sum.Value != 0)
        .Select(sum => sum.Key).Distinct().Order(StringComparer.Ordinal);

    /// <summary>The figures of some rows.</summary>
    internal static Sums Of(Report report, IEnumerable<ReportRow> rows)
    {
        var sums = new Sums();
        foreach (ReportRow row in rows)
        {
            sums.Add(report, row);
        }

        return sums;
    }

    /// <summary>The figures of the total.</summary>
    internal static Sums Of(Report report) => Of(report, [report.Total]);

    /// <summary>Adds a row.</summary>
    internal void Add(Report report, ReportRow row)
    {
        for (int i = 0; i < report.Columns.Count; i++)
        {
            Int128 value = row.Values[i];
            string name = report.Columns[i].Name;
            switch (name)
            {
                case "calls":
                    Calls += value;
                    break;
                case "failed":
                    Failed += value;
                    break;
                case "cut":
                    Cut += value;
                    break;
                case "tokens_input":
                    Input += value;
                    break;
                case "tokens_output":
                    Output += value;
                    break;
                case "tokens_standard":
                    _standard += value;
                    break;
                case "tokens_standard_error":
                    _standardError += value;
                    break;
                default:
                    AddMoney(name, value);
                    break;
            }
        }
    }

    /// <summary>All that moves in a currency, whichever way: what a counterparty reads.</summary>
    internal Int128 Moved(string currency) =>
        Income.GetValueOrDefault(currency) + Cost.GetValueOrDefault(currency) + Between.GetValueOrDefault(currency);

    /// <summary>Income less cost.</summary>
    internal Int128 Margin(string currency) => Income.GetValueOrDefault(currency) - Cost.GetValueOrDefault(currency);

    private void AddMoney(string name, Int128 value)
    {
        int at = name.IndexOf('_', StringComparison.Ordinal);
        SortedDictionary<string, Int128>? kind = at < 0 ? null : name[..at] switch
        {
            "income" => Income,
            "cost" => Cost,
            "between" => Between,
            _ => null,
        };
        if (kind is not null)
        {
            string currency = name[(at + 1)..];
            kind[currency] = kind.GetValueOrDefault(currency) + value;
        }
    }

    /// <summary>The currency in which most money moves; <c>CNY</c> while none does. Amounts of different currencies are
    /// compared by their figures alone, to choose what is shown first, and never added.</summary>
    internal string MainCurrency => Currencies.MaxBy(c => Int128.Abs(Income.GetValueOrDefault(c))
        + Int128.Abs(Cost.GetValueOrDefault(c)) + Int128.Abs(Between.GetValueOrDefault(c))) ?? "CNY";
}
