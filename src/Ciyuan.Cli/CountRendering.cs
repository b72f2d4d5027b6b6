using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Cli;

/// <summary>Writes what was counted: a row for each file, a column for each vocabulary.</summary>
internal static class CountRendering
{
    /// <summary>So many rejected lines of a file are told below the table.</summary>
    private const int MaxNotedRejects = 20;

    /// <summary>So many files that were left out are named.</summary>
    private const int MostNamed = 5;

    internal static Rendering Render(CountPlan plan, List<CountedFile> files, TimeSpan elapsed, int top) =>
        new(() => ToTable(plan, files, elapsed, top), json => WriteJson(json, plan, files, elapsed));

    private static Table ToTable(CountPlan plan, List<CountedFile> files, TimeSpan elapsed, int top)
    {
        List<CountedFile> counted = [.. files.Where(file => file.Status is CountStatus.Text or CountStatus.Media)];
        List<CountedFile> shown = counted.Count <= top
            ? counted
            : [.. counted.OrderByDescending(file => file.TokensOf(0)).Take(top)];
        bool hasRows = plan.Columns.Length > 0;
        var table = new Table(Columns(plan, hasRows))
        {
            Scope = [Scope(plan, files, elapsed)],
            Notes = [.. Notes(plan, files, counted.Count - shown.Count)],
            Total = counted.Count == 1 ? null : Cells(plan, hasRows, "total", counted),
        };
        shown.ForEach(file => table.Add(Cells(plan, hasRows, file.Path, [file])));
        return table;
    }

    private static List<TableColumn> Columns(CountPlan plan, bool hasRows)
    {
        List<TableColumn> columns = [new("file"), new("bytes", IsNumber: true)];
        if (hasRows)
        {
            columns.Add(new TableColumn("rows", IsNumber: true));
        }

        foreach (CountingChoice choice in plan.Choices)
        {
            columns.Add(new TableColumn(choice.Label, IsNumber: true));
            if (plan.Prose)
            {
                columns.Add(new TableColumn("prose", IsNumber: true));
                columns.Add(new TableColumn("code", IsNumber: true));
            }

            if (plan.Prices is not null && choice.Model.Length > 0)
            {
                columns.Add(new TableColumn($"{plan.Prices.Side} price"));
            }
        }

        return columns;
    }

    private static string[] Cells(CountPlan plan, bool hasRows, string name, List<CountedFile> files)
    {
        List<string> cells = [name, Text(files.Sum(file => Math.Max(0, file.Bytes)))];
        if (hasRows)
        {
            cells.Add(Text(files.Sum(file => file.Rows)));
        }

        for (int i = 0; i < plan.Choices.Count; i++)
        {
            long tokens = files.Sum(file => file.TokensOf(i));
            cells.Add(Text(tokens));
            if (plan.Prose)
            {
                long code = files.Sum(file => file.CodeOf(i));
                cells.AddRange([Text(tokens - code), Text(code)]);
            }

            if (plan.Prices is not null && plan.Choices[i].Model.Length > 0)
            {
                (Amount amount, Currency currency, string reason) = plan.Prices.Of(plan, i, files);
                cells.Add(reason.Length > 0 ? reason : currency.IsNone ? "0" : $"{amount} {currency}");
            }
        }

        return [.. cells];
    }

    private static string Text(long figure) => figure.ToString(CultureInfo.InvariantCulture);

