using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Statements;
using Ciyuan.Settlement;
using Ciyuan.Storage;
using Ciyuan.Tokens.Standard;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Storage;

public sealed class ClosePeriodsTests
{
    private static readonly CloseOptions Options = new("test", "ann")
    {
        Standard = StatementForms.StandardTokens,
        StandardRule = StandardRule.Current.Id,
    };

    private static Setup Network => Samples.Platform with
    {
        Settlement = [new("sale", "2026-01", Zone: "UTC", TaxPercent: "6"), new("supply", "2026-01", Zone: "UTC")],
        Billing = [new("acme", "某某科技有限公司", "91350100M000100Y43"), new("deepseek", Bank: "A bank", Account: "62")],
    };

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Close_AMonth_FixesStatementsThatAReaderDrawsAgainToTheByte()
    {
        using var folder = new TemporaryFolder();
        ShardOptions options = Samples.Options(folder.Path) with { Time = new FixedClock(2026, 2, 3) };
        await using (Shard shard = await Shard.OpenAsync(options))
        {
            Assert.Equal(SetupStatus.Done, (await shard.SetUpAsync(Network)).Status);
            await shard.RecordAsync(Samples.Records(0, 1_000));
            IReadOnlyList<ClosedPeriod> frozen = await ClosePeriods.FreezeAsync(shard, "", "2026-01", Options);
            Assert.Equal(["sale", "supply"], frozen.Select(f => f.Agreement));
            await shard.RecordAsync(Samples.Records(2_000, 10)); // late
            IReadOnlyList<ClosedPeriod> split = await ClosePeriods.SplitAsync(shard, "", "2026-01", Options);
            Assert.All(split, s => Assert.Equal(SettlementStatus.Done, s.Result.Status));
            Assert.Equal(["0.28", "0.14"], split.Select(s => s.Document!.Tax.Gross));
            Assert.Equal(1_000, split[0].Document!.Records);
            Assert.Equal("100000", split[0].Document!.Quantities[0].Raw);
            Assert.Equal("std-1", split[0].Document!.StandardRule);
        }

        Check(folder.Path);
        Assert.True(Fsck.Run(folder.Path).IsClean);
        File.Delete(Path.Combine(folder.Path, "stats.db"));
        Check(folder.Path);
        await using (Shard again = await Shard.OpenAsync(options))
        {
            SettlementState state = await again.SettlementAsync();
            Assert.Equal(2, state.Calendar.Periods.Count());
            Assert.Equal(
                SettlementStatus.Exists,
                (await ClosePeriods.FreezeAsync(again, "sale", "2026-01", Options))[0].Result.Status);
        }
    }

    [Fact]
    public async Task FindWaiting_UnpricedRecords_NamesThemUntilTheyArePriced()
    {
        using var folder = new TemporaryFolder();
        ShardOptions options = Samples.Options(folder.Path) with { Time = new FixedClock(2026, 2, 3) };
        await using Shard shard = await Shard.OpenAsync(options);
        await shard.SetUpAsync(Network);
        UsageRecord usual = Samples.Record(7);
        var odd = new UsageRecord
        {
            Id = usual.Id,
            Context = usual.Context,
            EventTime = usual.EventTime,
            Counts = [new Count(Meter.Image, EvidenceGrade.Reported, 1)],
        };
        await shard.RecordAsync([Samples.Record(1), odd]);
        IReadOnlyList<ClosedPeriod> frozen = await ClosePeriods.FreezeAsync(shard, "", "2026-01", Options);
        Assert.Equal(2, frozen.Count);
        SettlementState state = await shard.SettlementAsync();
        StatementQuery query = state.Calendar.QueryOf(
            state.Calendar.Find("supply", "2026-01")!, state.Catalog.TermsOf("supply")[0]);

        IReadOnlyList<WaitingRecord> waiting =
            ClosePeriods.FindWaiting(shard.Facts, query, seq => shard.ReadFrame(seq)!);
        Assert.Equal("7", Assert.Single(waiting).Id);
        ClosedPeriod refused = Assert.Single(await ClosePeriods.SplitAsync(shard, "supply", "2026-01", Options));
        Assert.Equal(SettlementStatus.UsageWaits, refused.Result.Status);
        Assert.Equal(waiting, refused.Waiting);
    }

    private static void Check(string folder)
    {
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(folder);
        using FactStore facts = FactStore.OpenReadOnly(folder, seq => journal.ReadFrom(seq)
            .Select(f => FrameDecoder.Decode(f.Shard, f.Seq, f.Time, f.Body)));
        SettlementState state = SettlementState.Read(facts, journal);
        foreach (SettledPeriod period in state.Calendar.Periods)
        {
            byte[] stored = SettlementState.FindStatement(period, seq => SettlementState.ReadFrame(journal, seq))!;
            Assert.Equal(period.Hash, StatementDocument.HashOf(stored));
            Assert.Equal(stored, ClosePeriods.MakeDocument(facts, state, period, Options).ToBytes());
        }
    }

    private sealed class FixedClock(int year, int month, int day) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(year, month, day, 0, 0, 0, TimeSpan.Zero);
    }
}
