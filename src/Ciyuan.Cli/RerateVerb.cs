using System.CommandLine;
using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using Ciyuan.Storage;
using Spectre.Console;
using Table = Ciyuan.Server.Render.Table;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan rerate</c>: takes charges back and makes them anew under the books as they are now.</summary>
internal static class RerateVerb
{
    private const string Source = "cli";

    internal static Command Make()
    {
        Option<string> agreement = Text(
            "--agreement", "Only charges under this agreement, and those in suspense; else all", "ID");
        var id = new Option<string?>("--id")
        {
            Description = "Id of the correction; else one of its own for each run",
            HelpName = "ID",
        };
        Option<string> memo = Text("--memo", "Why", "TEXT");
        var command = new Command("rerate", "Rate recorded usage again, by reversing entries; the records stay")
        {
            agreement, id, memo, GlobalOptions.From, GlobalOptions.To, GlobalOptions.Period,
        };
        return command.Runs((parsed, context, cancel) =>
        {
            long now = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()).UnixNanoseconds;
            var correction = new Correction(
                Source, parsed.GetValue(id) ?? string.Create(CultureInfo.InvariantCulture, $"rerate-{now}"),
                CorrectionMode.RerateByRate, FromSeq: 1, ToSeq: 0, GlobalOptions.ReadPeriod(parsed, context),
                parsed.GetValue(agreement)!, Memo: parsed.GetValue(memo)!);
            return RunAsync(context, correction, cancel);
        });
    }

    private static async Task<int> RunAsync(VerbContext context, Correction correction, CancellationToken cancel)
    {
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        var progress = new Latest();
        try
        {
            Task<CorrectionTotals> run = CorrectUsage.RunAsync(shard, correction, progress, cancel);
            if (context.ShowsProgress)
            {
                await ShowAsync(progress, shard.DurableSeq, run);
            }

            context.Write(Render(await run));
            return Verb.Done;
        }
        catch (CorrectionRefusedException refused)
        {
            throw new RefusedException(refused.Message);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw new RefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"stopped after {progress.Totals.Frames} frames, {progress.Totals.Corrected} records corrected. ")
                + "Run the same command again to go on: what is right already is left alone.");
        }
    }

    private static Task ShowAsync(Latest progress, long frames, Task run)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .Columns(
                new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn(), new RemainingTimeColumn())
            .StartAsync(async shown =>
            {
                ProgressTask bar = shown.AddTask("rerate", maxValue: Math.Max(1, frames));
                bool isDone;
                do
                {
                    isDone = await Task.WhenAny(run, Task.Delay(ImportProgress.RefreshEvery)) == run;
                    bar.Value = progress.Totals.Frames;
                    bar.Description = string.Create(
                        CultureInfo.InvariantCulture, $"{progress.Totals.Corrected:N0} records corrected");
                }
                while (!isDone);
            });
    }

    private static Rendering Render(CorrectionTotals totals) => new(
        () =>
        {
            var table = new Table([new("records_changed", IsNumber: true), new("frames_read", IsNumber: true)])
            {
                Notes =
                [
                    totals.Corrected == 0
                        ? "Nothing to change: every charge is what the books and agreements say now"
                        : "Charges that were right are left alone; reports show corrections in their event time",
                    .. totals.Closed == 0 ? [] : (string[])
                        [$"{Plain(totals.Closed)} records were left alone: their event time is closed"],
                ],
            };
            table.Add(Plain(totals.Corrected), Plain(totals.Frames));
            return table;
        },
        json =>
        {
            json.WriteStartObject();
            json.WriteNumber("records_changed", totals.Corrected);
            json.WriteNumber("frames_read", totals.Frames);
            json.WriteNumber("closed_records", totals.Closed);
            json.WriteEndObject();
        });

    private static string Plain(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static Option<string> Text(string name, string description, string help) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => "",
        HelpName = help,
    };

    /// <summary>How far a correction is; told by its threads, asked by the one that shows it.</summary>
    private sealed class Latest : IProgress<CorrectionTotals>
    {
        private volatile CorrectionTotals _totals = new(0, 0);

        internal CorrectionTotals Totals => _totals;

        public void Report(CorrectionTotals value) => _totals = value;
    }
}
