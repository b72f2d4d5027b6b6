using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;
using NodaTime;
using static Ciyuan.Tests.Journal.TestNetwork;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Tests.Statistics;

/// <summary>What a rerate in groups leaves in the statistics, beside the slow and obvious way.</summary>
public sealed class CorrectionReportTests
{
    private static readonly Dimension[][] Questions =
        [[], [Dimension.Class], [Dimension.Party, Dimension.Kind], [Dimension.Agreement, Dimension.Grade]];

    [Fact]
    [Trait("Takes", "Long")]
    public void Run_AfterReratesInGroups_IsExactByClass()
    {
        for (int seed = 0; seed < 6; seed++)
        {
            TestNetwork net = Rerated(seed);
            Frame[] frames = [.. Enumerable.Range(1, net.History.Frames).Select(seq => net.History.ReadFrame(seq))];
            Assert.Contains(frames, f => f.CorrectionResults.Any(c => c.Groups.Count > 0));
            Assert.Contains(frames, f => f.CorrectionResults.Any(c => c.Singles.Count > 0));
            using var store = FactStore.OpenReadOnly(Path.GetTempPath(), _ => frames);
            foreach (Dimension[] groupBy in Questions)
            {
                AssertEqual(frames, store, new ReportQuery { GroupBy = groupBy, Bucket = Bucket.Day });
            }
        }
    }

    [Fact]
    public void RunStatement_AfterReratesInGroups_AddsUpToTheBalance()
    {
        TestNetwork net = Rerated(1);
        Frame[] frames = [.. Enumerable.Range(1, net.History.Frames).Select(seq => net.History.ReadFrame(seq))];
        using var store = FactStore.OpenReadOnly(Path.GetTempPath(), _ => frames);
        foreach ((string agreement, string account) in ((string, string)[])[
            ("sell", "plat/revenue/sell"), ("sell2", "plat/revenue/sell2"), ("buy", "qwen/payable/buy"),
            ("cut", "data/payable/cut"), ("per", "data/payable/per")])
        {
            Statement statement =
                store.RunStatement(new StatementQuery(agreement, Period.Always, DateTimeZone.Utc));
            Assert.Equal(net.Balance(account), statement.Exact.ToString());
        }
    }

    /// <summary>Two consumers, one of them with a pack, and what was never priced; three books one after the
    /// other.</summary>
    private static TestNetwork Rerated(int seed)
    {
        var random = new Random(seed);
        TestNetwork net = Usual(
            new FundingSetup("acme", "main", FundingKind.Prepaid, "CNY"), new FundingSetup("acme", "pack",
                FundingKind.Pack));
        net.SetUp(new Setup
        {
            Parties = [Party("data", Role.Data), Party("late", Role.Consumer)],
            Agreements =
            [
                new("sell2", "late", "plat", Book: "list"), new("cut", "plat", "data", ShareOf: "sell2",
                    SharePercent: "7"), new("per", "plat", "data", "CNY", PerCall: "0.001"),
            ],
        });
        net.Deposit("acme/prepaid/main", "100").Deposit("acme/pack/pack", "5000", "TOK");
        for (int frame = 0; frame < 4; frame++)
        {
            net.Apply(records: [.. Enumerable.Range(0, 30).Select(i => Make(random, $"{frame}-{i}"))]);
        }

        for (int version = 2; version < 5; version++)
        {
            net.SetUp(new Setup
            {
                Books = [Book("list", version, Price("m*", ("input", $"{version}"), ("output.text", "9")))],
            });
            net.Correct(CorrectionMode.RerateTogether);
            Assert.Equal(0, net.Correct(CorrectionMode.RerateTogether).Count);
        }

        return net;
    }

    private static UsageRecord Make(Random random, string id)
    {
        UsageRecord record = Record(
            id, random.Next(200), random.Next(3) * 10, random.Next(3) == 0 ? "acme" : "late",
            random.Next(9) == 0 ? "z" : "m1");
        return new UsageRecord
        {
            Id = id,
            Context = record.Context,
            Counts = record.Counts,
            Outcome = random.Next(9) == 0 ? Outcome.Failed : Outcome.Ok,
            EventTime = Start.PlusNanoseconds(random.NextInt64(3 * 86_400) * Timestamp.PerSecond),
        };
    }

    private static void AssertEqual(Frame[] frames, FactStore store, ReportQuery query)
    {
        Report report = store.Run(query);
        var naive = new NaiveReport(frames, query);
        var rows = report.Rows.ToDictionary(r => string.Join('|', r.Key));
        foreach ((string key, Dictionary<string, Int128> figures) in naive.Rows)
        {
            foreach ((string column, Int128 figure) in figures.Where(f => f.Value != 0))
            {
                Assert.Equal((key, column, figure), (key, column, report.Value(rows[key], column)));
            }
        }

        foreach ((string column, Int128 figure) in naive.Total.Where(f => f.Value != 0))
        {
            Assert.Equal((column, figure), (column, report.Value(report.Total, column)));
        }
    }
}
