using Ciyuan.Rating;
using static Ciyuan.Tests.Rating.BookQuestions;

namespace Ciyuan.Tests.Rating;

/// <summary>Prices by time: a line of a table is a moment and what a million input tokens cost then.</summary>
public sealed class WindowTests
{
    private const string Peak =
        """
        calendars:
          - id: cn
            version: 1
            years: [2026]
            holidays: ["2026-01-01..2026-01-03", "2026-10-01..2026-10-07"]
            workdays: ["2026-09-27", "2026-10-10"]
        books:
          - id: b
            currency: CNY
            zone: Asia/Shanghai
            calendar: cn
            prices:
              - model: m
                per_million_tokens: {input: 1}
                rules:
                  - name: peak
                    when: {day_kinds: [workday, make_up_workday], times: ["09:00-12:00", "14:00-18:00"]}
                    per_million_tokens: {input: 2}
        """;

    private static readonly PriceBooks PeakBooks = Books(Peak);

    [Theory]
    [InlineData("2026-11-25T08:59:59.999+08:00", "1")] // a Wednesday
    [InlineData("2026-11-25T08:59:59.999999999+08:00", "1")]
    [InlineData("2026-11-25T09:00:00+08:00", "2")]
    [InlineData("2026-11-25T01:00:00Z", "2")]
    [InlineData("2026-11-25T11:59:59.999999999+08:00", "2")]
    [InlineData("2026-11-25T12:00:00+08:00", "1")]
    [InlineData("2026-11-25T13:59:59.999+08:00", "1")]
    [InlineData("2026-11-25T14:00:00+08:00", "2")]
    [InlineData("2026-11-25T17:59:59.999+08:00", "2")]
    [InlineData("2026-11-25T18:00:00+08:00", "1")]
    [InlineData("2026-11-28T10:00:00+08:00", "1")] // Saturday
    [InlineData("2026-11-29T10:00:00+08:00", "1")] // Sunday
    [InlineData("2026-11-30T10:00:00+08:00", "2")] // Monday, the last day of the month
    [InlineData("2026-09-30T17:59:59.999+08:00", "2")] // the day before the holiday
    [InlineData("2026-10-01T10:00:00+08:00", "1")] // a holiday on a Thursday
    [InlineData("2026-10-07T15:00:00+08:00", "1")] // its last day
    [InlineData("2026-10-08T09:00:00+08:00", "2")]
    [InlineData("2026-09-27T10:00:00+08:00", "2")] // a Sunday that is worked instead
    [InlineData("2026-10-10T10:00:00+08:00", "2")] // a Saturday that is worked instead
    [InlineData("2026-10-10T08:59:59.999+08:00", "1")]
    [InlineData("2026-10-11T10:00:00+08:00", "1")]
    [InlineData("2025-12-31T23:59:59+08:00", "1")] // no year 2025, but at this time it does not matter
    [InlineData("2025-12-31T10:00:00+08:00", "CalendarUnknown")]
    [InlineData("2027-01-01T10:00:00+08:00", "CalendarUnknown")]
    [InlineData("2026-12-31T16:00:00Z", "1")] // 2027 in Beijing already, at midnight
    [InlineData("2026-01-01T09:00:00+08:00", "1")]
    public void Ask_BeijingPeak_IsByClockWeekdayAndHoliday(string time, string price) =>
        Assert.Equal(price, Ask(PeakBooks, Record(time, "input.text=1000000")));

