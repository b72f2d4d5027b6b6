using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console.Data;

/// <summary>What is measured.</summary>
internal enum Measure
{
    /// <summary>Tokens of both directions.</summary>
    Tokens,

    /// <summary>Tokens in.</summary>
    Input,

    /// <summary>Tokens out.</summary>
    Output,

    /// <summary>Standard tokens.</summary>
    Standard,

    /// <summary>Calls.</summary>
    Calls,

    /// <summary>Calls that failed.</summary>
    Failed,

    /// <summary>Calls that broke off.</summary>
    Cut,

    /// <summary>Income; for a counterparty what moves between it and others.</summary>
    Money,

    /// <summary>Cost.</summary>
    Cost,

    /// <summary>Income less cost.</summary>
    Margin,
}

/// <summary>A question about usage, as the address has it. All of the page's state is here.</summary>
/// <param name="Span">When.</param>
/// <param name="Groups">What rows are kept apart by.</param>
/// <param name="Filters">The person's conditions, beside those of the scope.</param>
/// <param name="Measure">What the picture shows.</param>
/// <param name="View"><c>stack</c>, <c>line</c>, <c>share</c> or <c>heat</c>.</param>
/// <param name="Bucket">How time is cut.</param>
/// <param name="Compares">Whether the time before stands beside it.</param>
internal sealed record UsageQuery(
    Span Span, IReadOnlyList<Dimension> Groups, IReadOnlyList<Filter> Filters, Measure Measure, string View,
    Bucket Bucket, bool Compares)
{
    /// <summary>Views that are offered.</summary>
    internal static readonly string[] Views = ["stack", "line", "share", "heat"];

    /// <summary>Most dimensions at one time.</summary>
    internal const int MostGroups = 3;

    /// <summary>Time buckets that are offered.</summary>
    internal static readonly Bucket[] Buckets = [Bucket.Hour, Bucket.Day, Bucket.Week, Bucket.Month];

    /// <summary>Measures that a scope offers.</summary>
    internal static Measure[] MeasuresOf(Scope scope) => scope.IsAll
        ? Enum.GetValues<Measure>()
        : [.. Enum.GetValues<Measure>().Where(m => m is not (Measure.Cost or Measure.Margin))];

    /// <summary>Reads the address; the fault says what can't be read.</summary>
    internal static (UsageQuery? Query, string Fault) Read(Visit visit)
    {
        if (Span.Read(visit, "7d") is not { } span)
        {
            return (null, "period");
        }

        (List<Filter>? filters, string fault) = ReadFilters(visit);
        if (filters is null)
        {
            return (null, fault);
        }

        var groups = new List<Dimension>();
        foreach (string name in visit.QueryAll("group").SelectMany(text => text.Split(',')).Take(MostGroups))
        {
            if (name == "none")
            {
                continue;
            }

            if (!Dimensions.TryParse(name, out Dimension dimension) || !visit.Scope.Dimensions.Contains(dimension))
            {
                return (null, "group=" + name);
            }

            groups.Add(dimension);
        }

        Dimension usual = visit.Scope.IsAll ? Dimension.Party : Dimension.Model;
        bool unsaid = visit.QueryAll("group").Length == 0;
        Measure measure = Enum.TryParse(visit.Query("measure"), ignoreCase: true, out Measure named)
            && MeasuresOf(visit.Scope).Contains(named) ? named : Measure.Tokens;
        bool cut = Enum.TryParse(visit.Query("bucket"), ignoreCase: true, out Bucket bucket)
            && Buckets.Contains(bucket);
        string view = Array.IndexOf(Views, visit.Query("view")) >= 0 ? visit.Query("view") : "stack";
        return (new UsageQuery(
            span, unsaid ? [usual] : [.. groups.Distinct()], filters, measure, view, cut ? bucket : span.Natural,
            visit.Query("compare") == "1" && span.Before != default), "");
    }

    /// <summary>Reads conditions <c>f=DIMENSION:VALUE</c>; values of one dimension are alternatives.</summary>
    internal static (List<Filter>? Filters, string Fault) ReadFilters(Visit visit)
    {
        var values = new Dictionary<Dimension, List<string>>();
        foreach (string text in visit.QueryAll("f"))
        {
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || colon == text.Length - 1 || !Dimensions.TryParse(text[..colon], out Dimension dimension)
                || !visit.Scope.Dimensions.Contains(dimension))
            {
                return (null, "f=" + text);
            }

            if (!values.TryGetValue(dimension, out List<string>? list))
            {
                values[dimension] = list = [];
            }

            list.Add(text[(colon + 1)..]);
        }

        return ([.. values.Select(pair => new Filter(pair.Key, pair.Value))], "");
    }

    /// <summary>The question to the statistics, within the scope.</summary>
    internal ReportQuery ToReport(Visit visit, Period period, Bucket bucket) => new()
    {
        Period = period,
        Zone = visit.Zone,
        Bucket = bucket,
        GroupBy = Groups,
        Filters = [.. visit.Scope.Filters, .. Filters],
        Standard = StandardColumn.Ratios,
    };
}
