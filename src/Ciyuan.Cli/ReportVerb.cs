using System.CommandLine;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan report</c>: usage and money by any mix of time and dimensions. Reads beside a running
/// server.</summary>
internal static class ReportVerb
{
    private static readonly Bucket[] Buckets = Enum.GetValues<Bucket>();

    internal static Command Make()
    {
        Command command = Make("report", "Usage and money, with the scope of every total", ReportRendering.Render);
        command.Subcommands.Add(Make(
            "margin", "Revenue, cost and margin, by currency", report =>
                ForecastRendering.Render(MarginReport.Of(report))));
        return command;
    }

    private static Command Make(string name, string description, Func<Report, Rendering> render)
    {
        var group = new Option<string?>("--group")
        {
            Description = "Dimensions, with commas: "
                + string.Join(", ", Enum.GetValues<Dimension>().Select(d => d.Name())),
            HelpName = "DIMENSIONS",
        };
        Option<string> bucket = GlobalOptions.Words(
            "--bucket", "How time is cut", [.. Buckets.Select(ReportRendering.Name)]);
        var filter = new Option<string[]>("--filter")
        {
            Description = "A condition such as model=gpt-*; several values with |; may be given again",
            HelpName = "DIMENSION=VALUE",
            DefaultValueFactory = _ => [],
        };
        var command = new Command(name, description)
        {
            group, bucket, filter, GlobalOptions.From, GlobalOptions.To, GlobalOptions.Period,
        };
        return command.Runs((parsed, context, _) =>
        {
            var query = new ReportQuery
            {
                Period = GlobalOptions.ReadPeriod(parsed, context),
                Zone = context.Zone,
                GroupBy = [.. Split(parsed.GetValue(group)).Select(g => ReadDimension("--group", g))],
                Filters = [.. parsed.GetValue(filter)!.Select(ReadFilter)],
                Bucket = Buckets.First(b => ReportRendering.Name(b) == parsed.GetValue(bucket)),
            };
            return query.FindFault() is { } fault ? throw new WrongUsageException(fault)
                : Task.FromResult(Run(context, query, render));
        });
    }

    internal static int Run(VerbContext context, ReportQuery query) => Run(context, query, ReportRendering.Render);

    private static int Run(VerbContext context, ReportQuery query, Func<Report, Rendering> render)
    {
        using var facts = new Facts(context.Data);
        context.Write(render(facts.Store.Run(query)));
        return Verb.Done;
    }

    private static string[] Split(string? names) =>
        names?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static Filter ReadFilter(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new Filter(ReadDimension("--filter", text[..equals]), text[(equals + 1)..].Split('|'))
            : throw new WrongUsageException($"--filter: '{text}' must be DIMENSION=VALUE, such as model=gpt-*");
    }

    private static Dimension ReadDimension(string option, string name) =>
        Dimensions.TryParse(name, out Dimension dimension)
        ? dimension
        : throw new WrongUsageException($"{option}: '{name}' is not a dimension: "
            + string.Join(", ", Enum.GetValues<Dimension>().Select(d => d.Name())));
}
