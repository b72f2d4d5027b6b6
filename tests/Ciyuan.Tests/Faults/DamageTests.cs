using Ciyuan.Journal;
using Ciyuan.Storage;

namespace Ciyuan.Tests.Faults;

/// <summary>A flipped bit in the middle of the journal: the program refuses to start and names the frame.</summary>
[Collection("faults")]
public sealed class DamageTests
{
    [Fact]
    [Trait("Takes", "Long")]
    public async Task Import_BitFlippedInTheMiddle_RefusesAndNamesTheFrame()
    {
        using var room = new FaultRoom();
        await room.SetUpAsync();
        for (int i = 0; i < 6; i++)
        {
            Assert.Equal(0,
                (await room.ImportAsync([.. Enumerable.Range(i * 50, 50).Select(n => FaultRoom.Line("bit", n))])).Exit);
        }

        // Find the middle frame's body in the file and flip one bit of it.
        byte[] body;
        using (SqliteJournal journal = SqliteJournal.OpenReadOnly(room.Data))
        {
            body = journal.ReadFrom(4).First().Body;
        }

        string path = Path.Combine(room.Data, "journal.db");
        byte[] bytes = File.ReadAllBytes(path);
        byte[] inside = body[(body.Length / 2)..((body.Length / 2) + 48)]; // ids, so found in this frame alone
        int found = 0;
        for (int at = bytes.AsSpan().IndexOf(inside); at >= 0; at = bytes.AsSpan().IndexOf(inside))
        {
            bytes[at + 20] ^= 4; // pages that the database has moved may hold an old copy: each is damaged
            found++;
        }

        Assert.True(found > 0);
        File.WriteAllBytes(path, bytes);

        var (exit, _, errors) = await room.ImportAsync([FaultRoom.Line("bit", 1000)]);
        Assert.Equal(1, exit);
        Assert.Contains("rame 4", errors, StringComparison.Ordinal);
        FsckReport report = Fsck.Run(room.Data);
        Assert.False(report.IsClean);
        Assert.Equal(4, report.FirstBrokenFrame);
    }
}
