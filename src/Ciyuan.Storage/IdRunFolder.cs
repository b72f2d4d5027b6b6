namespace Ciyuan.Storage;

/// <summary>
/// The index's files and the two threads behind it: one writes frozen tables to files, one merges eight files of a size
/// into one. The engine's thread takes over their results between frames (<see cref="TakeView"/>), so a lookup needs no
/// lock. Files hold the ids of adjoining ranges of frames, from frame 1 without gaps; their names say which.
/// </summary>
internal sealed class IdRunFolder : IDisposable
{
    /// <summary>Files of one size class (each eight times the class before) that are merged into one.</summary>
    private const int MergeFanIn = 8;

    /// <summary>Ids in a file of the smallest class: up to 2⁶; each class has 2³ times as many.</summary>
    private const int SmallestClassBits = 6;

    private readonly string _folder;
    private readonly object _gate = new();
    private readonly Queue<Job> _jobs = new();
    private readonly List<IdRun> _retired = [];
    private readonly List<string> _unwanted;
    private readonly List<IdRun> _runs;
    private readonly Thread[] _threads;
    private volatile bool _news;
    private volatile bool _stopping;
    private bool _aborted;
    private IdEntry[] _sorted = [];
    private IdTable? _flushed;
    private IdTable? _spare;
    private long _durable;
    private Exception? _fault;

    private IdRunFolder(string folder, List<IdRun> runs, List<string> unwanted, bool writes)
    {
        _folder = folder;
        _runs = runs;
        _unwanted = unwanted;
        CoveredSeq = _durable = runs.Count > 0 ? runs[^1].Format.LastSeq : 0;
        _threads = writes
            ? [new Thread(Flush) { Name = "index flush" }, new Thread(Merge) { Name = "index merge" }]
            : [];
        foreach (Thread thread in _threads)
        {
            thread.IsBackground = true;
            thread.Start();
        }
    }

    /// <summary>At opening, the files held the ids of frames 1 to this one.</summary>
    internal long CoveredSeq { get; }

    /// <summary>True when <see cref="TakeView"/> has something new.</summary>
    internal bool HasNews => _news;

    /// <summary>Opens the files that cover the frames from 1 without a gap; deletes all others.</summary>
    internal static IdRunFolder Open(string folder, bool verify)
    {
        Directory.CreateDirectory(folder);
        List<IdRun> runs = OpenRuns(folder, verify);
        List<string> unwanted = [.. Directory.GetFiles(folder).Except(runs.Select(r => r.Path))];
        return new IdRunFolder(folder, runs, unwanted, writes: true);
    }

    /// <summary>Opens the files to look into them, and writes none.</summary>
    internal static IdRunFolder OpenReadOnly(string folder) =>
        new(folder, OpenRuns(folder, verify: true), [], writes: false);

    /// <summary>
    /// The files to use: at each frame the one that goes furthest, which leaves out what was merged into another just
    /// before a crash.
    /// </summary>
    internal static List<IdRun> OpenRuns(string folder, bool verify)
    {
        var ranges = new List<(long First, long Last, string Path)>();
        foreach (string path in Directory.Exists(folder) ? Directory.GetFiles(folder) : [])
        {
            if (IdRunFormat.TryParseName(Path.GetFileName(path), out long first, out long last))
            {
                ranges.Add((first, last, path));
            }
        }

        var runs = new List<IdRun>();
        long next = 1;
        foreach ((long first, long last, string path) in ranges.OrderBy(r => r.First).ThenByDescending(r => r.Last))
        {
            if (first == next && IdRun.TryOpen(path, verify) is { } run)
            {
                runs.Add(run);
                next = last + 1;
            }
        }

        return runs;
    }

    /// <summary>The files and tables to look into from now on. Closes files that no one looks into any more.</summary>
    internal (IdRun[] Runs, IdTable[] Frozen) TakeView()
    {
        lock (_gate)
        {
            _news = false;
            foreach (IdRun run in _retired)
            {
                run.Dispose();
                _unwanted.Add(run.Path);
            }

            _retired.Clear();
            _spare = _flushed ?? _spare;
            _flushed = null;
            Monitor.PulseAll(_gate);
            return ([.. _runs], [.. _jobs.Where(j => j.Table is not null).Select(j => j.Table!)]);
        }
    }

    /// <summary>
    /// An empty table: one that was written to its file, cleared, if there is one. Saves 32 MB of garbage each.
    /// </summary>
    internal IdTable NewTable()
    {
        IdTable table = _spare ?? new IdTable();
        _spare = null;
        table.Clear();
        return table;
    }

    internal void Enqueue(IdTable table, long firstSeq, long lastSeq) =>
        Enqueue(new Job(table, firstSeq, lastSeq, null));

    internal void Enqueue(Action action) => Enqueue(new Job(null, 0, 0, action));

