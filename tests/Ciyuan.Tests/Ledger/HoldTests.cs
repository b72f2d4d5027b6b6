using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Ledger;

public sealed class HoldTests
{
    [Fact]
    public void Use_HoldOnFundingThatExpiredMeanwhile_DrawsWhatWasReserved()
    {
        TestNetwork net = Usual(
            new FundingSetup("acme", "gift", FundingKind.Voucher, "CNY", Expires: "2026-11-20T00:00:00Z"));
        net.Deposit("acme/voucher/gift", "1");
        net.Apply(groups: [Hold("h", "0.002")]);
        net.Now = At("2026-11-21T00:00:00Z");
        UsageRecord record = Record("r", 1000, 100);
        net.Use(new UsageRecord
        {
            Id = record.Id,
            Context = record.Context,
            EventTime = record.EventTime,
            Counts = record.Counts,
            Hold = "h",
        });
        Posting[] income = [.. net.LastResult.Postings.Where(p => p.Credit.Path == "plat/revenue/sell")];
        Assert.Equal(
            [("acme/voucher/gift", "0.002"), ("acme/overrun/all", "0.0008")],
            income.Select(p => (p.Debit.Path, p.Amount.ToString())));
        net.Use(Record("later", 1, 0)); // has no hold, so nothing of the expired voucher
        Assert.Equal("acme/overrun/all", net.LastResult.Postings[0].Debit.Path);
        Assert.Equal(("0", "0.998"), (net.Balance("acme/voucher/gift"), net.Balance("ledger/breakage/acme.gift")));
    }

    [Fact]
    public void Place_AsManyAsMayBeOpen_RefusesTheNextUntilOneEnds()
    {
        var history = new MemoryHistory();
        var engine = new Ciyuan.Journal.Engine(0, history) { MostOpenHolds = 2 };
        Apply(new FrameProposal { Time = Start, IdKey = new byte[16], Setups = [UsualSetup()] });
        Assert.Equal(LedgerStatus.Done, Post(Hold("a", "1")));
        Assert.Equal(LedgerStatus.Done, Post(Hold("b", "1")));
        Assert.Equal(LedgerStatus.TooManyHolds, Post(Hold("c", "1")));
        Assert.Equal(LedgerStatus.Done, Post(new LedgerGroup("gw", "end", Start, [new ReleaseHold("a")])));
        Assert.Equal(LedgerStatus.Done, Post(Hold("d", "1")));

        LedgerStatus Post(LedgerGroup group) => Apply(new FrameProposal { Time = Start, Groups = [group] })
            .Groups[0].Status;

        Applied Apply(FrameProposal proposal)
        {
            Applied applied = engine.Apply(proposal);
            history.Store(applied.Frame!);
            return applied;
        }
    }

    private static LedgerGroup Hold(string id, string amount) => new(
        "gw", $"place {id}", Start,
        [new PlaceHold(id, "acme", Currency.Cny, Amount.Parse(amount), At("2026-12-31T00:00:00Z"))]);
}
