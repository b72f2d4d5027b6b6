using Ciyuan.Journal;
using Ciyuan.Quantities;

namespace Ciyuan.Storage;

/// <summary>
/// The engine's thread: joins queued work into proposals, applies them, hands the frames to the
/// <see cref="Committer"/>, and has snapshots taken. When the engine is ahead of the journal (a frame could not be
/// stored), it is recovered from snapshot and journal before the next work.
/// </summary>
internal sealed class ShardWriter : IDisposable
{
    /// <summary>
    /// Commands joined into one frame: more gain little (a commit is 1 ms) and make each caller wait longer.
    /// </summary>
    private const int JoinedCommands = 2_048;

    /// <summary>Commands that are worth a frame while the one before is still being written: with fewer, what comes
    /// meanwhile is joined, since a frame costs as much as many commands.</summary>
    private const int WorthAFrame = 64;

    /// <summary>
    /// For how long work that nobody waits for is kept for company: 5 ms. What a crash loses of it is what the holds
    /// of the same calls describe.
    /// </summary>
    internal static readonly TimeSpan MostWait = TimeSpan.FromMilliseconds(5);

    private readonly ShardOptions _options;
    private readonly FrameReader _frames;
    private readonly Committer _committer;
    private readonly FactFeed _facts;
    private readonly Thread _thread;
    private WorkQueue _queue = null!;
    private IdIndex _index;
    private Engine _engine;
    private bool _engineIsAhead;
    private long _snapshotSeq;
    private long _recordsSinceSnapshot;
    private readonly Queue<ShardWork> _following = new();
    private ShardWork? _leftOver;

    private ShardWriter(
        ShardOptions options, FrameReader frames, Committer committer, FactFeed facts, IdIndex index, Engine engine)
    {
        _facts = facts;
        _options = options;
        _frames = frames;
        _committer = committer;
        _index = index;
        _engine = engine;
        _thread = new Thread(Run) { IsBackground = true, Name = "engine" };
    }

    internal long DurableSeq => _committer.DurableSeq;

    internal JournalFaultedException? Fault => _committer.Fault as JournalFaultedException;

    /// <summary>What was in force when the shard was opened; only before <see cref="Start"/>.</summary>
    internal ShardPolicy OpenedWith => new(_engine.Catalog, _engine.Books);

    /// <summary>The statistics, with all that is durable now.</summary>
    internal FactStore Facts => _facts.After(_committer.DurableSeq);

    /// <summary>Verifies the journal and recovers the engine, side by side.</summary>
    internal static ShardWriter Open(ShardOptions options, CancellationToken cancel)
    {
        var journal = SqliteJournal.OpenWriter(options.Folder);
        var frames = new FrameReader(SqliteJournal.OpenReadOnly(options.Folder), options.Shard);
        IdIndex? index = null;
        FactFeed? facts = null;
        Task verified = Task.CompletedTask;
        try
        {
            verified = Task.Run(() => VerifyChain(options, cancel), cancel);
            index = OpenIndex(options, frames, verify: true);
            Engine engine = Recover(options, index, verified, cancel);
            verified.GetAwaiter().GetResult();
            if (options.JournalPages > 0)
            {
                journal.LimitPages(options.JournalPages);
            }

            facts = OpenFacts(options, engine.Seq);
            var committer = new Committer(journal, options.Shard, frames, facts.Offer, options.Log);
            committer.Continue(index);
            return new ShardWriter(options, frames, committer, facts, index, engine);
        }
        catch
        {
            _ = Task.WhenAny(verified).GetAwaiter().GetResult();
            facts?.Dispose();
            index?.Dispose();
            frames.Dispose();
            journal.Dispose();
            throw;
        }
    }

    internal void Start(WorkQueue queue)
    {
        _queue = queue;
        _committer.Idle = queue.Nudge;
        _thread.Start();
    }

    /// <summary>Ends after the queue has ended: all work is answered.</summary>
    public void Dispose()
    {
        _thread.Join();
        _committer.Drain();
        if (_committer.Fault is null && !_engineIsAhead && _engine.Seq > _snapshotSeq)
        {
            TakeSnapshot();
            WaitForSnapshot();
        }

        _committer.Dispose();
        _facts.Dispose();
        _index.Dispose();
        _frames.Dispose();
    }

    private void Run()
    {
        while (_leftOver is not null || _following.Count > 0 || _queue.Wait(Timeout.InfiniteTimeSpan))
        {
            List<ShardWork> work = TakeWork();
            try
            {
                Process(work);
            }
            catch (Exception e)
            {
                // Nothing of this work has gone to the journal. Whoever sent it hears why; the shard goes on.
                Exception fault = e is StorageFullException or JournalFaultedException
                    ? e
                    : new JournalFaultedException($"The commands were not accepted: {e.Message}", e);
                work.ForEach(w => w.Fail(fault));
            }

            if (_recordsSinceSnapshot >= _options.SnapshotEveryRecords && !_engineIsAhead)
            {
                TakeSnapshot();
            }
        }
    }

    /// <summary>Takes what is queued, up to a frame's fill; more than that only from a single caller. What follows on
    /// earlier work goes with it, so neither waits for the other.</summary>
    private List<ShardWork> TakeWork()
    {
        var work = new List<ShardWork>();
        int commands = 0;
        bool ready = _following.Count > 0;
        long start = _options.Time.GetTimestamp();
        do
        {
            Drain(work, ref commands, ref ready);
        }
        while (!ready && _queue.Wait(MostWait - _options.Time.GetElapsedTime(start)));

        while (_following.Count == 0 && commands < WorthAFrame && _leftOver is null && !_committer.IsIdle)
        {
            _queue.WaitForNudge(WorthAFrame - commands);
            Drain(work, ref commands, ref ready);
        }

        if (_following.TryDequeue(out ShardWork? following))
        {
            if (_queue.IsCompleted)
            {
                following.Fail(new ObjectDisposedException(nameof(Shard))); // closing does not wait for all of it
            }
            else
            {
                work.Add(following);
            }
        }

        return work;
    }

