using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Storage;

namespace Ciyuan.Tests.Storage;

/// <summary>Balances that another process reads while one is writing.</summary>
public sealed class BalancesTests
{
    [Fact]
    public async Task Now_WhileAWriterMergesIdsAndDropsSnapshots_IsTheStateAfterSomeFrame()
    {
        const int Batches = 60;
        using var folder = new TemporaryFolder();
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        using var written = new CancellationTokenSource();
        Task<int> reading = Task.Run(() => ReadUntil(folder.Path, written.Token));
        for (int i = 0; i < Batches; i++)
        {
            await shard.RecordAsync(Samples.Records(i * 100, 100));
        }

        await written.CancelAsync();
        Assert.True(await reading > 0);
        (long seq, IReadOnlyList<AccountView> accounts) = Balances.Now(folder.Path);
        Assert.Equal(shard.DurableSeq, seq);
        Assert.Equal(await shard.BalancesAsync(), accounts);
    }

    [Fact]
    public async Task SetUpAsync_ClosingOfWhatHasNotCome_IsRefusedAndLeavesNoFrame()
    {
        using var folder = new TemporaryFolder();
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        long before = shard.DurableSeq;
        SetupResult refused = await shard.SetUpAsync(Closing("2199-01-01T00:00:00Z"));
        Assert.Equal(SetupStatus.Refused, refused.Status);
        Assert.Contains("has not come yet", Assert.Single(refused.Faults), StringComparison.Ordinal);
        Assert.Equal(before, shard.DurableSeq);
        Assert.Equal(SetupStatus.Done, (await shard.SetUpAsync(Closing("2026-01-01T00:00:00Z"))).Status);
    }

    private static Setup Closing(string until) => new() { By = "test", Closings = [new ClosingSetup(until)] };

    /// <summary>Reads again and again: each time all accounts as they were after one frame.</summary>
    private static int ReadUntil(string folder, CancellationToken written)
    {
        int reads = 0;
        long last = 0;
        while (reads == 0 || !written.IsCancellationRequested)
        {
            (long seq, IReadOnlyList<AccountView> accounts) = Balances.Now(folder, cancel: CancellationToken.None);
            Assert.True(seq >= last);
            last = seq;
            Assert.All(
                accounts.GroupBy(a => a.Name.Currency),
                currency => Assert.Equal(
                    Amount.Zero, currency.Aggregate(Amount.Zero, (sum, account) => sum + account.Balance)));
            reads++;
        }

        return reads;
    }
}
