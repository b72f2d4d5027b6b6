using System.Numerics;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Tests.Journal;
using Ciyuan.Tests.Quantities;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Settlement;

public sealed class SettleTests
{
    [Fact]
    public void Freeze_LateRecord_IsBookedInTheNextPeriodAndNamesTheOneItCorrects()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 1_000_000);
        Assert.Equal(SettlementStatus.Done, network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z").Status);
        byte[] before = network.Document("sell", "2026-10").ToBytes();

        Assert.Equal(UsageRemarks.Late, network.Use("2026-10-31T23:59:59.999999999Z", 500_000));
        Assert.Equal(UsageRemarks.None, network.Use("2026-11-01T00:00:00Z", 100_000));
        Assert.Equal(before, network.Document("sell", "2026-10").ToBytes());
        network.Freeze("sell", "2026-11", "2026-12-02T00:00:00Z");
        StatementDocument next = network.Document("sell", "2026-11");

        Assert.Equal(["", "2026-10"], next.Lines.Select(l => l.Corrects));
        Assert.Equal(["0.2", "1"], next.Lines.Select(l => l.Amount));
        DocumentLate late = Assert.Single(next.Late);
        Assert.Equal(("2026-10", 1L, 0L, "1"), (late.Period, late.Records, late.Corrections, late.Amount));
        Assert.Equal(before, network.Document("sell", "2026-10").ToBytes());
    }

    [Fact]
    public void Split_BookFoundWrongAfterwards_IsCorrectedInTheNextPeriodAlone()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 1_000_000);
        network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z");
        Assert.Equal(SettlementStatus.Done, network.Split("sell", "2026-10").Status);
        string hash = network.Calendar.Find("sell", "2026-10")!.Hash;

        network.Net.SetUp(new Setup { Books = [Book("list", 2, Price("m*", ("input", "3"), ("output", "8")))] });
        Assert.Equal(1, network.Net.Correct(CorrectionMode.RerateTogether, "sell").Count);
        Assert.Equal(0, network.Net.Correct(CorrectionMode.RerateTogether, "sell").Count);
        network.Freeze("sell", "2026-11", "2026-12-02T00:00:00Z");
        StatementDocument next = network.Document("sell", "2026-11");

        Assert.Equal(
            ["2026-10 taken_back list v1 -2", "2026-10 made_anew list v2 3"],
            next.Lines.Select(l => $"{l.Corrects} {l.Kind} {l.Book} v{l.BookVersion} {l.Amount}"));
        Assert.Equal((0L, 1L, "1"), (next.Late[0].Records, next.Late[0].Corrections, next.Late[0].Amount));
        Assert.Equal(hash, StatementDocument.HashOf(network.Document("sell", "2026-10").ToBytes()));
        Assert.Equal("1", next.Due);
    }

    [Fact]
    public void Split_DueAmounts_LeaveClearingAtZero()
    {
        var network = new SettlingNetwork(t => t with { TaxPercent = "6", TaxMode = TaxMode.Added });
        network.Use("2026-10-05T00:00:00Z", 1_234_567, 3_333);
        network.Use("2026-10-06T00:00:00Z", 77_777, 1, "beta");
        network.Net.Now = At("2026-11-02T00:00:00Z");
        foreach (string agreement in SettlingNetwork.Agreements)
        {
            network.Step(SettlementAction.Freeze, agreement, "2026-10");
            Assert.Equal(SettlementStatus.Done, network.Split(agreement, "2026-10").Status);
            Assert.Contains(network.Net.Balance($"ledger/clearing/{agreement}"), (string[])["0", "none"]);
        }

        // acme: 1 234 567 × 2/M + 3 333 × 8.0000015/M = 2.495798005..., so 2.50 and 0.15 of tax.
        Assert.Equal("-2.65", network.Net.Balance("acme/due/sell"));
        Assert.Equal("0", network.Net.Balance("acme/receivable/sell"));
        // beta has paid 0.16 from prepaid money; its tax of 0.01 is due.
        Assert.Equal("-0.01", network.Net.Balance("beta/due/sellb"));
        Assert.Equal("0.27", network.Net.Balance("data/due/cut")); // 0.2495... -> 0.25, and 0.02
        Assert.Equal("0", network.Net.Balance("data/payable/cut"));
        Assert.Empty(network.Net.Engine.FindBrokenInvariants());
    }

    [Fact]
    public void Step_InAnyState_HasTheFirstOutcomeThatApplies()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 100_000_000);
        network.Net.Now = At("2026-11-01T00:00:00Z");
        List<string> outcomes = [];
        void Try(string what, SettlementResult result) => outcomes.Add($"{what}: {result.Status}");

        Try("no agreement", network.Step(SettlementAction.Freeze, "none", "2026-10"));
        Try("no period", network.Step(SettlementAction.Freeze, "sell", "2026-10-01"));
        Try("before the first", network.Step(SettlementAction.Freeze, "sell", "2026-09"));
        Try("not the next", network.Step(SettlementAction.Freeze, "sell", "2026-11"));
        Try("a day early", network.Step(SettlementAction.Freeze, "sell", "2026-10"));
        Try("sign a draft", network.Step(SettlementAction.Sign, "sell", "2026-10"));
        Try("in time", network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z"));
        Try("again", network.Step(SettlementAction.Freeze, "sell", "2026-10"));
        Assert.Equal(
            """
            no agreement: AgreementNotFound
            no period: PeriodUnknown
            before the first: PeriodUnknown
            not the next: OutOfOrder
            a day early: TooEarly
            sign a draft: WrongState
            in time: Done
            again: WrongState
            """, string.Join('\n', outcomes));
    }

    [Fact]
    public void Step_AfterTheFreeze_HasTheFirstOutcomeThatApplies()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 100_000_000);
        network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z");
        List<string> outcomes = [];
        void Try(string what, SettlementResult result) => outcomes.Add($"{what}: {result.Status}");

        Try("no statement", network.Step(SettlementAction.Split, "sell", "2026-10"));
        Try("none at all", network.Step(SettlementAction.Split, "sell", "2026-10", c => c with { Statement = [1] }));
        byte[] altered = (network.Document("sell", "2026-10") with { Total = "199" }).ToBytes();
        Try("altered", network.Step(SettlementAction.Split, "sell", "2026-10", c => c with { Statement = altered }));
        Try("split", network.Split("sell", "2026-10"));
        Try("other hash", network.Step(SettlementAction.Sign, "sell", "2026-10", c => c with { Hash = "00" }));
        Try("no side", network.Sign("sell", "2026-10", "ann", AgreementSide.None));
        Try("sign", network.Sign("sell", "2026-10", "ann", AgreementSide.Payee));
        Try("sign again", network.Sign("sell", "2026-10", "ann", AgreementSide.Payer));
        Try("too early", network.Step(SettlementAction.Finish, "sell", "2026-10"));
        network.Net.Now = At("2026-11-13T00:00:00Z");
        Try("one person", network.Step(SettlementAction.Finish, "sell", "2026-10"));
        Try("second person", network.Sign("sell", "2026-10", "bob", AgreementSide.Payer));
        Try("final", network.Step(SettlementAction.Finish, "sell", "2026-10"));

        Assert.Equal(
            """
            no statement: Malformed
            none at all: StatementWrong
            altered: StatementWrong
            split: Done
            other hash: HashDiffers
            no side: SideMissing
            sign: Done
            sign again: SignedAlready
            too early: TooEarly
            one person: SignaturesMissing
            second person: Done
            final: Done
            """, string.Join('\n', outcomes));
        Assert.Equal("-200", network.Net.Balance("acme/agreed/sell"));
    }

    [Fact]
    public void Step_SentAgain_ExistsAndPostsNothing()
    {
        var network = new SettlingNetwork();
        network.Net.Now = At("2026-11-02T00:00:00Z");
        var command = new SettlementCommand("ops", "once", SettlementAction.Freeze, "sell", "2026-10", "ann");

        Assert.Equal(SettlementStatus.Done, network.Net.Apply(settlements: [command]).Settlements[0].Status);
        Applied again = network.Net.Apply(settlements: [command]);
        Assert.Null(again.Frame);
        Assert.Equal(SettlementStatus.Exists, again.Settlements[0].Status);
        Assert.Equal(
            SettlementStatus.Conflict,
            network.Net.Apply(settlements: [command with { By = "bob" }]).Settlements[0].Status);
    }

    [Fact]
    public void Dispute_PartlyGranted_IsHeldThenReversed()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 100_000_000);
        network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z");
        network.Split("sell", "2026-10");

        network.Net.Now = At("2026-11-13T00:00:00Z");
        Assert.Equal(SettlementStatus.TooLate, Dispute(network, "d0", "1").Status);
        network.Net.Now = At("2026-11-02T00:00:00Z");
        Assert.Equal(SettlementStatus.AmountOutOfRange, Dispute(network, "d0", "200.01").Status);
        Assert.Equal(SettlementStatus.Done, Dispute(network, "d1", "50").Status);
        Assert.Equal(SettlementStatus.DisputeExists, Dispute(network, "d1", "1").Status);
        Assert.Equal(("-150", "-50"), (network.Net.Balance("acme/due/sell"), network.Net.Balance("acme/held/sell")));
        network.Sign("sell", "2026-10", "ann", AgreementSide.Payee);
        network.Sign("sell", "2026-10", "bob", AgreementSide.Payer);
        SettlementResult final = network.Step(SettlementAction.Finish, "sell", "2026-10");
        Assert.Equal(("150", "-150"), (final.Amount.ToString(), network.Net.Balance("acme/agreed/sell")));

        string revenue = network.Net.Balance("plat/revenue/sell");
        Assert.Equal(SettlementStatus.AmountOutOfRange, Resolve(network, "d1", "50.01").Status);
        Assert.Equal(SettlementStatus.Done, Resolve(network, "d1", "30").Status);
        Assert.Equal(SettlementStatus.DisputeNotOpen, Resolve(network, "d1", "30").Status);
        Assert.Equal(("-20", "0"), (network.Net.Balance("acme/due/sell"), network.Net.Balance("acme/held/sell")));
        Assert.Equal("200", revenue);
        Assert.Equal("170", network.Net.Balance("plat/revenue/sell"));
    }

    [Fact]
    public void Finish_BelowTheMinimum_CarriesOverUntilItIsReached()
    {
        var network = new SettlingNetwork(t => t with { MinimumPayout = "150", DisputeDays = 0 });
        List<string> paid = [];
        foreach ((string month, string next) in (ReadOnlySpan<(string, string)>)[
            ("2026-10", "2026-11"), ("2026-11", "2026-12"), ("2026-12", "2027-01")])
        {
            network.Use($"{month}-05T00:00:00Z", 100_000_000);
            network.Freeze("buy", month, $"{next}-02T00:00:00Z");
            network.Split("buy", month);
            network.Sign("buy", month, "ann", AgreementSide.Payer);
            network.Sign("buy", month, "bob", AgreementSide.Payee);
            SettlementResult final = network.Step(SettlementAction.Finish, "buy", month);
            paid.Add($"{final.Amount} {final.Carried}");
        }

        Assert.Equal(["0 100", "200 0", "0 100"], paid);
        Assert.Equal("200", network.Net.Balance("qwen/agreed/buy"));
    }

    [Fact]
    public void Finish_DueWithPartsOfAFen_PaysWholeFenAndCarriesTheRest()
    {
        var network = new SettlingNetwork(t => t with { DisputeDays = 0 });
        network.Use("2026-10-05T00:00:00Z", 100_000_000);
        network.Freeze("buy", "2026-10", "2026-11-02T00:00:00Z");
        network.Split("buy", "2026-10");
        Assert.Equal(LedgerStatus.Done, network.Net.Post(new PostTransfer(
            "plat/adjustment/variance-price", "qwen/due/buy", Currency.Cny, Amount.Parse("0.004"))));
        network.Sign("buy", "2026-10", "ann", AgreementSide.Payer);
        network.Sign("buy", "2026-10", "bob", AgreementSide.Payee);

        SettlementResult final = network.Step(SettlementAction.Finish, "buy", "2026-10");

        Assert.Equal(("100", "0.004"), (final.Amount.ToString(), final.Carried.ToString()));
        Assert.Equal(
            ("100", "0.004"), (network.Net.Balance("qwen/agreed/buy"), network.Net.Balance("qwen/due/buy")));
    }

    [Fact]
    public void Split_UsageWithoutAPrice_IsRefusedUntilItMayWait()
    {
        var network = new SettlingNetwork();
        network.Use("2026-10-05T00:00:00Z", 1_000_000);
        network.Use("2026-10-05T00:00:00Z", 1_000, model: "unknown");
        network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z");

        Assert.Equal(SettlementStatus.UsageWaits, network.Split("sell", "2026-10").Status);
        Assert.Equal(1, network.Document("sell", "2026-10").SuspenseCharges);
        Assert.Equal(SettlementStatus.Done, network.Split("sell", "2026-10", accept: true).Status);
        network.Net.SetUp(new Setup { Books = [Book("list", 2, Price("*", ("input", "2"), ("output", "8")))] });
        network.Net.Correct(CorrectionMode.RerateTogether, "sell");
        network.Freeze("sell", "2026-11", "2026-12-02T00:00:00Z");
        StatementDocument next = network.Document("sell", "2026-11");
        Assert.Equal((-1L, "0.002"), (next.SuspenseCharges, next.Exact[..5]));
        Assert.Equal(SettlementStatus.Done, network.Split("sell", "2026-11").Status);
    }

    [Fact]
    public void SetUp_TermsForAFrozenPeriod_IsRefused()
    {
        var network = new SettlingNetwork();
        network.Freeze("sell", "2026-10", "2026-11-02T00:00:00Z");

        network.Net.SetUp(
            new Setup { Settlement = [new("sell", "2026-10", Zone: "UTC", TaxPercent: "9")] }, SetupStatus.Refused);
        network.Net.SetUp(new Setup { Settlement = [new("sell", "2026-11", Zone: "UTC", TaxPercent: "9")] });
        network.Net.SetUp(
            new Setup { Settlement = [new("sell", "2026-12", SettlementCycle.Daily, "UTC")] }, SetupStatus.Refused);
        network.Use("2026-11-05T00:00:00Z", 50_000_000);
        network.Freeze("sell", "2026-11", "2026-12-02T00:00:00Z");
        Assert.Equal(
            new DocumentTax("9", "included", "91.74", "8.26", "100"), network.Document("sell", "2026-11").Tax);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Statements_OfAnyHistory_AreWhatTheSlowOnesSayAndNeverChange()
    {
        (int late, int corrected) = (0, 0);
        Properties.ForAll(40, Properties.Seeds, seed =>
        {
            SettlingNetwork network = Run(new Random(seed), out Dictionary<(string, string), byte[]> first);
            var slow = new SlowStatements(network.Frames);
            BigInteger positions = 0;
            foreach (SettledPeriod period in network.Calendar.Periods)
            {
                StatementDocument document = network.Document(period.Agreement, period.Name);
                Assert.Equal(first[(period.Agreement, period.Name)], document.ToBytes());
                SortedDictionary<string, BigInteger> expected = slow.Of(period.Agreement, period.Name);
                Assert.Equal(
                    expected.Where(e => !e.Value.IsZero).Select(e => $"{e.Key} {e.Value}"),
                    document.Lines.GroupBy(l => l.Corrects.Length == 0 ? period.Name : l.Corrects)
                        .Select(g => (g.Key, Sum: g.Aggregate(BigInteger.Zero, (sum, l) => sum
                            + (BigInteger)Amount.Parse(l.Amount).Pico)))
                        .Where(g => !g.Sum.IsZero).OrderBy(g => g.Key, StringComparer.Ordinal)
                        .Select(g => $"{g.Key} {g.Sum}"));
                Assert.Equal(
                    slow.Records.GetValueOrDefault((period.Agreement, period.Name)), document.Records);
                late += document.Late.Count;
                corrected += document.Corrections > 0 ? 1 : 0;
                positions += period.State >= PeriodState.Split ? 0 : 1;
            }

            Assert.All(
                network.Net.Engine.Accounts
                    .Where(a => a.Name.Path.StartsWith("ledger/clearing/", StringComparison.Ordinal)),
                a => Assert.True(a.Balance.IsZero));
            network.Net.Compare();
        });
        Assert.True(late > 40 && corrected > 20, $"{late} late, {corrected} corrected: the histories say too little");
    }

    /// <summary>Some months of calls, some of them months late, sent twice or with other content, rates corrected at
    /// any
    /// time, and periods frozen and split as they come up; with each statement as it was when it was first drawn.
    /// </summary>
    private static SettlingNetwork Run(Random random, out Dictionary<(string, string), byte[]> first)
    {
        var network = new SettlingNetwork(watched: false);
        first = [];
        int version = 1;
        for (int day = 0; day < 110; day += random.Next(1, 4))
        {
            Timestamp now = At("2026-10-01T00:00:00Z").PlusNanoseconds(day * 86_400 * Timestamp.PerSecond);
            network.Net.Now = now;
            for (int i = random.Next(4); i > 0; i--)
            {
                int back = random.Next(3) == 0 ? random.Next(Math.Min(day, 70) + 1) : 0;
                Timestamp time = now.PlusNanoseconds(-back * 86_400 * Timestamp.PerSecond);
                network.Use(
                    time.ToString(), random.Next(5_000_000), random.Next(100_000),
                    random.Next(2) == 0 ? "acme" : "beta",
                    random.Next(6) == 0 ? "unknown" : "m1", random.Next(5) == 0 ? $"twice{random.Next(9)}" : "");
            }

            if (random.Next(8) == 0)
            {
                string price = $"{random.Next(1, 9)}.{random.Next(1, 9)}";
                network.Net.SetUp(new Setup
                {
                    Books = [Book("list", ++version, Price(
                        random.Next(2) == 0 ? "*" : "m*", ("input", price), ("output", "7.000003")))],
                });
                network.Net.Correct(
                    random.Next(4) == 0 ? CorrectionMode.ReverseByRate : CorrectionMode.RerateByRate,
                    random.Next(2) == 0 ? "sell" : "");
            }

            foreach (string agreement in SettlingNetwork.Agreements.Where(_ => random.Next(3) == 0))
            {
                Advance(network, agreement, first);
            }
        }

        return network;
    }

    private static void Advance(
        SettlingNetwork network, string agreement, Dictionary<(string, string), byte[]> first)
    {
        string next = network.Calendar.NextOf(agreement, network.Net.Engine.Catalog.TermsOf(agreement)).Name;
        if (network.Step(SettlementAction.Freeze, agreement, next).Status == SettlementStatus.Done)
        {
            first[(agreement, next)] = network.Document(agreement, next).ToBytes();
        }
        else if (network.Calendar.Of(agreement).FirstOrDefault(p => p.State == PeriodState.Frozen) is { } frozen)
        {
            Assert.Equal(SettlementStatus.Done, network.Split(agreement, frozen.Name, accept: true).Status);
        }
    }

    private static SettlementResult Dispute(SettlingNetwork network, string id, string amount) => network.Step(
        SettlementAction.Dispute, "sell", "2026-10",
        c => c with { Dispute = id, Amount = Amount.Parse(amount), Side = AgreementSide.Payer });

    private static SettlementResult Resolve(SettlingNetwork network, string id, string granted) => network.Step(
        SettlementAction.Resolve, "sell", "2026-10",
        c => c with { Dispute = id, Amount = Amount.Parse(granted) });
}
