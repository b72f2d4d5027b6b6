using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Statistics;

namespace Ciyuan.Storage;

/// <summary>Balances of a data folder, read beside a writer or without one.</summary>
public static class Balances
{
    /// <summary>How often reading begins again when a file was gone that a running writer has merged
    /// meanwhile.</summary>
    private const int TriesOfFiles = 20;

    /// <summary>The same when a file's content did not fit; each try may replay much.</summary>
    private const int TriesOfContent = 3;

    /// <summary>All accounts after the last frame, with what is held and what is available: from the newest snapshot,
    /// and a replay of the frames after it.</summary>
    /// <returns>The last frame, and the accounts.</returns>
    /// <exception cref="JournalException">The journal, or each snapshot with the ids that it needs, can't be
    /// read.</exception>
    public static (long Seq, IReadOnlyList<AccountView> Accounts) Now(
        string folder, int shard = 0, CancellationToken cancel = default)
    {
        Engine engine = EngineNow(folder, shard, cancel);
        return (engine.Seq, engine.Accounts);
    }

    /// <summary>Parties and agreements, and price books, after the last frame.</summary>
    /// <exception cref="JournalException">The journal, or each snapshot with the ids that it needs, can't be
    /// read.</exception>
    public static (Catalog Catalog, PriceBooks Books) TermsNow(
        string folder, int shard = 0, CancellationToken cancel = default)
    {
        Engine engine = EngineNow(folder, shard, cancel);
        return (engine.Catalog, engine.Books);
    }

    private static Engine EngineNow(string folder, int shard, CancellationToken cancel)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                using var journal = SqliteJournal.OpenReadOnly(folder);
                using var frames = new FrameReader(SqliteJournal.OpenReadOnly(folder), shard);
                using var index = IdIndex.OpenReadOnly(DataFolder.IndexPath(folder, shard), frames);
                return Recovery.Run(folder, shard, journal, index, log: null, cancel);
            }
            catch (Exception e) when (tries < (e is JournalException ? TriesOfContent : TriesOfFiles)
                && e is IOException or JournalException)
            {
                // A writer beside us merges the files of ids and drops old snapshots; the next look finds the new ones.
            }
        }
    }

    /// <summary>The sums of all accounts at a moment. By time of recording, a snapshot before the moment saves reading
    /// what came before it.</summary>
    /// <returns>The last frame that was read, and the sums.</returns>
    /// <exception cref="JournalException">A frame can't be read.</exception>
    public static (long Seq, IReadOnlyDictionary<AccountName, AccountTotals> Totals) At(
        string folder, Timestamp at, TimeBasis basis, int shard = 0, CancellationToken cancel = default)
    {
        using var journal = SqliteJournal.OpenReadOnly(folder);
        var sums = new AccountSums(at, basis);
        long seq = basis == TimeBasis.Recorded ? StartFromSnapshot(folder, shard, journal, at, sums) : 0;
        foreach (StoredFrame stored in journal.ReadFrom(seq + 1, shard))
        {
            cancel.ThrowIfCancellationRequested();
            sums.Add(FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body));
            if (sums.IsComplete)
            {
                break;
            }

            seq = stored.Seq;
        }

        return (seq, sums.Totals);
    }

    private static long StartFromSnapshot(
        string folder, int shard, SqliteJournal journal, Timestamp at, AccountSums sums)
    {
        foreach (Snapshot snapshot in SnapshotFolder.ReadIntact(DataFolder.SnapshotsPath(folder, shard), shard))
        {
            if (journal.Read(snapshot.Seq, shard) is { } frame && frame.Time <= at
                && frame.Hash.AsSpan().SequenceEqual(snapshot.FrameHash))
            {
                sums.StartFrom(Engine.ReadState(snapshot.State, new NoHistory()).Accounts);
                return snapshot.Seq;
            }
        }

        return 0;
    }

    /// <summary>Of a state that is only looked at, nothing of the past is asked.</summary>
    private sealed class NoHistory : IHistory
    {
        public bool TryFind(UInt128 digest, out PastId past) => throw new InvalidOperationException();

        public void Add(UInt128 digest, PastId past) => throw new InvalidOperationException();

        public Frame ReadFrame(long seq) => throw new InvalidOperationException();

        public RecordedUsage ReadUsage(long seq) => throw new InvalidOperationException();
    }
}
