using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Storage;

/// <summary>
/// A caller's commands on their way through the shard: into a proposal, then an answer, given when durable.
/// </summary>
internal abstract class ShardWork
{
    /// <summary>How many commands, of whatever kind.</summary>
    internal virtual int Commands => 1;

    /// <summary>Whether nobody waits for it: it then goes with the next work that is waited for, or soon.</summary>
    internal virtual bool MayWait => false;

    /// <summary>Whether what its caller does with the answer is short and never blocks: then several are answered on
    /// one thread, one after the other.</summary>
    internal virtual bool AnswersTogether => false;

    /// <summary>Puts the commands into the lists of a proposal.</summary>
    internal virtual void AddTo(ProposalLists lists)
    {
    }

    /// <summary>Takes the answer out of what the engine applied.</summary>
    /// <returns>Work that is to follow; null for none.</returns>
    internal abstract ShardWork? TakeAnswer(Applied applied, Engine engine);

    /// <summary>Gives the answer to the caller: all that it depends on is durable.</summary>
    internal abstract void Complete();

    /// <summary>Tells the caller that nothing was accepted, or that it is unknown.</summary>
    internal abstract void Fail(Exception fault);
}

/// <summary>The commands of several callers, by kind, in the order of arrival.</summary>
internal sealed class ProposalLists
{
    internal List<Setup> Setups { get; } = [];

    internal List<SettlementCommand> Settlements { get; } = [];

    internal List<LedgerGroup> Groups { get; } = [];

    internal List<Correction> Corrections { get; } = [];

    internal List<UsageRecord> Records { get; } = [];

    internal bool IsEmpty =>
        Setups.Count + Settlements.Count + Groups.Count + Corrections.Count + Records.Count == 0;

    /// <summary>Whether the frame is surely small: one correction alone may change a million charges.</summary>
    internal bool IsBrief(int most) =>
        Setups.Count + Settlements.Count + Corrections.Count == 0 && Groups.Count + Records.Count < most;
}

/// <summary>Work with an answer of some type.</summary>
/// <param name="answersTogether">See <see cref="ShardWork.AnswersTogether"/>.</param>
internal abstract class ShardWork<T>(bool answersTogether = false) : ShardWork
{
    // Continuations run elsewhere: a caller's code must not hold up the journal's thread.
    private readonly TaskCompletionSource<T> _source = new(
        answersTogether ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);

    private T? _answer;

    internal override bool AnswersTogether => answersTogether;

    internal Task<T> Task => _source.Task;

    internal override ShardWork? TakeAnswer(Applied applied, Engine engine)
    {
        _answer = Answer(applied, engine);
        return null;
    }

    internal override void Complete() => _source.TrySetResult(_answer!);

    internal override void Fail(Exception fault)
    {
        if (answersTogether)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => _source.TrySetException(fault), null);
        }
        else
        {
            _source.TrySetException(fault);
        }
    }

    protected abstract T Answer(Applied applied, Engine engine);
}

/// <summary>Usage records.</summary>
internal sealed class RecordWork(IReadOnlyList<UsageRecord> records) : ShardWork<UsageReply[]>
{
    private int _from;

    internal override int Commands => records.Count;

    internal override void AddTo(ProposalLists lists)
    {
        _from = lists.Records.Count;
        lists.Records.AddRange(records);
    }

    protected override UsageReply[] Answer(Applied applied, Engine engine) =>
        applied.Records.Length == records.Count
            ? applied.Records
            : applied.Records.AsSpan(_from, records.Count).ToArray();
}

/// <summary>One record that nobody waits for; whoever sent it is told how it ended, on the journal's thread.</summary>
internal sealed class PostedRecordWork(UsageRecord record, Action<UsageRecord, UsageStatus, Exception?> ended)
    : ShardWork
{
    private int _index;
    private UsageStatus _status;

    internal override bool MayWait => true;

    internal override void AddTo(ProposalLists lists)
    {
        _index = lists.Records.Count;
        lists.Records.Add(record);
    }

    internal override ShardWork? TakeAnswer(Applied applied, Engine engine)
    {
        _status = applied.Records[_index].Status;
        return null;
    }

    internal override void Complete() => ended(record, _status, null);

    internal override void Fail(Exception fault) => ended(record, default, fault);
}

