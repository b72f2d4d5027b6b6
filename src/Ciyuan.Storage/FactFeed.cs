using Ciyuan.Journal;

namespace Ciyuan.Storage;

/// <summary>
/// The thread that keeps the statistics up to date: durable frames as they come, and from the journal those that it has
/// missed (after a start, and after a frame could not be stored). A writer waits for it when eight large frames are
/// waiting, except while it catches up. Of small ones, with a call each, thousands may wait: to seal a segment takes
/// longer than eight of them, and no call is to wait for that.
/// </summary>
internal sealed class FactFeed : IDisposable
{
    private const int Waiting = 8;

    /// <summary>Commands in the waiting frames up to which more than eight may wait: some 10 MB.</summary>
    private const int WaitingCommands = 16_384;

    private readonly FactStore _store;
    private readonly SqliteJournal _journal;
    private readonly int _shard;
    private readonly Action<string>? _log;
    private readonly object _gate = new();
    private readonly Queue<Frame> _queue = new();
    private readonly Thread _thread;
    private bool _catchingUp = true;
    private bool _stopping;
    private int _commands; // in the waiting frames
    private long _applied;
    private long _durable;
    private Exception? _fault;

    /// <summary>Starts the thread.</summary>
    /// <param name="store">The statistics, which it owns.</param>
    /// <param name="journal">A connection to read missed frames, which it owns.</param>
    /// <param name="shard">Shard.</param>
    /// <param name="durable">Last durable frame.</param>
    /// <param name="log">Told when statistics can't be kept; may be null.</param>
    internal FactFeed(FactStore store, SqliteJournal journal, int shard, long durable, Action<string>? log)
    {
        _store = store;
        _journal = journal;
        _shard = shard;
        _log = log;
        _durable = durable;
        _applied = store.LastSeq;
        _thread = new Thread(Run) { IsBackground = true, Name = "statistics" };
        _thread.Start();
    }

    /// <summary>Takes a durable frame; waits while too much is waiting.</summary>
    internal void Offer(Frame frame)
    {
        lock (_gate)
        {
            _durable = frame.Seq;
            while (_queue.Count >= Waiting && _commands >= WaitingCommands && !_catchingUp && _fault is null)
            {
                Monitor.Wait(_gate);
            }

            if (!_catchingUp && _fault is null)
            {
                _queue.Enqueue(frame);
                _commands += CommandsOf(frame);
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The statistics, once they include a frame.</summary>
    /// <exception cref="InvalidOperationException">They can't be kept; the first error is inside.</exception>
    internal FactStore After(long seq)
    {
        lock (_gate)
        {
            while (_applied < seq)
            {
                if (_fault is not null)
                {
                    throw new InvalidOperationException(
                        $"The statistics have stopped at frame {_applied}: {_fault.Message}", _fault);
                }

                ObjectDisposedException.ThrowIf(_stopping, _store);
                Monitor.Wait(_gate);
            }

            return _store;
        }
    }

    /// <summary>Takes in what is waiting, but does not end a long catching-up, and closes the store.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        _store.Dispose();
        _journal.Dispose();
    }

    private void Run()
    {
        try
        {
            while (TakeNext(out long seq, out Frame? frame))
            {
                _store.Apply(frame ?? Read(seq));
                lock (_gate)
                {
                    _applied = seq;
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception e)
        {
            // The journal is the truth: usage goes on being recorded, and the next start catches up.
            _log?.Invoke($"the statistics have stopped: {e.Message}");
            lock (_gate)
            {
                _fault = e;
                _queue.Clear();
                _commands = 0;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>The next frame, null when it is to be read from the journal; false when it is time to stop.</summary>
    private bool TakeNext(out long seq, out Frame? frame)
    {
        lock (_gate)
        {
            seq = _applied + 1;
            frame = null;
            while (_applied == _durable)
            {
                _catchingUp = false;
                if (_stopping)
                {
                    return false;
                }

                Monitor.Wait(_gate);
            }

            while (_queue.TryPeek(out Frame? head) && head.Seq <= seq)
            {
                frame = _queue.Dequeue();
                _commands -= CommandsOf(frame);
            }

            frame = frame?.Seq == seq ? frame : null;
            _catchingUp = frame is null;
            return frame is not null || !_stopping;
        }
    }

    // One correction may change a million charges.
    private static int CommandsOf(Frame frame) =>
        frame.Corrections.Count > 0 ? WaitingCommands : 1 + frame.Records.Count + frame.Groups.Count;

    private Frame Read(long seq)
    {
        StoredFrame stored = _journal.Read(seq, _shard) ?? throw SqliteJournal.Broken(_shard, seq, "is missing");
        return FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body);
    }
}
