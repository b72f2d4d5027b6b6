using System.Text;
using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Xunit;

namespace Ciyuan.Tests.Storage;

public sealed class SqliteJournalTests
{
    [Fact]
    public void ReadFrom_AfterReopening_GivesWhatWasAppended()
    {
        using var folder = new TemporaryFolder();
        Append(folder, 1, 50);
        using var journal = SqliteJournal.OpenReadOnly(folder.Path);
        StoredFrame[] frames = [.. journal.ReadFrom(10)];
        Assert.Equal(50, journal.LastSeq());
        Assert.Equal(Enumerable.Range(10, 41), frames.Select(f => (int)f.Seq));
        Assert.All(frames, f => Assert.Equal(Body(f.Seq), f.Body));
        Assert.Equal(frames[^1].Hash, journal.VerifyChain());
        Assert.Empty(journal.ReadFrom(51));
    }

    [Fact]
    public void OpenReadOnly_BesideAWriter_SeesEachFrameOnceItIsCommitted()
    {
        using var folder = new TemporaryFolder();
        using SqliteJournal writer = SqliteJournal.OpenWriter(folder.Path);
        byte[] previous = AppendTo(writer, 1, FrameHash.BeforeFirst);
        using var reader = SqliteJournal.OpenReadOnly(folder.Path);
        Assert.Equal(1, reader.LastSeq());
        AppendTo(writer, 2, previous);
        Assert.Equal(2, reader.LastSeq());
        writer.CheckpointFully();
        Assert.Equal(Body(2), reader.Read(2)!.Value.Body);
    }

    [Fact]
    public void CheckpointWhenDue_AfterManyBytes_MovesThemBesideTheCommitsThatFollow()
    {
        const int Bytes = 1 << 20;
        using var folder = new TemporaryFolder();
        using SqliteJournal journal = SqliteJournal.OpenWriter(folder.Path);
        string path = DataFolder.JournalPath(folder.Path);
        for (long seq = 1; seq <= 16; seq++)
        {
            journal.CheckpointWhenDue();
            journal.Append(0, seq, default, FrameHash.BeforeFirst, FrameHash.BeforeFirst, new byte[Bytes]);
        }

        Assert.InRange(new FileInfo(path).Length, 0, Bytes);
        journal.CheckpointWhenDue();
        journal.WaitForMove();
        Assert.InRange(new FileInfo(path).Length, 16 * Bytes, 17 * Bytes);
    }

    [Fact]
    public void Append_OfASeqThatIsThere_IsRefusedByThePrimaryKey()
    {
        using var folder = new TemporaryFolder();
        using SqliteJournal first = SqliteJournal.OpenWriter(folder.Path);
        using SqliteJournal stale = SqliteJournal.OpenWriter(folder.Path);
        AppendTo(first, 1, FrameHash.BeforeFirst);
        Assert.Throws<JournalFaultedException>(() => AppendTo(stale, 1, FrameHash.BeforeFirst));
        Assert.Equal(1, first.LastSeq());
    }

    [Fact]
    public void VerifyChain_WithAFrameMissing_NamesIt()
    {
        using var folder = new TemporaryFolder();
        Append(folder, 1, 9);
        Change(folder, "DELETE FROM frame WHERE seq = 5");
        using var journal = SqliteJournal.OpenReadOnly(folder.Path);
        AssertBroken(5, journal);
    }