/// <summary>A setup; what is in force after it is published once it is durable.</summary>
internal sealed class SetupWork(Setup setup, Action<ShardPolicy> publish) : ShardWork<SetupResult>
{
    private int _index;
    private ShardPolicy? _policy;

    internal override void AddTo(ProposalLists lists)
    {
        _index = lists.Setups.Count;
        lists.Setups.Add(setup);
    }

    internal override void Complete()
    {
        publish(_policy!);
        base.Complete();
    }

    protected override SetupResult Answer(Applied applied, Engine engine)
    {
        _policy = new ShardPolicy(engine.Catalog, engine.Books);
        return applied.Setups[_index];
    }
}

/// <summary>A ledger group.</summary>
/// <param name="group">The group.</param>
/// <param name="answersTogether">See <see cref="ShardWork.AnswersTogether"/>.</param>
internal sealed class GroupWork(LedgerGroup group, bool answersTogether = false)
    : ShardWork<GroupReply>(answersTogether)
{
    private int _index;

    internal override void AddTo(ProposalLists lists)
    {
        _index = lists.Groups.Count;
        lists.Groups.Add(group);
    }

    protected override GroupReply Answer(Applied applied, Engine engine) => applied.Groups[_index];
}

/// <summary>Steps of settlement, all in one frame.</summary>
internal sealed class SettlementWork(IReadOnlyList<SettlementCommand> steps) : ShardWork<SettlementResult[]>
{
    private int _from;

    internal override int Commands => steps.Count;

    internal override void AddTo(ProposalLists lists)
    {
        _from = lists.Settlements.Count;
        lists.Settlements.AddRange(steps);
    }

    protected override SettlementResult[] Answer(Applied applied, Engine engine) =>
        [.. applied.Settlements.Skip(_from).Take(steps.Count)];
}

/// <summary>A question for catalog and calendars, answered when the frames that made them are durable.</summary>
internal sealed class CalendarWork : ShardWork<SettlementState>
{
    protected override SettlementState Answer(Applied applied, Engine engine) =>
        new(engine.Catalog, engine.Calendar.Copy());
}

/// <summary>A correction, or a piece of one.</summary>
/// <param name="correction">The correction.</param>
/// <param name="follow">Told what the engine made of it, before that is durable, or null when it failed; gives the
/// piece that follows. Null when none can.</param>
internal sealed class CorrectionWork(
    Correction correction, Func<CorrectionWork, CorrectionResult?, CorrectionWork?>? follow = null)
    : ShardWork<CorrectionResult>
{
    private int _index;
    private bool _applied;

    internal Correction Correction => correction;

    internal override void AddTo(ProposalLists lists)
    {
        _index = lists.Corrections.Count;
        lists.Corrections.Add(correction);
    }

    internal override ShardWork? TakeAnswer(Applied applied, Engine engine)
    {
        base.TakeAnswer(applied, engine);
        _applied = true;
        return follow?.Invoke(this, applied.Corrections[_index]);
    }

    internal override void Fail(Exception fault)
    {
        base.Fail(fault);
        if (!_applied)
        {
            follow?.Invoke(this, null);
        }
    }

    protected override CorrectionResult Answer(Applied applied, Engine engine) => applied.Corrections[_index];
}

/// <summary>A question for the catalog, answered when the frames that made it are durable.</summary>
internal sealed class CatalogWork : ShardWork<Catalog>
{
    protected override Catalog Answer(Applied applied, Engine engine) => engine.Catalog;
}

/// <summary>A question for the open holds of a source, answered when the frames that made them are durable.</summary>
internal sealed class OpenHoldsWork(string source, Timestamp since) : ShardWork<IReadOnlyList<LedgerGroup>>
{
    protected override IReadOnlyList<LedgerGroup> Answer(Applied applied, Engine engine) =>
        engine.FindOpenHolds(source, since);
}

/// <summary>A question for all balances, answered when the frames that made them are durable.</summary>
internal sealed class BalancesWork : ShardWork<IReadOnlyList<AccountView>>
{
    protected override IReadOnlyList<AccountView> Answer(Applied applied, Engine engine) => [.. engine.Accounts];
}

/// <summary>Looks an id up.</summary>
internal sealed class FindWork(IdKind kind, string source, string id) : ShardWork<FramePosition?>
{
    protected override FramePosition? Answer(Applied applied, Engine engine) => engine.Find(kind, source, id);
}