    internal void SetDurable(long seq)
    {
        lock (_gate)
        {
            _durable = seq;
            if (_jobs.Count > 0)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    internal void Abort()
    {
        lock (_gate)
        {
            _aborted = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until fewer jobs than this are left.</summary>
    /// <exception cref="IOException">They can't be done.</exception>
    internal void WaitForRoom(int jobs)
    {
        lock (_gate)
        {
            while (_jobs.Count >= jobs)
            {
                if (_fault is { } fault)
                {
                    _fault = null; // the next one who waits lets it be tried again
                    Monitor.PulseAll(_gate);
                    string what = $"{_folder}: the id index can't be written: {fault.Message}";
                    throw IsFull(fault)
                        ? new StorageFullException($"{what} Free some space and send again.", fault)
                        : new JournalFaultedException(what, fault);
                }

                if (_aborted)
                {
                    throw new JournalFaultedException("The journal has stopped: see the first error.");
                }

                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Stops both threads and closes the files.</summary>
    public void Dispose()
    {
        _stopping = true;
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        foreach (IdRun run in _runs.Concat(_retired))
        {
            run.Dispose();
        }

        _unwanted.AddRange(_retired.Select(r => r.Path));
        DeleteUnwanted();
    }

    private void Enqueue(Job job)
    {
        lock (_gate)
        {
            _jobs.Enqueue(job);
            Monitor.PulseAll(_gate);
        }
    }

    private void Flush()
    {
        while (NextJob() is { } job)
        {
            IdRun? run = null;
            Exception? fault = null;
            try
            {
                run = job.Table is null ? null : Write(job);
                job.Action?.Invoke();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                fault = e;
            }

            lock (_gate)
            {
                _fault = fault;
                if (fault is null)
                {
                    _ = _jobs.Dequeue();
                    _news = true;
                    if (run is not null)
                    {
                        _runs.Add(run);
                        _flushed = job.Table;
                    }
                }

                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>The oldest job once it may be done; null when stopping and none may.</summary>
    private Job? NextJob()
    {
        lock (_gate)
        {
            while (true)
            {
                // A failed job is tried again when somebody has seen the failure.
                bool ready = _fault is null && _jobs.TryPeek(out Job? job) && job.LastSeq <= _durable;
                if (ready || _stopping)
                {
                    return ready ? _jobs.Peek() : null;
                }

                Monitor.Wait(_gate);
            }
        }
    }

    private IdRun Write(Job job)
    {
        ReadOnlySpan<IdEntry> sorted = job.Table!.Sort(ref _sorted);
        using var writer = new IdRunWriter(_folder, new IdRunFormat(sorted.Length, job.FirstSeq, job.LastSeq));
        foreach (ref readonly IdEntry entry in sorted)
        {
            writer.Add(entry);
        }

        return writer.Finish();
    }

    private void Merge()
    {
        while (NextMerge() is { } inputs)
        {
            IdRun? merged = null;
            try
            {
                DeleteUnwanted();
                merged = inputs.Length > 0 ? WriteMerged(inputs) : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Merging only saves time. It is tried again after the next file.
            }

            lock (_gate)
            {
                if (merged is not null)
                {
                    int at = _runs.IndexOf(inputs[0]);
                    _runs.RemoveRange(at, inputs.Length);
                    _runs.Insert(at, merged);
                    _retired.AddRange(inputs);
                    _news = true;
                }
                else if (inputs.Length > 0 && !_stopping)
                {
                    Monitor.Wait(_gate);
                }
            }
        }
    }

    /// <summary>The files to merge, none when there are only unwanted ones to delete; null when stopping.</summary>
    private IdRun[]? NextMerge()
    {
        lock (_gate)
        {
            while (!_stopping)
            {
                int from = FindMerge([.. _runs.Select(r => r.Format.Count)]);
                if (from >= 0 || _unwanted.Count > 0)
                {
                    return from >= 0 ? [.. _runs[from..]] : [];
                }

                Monitor.Wait(_gate);
            }

            return null;
        }
    }

    /// <summary>
    /// Start of the newest files to be merged: those after the last file of a higher class, once eight of them are of
    /// the highest class among them. Each id is thus rewritten once for each factor of eight. -1: nothing to do.
    /// </summary>
    /// <param name="counts">Ids in each file, in the order of their frames.</param>
    internal static int FindMerge(IReadOnlyList<long> counts)
    {
        long total = 0;
        int count = 0;
        int highest = -1;
        for (int i = counts.Count - 1; i >= 0; i--)
        {
            int sizeClass = SizeClass(counts[i]);
            if (sizeClass > highest)
            {
                if (count >= MergeFanIn)
                {
                    return i + 1;
                }

                (highest, count) = (sizeClass, 0);
            }

            total += counts[i];
            count += sizeClass == highest ? 1 : 0;
            if (total > IdRunFormat.MaxCount)
            {
                return -1;
            }
        }

        return count >= MergeFanIn ? 0 : -1;
    }

    private static int SizeClass(long count) =>
        Math.Max(0, (System.Numerics.BitOperations.Log2((ulong)count | 1) - SmallestClassBits + 3) / 3);

    private IdRun? WriteMerged(IdRun[] inputs)
    {
        var format = new IdRunFormat(
            inputs.Sum(r => r.Format.Count), inputs[0].Format.FirstSeq, inputs[^1].Format.LastSeq);
        List<IdRunReader> readers = [.. inputs.Select(r => new IdRunReader(r))];
        try
        {
            using var writer = new IdRunWriter(_folder, format);
            while (!_stopping)
            {
                IdRunReader? least = null;
                foreach (IdRunReader reader in readers)
                {
                    if (!reader.IsAtEnd && (least is null || reader.Current.Precedes(least.Current)))
                    {
                        least = reader;
                    }
                }

                if (least is null)
                {
                    return writer.Finish();
                }

                writer.Add(least.Current);
                least.MoveNext();
            }

            return null;
        }
        finally
        {
            readers.ForEach(r => r.Dispose());
        }
    }

    private void DeleteUnwanted()
    {
        string[] paths;
        lock (_gate)
        {
            paths = [.. _unwanted];
            _unwanted.Clear();
        }

        foreach (string path in paths)
        {
            File.Delete(path);
        }
    }

    private static bool IsFull(Exception fault)
    {
        const int NoSpaceUnix = 28; // ENOSPC
        const int NoSpaceWindows = unchecked((int)0x80070070);
        return fault.HResult is NoSpaceUnix or NoSpaceWindows;
    }

    private sealed record Job(IdTable? Table, long FirstSeq, long LastSeq, Action? Action);
}
