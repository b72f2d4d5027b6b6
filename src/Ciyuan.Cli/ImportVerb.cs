using System.CommandLine;
using System.Diagnostics;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Render;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan import FILES</c>: usage from files into the ledger.</summary>
internal static class ImportVerb
{
    internal static Command Make()
    {
        var files = new Argument<string[]>("FILES")
        {
            Description = "Files, also .gz; - is standard input",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> form = GlobalOptions.Words("--as", "What the files hold", "jsonl", "csv", "cloudevents",
            "responses");
        Option<string?> preset = Text(
            "--preset", $"A known CSV file: {string.Join(", ", CsvMapping.Presets)}", "NAME");
        Option<string?> mapping = Text("--mapping", "YAML file that maps CSV columns", "FILE");
        Option<string[]> map = Pairs("--map", "CSV: a field and its column, counts.input.text=ContextTokens");
        Option<string[]> set = Pairs("--set", "CSV, responses: a field and its value for all, party=acme");
        Option<string?> rejects = Text("--rejects", "Where refused lines go; else FILE.rejects.jsonl", "FILE");
        var command = new Command("import", "Import usage; again, or after a stop, adds nothing twice")
        {
            files, form, preset, mapping, map, set, rejects,
        };
        return command.Runs((parsed, context, cancel) =>
        {
            string? known = parsed.GetValue(preset);
            string? file = parsed.GetValue(mapping);
            bool isCsv = parsed.GetValue(form) == "csv" || known is not null || file is not null;
            var options = new ImportOptions
            {
                Format = isCsv ? ImportFormat.Csv : Enum.Parse<ImportFormat>(parsed.GetValue(form)!, ignoreCase: true),
                Constants = parsed.GetValue(form) == "responses" ? Constants(parsed.GetValue(set)!)
                    : ResponseConstants.None,
                Mapping = isCsv ? Mapping(known, file, parsed.GetValue(map)!, parsed.GetValue(set)!) : null,
                Rejects = parsed.GetValue(rejects),
            };
            return RunAsync(context, options, parsed.GetValue(files)!, cancel);
        });
    }

    internal static async Task<int> RunAsync(
        VerbContext context, ImportOptions options, IReadOnlyList<string> files, CancellationToken cancel)
    {
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        var import = new UsageImport(options, shard.RecordAsync);
        long started = Stopwatch.GetTimestamp();
        int exit = Verb.Done;
        try
        {
            Task run = import.RunAsync(files, cancel);
            if (context.ShowsProgress)
            {
                await ImportProgress.ShowAsync(import.Tally, files, run);
            }

            await run;
        }
        catch (StorageFullException)
        {
            VerbContext.Say(
                $"there is no space left for the journal. {Accepted(import.Tally)} Free some space and run the same "
                + "command again: what is there already is not added twice.");
            exit = Verb.Refused;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            VerbContext.Say($"stopped. {Accepted(import.Tally)} Run the same command again to go on.");
            exit = Verb.Refused;
        }

        context.Write(ImportRendering.Render(import.Tally, Stopwatch.GetElapsedTime(started)));
        return exit;
    }

    private static string Accepted(ImportTally tally) => tally.AcceptedUpTo.Length == 0
        ? "Nothing was accepted."
        : $"Everything up to {tally.AcceptedUpTo} was accepted.";

    private static CsvMapping Mapping(string? preset, string? file, string[] map, string[] set)
    {
        if (preset is not null && file is not null)
        {
            throw new WrongUsageException("--preset and --mapping both say how columns are mapped: give one");
        }

        CsvMapping mapping = preset is not null ? CsvMapping.FromPreset(preset)
            : file is not null ? CsvMapping.FromYaml(Verb.ReadFile(file))
            : new CsvMapping();
        mapping = mapping.With(map.Select(Pair), set.Select(Pair));
        return mapping.Map.Count > 0
            ? mapping
            : throw new WrongUsageException("CSV needs to know its columns: --preset, --mapping or --map FIELD=COLUMN");
    }

    private static ResponseConstants Constants(string[] set) =>
        ResponseConstants.TryMake(set.Select(Pair), out ResponseConstants constants, out string? fault)
            ? constants
            : throw new WrongUsageException($"--set: {fault}");

    private static Option<string?> Text(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };

    private static Option<string[]> Pairs(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "FIELD=…",
        DefaultValueFactory = _ => [],
    };

    private static KeyValuePair<string, string> Pair(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new(text[..equals], text[(equals + 1)..])
            : throw new WrongUsageException($"'{text}' must be FIELD=VALUE");
    }
}
