using System.Numerics;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Tests.Journal;
using Ciyuan.Tests.Quantities;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Rating;

public sealed class RatingTests
{
    private static TestNetwork With(Setup more) => Usual().SetUp(more);

    private static UsageRecord Change(UsageRecord r, UsageContext? context = null, string? time = null,
        Outcome outcome = Outcome.Ok,
        Count[]? counts = null, Tag[]? tags = null) => new()
        {
            Id = r.Id,
            Context = context ?? r.Context,
            EventTime = time is null ? r.EventTime : At(time),
            Outcome = outcome,
            Counts = counts ?? r.Counts,
            Tags = tags ?? [],
        };

    [Theory]
    [InlineData("gpt-4o", "1")] // the exact name before any pattern
    [InlineData("gpt-4o-mini", "3")] // the pattern with most literal characters
    [InlineData("gpt-4", "2")]
    [InlineData("x-mini", "4")]
    [InlineData("gpt-4x-mini", "4")] // of equals the one that stands first
    [InlineData("other", "5")]
    public void Find_Model_IsTheExactNameThenTheLongestPattern(string model, string price)
    {
        TestNetwork net = With(new Setup
        {
            Books = [Book("list", 2, Price("*", ("input", "5")), Price("*-mini", ("input", "4")), Price("gpt-4*",
                ("input", "2")),
                Price("gpt-4o*", ("input", "3")), Price("gpt-4o", ("input", "1")))],
        });
        net.Use(Record("r", 1_000_000, 0, model: model));
        Assert.Equal(price, net.Balance("plat/revenue/sell"));
    }

    [Theory]
    [InlineData("input.text.fresh", "1")]
    [InlineData("input.text.cache_read", "0.1")]
    [InlineData("input.text.reasoning", "1")]
    [InlineData("input.image", "2")]
    [InlineData("output.video.reasoning", "8")]
    [InlineData("output.text.fresh", "8")]
    public void Rate_Class_IsPricedByTheNarrowestFrontPart(string name, string price)
    {
        TestNetwork net = With(new Setup
        {
            Books = [Book("list", 2, Price("*", ("input", "2"), ("output", "8"), ("input.text", "1"),
                ("input.text.cache_read", "0.1")))],
        });
        Assert.True(Meter.TryParse(name, out Meter meter));
        net.Use(Change(Record("r"), counts: [new Count(meter, EvidenceGrade.Exact, 1_000_000)]));
        Assert.Equal(price, net.Balance("plat/revenue/sell"));
    }

    [Theory]
    [InlineData("2025-12-31T23:59:59.999999999Z", "1")]
    [InlineData("2026-01-01T00:00:00Z", "2")]
    [InlineData("2026-06-30T23:59:59.999999999Z", "2")]
    [InlineData("2026-07-01T00:00:00Z", "3")]
    [InlineData("2026-08-01T00:00:00Z", "1")]
    public void Rate_EventTime_DecidesTheVersion(string time, string price)
    {
        BookSetup Version(int version, string from, string to) =>
            new("dated", version, "CNY", from, to, "", [Price("*", ("input", $"{version}"))]);
        TestNetwork net = With(new Setup
        {
            Parties = [Party("beta", Role.Consumer)],
            Books = [Version(1, "", ""), Version(2, "2026-01-01T00:00:00Z", "2026-08-01T00:00:00Z"),
                Version(3, "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z")],
            Agreements = [new("b", "beta", "plat", Book: "dated")],
        });
        UsageRecord record = Change(Record("r", 1_000_000, 0, "beta"), time: time);
        net.Use(Change(Record("first", 0, 0, "beta"), record.Context,
            "2026-07-15T00:00:00Z")); // another plan is remembered
        net.Use(record);
        Assert.Equal(price, net.Balance("plat/revenue/b"));
    }

    public static TheoryData<string, Setup, UsageRecord, SuspenseReason, string> Suspense => new()
    {
        { "no agreement", new Setup { Parties = [Party("x", Role.Consumer)] }, Record("r", 7, 3, "ghost"),
            SuspenseReason.NoAgreement, "TOK -10" },
        { "no price for the model", new Setup { Parties = [Party("x", Role.Data)] }, Record("r", 7, 3, model: "z"),
            SuspenseReason.NoModelPrice, "TOK -10" },
        { "no price for the class", new Setup { Books = [Book("list", 2, Price("*", ("output", "1")))] }, Record("r",
            7, 3), SuspenseReason.NoClassPrice, "TOK -10" },
        { "no price for the unit", new Setup { Parties = [Party("x", Role.Data)] },
            Change(Record("r"), counts: [new Count(TokenClass.InputText, 0, 1), new Count(Meter.Image, 0, 2),
                new Count(Meter.Second, 0, 1_500_000)]),
            SuspenseReason.NoClassPrice, "IMG -2,SEC -1.5,TOK -1" },
        { "no version", new Setup
            {
                Books = [new("new", 1, "CNY", "2027-01-01T00:00:00Z", "", "", [Price("*", ("input", "1"))])],
                Parties = [Party("x", Role.Consumer)], Agreements = [new("nx", "x", "plat", Book: "new")],
            }, Record("r", 7, 3, "x"), SuspenseReason.NoBookVersion, "TOK -10" },
        { "nothing counted", new Setup { Parties = [Party("x", Role.Consumer)] }, Record("r", 0, 0, "ghost"),
            SuspenseReason.NoAgreement, "REQ -1" },
        { "too much", new Setup { Books = [Book("list", 2, Price("*", ("input", "999999999999999"), ("output",
            "1")))] },
            Record("r", UsageRecord.MaxSteps, 3), SuspenseReason.Overflow, "TOK -1000000000000003" },
    };

