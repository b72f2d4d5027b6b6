using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Gateway;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using NodaTime;
using static Ciyuan.Tests.Journal.TestNetwork;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Tests.Settlement;

/// <summary>Periods, taxes and bills that were wrong or missing in other systems, each named after the public issue
/// that tells of it.</summary>
public sealed class PublicIssueTests
{
    // Tax was made of amounts that had been rounded line by line: a cent off.
    [Fact]
    public void LagoApi_824_TaxOfManyLines_IsOnTheTotal()
    {
        var network = new SettlingNetwork(t => t with { TaxPercent = "6", TaxMode = TaxMode.Added });
        foreach (string model in (string[])["m1", "m2", "m3"])
        {
            network.Use("2026-10-05T00:00:00Z", 22_000, model: model); // 0.044 each, and 0.04 each rounded
        }

        network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z");
        StatementDocument document = network.Document("sell", "2026-10");
        Assert.Equal(3, document.Lines.Count);
        Assert.Equal(new DocumentTax("6", "added", "0.13", "0.01", "0.14"), document.Tax);
    }

    // Months began in UTC for everyone.
    [Fact]
    public void Lago_146_MonthOfAZone_BeginsThere()
    {
        var network = new SettlingNetwork(t => t with { Zone = "Asia/Shanghai" });
        network.Use("2026-10-31T15:59:59.999999999Z", 1_000_000);
        network.Use("2026-10-31T16:00:00Z", 3_000_000);
        network.Freeze("sell", "2026-10", "2026-12-02T00:00:00Z");
        network.Freeze("sell", "2026-11", "2026-12-02T00:00:00Z");
        Assert.Equal("2", network.Document("sell", "2026-10").Tax.Gross);
        Assert.Equal("6", network.Document("sell", "2026-11").Tax.Gross);
    }

    // A day's budget was given back an offset late, so that 24 hours' money had to last for more.
    [Theory]
    [InlineData("Asia/Shanghai", "2026-11-01T15:59:59.999Z", "2026-10-31T16:00:00Z", "2026-11-01T16:00:00Z")]
    [InlineData("Asia/Shanghai", "2026-11-01T16:00:00Z", "2026-11-01T16:00:00Z", "2026-11-02T16:00:00Z")]
    [InlineData("Asia/Kolkata", "2026-11-01T18:30:00Z", "2026-11-01T18:30:00Z", "2026-11-02T18:30:00Z")]
    [InlineData("America/New_York", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")]
    public void Litellm_34896_40978_41211_DayOfABudget_IsADayOfItsZone(
        string zone, string now, string from, string to) => Assert.Equal(
        new Period(At(from), At(to)),
        BudgetLoad.PeriodOf(new BudgetSetup("b", "acme", "CNY", "1", Period: BudgetPeriod.Day, Zone: zone), At(now)));

    // Single days in India added up to about twice what the same days had together.
    [Fact]
    public void Litellm_29568_DaysOfAnyZone_AddUpToTheirRange()
    {
        var network = new SettlingNetwork(watched: false);
        for (int hour = 0; hour < 7 * 24; hour++)
        {
            network.Use(At("2026-10-01T00:15:00Z").PlusNanoseconds(hour * 3_600 * Timestamp.PerSecond).ToString(),
                1_000_000 + hour);
        }

        using var store = FactStore.OpenReadOnly(Path.GetTempPath(), _ => network.Frames);
        foreach (string id in (string[])["Asia/Kolkata", "Asia/Shanghai", "America/New_York", "UTC"])
        {
            DateTimeZone zone = DateTimeZoneProviders.Tzdb[id];
            Int128[] days = [.. Enumerable.Range(2, 5).Select(day => Spent(store, zone, $"2026-10-0{day}"))];
            Assert.True(Period.TryParse("2026-10-02", zone, out Period first));
            Assert.True(Period.TryParse("2026-10-06", zone, out Period last));
            var range = new Period(first.Start, last.End);
            Assert.Equal(Spent(store, zone, range), days.Aggregate((sum, day) => sum + day));
            Assert.Equal(Spent(store, zone, range), Rows(store, zone, range));
        }
    }

    // What an organisation's projects used in a month, as a bill and in detail.
    [Fact]
    public void NewApi_3006_4580_MonthByProject_AddsUpToTheBill()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 1_000_000, 20_000);
        network.Use("2026-10-06T00:00:00Z", 2_000_000, model: "m2");
        network.Use("2026-11-06T00:00:00Z", 5_000_000);
        network.Freeze("sell", "2026-10", "2026-11-07T00:00:00Z");
        StatementDocument bill = network.Document("sell", "2026-10");
        using var store = FactStore.OpenReadOnly(Path.GetTempPath(), _ => network.Frames);
        Assert.True(Period.TryParse("2026-10", DateTimeZone.Utc, out Period october));
        Report report = store.Run(new ReportQuery
        {
            Period = october,
            GroupBy = [Dimension.Party, Dimension.Project, Dimension.Model],
            Bucket = Bucket.Month,
        });
        Assert.Equal(2, report.Rows.Count);
        Assert.Equal(bill.Exact, new Amount(report.Value(report.Total, "income_CNY")).ToString());
        Assert.Equal(2, bill.Records);
    }

    // What a channel really costs, beside what it earns.
    [Fact]
    public void NewApi_4933_MarginByProvider_IsRevenueLessWhatIsOwed()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 1_000_000);
        using var store = FactStore.OpenReadOnly(Path.GetTempPath(), _ => network.Frames);
        MarginReport report = MarginReport.Of(store.Run(new ReportQuery { GroupBy = [Dimension.Provider] }));
        MarginRow row = Assert.Single(report.Rows);
        Assert.Equal(("qwen", "2", "1.200001"), (row.Key[^1], row.Revenue.ToString(), row.Cost.ToString()));
        Assert.Equal("0.799999", row.Margin.ToString());
    }

    private static Int128 Spent(FactStore store, DateTimeZone zone, string day)
    {
        Assert.True(Period.TryParse(day, zone, out Period period));
        return Spent(store, zone, period);
    }

    private static Int128 Spent(FactStore store, DateTimeZone zone, Period period)
    {
        Report report = store.Run(new ReportQuery { Period = period, Zone = zone });
        return report.Value(report.Total, "income_CNY");
    }

    private static Int128 Rows(FactStore store, DateTimeZone zone, Period period)
    {
        Report report = store.Run(new ReportQuery { Period = period, Zone = zone, Bucket = Bucket.Day });
        Assert.Equal(5, report.Rows.Count);
        return report.Rows.Aggregate(Int128.Zero, (sum, row) => sum + report.Value(row, "income_CNY"));
    }
}
