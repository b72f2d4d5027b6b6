using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Ledger;

/// <summary>Prices that depend on what was used before within a period, and closed periods: docs/PRICES.md and
/// docs/LEDGER.md.</summary>
public sealed class RunningPriceTests
{
    private static TestNetwork Net(string kind, string more = "", params FundingSetup[] funding) =>
        new TestNetwork().SetUp(UsualSetup(funding) with { Books = [], Agreements = [] }).SetUp(SetupYaml.Parse(
            $$"""
            books:
              - id: list
                currency: CNY
                zone: Asia/Shanghai
                prices:
                  - model: m*
                    per_million_tokens: {input: 1}
                    {{more}}
                    curves:
                      - {name: c, meters: [output], kind: {{kind}}, per: month,
                         steps: [{up_to: 1000000, price: 20}, {price: 10}]}
            agreements: [{id: sell, payer: acme, payee: plat, book: list}]
            """, "test"));

    private static UsageRecord Out(string id, long output, string time = "2026-11-15T00:00:00Z", string party = "acme")
    {
        UsageRecord r = Record(id, 0, output, party, provider: "");
        return new UsageRecord { Id = id, Context = r.Context, EventTime = At(time), Counts = r.Counts };
    }

    [Theory]
    [InlineData("graduated", "12", "8.00001", "20.00001")] // over the last token of the first step
    [InlineData("volume", "12", "-1.99999", "10.00001")] // from the next step on all are cheaper: something comes back
    public void Use_OverTheEndOfAStep_ChargesTheDifference(string kind, string first, string second, string sum)
    {
        TestNetwork net = Net(kind);
        net.Use(Out("a", 600_000));
        Assert.Equal(first, net.LastResult.Charges[0].Amount.ToString());
        net.Use(Out("b", 400_001));
        Assert.Equal(second, net.LastResult.Charges[0].Amount.ToString());
        Assert.Equal(600_000, net.LastResult.Charges[0].Before![0]);
        Assert.Equal(sum, net.Balance("plat/revenue/sell"));
        Assert.Equal("-" + sum, net.Balance("acme/receivable/sell")); // it owes
    }

    [Fact]
    public void Use_EachMonthOfTheZone_StartsAnew()
    {
        TestNetwork net = Net("graduated");
        net.Use(Out("a", 1_000_000, "2026-11-30T15:59:59.999999999Z")); // the last moment of November in Beijing
        net.Use(Out("b", 1_000_000, "2026-11-30T16:00:00Z"));
        Assert.Equal("40", net.Balance("plat/revenue/sell"));
        net.Use(Out("late", 1_000_000, "2026-11-01T00:00:00Z")); // counts in the month in which it happened
        Assert.Equal("50", net.Balance("plat/revenue/sell"));
    }