    private static string Scope(CountPlan plan, List<CountedFile> files, TimeSpan elapsed)
    {
        double seconds = Math.Max(0.001, elapsed.TotalSeconds);
        double megabytes = files.Where(f => f.Status == CountStatus.Text).Sum(f => Math.Max(0, f.Bytes)) / 1e6;
        string what = plan.Columns.Length > 0
            ? $"column {string.Join(", ", plan.Columns)}; of chat messages the contents, without what a provider adds"
            : "whole files as ordinary text; what looks like a special token is text";
        int whole = plan.Columns.Length == 0 ? 0
            : files.Count(file => file is { IsByColumn: false, Status: CountStatus.Text or CountStatus.Media });
        what += whole > 0 ? $"; {whole} files that are no JSONL, CSV or Parquet as a whole" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"Scope: {what}. {megabytes:N1} MB in {seconds:N2} s, {megabytes / seconds:N1} MB/s");
    }

    private static string LeftOutNote(CountedFile[] files)
    {
        string named = string.Join("; ", files.Take(MostNamed).Select(
            file => file.Remark.Length > 0 ? $"{file.Path} ({file.Remark.TrimEnd('.')})" : file.Path));
        string more = files.Length > MostNamed ? $"; and {files.Length - MostNamed} more" : "";
        return $"{files.Length} files are not text and were left out: {named}{more}.";
    }

    private static IEnumerable<string> Notes(CountPlan plan, List<CountedFile> files, int hidden)
    {
        if (plan.Prices is not null)
        {
            yield return
                $"Prices are of the book {plan.Prices.Book}, of {plan.Prices.Side}, each file as one call now.";
        }

        if (files.Count == 0)
        {
            yield return "No files were found there.";
        }

        if (hidden > 0)
        {
            yield return $"{hidden} files with fewer tokens are not shown; --top shows more, --format csv all.";
        }

        CountedFile[] binary = [.. files.Where(file => file.Status == CountStatus.Binary)];
        if (binary.Length > 0)
        {
            yield return LeftOutNote(binary);
        }

        long skipped = files.Sum(file => file.Skipped);
        if (skipped > 0)
        {
            yield return $"{skipped} rows or parts of messages without text were left out.";
        }

        foreach (string note in FileNotes(files))
        {
            yield return note;
        }
    }

    private static IEnumerable<string> FileNotes(List<CountedFile> files)
    {
        foreach (CountedFile file in files.Where(file => file.Status == CountStatus.Media))
        {
            yield return $"{file.Path}: {file.Remark}";
        }

        foreach (string reject in files.Where(file => file.Rejected > 0).SelectMany(RejectNotes))
        {
            yield return reject;
        }

        foreach (CountedFile file in files.Where(file => file.Status == CountStatus.Unreadable))
        {
            yield return $"NOT COUNTED {file.Path}: {file.Remark}";
        }
    }

    private static void WriteJson(Utf8JsonWriter json, CountPlan plan, List<CountedFile> files, TimeSpan elapsed)
    {
        json.WriteStartObject();
        json.WriteNumber("milliseconds", (long)elapsed.TotalMilliseconds);
        json.WriteStartArray("vocabularies");
        foreach (CountingChoice choice in plan.Choices)
        {
            Vocabulary? vocabulary = choice.Text?.Vocabulary;
            json.WriteStartObject();
            json.WriteString("asked", choice.Label);
            json.WriteString("vocabulary", vocabulary?.Name);
            json.WriteString("sha256", vocabulary?.Source.Sha256);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("files");
        foreach (CountedFile file in files)
        {
            json.WriteStartObject();
            json.WriteString("file", file.Path);
            json.WriteString("status", file.Status.ToString().ToLowerInvariant());
            WriteFigures(json, plan, [file]);
            json.WriteString("remark", file.Remark);
            WriteRejects(json, file);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("total");
        WriteFigures(json, plan, files);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static IEnumerable<string> RejectNotes(CountedFile file)
    {
        foreach (RejectedLine line in file.Rejects.Take(MaxNotedRejects))
        {
            yield return $"REJECTED {file.Path}:{line.Number}: {line.Reason}";
        }

        yield return $"{file.Path}: {file.Rejected} lines were rejected and are in no count"
            + (file.Rejected > MaxNotedRejects ? "; --format json lists them." : ".");
    }

    private static void WriteRejects(Utf8JsonWriter json, CountedFile file)
    {
        json.WriteNumber("rejected", file.Rejected);
        json.WriteStartArray("rejects");
        foreach (RejectedLine line in file.Rejects)
        {
            json.WriteStartObject();
            json.WriteNumber("line", line.Number);
            json.WriteString("reason", line.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePrice(
        Utf8JsonWriter json, (Amount Amount, Currency Currency, string Reason) price)
    {
        json.WriteStartObject("price");
        json.WriteString("amount", price.Reason.Length > 0 ? null : price.Amount.ToString());
        json.WriteString("currency", price.Currency.IsNone ? null : price.Currency.ToString());
        json.WriteString("reason", price.Reason.Length > 0 ? price.Reason : null);
        json.WriteEndObject();
    }

    private static void WriteFigures(Utf8JsonWriter json, CountPlan plan, List<CountedFile> files)
    {
        json.WriteNumber("bytes", files.Sum(file => Math.Max(0, file.Bytes)));
        json.WriteNumber("rows", files.Sum(file => file.Rows));
        json.WriteNumber("skipped", files.Sum(file => file.Skipped));
        json.WriteStartArray("counts");
        for (int i = 0; i < plan.Choices.Count; i++)
        {
            long tokens = files.Sum(file => file.TokensOf(i));
            long code = files.Sum(file => file.CodeOf(i));
            json.WriteStartObject();
            json.WriteString("asked", plan.Choices[i].Label);
            json.WriteString("tokens", tokens.ToString(CultureInfo.InvariantCulture));
            if (plan.Prose)
            {
                json.WriteString("prose", (tokens - code).ToString(CultureInfo.InvariantCulture));
                json.WriteString("code", code.ToString(CultureInfo.InvariantCulture));
            }

            if (plan.Prices is not null && plan.Choices[i].Model.Length > 0)
            {
                WritePrice(json, plan.Prices.Of(plan, i, files));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
