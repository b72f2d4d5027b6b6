using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Storage;
using Ciyuan.Tests.Journal;
using Ciyuan.Tests.Storage;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;
using ShardSamples = Ciyuan.Tests.Storage.Samples;

namespace Ciyuan.Tests.Ledger;

/// <summary>Balances below zero, budgets passed by, usage lost or counted twice in other systems, each named after the
/// public issue that tells of it.</summary>
public sealed class PublicIssueTests
{
    private static readonly Timestamp Later = Start.PlusNanoseconds(3_600 * Timestamp.PerSecond);

    // Asked and taken in two steps, so that many at once take more than there is.
    [Fact]
    public async Task OneApi_2440_505_399_NewApi_6609_Sub2api_3384_2011_ManySpendsAtOnce_TakeNoMoreThanThereIs()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await OpenAsync(folder, "100");
        LedgerStatus[] held = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(async i => (await shard.PostAsync(
            new LedgerGroup("gw", $"h{i}", Start, [Hold($"h{i}", "acme", "1")]))).Status));
        Assert.Equal(100, held.Count(s => s == LedgerStatus.Done));
        Assert.Equal(900, held.Count(s => s == LedgerStatus.InsufficientFunds));
        Assert.Equal("0", (await MoneyAsync(shard)).Available.ToString());

        LedgerStatus[] settled = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(async i => (await shard.PostAsync(
            new LedgerGroup("gw", $"s{i}", Start, [new SettleHold(
                $"h{i}", "net/revenue/sale", Amount.FromUnits(1), default)]))).Status));
        Assert.Equal(held.Select(s => s == LedgerStatus.Done), settled.Select(s => s == LedgerStatus.Done));
        Assert.Equal("0", (await MoneyAsync(shard)).Balance.ToString());
    }

    // A budget that is looked up before the first spend is recorded lets all the first ones pass.
    [Fact]
    public void Litellm_34732_40095_FirstHoldsAtOnce_AreAskedOneAfterTheOther()
    {
        TestNetwork net = Usual(new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"));
        net.Deposit("acme/prepaid/main", "0.5");
        LedgerGroup[] eight = [.. Enumerable.Range(0, 8).Select(i =>
            new LedgerGroup("gw", $"h{i}", Start, [Hold($"h{i}", i < 4 ? "acme" : "nobody", "0.2")]))];
        Assert.Equal(
            [LedgerStatus.Done, LedgerStatus.Done, LedgerStatus.InsufficientFunds, LedgerStatus.InsufficientFunds,
                .. Enumerable.Repeat(LedgerStatus.PartyNotFound, 4)],
            net.Apply(groups: eight).Groups.Select(g => g.Status));
    }

    // Reservations that were not given back whole made a budget look spent.
    [Fact]
    public void Litellm_36926_ManyHoldsSettledForLess_LeaveExactlyTheRest()
    {
        var net = new TestNetwork { Watched = false };
        net.SetUp(UsualSetup(new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY")));
        net.Deposit("acme/prepaid/main", "1");
        for (int i = 0; i < 300; i++)
        {
            Assert.Equal(LedgerStatus.Done, net.Post(Hold($"h{i}", "acme", "0.5")));
            Assert.Equal(LedgerStatus.Done, net.Post(i % 3 == 0
                ? new ReleaseHold($"h{i}")
                : new SettleHold($"h{i}", "plat/revenue/sell", Amount.Parse("0.000001000001"), default)));
        }

        Assert.Equal(LedgerStatus.InsufficientFunds, net.Post(Hold("more", "acme", "0.999799999801")));
        Assert.Equal(LedgerStatus.Done, net.Post(Hold("all", "acme", "0.9997999998")));
    }

    // The limit was looked at when the answer was there, and the call paid for.
    [Fact]
    public void EnvoyAiGateway_2394_CallBeyondTheLimit_IsRefusedBeforeIt()
    {
        TestNetwork net = Usual(new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"));
        net.Deposit("acme/prepaid/main", "1");
        string before = net.Balances();
        Assert.Equal(LedgerStatus.InsufficientFunds, net.Post(Hold("h", "acme", "1.000000000001")));
        Assert.Equal(before, net.Balances());
    }

    // A quantity from outside times a price went round the end of the integers, to a charge that was low or negative.
    [Fact]
    public void NewApi_6911_QuantityTimesPriceBeyondRange_IsNeverALowCharge()
    {
        TestNetwork net = new TestNetwork().SetUp(UsualSetup() with
        {
            Books = [Book("list", 1, Price("m*") with
            {
                PerUnit = new Dictionary<string, string> { ["image"] = "18446744073.686646784" },
            }), Book("cost", 1, Price("*"))],
        });
        UsageRecord record = Record("r");
        net.Use(new UsageRecord
        {
            Id = "r",
            Context = record.Context,
            EventTime = Start,
            Counts = [new Count(Meter.Image, EvidenceGrade.Reported, UsageRecord.MaxSteps)],
        });
        Charge charge = net.LastResult.Charges.Single(c => c.Rate.Agreement == "sell");
        Assert.Equal((RateMethod.Suspense, SuspenseReason.Overflow), (charge.Rate.Method, charge.Rate.Reason));
        Assert.Equal("none", net.Balance("plat/revenue/sell"));
        Assert.Equal($"-{UsageRecord.MaxSteps}", net.Balance("ledger/suspense/income", "IMG"));
        Assert.NotNull(new UsageRecord
        {
            Id = "more",
            Context = record.Context,
            EventTime = Start,
            Counts = [new Count(Meter.Image, EvidenceGrade.Reported, UsageRecord.MaxSteps + 1)],
        }.FindFault());
    }

    // The id was claimed before the write: when that failed, the retry was answered "known" and counted nowhere.
    [Fact]
    public async Task Openmeter_5118_WriteThatFailed_IsCountedOnceByTheRetry()
    {
        using var folder = new TemporaryFolder();
        await using (Shard shard = await OpenAsync(folder, "100"))
        {
            // A second writer was quicker: the write of the next frame fails.
            Change(folder, "INSERT INTO frame SELECT shard, seq + 1, time, prev, hash, body FROM frame "
                + "ORDER BY seq DESC LIMIT 1");
            await Assert.ThrowsAnyAsync<IOException>(async () => await shard.RecordAsync(ShardSamples.Records(0, 5)));
        }

        Change(folder, "DELETE FROM frame WHERE seq = (SELECT MAX(seq) FROM frame)");
        await using Shard again = await Shard.OpenAsync(ShardSamples.Options(folder.Path));
        UsageRecord[] five = ShardSamples.Records(0, 5);
        Assert.All(await again.RecordAsync(five), r => Assert.Equal(UsageStatus.Posted, r.Status));
        string balance = (await MoneyAsync(again)).Balance.ToString();
        Assert.Equal("99.9986", balance); // 5 × (100 × 2 + 10 × 8)/M
        Assert.All(await again.RecordAsync(five), r => Assert.Equal(UsageStatus.Exists, r.Status));
        Assert.Equal(balance, (await MoneyAsync(again)).Balance.ToString());
    }

    // Without an id of its own, a top-up that was sent again was a second top-up.
    [Fact]
    public void LagoApi_5870_TopUpSentTwice_IsOneTopUp()
    {
        TestNetwork net = Usual(new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"));
        LedgerOperation TopUp(string amount) =>
            new PostTransfer("acme/cash/bank", "acme/prepaid/main", Currency.Cny, Amount.Parse(amount));
        Assert.Equal(LedgerStatus.Done, net.Group("top-up", TopUp("100")).Status);
        GroupReply again = net.Group("top-up", TopUp("100"));
        Assert.Equal((LedgerStatus.Exists, LedgerStatus.Done), (again.Status, again.Earlier));
        Assert.Equal(LedgerStatus.Conflict, net.Group("top-up", TopUp("200")).Status);
        Assert.Equal("100", net.Balance("acme/prepaid/main"));
    }

    // A backfill over usage that was partly there already.
    [Fact]
    public void Flexprice_602_605_BackfillOverWhatIsThere_AddsWhatWasMissing()
    {
        UsageRecord[] all = [.. Enumerable.Range(0, 40).Select(i => Record($"r{i}", 1000 + i))];
        TestNetwork whole = Usual();
        whole.Apply(records: all);
        TestNetwork net = Usual();
        net.Apply(records: [.. all.Where((_, i) => i % 3 == 0)]);
        for (int run = 0; run < 2; run++)
        {
            for (int from = 30; from >= 0; from -= 10)
            {
                net.Apply(records: [.. all[from..(from + 10)].Reverse()]);
            }
        }

        Assert.Equal(whole.Balances(), net.Balances());
    }

    // Writers that update the same rows in different orders blocked one another, and the spend was dropped.
    [Fact]
    public async Task Litellm_6895_27989_34887_11334_ManyWritersOfTheSameAccounts_LoseNothing()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await OpenAsync(folder, "100");
        UsageReply[][] replies = await Task.WhenAll(Enumerable.Range(0, 64).Select(async i =>
        {
            UsageRecord[] own = ShardSamples.Records(i * 50, 50);
            return await shard.RecordAsync(i % 2 == 0 ? own : [.. own.Reverse()]);
        }));
        Assert.All(replies, r => Assert.All(r, reply => Assert.Equal(UsageStatus.Posted, reply.Status)));
        Assert.Equal("99.104", (await MoneyAsync(shard)).Balance.ToString()); // 3200 × 0.00028
    }

    // Beyond some hundred calls a second each one's own write to a table of spend held the calls up, or was lost.
    [Fact]
    public async Task Litellm_31866_1714_ThousandsOfCallsEachByItself_AreAllChargedInFewWrites()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await OpenAsync(folder, "100");
        UsageReply[] replies = await Task.WhenAll(Enumerable.Range(0, 4_000).Select(async i =>
            (await shard.RecordAsync(ShardSamples.Records(i, 1)))[0]));
        Assert.All(replies, r => Assert.Equal(UsageStatus.Posted, r.Status));
        Assert.Equal("98.88", (await MoneyAsync(shard)).Balance.ToString()); // 4000 × 0.00028
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(folder.Path);
        Assert.InRange(journal.LastSeq(), 3, 1_000); // a setup, a deposit, and calls that share their write
    }

    // A plan that is bound to some channels: what goes over others is paid from the balance, and leaves the plan alone.
    [Fact]
    public void NewApi_4239_PlanBoundToSomeModels_LeavesTheOthersToTheBalance()
    {
        TestNetwork net = Usual(
            new FundingSetup("acme", "plan", FundingKind.Pack, Models: ["m-low*"]),
            new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"));
        net.Deposit("acme/pack/plan", "2000", "TOK").Deposit("acme/prepaid/main", "1");
        net.Use(Record("low", 1000, 100, model: "m-low-1"));
        net.Use(Record("high", 1000, 100, model: "m-high"));
        Assert.Equal(("900", "0.9972"),
            (net.Balance("acme/pack/plan", "TOK"), net.Balance("acme/prepaid/main"))); // 1000 × 2/M + 100 × 8/M
    }

    // Sums of doubles: 0.000009999999999999999 where five times 0.000002 is 0.00001.
    [Fact]
    public void Langwatch_6440_SumOfSmallAmounts_HasNoTail()
    {
        TestNetwork net = Usual();
        net.Apply(records: [.. Enumerable.Range(0, 5).Select(i => Record($"r{i}", 1, 0))]);
        Assert.Equal("0.00001", net.Balance("plat/revenue/sell"));
    }

    private static PlaceHold Hold(string id, string party, string amount) =>
        new(id, party, Currency.Cny, Amount.Parse(amount), Later);

    private static async Task<Shard> OpenAsync(TemporaryFolder folder, string deposit)
    {
        Shard shard = await Shard.OpenAsync(ShardSamples.Options(folder.Path) with { Time = new FixedClock() });
        await shard.SetUpAsync(ShardSamples.Platform);
        GroupReply reply = await shard.PostAsync(new LedgerGroup("ops", "deposit", Start, [new PostTransfer(
            "net/cash/bank", "acme/prepaid/main", Currency.Cny, Amount.Parse(deposit))]));
        Assert.Equal(LedgerStatus.Done, reply.Status);
        return shard;
    }

    private static async Task<AccountView> MoneyAsync(Shard shard) =>
        (await shard.BalancesAsync()).Single(a => a.Name.Path == "acme/prepaid/main");

    private static void Change(TemporaryFolder folder, string sql)
    {
        using Database database = Database.Open(DataFolder.JournalPath(folder.Path), write: true);
        database.Execute(sql);
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    }
}