    [Fact]
    public void Use_NegativeCharge_GoesBackToTheFirstOpenFunding()
    {
        TestNetwork net = Net("volume", "", new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"));
        net.Deposit("acme/prepaid/main", "12");
        net.Use(Out("a", 600_000));
        Assert.Equal("0", net.Balance("acme/prepaid/main"));
        net.Use(Out("b", 400_001));
        Assert.Equal("1.99999", net.Balance("acme/prepaid/main"));
        Assert.Equal("10.00001", net.Balance("plat/revenue/sell"));
        Assert.Equal(2, net.Correct(CorrectionMode.ReverseTogether).Count);
        Assert.Equal("12", net.Balance("acme/prepaid/main"));
    }

    [Fact]
    public void Use_WithAPack_CountsWhatThePackLeft()
    {
        TestNetwork net = Net("graduated", "", new FundingSetup("acme", "pack", FundingKind.Pack));
        net.Deposit("acme/pack/pack", "1000000", "TOK");
        net.Use(Out("a", 1_500_000));
        Assert.Equal("10", net.Balance("plat/revenue/sell")); // half a million at 20 a million
        net.Use(Out("b", 500_001));
        Assert.Equal("20.00001", net.Balance("plat/revenue/sell"));
    }

    [Fact]
    public void Share_OfANegativeCharge_IsCutFromItToo()
    {
        TestNetwork net = Net("volume");
        net.SetUp(new Setup
        {
            Parties = [Party("d", Role.Data)],
            Agreements = [new("s", "plat", "d", ShareOf: "sell", SharePercent: "10")],
        });
        net.Use(Out("a", 600_000));
        net.Use(Out("b", 400_001));
        Assert.Equal("1.000001", net.Balance("d/payable/s"));
    }

    [Fact]
    public void Rerate_OfOneRecord_TakesBackWhatItWasChargedAndItsQuantity()
    {
        TestNetwork net = Net("graduated");
        net.Use(Out("a", 1_000_000));
        net.Use(Out("b", 1_000_000));
        CorrectionResult taken = net.Apply(corrections:
            [new Correction("ops", "x", CorrectionMode.ReverseTogether, net.Engine.Seq - 1, net.Engine.Seq - 1,
                Ciyuan.Quantities.Period.Always)]).Corrections[0];
        Assert.Single(taken.Records);
        Assert.Equal("10", net.Balance("plat/revenue/sell")); // b stays as it was charged
        net.Use(Out("c", 1_000_000)); // and what comes next counts on from one million
        Assert.Equal("20", net.Balance("plat/revenue/sell"));
    }

    [Fact]
    public void Rerate_UnderANewVersion_CountsThatOneByItself()
    {
        TestNetwork net = Net("graduated");
        net.Use(Out("a", 1_000_000));
        net.Use(Out("b", 1_000_000));
        net.SetUp(SetupYaml.Parse(
            """
            books:
              - id: list
                version: 2
                currency: CNY
                zone: Asia/Shanghai
                prices: [{model: m*, per_million_tokens: {}, curves: [{name: c, meters: [output], kind: graduated,
                    per: month, steps: [{up_to: 500000, price: 4}, {price: 2}]}]}]
            """, "test"));
        Assert.Equal(2, net.Correct(CorrectionMode.RerateTogether).Count);
        Assert.Equal("5", net.Balance("plat/revenue/sell"));
        Assert.Empty(net.Correct(CorrectionMode.RerateTogether).Records);
    }

    [Fact]
    public void Rerate_OfAClosedPeriod_ChangesNothingAndSaysSo()
    {
        TestNetwork net = Usual();
        net.Use(Record("old"));
        net.SetUp(Closing("2026-12-01T00:00:00Z", "sell"));
        string before = net.Balances();
        net.SetUp(new Setup { Books = [Book("list", 2, Price("m*", ("input", "3"), ("output", "9")))] });
        CorrectionResult result = net.Correct(CorrectionMode.RerateTogether);
        Assert.Equal((0, 1), (result.Count, result.Closed));
        result = net.Correct(CorrectionMode.ReverseTogether);
        Assert.Equal((0, 1), (result.Count, result.Closed));
        Assert.Equal(before, net.Balances());
        net.SetUp(new Setup { Books = [Book("cost", 2, Price("*", ("input", "2"), ("output", "9")))] });
        Assert.Single(net.Correct(CorrectionMode.RerateTogether, "buy").Records); // that agreement is open
    }

    [Fact]
    public void Use_InAClosedPeriod_IsChargedAndSaysThatItIsLate()
    {
        TestNetwork net = Usual();
        net.SetUp(Closing("2026-11-02T00:00:00Z", null));
        Assert.Equal(UsageRemarks.Late, net.Use(Record("late")).Remarks);
        Assert.Equal("0.0028", net.Balance("plat/revenue/sell"));
    }

    [Theory]
    [InlineData("2026-12-01T00:00:00Z", SetupStatus.Exists)]
    [InlineData("2027-01-01T00:00:00Z", SetupStatus.Done)]
    [InlineData("2026-11-30T00:00:00Z", SetupStatus.Refused)]
    [InlineData("2026-12", SetupStatus.Refused)]
    public void SetUp_Closing_OnlyMovesForward(string until, SetupStatus expected) =>
        Usual().SetUp(Closing("2026-12-01T00:00:00Z", "sell")).SetUp(Closing(until, "sell"), expected);

    private static Setup Closing(string until, string? agreement) =>
        new() { Closings = [new ClosingSetup(until, agreement)] };
}
