using System.CommandLine;
using Ciyuan.Quantities;
using Ciyuan.Server.Render;
using DateTimeZone = NodaTime.DateTimeZone;
using DateTimeZoneProviders = NodaTime.DateTimeZoneProviders;

namespace Ciyuan.Cli;

/// <summary>The options that every verb has.</summary>
internal static class GlobalOptions
{
    /// <summary>Where days and months begin unless told otherwise.</summary>
    internal const string DefaultZone = "Asia/Shanghai";

    private static readonly Option<string> Data = new("--data")
    {
        Description = "The data folder",
        DefaultValueFactory = _ => "./ciyuan-data",
        HelpName = "DIR",
        Recursive = true,
    };

    private static readonly Option<string> Format = Words(
        "--format", "How results are written", "table", "csv", "json");

    private static readonly Option<string> Zone = new("--zone")
    {
        Description = "Time zone of days, months and bounds without one (IANA)",
        DefaultValueFactory = _ => DefaultZone,
        HelpName = "ZONE",
        Recursive = true,
    };

    private static readonly Option<bool> Progress = new("--progress")
    {
        Description = "Show progress on standard error though it is no terminal",
        Recursive = true,
    };

    /// <summary>First event time; for the verbs that look at a period.</summary>
    internal static readonly Option<string?> From = new("--from")
    {
        Description = "First event time: RFC 3339, or a day, month or year",
        HelpName = "TIME",
    };

    /// <summary>First event time after.</summary>
    internal static readonly Option<string?> To = new("--to")
    {
        Description = "First event time after, which is not in it",
        HelpName = "TIME",
    };

    /// <summary>A calendar period instead.</summary>
    internal static readonly Option<string?> Period = new("--period")
    {
        Description = "A year, month or day instead: 2026, 2026-11, 2026-11-23",
        HelpName = "PERIOD",
    };

    internal static void AddTo(RootCommand root)
    {
        Format.Recursive = true;
        root.Options.Add(Data);
        root.Options.Add(Format);
        root.Options.Add(Zone);
        root.Options.Add(Progress);
    }

    /// <summary>An option that takes one of some words, the first unless told otherwise.</summary>
    internal static Option<string> Words(string name, string description, params string[] words)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => words[0] };
        return option.AcceptOnlyFromAmong(words);
    }

    /// <summary>What the options say.</summary>
    internal static VerbContext Read(ParseResult parsed)
    {
        string zone = parsed.GetValue(Zone)!;
        return new VerbContext(
            parsed.GetValue(Data)!,
            Enum.Parse<OutputFormat>(parsed.GetValue(Format)!, ignoreCase: true),
            DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone)
                ?? throw new WrongUsageException($"--zone: '{zone}' is not a time zone, such as Asia/Shanghai or UTC"),
            parsed.GetValue(Progress) || !Console.IsErrorRedirected);
    }

    /// <summary>The period that a verb's options say; all time when they say nothing.</summary>
    internal static Period ReadPeriod(ParseResult parsed, VerbContext context)
    {
        (string? from, string? to, string? period) = (
            parsed.GetValue(From), parsed.GetValue(To), parsed.GetValue(Period));
        if (period is not null)
        {
            return from is not null || to is not null
                ? throw new WrongUsageException("--period and --from or --to say the same thing: give one")
                : Quantities.Period.TryParse(period, context.Zone, out Period calendar)
                    ? calendar
                    : throw new WrongUsageException(
                        $"--period: '{period}' is not a year, month or day such as 2026-11");
        }

        Timestamp start = from is null ? Timestamp.MinValue : ReadTime("--from", from, context);
        Timestamp end = to is null ? Timestamp.MaxValue : ReadTime("--to", to, context);
        return end < start
            ? throw new WrongUsageException("--to is before --from")
            : new Period(start, end);
    }

    internal static Timestamp ReadTime(string option, string text, VerbContext context) =>
        Quantities.Period.TryParseBound(text, context.Zone, out Timestamp time)
            ? time
            : throw new WrongUsageException(
                $"{option}: '{text}' is neither RFC 3339 (2026-11-01T08:00:00Z) nor a day, month or year");
}

/// <summary>What every verb works with.</summary>
/// <param name="Data">The data folder.</param>
/// <param name="Format">How results are written.</param>
/// <param name="Zone">Zone of days and months.</param>
/// <param name="ShowsProgress">Whether progress is shown.</param>
internal sealed record VerbContext(string Data, OutputFormat Format, DateTimeZone Zone, bool ShowsProgress)
{
    /// <summary>Writes a result to standard output; of a CSV, scope and notes go to standard error.</summary>
    internal void Write(Rendering result)
    {
        using Stream output = Console.OpenStandardOutput();
        result.Write(output, Format);
        if (Format == OutputFormat.Csv)
        {
            result.ToTable().WriteScope(Console.Error);
        }
    }

    /// <summary>Writes a message to standard error.</summary>
    internal static void Say(string message) => Console.Error.WriteLine($"ciyuan: {message}");
}
