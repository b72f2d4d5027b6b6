using System.CommandLine;
using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Ciyuan.Settlement;
using Ciyuan.Statistics;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan demo</c>: the main job on the samples, in a fresh folder: setup, deposits, import, report, statement,
/// balances, check. Each step is the verb that its heading names.</summary>
internal static class DemoVerb
{
    private static readonly (string Party, string Funding, string Amount)[] Deposits =
    [
        ("acme", "starter-pack", "500000"), ("acme", "welcome", "20"), ("acme", "main", "100"), ("jinling", "main", "50"),
    ];

    internal static Command Make()
    {
        var samples = new Option<string?>("--samples") { Description = "The folder samples of the repository", HelpName = "DIR" };
        var command = new Command("demo", "Run the main job on the samples, in a fresh folder ./ciyuan-demo") { samples };
        return command.Runs((parsed, context, cancel) =>
        {
            // Never the folder that holds real data, unless it is named.
            bool isNamed = parsed.Tokens.Any(token => token.Value == "--data");
            VerbContext demo = context with { Data = isNamed ? context.Data : "./ciyuan-demo" };
            return RunAsync(demo, parsed.GetValue(samples) ?? FindSamples(), cancel);
        });
    }

    private static async Task<int> RunAsync(VerbContext context, string samples, CancellationToken cancel)
    {
        if (Directory.Exists(context.Data) && Directory.EnumerateFileSystemEntries(context.Data).Any())
        {
            throw new RefusedException($"{context.Data} is not empty: remove it, or name a fresh folder with --data.");
        }

        string setup = Path.Combine(samples, "setup.yaml");
        Head($"setup {setup}");
        await SetupVerb.RunAsync(context, setup, "demo", cancel);
        Timestamp time = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
        foreach ((string party, string funding, string amount) in Deposits)
        {
            Head($"deposit {party} {funding} {amount} --id demo-{party}-{funding}");
            await DepositVerb.RunAsync(
                context, new(party, funding, Amount.Parse(amount), $"demo-{party}-{funding}", time, "demo"), cancel);
        }

        await ImportAsync(context, samples, cancel);
        Head("report --group model,party");
        ReportVerb.Run(context, new ReportQuery { Zone = context.Zone, GroupBy = [Dimension.Model, Dimension.Party] });
        Head("statement acme-usd --period 2023-11");
        Period.TryParse("2023-11", context.Zone, out Period november);
        StatementVerb.Run(context, new StatementQuery("acme-usd", november, context.Zone));
        Head("balance");
        BalanceVerb.Run(context, "*", null, TimeBasis.Recorded, cancel);
        Head("fsck");
        return FsckVerb.Run(context, cancel);
    }

    private static async Task ImportAsync(VerbContext context, string samples, CancellationToken cancel)
    {
        (string File, ImportOptions Options, string Words)[] imports =
        [
            ("azure-llm-code.csv", new() { Format = ImportFormat.Csv, Mapping = CsvMapping.FromPreset("azure-llm") },
                "--preset azure-llm"),
            ("usage.jsonl", new() { Format = ImportFormat.Jsonl }, "--as jsonl"),
            ("cloudevents.json", new() { Format = ImportFormat.CloudEvents }, "--as cloudevents"),
        ];
        foreach ((string file, ImportOptions options, string words) in imports)
        {
            string path = Path.Combine(samples, file);
            Head($"import {path} {words}");
            await ImportVerb.RunAsync(context, options, [path], cancel);
        }
    }

    private static void Head(string verb)
    {
        Console.Error.WriteLine();
        Console.Error.WriteLine($"$ ciyuan {verb}");
    }

    // From the working folder upwards, then from the program's own.
    private static string FindSamples()
    {
        foreach (string start in (ReadOnlySpan<string>)[Environment.CurrentDirectory, AppContext.BaseDirectory])
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "samples", "setup.yaml")))
                {
                    return Path.GetRelativePath(Environment.CurrentDirectory, Path.Combine(folder.FullName, "samples"));
                }
            }
        }

        throw new RefusedException("there is no folder samples here: run it in the repository, or name it with --samples.");
    }
}
