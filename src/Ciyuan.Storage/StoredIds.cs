using Ciyuan.Journal;
using Ciyuan.Ledger;

namespace Ciyuan.Storage;

/// <summary>
/// The id history of a full replay, which compares on the way: each id that the replay adds must be in the stored index
/// at the same place. The replay itself relies on an index of its own.
/// </summary>
internal sealed class StoredIds : IHistory, IDisposable
{
    private readonly string _folder;
    private readonly IdIndex _replayed;
    private readonly List<IdRun> _runs;
    private readonly long _covered;
    private long _added;
    private string? _fault;

    internal StoredIds(string folder, IdIndex replayed)
    {
        _folder = folder;
        _replayed = replayed;
        _runs = IdRunFolder.OpenRuns(folder, verify: true);
        _covered = _runs.Count > 0 ? _runs[^1].Format.LastSeq : 0;
    }

    /// <inheritdoc/>
    public bool TryFind(UInt128 digest, out PastId past) => _replayed.TryFind(digest, out past);

    /// <inheritdoc/>
    public void Add(UInt128 digest, PastId past)
    {
        _replayed.Add(digest, past);
        if (past.Position.Seq <= _covered)
        {
            _added++;
            IdEntry entry = default;
            ulong low = unchecked((ulong)digest);
            bool found = _runs.Any(r => r.TryFind((ulong)(digest >> 64), low, new IdFilterMask(low), out entry));
            if (!found || entry.Past != past)
            {
                string how = found ? "stands at another place" : "is missing";
                _fault ??= $"an id of frame {past.Position.Seq}, place {past.Position.Index} {how} in {_folder}";
            }
        }
    }

    /// <inheritdoc/>
    public Frame ReadFrame(long seq) => _replayed.ReadFrame(seq);

    /// <inheritdoc/>
    public RecordedUsage ReadUsage(long seq) => _replayed.ReadUsage(seq);

    /// <summary>What was found, in words.</summary>
    /// <param name="ids">Ids that the engine remembers.</param>
    /// <param name="last">Last frame.</param>
    /// <exception cref="JournalException">The index says something else than the journal.</exception>
    internal string Check(long ids, long last)
    {
        const string Cure = "; delete the folder index, it is made anew from the journal";
        Recovery.RequireTail(_folder, _covered, last);
        string[] damaged = [.. Directory.Exists(_folder) ? Directory.GetFiles(_folder, "*.ids").Where(IsDamaged) : []];
        if (damaged.Length > 0)
        {
            throw new JournalException($"{string.Join(", ", damaged)}: damaged{Cure}");
        }

        if (_fault is not null)
        {
            throw new JournalException(_fault + Cure);
        }

        long stored = _runs.Sum(r => r.Format.Count);
        return stored == _added
            ? $"{ids} ids; {stored} of frames 1 to {_covered} are in {_runs.Count} files, each at its place"
            : throw new JournalException(
                $"{_folder} holds {stored} ids of frames 1 to {_covered} where there are {_added}{Cure}");
    }

    public void Dispose() => _runs.ForEach(r => r.Dispose());

    private static bool IsDamaged(string path)
    {
        using IdRun? run = IdRun.TryOpen(path, verify: true);
        return run is null;
    }
}