    private void Drain(List<ShardWork> work, ref int commands, ref bool ready)
    {
        while (_leftOver is not null || _queue.TryTake(out _leftOver))
        {
            if (work.Count > 0 && commands + _leftOver.Commands > JoinedCommands)
            {
                ready = true;
                break;
            }

            work.Add(_leftOver);
            commands += _leftOver.Commands;
            ready |= !_leftOver.MayWait;
            _leftOver = null;
        }
    }

    private void Process(List<ShardWork> work)
    {
        if (work.Count == 0)
        {
            return;
        }

        if (_committer.Fault is not null || _engineIsAhead)
        {
            RecoverRunning();
        }

        var lists = new ProposalLists();
        work.ForEach(w => w.AddTo(lists));
        Applied applied = lists.IsEmpty ? Nothing : Apply(lists);
        if (applied.Frame is not null)
        {
            _frames.AddInFlight(applied.Frame);
        }

        foreach (ShardWork one in work)
        {
            if (one.TakeAnswer(applied, _engine) is { } next)
            {
                _following.Enqueue(next);
            }
        }

        _committer.Add(new Batch(applied.Frame, work, lists.IsBrief(WorthAFrame)));
        _recordsSinceSnapshot += applied.Frame?.Records.Count ?? 0;
    }

    private Applied Apply(ProposalLists lists)
    {
        _index.BeginFrame(_engine.Seq + 1);
        _engineIsAhead = true; // should Apply fail in its middle
        Applied applied = _engine.Apply(new FrameProposal
        {
            Time = Timestamp.FromDateTimeOffset(_options.Time.GetUtcNow()),
            IdKey = _engine.Seq == 0 ? _options.NewIdKey() : null,
            Setups = lists.Setups,
            Settlements = lists.Settlements,
            Groups = lists.Groups,
            Corrections = lists.Corrections,
            Records = lists.Records,
        });
        if (applied.Frame is not null)
        {
            _index.EndFrame();
        }

        _engineIsAhead = false;
        return applied;
    }

    private static Applied Nothing { get; } =
        new() { Frame = null, Setups = [], Settlements = [], Groups = [], Corrections = [], Records = [] };

    /// <summary>Brings the engine back to what is durable, after frames could not be stored.</summary>
    private void RecoverRunning()
    {
        _committer.Drain();
        Exception? fault = _committer.Fault;
        if (fault is JournalFaultedException || (fault is not null && DataFolder.IsNearlyFull(_options.Folder)))
        {
            throw fault;
        }

        _engineIsAhead = true;
        _frames.ForgetInFlight();
        _index.Dispose();
        _index = OpenIndex(_options, _frames, verify: false);
        _engine = Recover(_options, _index, Task.CompletedTask, default);
        _committer.Continue(_index);
        _engineIsAhead = false;
        _options.Log?.Invoke($"the shard goes on after frame {_engine.Seq}");
    }

    private void TakeSnapshot()
    {
        // Work is durable up to the index's file of this frame when the action runs, so the snapshot is never ahead.
        long seq = _engine.Seq;
        byte[] state = _engine.WriteState();
        _index.Freeze();
        _index.AfterFlush(() => WriteSnapshot(seq, state));
        _snapshotSeq = seq;
        _recordsSinceSnapshot = 0;
    }

    private void WriteSnapshot(long seq, byte[] state)
    {
        try
        {
            using var journal = SqliteJournal.OpenReadOnly(_options.Folder);
            byte[] hash = journal.Read(seq, _options.Shard)!.Value.Hash;
            string folder = DataFolder.SnapshotsPath(_options.Folder, _options.Shard);
            SnapshotFolder.Write(folder, _options.Shard, new Snapshot(seq, hash, state));
        }
        catch (Exception e)
        {
            // A snapshot only saves replay: the older one serves, and the next one will be tried.
            _options.Log?.Invoke($"the snapshot of frame {seq} was not written: {e.Message}");
        }
    }

    private void WaitForSnapshot()
    {
        try
        {
            _index.WaitForFlush();
        }
        catch (IOException e)
        {
            _options.Log?.Invoke($"the id index was not written; the next start replays more: {e.Message}");
        }
    }

    private static void VerifyChain(ShardOptions options, CancellationToken cancel)
    {
        using var journal = SqliteJournal.OpenReadOnly(options.Folder);
        journal.VerifyChain(options.Shard, _ => cancel.ThrowIfCancellationRequested());
    }

    private static FactFeed OpenFacts(ShardOptions options, long last)
    {
        FactStore store = FactStore.Open(options.Folder);
        try
        {
            Recovery.RequireTail("stats.db", store.LastSeq, last);
            var journal = SqliteJournal.OpenReadOnly(options.Folder);
            return new FactFeed(store, journal, options.Shard, last, options.Log);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private static IdIndex OpenIndex(ShardOptions options, FrameReader frames, bool verify) =>
        IdIndex.Open(DataFolder.IndexPath(options.Folder, options.Shard), frames, options.IdGeneration, verify);

    private static Engine Recover(ShardOptions options, IdIndex index, Task verified, CancellationToken cancel)
    {
        try
        {
            using var journal = SqliteJournal.OpenReadOnly(options.Folder);
            return Recovery.Run(options.Folder, options.Shard, journal, index, options.Log, cancel);
        }
        catch
        {
            verified.GetAwaiter().GetResult(); // it names the first broken frame, which is the better answer
            throw;
        }
    }
}
