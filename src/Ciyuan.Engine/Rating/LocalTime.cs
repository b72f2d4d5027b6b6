using Ciyuan.Quantities;
using NodaTime;

namespace Ciyuan.Rating;

/// <summary>
/// Local date and clock time of moments in one zone, by arithmetic: the zone's changes are looked up once, when a book
/// is
/// added, so asking costs nanoseconds and allocates nothing. Safe for several threads.
/// </summary>
public sealed class LocalClock
{
    /// <summary>Nanoseconds in a day of 24 hours.</summary>
    public const long PerDay = 86_400 * Timestamp.PerSecond;

    private readonly long[] _starts; // from when each offset holds
    private readonly long[] _offsets;
    private int _last;

    /// <summary>The clock of a zone.</summary>
    public LocalClock(DateTimeZone zone)
    {
        Zone = zone;
        NodaTime.TimeZones.ZoneInterval[] spans =
            [.. zone.GetZoneIntervals(Timestamp.MinValue.ToInstant(), Timestamp.MaxValue.ToInstant())];
        _starts = Array.ConvertAll(spans, span =>
            !span.HasStart || span.Start < Timestamp.MinValue.ToInstant()
                ? long.MinValue
                : Timestamp.FromInstant(span.Start).UnixNanoseconds);
        _offsets = Array.ConvertAll(spans, span => span.WallOffset.Nanoseconds);
    }

    /// <summary>The zone.</summary>
    public DateTimeZone Zone { get; }

    /// <summary>The local date as days since 1970-01-01, and the clock time as nanoseconds since midnight.</summary>
    public (int Day, long NanosecondOfDay) At(Timestamp moment)
    {
        int at = _last;
        if (moment.UnixNanoseconds < _starts[at]
            || (at + 1 < _starts.Length && moment.UnixNanoseconds >= _starts[at + 1]))
        {
            int found = Array.BinarySearch(_starts, moment.UnixNanoseconds);
            _last = at = found >= 0 ? found : ~found - 1;
        }

        // The first and last hours that a timestamp can hold may be beyond it in local time: they stay as they are.
        long offset = _offsets[at];
        long nanoseconds = unchecked(moment.UnixNanoseconds + offset);
        nanoseconds = nanoseconds > moment.UnixNanoseconds == offset > 0 ? nanoseconds : moment.UnixNanoseconds;
        long day = nanoseconds / PerDay;
        day -= nanoseconds < day * PerDay ? 1 : 0;
        return ((int)day, nanoseconds - (day * PerDay));
    }

    /// <summary>Weekday of a day: 0 Monday to 6 Sunday.</summary>
    public static int Weekday(int day) => (((day + 3) % 7) + 7) % 7;
}

/// <summary>What kind of day a calendar says it is. Each day is of one kind.</summary>
public enum DayKind : byte
{
    /// <summary>The calendar does not cover its year.</summary>
    Unknown = 0,

    /// <summary>A weekday that is worked.</summary>
    Workday = 1,

    /// <summary>A day of the weekend that is not worked and no holiday.</summary>
    Weekend = 2,

    /// <summary>A public holiday, on whatever weekday.</summary>
    Holiday = 3,

    /// <summary>A day of the weekend that is worked instead of another.</summary>
    MakeUpWorkday = 4,
}

/// <summary>A calendar of holidays as it is in force: its latest version.</summary>
public sealed class DayCalendar
{
    private readonly int _firstDay;
    private readonly DayKind[] _kinds;

    internal DayCalendar(CalendarDays days)
    {
        Setup = days.Setup;
        _firstDay = days.FirstDay;
        _kinds = days.Kinds;
    }

    /// <summary>As it was written.</summary>
    public Parties.CalendarSetup Setup { get; }

    /// <summary>The kind of a day, given as days since 1970-01-01.</summary>
    public DayKind this[int day] => day >= _firstDay && day - _firstDay < _kinds.Length
        ? _kinds[day - _firstDay]
        : DayKind.Unknown;
}

/// <summary>The days of a calendar while it is read.</summary>
/// <param name="Setup">As it was written.</param>
/// <param name="FirstDay">First of <paramref name="Kinds"/>, as days since 1970-01-01.</param>
/// <param name="Kinds">The kind of each day.</param>
internal sealed record CalendarDays(Parties.CalendarSetup Setup, int FirstDay, DayKind[] Kinds);
