using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Tests.Exports;

public sealed class MarginTests : IAsyncLifetime
{
    private SmallNetwork _network = null!;
    private Catalog _catalog = null!;

    public async Task InitializeAsync()
    {
        _network = await SmallNetwork.MakeAsync(seed: 21, records: 1_200);
        (_catalog, _) = await _network.TermsAsync();
    }

    public async Task DisposeAsync() => await _network.DisposeAsync();

    [Theory]
    [InlineData(Dimension.Model)]
    [InlineData(Dimension.Party)]
    [InlineData(Dimension.Provider)]
    public void Of_AnyGroup_AddsUpToTheLedger(Dimension group)
    {
        MarginReport report = MarginReport.Of(_network.Shard.Facts.Run(new ReportQuery
        {
            GroupBy = [group],
            Bucket = Bucket.Month,
        }));
        foreach (MarginRow total in report.Totals)
        {
            MarginRow[] rows = [.. report.Rows.Where(r => r.Currency == total.Currency)];
            Amount Sum(Side side) => _catalog.Agreements.Where(a => a.Currency == total.Currency)
                .Select(a => _network.Shard.Facts.RunStatement(
                    new StatementQuery(a.Id, Period.Always, DateTimeZone.Utc)))
                .Where(s => s.Side == side).Aggregate(Amount.Zero, (sum, s) => sum + s.Exact);
            Assert.Equal(Sum(Side.Income), total.Revenue);
            Assert.Equal(Sum(Side.Cost), total.Cost);
            Assert.Equal(total.Revenue, rows.Aggregate(Amount.Zero, (sum, r) => sum + r.Revenue));
            Assert.Equal(total.Margin, rows.Aggregate(Amount.Zero, (sum, r) => sum + r.Margin));
        }

        Assert.Equal(["CNY", "USD"], report.Totals.Select(t => t.Currency.ToString()).Order());
    }

    [Theory]
    [InlineData("120", "100", "16.7")]
    [InlineData("100", "120", "-20.0")]
    [InlineData("3", "3", "0.0")]
    [InlineData("0", "3", null)]
    public void Percent_RevenueAndCost_IsOfTheRevenue(string revenue, string cost, string? percent) => Assert.Equal(
        percent, new MarginRow([], Currency.Usd, Amount.Parse(revenue), Amount.Parse(cost), 0).Percent);

    [Fact]
    public async Task Balances_FromTheLastDays_AreThoseOfTheLedger()
    {
        Assert.True(Timestamp.TryParse("2026-11-29T10:00:00Z", out Timestamp now));
        IReadOnlyList<BalanceForecast> all = Forecast.Balances(
            _network.Shard.Facts, await _network.Shard.BalancesAsync(), now, 28, DateTimeZone.Utc);
        BalanceForecast usd = Assert.Single(all, f => f.Party == "acme" && f.Currency == Currency.Usd);
        Assert.True(Period.TryParseBound("2026-11-01", DateTimeZone.Utc, out Timestamp from));
        Assert.True(Period.TryParseBound("2026-11-29", DateTimeZone.Utc, out Timestamp to));
        Statement statement = _network.Shard.Facts.RunStatement(
            new StatementQuery("acme-usd", new Period(from, to), DateTimeZone.Utc));
        Assert.Equal((double)FocusRules.Decimal(statement.Exact.ToString()) / 28, usd.Use.MeanPerDay, 9);
        Assert.Equal((double)FocusRules.Decimal(usd.Available.ToString()) / usd.Use.MeanPerDay, usd.Use.Days!.Value, 6);
        Assert.True(usd.Use.Earliest < usd.Use.Days && usd.Use.Days < usd.Use.Latest);
        Assert.Contains(all, f => f.Currency == Currency.Tok && f.Party == "acme");
    }

    [Fact]
    public async Task Budgets_InTheirPeriod_AreSpentAsTheLedgerSays()
    {
        await _network.SetUpAsync(
            "by: test\nbudgets: [{ id: b, party: acme, currency: USD, amount: \"5\", period: month }]");
        Assert.True(Timestamp.TryParse("2026-11-16T00:00:00Z", out Timestamp now));
        BudgetForecast budget = Assert.Single(
            Forecast.Budgets(_network.Shard.Facts, await _network.Shard.CatalogAsync(), now));
        Statement month = _network.Shard.Facts.RunStatement(
            new StatementQuery("acme-usd", budget.Period, DateTimeZone.Utc));
        Assert.Equal(month.Exact, budget.Spent);
        Assert.Equal(Amount.Parse("5") - month.Exact, budget.Left);
        Assert.Equal(month.Exact + month.Exact, budget.Expected); // half of the month is over
    }
}
