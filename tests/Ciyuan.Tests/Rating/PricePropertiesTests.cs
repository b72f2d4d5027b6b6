using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Tests.Journal;
using Ciyuan.Tests.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Rating;

/// <summary>The fast pricing against the slow one, and what must be true of any book and usage.
/// CIYUAN_PRICE_CASES sets how many random books are tried.</summary>
public sealed class PricePropertiesTests
{
    internal static int Cases => int.TryParse(
        Environment.GetEnvironmentVariable("CIYUAN_PRICE_CASES"), CultureInfo.InvariantCulture, out int cases)
        ? cases : 60;

    [Fact]
    [Trait("Takes", "Long")]
    public void Rate_AnyBookAndUsage_IsWhatTheSlowPricingSays()
    {
        (int priced, int tooFine, int running) = (0, 0, 0);
        Properties.ForAll(Cases, Properties.Seeds, seed =>
        {
            var random = new RandomBooks(seed);
            Setup setup = random.Setup();
            TestNetwork net = NetworkOf(setup);
            var slow = new SlowPricing(setup);
            UsageRecord[] records = [.. Enumerable.Range(0, 40).Select(random.Record)];
            net.Apply(records: records);
            foreach ((UsageRecord record, UsageResult result) in Results(net))
            {
                Charge charge = Assert.Single(result.Charges);
                if (charge.Rate.Reason == SuspenseReason.PriceTooFine)
                {
                    tooFine++; // a limit of the fast one alone
                    continue;
                }

                string expected = slow.Price("list", setup.Agreements[0].Exchange ?? "", record);
                Assert.Equal((seed, record.Id, expected), (seed, record.Id, Answer(charge)));
                priced += charge.Rate.Method == RateMethod.Suspense ? 0 : 1;
                running += charge.Before is null ? 0 : 1;
            }

            net.Compare(); // the replay and the stored state are the same, tiers included
        });
        Assert.True(priced > Cases * 5 && running > Cases && tooFine < priced,
            $"{priced} charges, {running} of curves over a period, {tooFine} too fine: the books say too little");
    }

    [Fact]
    public void Rate_AnyOrderAndBatching_GivesTheSameSum() => Properties.ForAll(Cases / 2, Properties.Seeds, seed =>
    {
        var random = new RandomBooks(seed);
        Setup setup = random.Setup();
        UsageRecord[] records = [.. Enumerable.Range(0, 60).Select(random.Record)];
        TestNetwork once = NetworkOf(setup);
        once.Apply(records: records);
        TestNetwork net = NetworkOf(setup);
        var shuffle = new Random(seed);
        shuffle.Shuffle(records);
        for (int i = 0; i < records.Length;)
        {
            int batch = Math.Min(shuffle.Next(1, 12), records.Length - i);
            net.Apply(records: records[i..(i + batch)]);
            i += batch;
        }

        // A minimum is each call's own, so beside tiers of a period it depends on which call reached them.
        if (!setup.Books.Any(b => b.Prices.Any(p => p.MinimumPerCall is not null)))
        {
            Assert.Equal((seed, Sum(once)), (seed, Sum(net)));
            Assert.Equal(once.Balances(), net.Balances());
        }
    });

    [Fact]
    [Trait("Takes", "Long")]
    public void Correct_TakenBackAndMadeAnew_CountsTheSame() => Properties.ForAll(Cases / 3, Properties.Seeds, seed =>
    {
        var random = new RandomBooks(seed);
        Setup setup = random.Setup();
        TestNetwork net = NetworkOf(setup);
        net.Apply(records: [.. Enumerable.Range(0, 30).Select(random.Record)]);
        string balances = net.Balances();
        Assert.Empty(net.Correct(CorrectionMode.RerateTogether).Records); // nothing has changed
        net.Correct(CorrectionMode.ReverseTogether);
        Assert.Equal("", net.Balances());
        net.Correct(CorrectionMode.RerateTogether);
        Assert.Empty(net.Correct(CorrectionMode.RerateTogether).Records);
        if (!setup.Books.Any(b => b.Prices.Any(p => p.MinimumPerCall is not null)))
        {
            Assert.Equal((seed, balances), (seed, net.Balances()));
        }

        net.Compare();
    });

    [Fact]
    [Trait("Takes", "Long")]
    public void Statement_AnyBookAndUsage_AddsUpToTheCharges() => Properties.ForAll(Cases / 3, Properties.Seeds, seed =>
    {
        var random = new RandomBooks(seed);
        TestNetwork net = NetworkOf(random.Setup());
        net.Apply(records: [.. Enumerable.Range(0, 30).Select(random.Record)]);
        using var builder = new FactSegmentBuilder();
        for (int seq = 1; seq <= net.History.Frames; seq++)
        {
            builder.Add(net.History.ReadFrame(seq));
        }

        FactSegment segment = builder.Build();
        byte[] header = FactHeaderCodec.Encode(segment.Header);
        var read = FactHeaderCodec.Decode(header);
        Assert.Equal(segment.Header.Rates, read.Rates);
        var query = new StatementQuery("sell", Period.Always, NodaTime.DateTimeZone.Utc);
        var run = new StatementRun(query);
        run.Add(read, column => segment.Columns[column]);
        Statement statement = StatementRun.Finish(query, [run], net.History.Frames, net.Now);
        Assert.Equal(Sum(net), statement.Exact.Pico);
        Assert.All(statement.Lines.Where(l => l.Meter is not null && l.UnitPrice is not null), l =>
            Assert.Equal(l.Amount.Pico, l.Steps * l.UnitPrice!.Value.Pico));
    });

    private static TestNetwork NetworkOf(Setup setup) =>
        new TestNetwork { Watched = false, Restarts = false }.SetUp(setup);

    private static IEnumerable<(UsageRecord Record, UsageResult Result)> Results(TestNetwork net) => Enumerable
        .Range(1, net.History.Frames).Select(seq => net.History.ReadFrame(seq))
        .SelectMany(f => f.Records.Zip(f.RecordResults));

    private static Int128 Sum(TestNetwork net) => Results(net).SelectMany(r => r.Result.Charges)
        .Aggregate(Int128.Zero, (sum, c) => sum + c.Amount.Pico);

    private static string Answer(Charge charge) => charge.Rate.Method == RateMethod.Suspense
        ? charge.Rate.Reason.ToString()
        : charge.Amount.Pico.ToString(CultureInfo.InvariantCulture);
}
