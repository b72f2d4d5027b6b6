using System.Globalization;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Console.Data;

/// <summary>A time that is looked at, as the address has it: <c>7d</c>, <c>today</c>, <c>2026-11</c>, … Named spans are
/// bounded by days of the zone, so that the question stays the same all day and its answer can be kept.</summary>
/// <param name="Name">As the address has it.</param>
/// <param name="Period">Event times.</param>
/// <param name="Before">As long a time before, to compare with.</param>
internal sealed record Span(string Name, Period Period, Period Before)
{
    /// <summary>What is offered.</summary>
    internal static readonly string[] Offered =
        ["today", "yesterday", "7d", "14d", "30d", "90d", "month", "last-month", "all"];

    /// <summary>Days, where it has whole ones; 0 for all time.</summary>
    internal int Days => Name == "all" ? 0
        : (int)((Period.End.UnixNanoseconds - Period.Start.UnixNanoseconds + (12L * 3600 * Timestamp.PerSecond))
            / (24L * 3600 * Timestamp.PerSecond));

    /// <summary>How finely time is cut unless told otherwise.</summary>
    internal Bucket Natural => Days switch
    {
        0 => Bucket.Month,
        <= 2 => Bucket.Hour,
        <= 92 => Bucket.Day,
        <= 400 => Bucket.Week,
        _ => Bucket.Month,
    };

    /// <summary>The span that a query names; <paramref name="usual"/> when it names none; null when it can't be
    /// read.</summary>
    internal static Span? Read(Visit visit, string usual)
    {
        string from = visit.Query("from");
        string to = visit.Query("to");
        if (visit.Query("period").Length == 0 && (from.Length > 0 || to.Length > 0))
        {
            return ReadBounds(visit, from, to);
        }

        return Named(visit, visit.Query("period") is { Length: > 0 } given ? given : usual);
    }

    /// <summary>The span of a name, seen from now; null when there is none.</summary>
    internal static Span? Named(Visit visit, string name)
    {
        LocalDate today = visit.Now.ToInstant().InZone(visit.Zone).Date;
        LocalDate month = new(today.Year, today.Month, 1);
        (LocalDate Start, LocalDate End)? days = name switch
        {
            "today" => (today, today.PlusDays(1)),
            "yesterday" => (today.PlusDays(-1), today),
            "month" => (month, month.PlusMonths(1)),
            "last-month" => (month.PlusMonths(-1), month),
            _ when name.EndsWith('d') && int.TryParse(
                name.AsSpan(0, name.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int n)
                && n is >= 1 and <= 3_660 => (today.PlusDays(1 - n), today.PlusDays(1)),
            _ => null,
        };
        if (days is { } span)
        {
            LocalDate before = name is "month" or "last-month"
                ? span.Start.PlusMonths(-1)
                : span.Start.PlusDays(-NodaTime.Period.Between(span.Start, span.End, PeriodUnits.Days).Days);
            return new Span(name, Of(visit, span.Start, span.End), Of(visit, before, span.Start));
        }

        if (name == "all")
        {
            return new Span(name, Period.Always, default);
        }

        return Period.TryParse(name, visit.Zone, out Period calendar)
            ? new Span(name, calendar, BeforeOf(calendar))
            : null;
    }

    private static Span? ReadBounds(Visit visit, string from, string to)
    {
        Timestamp start = Timestamp.MinValue;
        Timestamp end = Timestamp.MaxValue;
        bool read = (from.Length == 0 || Period.TryParseBound(from, visit.Zone, out start))
            && (to.Length == 0 || Period.TryParseBound(to, visit.Zone, out end)) && start <= end;
        var period = new Period(read ? start : default, read ? end : default);
        return read ? new Span("", period, from.Length > 0 && to.Length > 0 ? BeforeOf(period) : default) : null;
    }

    private static Period BeforeOf(Period period)
    {
        Int128 length = (Int128)period.End.UnixNanoseconds - period.Start.UnixNanoseconds;
        Int128 start = period.Start.UnixNanoseconds - length;
        return start < long.MinValue ? default : new Period(new Timestamp((long)start), period.Start);
    }

    private static Period Of(Visit visit, LocalDate start, LocalDate end) => new(
        Timestamp.FromInstant(visit.Zone.AtStartOfDay(start).ToInstant()),
        Timestamp.FromInstant(visit.Zone.AtStartOfDay(end).ToInstant()));
}
