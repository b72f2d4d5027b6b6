using Ciyuan.Parties;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Rating;

/// <summary>Reads calendars of holidays, with a fault for each thing that can't be.</summary>
internal static class ReadCalendar
{
    private const int MaxYears = 200;

    internal static readonly string[] DayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// <summary>The calendars with one more, or with further years of one.</summary>
    internal static void Add(
        Dictionary<string, DayCalendar> calendars, CalendarSetup setup, List<string> faults, ref bool changed)
    {
        string what = $"calendar '{setup.Id}' version {setup.Version}";
        DayCalendar? old = calendars.GetValueOrDefault(setup.Id);
        if (old is not null && old.Setup.Version >= setup.Version)
        {
            if (old.Setup.Version > setup.Version || !SameDays(old, setup, what, faults)
                || old.Setup.Years.Count != setup.Years.Count)
            {
                faults.Add($"{what}: version {old.Setup.Version} is there and can't be changed; add a higher version");
            }

            return;
        }

        int before = faults.Count;
        CalendarDays? days = Read(setup, what, faults);
        if (days is not null && old is not null && !Keeps(new DayCalendar(days), old))
        {
            faults.Add($"{what}: changes days of the years of version {old.Setup.Version}; it may only add years");
        }

        if (faults.Count == before && days is not null)
        {
            calendars[setup.Id] = new DayCalendar(days);
            changed = true;
        }
    }

    private static bool SameDays(DayCalendar old, CalendarSetup setup, string what, List<string> faults) =>
        Read(setup, what, faults) is { } days && Keeps(new DayCalendar(days), old);

    private static bool Keeps(DayCalendar next, DayCalendar old) => old.Setup.Years.All(year =>
        Enumerable.Range(FirstDayOf(year), FirstDayOf(year + 1) - FirstDayOf(year)).All(d => next[d] == old[d]));

    private static CalendarDays? Read(CalendarSetup setup, string what, List<string> faults)
    {
        int before = faults.Count;
        if (!Catalog.IsName(setup.Id) || setup.Version < 1)
        {
            faults.Add($"{what}: needs a short name and a version of 1 or more");
        }

        if (setup.Years.Count == 0 || setup.Years.Any(y => y is < 1900 or > 2200)
            || setup.Years.Distinct().Count() != setup.Years.Count || setup.Years.Max() - setup.Years.Min() >= MaxYears)
        {
            faults.Add($"{what}: years must name the years that it covers, each once, 1900 to 2200");
            return null;
        }

        int weekend = 0;
        foreach (string name in setup.Weekend ?? ["sat", "sun"])
        {
            int day = Array.IndexOf(DayNames, name);
            weekend |= day < 0 ? 0 : 1 << day;
            if (day < 0)
            {
                faults.Add($"{what}: weekend has '{name}'; there are {string.Join(", ", DayNames)}");
            }
        }

        var days = Usual(setup, weekend);
        Mark(days, setup.Holidays, DayKind.Holiday, what, faults);
        Mark(days, setup.Workdays ?? [], DayKind.MakeUpWorkday, what, faults);
        return faults.Count == before ? days : null;
    }

    private static CalendarDays Usual(CalendarSetup setup, int weekend)
    {
        int first = FirstDayOf(setup.Years.Min());
        var kinds = new DayKind[FirstDayOf(setup.Years.Max() + 1) - first];
        foreach (int year in setup.Years)
        {
            for (int day = FirstDayOf(year); day < FirstDayOf(year + 1); day++)
            {
                kinds[day - first] = (weekend & (1 << LocalClock.Weekday(day))) != 0
                    ? DayKind.Weekend
                    : DayKind.Workday;
            }
        }

        return new CalendarDays(setup, first, kinds);
    }

    private static void Mark(
        CalendarDays days, IReadOnlyList<string> ranges, DayKind kind, string what, List<string> faults)
    {
        foreach (string range in ranges)
        {
            string[] ends = range.Split("..");
            if (ends.Length > 2 || !TryReadDay(ends[0], out int first) || !TryReadDay(ends[^1], out int last)
                || last < first)
            {
                faults.Add($"{what}: '{range}' must be a day 2026-01-01 or a range 2026-02-15..2026-02-23");
                continue;
            }

            for (int day = first; day <= last; day++)
            {
                int at = day - days.FirstDay;
                DayKind was = at >= 0 && at < days.Kinds.Length ? days.Kinds[at] : DayKind.Unknown;
                if (was == DayKind.Unknown || was >= DayKind.Holiday
                    || (kind == DayKind.MakeUpWorkday && was != DayKind.Weekend))
                {
                    faults.Add(was == DayKind.Unknown ? $"{what}: '{range}' is outside the years that it covers"
                        : was >= DayKind.Holiday ? $"{what}: a day of '{range}' is named twice"
                        : $"{what}: workdays has '{range}', of which a day is worked anyway");
                    break;
                }

                days.Kinds[at] = kind;
            }
        }
    }

    private static bool TryReadDay(string text, out int day)
    {
        ParseResult<LocalDate> parsed = LocalDatePattern.Iso.Parse(text);
        day = parsed.Success ? DaysSinceEpoch(parsed.Value) : 0;
        return parsed.Success;
    }

    private static int FirstDayOf(int year) => DaysSinceEpoch(new LocalDate(year, 1, 1));

    private static int DaysSinceEpoch(LocalDate date) => Period.DaysBetween(new LocalDate(1970, 1, 1), date);
}
