using System.Diagnostics.CodeAnalysis;
using Ciyuan.Quantities;
using DateTimeZone = NodaTime.DateTimeZone;

namespace Ciyuan.Statistics;

/// <summary>What usage and money can be grouped and filtered by. Absent parts have the value
/// <see cref="Dimensions.None"/>.</summary>
public enum Dimension
{
    /// <summary>The consumer.</summary>
    Party,

    /// <summary>The consumer's project.</summary>
    Project,

    /// <summary>The project's key.</summary>
    Key,

    /// <summary>The scenario.</summary>
    Scenario,

    /// <summary>The model as answered, else as asked.</summary>
    Model,

    /// <summary>The model as asked.</summary>
    ModelAsked,

    /// <summary>The model provider.</summary>
    Provider,

    /// <summary>The compute site.</summary>
    Site,

    /// <summary>The operation.</summary>
    Operation,

    /// <summary>Where the record came from.</summary>
    Source,

    /// <summary>How the call ended: <c>ok</c>, <c>failed</c>, <c>cut</c>; none for corrections.</summary>
    Outcome,

    /// <summary>Token class or other meter, such as <c>input.text.cache_read</c> or <c>image</c>.</summary>
    Class,

    /// <summary><c>input</c> or <c>output</c>; none for meters that are not tokens.</summary>
    Direction,

    /// <summary><c>text</c>, <c>image</c>, …; none for meters that are not tokens.</summary>
    Modality,

    /// <summary><c>fresh</c>, <c>cache_read</c>, …; none for meters that are not tokens.</summary>
    Kind,

    /// <summary>How sure the counts are: <c>exact</c>, <c>reported</c>, <c>bounded</c>, <c>partial</c>,
    /// <c>estimated</c>.</summary>
    Grade,

    /// <summary>The agreement of a charge.</summary>
    Agreement,

    /// <summary><c>income</c>, <c>cost</c> or <c>between</c>.</summary>
    Side,
}

/// <summary>Names and natures of the dimensions.</summary>
public static class Dimensions
{
    /// <summary>The value of what is absent, does not apply, or has no class (charges per call, shares,
    /// corrections).</summary>
    public const string None = "-";

    /// <summary>The name, as written in queries and headings: <c>model_asked</c>.</summary>
    public static string Name(this Dimension dimension) =>
        dimension == Dimension.ModelAsked ? "model_asked" : dimension.ToString().ToLowerInvariant();

    /// <summary>Reads a name; false when there is no such dimension.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out Dimension dimension)
    {
        foreach (Dimension candidate in Enum.GetValues<Dimension>())
        {
            if (candidate.Name() == name)
            {
                dimension = candidate;
                return true;
            }
        }

        dimension = default;
        return false;
    }

    /// <summary>True for what tells the counts of one record apart: class, direction, modality, kind, grade.</summary>
    public static bool IsOfCount(this Dimension dimension) => dimension is >= Dimension.Class and <= Dimension.Grade;

    /// <summary>True for what tells the charges of one record apart: agreement, side.</summary>
    public static bool IsOfCharge(this Dimension dimension) => dimension is Dimension.Agreement or Dimension.Side;
}

/// <summary>How time is cut, in the zone of the query. Minutes to hours are cut at a change of offset too.</summary>
public enum Bucket
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Minutes.</summary>
    Minute,

    /// <summary>Quarters of an hour.</summary>
    QuarterHour,

    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Days, of 23, 24 or 25 hours as the zone has them.</summary>
    Day,

    /// <summary>Weeks that begin on Monday.</summary>
    Week,

    /// <summary>Months.</summary>
    Month,
}

/// <summary>A condition: the dimension has one of the values.</summary>
/// <param name="Dimension">Which dimension.</param>
/// <param name="Values">One or more; <c>*</c> stands for any run of characters.</param>
public sealed record Filter(Dimension Dimension, IReadOnlyList<string> Values)
{
    /// <summary>True when one of the values, taken as patterns, is the text.</summary>
    public bool Matches(string text)
    {
        foreach (string value in Values)
        {
            if (Matches(value, text))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        // Greedy with one way back: after a '*', the shortest run that lets the rest match is enough.
        int p = 0;
        int t = 0;
        int star = -1;
        int resume = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = t;
            }
            else if (p < pattern.Length && pattern[p] == text[t])
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++resume;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].TrimStart('*').IsEmpty;
    }
}

/// <summary>
/// A question about usage and money. Each record, and each correction, counts in its event time. Filters restrict what
/// is counted: a filter on a class leaves the counts and the money of that class, and the records that have such a
/// count; a filter on an agreement leaves its charges and the records that it charges.
/// </summary>
public sealed record ReportQuery
{
    /// <summary>Most dimensions to group by.</summary>
    public const int MaxGroupBy = 8;

    /// <summary>Most filters, and most values in one.</summary>
    public const int MaxFilters = 256;

    /// <summary>Event times that count.</summary>
    public Period Period { get; init; } = Period.Always;

    /// <summary>Zone of the time buckets, and of the days and months that people read.</summary>
    public DateTimeZone Zone { get; init; } = DateTimeZone.Utc;

    /// <summary>What rows are kept apart by, in the order of the row's key; each dimension at most once.</summary>
    public IReadOnlyList<Dimension> GroupBy { get; init; } = [];

    /// <summary>Conditions; all must hold.</summary>
    public IReadOnlyList<Filter> Filters { get; init; } = [];

    /// <summary>How time is cut; the bucket is the first part of the row's key.</summary>
    public Bucket Bucket { get; init; }

    /// <summary>Tells standard tokens too, by these ratios; null: it does not.</summary>
    public StandardRatios? Standard { get; init; }

    /// <summary>Why the query can't be run, or null when it can.</summary>
    public string? FindFault()
    {
        if (GroupBy.Count > MaxGroupBy || GroupBy.Distinct().Count() != GroupBy.Count)
        {
            return $"group by at most {MaxGroupBy} dimensions, each once";
        }

        return Filters.Count > MaxFilters || Filters.Any(f => f.Values.Count is 0 or > MaxFilters)
            ? $"at most {MaxFilters} filters, each with 1 to {MaxFilters} values"
            : null;
    }
}
