using Ciyuan.Journal;

namespace Ciyuan.Storage;

/// <summary>
/// Checks everything that a data folder promises: the chain of the journal, a full replay from frame 1, the ledger's
/// invariants, and that whatever was derived (snapshot, id index, statistics) says the same. Changes nothing.
/// </summary>
public sealed class Fsck
{
    private readonly string _folder;
    private readonly int _shard;
    private readonly Action<FsckProgress>? _progress;
    private readonly CancellationToken _cancel;
    private readonly List<FsckCheck> _checks = [];
    private readonly FrameSums _sums = new();
    private long _last;
    private long _replayed;
    private long? _broken;

    private Fsck(string folder, int shard, Action<FsckProgress>? progress, CancellationToken cancel)
    {
        _folder = Path.GetFullPath(folder);
        _shard = shard;
        _progress = progress;
        _cancel = cancel;
    }

    /// <summary>Checks a data folder.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="progress">Told of each frame; may be null.</param>
    /// <param name="shard">Shard.</param>
    /// <param name="cancel">Ends it early.</param>
    /// <exception cref="DataFolderInUseException">A process writes to the folder; stop it first.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder has no journal.</exception>
    public static FsckReport Run(
        string folder, Action<FsckProgress>? progress = null, int shard = 0, CancellationToken cancel = default)
    {
        using DataFolder held = DataFolder.LockForReading(folder);
        return new Fsck(folder, shard, progress, cancel).Run();
    }

    private FsckReport Run()
    {
        try
        {
            if (Check("journal", OpenJournal) && Check("chain", CheckChain))
            {
                CheckDerived();
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _checks.Add(new FsckCheck("fsck", false, $"ended early: {e.Message}"));
        }

        return new FsckReport { Checks = _checks, Frames = _last, Records = _sums.Records, FirstBrokenFrame = _broken };
    }

    private string OpenJournal()
    {
        WriteAheadLog.RequireWhole(DataFolder.JournalPath(_folder));
        using var journal = SqliteJournal.OpenReadOnly(_folder);
        _last = journal.LastSeq(_shard);
        return $"format as expected, {_last} frames";
    }

    private string CheckChain()
    {
        using var journal = SqliteJournal.OpenReadOnly(_folder);
        long good = 0;
        try
        {
            journal.VerifyChain(_shard, seq =>
            {
                Tell("chain", seq);
                good = Math.Max(seq - SqliteJournal.CheckedAtOnce, 0); // these are still being hashed
            });
        }
        catch (JournalException)
        {
            _broken = FirstBroken(good);
            throw;
        }

        string structure = journal.CheckStructure();
        return structure == "ok"
            ? $"{_last} frames, gapless, each with the hash of the one before and its own"
            : throw new JournalException(
                $"the frames are whole, but SQLite finds the file damaged: {structure}; restore it from a backup");
    }

    /// <summary>The number of the first frame that fails, known to be after the good ones.</summary>
    private long FirstBroken(long good)
    {
        using var journal = SqliteJournal.OpenReadOnly(_folder);
        long seq = Math.Max(good, 1);
        try
        {
            byte[] previous = seq == 1 ? FrameHash.BeforeFirst : journal.Read(seq - 1, _shard)!.Value.Hash;
            foreach (StoredFrame frame in journal.ReadFrom(seq, _shard))
            {
                SqliteJournal.CheckFrame(frame, previous);
                previous = frame.Hash;
                seq++;
            }
        }
        catch (JournalException)
        {
            // This is the one.
        }

        return seq;
    }

    private void CheckDerived()
    {
        DirectoryInfo scratch = Directory.CreateTempSubdirectory("ciyuan-fsck-");
        try
        {
            using var frames = new FrameReader(SqliteJournal.OpenReadOnly(_folder), _shard);
            using var ids = IdIndex.Open(scratch.FullName, frames);
            using var stored = new StoredIds(DataFolder.IndexPath(_folder, _shard), ids);
            using var facts = new FactsUpToSealed(_folder);
            var engine = new Engine(_shard, stored);
            if (!Check("replay", () => Replay(engine, ids, stored, facts)))
            {
                _broken = _replayed + 1;
                return;
            }

            _ = Check("ledger", () => CheckLedger(engine));
            _ = Check("ids", () => stored.Check(engine.IdCount, _last));
            _ = Check("snapshot", () => CheckSnapshot(engine, frames));
            _ = Check("statistics", () => facts.Check(_last));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private string Replay(Engine engine, IdIndex ids, StoredIds stored, FactsUpToSealed facts)
    {
        using var journal = SqliteJournal.OpenReadOnly(_folder);
        foreach (StoredFrame frame in journal.ReadFrom(1, _shard))
        {
            _cancel.ThrowIfCancellationRequested();
            Frame decoded = FrameDecoder.Decode(frame.Shard, frame.Seq, frame.Time, frame.Body);
            ids.BeginFrame(frame.Seq);
            engine.Replay(decoded, frame.Body);
            ids.EndFrame();
            ids.SetDurable(frame.Seq);
            _replayed = frame.Seq;
            _sums.Add(decoded);
            if (frame.Seq == facts.LastSeq)
            {
                facts.Expect(_sums);
            }

            Tell("replay", frame.Seq);
        }

        return $"{_sums.Records} records; every outcome is the stored one, to the byte";
    }

    private static string CheckLedger(Engine engine)
    {
        IReadOnlyList<string> broken = engine.FindBrokenInvariants();
        return broken.Count == 0
            ? $"{engine.Accounts.Count} accounts; debits equal credits in every currency, limits are kept"
            : throw new JournalException(string.Join("; ", broken));
    }

    private string CheckSnapshot(Engine replayed, FrameReader frames)
    {
        string path = DataFolder.SnapshotsPath(_folder, _shard);
        if (!SnapshotFolder.ReadIntact(path, _shard).Any())
        {
            return "none";
        }

        var said = new List<string>();
        using var journal = SqliteJournal.OpenReadOnly(_folder);
        using var index = IdIndex.OpenReadOnly(DataFolder.IndexPath(_folder, _shard), frames);
        Engine recovered = Recovery.Run(_folder, _shard, journal, index, said.Add, _cancel);
        return recovered.WriteState().AsSpan().SequenceEqual(replayed.WriteState())
            ? string.Join("; ", said.Prepend("the state recovered from it equals the replayed state"))
            : throw new JournalException(
                "state from the newest snapshot differs from the replayed state; " +
                "delete the folder snapshots, it is made anew");
    }

    private bool Check(string name, Func<string> check)
    {
        try
        {
            _checks.Add(new FsckCheck(name, true, check()));
            return true;
        }
        catch (Exception e) when (e is JournalException or IOException or InvalidDataException)
        {
            _checks.Add(new FsckCheck(name, false, e.Message));
            return false;
        }
    }

    private void Tell(string check, long seq)
    {
        _cancel.ThrowIfCancellationRequested();
        _progress?.Invoke(new FsckProgress(check, seq, _last));
    }
}
