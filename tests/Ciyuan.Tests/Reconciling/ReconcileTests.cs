using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Server.Reconciling;
using Ciyuan.Storage;
using Ciyuan.Tests.Exports;
using Ciyuan.Usage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Tests.Reconciling;

public sealed class ReconcileTests : IAsyncLifetime
{
    private static readonly DateTimeZone Utc = DateTimeZone.Utc;

    private SmallNetwork _network = null!;
    private Period _november;

    public async Task InitializeAsync()
    {
        _network = await SmallNetwork.MakeAsync(seed: 11, records: 2_400, corrects: false);
        Assert.True(Period.TryParse("2026-11", Utc, out _november));
    }

    public async Task DisposeAsync() => await _network.DisposeAsync();

    [Theory]
    [InlineData("id")]
    [InlineData("day")]
    public void Run_BillOfTheSameCalls_FlagsNothing(string matching)
    {
        BillComparison result = Compare(Bill(1), matching);
        Assert.Equal(0, result.Differences.Count);
        Assert.Equal(result.AmountHere, result.AmountThere);
        Assert.True(result.Matched > 20);
        Assert.Equal(0, result.ShiftMinutes);
    }

    // What others were asked for: the vendor's own bill beside what is recorded (litellm#27588, #2814; sub2api
    // PR#7305).
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 12)]
    [InlineData(3, 12)]
    public void Run_ById_FindsWhatWasPlantedAndNothingElse(int seed, int times)
    {
        PlantedBill bill = Bill(seed).Plant(times);
        BillComparison result = Compare(bill, "id");
        AssertPlanted(bill, result);
        Assert.Equal(bill.Total, Number(result.AmountThere));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Run_BillInParts_IsTheSameAsWhole()
    {
        PlantedBill bill = Bill(4).Plant(9);
        using var file = new BillFile(bill.ToCsv());
        Server.Reconciling.Bill opened = file.Open();
        BillQuestion question = Ask(12);
        string[] Print(int most) => [.. new MatchById(question, Frames, r => r.Id, hasCorrections: true)
            .Run(opened.Read, opened.Lines, most).Differences.Kept
            .Select(d => $"{d.Class} {d.Id} {d.Of} {d.Delta}").Order()];
        Assert.Equal(Print(1 << 20), Print(100));
    }

    [Fact]
    public void Run_RoundedBill_CallsItRoundingAndKeepsPricesApart()
    {
        PlantedBill bill = Bill(5, decimals: 6).Plant(4);
        BillComparison result = Compare(bill, "id", decimals: 6);
        Assert.Equal(bill.Total - Number(result.AmountHere), Number(result.Differences.Delta));
        Assert.All(result.Differences.Kept.Where(d => d.Class == DifferenceClass.Rounding),
            d => Assert.True(Math.Abs(Number(d.Delta)) <= 0.0000005m));
        Assert.Equal(4, result.Differences.Kept.Count(d => d.Class == DifferenceClass.Price));
    }

    // One hour: a vendor that bills an hour later (new-api#7209).
    [Theory]
    [InlineData("id", 8)]
    [InlineData("id", -5)]
    [InlineData("id", 1)]
    [InlineData("day", 8)]
    [InlineData("day", -5)]
    [InlineData("day", 1)]
    public void Run_BillOfAnotherZone_IsAShiftAndNothingElse(string matching, int hours)
    {
        PlantedBill bill = new PlantedBill(OpenAi(), _november, 6).Write(hours);
        BillComparison result = Compare(bill, matching);
        Assert.Equal(hours * 60, result.ShiftMinutes);
        Assert.All(result.Differences.Sums, sum => Assert.Equal(DifferenceClass.ZoneShift, sum.Class));
        Assert.True(result.Differences.Count > 0);
        Assert.Equal(bill.Total - Number(result.AmountHere), Number(result.Differences.Delta));
    }

    [Fact]
    public void Run_ShiftAndOthersTogether_KeepsThemApart()
    {
        PlantedBill bill = new PlantedBill(OpenAi(), _november, 7).Write(8).Plant(6);
        BillComparison result = Compare(bill, "id");
        Assert.Equal(480, result.ShiftMinutes);
        AssertPlanted(bill, result, except: DifferenceClass.ZoneShift);
    }

    [Fact]
    public void Run_ByDay_FindsClassCountPriceAndMissing()
    {
        PlantedBill bill = Bill(8);
        // One difference in a day and model each: what is planted closer together can't be told apart by day.
        PlantedBill.Row[] days = [.. bill.Rows.GroupBy(r => (r.Time.UnixNanoseconds / (86_400 * Timestamp.PerSecond),
            r.Model)).Where(g => g.Key.Model == "gpt-5").Select(g => g.First(r => r.Class == "output.text.fresh"))];
        using var file = new BillFile(Rewrite(bill, days));
        BillComparison result = Run(file, "day", 12);
        var found = result.Differences.Kept.ToLookup(d => d.Class);
        Assert.Equal(bill.Rows.Where(r => r.Id == days[0].Id).Select(r => r.Class).Distinct().Order(),
            found[DifferenceClass.Count].Where(d => d.Time!.Value.UnixNanoseconds <= days[0].Time.UnixNanoseconds)
                .Where(d => days[0].Time.UnixNanoseconds - d.Time!.Value.UnixNanoseconds < 86_400 * Timestamp.PerSecond)
                .Where(d => d.Model == "gpt-5").Select(d => d.Of.ToString()).Order());
        Assert.Equal(days[1].Amount, Number(Assert.Single(found[DifferenceClass.Price]).Delta));
        Assert.Equal("nobody", Assert.Single(found[DifferenceClass.MissingHere]).Model);
        Assert.Empty(found[DifferenceClass.Rounding]);
    }

    // The provider's usage interface beside what was counted here: how much of it is covered, how far the sums are
    // apart, and in which model and class (preflight#59, conductai#478, token-monitor#36, bike4mind PR#1520).
    [Fact]
    public void Preflight_59_Conductai_478_TokenMonitor_36_Bike4mind_1520_UsageExport_TellsWhereTheDriftIs()
    {
        (string Day, string Model, long Input, long Cached, long Output)[] days = [.. OpenAi()
            .Where(r => r.Outcome == Outcome.Ok && r.Context.ModelAsked == "gpt-5" && _november.Contains(r.EventTime))
            .GroupBy(r => r.EventTime.ToString()[..10]).Select(day => (day.Key, "gpt-5",
                Sum(day, "input.text.fresh"), Sum(day, "input.text.cache_read"), Sum(day, "output.text.fresh")))];
        days[1].Output += 1_000;
        days[2].Model = "gpt-6";
        using var file = new BillFile($$"""
            {"data":[{{string.Join(',', days.Select(d => $$"""
            {"start_time":{{At(d.Day).UnixNanoseconds / Timestamp.PerSecond}},"end_time":0,"results":[
            {"model":"{{d.Model}}","input_tokens":{{d.Input + d.Cached}},"input_cached_tokens":{{d.Cached}},
            "output_tokens":{{d.Output}}}]}
            """))}}]}
            """);

        BillComparison result = ReconcileBill.Run(
            Ask(12), file.Open("USD", "openai-usage"), BillMatching.Day, "", _network.Shard.Facts, Frames);

        Difference[] found = [.. result.Differences.Kept.Where(d => d.Model != "whisper")];
        Difference more = Assert.Single(found, d => d.Class == DifferenceClass.Count);
        Assert.Equal(("gpt-5", "output.text.fresh", "0.01"),
            (more.Model, more.Of.ToString(), more.Delta.ToString())); // 1 000 × 10/M
        Assert.All(found.Where(d => d.Class == DifferenceClass.MissingHere), d => Assert.Equal("gpt-6", d.Model));
        Assert.Equal(
            found.Count(d => d.Class == DifferenceClass.MissingHere),
            found.Count(d => d.Class == DifferenceClass.MissingThere));
        Assert.Equal(result.AmountThere - result.AmountHere, result.Differences.Delta);
    }

    private static long Sum(IEnumerable<UsageRecord> records, string name)
    {
        Assert.True(Meter.TryParse(name, out Meter meter));
        return records.Sum(r => r.Counts.Where(c => c.Meter == meter).Sum(c => c.Steps));
    }

    private static Timestamp At(string day) =>
        Timestamp.TryParse($"{day}T00:00:00Z", out Timestamp time) ? time : throw new FormatException(day);

    [Fact]
    public async Task Run_CorrectedCharges_AreComparedAsTheyStand()
    {
        await _network.RerateAsync();
        UsageRecord[] zhipu = [.. _network.Records.Where(r => r.Context.Provider == "zhipu")];
        PlantedBill bill = new PlantedBill(zhipu, _november, 9).Write();
        foreach (string matching in (string[])["id", "day"])
        {
            using var file = new BillFile(bill.ToCsv().Replace(",USD", ",CNY", StringComparison.Ordinal));
            BillComparison result = ReconcileBill.Run(
                new BillQuestion("zhipu-cny", _november, Utc, BillTolerance.OfDecimals(12)), file.Open("CNY"),
                Enum.Parse<BillMatching>(matching, true), "", _network.Shard.Facts, Frames);
            Assert.Equal(bill.Total, Number(result.AmountHere));
            Assert.Equal(0, result.Differences.Count);
        }
    }

    [Fact]
    public async Task Sign_TwoPeople_PostsTheVarianceOnce()
    {
        Assert.True(Period.TryParse("2026", Utc, out Period year));
        PlantedBill planted = new PlantedBill(OpenAi(), year, 10).Write().Plant(3);
        using var file = new BillFile(planted.ToCsv());
        Server.Reconciling.Bill opened = file.Open();
        var question = new BillQuestion("openai-usd", year, Utc, BillTolerance.OfDecimals(12));
        BillComparison result = ReconcileBill.Run(
            question, opened, BillMatching.Id, "", _network.Shard.Facts, Frames);
        ReconciliationSetup entry = SignReconciliation.Entry(result, opened, Currency.Usd, accepts: true);

        Signature first = await SignReconciliation.RunAsync(_network.Shard, entry, "alice");
        Signature again = await SignReconciliation.RunAsync(_network.Shard, entry, "alice");
        Assert.False(first.IsComplete || again.IsComplete);
        Assert.Empty(again.Posted);
        Signature other = await SignReconciliation.RunAsync(
            _network.Shard, entry with { There = "1", Differences = [] }, "bob");
        Assert.NotEmpty(other.Faults);
        Signature disputed = await SignReconciliation.RunAsync(
            _network.Shard, entry with { Decision = "disputed" }, "bob");
        Assert.Contains("alice signed another result", Assert.Single(disputed.Faults), StringComparison.Ordinal);

        Signature second = await SignReconciliation.RunAsync(_network.Shard, entry, "bob");
        Assert.True(second.IsComplete);
        Assert.Equal(["alice", "bob"], second.SignedBy);
        await SignReconciliation.RunAsync(_network.Shard, entry, "bob"); // sent again: nothing more is posted
        Signature third = await SignReconciliation.RunAsync(_network.Shard, entry, "carol");
        Assert.Contains("signed by alice and bob already", Assert.Single(third.Faults), StringComparison.Ordinal);

        IReadOnlyList<AccountView> accounts = await _network.Shard.BalancesAsync();
        Amount Of(string path) => accounts.Where(a => a.Name.Path == path && a.Name.Currency == Currency.Usd)
            .Aggregate(Amount.Zero, (sum, a) => sum + a.CreditsPosted - a.DebitsPosted);
        Assert.Equal(planted.Total, Number(Of("openai/payable/openai-usd")));
        Assert.Equal(-Number(result.Differences.Sums.Single(s => s.Class == DifferenceClass.Price).Delta),
            Number(Of("net/adjustment/variance-price")));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)] // with a calendar, what is owed is due with its next final period
    public async Task Sign_Disputed_HoldsTheDifferencesUntilTheDisputeEnds(bool accepts, bool hasCalendar)
    {
        if (hasCalendar)
        {
            await _network.Shard.SetUpAsync(new Setup { By = "test", Settlement = [new("openai-usd", "2026-11")] });
        }

        using var file = new BillFile(Bill(12).Plant(2).ToCsv());
        Server.Reconciling.Bill opened = file.Open();
        BillComparison result = Run(file, "id", 12);
        ReconciliationSetup entry = SignReconciliation.Entry(result, opened, Currency.Usd, accepts: false);
        string owed = hasCalendar ? "openai/due/openai-usd" : "openai/payable/openai-usd";
        Amount before = await BalanceAsync(owed);
        Amount agreedOn = result.Differences.Sums.Where(s => s.Delta.IsNegative)
            .Aggregate(Amount.Zero, (sum, s) => sum + s.Delta);
        Amount disputed = result.Differences.Sums.Aggregate(
            Amount.Zero, (sum, s) => sum + (s.Delta.IsNegative ? -s.Delta : s.Delta));

        ReconciliationSetup end = SignReconciliation.EndOf(entry, accepts);
        Assert.NotEmpty((await SignReconciliation.RunAsync(_network.Shard, end, "alice")).Faults);
        await SignReconciliation.RunAsync(_network.Shard, entry, "alice");
        Assert.Equal(before, await BalanceAsync(owed));
        Signature second = await SignReconciliation.RunAsync(_network.Shard, entry, "bob");
        Assert.True(second.IsComplete && agreedOn.IsNegative && disputed > -agreedOn);
        Assert.Equal(before + agreedOn, await BalanceAsync(owed));
        Assert.Equal(disputed, await BalanceAsync("openai/held/openai-usd"));

        await SignReconciliation.RunAsync(_network.Shard, end, "alice");
        Assert.Equal(disputed, await BalanceAsync("openai/held/openai-usd"));
        Assert.Empty((await SignReconciliation.RunAsync(_network.Shard, end, "carol")).Faults);
        Assert.Equal(Amount.Zero, await BalanceAsync("openai/held/openai-usd"));
        Assert.Equal(before + (accepts ? result.Differences.Delta : Amount.Zero), await BalanceAsync(owed));
        Assert.Equal(-Number(accepts ? result.Differences.Delta : Amount.Zero),
            (await _network.Shard.BalancesAsync())
                .Where(a => a.Name.Path.Contains("variance", StringComparison.Ordinal)).Sum(a => Number(a.Balance)));
    }

    [Theory]
    [InlineData("accepted")]
    [InlineData("disputed")]
    [InlineData("withdrawn")]
    public async Task Sign_AnotherBillOfTheSameTime_IsTakenOnlyWhereTheFirstOneIsWithdrawn(string first)
    {
        using var file = new BillFile(Bill(12).Plant(2).ToCsv());
        using var next = new BillFile(Bill(13).Plant(1).ToCsv());
        ReconciliationSetup entry = SignReconciliation.Entry(
            Run(file, "id", 12), file.Open(), Currency.Usd, accepts: first == "accepted");
        ReconciliationSetup other = SignReconciliation.Entry(Run(next, "id", 12), next.Open(), Currency.Usd, true);
        Assert.Empty((await SignReconciliation.RunAsync(_network.Shard, other, "alice")).Faults);
        ReconciliationSetup[] signed =
            first == "withdrawn" ? [entry, SignReconciliation.EndOf(entry, accepts: false)] : [entry];
        foreach (ReconciliationSetup one in signed)
        {
            await SignReconciliation.RunAsync(_network.Shard, one, "alice");
            Assert.True((await SignReconciliation.RunAsync(_network.Shard, one, "bob")).IsComplete);
        }

        Signature second = await SignReconciliation.RunAsync(_network.Shard, other, "bob");

        Assert.Equal(first == "withdrawn", second.IsComplete);
        Assert.Equal(first == "withdrawn" ? [] : [entry.Id], second.Faults.Select(f => f.Split('\'')[3]));
    }

    private async Task<Amount> BalanceAsync(string path) =>
        (await _network.Shard.BalancesAsync()).FirstOrDefault(
            a => a.Name.Path == path && a.Name.Currency == Currency.Usd)?.Balance ?? Amount.Zero;

    private static string Rewrite(PlantedBill bill, PlantedBill.Row[] days)
    {
        string[] lines = [.. bill.ToCsv().Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith(days[0].Id + ",", StringComparison.Ordinal)) // a call that they lack: fewer
            .Select(line => line.StartsWith(days[1].Id + ",", StringComparison.Ordinal)
                && line.Contains("output.text", StringComparison.Ordinal) ? Doubled(line) : line)
            .Append("x,2026-11-03T01:00:00Z,nobody,output.text,5,0.01,USD")];
        return string.Join("\r\n", lines) + "\r\n";
    }

    private static string Doubled(string line)
    {
        string[] cells = line.Split(',');
        cells[5] = (2 * decimal.Parse(cells[5], System.Globalization.CultureInfo.InvariantCulture))
            .ToString(System.Globalization.CultureInfo.InvariantCulture);
        return string.Join(',', cells);
    }

    private static void AssertPlanted(PlantedBill bill, BillComparison result, DifferenceClass? except = null)
    {
        Assert.Equal(
            bill.Planted.Select(p => $"{p.Id} {p.Class} {p.Delta:0.############}").Order(),
            result.Differences.Kept.Where(d => d.Class != except)
                .Select(d => $"{d.Id} {d.Class} {Number(d.Delta):0.############}").Order());
        Assert.Equal(Number(result.AmountThere) - Number(result.AmountHere), Number(result.Differences.Delta));
    }

    private IEnumerable<UsageRecord> OpenAi() => _network.Records.Where(r => r.Context.Provider == "openai");

    private PlantedBill Bill(int seed, int decimals = 12) =>
        new PlantedBill(OpenAi(), _november, seed).Write(decimals: decimals);

    private BillComparison Compare(PlantedBill bill, string matching, int decimals = 12)
    {
        using var file = new BillFile(bill.ToCsv());
        return Run(file, matching, decimals);
    }

    private BillComparison Run(BillFile file, string matching, int decimals) => ReconcileBill.Run(
        Ask(decimals), file.Open(), Enum.Parse<BillMatching>(matching, true), "", _network.Shard.Facts, Frames);

    private BillQuestion Ask(int decimals) =>
        new("openai-usd", _november, Utc, BillTolerance.OfDecimals(decimals));

    private IEnumerable<Frame> Frames()
    {
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(_network.Folder);
        foreach (StoredFrame stored in journal.ReadFrom(1))
        {
            yield return FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body);
        }
    }

    private static decimal Number(Amount amount) => FocusRules.Decimal(amount.ToString());
}
