using System.Security.Cryptography;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Storage;

/// <summary>How a shard is opened.</summary>
/// <param name="Folder">The data folder; made when missing.</param>
public sealed record ShardOptions(string Folder)
{
    /// <summary>The clock that frames are stamped with.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Number of the shard.</summary>
    public int Shard { get; init; }

    /// <summary>Makes the 16 secret random bytes under which a new shard remembers ids.</summary>
    public Func<byte[]> NewIdKey { get; init; } = () => RandomNumberGenerator.GetBytes(16);

    /// <summary>Told, in sentences, what recovery did and what is to be looked after; null: nobody.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Records between snapshots: a restart replays at most so many.</summary>
    public int SnapshotEveryRecords { get; init; } = 1_000_000;

    /// <summary>Ids in memory before they go to a file; small in tests.</summary>
    internal int IdGeneration { get; init; } = IdIndex.DefaultGeneration;

    /// <summary>Most pages in the journal's file, to test a full disk; 0: no limit.</summary>
    internal long JournalPages { get; init; }
}

/// <summary>
/// The one writer of a data folder: takes commands from any number of callers, joins what is waiting into frames, and
/// answers when their frame is durable.
/// </summary>
/// <remarks>
/// <code>
/// callers ─▶ queue ─▶ engine thread: Apply ─▶ journal thread: encode, hash, commit ─▶ answers ─▶ statistics thread
///                     (Steps 4 to 6)          (two frames in flight;
///                                             a small frame: the engine thread itself)
/// </code>
/// What ends by itself (holds, funding) ends with the next frame: balances show it from then on.
/// </remarks>
public sealed class Shard : IAsyncDisposable
{
    /// <summary>Callers' batches that wait; more wait outside, in the order in which they came.</summary>
    private const int QueueCapacity = 256;

    private readonly WorkQueue _queue = new(QueueCapacity);

    private readonly ShardOptions _options;
    private readonly DataFolder _folder;
    private readonly ShardWriter _writer;
    private ShardPolicy _policy;
    private int _disposed;

    private Shard(ShardOptions options, DataFolder folder, ShardWriter writer)
    {
        _options = options;
        _folder = folder;
        _writer = writer;
        _policy = writer.OpenedWith;
        writer.Start(_queue);
    }

    /// <summary>Last frame that is durable; 0 before the first.</summary>
    public long DurableSeq => _writer.DurableSeq;

    /// <summary>Why the journal takes nothing more until the shard is opened anew; null while all is well. A full disk
    /// is no such fault: with space, the next call goes on.</summary>
    public JournalFaultedException? Fault => _writer.Fault;

    /// <summary>What is in force after the last durable setup; asked without waiting, by any thread.</summary>
    public ShardPolicy Policy => Volatile.Read(ref _policy);

    /// <summary>The statistics, with all frames that are durable at this moment; waits until they are.</summary>
    /// <exception cref="InvalidOperationException">They can't be kept; the first error is inside.</exception>
    public FactStore Facts => _writer.Facts;

    /// <summary>Opens a shard: locks the folder, verifies the whole journal, recovers the engine.</summary>
    /// <exception cref="DataFolderInUseException">Another process writes to the folder.</exception>
    /// <exception cref="JournalException">The journal is damaged; names the first broken frame.</exception>
    public static Task<Shard> OpenAsync(ShardOptions options, CancellationToken cancel = default) =>
        Task.Run(() => Open(options, cancel), cancel);

    /// <summary>
    /// Records usage. Cancelling ends the wait for a place in the queue; once queued, it is recorded.
    /// </summary>
    /// <param name="records">Up to <see cref="FrameProposal.MaxCommands"/>, each without a fault.</param>
    /// <param name="cancel">Ends the wait for a place in the queue.</param>
    /// <returns>A reply for each, once its frame is durable.</returns>
    /// <exception cref="StorageFullException">No space: nothing was recorded.</exception>
    /// <exception cref="JournalFaultedException">The shard has stopped; what was recorded is known after
    /// reopening.</exception>
    public ValueTask<UsageReply[]> RecordAsync(IReadOnlyList<UsageRecord> records, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(records.Count, FrameProposal.MaxCommands, nameof(records));
        return records.Count == 0 ? new([]) : Send(new RecordWork(records), cancel);
    }

    /// <summary>
    /// Sends a record without waiting for it: it goes into the frame of whatever is waited for next, after at most
    /// <see cref="ShardWriter.MostWait"/>. What is asked for later, balances or statistics, is answered after it.
    /// </summary>
    /// <param name="record">The record, without a fault.</param>
    /// <param name="ended">Told how it ended once it is durable, or why it could not be stored; must be quick, since
    /// the journal waits for it.</param>
    /// <returns>When it is queued.</returns>
    /// <exception cref="ObjectDisposedException">The shard is closed; nothing was queued.</exception>
    public ValueTask SendRecordAsync(UsageRecord record, Action<UsageRecord, UsageStatus, Exception?> ended) =>
        _queue.AddAsync(new PostedRecordWork(record, ended), CancellationToken.None);

