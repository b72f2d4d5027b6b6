using System.ComponentModel;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Ciyuan.Server.Api;

/// <summary>What the usage and cost endpoints are asked, as OpenAI's are. Lists may be repeated, and their names may
/// end in <c>[]</c>.</summary>
internal sealed record OrganizationParameters
{
    [FromQuery(Name = "start_time"), Description("First moment, in Unix seconds; needed.")]
    public long? StartTime { get; init; }

    [FromQuery(Name = "end_time"), Description("First moment after, in Unix seconds; now when left out.")]
    public long? EndTime { get; init; }

    [FromQuery(Name = "bucket_width"), Description("1m, 1h or 1d (when left out); costs have 1d alone.")]
    public string? BucketWidth { get; init; }

    [FromQuery(Name = "project_ids"), Description("Only these projects.")]
    public string[]? ProjectIds { get; init; }

    [FromQuery(Name = "user_ids"), Description("Only these users: consumers.")]
    public string[]? UserIds { get; init; }

    [FromQuery(Name = "api_key_ids"), Description("Only these keys.")]
    public string[]? ApiKeyIds { get; init; }

    [FromQuery(Name = "models"), Description("Only these models.")]
    public string[]? Models { get; init; }

    [FromQuery(Name = "group_by"), Description("project_id, user_id, api_key_id, model, batch, service_tier; of costs "
        + "project_id, line_item, api_key_id.")]
    public string[]? GroupBy { get; init; }

    [FromQuery(Name = "limit"), Description("Buckets of a page: with 1d 1 to 31 (7 when left out), with 1h 1 to 168 "
        + "(24), with 1m 1 to 1440 (60); of costs 1 to 180 (7).")]
    public int? Limit { get; init; }

    [FromQuery(Name = "page"), Description("next_page of the answer before.")]
    public string? Page { get; init; }

    private const string PagePrefix = "page_";

    /// <summary>The buckets of one page.</summary>
    /// <param name="Width">Length of a bucket in seconds.</param>
    /// <param name="Bucket">The same.</param>
    /// <param name="First">Start of the first, in Unix seconds.</param>
    /// <param name="Count">How many.</param>
    /// <param name="Start">First moment that counts.</param>
    /// <param name="End">First moment after.</param>
    internal sealed record Buckets(long Width, Bucket Bucket, long First, int Count, long Start, long End)
    {
        /// <summary>The next page; null when this is the last.</summary>
        internal string? NextPage => First + (Count * Width) < End ? $"{PagePrefix}{First + (Count * Width)}" : null;

        /// <summary>Event times of the page.</summary>
        internal Period Period => new(
            At(Math.Max(First, Start)), At(Math.Max(Math.Min(First + (Count * Width), End), Math.Max(First, Start))));

        private static Timestamp At(long seconds) => new(seconds * Timestamp.PerSecond);
    }

    /// <summary>The page that is asked for, or what is wrong.</summary>
    internal (Buckets? Page, string? Fault) ReadBuckets(bool areCosts, Timestamp now)
    {
        (long width, Bucket bucket, int most, int usual) = (BucketWidth ?? "1d") switch
        {
            "1d" => (86_400, Bucket.Day, areCosts ? 180 : 31, 7),
            "1h" when !areCosts => (3_600, Bucket.Hour, 168, 24),
            "1m" when !areCosts => (60, Bucket.Minute, 1_440, 60),
            _ => (0L, Bucket.None, 0, 0),
        };
        int limit = Limit ?? usual;
        long end = EndTime ?? ((now.UnixNanoseconds / Timestamp.PerSecond) + 1);
        if (width == 0)
        {
            return (null, areCosts ? "bucket_width: costs have 1d" : "bucket_width: 1m, 1h or 1d");
        }

        if (StartTime is not { } start || start < 0 || end < start || end > 8_000_000_000)
        {
            return (null, "start_time, end_time: Unix seconds; start_time is needed, and not after end_time");
        }

        if (limit < 1 || limit > most)
        {
            return (null, $"limit: 1 to {most}");
        }

        long first = start - (start % width);
        bool isPage = Page is null || (Page.StartsWith(PagePrefix, StringComparison.Ordinal)
            && long.TryParse(Page.AsSpan(PagePrefix.Length), System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture, out first)
            && first >= start - (start % width) && first % width == 0 && first <= end);
        long left = Math.Max((end - first + width - 1) / width, 0);
        return isPage ? (new Buckets(width, bucket, first, (int)Math.Min(limit, left), start, end), null)
            : (null, "page: next_page of the answer before");
    }

    /// <summary>The filters.</summary>
    internal List<Filter> ReadFilters(HttpRequest request)
    {
        var filters = new List<Filter>();
        foreach ((Dimension dimension, string name, string[]? given) in
            (IEnumerable<(Dimension, string, string[]?)>)[(Dimension.Project, "project_ids", ProjectIds),
                (Dimension.Party, "user_ids", UserIds), (Dimension.Key, "api_key_ids", ApiKeyIds),
                (Dimension.Model, "models", Models)])
        {
            string[] values = List(request, name, given);
            if (values.Length > 0)
            {
                filters.Add(new Filter(dimension, values));
            }
        }

        return filters;
    }

    /// <summary>What is grouped by, as it was written.</summary>
    internal string[] ReadGroups(HttpRequest request) => List(request, "group_by", GroupBy);

    private static string[] List(HttpRequest request, string name, string[]? given) =>
        [.. (given ?? []).Concat(request.Query[name + "[]"].OfType<string>()).SelectMany(v => v.Split(','))
            .Where(v => v.Length > 0).Distinct()];
}
