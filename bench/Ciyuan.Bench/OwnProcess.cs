using System.Diagnostics;
using System.Globalization;

namespace Ciyuan.Bench;

/// <summary>Runs <c>ciyuan</c> as a process of its own, so that its memory is its own.</summary>
internal static class OwnProcess
{
    /// <summary>Its wall time, the highest memory that the system saw, and what it wrote.</summary>
    public static async Task<(double Seconds, double Gib, string Output)> RunAsync(params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ciyuan.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true };
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        long peak = 0;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, PeakKib(process.Id));
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(50));
        }

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return process.ExitCode == 0
            ? (seconds, peak / 1048576.0, await output)
            : throw new InvalidOperationException(
                $"ciyuan {arguments[0]} ended with {process.ExitCode}: {await output}");
    }

    private static long PeakKib(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.AsSpan(6).Trim()[..^3], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // it has just ended
        }
    }
}