    /// <summary>Changes parties, agreements, prices or funding. One that would close event times which have not come
    /// yet is refused, and leaves no frame.</summary>
    public ValueTask<SetupResult> SetUpAsync(Setup setup, CancellationToken cancel = default)
    {
        var now = Timestamp.FromDateTimeOffset(_options.Time.GetUtcNow());
        string[] faults = [.. (setup.Closings ?? []).Where(c => c?.IsAfter(now) == true).Select(c =>
            $"closing until '{c.Until}': that has not come yet, and it can't be taken back; close what is over")];
        return faults.Length > 0
            ? new(new SetupResult(SetupStatus.Refused, faults))
            : Send(new SetupWork(setup, policy => Volatile.Write(ref _policy, policy)), cancel);
    }

    /// <summary>Posts a ledger group.</summary>
    public ValueTask<GroupReply> PostAsync(LedgerGroup group, CancellationToken cancel = default) =>
        Send(new GroupWork(group), cancel);

    /// <summary>Posts a ledger group for a caller who follows up on the answer shortly and without blocking, up to its
    /// next wait: those whose groups were committed together share a thread for that.</summary>
    public ValueTask<GroupReply> PostBrieflyAsync(LedgerGroup group) =>
        Send(new GroupWork(group, answersTogether: true), CancellationToken.None);

    /// <summary>Takes steps of settlement, all in one frame; an answer for each.</summary>
    public ValueTask<SettlementResult[]> SettleAsync(
        IReadOnlyList<SettlementCommand> steps, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps.Count, FrameProposal.MaxCommands, nameof(steps));
        return steps.Count == 0 ? new([]) : Send(new SettlementWork(steps), cancel);
    }

    /// <summary>Catalog and calendars, with every frame durable that they come from.</summary>
    public ValueTask<SettlementState> SettlementAsync(CancellationToken cancel = default) =>
        Send(new CalendarWork(), cancel);

    /// <summary>A durable frame, decoded; null when there is none of that number.</summary>
    public Frame? ReadFrame(long seq)
    {
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(_options.Folder);
        return journal.Read(seq, _options.Shard) is { } stored
            ? FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body)
            : null;
    }

    /// <summary>Corrects recorded usage.</summary>
    public ValueTask<CorrectionResult> CorrectAsync(Correction correction, CancellationToken cancel = default) =>
        Send(new CorrectionWork(correction), cancel);

    /// <summary>Groups of a source whose hold is still open, newest first; see
    /// <see cref="Engine.FindOpenHolds"/>.</summary>
    public ValueTask<IReadOnlyList<LedgerGroup>> OpenHoldsAsync(
        string source, Timestamp since, CancellationToken cancel = default) =>
        Send(new OpenHoldsWork(source, since), cancel);

    /// <summary>Queues work without waiting for its answer.</summary>
    internal ValueTask StartAsync(ShardWork work, CancellationToken cancel) => _queue.AddAsync(work, cancel);

    /// <summary>All accounts, with every frame durable that they come from.</summary>
    public ValueTask<IReadOnlyList<AccountView>> BalancesAsync(CancellationToken cancel = default) =>
        Send(new BalancesWork(), cancel);

    /// <summary>Parties and agreements, with every frame durable that they come from.</summary>
    public ValueTask<Catalog> CatalogAsync(CancellationToken cancel = default) => Send(new CatalogWork(), cancel);

    /// <summary>Where the command with an id stands; null when there is none. Durable when this returns.</summary>
    public ValueTask<FramePosition?> FindAsync(
        IdKind kind, string source, string id, CancellationToken cancel = default) =>
        Send(new FindWork(kind, source, id), cancel);

    /// <summary>Answers what is queued, writes a snapshot, and gives the folder free.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _queue.Complete();
            await Task.Run(_writer.Dispose).ConfigureAwait(false);
            _folder.Dispose();
        }
    }

    private async ValueTask<T> Send<T>(ShardWork<T> work, CancellationToken cancel)
    {
        await _queue.AddAsync(work, cancel).ConfigureAwait(false);
        return await work.Task.ConfigureAwait(false);
    }

    private static Shard Open(ShardOptions options, CancellationToken cancel)
    {
        DataFolder folder = DataFolder.Lock(options.Folder);
        try
        {
            return new Shard(options, folder, ShardWriter.Open(options, cancel));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }
}
