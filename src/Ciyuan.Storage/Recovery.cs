using Ciyuan.Journal;

namespace Ciyuan.Storage;

/// <summary>
/// Brings an engine to the end of the journal: from the newest snapshot that fits the journal and the id index, and by
/// replay of the rest, which checks each frame's outcome. The same code runs at every start.
/// </summary>
internal static class Recovery
{
    /// <summary>Recovers the engine of a shard.</summary>
    /// <param name="folder">Data folder.</param>
    /// <param name="shard">Shard.</param>
    /// <param name="journal">A connection used by this call alone.</param>
    /// <param name="index">The id index; gets the ids of replayed frames that it does not have.</param>
    /// <param name="log">Told what was done; may be null.</param>
    /// <param name="cancel">Ends it early.</param>
    /// <exception cref="JournalException">A frame is damaged or replays differently, or the journal lost its
    /// end.</exception>
    internal static Engine Run(
        string folder, int shard, SqliteJournal journal, IdIndex index, Action<string>? log, CancellationToken cancel)
    {
        long last = journal.LastSeq(shard);
        RequireTail(DataFolder.IndexPath(folder, shard), index.CoveredSeq, last);
        Engine engine = FromSnapshot(folder, shard, journal, index, last, log) ?? new Engine(shard, index);
        long from = engine.Seq + 1;
        Replay(engine, shard, journal, index, cancel);
        if (engine.Seq >= from)
        {
            log?.Invoke($"replayed frames {from} to {engine.Seq} of shard {shard}");
        }

        return engine;
    }

    /// <summary>Refuses a journal that ends before what was derived from it.</summary>
    internal static void RequireTail(string derived, long seq, long last)
    {
        if (seq > last)
        {
            throw new JournalException(
                $"the journal ends at frame {last}, {derived} has seen frame {seq}: the journal has lost its end; " +
                "restore the newest copy of the data folder (or, to go on without those frames, delete index, " +
                "snapshots and stats.db, which are made anew from the journal)");
        }
    }

    private static Engine? FromSnapshot(
        string folder, int shard, SqliteJournal journal, IdIndex index, long last, Action<string>? log)
    {
        string snapshots = DataFolder.SnapshotsPath(folder, shard);
        foreach (Snapshot snapshot in SnapshotFolder.ReadIntact(snapshots, shard))
        {
            RequireTail(snapshots, snapshot.Seq, last);
            bool fits = snapshot.Seq <= index.CoveredSeq
                && journal.Read(snapshot.Seq, shard) is { } frame
                && frame.Hash.AsSpan().SequenceEqual(snapshot.FrameHash);
            if (!fits)
            {
                log?.Invoke($"the snapshot of frame {snapshot.Seq} does not fit the journal or the id index; not used");
                continue;
            }

            try
            {
                return Engine.ReadState(snapshot.State, index);
            }
            catch (JournalException e)
            {
                log?.Invoke($"the snapshot of frame {snapshot.Seq} can't be read; not used: {e.Message}");
            }
        }

        return null;
    }

    private static void Replay(Engine engine, int shard, SqliteJournal journal, IdIndex index, CancellationToken cancel)
    {
        // Reading and decoding run one frame ahead of replaying.
        using IEnumerator<StoredFrame> frames = journal.ReadFrom(engine.Seq + 1, shard).GetEnumerator();
        Task<(StoredFrame Stored, Frame Decoded)?> next = Task.Run(() => ReadNext(frames), cancel);
        while (next.GetAwaiter().GetResult() is { } frame)
        {
            next = Task.Run(() => ReadNext(frames), cancel);
            try
            {
                index.BeginFrame(frame.Stored.Seq);
                engine.Replay(frame.Decoded, frame.Stored.Body);
                index.EndFrame();
                index.SetDurable(frame.Stored.Seq);
            }
            catch
            {
                _ = Task.WhenAny(next).GetAwaiter().GetResult(); // the connection is in use until then
                throw;
            }
        }
    }

    private static (StoredFrame Stored, Frame Decoded)? ReadNext(IEnumerator<StoredFrame> frames)
    {
        if (!frames.MoveNext())
        {
            return null;
        }

        StoredFrame stored = frames.Current;
        return (stored, FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body));
    }
}
