using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Storage;

public sealed class ShardRecoveryTests
{
    [Fact]
    public async Task OpenAsync_WhileAnotherHasTheFolder_IsRefused()
    {
        using var folder = new TemporaryFolder();
        await using (await Shard.OpenAsync(Samples.Options(folder.Path)))
        {
            var refused = await Assert.ThrowsAsync<DataFolderInUseException>(
                () => Shard.OpenAsync(Samples.Options(folder.Path)));
            Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
            Assert.Throws<DataFolderInUseException>(() => Fsck.Run(folder.Path));
        }

        await using Shard again = await Shard.OpenAsync(Samples.Options(folder.Path));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task OpenAsync_OfCopiesTakenWhileWriting_HasEachAcknowledgedRecordOnce()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        for (int round = 0; round < 6; round++)
        {
            for (int i = 0; i < 3; i++)
            {
                await shard.RecordAsync(Samples.Records(round * 300 + (i * 100), 100));
            }

            // No write is under way between two calls but the index's and snapshot's, which may be torn.
            using TemporaryFolder crashed = folder.CopyAsCrashed();
            await AssertRecoversAsync(crashed, (round + 1) * 300);
        }
    }

    [Theory]
    [InlineData("index")]
    [InlineData("snapshots")]
    [InlineData("stats.db")]
    public async Task OpenAsync_AfterLosingWhatIsDerived_MakesItAnew(string lost)
    {
        using var folder = new TemporaryFolder();
        await FillAsync(folder, 12);
        string path = Path.Combine(folder.Path, lost);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }

