using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Ledger;

/// <summary>Corrections: docs/LEDGER.md. Without limits, the balances after a rerate are those of a ledger that was
/// rated
/// that way from the start.</summary>
public abstract class CorrectionTests(CorrectionMode rerate, CorrectionMode reverse)
{
    private static readonly Setup[] Steps =
    [
        new() { Books = [Book("list", 2, Price("m*", ("input", "3"), ("output.text", "7")))] },
        new() { Books = [Book("cost", 2, Price("m1", ("input", "1.5"), ("output", "5"))), Book("list", 3, Price("*",
            ("input", "0.000001"), ("output", "11")))] },
        new()
        {
            Parties = [Party("data", Role.Data), Party("dc", Role.Data)],
            Agreements = [new("a-share", "plat", "data", ShareOf: "sell", SharePercent: "50"), new("per", "plat",
                "dc", "CNY", PerCall: "0.000000000001")],
        },
        new() { Agreements = [new("a-first", "plat", "dc", ShareOf: "sell", SharePercent: "50")] },
        new() { Parties = [Party("late", Role.Consumer)], Agreements = [new("sell2", "late", "plat", Book: "list")] },
        new() { Agreements = [new("buy2", "plat", "qwen", Book: "cost", Where: new WhereSetup(Party: "late"))] },
    ];

