using Ciyuan.Storage;
using Ciyuan.Journal;

namespace Ciyuan.Tests.Faults;

/// <summary>A flipped bit in the middle of the journal: the program refuses to start and names the frame.</summary>
[Collection("faults")]
public sealed class DamageTests
{
    [Fact]
    public async Task Import_BitFlippedInTheMiddle_RefusesAndNamesTheFrame()
    {
        using var room = new FaultRoom();
        await room.SetUpAsync();
        for (int i = 0; i < 6; i++)
        {
            Assert.Equal(0, (await room.ImportAsync([.. Enumerable.Range(i * 50, 50).Select(n => FaultRoom.Line("bit", n))])).Exit);
        }

        // Find the middle frame's body in the file and flip one bit of it.
        byte[] body;
        using (SqliteJournal journal = SqliteJournal.OpenReadOnly(room.Data))
        {
            body = journal.ReadFrom(4).First().Body;
        }

        string path = Path.Combine(room.Data, "journal.db");
        byte[] bytes = File.ReadAllBytes(path);
        int at = bytes.AsSpan().IndexOf(body.AsSpan(0, 64));
        Assert.True(at > 0);
        bytes[at + 40] ^= 4;
        File.WriteAllBytes(path, bytes);

        var (exit, _, errors) = await room.ImportAsync([FaultRoom.Line("bit", 1000)]);
        Assert.Equal(1, exit);
        Assert.Contains("rame 4", errors, StringComparison.Ordinal);
        FsckReport report = Fsck.Run(room.Data);
        Assert.False(report.IsClean);
        Assert.Equal(4, report.FirstBrokenFrame);
    }
}
