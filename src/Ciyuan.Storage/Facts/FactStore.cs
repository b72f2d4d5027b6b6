using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Statistics;

namespace Ciyuan.Storage;

/// <summary>
/// The column projection of the journal, from which reports and statements are made: sealed segments in
/// <c>stats.db</c>, and an open tail in memory, which is built again from the journal. The file can be deleted at any
/// time; the frames give the same answers again.
/// </summary>
/// <remarks>One thread applies frames; any thread may ask. A question sees all frames applied before it.</remarks>
public sealed class FactStore : IDisposable
{
    // Beyond 8 workers the database's reading, not the adding, is the limit.
    private const int MaxWorkers = 8;

    private readonly Lock _lock = new();
    private readonly FactDatabase? _database;
    private readonly bool _writes;
    private FactSegmentBuilder _open = new();
    private FactSegment? _frozen; // the open tail as a segment; null when frames came since
    private StoredSegment[] _stored = [];
    private readonly List<FactSegment> _inMemory = []; // sealed by a reader, which must not write
    private readonly List<long> _marks = []; // frames with setups or steps of settlement
    private int _markedInSegments;
    private readonly KeptRuns _kept = new();
    private Timestamp _lastTime;

    private FactStore(FactDatabase? database, bool writes)
    {
        _database = database;
        _writes = writes;
        if (database is not null && database.Segments.Count > 0)
        {
            _marks.AddRange(database.Marks);
            _markedInSegments = _marks.Count;
            _stored = [.. database.Segments];
            LastSeq = _stored[^1].LastSeq;
            _lastTime = _stored[^1].LastTime;
        }
    }

    /// <summary>Last frame taken in; 0 before the first. After opening, that of the last sealed segment: the owner goes
    /// on with the frame after it.</summary>
    public long LastSeq { get; private set; }

    /// <summary>For the one writer. A file that is damaged, or of another version, is dropped and begun anew.</summary>
    /// <param name="folder">The data folder; exists.</param>
    public static FactStore Open(string folder) => new(FactDatabase.OpenOrBeginAnew(folder), writes: true);

