using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Xunit;
using DateTimeZoneProviders = NodaTime.DateTimeZoneProviders;

namespace Ciyuan.Tests.Statistics;

public sealed class TimeBucketsTests
{
    [Theory]
    [InlineData("Asia/Shanghai", "2026-03-08", 24)]
    [InlineData("America/New_York", "2026-03-08", 23)]
    [InlineData("America/New_York", "2026-11-01", 25)]
    [InlineData("Asia/Kolkata", "2026-11-01", 24)]
    public void Make_Hours_AreAsManyAsTheDayHas(string zone, string day, int hours)
    {
        NodaTime.DateTimeZone tz = DateTimeZoneProviders.Tzdb[zone];
        Assert.True(Period.TryParse(day, tz, out Period period));
        Timestamp last = period.End.PlusNanoseconds(-1);

        Assert.Equal(hours, TimeBuckets.Make(Bucket.Hour, tz, period.Start, last).Count);
        Assert.Equal(hours * 60, TimeBuckets.Make(Bucket.Minute, tz, period.Start, last).Count);
        Assert.Equal(1, TimeBuckets.Make(Bucket.Day, tz, period.Start, last).Count);
    }

    [Fact]
    public void Make_HalfHourShift_CutsTheHourAtTheChange()
    {
        // Lord Howe: at 02:00 +11:00 on 5 April 2026 the clock goes back to 01:30 +10:30.
        NodaTime.DateTimeZone zone = DateTimeZoneProviders.Tzdb["Australia/Lord_Howe"];
        TimeBuckets buckets = TimeBuckets.Make(
            Bucket.Hour, zone, SyntheticFrames.Time("2026-04-04T14:10:00Z"), SyntheticFrames.Time(
                "2026-04-04T16:00:00Z"));

        Assert.Equal(
            ["2026-04-05T01:00+11:00", "2026-04-05T01:30+10:30", "2026-04-05T02:00+10:30"],
            Enumerable.Range(0, buckets.Count).Select(buckets.Name));
    }

    [Fact]
    public void Make_NewYorkTurnsBack_TellsTheTwoHoursApart()
    {
        NodaTime.DateTimeZone zone = DateTimeZoneProviders.Tzdb["America/New_York"];
        TimeBuckets buckets = TimeBuckets.Make(
            Bucket.Hour, zone, SyntheticFrames.Time("2026-11-01T05:59:59Z"), SyntheticFrames.Time(
                "2026-11-01T06:00:00Z"));

        Assert.Equal(["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00"], Enumerable.Range(0, buckets.Count)
            .Select(buckets.Name));
    }

    [Fact]
    public void Make_Weeks_BeginOnMonday()
    {
        NodaTime.DateTimeZone zone = DateTimeZoneProviders.Tzdb["Asia/Shanghai"];
        TimeBuckets buckets = TimeBuckets.Make(
            Bucket.Week, zone, SyntheticFrames.Time("2026-11-22T15:59:59Z"), SyntheticFrames.Time(
                "2026-11-22T16:00:00Z"));

        Assert.Equal(["2026-11-16", "2026-11-23"], Enumerable.Range(0, buckets.Count).Select(buckets.Name));
        Assert.Equal(0, buckets.Find(SyntheticFrames.Time("2026-11-22T15:59:59Z").UnixNanoseconds));
        Assert.Equal(1, buckets.Find(SyntheticFrames.Time("2026-11-22T16:00:00Z").UnixNanoseconds));
    }

    [Fact]
    public void Make_AllTimeByDay_EndsAtTheEdgesOfTime()
    {
        TimeBuckets buckets = TimeBuckets.Make(Bucket.Month, NodaTime.DateTimeZone.Utc, Timestamp.MinValue,
            Timestamp.MaxValue);

        Assert.Equal(0, buckets.Find(long.MinValue));
        Assert.Equal(buckets.Count - 1, buckets.Find(long.MaxValue));
    }

    [Fact]
    public void Make_TooManyBuckets_IsRefused() => Assert.Throws<ReportTooLargeException>(() =>
        TimeBuckets.Make(Bucket.Minute, NodaTime.DateTimeZone.Utc, new Timestamp(0), Timestamp.MaxValue));
}
