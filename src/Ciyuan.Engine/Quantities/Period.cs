using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Quantities;

/// <summary>A span of time: <see cref="Start"/> is inside, <see cref="End"/> is not.</summary>
public readonly record struct Period
{
    /// <summary>Makes a period.</summary>
    /// <exception cref="ArgumentException">The end is before the start.</exception>
    public Period(Timestamp start, Timestamp end)
    {
        if (end < start)
        {
            throw new ArgumentException($"A period can't end ({end}) before it starts ({start}).", nameof(end));
        }

        Start = start;
        End = end;
    }

    /// <summary>First moment inside.</summary>
    public Timestamp Start { get; }

    /// <summary>First moment after; not inside.</summary>
    public Timestamp End { get; }

    /// <summary>All time.</summary>
    public static Period Always => new(Timestamp.MinValue, Timestamp.MaxValue);

    /// <summary>True when the moment is inside. The last representable moment belongs to a period without
    /// end.</summary>
    public bool Contains(Timestamp moment) => moment >= Start && (moment < End || End == Timestamp.MaxValue);

    /// <summary>The part common to both; empty periods have <see cref="Start"/> = <see cref="End"/>.</summary>
    public Period Intersect(Period other)
    {
        Timestamp start = Start > other.Start ? Start : other.Start;
        Timestamp end = End < other.End ? End : other.End;
        return new Period(start, end < start ? start : end);
    }

    /// <summary>
    /// Reads a calendar period in a zone: a year <c>2026</c>, a month <c>2026-11</c> or a day <c>2026-11-23</c>. Days
    /// that are 23 or 25 hours long in that zone are taken as they are.
    /// </summary>
    public static bool TryParse(string text, DateTimeZone zone, out Period period)
    {
        period = default;
        LocalDate first;
        Func<LocalDate, LocalDate> next;
        if (text.Length == 4 && AnnualYear(text) is { } year)
        {
            (first, next) = (year, d => d.PlusYears(1));
        }
        else if (YearMonthPattern.Iso.Parse(text) is { Success: true } month)
        {
            (first, next) = (month.Value.OnDayOfMonth(1), d => d.PlusMonths(1));
        }
        else if (LocalDatePattern.Iso.Parse(text) is { Success: true } day)
        {
            (first, next) = (day.Value, d => d.PlusDays(1));
        }
        else
        {
            return false;
        }

        if (first.Year is < 1678 or > 2261 || next(first).Year > 2261)
        {
            return false;
        }

        period = new Period(StartOf(first, zone), StartOf(next(first), zone));
        return true;
    }

    /// <summary>Reads a bound: RFC 3339, or a day, month or year, of which the first moment in the zone is
    /// meant.</summary>
    public static bool TryParseBound(string text, DateTimeZone zone, out Timestamp bound)
    {
        bool calendar = TryParse(text, zone, out Period period);
        bound = period.Start;
        return calendar || Timestamp.TryParse(text, out bound);
    }

    /// <inheritdoc/>
    public override string ToString() => $"[{Name(Start, "…")}, {Name(End, "…")})";

    private static string Name(Timestamp bound, string open) =>
        bound == Timestamp.MinValue || bound == Timestamp.MaxValue ? open : bound.ToString();

    private static Timestamp StartOf(LocalDate date, DateTimeZone zone) =>
        Timestamp.FromInstant(date.AtStartOfDayInZone(zone).ToInstant());

    private static LocalDate? AnnualYear(string text) =>
        !text.AsSpan().ContainsAnyExceptInRange('0', '9')
            && LocalDatePattern.Iso.Parse(text + "-01-01") is { Success: true } day
            ? day.Value
            : null;
}