    private static UsageRecord[] Records(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 12).Select(i => Record(
            $"r{i}", random.Next(0, 50), random.Next(0, 9), random.Next(4) == 0 ? "late" : "acme",
                random.Next(5) == 0 ? "z" : "m1"))];
    }

    [Fact]
    public void Rerate_AfterEachChange_GivesTheBalancesOfAFreshLedger()
    {
        for (int seed = 0; seed < 25; seed++)
        {
            UsageRecord[] records = Records(seed);
            TestNetwork net = Usual();
            net.Apply(records: records[..5]);
            net.Apply(records: records[5..]);
            TestNetwork fresh = Usual();
            foreach (Setup step in Steps)
            {
                net.SetUp(step);
                fresh.SetUp(step);
                net.Correct(rerate);
                var compare = new TestNetwork { Restarts = false };
                for (long seq = 1; seq <= fresh.Engine.Seq; seq++)
                {
                    compare.Apply(setups: fresh.History.ReadFrame(seq).Setups);
                }

                compare.Apply(records: records);
                Assert.Equal(compare.Balances(), net.Balances());
                CorrectionResult again = net.Correct(rerate);
                Assert.Equal(LedgerStatus.Done, again.Status);
                Assert.Empty(again.Records);
                AssertSharesAddUp(net);
            }
        }
    }

    [Fact]
    public void Reverse_ThenRerate_IsAsBefore()
    {
        TestNetwork net = Usual(new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"));
        net.Deposit("acme/prepaid/main", "0.0001");
        net.Apply(records: Records(3));
        string before = net.Balances();
        net.Correct(reverse);
        Assert.Equal("acme/cash/bank CNY -0.0001\nacme/prepaid/main CNY 0.0001", net.Balances());
        Assert.Empty(net.Correct(reverse).Records);
        net.Correct(rerate);
        Assert.Equal(before, net.Balances());
        Assert.Empty(net.Correct(rerate).Records);
    }

    [Fact]
    public void Rerate_OfOneAgreement_LeavesTheOthersAndCanBeCompletedLater()
    {
        TestNetwork net = Usual();
        net.SetUp(Steps[2]).Apply(records: Records(4));
        net.SetUp(Steps[0]).SetUp(Steps[1]);
        string revenue = net.Balance("plat/revenue/sell");
        string share = net.Balance("data/payable/a-share");
        net.Correct(rerate, "buy");
        Assert.Equal((revenue, share), (net.Balance("plat/revenue/sell"), net.Balance("data/payable/a-share")));
        net.Correct(rerate, "a-share");
        Assert.Equal((revenue, share), (net.Balance("plat/revenue/sell"), net.Balance("data/payable/a-share")));
        net.Correct(rerate, "sell");
        Assert.NotEqual(revenue, net.Balance("plat/revenue/sell"));
        Assert.NotEqual(share, net.Balance("data/payable/a-share"));
        Assert.Empty(net.Correct(rerate).Records);
    }

    [Fact]
    public void Rerate_OnceThereIsAPrice_ClearsSuspense()
    {
        TestNetwork net = Usual();
        net.Use(Record("r", 1000, 100, model: "z"));
        Assert.Equal("-1100", net.Balance("ledger/suspense/income", "TOK"));
        net.SetUp(new Setup { Books = [Book("list", 2, Price("z", ("input", "1"), ("output", "1")))] });
        CorrectionResult result = net.Correct(rerate);
        Assert.Equal("0", net.Balance("ledger/suspense/income", "TOK"));
        Assert.Equal("0.0011", net.Balance("plat/revenue/sell"));
        Assert.Equal(2, result.Records.Single().Charges.Length);
    }

    [Fact]
    public void Rerate_KeyThatBecameKnown_BillsItsParty()
    {
        TestNetwork net = Usual();
        UsageRecord record = Record("r", 1000, 100);
        net.Use(record.In(record.Context with { Party = "", Key = "k1" }));
        Assert.Equal("-1100", net.Balance("ledger/suspense/income", "TOK"));
        net.SetUp(new Setup
        {
            Projects = [new ProjectSetup("acme", "chat")],
            Keys = [new KeySetup("acme", "chat", "k1")],
        });
        CorrectedRecord corrected = net.Correct(rerate).Records.Single();
        Assert.Equal(("acme", "chat"), (corrected.Context.Party, corrected.Context.Project));
        Assert.Equal("0", net.Balance("ledger/suspense/income", "TOK"));
        Assert.NotEqual("0", net.Balance("plat/revenue/sell"));
        Assert.Empty(net.Correct(rerate).Records);
    }

    [Fact]
    public void Correct_SentAgainOrMalformed_DoesNothing()
    {
        TestNetwork net = Usual();
        net.Apply(records: Records(1));
        Assert.Equal(LedgerStatus.Done, net.Correct(reverse, id: "x").Status);
        var correction = new Correction("ops", "x", reverse, 1, 2, Period.Always);
        Assert.Equal(LedgerStatus.Exists, net.Apply(corrections: [correction]).Corrections[0].Status);
        Assert.Equal(LedgerStatus.Conflict, net.Apply(corrections: [correction with { Memo = "other" }])
            .Corrections[0].Status);
        foreach (Correction bad in (Correction[])[
            correction with { Id = "" }, correction with { Id = "y", FromSeq = 0 }, correction with { Id = "y",
                ToSeq = 99 },
            correction with { Id = "y", FromSeq = 2, ToSeq = 1 }, correction with { Id = "y", Mode = 0 },
                correction with { Source = "" }])
        {
            Assert.Equal(LedgerStatus.Malformed, net.Apply(corrections: [bad]).Corrections[0].Status);
        }
    }

    [Fact]
    public void Correct_TwoInOneFrame_TheSecondSeesTheFirst()
    {
        TestNetwork net = Usual();
        net.Apply(records: Records(2));
        string before = net.Balances();
        var first = new Correction("ops", "x", reverse, 1, 2, Period.Always);
        net.Apply(corrections: [first, first with { Id = "y" }, first with { Id = "z",
            Mode = rerate }]);
        Assert.Equal(before, net.Balances());
    }

    [Fact]
    public void Correct_OnePlaceOrPeriod_LooksAtThoseRecordsOnly()
    {
        TestNetwork net = Usual();
        UsageRecord late = Record("late");
        net.Apply(records: [Record("a"), Record("b"), new UsageRecord
        {
            Id = "late", Context = late.Context, Counts = late.Counts, EventTime = At("2026-12-01T00:00:00Z"),
        }]);
        var one = new Correction("ops", "x", reverse, 2, 2, Period.Always, Index: 1);
        Assert.Equal(1, net.Apply(corrections: [one]).Corrections[0].Records.Single().Position.Index);
        var december = new Period(At("2026-12-01T00:00:00Z"), At("2027-01-01T00:00:00Z"));
        var two = one with { Id = "y", Index = -1, Period = december };
        Assert.Equal(2, net.Apply(corrections: [two]).Corrections[0].Records.Single().Position.Index);
        Assert.Equal("0.0028", net.Balance("plat/revenue/sell"));
    }

    [Fact]
    public void Rerate_ForTheTenthTime_ReadsNoMoreThanForTheSecond()
    {
        TestNetwork net = Usual();
        net.SetUp(Steps[2]);
        net.Apply(records: Records(1)[..6]);
        net.Apply(records: Records(1)[6..]);
        long last = net.Engine.Seq;
        var reads = new List<int>();
        for (int version = 2; version <= 10; version++)
        {
            net.SetUp(new Setup { Books = [Raised("list", version)] });
            int before = net.History.Reads;
            var again = new Correction("ops", $"v{version}", rerate, 1, last, Period.Always);
            Assert.NotEmpty(net.Apply(corrections: [again]).Corrections[0].Records);
            reads.Add(net.History.Reads - before);
        }

        Assert.All(reads[1..], count => Assert.Equal(reads[1], count));
    }

    [Fact]
    [Trait("Takes", "Long")]
    [Trait("Takes", "Long")]
    [Trait("Takes", "Long")]
    public void Correct_InAnyOrderAndPart_AWholeRerateGivesTheBalancesOfAFreshLedger()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            UsageRecord[] records = Records(seed);
            TestNetwork net = Usual();
            var setups = new List<Setup> { UsualSetup(), Steps[2] };
            net.SetUp(Steps[2]);
            net.Apply(records: records[..5]);
            net.Apply(records: records[5..]);
            for (int step = 2; step < 12; step++)
            {
                setups.Add(new Setup { Books = [Raised("list", step), Raised("cost", step)] });
                net.SetUp(setups[^1]);
                for (int part = random.Next(4); part > 0; part--)
                {
                    net.Apply(corrections: [new Correction(
                        "ops", $"{step}-{part}", random.Next(3) == 0 ? reverse : rerate, random.Next(1, 4),
                        net.Engine.Seq, Period.Always, random.Next(3) switch { 0 => "sell", 1 => "buy", _ => "" },
                        random.Next(3) == 0 ? 1 : -1)]);
                }

                net.Correct(rerate);
                var fresh = new TestNetwork { Restarts = false };
                setups.ForEach(s => fresh.SetUp(s));
                fresh.Apply(records: records);
                Assert.Equal(fresh.Balances(), net.Balances());
            }
        }
    }

    private static BookSetup Raised(string book, int version) =>
        Book(book, version, Price("m*", ("input", $"{version}"), ("output", $"{version + 7}")));

    /// <summary>With both shares there, what is paid for each record is exactly what is charged.</summary>
    private static void AssertSharesAddUp(TestNetwork net)
    {
        if (net.Engine.Catalog.FindAgreement("a-first") is null)
        {
            return;
        }

        Amount shares = Amount.Parse(net.Balance("data/payable/a-share"))
            + Amount.Parse(net.Balance("dc/payable/a-first"));
        Assert.Equal(net.Balance("plat/revenue/sell"), shares.ToString());
    }
}

/// <summary>The modes 1 and 2.</summary>
public sealed class CorrectionOneByOneTests() : CorrectionTests(CorrectionMode.Rerate, CorrectionMode.Reverse);

/// <summary>The modes 3 and 4.</summary>
public sealed class CorrectionTogetherTests()
    : CorrectionTests(CorrectionMode.RerateTogether, CorrectionMode.ReverseTogether);

/// <summary>The modes 5 and 6.</summary>
public sealed class CorrectionByRateTests()
    : CorrectionTests(CorrectionMode.RerateByRate, CorrectionMode.ReverseByRate);
