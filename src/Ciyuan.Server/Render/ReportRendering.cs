using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Render;

/// <summary>Writes reports. In JSON all figures are decimal strings, since they may pass 2⁵³; docs/FORMATS.md lists the
/// names.</summary>
public static class ReportRendering
{
    /// <summary>A report in each format.</summary>
    public static Rendering Render(Report report) => new(() => ToTable(report), json => WriteJson(json, report));

    private static Table ToTable(Report report)
    {
        var table = new Table([
            .. report.KeyColumns.Select(name => new TableColumn(name)),
            .. report.Columns.Select(column => new TableColumn(column.Name, IsNumber: true)),
        ])
        {
            Scope = ScopeSentences(report),
            Notes = report.Scope.Notes,
            Total = report.KeyColumns.Count == 0 ? null : Cells(report, report.Total, "total"),
        };
        foreach (ReportRow row in report.KeyColumns.Count == 0 ? [report.Total] : report.Rows)
        {
            table.Add(Cells(report, row, ""));
        }

        return table;
    }

    private static string[] Cells(Report report, ReportRow row, string label)
    {
        IEnumerable<string> key = row.Key.Count == report.KeyColumns.Count
            ? row.Key
            : report.KeyColumns.Select((_, i) => i == 0 ? label : "");
        return [.. key, .. report.Columns.Select((column, i) => column.Format(row.Values[i]))];
    }

    private static List<string> ScopeSentences(Report report)
    {
        ReportScope s = report.Scope;
        string bucket = s.Bucket == Bucket.None ? "" : $", by {Name(s.Bucket)}";
        string filters = s.Filters.Count == 0 ? "" : "; only " + string.Join(", ",
            s.Filters.Select(f => $"{f.Dimension.Name()}={string.Join('|', f.Values)}"));
        string grades = string.Join(
            ", ", s.Grades.Select(g => $"{Number(g.Tokens)} {g.Grade.ToString().ToLowerInvariant()}"));
        return
        [
            string.Create(CultureInfo.InvariantCulture,
                $"Scope: event time {s.Period}, zone {s.Zone}{bucket}{filters}"),
            $"In: {Number(s.RecordsIn)} records, {Number(s.CorrectionsIn)} corrections. "
                + $"Out: {Number(s.RecordsFilteredOut)} by filter, {Number(s.RecordsOutsidePeriod)} outside, "
                + $"{Number(s.KeptAside)} kept aside as conflicts",
            $"Tokens by evidence: {(grades.Length == 0 ? "none" : grades)}. "
                + $"Waiting for a price: {Number(s.SuspenseCharges)} charges, {Number(s.SuspenseTokens)} tokens",
            $"Amounts are exact, not rounded. Journal up to frame {s.DataToSeq}"
                + (s.DataToSeq == 0 ? "" : $", recorded {s.DataToTime}"),
        ];
    }

    private static void WriteJson(Utf8JsonWriter json, Report report)
    {
        json.WriteStartObject();
        json.WritePropertyName("scope");
        WriteScope(json, report.Scope);
        WriteTexts(json, "key_columns", report.KeyColumns);
        json.WriteStartArray("columns");
        foreach (ReportColumn column in report.Columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("unit", column.Unit);
            json.WriteBoolean("additive", column.Additive);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("rows");
        foreach (ReportRow row in report.Rows)
        {
            json.WriteStartObject();
            json.WriteStartObject("key");
            for (int i = 0; i < report.KeyColumns.Count; i++)
            {
                json.WriteString(report.KeyColumns[i], row.Key[i]);
            }

            json.WriteEndObject();
            WriteValues(json, "values", report, row);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteValues(json, "total", report, report.Total);
        json.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter json, string name, Report report, ReportRow row)
    {
        json.WriteStartObject(name);
        for (int i = 0; i < report.Columns.Count; i++)
        {
            json.WriteString(report.Columns[i].Name, report.Columns[i].Format(row.Values[i]));
        }

        json.WriteEndObject();
    }

    private static void WriteScope(Utf8JsonWriter json, ReportScope scope)
    {
        json.WriteStartObject();
        Rendering.WriteBound(json, "from", scope.Period.Start);
        Rendering.WriteBound(json, "to", scope.Period.End);
        json.WriteString("zone", scope.Zone);
        json.WriteString("bucket", Name(scope.Bucket));
        json.WriteStartArray("filters");
        foreach (Filter filter in scope.Filters)
        {
            json.WriteStartObject();
            json.WriteString("dimension", filter.Dimension.Name());
            WriteTexts(json, "values", filter.Values);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("records_in", scope.RecordsIn);
        json.WriteNumber("records_filtered_out", scope.RecordsFilteredOut);
        json.WriteNumber("records_outside_period", scope.RecordsOutsidePeriod);
        json.WriteNumber("kept_aside", scope.KeptAside);
        json.WriteNumber("corrections_in", scope.CorrectionsIn);
        json.WriteNumber("suspense_charges", scope.SuspenseCharges);
        json.WriteString("suspense_tokens", Plain(scope.SuspenseTokens));
        json.WriteStartObject("tokens_by_grade");
        foreach ((Usage.EvidenceGrade grade, Int128 tokens) in scope.Grades)
        {
            json.WriteString(grade.ToString().ToLowerInvariant(), Plain(tokens));
        }

        json.WriteEndObject();
        json.WriteNumber("data_to_seq", scope.DataToSeq);
        json.WriteString("data_to_time", scope.DataToSeq == 0 ? null : scope.DataToTime.ToString());
        json.WriteBoolean("rows_add_up", scope.RowsAddUp);
        WriteTexts(json, "notes", scope.Notes);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    /// <summary>The name of a bucket in queries and answers.</summary>
    public static string Name(Bucket bucket) =>
        bucket == Bucket.QuarterHour ? "quarter_hour" : bucket.ToString().ToLowerInvariant();

    private static string Plain(Int128 value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(Int128 value) => Table.Group(Plain(value));
}