    [Theory]
    [MemberData(nameof(Suspense))]
    public void Rate_WithoutAPrice_IsSuspenseInItsOwnUnits(string what, Setup more, UsageRecord record,
        SuspenseReason reason, string balances)
    {
        TestNetwork net = With(more);
        UsageReply reply = net.Use(record);
        Charge charge = net.LastResult.Charges.First(c => c.Rate.Side == Side.Income);
        Assert.Equal((what, UsageRemarks.Suspense, reason), (what, reply.Remarks & UsageRemarks.Suspense,
            charge.Rate.Reason));
        Assert.Equal(RateMethod.Suspense, charge.Rate.Method);
        Assert.Equal(balances, string.Join(',', net.Engine.Accounts.Where(a =>
            a.Name.Path == "ledger/suspense/income" && !a.Balance.IsZero)
            .Select(a => $"{a.Name.Currency} {a.Balance}")));
    }

    [Fact]
    public void Rate_KnownProviderWithoutAgreement_IsSuspenseOnTheCostSide()
    {
        TestNetwork net = With(new Setup { Parties = [Party("other", Role.Provider)] });
        net.Use(Record("r", 7, 3, provider: "other"));
        Assert.Equal(SuspenseReason.NoProviderAgreement, net.LastResult.Charges[1].Rate.Reason);
        Assert.Equal("-10", net.Balance("ledger/suspense/cost", "TOK"));
        net.Use(Record("unknown", provider: "nobody"));
        Assert.Single(net.LastResult.Charges);
    }

    [Theory]
    [InlineData(Outcome.Ok, 2)]
    [InlineData(Outcome.Cut, 2)]
    [InlineData(Outcome.Failed, 0)]
    public void Rate_Outcome_IsBilledAsTheAgreementSays(Outcome outcome, int charges)
    {
        TestNetwork net = Usual();
        Assert.Equal(UsageRemarks.None, net.Use(Change(Record("r"), outcome: outcome)).Remarks);
        Assert.Equal(charges, net.LastResult.Charges.Length);
    }

    public static TheoryData<WhereSetup, bool> Conditions => new()
    {
        { new WhereSetup(), true },
        { new WhereSetup(Project: "p"), true },
        { new WhereSetup(Project: "q"), false },
        { new WhereSetup(Key: "k", Scenario: "s", Operation: "chat", Site: "site"), true },
        { new WhereSetup(Scenario: "t"), false },
        { new WhereSetup(Model: "m*"), true },
        { new WhereSetup(Model: "x*"), false },
        { new WhereSetup(Provider: "qwen"), true },
        { new WhereSetup(Provider: "other"), false },
        { new WhereSetup(Party: "beta"), false },
        { new WhereSetup(Tags: new Dictionary<string, string> { ["env"] = "prod" }), true },
        { new WhereSetup(Tags: new Dictionary<string, string> { ["env"] = "test" }), false },
        { new WhereSetup(Tags: new Dictionary<string, string> { ["env"] = "prod", ["team"] = "a" }), false },
    };

    [Theory]
    [MemberData(nameof(Conditions))]
    public void Rate_Conditions_AllMustHold(WhereSetup where, bool covered)
    {
        TestNetwork net = With(new Setup
        {
            Parties = [Party("dc", Role.Data)],
            Agreements = [new("w", "plat", "dc", "CNY", PerCall: "0.5", Where: where)],
        });
        var context = new UsageContext("gw", "acme", "p", "k", "s", "m0", "m1", "qwen", "site", "chat");
        net.Use(Change(Record("r"), context, tags: [new Tag("env", "prod")]));
        Assert.Equal(covered ? "0.5" : "none", net.Balance("dc/payable/w"));
    }

