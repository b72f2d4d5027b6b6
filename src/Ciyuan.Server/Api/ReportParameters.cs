using System.ComponentModel;
using Ciyuan.Statistics;
using Microsoft.AspNetCore.Mvc;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Api;

/// <summary>The question of a report, as a query string.</summary>
internal sealed record ReportParameters
{
    [FromQuery(Name = "group"), Description("Dimensions to group by, with commas: party, project, key, scenario, "
        + "model, "
        + "model_asked, provider, site, operation, source, outcome, class, direction, modality, kind, grade, "
        + "agreement, side.")]
    public string? Group { get; init; }

    [FromQuery(Name = "bucket"), Description("How time is cut: none, minute, quarter_hour, hour, day, week or month.")]
    public string? Bucket { get; init; }

    [FromQuery(Name = "filter"), Description("DIMENSION=VALUE,VALUE; a value may be a pattern with *. Repeat it for "
        + "more "
        + "conditions; all must hold.")]
    public string[]? Filter { get; init; }

    [FromQuery(Name = "period"), Description("A year, month or day in the zone, such as 2026-11. All time when left "
        + "out.")]
    public string? Period { get; init; }

    [FromQuery(Name = "from"), Description("Instead of a period: its first moment; a day, month, year or RFC 3339.")]
    public string? From { get; init; }

    [FromQuery(Name = "to"), Description("Instead of a period: the first moment after it.")]
    public string? To { get; init; }

    [FromQuery(Name = "zone"), Description("IANA zone of days and buckets; UTC when left out.")]
    public string? Zone { get; init; }

    [FromQuery(Name = "format"), Description("json (when left out) or csv.")]
    public string? Format { get; init; }

    /// <summary>The question, or what is wrong with it.</summary>
    internal (ReportQuery? Query, string? Fault) FromApi()
    {
        (Period period, string? fault) = ApiTime.ParsePeriod(Period, From, To, Zone);
        if (fault is not null)
        {
            return (null, fault);
        }

        (IReadOnlyList<Dimension> groups, fault) = ParseGroups(Group);
        (IReadOnlyList<Filter> filters, string? filterFault) = ParseFilters(Filter ?? []);
        (Bucket bucket, string? bucketFault) = ParseBucket(Bucket);
        var query = new ReportQuery
        {
            Period = period,
            Zone = ApiTime.FindZone(Zone)!,
            GroupBy = groups,
            Filters = filters,
            Bucket = bucket,
        };
        fault ??= filterFault ?? bucketFault ?? query.FindFault();
        return (fault is null ? query : null, fault);
    }

    private static (IReadOnlyList<Dimension> Groups, string? Fault) ParseGroups(string? text)
    {
        var groups = new List<Dimension>();
        const StringSplitOptions Names = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        foreach (string name in (text ?? "").Split(',', Names))
        {
            if (!Dimensions.TryParse(name, out Dimension dimension))
            {
                return ([], $"group: there is no dimension '{name}'. {DimensionNames}");
            }

            groups.Add(dimension);
        }

        return (groups, null);
    }

    private static (IReadOnlyList<Filter> Filters, string? Fault) ParseFilters(string[] texts)
    {
        var filters = new List<Filter>();
        foreach (string text in texts)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !Dimensions.TryParse(text[..equals], out Dimension dimension))
            {
                return ([], $"filter: '{text}' is not DIMENSION=VALUE. {DimensionNames}");
            }

            filters.Add(new Filter(dimension, text[(equals + 1)..].Split(',')));
        }

        return (filters, null);
    }

    private static (Bucket Bucket, string? Fault) ParseBucket(string? text)
    {
        string name = (text ?? "none").Replace("_", "", StringComparison.Ordinal);
        bool isName = Enum.TryParse(name, ignoreCase: true, out Bucket bucket) && !char.IsAsciiDigit(name[0]);
        return (bucket, isName ? null : "bucket: none, minute, quarter_hour, hour, day, week or month");
    }

    private static string DimensionNames =>
        "Dimensions are " + string.Join(", ", Enum.GetValues<Dimension>().Select(d => d.Name())) + ".";
}
