using System.Diagnostics;
using System.Globalization;
using Ciyuan.Server.Ingest;
using Spectre.Console;

namespace Ciyuan.Cli;

/// <summary>Shows on standard error how far an import is: a bar, records and bytes per second, remaining
/// time.</summary>
internal static class ImportProgress
{
    internal static readonly TimeSpan RefreshEvery = TimeSpan.FromMilliseconds(200);

    internal static async Task ShowAsync(ImportTally tally, IReadOnlyList<string> files, Task import)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        long bytes = files.Where(File.Exists).Sum(file => new FileInfo(file).Length);
        bool isKnown = bytes > 0 && !files.Contains(ImportOptions.StandardInput);
        long started = Stopwatch.GetTimestamp();
        await console.Progress()
            .Columns(
                new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                ProgressTask bar = progress.AddTask("import", maxValue: Math.Max(1, bytes));
                bar.IsIndeterminate = !isKnown;
                bool isDone;
                do
                {
                    isDone = await Task.WhenAny(import, Task.Delay(RefreshEvery)) == import;
                    bar.Value = tally.ReadBytes;
                    bar.Description = Describe(tally, Stopwatch.GetElapsedTime(started));
                }
                while (!isDone);
            });
    }

    private static string Describe(ImportTally tally, TimeSpan elapsed)
    {
        double seconds = Math.Max(0.001, elapsed.TotalSeconds);
        return string.Create(CultureInfo.InvariantCulture,
            $"{tally.Read:N0} read, {tally.Read / seconds:N0} records/s, {tally.ReadBytes / seconds / 1e6:N1} MB/s");
    }
}
