using Ciyuan.Journal;

namespace Ciyuan.Storage;

/// <summary>What was applied together: a frame, unless nothing had an effect, and those who wait for it.</summary>
/// <param name="Frame">The frame.</param>
/// <param name="Work">Who waits.</param>
/// <param name="IsBrief">Whether it is so small that handing it to another thread would take longer than what that
/// could do meanwhile.</param>
internal sealed record Batch(Frame? Frame, IReadOnlyList<ShardWork> Work, bool IsBrief = false);

/// <summary>Batches on their way from the engine's thread to the journal's. Neither spins while it waits: each has
/// some tenths of a millisecond to wait, and others have a use for the core.</summary>
/// <param name="most">How many may wait.</param>
internal sealed class BatchQueue(int most)
{
    private readonly Queue<Batch> _batches = new();
    private bool _isComplete;

    /// <summary>Adds a batch; waits while there are as many as may wait.</summary>
    internal void Add(Batch batch)
    {
        lock (_batches)
        {
            while (_batches.Count >= most)
            {
                Monitor.Wait(_batches);
            }

            _batches.Enqueue(batch);
            Monitor.PulseAll(_batches);
        }
    }

    /// <summary>Takes the next batch; null when there will be none any more.</summary>
    internal Batch? Take()
    {
        lock (_batches)
        {
            while (_batches.Count == 0 && !_isComplete)
            {
                Monitor.Wait(_batches);
            }

            bool any = _batches.TryDequeue(out Batch? batch);
            Monitor.PulseAll(_batches);
            return any ? batch : null;
        }
    }

    /// <summary>Says that no more will be added.</summary>
    internal void Complete()
    {
        lock (_batches)
        {
            _isComplete = true;
            Monitor.PulseAll(_batches);
        }
    }
}

/// <summary>
/// Makes frames durable, in order, and answers only then: on a thread of its own, so that the engine works on the next
/// frame meanwhile, or, where that is not worth it, on the engine's. After any failure it accepts nothing, so that
/// no frame is written after one that was not, until the engine has been recovered.
/// </summary>
internal sealed class Committer : IDisposable
{
    /// <summary>Batches waiting behind the one being written: with it, two frames in flight.</summary>
    private const int Waiting = 1;

    private readonly SqliteJournal _journal;
    private readonly int _shard;
    private readonly FrameReader _frames;
    private readonly Action<Frame> _published;
    private readonly Action<string>? _log;
    private readonly BatchQueue _queue = new(Waiting);
    private readonly FrameEncoder _encoder = new();
    private readonly SemaphoreSlim _idle = new(0);
    private readonly Thread _thread;
    private byte[] _previous = FrameHash.BeforeFirst;
    private IdIndex? _index;
    private volatile Exception? _fault;
    private long _durable;
    private int _underWay;

    /// <summary>Starts the thread.</summary>
    /// <param name="journal">The journal's writer, used and closed by this alone.</param>
    /// <param name="shard">Shard.</param>
    /// <param name="frames">Told when a frame is durable.</param>
    /// <param name="published">Receives each durable frame, after the callers have been answered.</param>
    /// <param name="log">Told of checkpoints that wait for space; may be null.</param>
    internal Committer(
        SqliteJournal journal, int shard, FrameReader frames, Action<Frame> published, Action<string>? log)
    {
        _journal = journal;
        _shard = shard;
        _frames = frames;
        _published = published;
        _log = log;
        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
        _thread.Start();
    }

    /// <summary>Last durable frame.</summary>
    internal long DurableSeq => Volatile.Read(ref _durable);

    /// <summary>Why nothing is accepted; null while all is well.</summary>
    internal Exception? Fault => _fault;

    /// <summary>Whether all that was handed over is done.</summary>
    internal bool IsIdle => Volatile.Read(ref _underWay) == 0;

    /// <summary>Told, on the journal's thread, when that becomes idle; set before the first batch.</summary>
    internal Action Idle { private get; set; } = static () => { };

    /// <summary>Hands over a batch; waits while two are in flight. A brief one, when nothing is, is done at once, on
    /// the caller's thread: waking another would take about as long as the commit.</summary>
    internal void Add(Batch batch)
    {
        if (batch.IsBrief && IsIdle)
        {
            Run(batch);
            return;
        }

        Interlocked.Increment(ref _underWay);
        _queue.Add(batch);
    }