    [Theory]
    [InlineData("2026-03-08T00:59:59-05:00", "1")] // the clocks go from 02:00 to 03:00
    [InlineData("2026-03-08T01:00:00-05:00", "2")]
    [InlineData("2026-03-08T01:59:59.999-05:00", "2")]
    [InlineData("2026-03-08T03:00:00-04:00", "1")] // the next moment: it is 03:00
    [InlineData("2026-11-01T00:59:59-04:00", "1")] // the clocks go from 02:00 back to 01:00
    [InlineData("2026-11-01T01:00:00-04:00", "2")]
    [InlineData("2026-11-01T01:59:59.999-04:00", "2")]
    [InlineData("2026-11-01T01:00:00-05:00", "2")] // the hour comes twice
    [InlineData("2026-11-01T02:59:59.999-05:00", "2")]
    [InlineData("2026-11-01T03:00:00-05:00", "1")]
    [InlineData("2026-07-01T05:30:00Z", "2")] // 01:30 in summer
    [InlineData("2026-12-01T06:30:00Z", "2")] // 01:30 in winter
    [InlineData("2026-12-01T05:30:00Z", "1")]
    public void Ask_NewYorkNight_FollowsTheClocks(string time, string price) => Assert.Equal(price, Ask(
        Books(OneRule("America/New_York", """{times: ["01:00-03:00"]}""")), Record(time, "input.text=1000000")));

    [Theory]
    [InlineData("2026-11-27T21:59:59.999Z", "1")]
    [InlineData("2026-11-27T22:00:00Z", "2")] // Friday
    [InlineData("2026-11-27T23:59:59.999999999Z", "2")]
    [InlineData("2026-11-28T00:00:00Z", "1")] // Saturday: the day is that of the moment
    [InlineData("2026-11-27T05:59:59.999Z", "2")]
    [InlineData("2026-11-27T06:00:00Z", "1")]
    public void Ask_TimesOverMidnight_AreOfTheDayOfTheMoment(string time, string price) => Assert.Equal(price, Ask(
        Books(OneRule("UTC", """{days: [fri], times: ["22:00-06:00"]}""")), Record(time, "input.text=1000000")));

    [Theory]
    [InlineData("2026-11-09T15:59:59.999999999Z", "1")]
    [InlineData("2026-11-09T16:00:00Z", "2")]
    [InlineData("2026-11-30T15:59:59.999999999Z", "2")]
    [InlineData("2026-11-30T16:00:00Z", "1")]
    public void Ask_Promotion_EndsAtItsMoment(string time, string price) => Assert.Equal(price, Ask(
        Books(OneRule("UTC", "{from: 2026-11-10T00:00:00+08:00, to: 2026-12-01T00:00:00+08:00}")),
        Record(time, "input.text=1000000")));

    [Theory]
    [InlineData("18:00-24:00", "2026-11-25T23:59:59.999999999Z", "2")]
    [InlineData("18:00-24:00", "2026-11-25T00:00:00Z", "1")]
    [InlineData("09:30:15-10:00", "2026-11-25T09:30:14.999Z", "1")]
    [InlineData("09:30:15-10:00", "2026-11-25T09:30:15Z", "2")]
    public void Ask_Times_ReadAsTheyAreWritten(string times, string time, string price) => Assert.Equal(price, Ask(
        Books(OneRule("UTC", $$"""{times: ["{{times}}"]}""")), Record(time, "input.text=1000000")));

    [Theory]
    [InlineData("2026-10-09T00:00:00Z", "7.0823")] // before the day's rate: the one before
    [InlineData("2026-10-12T01:14:59.999Z", "7.0823")]
    [InlineData("2026-10-12T01:15:00Z", "7.1001")]
    [InlineData("2027-10-12T01:15:00Z", "7.1001")]
    [InlineData("2026-09-30T23:59:59Z", "ExchangeUnknown")]
    public void Ask_AnotherCurrency_IsAtTheRateInForce(string time, string price) => Assert.Equal(price, Ask(
        Books(
            """
            exchange:
              - id: mid
                from: USD
                to: CNY
                rates:
                  - {at: 2026-10-01T00:00:00Z, rate: 7.0823}
                  - {at: 2026-10-12T01:15:00Z, rate: 7.1001}
            books:
              - {id: b, currency: CNY, on: {book: usd, exchange: mid}}
              - {id: usd, currency: USD, prices: [{model: m, per_million_tokens: {input: 1}}]}
            """), Record(time, "input.text=1000000")));

    private static string OneRule(string zone, string when) =>
        $$$"""
        books:
          - id: b
            currency: USD
            zone: {{{zone}}}
            prices:
              - model: m
                per_million_tokens: {input: 1}
                rules: [{name: r, when: {{{when}}}, per_million_tokens: {input: 2}}]
        """;
}