    /// <summary>For reading beside a writer or without one: sealed segments, then the frames after them. Without a
    /// usable file all frames are read.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="framesFrom">The journal's frames from a sequence number on.</param>
    public static FactStore OpenReadOnly(string folder, Func<long, IEnumerable<Frame>> framesFrom)
    {
        var store = new FactStore(FactDatabase.TryOpenReadOnly(folder), writes: false);
        try
        {
            foreach (Frame frame in framesFrom(store.LastSeq + 1))
            {
                store.Apply(frame);
            }

            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Takes a frame in. Frames come in order; one that was taken in before is ignored.</summary>
    /// <exception cref="InvalidOperationException">A frame is missing before this one.</exception>
    public void Apply(Frame frame)
    {
        lock (_lock)
        {
            if (frame.Seq <= LastSeq)
            {
                return;
            }

            if (frame.Seq != LastSeq + 1)
            {
                throw new InvalidOperationException(
                    $"Frame {frame.Seq} can't follow frame {LastSeq}: give every frame from {LastSeq + 1} on.");
            }

            _open.Add(frame);
            if (frame.Setups.Count + frame.Settlements.Count > 0)
            {
                _marks.Add(frame.Seq);
            }

            _frozen = null;
            LastSeq = frame.Seq;
            _lastTime = frame.Time;
            if (_open.Rows >= FactSegmentBuilder.SealRows)
            {
                Seal();
            }
        }
    }

    /// <summary>Answers a query, exactly.</summary>
    /// <exception cref="ArgumentException">The query has a fault, which the message says.</exception>
    /// <exception cref="ReportTooLargeException">Too many rows or time buckets.</exception>
    /// <exception cref="InvalidDataException">The file is damaged: delete <c>stats.db</c>, it is made anew.</exception>
    public Report Run(ReportQuery query)
    {
        if (query.FindFault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(query));
        }

        Snapshot snapshot = Take();
        TimeBuckets? buckets = snapshot.BucketsOf(query.Bucket, query.Zone, query.Period);
        List<ReportRun> runs = Scan(
            snapshot, () => new ReportRun(query, buckets), static (run, header, read) => run.Add(header, read));
        return ReportWriter.Write(query, buckets, runs, snapshot.LastSeq, snapshot.LastTime);
    }

    /// <summary>The frames that hold setups or steps of settlement, in order: what catalog and calendars are made
    /// of.</summary>
    public IReadOnlyList<long> MarkedFrames
    {
        get
        {
            lock (_lock)
            {
                return [.. _marks];
            }
        }
    }

    /// <summary>The frames that recorded charges in suspense, or took such back, that are booked in a period.</summary>
    /// <exception cref="InvalidDataException">The file is damaged: delete <c>stats.db</c>, it is made anew.</exception>
    public IReadOnlyList<long> FindWaitingFrames(StatementQuery query)
    {
        List<WaitingRun> runs = Scan(
            Take(), () => new WaitingRun(query), static (run, header, read) => run.Add(header, read));
        return [.. runs.SelectMany(run => run.Frames).Distinct().Order()];
    }

    /// <summary>Answers a query, exactly, and keeps what sealed segments add to it: asked again, only what came since
    /// is read. For questions that are asked again and again while records come in.</summary>
    /// <exception cref="ArgumentException">The query has a fault, which the message says.</exception>
    /// <exception cref="ReportTooLargeException">Too many rows or time buckets.</exception>
    /// <exception cref="InvalidDataException">The file is damaged: delete <c>stats.db</c>, it is made anew.</exception>
    public Report RunKept(ReportQuery query)
    {
        if (query.FindFault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(query));
        }

        Snapshot snapshot = Take();
        TimeBuckets? buckets = snapshot.BucketsOf(query.Bucket, query.Zone, query.Period);
        IReadOnlyList<ReportRun> kept = _kept.Find(
            query, buckets, snapshot.Stored.Count,
            (from, to) => Scan(
                snapshot with { Stored = [.. snapshot.Stored.Skip(from).Take(to - from)], InMemory = [] },
                () => new ReportRun(query, buckets), static (run, header, read) => run.Add(header, read)));
        List<ReportRun> open = Scan(
            snapshot with { Stored = [] }, () => new ReportRun(query, buckets),
            static (run, header, read) => run.Add(header, read));
        return ReportWriter.Write(
            query, buckets, [.. kept, .. open], snapshot.LastSeq, snapshot.LastTime, usesUp: false);
    }

    /// <summary>Makes the statement of an agreement, exactly.</summary>
    /// <exception cref="InvalidDataException">The file is damaged: delete <c>stats.db</c>, it is made anew.</exception>
    public Statement RunStatement(StatementQuery query)
    {
        Snapshot snapshot = Take();
        List<StatementRun> runs = Scan(
            snapshot, () => new StatementRun(query), static (run, header, read) => run.Add(header, read));
        return StatementRun.Finish(query, runs, snapshot.LastSeq, snapshot.LastTime);
    }

    /// <summary>Lists what was charged, exactly.</summary>
    /// <exception cref="ReportTooLargeException">Too many lines or time buckets.</exception>
    /// <exception cref="InvalidDataException">The file is damaged: delete <c>stats.db</c>, it is made anew.</exception>
    public ChargeSheet RunCharges(ChargeQuery query)
    {
        Snapshot snapshot = Take();
        TimeBuckets? buckets = snapshot.BucketsOf(query.Bucket, query.Zone, query.Period);
        List<ChargeRun> runs = Scan(
            snapshot, () => new ChargeRun(query, buckets), static (run, header, read) => run.Add(header, read));
        return ChargeRun.Finish(query, buckets, runs, snapshot.LastSeq, snapshot.LastTime);
    }

