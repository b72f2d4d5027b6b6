using System.Buffers;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;

namespace Ciyuan.Storage;

/// <summary>
/// The journal as people look at it, beside its writer: single frames by number, and the frames in which something was
/// done by hand. Safe for several threads; nothing here waits for the writer, or makes it wait.
/// </summary>
public sealed class JournalView : IDisposable
{
    /// <summary>Decoded frames kept: one of 8 192 records takes some 5 MB.</summary>
    private const int Kept = 8;

    private readonly Lock _lock = new();
    private readonly SqliteJournal _journal;
    private readonly int _shard;
    private readonly LinkedList<Frame> _recent = new();
    private readonly List<long> _commands = [];
    private readonly Func<LedgerGroup, bool> _byHand;
    private long _indexed;

    /// <summary>Opens the journal of a folder for reading.</summary>
    /// <param name="options">The shard.</param>
    /// <param name="byHand">Whether a ledger group was sent by hand, and not by a machine for each call.</param>
    /// <exception cref="FileNotFoundException">The folder has no journal.</exception>
    public JournalView(ShardOptions options, Func<LedgerGroup, bool> byHand)
    {
        (_shard, _byHand) = (options.Shard, byHand);
        _journal = SqliteJournal.OpenReadOnly(options.Folder);
    }

    /// <summary>Last frame in which commands were looked for.</summary>
    public long IndexedSeq => Interlocked.Read(ref _indexed);

    /// <summary>A frame; null when there is none with this number.</summary>
    /// <exception cref="JournalException">It can't be read.</exception>
    public Frame? Read(long seq)
    {
        lock (_lock)
        {
            for (LinkedListNode<Frame>? node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Seq == seq)
                {
                    _recent.Remove(node);
                    _recent.AddFirst(node);
                    return node.Value;
                }
            }

            if (seq < 1 || _journal.RentBody(seq, _shard) is not { } body)
            {
                return null;
            }

            try
            {
                Frame frame = FrameDecoder.Decode(_shard, seq, body.Time, body.Rented.AsSpan(0, body.Length));
                _recent.AddFirst(frame);
                if (_recent.Count > Kept)
                {
                    _recent.RemoveLast();
                }

                return frame;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(body.Rented);
            }
        }
    }

    /// <summary>The hash of a frame, in hex; empty when there is none.</summary>
    public string HashOf(long seq)
    {
        lock (_lock)
        {
            return _journal.Read(seq, _shard) is { } frame ? Convert.ToHexStringLower(frame.Hash) : "";
        }
    }

    /// <summary>Looks for commands by hand in some more frames.</summary>
    /// <param name="to">Last durable frame.</param>
    /// <param name="most">Most frames in one go, so that readers of single frames get between.</param>
    /// <returns>True when all frames up to <paramref name="to"/> have been looked at.</returns>
    public bool IndexMore(long to, int most)
    {
        lock (_lock)
        {
            long last = Math.Min(to, _indexed + most);
            for (long seq = _indexed + 1; seq <= last; seq++)
            {
                if (_journal.RentBody(seq, _shard) is not { } body)
                {
                    return true;
                }

                try
                {
                    if (FrameDecoder.HasCommands(_shard, seq, body.Rented.AsSpan(0, body.Length), _byHand))
                    {
                        _commands.Add(seq);
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(body.Rented);
                }

                Interlocked.Exchange(ref _indexed, seq);
            }

            return last == to;
        }
    }

    /// <summary>Frames with commands by hand, newest first, before one.</summary>
    public IReadOnlyList<long> CommandFrames(long before, int most)
    {
        lock (_lock)
        {
            int end = _commands.BinarySearch(before);
            end = end < 0 ? ~end : end;
            int count = Math.Min(most, end);
            return [.. _commands.GetRange(end - count, count).AsEnumerable().Reverse()];
        }
    }

    /// <summary>Time of recording of the first frame at or after a number; null when there is none.</summary>
    public Timestamp? TimeOf(long seq)
    {
        lock (_lock)
        {
            return _journal.Read(seq, _shard)?.Time;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _journal.Dispose();
        }
    }
}
