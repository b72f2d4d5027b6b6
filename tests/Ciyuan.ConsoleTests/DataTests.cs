using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.ConsoleTests;

/// <summary>What the pages are made of, against the slow way to know the same.</summary>
public sealed class DataTests
{
    [Fact]
    [Trait("Takes", "Long")]
    public async Task KeptReport_AsSegmentsAreSealed_IsTheReport()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(60_000);
        ReportQuery[] queries =
        [
            new(), new() { GroupBy = [Dimension.Party, Dimension.Model] },
            new() { Bucket = Bucket.Day, GroupBy = [Dimension.Class] },
            new() { Bucket = Bucket.Hour, Filters = [new Filter(Dimension.Agreement, ["acme-2026"])] },
        ];
        for (int records = 60_000; records <= 150_000; records += 45_000)
        {
            await Network.FillAsync(site.Host.Shard, site.Now, records, from: records - 45_000);
            FactStore facts = site.Host.Shard.Facts;
            foreach (ReportQuery query in queries)
            {
                Assert.Equal(Csv(facts.Run(query)), Csv(facts.RunKept(query)));
                Assert.Equal(Csv(facts.Run(query)), Csv(facts.RunKept(query)));
            }
        }
    }

    [Fact]
    public async Task RecordPages_OfAFilter_AreTheRecordsOfTheFrames()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(8_000);
        Timestamp since = Timestamp.FromDateTimeOffset(site.Now.AddDays(-20));
        var period = new Period(since, Timestamp.MaxValue);
        Filter[] filters = [new(Dimension.Outcome, ["cut"]), new(Dimension.Agreement, ["bravo-2026"])];
        string[] expected = [.. Frames(site).Reverse().SelectMany(f => f.Records.Reverse())
            .Where(r => r.Outcome == Outcome.Cut && r.Context.Party == "bravo" && period.Contains(r.EventTime))
            .Select(r => r.Id)];

        var found = new List<string>();
        FramePosition? before = null;
        do
        {
            RecordPage page = RecordSearch.Find(
                site.Host.Shard.Facts, site.Desk.Journal, new RecordQuery(period, filters, before) { Most = 7 });
            found.AddRange(page.Records.Select(r => r.Record.Id));
            before = page.Next;
        }
        while (before is not null);

        Assert.NotEmpty(expected);
        Assert.Equal(expected, found);
    }

    [Fact]
    public async Task Mover_OfEachConsumer_IsExplainedWithoutARest()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(8_000);
        Report Week(int days) => site.Host.Shard.Facts.Run(new ReportQuery
        {
            Period = new Period(
                Timestamp.FromDateTimeOffset(site.Now.AddDays(days - 7)),
                Timestamp.FromDateTimeOffset(site.Now.AddDays(days))),
            GroupBy = [Dimension.Party, Dimension.Model],
        });
        List<Mover> movers = Movers.Find(Week(-7), Week(0), (sums, c) => sums.Income.GetValueOrDefault(c));

        Assert.Equal("bravo", movers[0].Party);
        Assert.All(movers, m => Assert.Equal(m.Change, m.Volume + m.Mix + m.Price));
        Assert.True(movers[0].Volume > Int128.Abs(movers[0].Mix));
    }

    [Fact]
    public async Task AsIf_UnderTheBookThatCharged_IsWhatWasCharged()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(3_000);
        var rate = new RateAsIf(site.Desk.Books, "list");
        int compared = 0;
        foreach (Frame frame in Frames(site))
        {
            for (int i = 0; i < frame.Records.Count; i++)
            {
                foreach (Charge charge in frame.RecordResults[i].Charges.Where(c => c.Rate.Agreement == "bravo-2026"))
                {
                    SuspenseReason reason = rate.AmountOf(frame.Records[i], out Amount amount);
                    Assert.Equal(charge.Rate.Reason, reason);
                    Assert.Equal(charge.Amount, amount);
                    compared++;
                }
            }
        }

        Assert.True(compared > 500);
    }

    [Fact]
    public async Task Entries_OfAnAccount_AddUpToItsBalance()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(900);
        foreach (AccountView account in (await site.Host.Shard.BalancesAsync()).Where(a => a.Name.Path is
            "acme/prepaid/main" or "cedar/pack/pack" or "net/revenue/bravo-2026"))
        {
            Amount sum = default;
            long last = site.Host.Shard.DurableSeq;
            while (last > 0)
            {
                EntryPage page = EntrySearch.Find(site.Desk.Journal, account.Name, last);
                sum = page.Entries.Aggregate(sum, (total, entry) => total + entry.Amount);
                last = page.Next;
            }

            Assert.Equal(account.Balance, sum);
        }
    }

    [Fact]
    public async Task Backup_BesideTheWriter_IsAWholeJournal()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(500);
        string copy = Backup.Make(site.Folder, site.Host.Shard.DurableSeq);
        DirectoryInfo restored = Directory.CreateTempSubdirectory("ciyuan-restored-");
        try
        {
            File.Copy(copy, Path.Combine(restored.FullName, "journal.db"));
            await using Shard shard = await Shard.OpenAsync(new ShardOptions(restored.FullName));

            Assert.Equal(site.Host.Shard.DurableSeq, shard.DurableSeq);
            Assert.Equal(
                (await site.Host.Shard.BalancesAsync()).Select(a => (a.Name, a.Balance)),
                (await shard.BalancesAsync()).Select(a => (a.Name, a.Balance)));
        }
        finally
        {
            restored.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task AuditIndex_OfAJournal_HasTheFramesWithCommandsByHand()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(500);
        await ClosedMonth.MakeAsync(site);
        long[] expected = [.. Frames(site).Where(f => f.Setups.Count + f.Groups.Count + f.Settlements.Count > 0)
            .Select(f => f.Seq).Reverse()];
        while (!site.Desk.Journal.IndexMore(site.Host.Shard.DurableSeq, 2))
        {
        }

        Assert.Equal(expected, site.Desk.Journal.CommandFrames(long.MaxValue, 100));
        Assert.Equal(expected[1..3], site.Desk.Journal.CommandFrames(expected[0], 2));
    }

    [Fact]
    public async Task Audit_AfterAMonthWasClosed_NamesWhoTookEachStep()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(500);
        await ClosedMonth.MakeAsync(site);
        using HttpClient client = site.SignedIn("ada");
        string month = Network.Month(site.Now, -1);

        string csv = await client.GetStringAsync("/console/system/audit.csv");
        string page = await client.GetStringAsync("/console/system/audit?lang=en");

        foreach (string step in (string[])["finn,settlement,Freeze acme-2026 M", "finn,settlement,Split acme-2026 M",
            "finn,settlement,Sign zhipu-2026 M", "zhipu-user,settlement,Dispute zhipu-2026 M D-1"])
        {
            Assert.Contains(step.Replace("M", month), csv, StringComparison.Ordinal);
            Assert.Contains(step.Split(',')[2].Replace("M", month), page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Entries_AsCsv_AreThoseOfThePagesTogether()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(900);
        using HttpClient client = site.SignedIn("acme-user");
        AccountView account = (await site.Host.Shard.BalancesAsync()).Single(a => a.Name.Path == "acme/prepaid/main");

        string csv = await client.GetStringAsync("/console/ledger/account.csv?path=acme/prepaid/main&currency=CNY");

        Amount sum = csv.Trim().Split("\r\n").Skip(1).Select(line => line.Split(','))
            .Aggregate(Amount.Zero, (total, row) => total
                + (row[6].Length > 0 ? Amount.Parse(row[6]) : Amount.Zero)
                - (row[5].Length > 0 ? Amount.Parse(row[5]) : Amount.Zero));
        Assert.Equal(account.Balance, sum);
    }

    private static IEnumerable<Frame> Frames(ConsoleSite site)
    {
        for (long seq = 1; seq <= site.Host.Shard.DurableSeq; seq++)
        {
            yield return site.Desk.Journal.Read(seq)!;
        }
    }

    private static string Csv(Report report)
    {
        var text = new StringWriter();
        ReportRendering.Render(report).ToTable().WriteCsv(text);
        return text + string.Join(',', report.Total.Values) + report.Scope.RecordsIn + report.Scope.SuspenseCharges;
    }
}