    /// <summary>Ranges of frames, newest first, that have a row of interest in a period. Sealed segments are found by
    /// their types and times alone, so that what is rare is found without reading the journal.</summary>
    /// <param name="period">Event times of interest.</param>
    /// <param name="before">Only frames up to this one.</param>
    /// <param name="wanted">Whether rows of a type are of interest.</param>
    public IEnumerable<(long First, long Last)> FindFrames(
        Period period, long before, Func<FactHeader, FactType, bool> wanted)
    {
        Snapshot snapshot = Take();
        var probe = new SegmentProbe();
        for (int i = snapshot.InMemory.Count - 1; i >= 0; i--)
        {
            FactSegment segment = snapshot.InMemory[i];
            if (segment.Header.FirstSeq <= before
                && probe.Has(segment.Header, column => segment.Columns[column], period, wanted))
            {
                yield return (segment.Header.FirstSeq, segment.Header.LastSeq);
            }
        }

        using FactReader? reader = snapshot.Stored.Count > 0 ? _database!.OpenReader() : null;
        for (int i = snapshot.Stored.Count - 1; i >= 0; i--)
        {
            StoredSegment stored = snapshot.Stored[i];
            if (stored.FirstSeq <= before && stored.MaxTime >= period.Start
                && (stored.MinTime < period.End || period.End == Timestamp.MaxValue)
                && probe.Has(reader!.Open(stored), reader.Read, period, wanted))
            {
                yield return (stored.FirstSeq, stored.LastSeq);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _open.Dispose();
        _database?.Dispose();
    }

    private Snapshot Take()
    {
        lock (_lock)
        {
            List<FactSegment> inMemory = [.. _inMemory];
            if (_open.Rows > 0)
            {
                inMemory.Add(_frozen ??= _open.Build());
            }

            return new Snapshot(_stored, inMemory, LastSeq, _lastTime);
        }
    }

    private void Seal()
    {
        FactSegment segment = _open.Build();
        if (_writes)
        {
            _stored = [.. _stored, _database!.Add(segment, _marks.Skip(_markedInSegments))];
        }
        else
        {
            _inMemory.Add(segment);
        }

        _markedInSegments = _marks.Count;
        _open.Dispose();
        _open = new FactSegmentBuilder();
    }

    // Each worker takes the next segment until there is none; the caller's thread is one of them.
    private List<T> Scan<T>(Snapshot snapshot, Func<T> makeRun, Action<T, FactHeader, ColumnReader> add)
    {
        int next = -1;
        int count = snapshot.Stored.Count + snapshot.InMemory.Count;
        T Work()
        {
            T run = makeRun();
            using FactReader? reader = snapshot.Stored.Count > 0 ? _database!.OpenReader() : null;
            for (int i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                if (i < snapshot.Stored.Count)
                {
                    add(run, reader!.Open(snapshot.Stored[i]), reader.Read);
                }
                else
                {
                    FactSegment segment = snapshot.InMemory[i - snapshot.Stored.Count];
                    add(run, segment.Header, column => segment.Columns[column]);
                }
            }

            return run;
        }

        int workers = Math.Clamp(Math.Min(Environment.ProcessorCount, count), 1, MaxWorkers);
        Task<T>[] others = [.. Enumerable.Range(1, workers - 1).Select(_ => Task.Run(Work))];
        try
        {
            var runs = new List<T> { Work() };
            runs.AddRange(others.Select(task => task.GetAwaiter().GetResult()));
            return runs;
        }
        finally
        {
            // After a failure no worker may outlive the question that it works for, nor begin another segment.
            Volatile.Write(ref next, count);
            Task.WhenAll(others).ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        }
    }

    private sealed record Snapshot(
        IReadOnlyList<StoredSegment> Stored, IReadOnlyList<FactSegment> InMemory, long LastSeq, Timestamp LastTime)
    {
        public TimeBuckets? BucketsOf(Bucket bucket, NodaTime.DateTimeZone zone, Period period)
        {
            if (bucket == Bucket.None)
            {
                return null;
            }

            Timestamp first = Timestamp.MaxValue;
            Timestamp last = Timestamp.MinValue;
            foreach ((Timestamp min, Timestamp max) in Stored.Select(s => (s.MinTime, s.MaxTime))
                .Concat(InMemory.Select(s => (s.Header.MinTime, s.Header.MaxTime))))
            {
                first = min < first ? min : first;
                last = max > last ? max : last;
            }

            first = period.Start > first ? period.Start : first;
            last = period.End < last ? period.End : last;
            last = last < first ? first : last;
            return TimeBuckets.Make(bucket, zone, first, last);
        }
    }
}