        await AssertRecoversAsync(folder, 1_200);
    }

    [Fact]
    public async Task OpenAsync_WithADamagedSnapshot_FallsBackToTheOneBefore()
    {
        using var folder = new TemporaryFolder();
        await FillAsync(folder, 12);
        string[] snapshots = Directory.GetFiles(DataFolder.SnapshotsPath(folder.Path));
        Array.Sort(snapshots, StringComparer.Ordinal);
        Assert.Equal(2, snapshots.Length);
        Flip(snapshots[1]);
        var said = new List<string>();
        await using (await Shard.OpenAsync(Samples.Options(folder.Path) with { Log = said.Add }))
        {
            Assert.Contains(said, s => s.StartsWith("replayed frames", StringComparison.Ordinal)
                && !s.StartsWith("replayed frames 1 ", StringComparison.Ordinal));
        }

        Assert.True(Fsck.Run(folder.Path).IsClean);
    }

    [Fact]
    public async Task OpenAsync_WithADamagedIndexFile_ReplaysToMakeItAnew()
    {
        using var folder = new TemporaryFolder();
        await FillAsync(folder, 12);
        Flip(Directory.GetFiles(DataFolder.IndexPath(folder.Path)).Order(StringComparer.Ordinal).First());
        FsckReport report = Fsck.Run(folder.Path);
        Assert.Contains(report.Checks, c => c is { Name: "ids", Passed: false });
        await AssertRecoversAsync(folder, 1_200);
    }

    [Fact]
    public async Task OpenAsync_OfAJournalThatLostItsEnd_IsRefused()
    {
        using var folder = new TemporaryFolder();
        await FillAsync(folder, 12);
        using (Database database = Database.Open(DataFolder.JournalPath(folder.Path), write: true))
        {
            database.Execute("DELETE FROM frame WHERE seq > 10");
        }

        var refused = await Assert.ThrowsAsync<JournalException>(() => Shard.OpenAsync(Samples.Options(folder.Path)));
        Assert.Contains("lost its end", refused.Message, StringComparison.Ordinal);
        Assert.False(Fsck.Run(folder.Path).IsClean);
    }

    [Fact]
    public async Task OpenAsync_WithAFlippedBitInTheMiddle_NamesTheFrameAndSoDoesFsck()
    {
        using var folder = new TemporaryFolder();
        await FillAsync(folder, 12);
        using (Database database = Database.Open(DataFolder.JournalPath(folder.Path), write: true))
        {
            database.Execute("UPDATE frame SET body = body || x'00' WHERE seq = 7");
        }

        var refused = await Assert.ThrowsAsync<JournalException>(() => Shard.OpenAsync(Samples.Options(folder.Path)));
        Assert.Contains("frame 7 of shard 0", refused.Message, StringComparison.Ordinal);
        FsckReport report = Fsck.Run(folder.Path);
        Assert.Equal(7, report.FirstBrokenFrame);
    }

    [Fact]
    public async Task RecordAsync_WhenTheDiskIsFull_RefusesAndGoesOnWithSpace()
    {
        using var folder = new TemporaryFolder();
        int accepted = 0;
        await using (Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path) with { JournalPages = 12 }))
        {
            await shard.SetUpAsync(Samples.Platform);
            await Assert.ThrowsAsync<StorageFullException>(async () =>
            {
                for (; accepted < 100; accepted++)
                {
                    await shard.RecordAsync(Samples.Records(accepted * 100, 100));
                }
            });
            await Assert.ThrowsAsync<StorageFullException>(
                async () => await shard.RecordAsync(Samples.Records(90_000, 300)));
            UsageReply[] small = await shard.RecordAsync(Samples.Records(0, 1));
            Assert.Equal(UsageStatus.Exists, small[0].Status);
        }

        await AssertRecoversAsync(folder, accepted * 100);
    }

    [Fact]
    public async Task Facts_WhileRecording_IncludeAllThatWasAcknowledged()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        for (int i = 1; i <= 30; i++)
        {
            await shard.RecordAsync(Samples.Records(i * 50, 50));
            Report report = shard.Facts.Run(new ReportQuery());
            Assert.Equal(i * 50, report.Value(report.Total, "calls"));
            Assert.Equal(i * 50 * 100, report.Value(report.Total, "tokens_input"));
        }
    }

    [Fact]
    public async Task BalancesAsync_AfterRecords_SumToZero()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        await shard.RecordAsync(Samples.Records(0, 700));
        IReadOnlyList<AccountView> accounts = await shard.BalancesAsync();
        Assert.NotEmpty(accounts);
        Assert.All(accounts.GroupBy(a => a.Name.Currency), g => Assert.Equal(0, g.Sum(a => (long)a.Balance.Pico)));
    }

    [Fact]
    public async Task DisposeAsync_WithWorkQueued_AnswersItFirst()
    {
        using var folder = new TemporaryFolder();
        Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        Task<UsageReply[]>[] calls =
            [.. Enumerable.Range(0, 40).Select(i => shard.RecordAsync(Samples.Records(i * 10, 10)).AsTask())];
        await shard.DisposeAsync();
        Assert.Equal(400, (await Task.WhenAll(calls)).Sum(r => r.Count(x => x.Status == UsageStatus.Posted)));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await shard.RecordAsync(Samples.Records(0, 1)));
    }

    private static async Task FillAsync(TemporaryFolder folder, int batches)
    {
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        for (int i = 0; i < batches; i++)
        {
            await shard.RecordAsync(Samples.Records(i * 100, 100));
        }
    }

    private static async Task AssertRecoversAsync(TemporaryFolder folder, int records)
    {
        await using (Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path)))
        {
            long before = shard.DurableSeq;
            UsageReply[] replies = await shard.RecordAsync(Samples.Records(0, records));
            Assert.All(replies, r => Assert.Equal(UsageStatus.Exists, r.Status));
            Assert.Equal(before, shard.DurableSeq);
            Report report = shard.Facts.Run(new ReportQuery());
            Assert.Equal(records, report.Value(report.Total, "calls"));
        }

        FsckReport checkedAgain = Fsck.Run(folder.Path);
        Assert.True(checkedAgain.IsClean, string.Join("; ", checkedAgain.Checks.Where(c => !c.Passed)));
    }

    private static void Flip(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 16;
        File.WriteAllBytes(path, bytes);
    }
}
