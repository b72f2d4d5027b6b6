using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Server.Render;

/// <summary>Writes statements. In JSON quantities and amounts are decimal strings.</summary>
public static class StatementRendering
{
    /// <summary>A statement in each format.</summary>
    public static Rendering Render(Statement statement) =>
        new(() => ToTable(statement), json => WriteJson(json, statement));

    private static Table ToTable(Statement s)
    {
        var table = new Table([
            new("corrects"), new("kind"),
            new("model"), new("meter"), new("book"), new("price", IsNumber: true), new("per"),
            new("quantity", IsNumber: true), new("by_pack", IsNumber: true), new("calls", IsNumber: true),
            new("amount", IsNumber: true),
        ])
        {
            Scope = ScopeSentences(s),
            Notes = NoteSentences(s),
            Total = ["total", "", "", "", "", "", "", "", "", "", s.Exact.ToString()],
        };
        foreach (StatementLine line in s.Lines)
        {
            table.Add(
                Corrects(line), Name(line.Kind),
                line.Model, line.Meter?.ToString() ?? "", Book(line), Price(line), Per(line),
                Quantity(line, line.Steps), Quantity(line, line.CoveredSteps),
                line.Calls.ToString(CultureInfo.InvariantCulture), line.Amount.ToString());
        }

        return table;
    }

    private static List<string> ScopeSentences(Statement s) =>
    [
        $"Statement of agreement {s.Query.Agreement}: {Or(s.Payer, "?")} owes {Or(s.Payee, "?")} "
            + $"({s.Side.ToString().ToLowerInvariant()})",
        $"Scope: event time {s.Query.Period}, zone {s.Query.Zone.Id}; {Count(s.Records)} records, "
            + $"{Count(s.CallsBilled)} billed, {Count(s.Corrections)} corrections; journal up to frame {s.DataToSeq}",
    ];

    private static List<string> NoteSentences(Statement s)
    {
        List<string> notes =
        [
            $"Exact {s.Exact} {s.Currency}; rounding {s.RoundingDifference}; to be paid {s.Total} {s.Currency}",
        ];
        if (s.SuspenseCharges > 0)
        {
            string waiting = string.Join(
                ", ", s.Suspense.Select(w => $"{Table.Group(w.Quantity.ToString())} {w.Unit}"));
            notes.Add($"Not included: {Count(s.SuspenseCharges)} charges that wait for a price ({waiting})");
        }

        if (s.KeptAside > 0)
        {
            notes.Add(
                $"Not included: {Count(s.KeptAside)} events of the period kept aside as conflicts (whole ledger)");
        }

        if (!s.Found)
        {
            notes.Add($"Nothing was charged under {s.Query.Agreement} yet, in any period");
        }

        return notes;
    }

    private static void WriteJson(Utf8JsonWriter json, Statement s)
    {
        json.WriteStartObject();
        json.WriteString("agreement", s.Query.Agreement);
        Rendering.WriteBound(json, "from", s.Query.Period.Start);
        Rendering.WriteBound(json, "to", s.Query.Period.End);
        json.WriteString("zone", s.Query.Zone.Id);
        json.WriteBoolean("found", s.Found);
        json.WriteString("payer", s.Payer);
        json.WriteString("payee", s.Payee);
        json.WriteString("side", s.Side.ToString().ToLowerInvariant());
        json.WriteString("currency", s.Currency.ToString());
        json.WriteStartArray("lines");
        foreach (StatementLine line in s.Lines)
        {
            WriteLine(json, line);
        }

        json.WriteEndArray();
        json.WriteString("exact", s.Exact.ToString());
        json.WriteString("rounding_difference", s.RoundingDifference.ToString());
        json.WriteString("total", s.Total.ToString());
        json.WriteNumber("records", s.Records);
        json.WriteNumber("calls_billed", s.CallsBilled);
        json.WriteNumber("corrections", s.Corrections);
        json.WriteNumber("suspense_charges", s.SuspenseCharges);
        json.WriteStartObject("suspense");
        foreach ((Currency unit, Amount quantity) in s.Suspense)
        {
            json.WriteString(unit.ToString(), quantity.ToString());
        }

        json.WriteEndObject();
        json.WriteNumber("kept_aside", s.KeptAside);
        json.WriteNumber("data_to_seq", s.DataToSeq);
        json.WriteString("data_to_time", s.DataToSeq == 0 ? null : s.DataToTime.ToString());
        json.WriteEndObject();
    }

    private static void WriteLine(Utf8JsonWriter json, StatementLine line)
    {
        json.WriteStartObject();
        json.WriteString("corrects_before", line.Corrects?.ToString());
        json.WriteString("kind", Name(line.Kind));
        json.WriteString("model", line.Model);
        json.WriteString("meter", line.Meter?.ToString());
        json.WriteString("book", line.Book);
        json.WriteNumber("version", line.Version);
        json.WriteString("price", Price(line));
        json.WriteString("per", Per(line));
        json.WriteString("share_of", line.ShareOf);
        json.WriteString("quantity", Quantity(line, line.Steps));
        json.WriteString("covered_by_pack", Quantity(line, line.CoveredSteps));
        json.WriteNumber("calls", line.Calls);
        json.WriteString("amount", line.Amount.ToString());
        json.WriteEndObject();
    }

    private static string Name(StatementLineKind kind) => kind switch
    {
        StatementLineKind.Usage => "usage",
        StatementLineKind.PerCall => "per_call",
        StatementLineKind.Share => "share",
        StatementLineKind.TakenBack => "taken_back",
        _ => "made_anew",
    };

    // What was closed when it came is booked later, and names the end of what it corrects.
    private static string Corrects(StatementLine line) => line.Corrects is { } end ? $"before {end}" : "";

    private static string Book(StatementLine line) =>
        line.Version == 0 ? line.Book : $"{line.Book} v{line.Version.ToString(CultureInfo.InvariantCulture)}";

    private static string Price(StatementLine line) => line.Kind switch
    {
        StatementLineKind.Usage or StatementLineKind.PerCall => line.PrintedPrice?.ToString() ?? "",
        StatementLineKind.Share => new Amount((Int128)line.SharePpm * (Amount.PicoPerUnit / 10_000)).ToString(),
        _ => "",
    };

    private static string Per(StatementLine line) => line.Kind switch
    {
        StatementLineKind.Usage when line.UnitPrice is null => "",
        StatementLineKind.Usage => line.Meter is { IsTokens: true } ? "1M tokens" : line.Meter?.ToString() ?? "",
        StatementLineKind.PerCall => "call",
        StatementLineKind.Share => $"% of {line.ShareOf}",
        _ => "",
    };

    // Steps of a meter in its unit; ReportColumn holds the one exact way to write them.
    private static string Quantity(StatementLine line, Int128 steps) => line.Meter is { } meter
        ? new Statistics.ReportColumn("", "", meter.StepsPerUnit, Additive: true).Format(steps)
        : "";

    private static string Count(long count) => Table.Group(count.ToString(CultureInfo.InvariantCulture));

    private static string Or(string text, string fallback) => text.Length == 0 ? fallback : text;
}
