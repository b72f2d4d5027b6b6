using System.CommandLine;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Exports;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan export focus</c>: charges as FOCUS files, to standard output. Reads beside a running
/// server.</summary>
internal static class ExportVerb
{
    internal static Command Make() => new("export", "Charges in the formats of others") { MakeFocus() };

    private static Command MakeFocus()
    {
        Option<string> dataset = GlobalOptions.Words("--dataset", "Which data set", FocusRequest.Datasets);
        Option<string> spec = GlobalOptions.Words("--spec", "Version of the specification", "1.2", "1.4");
        Option<string> bucket = GlobalOptions.Words("--bucket", "Charge periods", "day", "hour");
        Option<string> side = GlobalOptions.Words(
            "--side", "What the platform bills, is billed, or both", "income", "cost", "all");
        var agreement = new Option<string[]>("--agreement")
        {
            Description = "Only this agreement; may be given again",
            HelpName = "ID",
            DefaultValueFactory = _ => [],
        };
        var ascii = new Option<bool>("--ascii")
        {
            Description = "Short names instead of names beyond ASCII, which a validator may not take",
        };
        var command = new Command("focus", "FOCUS: CSV, or JSON lines with --format json")
        {
            dataset, spec, bucket, side, agreement, ascii, GlobalOptions.From, GlobalOptions.To, GlobalOptions.Period,
        };
        return command.Runs((parsed, context, cancel) =>
        {
            Period period = GlobalOptions.ReadPeriod(parsed, context);
            string[] agreements = parsed.GetValue(agreement)!;
            var request = new FocusRequest(
                (FocusDataset)Array.IndexOf(FocusRequest.Datasets, parsed.GetValue(dataset)),
                parsed.GetValue(spec) == "1.2" ? FocusVersion.V12 : FocusVersion.V14, period, context.Zone)
            {
                Bucket = parsed.GetValue(bucket) == "hour" ? Bucket.Hour : Bucket.Day,
                Agreements = agreements.Length > 0 ? agreements.ToHashSet() : null,
                AsciiNames = parsed.GetValue(ascii),
                Side = parsed.GetValue(side) switch { "income" => Side.Income, "cost" => Side.Cost, _ => null },
            };
            return request.FindFault() is { } fault ? throw new WrongUsageException(fault)
                : Task.FromResult(Run(context, request, cancel));
        });
    }

    private static int Run(VerbContext context, FocusRequest request, CancellationToken cancel)
    {
        (Catalog catalog, PriceBooks books) = Balances.TermsNow(context.Data, cancel: cancel);
        foreach (string agreement in request.Agreements ?? new HashSet<string>())
        {
            if (catalog.FindAgreement(agreement) is null)
            {
                throw new RefusedException(
                    NearNames.Unknown("agreement", agreement, catalog.Agreements.Select(a => a.Id)));
            }
        }

        using var facts = new Facts(context.Data);
        var export = new FocusExport(request, facts.Store, new ExportTerms(catalog, books));
        using (Stream output = Console.OpenStandardOutput())
        {
            export.Write(output, context.Format);
        }

        foreach (string sentence in export.Scope)
        {
            Console.Error.WriteLine(sentence);
        }

        return Verb.Done;
    }
}
