using System.Buffers;
using System.Collections.Immutable;
using System.Threading.Channels;

namespace Ciyuan.Server.Watch;

/// <summary>Tells watchers of calls as they end. A watcher that is too slow loses the oldest ones, and is told how
/// many; nobody waits for it.</summary>
internal sealed class LiveCalls
{
    /// <summary>Most watchers at one time: each costs a line of JSON for each call.</summary>
    internal const int MostWatchers = 16;

    /// <summary>Calls kept for a watcher that is slow: 1 024 of some 400 bytes, 400 KB.</summary>
    private const int Kept = 1_024;

    private ImmutableArray<Watcher> _watchers = [];

    /// <summary>Whether anybody watches.</summary>
    internal bool IsWatched => !_watchers.IsEmpty;

    /// <summary>Tells of a call.</summary>
    internal void Tell(CallView call)
    {
        ReadOnlyMemory<byte> line = default;
        foreach (Watcher watcher in _watchers)
        {
            if (!watcher.Filter.Matches(call))
            {
                continue;
            }

            if (line.IsEmpty)
            {
                var written = new ArrayBufferWriter<byte>(512);
                call.Write(written);
                line = written.WrittenMemory;
            }

            watcher.Tell(line);
        }
    }

    /// <summary>Begins to watch; null when as many watch as may.</summary>
    internal Watcher? Watch(CallFilter filter)
    {
        var watcher = new Watcher(filter, Kept);
        bool added = ImmutableInterlocked.Update(
            ref _watchers, old => old.Length < MostWatchers ? old.Add(watcher) : old);
        return added ? watcher : null;
    }

    /// <summary>Ends watching.</summary>
    internal void Leave(Watcher watcher) => ImmutableInterlocked.Update(ref _watchers, old => old.Remove(watcher));
}

/// <summary>One who watches.</summary>
internal sealed class Watcher
{
    private readonly Channel<ReadOnlyMemory<byte>> _lines;
    private long _lost;

    internal Watcher(CallFilter filter, int kept)
    {
        Filter = filter;
        _lines = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(kept) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest },
            _ => Interlocked.Increment(ref _lost));
    }

    /// <summary>What is watched.</summary>
    internal CallFilter Filter { get; }

    /// <summary>Lines that wait.</summary>
    internal ChannelReader<ReadOnlyMemory<byte>> Lines => _lines.Reader;

    /// <summary>How many calls were lost since it was last asked.</summary>
    internal long TakeLost() => Interlocked.Exchange(ref _lost, 0);

    internal void Tell(ReadOnlyMemory<byte> line) => _lines.Writer.TryWrite(line);
}