    [Theory]
    [InlineData("UPDATE frame SET body = x'00' WHERE seq = 6", 6)]
    [InlineData("UPDATE frame SET hash = zeroblob(32) WHERE seq = 6", 6)]
    [InlineData("UPDATE frame SET prev = zeroblob(32) WHERE seq = 6", 6)]
    [InlineData("UPDATE frame SET time = time + 1 WHERE seq = 6", 6)]
    [InlineData("UPDATE frame SET seq = 100 WHERE seq = 6", 6)]
    public void VerifyChain_WithAChangedColumn_NamesTheFrame(string sql, long seq)
    {
        using var folder = new TemporaryFolder();
        Append(folder, 1, 9);
        Change(folder, sql);
        using var journal = SqliteJournal.OpenReadOnly(folder.Path);
        AssertBroken(seq, journal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [Trait("Takes", "Long")]
    public void VerifyChain_WithAFlippedBitInABody_NamesTheFrameOrTheFile(int seed)
    {
        using var folder = new TemporaryFolder();
        Append(folder, 1, 200);
        var random = new Random(seed);
        string path = DataFolder.JournalPath(folder.Path);
        byte[] bytes = File.ReadAllBytes(path);
        long seq = random.Next(1, 201);
        int at = bytes.AsSpan().IndexOf(Body(seq));
        bytes[at + random.Next(Body(seq).Length)] ^= (byte)(1 << random.Next(8));
        File.WriteAllBytes(path, bytes);
        using var journal = SqliteJournal.OpenReadOnly(folder.Path);
        AssertBroken(seq, journal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void OpenWriter_WithAnyFlippedBit_IsRefusedOrHarmless()
    {
        using var folder = new TemporaryFolder();
        Append(folder, 1, 60);
        string path = DataFolder.JournalPath(folder.Path);
        byte[] whole = File.ReadAllBytes(path);
        var random = new Random(11);
        int refused = 0;
        for (int i = 0; i < 150; i++)
        {
            byte[] bytes = [.. whole];
            bytes[i < 20 ? random.Next(100) : random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, bytes);
            try
            {
                using SqliteJournal journal = SqliteJournal.OpenWriter(folder.Path);
                journal.VerifyChain();
                Assert.Equal(Enumerable.Range(1, 60).Select(s => Body(s)), journal.ReadFrom(1).Select(f => f.Body));
            }
            catch (Exception e) when (e is JournalException or JournalFaultedException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 20, 150); // the others hit unused space
    }

    [Fact]
    public void OpenWriter_WithALogDamagedInItsMiddle_RefusesInsteadOfForgettingWhatFollows()
    {
        using var folder = new TemporaryFolder();
        using SqliteJournal writer = SqliteJournal.OpenWriter(folder.Path);
        byte[] previous = FrameHash.BeforeFirst;
        for (int seq = 1; seq <= 20; seq++)
        {
            previous = AppendTo(writer, seq, previous);
        }

        using TemporaryFolder crashed = folder.CopyAsCrashed();
        string log = DataFolder.JournalPath(crashed.Path) + "-wal";
        byte[] bytes = File.ReadAllBytes(log);
        bytes[bytes.AsSpan().IndexOf(Body(10)) + 3] ^= 1;
        File.WriteAllBytes(log, bytes);
        var refused = Assert.Throws<JournalException>(() => SqliteJournal.OpenWriter(crashed.Path));
        Assert.Contains("-wal is damaged", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenWriter_WithALogTornInItsLastTransaction_LosesOnlyThat()
    {
        using var folder = new TemporaryFolder();
        using SqliteJournal writer = SqliteJournal.OpenWriter(folder.Path);
        byte[] previous = FrameHash.BeforeFirst;
        for (int seq = 1; seq <= 20; seq++)
        {
            previous = AppendTo(writer, seq, previous);
        }

        using TemporaryFolder crashed = folder.CopyAsCrashed();
        string log = DataFolder.JournalPath(crashed.Path) + "-wal";
        byte[] bytes = File.ReadAllBytes(log);
        bytes[bytes.AsSpan().LastIndexOf(Body(20)) + 3] ^= 1;
        File.WriteAllBytes(log, bytes);
        using SqliteJournal opened = SqliteJournal.OpenWriter(crashed.Path);
        Assert.Equal(19, opened.LastSeq());
    }

    [Fact]
    public void OpenReadOnly_OfAnotherFile_SaysThatItIsNoJournal()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(DataFolder.JournalPath(folder.Path), new string('x', 10_000));
        Assert.Throws<JournalException>(() => SqliteJournal.OpenReadOnly(folder.Path));
        using var empty = new TemporaryFolder();
        Assert.Throws<FileNotFoundException>(() => SqliteJournal.OpenReadOnly(empty.Path));
    }

    [Fact]
    public void Append_WithoutSpace_SaysSoAndWorksAgainWithSpace()
    {
        using var folder = new TemporaryFolder();
        using SqliteJournal journal = SqliteJournal.OpenWriter(folder.Path);
        byte[] previous = AppendTo(journal, 1, FrameHash.BeforeFirst);
        journal.LimitPages(5);
        Assert.Throws<StorageFullException>(() =>
            journal.Append(0, 2, default, previous, FrameHash.BeforeFirst, new byte[100_000]));
        Assert.Equal(1, journal.LastSeq());
        journal.LimitPages(5_000);
        AppendTo(journal, 2, previous);
        Assert.Equal(2, journal.LastSeq());
    }

    private static void AssertBroken(long seq, SqliteJournal journal)
    {
        var broken = Assert.Throws<JournalException>(() => journal.VerifyChain());
        Assert.Contains($"frame {seq} of shard 0", broken.Message, StringComparison.Ordinal);
    }

    private static void Append(TemporaryFolder folder, long from, int count)
    {
        using SqliteJournal journal = SqliteJournal.OpenWriter(folder.Path);
        byte[] previous = FrameHash.BeforeFirst;
        for (long seq = from; seq < from + count; seq++)
        {
            previous = AppendTo(journal, seq, previous);
        }

        journal.CheckpointFully();
    }

    private static byte[] AppendTo(SqliteJournal journal, long seq, byte[] previous)
    {
        var time = new Timestamp(seq);
        byte[] body = Body(seq);
        byte[] hash = FrameHash.Compute(0, seq, time, previous, body);
        journal.Append(0, seq, time, previous, hash, body);
        return hash;
    }

    private static byte[] Body(long seq) =>
        Encoding.ASCII.GetBytes($"<frame {seq} {new string('.', (int)(seq * 37 % 400))}>");

    private static void Change(TemporaryFolder folder, string sql)
    {
        using Database database = Database.Open(DataFolder.JournalPath(folder.Path), write: true);
        database.Execute(sql);
    }
}
