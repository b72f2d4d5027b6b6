using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Server.Ingest;
using Ciyuan.Tests.Tidy;

namespace Ciyuan.Tests.Prices;

/// <summary>China's calendar agrees with the sentences of the State Council's notices: so many days for each holiday, and
/// so many days worked instead, which are all on weekends.</summary>
public sealed class HolidayCalendarTests
{
    private static CalendarSetup Calendar { get; } = SetupYaml.Parse(
        Repository.Read("samples/prices/cn-public-holidays.yaml"), "test").Calendars![0];

    [Theory]
    [InlineData(2025, new[] { 1, 8, 3, 5, 3, 8 }, 5)] // 元旦、春节、清明节、劳动节、端午节、国庆节与中秋节
    [InlineData(2026, new[] { 3, 9, 3, 5, 3, 3, 7 }, 6)] // … 中秋节、国庆节
    public void Year_Holidays_AreAsLongAsTheNoticeSays(int year, int[] lengths, int worked)
    {
        Assert.Contains(year, Calendar.Years);
        Assert.Equal(lengths, Ranges(Calendar.Holidays).Where(r => r.First.Year == year)
            .Select(r => r.Last.DayNumber - r.First.DayNumber + 1));
        Assert.Equal(worked, Worked(year).Count());
    }

    [Theory]
    [InlineData(2025, 28)]
    [InlineData(2026, 33)]
    public void Year_DaysOff_AreThoseOfTheLawAndWeekends(int year, int daysOff)
    {
        DateOnly[] off = [.. Ranges(Calendar.Holidays).Where(r => r.First.Year == year).SelectMany(r => Enumerable
            .Range(0, r.Last.DayNumber - r.First.DayNumber + 1).Select(r.First.AddDays))];
        Assert.Equal(daysOff, off.Length);
        Assert.Equal(off.Length, off.Distinct().Count());

        // A weekday off is either one of the 13 that the law gives or moved from a weekend day that is worked.
        int weekdaysOff = off.Count(d => d.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday));
        Assert.Equal(13, weekdaysOff - Worked(year).Count());
    }

    [Fact]
    public void MakeUpWorkdays_AreWeekendDaysOutsideHolidays()
    {
        (DateOnly First, DateOnly Last)[] holidays = [.. Ranges(Calendar.Holidays)];
        Assert.All(Ranges(Calendar.Workdays!), day =>
        {
            Assert.Equal(day.First, day.Last);
            Assert.True(day.First.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday, $"{day.First:O}");
            Assert.DoesNotContain(holidays, h => h.First <= day.First && day.First <= h.Last);
        });
    }

    private static IEnumerable<DateOnly> Worked(int year) =>
        Ranges(Calendar.Workdays!).Select(r => r.First).Where(d => d.Year == year);

    private static IEnumerable<(DateOnly First, DateOnly Last)> Ranges(IEnumerable<string> days) => days.Select(text =>
    {
        string[] ends = text.Split("..");
        return (Day(ends[0]), Day(ends[^1]));
    });

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);
}
