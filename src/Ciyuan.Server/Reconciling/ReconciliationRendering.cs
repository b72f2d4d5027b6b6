using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Reconciling;
using Ciyuan.Server.Render;

namespace Ciyuan.Server.Reconciling;

/// <summary>Writes the result of a reconciliation: for people the sums by class, as CSV the differences, as JSON
/// both.</summary>
public static class ReconciliationRendering
{
    /// <summary>A comparison in each format.</summary>
    /// <param name="c">The comparison.</param>
    /// <param name="bill">The bill.</param>
    /// <param name="currency">Currency of all amounts.</param>
    /// <param name="language">Of the sentences.</param>
    /// <param name="lists">True for the differences themselves, false for their sums.</param>
    public static Rendering Render(BillComparison c, Bill bill, string currency, ReportLanguage language, bool lists) =>
        new(() => lists ? List(c, bill, currency, language) : Sums(c, bill, currency, language),
            json => WriteJson(json, c, bill, currency, language));

    /// <summary>What people have signed.</summary>
    public static Rendering Results(IReadOnlyCollection<SignedReconciliation> results) => new(
        () =>
        {
            var table = new Table([
                new("id"), new("agreement"), new("from"), new("to"), new("here", IsNumber: true),
                new("there", IsNumber: true), new("currency"), new("decision"), new("signed_by"), new("complete"),
            ]);
            foreach (SignedReconciliation s in results)
            {
                ReconciliationSetup e = s.Entry;
                table.Add(e.Id, e.Agreement, e.From, e.To, e.Here, e.There, e.Currency, e.Decision,
                    string.Join(", ", s.By), s.IsComplete ? "true" : "false");
            }

            return table;
        },
        json => WriteResults(json, results));

    private static void WriteResults(Utf8JsonWriter json, IReadOnlyCollection<SignedReconciliation> results)
    {
        json.WriteStartArray();
        foreach (SignedReconciliation s in results)
        {
            WriteResult(json, s);
        }

        json.WriteEndArray();
    }

