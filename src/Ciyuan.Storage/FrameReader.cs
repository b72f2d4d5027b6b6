using System.Buffers;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;

namespace Ciyuan.Storage;

/// <summary>
/// Reads frames back by number: those applied and not yet durable from memory, others from the journal. Who reads in
/// order, as a correction does, finds the next frames decoded already.
/// </summary>
internal sealed class FrameReader : IDisposable
{
    /// <summary>
    /// Decoded frames kept, enough for two readers in order: a frame of 8 192 records takes some 5 MB.
    /// </summary>
    private const int Kept = 10;

    /// <summary>Frames decoded ahead of a reader in order.</summary>
    private const int Ahead = 2;

    /// <summary>Frames whose records are made columns ahead of a reader in order: some pieces of a correction, so that
    /// it goes on while another thread has the core. A frame of 4 096 records takes 0.6 MB.</summary>
    private const int UsageAhead = 8;

    private readonly SqliteJournal _journal;
    private readonly int _shard;
    private readonly Lock _reading = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Frame> _inFlight = [];
    private readonly LinkedList<(long Seq, Task<Frame?> Frame)> _recent = new();
    private readonly Dictionary<long, Task<RecordedUsage?>> _usageAhead = [];
    private long _lastUsage;
    private bool _disposed;

    /// <summary>Reads from a journal connection, which it owns.</summary>
    internal FrameReader(SqliteJournal journal, int shard)
    {
        _journal = journal;
        _shard = shard;
    }

    /// <summary>Keeps a frame until it is durable.</summary>
    internal void AddInFlight(Frame frame)
    {
        lock (_gate)
        {
            _inFlight.Add(frame.Seq, frame);
        }
    }

    /// <summary>The frame is durable, and found in the journal from now on.</summary>
    internal void RemoveInFlight(long seq)
    {
        lock (_gate)
        {
            _inFlight.Remove(seq);
        }
    }

    /// <summary>Frames in flight were lost: they could not be stored.</summary>
    internal void ForgetInFlight()
    {
        lock (_gate)
        {
            _inFlight.Clear();
        }
    }

    /// <summary>A frame.</summary>
    /// <exception cref="JournalException">There is no such frame, or it can't be read.</exception>
    internal Frame Read(long seq)
    {
        lock (_gate)
        {
            if (_inFlight.TryGetValue(seq, out Frame? frame))
            {
                return frame;
            }
        }

        bool inOrder = _recent.Any(r => r.Seq == seq - 1);
        Task<Frame?> wanted = Get(seq);
        for (int i = 1; i <= Ahead && inOrder; i++)
        {
            _ = Get(seq + i);
        }

        // Read ahead too early, it was not there yet: look again.
        return wanted.GetAwaiter().GetResult() ?? ReadAndDecode(seq)
            ?? throw new JournalException($"frame {seq} of shard {_shard}: there is none yet");
    }

    /// <summary>The records of a frame as columns, which the caller disposes.</summary>
    /// <exception cref="JournalException">There is no such frame, or it can't be read.</exception>
    internal RecordedUsage ReadUsage(long seq)
    {
        lock (_gate)
        {
            if (_inFlight.TryGetValue(seq, out Frame? frame))
            {
                return RecordedUsage.Of(frame.Records, frame.RecordResults);
            }
        }

        if (seq != _lastUsage + 1)
        {
            DropUsageAhead();
        }

        _lastUsage = seq;
        if (!_usageAhead.Remove(seq, out Task<RecordedUsage?>? wanted))
        {
            wanted = Task.FromResult<RecordedUsage?>(null);
        }

        for (int i = 1; i <= UsageAhead; i++)
        {
            long ahead = seq + i;
            if (!_usageAhead.ContainsKey(ahead))
            {
                _usageAhead.Add(ahead, Task.Run(() => ReadAndDecodeUsage(ahead)));
            }
        }

        // Read ahead too early, it was not there yet: look again.
        return wanted.GetAwaiter().GetResult() ?? ReadAndDecodeUsage(seq)
            ?? throw new JournalException($"frame {seq} of shard {_shard}: there is none yet");
    }

    /// <summary>Closes the journal connection.</summary>
    public void Dispose()
    {
        DropUsageAhead();
        lock (_reading)
        {
            _disposed = true;
            _journal.Dispose();
        }
    }

    private Task<Frame?> Get(long seq)
    {
        for (LinkedListNode<(long Seq, Task<Frame?> Frame)>? node = _recent.First; node is not null; node = node.Next)
        {
            if (node.Value.Seq == seq && IsUseful(node.Value.Frame))
            {
                _recent.Remove(node);
                _recent.AddFirst(node);
                return node.Value.Frame;
            }
        }

        Task<Frame?> task = Task.Run(() => ReadAndDecode(seq));
        _recent.AddFirst((seq, task));
        if (_recent.Count > Kept)
        {
            _recent.RemoveLast();
        }

        return task;
    }

    private static bool IsUseful(Task<Frame?> task) =>
        !task.IsCompleted || (task.IsCompletedSuccessfully && task.Result is not null);

    private void DropUsageAhead()
    {
        foreach (Task<RecordedUsage?> task in _usageAhead.Values)
        {
            task.ContinueWith(
                static done => (done.IsCompletedSuccessfully ? done.Result : null)?.Dispose(), TaskScheduler.Default);
        }

        _usageAhead.Clear();
    }

    private Frame? ReadAndDecode(long seq) =>
        ReadBody(seq, static (shard, seq, time, body) => FrameDecoder.Decode(shard, seq, time, body));

    private RecordedUsage? ReadAndDecodeUsage(long seq) =>
        ReadBody(seq, static (shard, seq, time, body) => FrameDecoder.DecodeUsage(shard, seq, time, body));

    private delegate T Decoder<T>(int shard, long seq, Timestamp time, ReadOnlySpan<byte> body);

    private T? ReadBody<T>(long seq, Decoder<T> decode)
        where T : class
    {
        (Timestamp Time, byte[] Rented, int Length)? stored;
        lock (_reading)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            stored = _journal.RentBody(seq, _shard);
        }

        if (stored is not { } body)
        {
            return null;
        }

        try
        {
            return decode(_shard, seq, body.Time, body.Rented.AsSpan(0, body.Length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(body.Rented);
        }
    }
}
