using System.CommandLine;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Reconciling;
using Ciyuan.Server.Render;
using Ciyuan.Storage;
using DateTimeZone = NodaTime.DateTimeZone;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan reconcile AGREEMENT BILL</c>: the other side's bill against our records; with <c>--sign</c>, a
/// signature under what came of it.</summary>
internal static class ReconcileVerb
{
    private sealed record Options(
        string Agreement, string Bill, string As, string? Mapping, string[] Map, string[] Set, BillMatching By,
        string IdTag, string? Tolerance, ReportLanguage Language, string? Sign, string? Signer);

    internal static Command Make()
    {
        var agreement = new Argument<string>("AGREEMENT") { Description = "Our agreement with the other side" };
        var bill = new Argument<string>("BILL") { Description = "Their bill or usage export" };
        Option<string> format = GlobalOptions.Words("--as", "How the file is read", [
            "ciyuan", .. Server.Reconciling.Bill.Formats.Where(f => f != "ciyuan")]);
        Option<string?> mapping = Text("--mapping", "YAML file that says what the columns of a CSV are", "FILE");
        var map = Many("--map", "A column: field=NAME, on top of the preset or mapping");
        var set = Many("--set", "A value for each row: field=VALUE");
        Option<string> by = GlobalOptions.Words("--match", "How both sides are matched", "auto", "id", "day");
        Option<string?> tag = Text("--id-tag", "The tag of our records with their id; else the record's id", "NAME");
        Option<string?> tolerance = Text(
            "--tolerance", "Most that rounding may change in a line; else half of the bill's last decimal", "AMOUNT");
        Option<string> language = GlobalOptions.Words("--language", "Of the sentences", "en", "zh");
        var sign = new Option<string?>("--sign")
        {
            Description = "Sign the result: two different people must; withdraw ends a dispute",
        };
        sign.AcceptOnlyFromAmong("accept", "dispute", "withdraw");
        Option<string?> signer = Text("--by", "Who signs", "NAME");
        var command = new Command("reconcile", "The other side's bill against our records, differences explained")
        {
            agreement, bill, format, mapping, map, set, by, tag, tolerance, language, sign, signer,
            GlobalOptions.From, GlobalOptions.To, GlobalOptions.Period,
        };
        return command.Runs((parsed, context, cancel) => RunAsync(parsed, context, new Options(
            parsed.GetValue(agreement)!, parsed.GetValue(bill)!, parsed.GetValue(format)!, parsed.GetValue(mapping),
            parsed.GetValue(map)!, parsed.GetValue(set)!, Enum.Parse<BillMatching>(parsed.GetValue(by)!, true),
            parsed.GetValue(tag) ?? "", parsed.GetValue(tolerance),
            Enum.Parse<ReportLanguage>(parsed.GetValue(language)!, true), parsed.GetValue(sign),
            parsed.GetValue(signer)), cancel));
    }

    private static Option<string?> Text(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };

    private static Option<string[]> Many(string name, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => [], HelpName = "FIELD=…" };

    private static async Task<int> RunAsync(
        ParseResult parsed, VerbContext context, Options options, CancellationToken cancel)
    {
        if (options.Sign is not null && string.IsNullOrWhiteSpace(options.Signer))
        {
            throw new WrongUsageException("--sign needs --by: who signs");
        }

        try
        {
            return await CompareAsync(parsed, context, options, cancel);
        }
        catch (Exception fault) when (fault is BillException or BillTooLargeException)
        {
            throw new RefusedException(fault.Message);
        }
    }

    private static async Task<int> CompareAsync(
        ParseResult parsed, VerbContext context, Options options, CancellationToken cancel)
    {
        (Catalog catalog, _) = Balances.TermsNow(context.Data, cancel: cancel);
        var request = new BillRequest(
            options.Agreement, options.As, zone => ReadPeriod(parsed, context with { Zone = zone }), context.Zone)
        {
            Mapping = ReadMapping(options),
            Matching = options.By,
            IdTag = options.IdTag,
            Tolerance = ReadTolerance(options),
        };
        ReconciledBill result = Compare(context, request, options.Bill, catalog);
        context.Write(ReconciliationRendering.Render(
            result.Comparison, result.Bill, result.Currency.ToString(), options.Language,
            context.Format == OutputFormat.Csv));
        if (options.Sign is { } sign)
        {
            await SignAsync(context, result.Entry(sign, catalog.Reconciliations), options.Signer!, cancel);
        }

        return Verb.Done;
    }

    private static Period? ReadPeriod(ParseResult parsed, VerbContext context)
    {
        Period period = GlobalOptions.ReadPeriod(parsed, context);
        return period.Start != Timestamp.MinValue && period.End != Timestamp.MaxValue ? period
            : throw new WrongUsageException(
                "say which period the bill is for: --period 2026-11, or --from and --to");
    }

    private static ReconciledBill Compare(VerbContext context, BillRequest request, string path, Catalog catalog)
    {
        using var facts = new Facts(context.Data);
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(context.Data);
        return request.Run(
            path, Path.GetFileName(path), catalog, facts.Store, () => Facts.FramesFrom(journal, 1));
    }

    private static async Task SignAsync(
        VerbContext context, ReconciliationSetup entry, string by, CancellationToken cancel)
    {
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        Signature signature = await SignReconciliation.RunAsync(shard, entry, by, cancel);
        if (signature.Faults.Count > 0)
        {
            throw new RefusedException(string.Join("; ", signature.Faults));
        }

        VerbContext.Say($"{signature.Id}: {entry.Decision}, signed by {string.Join(" and ", signature.SignedBy)}"
            + (signature.IsComplete ? "" : "; a second person must sign"));
        foreach (PostTransfer transfer in signature.Posted)
        {
            VerbContext.Say($"posted {transfer.Amount} {transfer.Currency}: {transfer.Debit} → {transfer.Credit}");
        }
    }

    private static BillMapping? ReadMapping(Options options)
    {
        bool isCsv = BillMapping.Presets.Contains(options.As);
        BillMapping? mapping = options.Mapping is { } file ? BillMapping.FromYaml(Verb.ReadFile(file))
            : isCsv ? BillMapping.FromPreset(options.As) : null;
        return mapping?.With(Pairs("--map", options.Map), Pairs("--set", options.Set));
    }

    private static Amount? ReadTolerance(Options options) => options.Tolerance is not { } text ? null
        : Amount.TryParse(text, out Amount perLine) && !perLine.IsNegative ? perLine
        : throw new WrongUsageException($"--tolerance: '{text}' must be a decimal of 0 or more");

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string option, string[] texts) =>
        texts.Select(text => text.Split('=', 2) is [var name, var value]
            ? KeyValuePair.Create(name, value)
            : throw new WrongUsageException($"{option}: '{text}' must be FIELD=…"));
}
