using System.Diagnostics;
using System.Globalization;

namespace Ciyuan.Bench;

/// <summary>The figures of a run: what was measured, the aim, and what bounds it.</summary>
internal sealed class Figures
{
    private readonly List<(
        string What, double Value, string Unit, double? Aim, bool LessIsBetter, string Bound)> _figures = [];

    /// <summary>True when every figure with an aim has met it.</summary>
    public bool AllMet =>
        _figures.TrueForAll(f => f.Aim is not { } aim || (f.LessIsBetter ? f.Value <= aim : f.Value >= aim));

    public void Add(
        string what, double value, string unit, double? aim = null, bool lessIsBetter = false, string bound = "")
    {
        _figures.Add((what, value, unit, aim, lessIsBetter, bound));
        Console.WriteLine(Line(_figures[^1]));
    }

    public void Print()
    {
        Console.WriteLine();
        _figures.ForEach(f => Console.WriteLine(Line(f)));
    }

    private static string Line((string What, double Value, string Unit, double? Aim, bool LessIsBetter, string Bound) f)
    {
        string value = f.Value >= 1000
            ? f.Value.ToString("N0", CultureInfo.InvariantCulture)
            : f.Value.ToString("0.###", CultureInfo.InvariantCulture);
        string aim = f.Aim is { } a
            ? string.Create(CultureInfo.InvariantCulture, $"{(f.LessIsBetter ? "≤" : "≥")} {a:#,0.##} "
                + $"{((f.LessIsBetter ? f.Value <= a : f.Value >= a) ? "met" : "NOT MET")}")
            : "";
        return $"{f.What,-58} {value,12} {f.Unit,-10} {aim,-20} {f.Bound}";
    }
}

/// <summary>A folder for a run, removed at its end; and where the sample and the program are.</summary>
internal sealed class Room : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-bench-").FullName;

    /// <summary>The repository: the first folder upwards that holds the solution.</summary>
    public string Repository { get; } = FindRepository();

    public string Trace => Path.Combine(Repository, "samples", "azure-llm-code.csv");

    public string this[string name] => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Writes lines to a file of the folder, once.</summary>
    public string File(string name, Func<IEnumerable<string>> lines)
    {
        string path = this[name];
        if (!System.IO.File.Exists(path))
        {
            System.IO.File.WriteAllLines(path, lines());
        }

        return path;
    }

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !System.IO.File.Exists(Path.Combine(folder, "Ciyuan.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("Run the bench from within the repository.");
    }
}

/// <summary>Wall time, and this process's processor time: on a busy machine only the latter says much.</summary>
internal readonly struct Stopwatches
{
    private readonly long _start;
    private readonly TimeSpan _processor;

    private Stopwatches(long start, TimeSpan processor)
    {
        _start = start;
        _processor = processor;
    }

    /// <summary>Wall time since the start.</summary>
    public double Seconds => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    public static Stopwatches Start() => new(Stopwatch.GetTimestamp(), Processor);

    /// <summary>Processor time since the start, of all threads, for each of some things.</summary>
    public double MicrosecondsOf(long things) => (Processor - _processor).TotalMicroseconds / things;

    private static TimeSpan Processor => Environment.CpuUsage.TotalTime;
}
