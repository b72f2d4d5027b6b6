using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Ciyuan.Cli;

/// <summary>Shows on standard error how far a count is: a bar, files, bytes per second, remaining time.</summary>
internal static class CountProgress
{
    internal static async Task ShowAsync(CountRun run, Task counting)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        long started = Stopwatch.GetTimestamp();
        await console.Progress()
            .Columns(
                new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                ProgressTask bar = progress.AddTask("count", maxValue: Math.Max(1, run.KnownBytes));
                bar.IsIndeterminate = run.HasUnknownSize;
                bool isDone;
                do
                {
                    isDone = await Task.WhenAny(counting, Task.Delay(ImportProgress.RefreshEvery)) == counting;
                    bar.Value = isDone && counting.IsCompletedSuccessfully ? bar.MaxValue : run.DoneBytes;
                    bar.Description = Describe(run, Stopwatch.GetElapsedTime(started));
                }
                while (!isDone);
            });
    }

    private static string Describe(CountRun run, TimeSpan elapsed)
    {
        double rate = run.DoneBytes / Math.Max(0.001, elapsed.TotalSeconds);
        return string.Create(CultureInfo.InvariantCulture,
            $"{run.DoneFiles:N0} of {run.Files:N0} files, {run.DoneBytes / 1e6:N1} MB, {rate / 1e6:N1} MB/s");
    }
}