    /// <summary>Waits until all handed-over batches are done.</summary>
    internal void Drain()
    {
        Add(new Batch(null, [new DrainWork(_idle)]));
        _idle.Wait();
    }

    /// <summary>Goes on after the engine was brought to the end of the journal; only when drained.</summary>
    internal void Continue(IdIndex index)
    {
        long last = _journal.LastSeq(_shard);
        _previous = last == 0 ? FrameHash.BeforeFirst : _journal.Read(last, _shard)!.Value.Hash;
        _index = index;
        Volatile.Write(ref _durable, last);
        _fault = null;
    }

    /// <summary>Commits what was handed over, moves the log into the journal's file, and closes it.</summary>
    public void Dispose()
    {
        _queue.Complete();
        _thread.Join();
        try
        {
            if (_fault is null)
            {
                _journal.CheckpointFully();
            }
        }
        catch (IOException e)
        {
            _log?.Invoke($"the log stays beside the journal until the next start: {e.Message}");
        }
        finally
        {
            _journal.Dispose();
            _idle.Dispose();
        }
    }

    private void Run()
    {
        while (_queue.Take() is { } batch)
        {
            Run(batch);
            if (Interlocked.Decrement(ref _underWay) == 0)
            {
                Idle();
            }
        }
    }

    private void Run(Batch batch)
    {
        try
        {
            if (_fault is { } earlier)
            {
                Fail(batch, earlier);
                return;
            }

            if (batch.Frame is { } frame)
            {
                Commit(frame);
            }
        }
        catch (Exception e)
        {
            // Whatever it was, the engine is ahead of the journal now.
            _fault = e is StorageFullException or JournalFaultedException
                ? e
                : new JournalFaultedException($"frame {batch.Frame?.Seq}: {e.Message}", e);
            _index?.Abort();
            Fail(batch, _fault);
            return;
        }

        Finish(batch);
    }

    private void Commit(Frame frame)
    {
        ReadOnlySpan<byte> body = _encoder.Encode(frame);
        byte[] hash = FrameHash.Compute(frame.Shard, frame.Seq, frame.Time, _previous, body);
        _journal.Append(frame.Shard, frame.Seq, frame.Time, _previous, hash, body);
        _previous = hash;
    }

    /// <summary>The commit point is passed: nothing here may take the frame back.</summary>
    private void Finish(Batch batch)
    {
        if (batch.Frame is { } frame)
        {
            Volatile.Write(ref _durable, frame.Seq);
            _frames.RemoveInFlight(frame.Seq);
            _index!.SetDurable(frame.Seq);
        }

        foreach (ShardWork work in batch.Work)
        {
            if (!work.AnswersTogether)
            {
                work.Complete();
            }
        }

        AnswerTogether(batch.Work);
        if (batch.Frame is not null)
        {
            _published(batch.Frame);
            Checkpoint();
        }
    }

    // Waking a thread for each of many short answers takes longer than the answers: they share two.
    private static void AnswerTogether(IReadOnlyList<ShardWork> work)
    {
        List<ShardWork>[] halves = [[], []];
        int next = 0;
        foreach (ShardWork one in work)
        {
            if (one.AnswersTogether)
            {
                halves[next++ & 1].Add(one);
            }
        }

        foreach (List<ShardWork> half in halves)
        {
            if (half.Count > 0)
            {
                ThreadPool.UnsafeQueueUserWorkItem(static half => half.ForEach(w => w.Complete()), half, false);
            }
        }
    }

    private void Checkpoint()
    {
        try
        {
            _journal.CheckpointWhenDue();
        }
        catch (StorageFullException e)
        {
            _log?.Invoke($"the log can't be moved into the journal yet: {e.Message}");
        }
        catch (Exception e) when (e is IOException or JournalException)
        {
            _fault = new JournalFaultedException($"the journal has stopped: {e.Message}", e);
            _index?.Abort();
        }
    }

    private static void Fail(Batch batch, Exception fault)
    {
        foreach (ShardWork work in batch.Work)
        {
            work.Fail(fault);
        }
    }

    private sealed class DrainWork(SemaphoreSlim drained) : ShardWork
    {
        internal override ShardWork? TakeAnswer(Applied applied, Engine engine) => null;

        internal override void Complete() => drained.Release();

        internal override void Fail(Exception fault) => drained.Release();
    }
}
