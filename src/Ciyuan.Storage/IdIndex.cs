using Ciyuan.Journal;
using Ciyuan.Ledger;

namespace Ciyuan.Storage;

/// <summary>
/// Every id ever seen, with memory bounded as records grow: the newest ids in a table, all older ones in immutable
/// sorted files, of which a lookup touches one cache line each. Derived from the journal: what is missing or damaged is
/// made anew by replay.
/// </summary>
/// <remarks>
/// One thread (the engine's) calls everything that is not said to be for others; between <see cref="BeginFrame"/> and
/// <see cref="EndFrame"/> it applies one frame. An entry never changes, so files may be ahead of the engine: during
/// replay, their entries of the present and later frames are not seen.
/// </remarks>
internal sealed class IdIndex : IHistory, IDisposable
{
    /// <summary>Ids in memory before they go to a file: 2¹⁹ × 32 bytes ÷ half full = 32 MB.</summary>
    internal const int DefaultGeneration = 1 << 19;

    /// <summary>Tables waiting for their file before the engine waits too: at most 4 × 32 MB.</summary>
    private const int MaxFrozen = 4;

    private readonly IdRunFolder _folder;
    private readonly FrameReader _frames;
    private readonly int _generation;
    private IdTable _active = new();
    private IdTable[] _frozen = [];
    private IdRun[] _runs;
    private long _activeFirst;
    private long _current;
    private long _last;

    private IdIndex(IdRunFolder folder, FrameReader frames, int generation)
    {
        _folder = folder;
        _frames = frames;
        _generation = generation;
        (_runs, _frozen) = folder.TakeView();
        CoveredSeq = folder.CoveredSeq;
        _activeFirst = CoveredSeq + 1;
    }

    /// <summary>Opens the index of a data folder; damaged or incoherent files are dropped.</summary>
    /// <param name="folder">The index folder.</param>
    /// <param name="frames">Reads frames back.</param>
    /// <param name="generation">Ids in memory before they go to a file.</param>
    /// <param name="verify">Whether to read the files whole and check their hashes.</param>
    internal static IdIndex Open(
        string folder, FrameReader frames, int generation = DefaultGeneration, bool verify = true) =>
        new(IdRunFolder.Open(folder, verify), frames, generation);

    /// <summary>Opens the index and writes nothing: ids of further frames stay in memory.</summary>
    internal static IdIndex OpenReadOnly(string folder, FrameReader frames) =>
        new(IdRunFolder.OpenReadOnly(folder), frames, int.MaxValue);

    /// <summary>
    /// The files hold the ids of all frames up to this one (as of opening, or of the last freeze done).
    /// </summary>
    internal long CoveredSeq { get; }

    /// <summary>Makes ready for a frame. Waits while too many tables wait for their files.</summary>
    /// <exception cref="IOException">Files can't be written.</exception>
    internal void BeginFrame(long seq)
    {
        _current = seq;
        if (_folder.HasNews)
        {
            (_runs, _frozen) = _folder.TakeView();
        }

        if (_frozen.Length >= MaxFrozen)
        {
            _folder.WaitForRoom(MaxFrozen);
            (_runs, _frozen) = _folder.TakeView();
        }
    }

    /// <summary>Ends a frame that came to be; a full table goes on its way to a file.</summary>
    internal void EndFrame()
    {
        _last = _current;
        if (_current <= CoveredSeq)
        {
            _active.Clear(); // replayed: the files have them
        }
        else if (_active.Count >= _generation)
        {
            Freeze();
        }
    }

    /// <summary>Sends the table on its way to a file, which then holds all ids up to the last frame.</summary>
    internal void Freeze()
    {
        if (_last >= _activeFirst)
        {
            _folder.Enqueue(_active, _activeFirst, _last);
            _activeFirst = _last + 1;
            _active = _folder.NewTable();
            (_runs, _frozen) = _folder.TakeView();
        }
    }

    /// <summary>Runs an action, on the index's thread, once all that was frozen before is in durable files.</summary>
    internal void AfterFlush(Action action) => _folder.Enqueue(action);

    /// <summary>Waits until all that was frozen and enqueued is done.</summary>
    /// <exception cref="IOException">Files can't be written.</exception>
    internal void WaitForFlush() => _folder.WaitForRoom(1);

    /// <summary>For the journal's thread: frames up to this one are durable, so their ids may go to files.</summary>
    internal void SetDurable(long seq) => _folder.SetDurable(seq);

    /// <summary>For the journal's thread: nothing more becomes durable; whoever waits must stop.</summary>
    internal void Abort() => _folder.Abort();

    /// <inheritdoc/>
    public bool TryFind(UInt128 digest, out PastId past)
    {
        ulong high = (ulong)(digest >> 64);
        ulong low = unchecked((ulong)digest);
        bool found = _active.TryFind(high, low, out IdEntry entry);
        for (int i = 0; i < _frozen.Length && !found; i++)
        {
            found = _frozen[i].TryFind(high, low, out entry);
        }

        if (!found && _runs.Length > 0)
        {
            var mask = new IdFilterMask(low);
            for (int i = 0; i < _runs.Length && !found; i++)
            {
                // An entry of the present or a later frame is ahead of the replay: not seen yet.
                found = _runs[i].TryFind(high, low, mask, out entry) && entry.Seq < _current;
            }
        }

        past = found ? entry.Past : default;
        return found;
    }

    /// <inheritdoc/>
    public void Add(UInt128 digest, PastId past) => _active.Add(new IdEntry(digest, past));

    /// <inheritdoc/>
    public Frame ReadFrame(long seq) => _frames.Read(seq);

    /// <inheritdoc/>
    public RecordedUsage ReadUsage(long seq) => _frames.ReadUsage(seq);

    /// <summary>Stops the background work; what was not written is made anew by replay.</summary>
    public void Dispose() => _folder.Dispose();
}
