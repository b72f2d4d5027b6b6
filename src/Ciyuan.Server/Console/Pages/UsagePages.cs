using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Server.Console.Pages;

/// <summary>A page of single records.</summary>
/// <param name="Span">When.</param>
/// <param name="Filters">The person's conditions.</param>
/// <param name="Page">The records.</param>
internal sealed record RecordsModel(Span Span, IReadOnlyList<Filter> Filters, RecordPage Page);

/// <summary>用量 Usage: any mix of dimensions, down to single records.</summary>
internal static class UsagePages
{
    internal const string Path = "/console/usage";
    internal const string RecordsPath = "/console/usage/records";
    internal const string RecordPrefix = "/console/usage/record/";

    private const int MostCsvRecords = 10_000; // some 3 MB; a whole ledger goes out by `ciyuan report` or HTTP
    private const int MostShownRows = 500;

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.All, ShowAsync),
        new("GET", "/console/usage.csv", ConsoleRoute.All, CsvAsync),
        new("GET", RecordsPath, ConsoleRoute.All, RecordsAsync),
        new("GET", "/console/usage/records.csv", ConsoleRoute.All, RecordsCsvAsync),
        new("GET", RecordPrefix + "*", ConsoleRoute.All, RecordAsync),
    ];

    /// <summary>Rows that a page shows; the file has all.</summary>
    internal static int ShownRows => MostShownRows;

    /// <summary>Address of a record.</summary>
    internal static string LinkTo(FramePosition position) =>
        string.Create(CultureInfo.InvariantCulture, $"{RecordPrefix}{position.Seq}.{position.Index}");

    /// <summary>Reads <c>SEQ.INDEX</c>.</summary>
    internal static bool TryParse(string text, out FramePosition position)
    {
        string[] parts = text.Split('.');
        position = default;
        if (parts.Length != 2
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long seq)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            return false;
        }

        position = new FramePosition(seq, index);
        return true;
    }

    internal static async Task ShowAsync(Visit visit)
    {
        (UsageQuery? query, string fault) = UsageQuery.Read(visit);
        if (query is null)
        {
            await FaultAsync(visit, fault);
            return;
        }

        await visit.PageAsync<UsageSheet>(visit.T("nav.usage"), await UsageAnswer.FindAsync(visit, query));
    }

    private static async Task CsvAsync(Visit visit)
    {
        (UsageQuery? query, string fault) = UsageQuery.Read(visit);
        if (query is null)
        {
            await FaultAsync(visit, fault);
            return;
        }

        Bucket bucket = query.View == "share" ? Bucket.None : query.View == "heat" ? Bucket.Hour : query.Bucket;
        Report report = await visit.Desk.ReportAsync(
            query.ToReport(visit, query.Span.Period, bucket), visit.Http.RequestAborted);
        await visit.CsvAsync(visit.Scope.IsAll ? ReportRendering.Render(report).ToTable() : ToOwn(report), "usage");
    }

    // Income, cost and margin are the platform's words: a counterparty has one amount.
    private static Table ToOwn(Report report)
    {
        string[] currencies = [.. Sums.Of(report).Currencies];
        var table = new Table([
            .. report.KeyColumns.Select(name => new TableColumn(name)),
            .. ((string[])["calls", "failed", "cut", "tokens_input", "tokens_output", "tokens_standard"]).Select(
                name => new TableColumn(name, true)),
            .. currencies.Select(currency => new TableColumn("amount_" + currency, true)),
        ]);
        foreach (ReportRow row in report.KeyColumns.Count == 0 ? [report.Total] : report.Rows)
        {
            Sums sums = Sums.Of(report, [row]);
            table.Add([
                .. row.Key, sums.Calls.ToString(CultureInfo.InvariantCulture),
                sums.Failed.ToString(CultureInfo.InvariantCulture), sums.Cut.ToString(CultureInfo.InvariantCulture),
                sums.Input.ToString(CultureInfo.InvariantCulture), sums.Output.ToString(CultureInfo.InvariantCulture),
                sums.Standard.ToString(CultureInfo.InvariantCulture),
                .. currencies.Select(currency => new Amount(sums.Moved(currency)).ToString()),
            ]);
        }

        return table;
    }

    private static async Task RecordsAsync(Visit visit)
    {
        (RecordsModel? model, string fault) = await FindRecordsAsync(visit, 50);
        if (model is null)
        {
            await FaultAsync(visit, fault);
            return;
        }

        await visit.PageAsync<RecordsSheet>(visit.T("records.title"), model);
    }

    private static async Task<(RecordsModel? Model, string Fault)> FindRecordsAsync(Visit visit, int most)
    {
        Span? span = Span.Read(visit, "7d");
        (List<Filter>? filters, string fault) = UsageQuery.ReadFilters(visit);
        FramePosition before = default;
        bool isPlace = visit.Query("before") is not { Length: > 0 } at || TryParse(at, out before);
        if (span is null || filters is null || !isPlace)
        {
            return (null, span is null ? "period" : filters is null ? fault : "before");
        }

        var query = new RecordQuery(
            span.Period, [.. visit.Scope.Filters, .. filters], before == default ? null : before)
        { Most = most, KeptAside = visit.Query("kept") == "1" };
        RecordPage page = await visit.Desk.WorkAsync(
            () => RecordSearch.Find(visit.Desk.Shard.Facts, visit.Desk.Journal, query), visit.Http.RequestAborted);
        return (new RecordsModel(span, filters, page), "");
    }

    private static async Task RecordsCsvAsync(Visit visit)
    {
        (RecordsModel? model, string fault) = await FindRecordsAsync(visit, MostCsvRecords);
        if (model is null)
        {
            await FaultAsync(visit, fault);
            return;
        }

        Scope scope = visit.Scope;
        Dimension[] parts = [.. scope.Dimensions.Where(d => !d.IsOfCount() && !d.IsOfCharge())];
        var table = new Table([
            new TableColumn("record"), new TableColumn("time"), .. parts.Select(p => new TableColumn(p.Name())),
            new TableColumn("tokens_input", true), new TableColumn("tokens_output", true), new TableColumn("amounts"),
        ]);
        foreach (FoundRecord found in model.Page.Records)
        {
            table.Add([
                string.Create(CultureInfo.InvariantCulture, $"{found.Position.Seq}.{found.Position.Index}"),
                visit.Local(found.Record.EventTime, "uuuu-MM-dd'T'HH:mm:sso<G>"),
                .. parts.Select(p => ReportNames.Of(found.Record.Context, found.Record.Outcome, p)),
                found.Record.Tokens(Direction.Input).ToString(CultureInfo.InvariantCulture),
                found.Record.Tokens(Direction.Output).ToString(CultureInfo.InvariantCulture),
                string.Join(' ', RecordView.ChargesOf(found, scope).Select(
                    c => $"{c.Rate.Agreement} {c.Amount} {c.Rate.Currency}")),
            ]);
        }

        await visit.CsvAsync(table, "records");
    }

    private static async Task RecordAsync(Visit visit)
    {
        FoundRecord? found = TryParse(visit.Rest(RecordPrefix), out FramePosition position)
            ? RecordSearch.At(visit.Desk.Journal, position)
            : null;
        // What is not there and what is not one's own look the same.
        if (found is null || !RecordView.Sees(found, visit.Scope))
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        await visit.PageAsync<RecordSheet>(
            visit.T("record.title", visit.Rest(RecordPrefix)), await RecordView.OfAsync(visit, found));
    }

    private static Task FaultAsync(Visit visit, string fault) =>
        visit.PageAsync<Failure>(
            visit.T("error.title"), new FailureModel(400, "error.conditions", [fault]), 400);
}
