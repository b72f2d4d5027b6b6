using Ciyuan.Quantities;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Tests.Quantities;

public sealed class TimeTests
{
    private static DateTimeZone Zone(string id) => DateTimeZoneProviders.Tzdb[id];

    [Theory]
    [InlineData("2026", "Asia/Shanghai", "2025-12-31T16:00:00Z", "2026-12-31T16:00:00Z")]
    [InlineData("2026-11", "Asia/Shanghai", "2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z")]
    [InlineData("2026-11-23", "Asia/Kolkata", "2026-11-22T18:30:00Z", "2026-11-23T18:30:00Z")]
    [InlineData("2026-03-08", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z")] // 23 hours
    [InlineData("2026-11-01", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")] // 25 hours
    [InlineData("2026-04-05", "Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z")] // 24.5 hours
    [InlineData("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z")] // no midnight
    [InlineData("2024-02-29", "UTC", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z")]
    [InlineData("1678", "UTC", "1678-01-01T00:00:00Z", "1679-01-01T00:00:00Z")]
    [InlineData("2260", "UTC", "2260-01-01T00:00:00Z", "2261-01-01T00:00:00Z")]
    public void TryParse_CalendarPeriod_HasTheBoundsOfItsZone(string text, string zone, string start, string end)
    {
        Assert.True(Period.TryParse(text, Zone(zone), out Period period));
        Assert.Equal($"[{start}, {end})", period.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("26")]
    [InlineData("2026-13")]
    [InlineData("2026-02-29")]
    [InlineData("2026-1-1")]
    [InlineData("2026-11-23T00:00:00Z")]
    [InlineData("1677")]
    [InlineData("2262")]
    [InlineData("9999-12-31")]
    [InlineData("9999-12")]
    [InlineData("9999")]
    [InlineData("-2026-01-01")]
    public void TryParse_NoCalendarPeriod_IsRefused(string text) => Assert.False(Period.TryParse(text,
        DateTimeZone.Utc, out _));

    [Theory]
    [InlineData("2026-11-01T08:00:00.5+08:00", "2026-11-01T00:00:00.5Z")]
    [InlineData("2026-11-23", "2026-11-22T16:00:00Z")]
    [InlineData("2026-11-01T00:00:00", null)]
    public void TryParseBound_MomentOrDay_IsItsFirstMoment(string text, string? expected)
    {
        Assert.Equal(expected is not null, Period.TryParseBound(text, Zone("Asia/Shanghai"), out Timestamp bound));
        Assert.Equal(expected ?? "1970-01-01T00:00:00Z", bound.ToString());
    }

    [Fact]
    public void Contains_Bounds_StartIsInAndEndIsOut()
    {
        var period = new Period(new Timestamp(10), new Timestamp(20));
        Assert.Equal("F,T,T,F", string.Join(',', new[] { 9, 10, 19, 20 }.Select(t =>
            period.Contains(new Timestamp(t)) ? 'T' : 'F')));
        Assert.True(Period.Always.Contains(Timestamp.MaxValue));
        Assert.True(Period.Always.Contains(Timestamp.MinValue));
        Assert.False(new Period(new Timestamp(5), new Timestamp(5)).Contains(new Timestamp(5)));
        Assert.Throws<ArgumentException>(() => new Period(new Timestamp(2), new Timestamp(1)));
    }

    [Fact]
    public void Intersect_Periods_IsTheCommonPart()
    {
        static Period P(long a, long b) => new(new Timestamp(a), new Timestamp(b));
        Assert.Equal(P(5, 7), P(1, 7).Intersect(P(5, 9)));
        Assert.Equal(P(8, 8), P(1, 7).Intersect(P(8, 9)));
        Assert.Equal(P(8, 8), P(8, 9).Intersect(P(1, 7)));
    }

    [Theory]
    [InlineData("1677-09-21T00:12:43.145224192Z", long.MinValue)]
    [InlineData("2262-04-11T23:47:16.854775807Z", long.MaxValue)]
    [InlineData("1969-12-31T23:59:59.999999999Z", -1)]
    public void Timestamp_EdgesOfTheRange_ReadAndWriteExactly(string text, long nanoseconds)
    {
        Assert.True(Timestamp.TryParse(text, out Timestamp moment));
        Assert.Equal(nanoseconds, moment.UnixNanoseconds);
        Assert.Equal(text, moment.ToString());
        Assert.Equal(moment, Timestamp.FromInstant(moment.ToInstant()));
    }

    [Theory]
    [InlineData("1677-09-21T00:12:43.145224191Z")]
    [InlineData("2262-04-11T23:47:16.854775808Z")]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59Z")]
    [InlineData("2026-11-01T00:00:00")]
    [InlineData("2026-11-01")]
    [InlineData("2026-02-30T00:00:00Z")]
    [InlineData("yesterday")]
    public void Timestamp_OutsideTheRangeOrNoMoment_IsRefused(string text) => Assert.False(Timestamp.TryParse(text,
        out _));

    [Fact]
    public void Timestamp_BeyondTheRange_Throws()
    {
        Assert.Throws<OverflowException>(() => Timestamp.MaxValue.PlusNanoseconds(1));
        Assert.Throws<OverflowException>(() => Timestamp.FromDateTimeOffset(DateTimeOffset.MaxValue));
        Assert.Throws<OverflowException>(() => Timestamp.FromInstant(Instant.FromUtc(3000, 1, 1, 0, 0)));
    }

    [Theory]
    [InlineData("CNY", true)]
    [InlineData("A", true)]
    [InlineData("ABCDEFG8", true)]
    [InlineData("", false)]
    [InlineData("ABCDEFGH9", false)]
    [InlineData("cny", false)]
    [InlineData("C-Y", false)]
    [InlineData("Ｃ", false)]
    public void Currency_Code_IsReadAndWrittenOrRefused(string code, bool good)
    {
        Assert.Equal(good, Currency.TryParse(code, out Currency currency));
        Assert.Equal(good ? code : "", currency.ToString());
        Assert.Equal(!good, currency.IsNone);
    }

    [Fact]
    public void Currency_Order_IsAlphabetical() =>
        Assert.Equal("A,AB,B,CNY,USD", string.Join(',', new[] { "USD", "B", "AB", "CNY", "A" }.Select(c =>
            Currency.Parse(c)).Order()));
}
