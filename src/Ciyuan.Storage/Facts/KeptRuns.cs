using Ciyuan.Statistics;

namespace Ciyuan.Storage;

/// <summary>
/// What sealed segments add to questions that were asked lately. A sealed segment never changes, so what it adds is
/// added up once; a run that was handed out is never added to, and each segment is in exactly one run of a question.
/// </summary>
internal sealed class KeptRuns
{
    /// <summary>Questions kept. What they hold is bounded by <see cref="MostGroups"/> together.</summary>
    private const int Most = 128;

    /// <summary>Rows of all kept questions together: some 200 bytes each, 40 MB.</summary>
    private const int MostGroups = 200_000;

    /// <summary>Runs of one question: beyond, it is asked anew as a whole, which joins them.</summary>
    private const int MostRuns = 64;

    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _entries = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _byKey = new(StringComparer.Ordinal);

    /// <summary>The runs of a question over the first <paramref name="sealedSegments"/> segments; what is missing is
    /// scanned now.</summary>
    /// <param name="query">The question.</param>
    /// <param name="buckets">Its time buckets; those kept must begin with the same one.</param>
    /// <param name="sealedSegments">How many segments are sealed.</param>
    /// <param name="scan">Scans segments from the first number to before the second.</param>
    internal IReadOnlyList<ReportRun> Find(
        ReportQuery query, TimeBuckets? buckets, int sealedSegments, Func<int, int, List<ReportRun>> scan)
    {
        // Buckets are numbered from the first one on: with another first one, other numbers.
        string key = KeyOf(query) + (buckets is null ? "" : $"|{buckets.Start(0)}");
        Entry? entry;
        lock (_lock)
        {
            entry = _byKey.TryGetValue(key, out LinkedListNode<Entry>? node) ? node.Value : null;
        }

        int from = entry is null || entry.Segments > sealedSegments || entry.Runs.Count >= MostRuns
            ? 0
            : entry.Segments;
        if (entry is not null && from == sealedSegments)
        {
            Keep(entry);
            return entry.Runs;
        }

        List<ReportRun> added = sealedSegments > from ? scan(from, sealedSegments) : [];
        var next = new Entry(key, sealedSegments, from == 0 ? added : [.. entry!.Runs, .. added]);
        Keep(next);
        return next.Runs;
    }

    private void Keep(Entry entry)
    {
        lock (_lock)
        {
            if (_byKey.Remove(entry.Key, out LinkedListNode<Entry>? old))
            {
                _entries.Remove(old);
            }

            _byKey[entry.Key] = _entries.AddFirst(entry);
            while (_entries.Count > 1
                && (_entries.Count > Most || _entries.Sum(e => (long)e.Groups) > MostGroups))
            {
                _byKey.Remove(_entries.Last!.Value.Key);
                _entries.RemoveLast();
            }
        }
    }

    private static string KeyOf(ReportQuery query) => string.Join('|',
        query.Period.Start.UnixNanoseconds, query.Period.End.UnixNanoseconds, query.Zone.Id, query.Bucket,
        query.Standard?.Rule,
        string.Join(',', query.GroupBy),
        string.Join('&', query.Filters.Select(f => $"{f.Dimension}={string.Join('\u0001', f.Values)}")));

    private sealed record Entry(string Key, int Segments, List<ReportRun> Runs)
    {
        public int Groups { get; } = Runs.Sum(run => run.GroupCount);
    }
}