    private static void WriteResult(Utf8JsonWriter json, SignedReconciliation s)
    {
        ReconciliationSetup e = s.Entry;
        json.WriteStartObject();
        json.WriteString("id", e.Id);
        json.WriteString("agreement", e.Agreement);
        json.WriteString("from", e.From);
        json.WriteString("to", e.To);
        json.WriteString("bill_sha256", e.Bill);
        json.WriteString("differences_sha256", e.Result);
        json.WriteString("currency", e.Currency);
        json.WriteString("amount_here", e.Here);
        json.WriteString("amount_there", e.There);
        json.WriteString("decision", e.Decision);
        json.WriteStartArray("sums");
        foreach (VarianceSetup variance in e.Differences)
        {
            json.WriteStartObject();
            json.WriteString("class", variance.Class);
            json.WriteString("difference", variance.Amount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("signed_by");
        foreach (string by in s.By)
        {
            json.WriteStringValue(by);
        }

        json.WriteEndArray();
        json.WriteBoolean("complete", s.IsComplete);
        json.WriteEndObject();
    }

    private static Table Sums(BillComparison c, Bill bill, string currency, ReportLanguage language)
    {
        bool zh = language == ReportLanguage.Zh;
        var table = new Table([
            new(zh ? "差异类别" : "class"), new(zh ? "笔数" : "count", IsNumber: true),
            new(zh ? "差额" : "difference", IsNumber: true), new(zh ? "说明" : "meaning"),
        ])
        {
            Scope = ReconciliationWords.Scope(c, bill.Name, currency, language),
            Notes = [.. c.Differences.Kept.Take(10).Select(d => $"{d.Id}{Day(d)} {d.Model} {d.Of} "
                + $"{d.Delta} {currency}  {d.Explain(currency, language)}")],
            Total = [zh ? "合计" : "total", Text(c.Differences.Count), c.Differences.Delta.ToString(), ""],
        };
        foreach (DifferenceSum sum in c.Differences.Sums)
        {
            table.Add(sum.Class.Title(language), Text(sum.Count), sum.Delta.ToString(), sum.Class.Explain(language));
        }

        return table;
    }

    private static Table List(BillComparison c, Bill bill, string currency, ReportLanguage language)
    {
        var table = new Table([
            new("class"), new("id"), new("time"), new("model"), new("meter"), new("quantity_here", IsNumber: true),
            new("quantity_there", IsNumber: true), new("amount_here", IsNumber: true),
            new("amount_there", IsNumber: true), new("difference", IsNumber: true), new("explanation"),
        ])
        {
            Scope = ReconciliationWords.Scope(c, bill.Name, currency, language),
            Notes = c.Differences.Count > c.Differences.Kept.Count
                ? [$"Listed are the first {c.Differences.Kept.Count} of {c.Differences.Count}"] : [],
        };
        foreach (Difference d in c.Differences.Kept)
        {
            table.Add(d.Class.Name(), d.Id, d.Time?.ToString() ?? "", d.Model, d.Of.ToString(),
                Steps(d.Here), Steps(d.There), d.Here?.Amount?.ToString() ?? "", d.There?.Amount?.ToString() ?? "",
                d.Delta.ToString(), d.Explain(currency, language));
        }

        return table;
    }

    private static void WriteSums(Utf8JsonWriter json, BillComparison c, ReportLanguage language)
    {
        json.WriteStartArray("sums");
        foreach (DifferenceSum sum in c.Differences.Sums)
        {
            json.WriteStartObject();
            json.WriteString("class", sum.Class.Name());
            json.WriteNumber("count", sum.Count);
            json.WriteString("difference", sum.Delta.ToString());
            json.WriteString("meaning", sum.Class.Explain(language));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteJson(
        Utf8JsonWriter json, BillComparison c, Bill bill, string currency, ReportLanguage language)
    {
        json.WriteStartObject();
        json.WriteString("agreement", c.Question.Agreement);
        json.WriteString("from", c.Question.Period.Start.ToString());
        json.WriteString("to", c.Question.Period.End.ToString());
        json.WriteString("zone", c.Question.Zone.Id);
        json.WriteString("bill", bill.Name);
        json.WriteString("bill_sha256", bill.Sha256);
        json.WriteString("matched_by", c.IsById ? "id" : "day");
        json.WriteString("tolerance_per_line", c.Question.Tolerance.PerLine.ToString());
        json.WriteNumber("matched", c.Matched);
        json.WriteNumber("lines", c.LinesThere);
        json.WriteNumber("shift_minutes", c.ShiftMinutes);
        json.WriteString("currency", currency);
        json.WriteString("amount_here", c.AmountHere.ToString());
        json.WriteString("amount_there", c.AmountThere.ToString());
        json.WriteString("difference", c.Differences.Delta.ToString());
        json.WriteString("differences_sha256", c.Differences.Hash);
        WriteSums(json, c, language);
        json.WriteStartArray("differences");
        foreach (Difference d in c.Differences.Kept)
        {
            WriteDifference(json, d, currency, language);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDifference(Utf8JsonWriter json, Difference d, string currency, ReportLanguage language)
    {
        json.WriteStartObject();
        json.WriteString("class", d.Class.Name());
        json.WriteString("id", d.Id);
        json.WriteString("time", d.Time?.ToString());
        json.WriteString("model", d.Model);
        json.WriteString("meter", d.Of.ToString());
        json.WriteString("quantity_here", Steps(d.Here));
        json.WriteString("quantity_there", Steps(d.There));
        json.WriteString("amount_here", d.Here?.Amount?.ToString());
        json.WriteString("amount_there", d.There?.Amount?.ToString());
        json.WriteString("difference", d.Delta.ToString());
        json.WriteString("explanation", d.Explain(currency, language));
        json.WriteEndObject();
    }

    private static string Day(Difference d) => d.Id.Length == 0 && d.Time is { } day ? day.ToString() : "";

    private static string Steps(SideSum? side) => side?.Steps is { } steps ? Text(steps) : "";

    private static string Text(Int128 number) => number.ToString(CultureInfo.InvariantCulture);
}
