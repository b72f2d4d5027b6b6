using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Journal;

/// <summary>What an engine that restarts, or one that only replays, must not decide differently. <see
/// cref="TestNetwork"/>
/// compares both with the running engine after each step.</summary>
public sealed class RestartTests
{
    private static readonly FundingSetup Voucher =
        new("acme", "gift", FundingKind.Voucher, "CNY", Priority: 1, Expires: "2026-11-02T00:00:00Z");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Expire_HoldReleasedAfterTheEndOfItsFunding_RestGoesToBreakageOnce(bool restarts)
    {
        TestNetwork net = new TestNetwork { Restarts = restarts }.SetUp(UsualSetup(Voucher))
            .Deposit("acme/voucher/gift", "10");
        Assert.Equal(LedgerStatus.Done, net.Post(new PlaceHold("h", "acme", Currency.Cny, Amount.Parse("4"),
            At("2026-11-03T00:00:00Z"))));
        net.Now = At("2026-11-02T00:00:00Z");
        Assert.Equal(LedgerStatus.Done, net.Post(new ReleaseHold("h")));
        Assert.Equal("4", net.Balance("acme/voucher/gift"));
        net.Post(new PostTransfer("acme/cash/a", "acme/cash/b", Currency.Cny, Amount.Parse("1")));
        Assert.Equal("0", net.Balance("acme/voucher/gift"));
        Assert.Equal("10", net.Balance("ledger/breakage/acme.gift"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Expire_ClockStepsBackAfterAProposalWithoutEffect_SameAsReplay(bool restarts)
    {
        TestNetwork net = new TestNetwork { Restarts = restarts }.SetUp(UsualSetup(Voucher));
        net.Now = At("2026-11-02T00:00:01Z");
        Assert.Null(net.Apply(setups: [UsualSetup(Voucher)]).Frame);
        net.Now = At("2026-11-01T12:00:00Z");
        net.Deposit("acme/voucher/gift", "10");
        net.Now = At("2026-11-02T00:00:02Z");
        net.Post(new PostTransfer("acme/cash/a", "acme/cash/b", Currency.Cny, Amount.Parse("1")));
        Assert.Equal("10", net.Balance("ledger/breakage/acme.gift"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reverse_OfADrawOnFundingThatHasExpiredSince_GoesToBreakageWithTheNextFrame(bool restarts)
    {
        TestNetwork net = new TestNetwork { Restarts = restarts }.SetUp(UsualSetup(Voucher))
            .Deposit("acme/voucher/gift", "10");
        net.Group("draw", new PostTransfer("acme/voucher/gift", "plat/revenue/sell", Currency.Cny, Amount.Parse("3")));
        net.Now = At("2026-11-02T00:00:00Z");
        net.Post(new ReverseGroup("draw"));
        Assert.Equal("3", net.Balance("acme/voucher/gift"));
        net.Post(new PostTransfer("acme/cash/a", "acme/cash/b", Currency.Cny, Amount.Parse("1")));
        Assert.Equal("0", net.Balance("acme/voucher/gift"));
        Assert.Equal("10", net.Balance("ledger/breakage/acme.gift"));
    }

    [Fact]
    public void Setup_PriorityZero_KeepsItsPlaceAfterTheJournal()
    {
        TestNetwork net = Usual(new FundingSetup("acme", "a", FundingKind.Prepaid, "CNY", Priority: 50),
            new FundingSetup("acme", "b", FundingKind.Prepaid, "CNY", Priority: 0));
        net.Deposit("acme/prepaid/a", "10").Deposit("acme/prepaid/b", "10");
        Assert.Equal(0, net.History.ReadFrame(1).Setups[0].Funding[1].Priority);
        net.Use(Record("r", 1_000_000, 0));
        Assert.Equal("8", net.Balance("acme/prepaid/b"));
    }

    [Fact]
    public void Record_LargestLatencyThatIsAccepted_CanBeReadAgain()
    {
        TestNetwork net = Usual();
        UsageRecord record = Record("r");
        net.Use(new UsageRecord
        {
            Id = "r",
            Context = record.Context,
            EventTime = record.EventTime,
            Counts = record.Counts,
            LatencyMs = int.MaxValue,
        });
        Assert.Equal(int.MaxValue, net.History.ReadFrame(2).Records[0].LatencyMs);
    }

    [Fact]
    public void Book_LargestVersion_CanBeReadAgain()
    {
        TestNetwork net = Usual();
        net.SetUp(new Setup { Books = [Book("list", int.MaxValue, Price("m*", ("input", "2"), ("output", "8")))] });
        net.Use(Record("r"));
        Assert.Equal(int.MaxValue, net.LastResult.Charges[0].Rate.Version);
    }

    [Fact]
    public void Group_MalformedAfterAnAccountWasOpened_LeavesNoAccount()
    {
        TestNetwork net = Usual();
        LedgerStatus status = net.Post(
            new PostTransfer("acme/cash/new", "plat/cash/new", Currency.Cny, Amount.Parse("1")),
            new PlaceHold("", "acme", Currency.Cny, Amount.Parse("1"), At("2026-12-01T00:00:00Z")));
        Assert.Equal(LedgerStatus.Malformed, status);
        Assert.Equal("none", net.Balance("acme/cash/new"));
    }

    [Fact]
    public void Group_WithoutCurrency_IsMalformedAndNotStored()
    {
        TestNetwork net = Usual();
        Amount one = Amount.Parse("1");
        Assert.Equal(LedgerStatus.Malformed, net.Post(new PostTransfer("acme/cash/a", "acme/cash/b", default, one)));
        Assert.Equal(LedgerStatus.Malformed, net.Post(new PlaceHold("h", "acme", default, one,
            At("2026-12-01T00:00:00Z"))));
        Assert.Equal(1, net.Engine.Seq);
    }

    [Fact]
    public void Group_Refused_OpensNoAccount()
    {
        TestNetwork net = Usual();
        net.Post(
            new PostTransfer("acme/cash/new", "plat/cash/new", Currency.Cny, Amount.Parse("1")),
                new ReleaseHold("none"));
        Assert.Equal("none", net.Balance("acme/cash/new"));
    }
}
