using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Storage;

namespace Ciyuan.Tests.Storage;

/// <summary>
/// What the hashes can't show: someone who may write the journal changes a charge and makes the whole chain right
/// again. A replay rates each record under the catalogue in force at its frame, so it finds another charge than is
/// stored.
/// </summary>
public sealed class FsckTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(-1_000_000)]
    public async Task Run_ChargeAlteredAndChainMadeRightAgain_NamesTheFrame(long pico)
    {
        using var folder = new TemporaryFolder();
        await FillAsync(folder);
        Assert.True(Fsck.Run(folder.Path).IsClean);
        Rewrite(folder, 4, frame => Alter(frame, pico));

        FsckReport report = Fsck.Run(folder.Path);
        Assert.Contains(report.Checks, c => c is { Name: "chain", Passed: true });
        FsckCheck replay = Assert.Single(report.Checks, c => !c.Passed);
        Assert.Equal("replay", replay.Name);
        Assert.Contains("Frame 4 ", replay.Detail, StringComparison.Ordinal);
        Assert.Equal(4, report.FirstBrokenFrame);
    }

    [Fact]
    public async Task Run_ChainMadeRightAgainWithNothingAltered_IsClean()
    {
        using var folder = new TemporaryFolder();
        await FillAsync(folder);
        Rewrite(folder, 4, frame => frame);
        Assert.True(Fsck.Run(folder.Path).IsClean);
    }

    private static async Task FillAsync(TemporaryFolder folder)
    {
        await using Shard shard = await Shard.OpenAsync(Samples.Options(folder.Path));
        await shard.SetUpAsync(Samples.Platform);
        for (int i = 0; i < 6; i++)
        {
            await shard.RecordAsync(Samples.Records(i * 100, 100));
        }
    }

    /// <summary>Changes the first charge of a record in the middle, with its posting, so that debits still equal
    /// credits.</summary>
    private static Frame Alter(Frame frame, long pico)
    {
        UsageResult result = frame.RecordResults[50];
        var more = new Amount(pico);
        result.Charges[0] = result.Charges[0] with { Amount = result.Charges[0].Amount + more };
        result.Postings[0] = result.Postings[0] with { Amount = result.Postings[0].Amount + more };
        return frame;
    }

    /// <summary>Writes a frame as it is made by a change, and every hash from it on. What is derived from the journal
    /// is deleted: it would show the change, too.</summary>
    private static void Rewrite(TemporaryFolder folder, long seq, Func<Frame, Frame> change)
    {
        StoredFrame[] frames;
        using (SqliteJournal journal = SqliteJournal.OpenReadOnly(folder.Path))
        {
            frames = [.. journal.ReadFrom(seq)];
        }

        using (Database database = Database.Open(DataFolder.JournalPath(folder.Path), write: true))
        {
            byte[] previous = frames[0].Previous;
            foreach (StoredFrame frame in frames)
            {
                byte[] body = frame.Seq != seq ? frame.Body : new FrameEncoder().Encode(change(
                    FrameDecoder.Decode(frame.Shard, frame.Seq, frame.Time, frame.Body))).ToArray();
                byte[] hash = FrameHash.Compute(frame.Shard, frame.Seq, frame.Time, previous, body);
                database.Execute(FormattableString.Invariant(
                    $"""
                    UPDATE frame SET prev = x'{Convert.ToHexString(previous)}', hash = x'{Convert.ToHexString(hash)}',
                    body = x'{Convert.ToHexString(body)}' WHERE seq = {frame.Seq}
                    """));
                previous = hash;
            }
        }

        Directory.Delete(Path.Combine(folder.Path, "index"), recursive: true);
        Directory.Delete(Path.Combine(folder.Path, "snapshots"), recursive: true);
        File.Delete(Path.Combine(folder.Path, "stats.db"));
    }
}