    [Theory]
    [InlineData("60", "40", SuspenseReason.None)]
    [InlineData("60", "40.0001", SuspenseReason.SharesExceedBase)]
    public void Share_OfOneBase_AddsUpOrIsSuspense(string first, string second, SuspenseReason reason)
    {
        TestNetwork net = With(new Setup
        {
            Parties = [Party("d1", Role.Data), Party("d2", Role.Data)],
            Agreements = [new("s1", "plat", "d1", ShareOf: "sell", SharePercent: first), new("s2", "plat", "d2",
                ShareOf: "sell", SharePercent: second)],
        });
        net.Use(Record("r", 333, 77));
        Assert.All(net.LastResult.Charges.Where(c => c.Rate.ShareOf == "sell"), c => Assert.Equal(reason,
            c.Rate.Reason));
        if (reason == SuspenseReason.None)
        {
            Assert.Equal(Amount.Parse(net.Balance("plat/revenue/sell")),
                Amount.Parse(net.Balance("d1/payable/s1")) + Amount.Parse(net.Balance("d2/payable/s2")));
        }
    }

    [Fact]
    public void Share_MoreThanSixtyFourOfOneBase_EachHasItsAmount()
    {
        string[] names = [.. Enumerable.Range(100, 100).Select(i => $"d{i}")];
        TestNetwork net = With(new Setup
        {
            Parties = [.. names.Select(n => Party(n, Role.Data))],
            Agreements = [.. names.Select(n => new AgreementSetup(n, "plat", n, ShareOf: "sell", SharePercent: "1"))],
        });
        net.Use(Record("r", 1_000_000, 0));
        Assert.All(names, n => Assert.Equal("0.02", net.Balance($"{n}/payable/{n}")));
    }

    [Fact]
    public void Rate_AnyBookAndCounts_IsTheSumOfIntegers() => Properties.ForAll(60, Properties.Seeds, seed =>
    {
        var random = new Random(seed);
        (string Name, long Pico)[] prices = [.. new[] { "input", "output", "input.text", "output.audio",
            "input.image.cache_read" }
            .Select(n => (n, random.NextInt64(0, 1L << random.Next(1, 50))))];
        TestNetwork net = With(new Setup
        {
            Books = [Book("list", 2, Price("*", [.. prices.Select(p => (p.Name,
                new Amount((Int128)p.Pico * 1_000_000).ToString()))]))],
        });
        Count[] counts = [.. Enumerable.Range(0, 256).Where(_ => random.Next(12) == 0)
            .Where(v => TokenClass.TryFromValue((byte)v, out _))
            .Select(v => new Count(Meter.TryFromValue(v, out Meter m) ? m : default, 0, random.NextInt64(0,
                1L << random.Next(1, 30))))];
        net.Use(Change(Record("r"), counts: counts));
        BigInteger expected = counts.Aggregate(BigInteger.Zero, (sum, c) =>
        {
            (string, long Pico) best = prices.Where(p => (c.Meter + ".").StartsWith(p.Name + ".",
                StringComparison.Ordinal)).MaxBy(p => p.Name.Length);
            return sum + ((BigInteger)best.Pico * c.Steps);
        });
        Assert.Equal(expected, (BigInteger)net.LastResult.Charges[0].Amount.Pico);
    });

    [Fact]
    public void Use_AnyOrderBatchingAndRepetition_GivesTheSameSums() => Properties.ForAll(40, Properties.Seeds, seed =>
    {
        var random = new Random(seed);
        UsageRecord[] events = [.. Enumerable.Range(0, 40).Select(i => Change(
            Record($"e{i}", random.Next(999), random.Next(99), random.Next(3) == 0 ? "ghost" : "acme",
                random.Next(4) == 0 ? "z" : "m1"),
            time: $"2026-11-{random.Next(10, 29)}T00:00:00Z"))];
        TestNetwork once = Usual();
        once.Apply(records: events);
        UsageRecord[] mixed = [.. events, .. events.Where(_ => random.Next(3) == 0)];
        random.Shuffle(mixed);
        TestNetwork net = Usual();
        for (int i = 0; i < mixed.Length;)
        {
            int batch = Math.Min(random.Next(1, 12), mixed.Length - i);
            net.Apply(records: mixed[i..(i + batch)]);
            i += batch;
        }

        Assert.Equal(once.Balances(), net.Balances());
        Assert.Equal(Sums(once), Sums(net));
    });

    private static string Sums(TestNetwork net) => string.Join('\n', Enumerable.Range(1, net.History.Frames)
        .Select(seq => net.History.ReadFrame(seq)).SelectMany(f => f.Records.Zip(f.RecordResults))
        .GroupBy(r => (r.First.Context.Party, r.First.Context.Model)).OrderBy(g => g.Key)
        .Select(g =>
            $"{g.Key} {g.Count()} {g.Sum(r => r.First.Tokens(Direction.Input))} "
            + $"{g.Sum(r => r.First.Tokens(Direction.Output))} "
            + g.SelectMany(r => r.Second.Charges).Aggregate(Int128.Zero, (s, c) => s + c.Amount.Pico)));
}
