using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Storage;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Storage;

public sealed class ShardTests
{
    [Fact]
    public async Task RecordAsync_NewRecords_ArePostedAndThereAfterReopening()
    {
        using var folder = new TemporaryFolder();
        await using (Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path)))
        {
            Assert.Equal(SetupStatus.Done, (await shard.SetUpAsync(Samples.Platform)).Status);
            UsageReply[] replies = await shard.RecordAsync(Samples.Records(0, 100));
            Assert.All(replies, r => Assert.Equal(UsageStatus.Posted, r.Status));
            Assert.Equal(2, shard.DurableSeq);
        }

        await using Shard again = await Shard.OpenAsync(Samples.Options(folder.Path));
        Assert.Equal(2, again.DurableSeq);
        UsageReply[] second = await again.RecordAsync(Samples.Records(0, 100));
        Assert.All(second, r => Assert.Equal(UsageStatus.Exists, r.Status));
        Assert.Equal(new FramePosition(2, 7), second[7].Position);
        Assert.Equal(2, again.DurableSeq);
    }

    [Fact]
    public async Task OpenAsync_OfANewFolder_MakesItItsOwnersAlone()
    {
        using var folder = new TemporaryFolder();
        string data = Path.Combine(folder.Path, "data");
        await using Shard shard = await Shard.OpenAsync(Samples.Options(data));
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(data)
            == (UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Fact]
    public async Task RecordAsync_ManyCallersWithOverlappingRecords_PostEachOnce()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        UsageReply[][] replies = await Task.WhenAll(
            Enumerable.Range(0, 60).Select(i => shard.RecordAsync(Samples.Records(i * 50, 100)).AsTask()));
        Assert.Equal((59 * 50) + 100, replies.Sum(r => r.Count(x => x.Status == UsageStatus.Posted)));
        Assert.Equal(59 * 50, replies.Sum(r => r.Count(x => x.Status == UsageStatus.Exists)));
        for (int i = 1; i < 60; i++)
        {
            // The same record has the same place, whoever asked.
            Assert.Equal(replies[i - 1].Skip(50).Select(r => r.Position), replies[i].Take(50).Select(r => r.Position));
        }
    }
}
