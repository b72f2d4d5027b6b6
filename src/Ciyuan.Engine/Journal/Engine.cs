using System.Globalization;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>
/// The state machine of one shard: commands in, decisions out, the same on every machine and at every replay. No I/O,
/// no clock, no randomness. One thread at a time.
/// </summary>
/// <remarks>
/// <code>
/// proposal ─▶ expire what has ended ─▶ setups ─▶ settlement ─▶ groups ─▶ corrections ─▶ records ─▶ frame + replies
///                                                Step 7 Settle: which period, which state
///                                                            Step 4 Record: id known? same content or conflict?
///                                                            Step 5 Rate:   which agreements, which prices
///                                                            Step 6 Post:   who pays from what
/// </code>
/// The frame is made durable before any reply goes out; until then the state is ahead of the journal, so a failure to
/// store it ends the use of this instance.
/// </remarks>
public sealed partial class Engine
{
    private readonly IHistory _history;
    private readonly LedgerState _ledger = new();
    private readonly RatingPlans _plans = new();
    private readonly RunningQuantities _running = new();
    private readonly PostUsage _postUsage;
    private readonly CorrectTogether _together;
    private readonly PostGroup _postGroup;
    private readonly SettlementCalendar _calendar = new();
    private readonly FrozenTimes _frozen = new();
    private readonly SettlePeriods _settle;
    private readonly List<Setup> _setups = [];
    private readonly CorrectedRanges _corrected = new();
    private Catalog _catalog = Catalog.Empty;
    private PriceBooks _books = PriceBooks.Empty;
    private byte[] _idKey = new byte[16];
    private IdHasher _hasher;
    private long _ids;
    private UInt128 _idsXor;

    /// <summary>An engine before its first frame.</summary>
    public Engine(int shard, IHistory history)
    {
        Shard = shard;
        _history = history;
        _postUsage = new PostUsage(_ledger, _plans, _running, _frozen);
        _together = new CorrectTogether(_ledger, _plans, _postUsage);
        _postGroup = new PostGroup(_ledger);
        _settle = new SettlePeriods(_ledger, _calendar, _frozen);
        _hasher = new IdHasher(_idKey);
    }

    /// <summary>The shard.</summary>
    public int Shard { get; }

    /// <summary>Most holds open at once; part of what a replay must have the same. Smaller in tests.</summary>
    public int MostOpenHolds
    {
        get => _ledger.MostOpenHolds;
        init => _ledger.MostOpenHolds = value;
    }

    /// <summary>Number of the last frame; 0 before the first.</summary>
    public long Seq { get; private set; }

    /// <summary>Time of the last frame.</summary>
    public Timestamp Time { get; private set; } = Timestamp.MinValue;

    /// <summary>How many ids are remembered.</summary>
    public long IdCount => _ids;

    /// <summary>Exclusive or of all remembered digests: tells whether an index holds just these.</summary>
    public UInt128 IdChecksum => _idsXor;

    /// <summary>The parties and agreements in force.</summary>
    public Catalog Catalog => _catalog;

    /// <summary>The price books.</summary>
    public PriceBooks Books => _books;

    /// <summary>All accounts with their balances, by path and currency.</summary>
    public IReadOnlyList<AccountView> Accounts => [.. _ledger.Accounts
        .OrderBy(a => a.Name.Path, StringComparer.Ordinal).ThenBy(a => a.Name.Currency).Select(a => a.ToView())];

    /// <summary>
    /// Applies a proposal. What comes back has a frame with just those commands that had an effect or were refused for
    /// good; what was there before is answered from memory.
    /// </summary>
    public Applied Apply(FrameProposal proposal)
    {
        long seq = Seq + 1;
        TakeKey(proposal.IdKey);
        Timestamp time = proposal.Time > Time ? proposal.Time : Time.PlusNanoseconds(1);
        IReadOnlyList<Expiry> expiries = _ledger.Expire(time);
        var frame = new FrameDraft();
        SetupResult[] setups = Each(proposal.Setups, setup => ApplySetup(setup, seq, frame));
        SettlementResult[] settlements = Each(proposal.Settlements, step => ApplySettlement(step, seq, time, frame));
        GroupReply[] groups = Each(
            proposal.Groups, group => ApplyGroup(group, new FramePosition(seq, frame.Groups.Count), time, frame));
        CorrectionResult[] corrections = Each(
            proposal.Corrections,
            correction => ApplyCorrection(correction, new FramePosition(seq, frame.Corrections.Count), time, frame));
        UsageReply[] records = ApplyRecords(proposal.Records, seq, time, frame);
        bool effect = frame.HasCommands || expiries.Count > 0 || proposal.IdKey is not null;
        if (effect)
        {
            Seq = seq;
            Time = time;
        }

        return new Applied
        {
            Frame = effect ? frame.Finish(Shard, seq, time, proposal.IdKey, expiries) : null,
            Setups = setups,
            Settlements = settlements,
            Groups = groups,
            Corrections = corrections,
            Records = records,
        };
    }

    /// <summary>
    /// Applies the commands of a stored frame again and checks that every outcome is what is stored, to the byte.
    /// </summary>
    /// <exception cref="JournalException">The frame is not the next one, or its outcome differs.</exception>
    public void Replay(Frame stored, ReadOnlySpan<byte> storedBody)
    {
        if (stored.Seq != Seq + 1 || stored.Shard != Shard || stored.Time <= Time)
        {
            throw new JournalException(
                $"Frame {stored.Seq} of shard {stored.Shard} at {stored.Time} does not follow frame {Seq} of shard "
                    + $"{Shard} at {Time}.");
        }

        Applied applied = Apply(new FrameProposal
        {
            Time = stored.Time,
            IdKey = stored.IdKey,
            Setups = stored.Setups,
            Settlements = stored.Settlements,
            Groups = stored.Groups,
            Corrections = stored.Corrections,
            Records = stored.Records,
        });
        if (applied.Frame is null || !_replayEncoder.Encode(applied.Frame).SequenceEqual(storedBody))
        {
            throw new JournalException(
                $"Frame {stored.Seq} of shard {stored.Shard}: replaying it gives another outcome than is stored.");
        }
    }

    private readonly FrameEncoder _replayEncoder = new();

    /// <summary>Every invariant that does not hold, in words; empty when all do.</summary>
    public IReadOnlyList<string> FindBrokenInvariants() => [.. _ledger.FindBrokenInvariants()];

    private void TakeKey(byte[]? key)
    {
        if ((Seq == 0) != (key is not null))
        {
            throw new InvalidOperationException("The first proposal of a shard, and no other, brings the key of ids.");
        }

        if (key is not null)
        {
            _idKey = [.. key];
            _hasher = new IdHasher(_idKey);
        }
    }

    private static TResult[] Each<T, TResult>(IReadOnlyList<T> commands, Func<T, TResult> apply)
    {
        var results = new TResult[commands.Count];
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = apply(commands[i]);
        }

        return results;
    }

    private SetupResult ApplySetup(Setup setup, long seq, FrameDraft frame)
    {
        if (setup.FindNull() is { } part)
        {
            // It has no stored form, so it is in no frame.
            return new SetupResult(SetupStatus.Refused, [$"{part}: an entry, or a field that it needs, is null"]);
        }

        var faults = new List<string>();
        bool changed = false;
        PriceBooks books = _books.With(setup, faults, ref changed);
        Catalog catalog = _catalog.With(setup, books.Terms, faults, ref changed);
        CheckTerms(setup, faults);
        _ledger.AddFunding(setup, catalog, faults, ref changed, commit: false);
        var result = new SetupResult(
            faults.Count > 0 ? SetupStatus.Refused : changed ? SetupStatus.Done : SetupStatus.Exists, faults);
        if (result.Status != SetupStatus.Done)
        {
            return result; // changes nothing, and is decided anew when it comes again: it is in no frame
        }

        _ledger.AddFunding(setup, catalog, faults, ref changed, commit: true);
        (_books, _catalog) = (books, catalog);
        _plans.Use(catalog, books);
        _calendar.AddClosings(setup, seq);
        _setups.Add(setup);
        frame.Setups.Add(setup);
        return result;
    }

    private GroupReply ApplyGroup(LedgerGroup group, FramePosition position, Timestamp time, FrameDraft frame)
    {
        UInt128 digest = _hasher.Digest(IdKind.Group, group.Source, group.Id);
        ulong fingerprint = group.Fingerprint();
        if (_history.TryFind(digest, out PastId past))
        {
            LedgerStatus status = past.Fingerprint == fingerprint ? LedgerStatus.Exists : LedgerStatus.Conflict;
            return new GroupReply(status, (LedgerStatus)past.Status, -1, past.Position);
        }

        GroupResult result = _postGroup.Run(group, _catalog, time, PastOf(group.Source, frame));
        if (result.Status == LedgerStatus.Malformed)
        {
            return new GroupReply(result.Status, result.Status, -1, default); // nothing to remember it by
        }

        Remember(digest, new PastId(fingerprint, position, (byte)result.Status));
        foreach (UInt128 hold in _postGroup.Placed)
        {
            Remember(hold, new PastId(0, position, 0));
        }

        foreach (string reversed in _postGroup.Reversed)
        {
            Remember(_hasher.Digest(IdKind.Reversal, group.Source, reversed), new PastId(0, position, 0));
        }

        frame.Groups.Add(group);
        frame.GroupResults.Add(result);
        return new GroupReply(result.Status, result.Status, result.FailedOperation, position);
    }

    private GroupPast PastOf(string source, FrameDraft frame) => new(
        hold => _hasher.Digest(IdKind.Hold, source, hold),
        digest => _history.TryFind(digest, out _),
        id => FindDone(source, id, frame),
        id => _history.TryFind(_hasher.Digest(IdKind.Reversal, source, id), out _));

    private Posting[]? FindDone(string source, string id, FrameDraft frame)
    {
        if (!_history.TryFind(_hasher.Digest(IdKind.Group, source, id), out PastId past)
            || (LedgerStatus)past.Status != LedgerStatus.Done)
        {
            return null;
        }

        IReadOnlyList<GroupResult> results =
            past.Position.Seq > Seq ? frame.GroupResults : _history.ReadFrame(past.Position.Seq).GroupResults;
        return results[past.Position.Index].Postings;
    }

    private UsageReply[] ApplyRecords(IReadOnlyList<UsageRecord> records, long seq, Timestamp time, FrameDraft frame)
    {
        var replies = new UsageReply[records.Count];
        frame.Records.EnsureCapacity(replies.Length);
        frame.RecordResults.EnsureCapacity(replies.Length);
        for (int i = 0; i < replies.Length; i++)
        {
            replies[i] = ApplyRecord(records[i], new FramePosition(seq, frame.Records.Count), time, frame);
        }

        return replies;
    }

    private UsageReply ApplyRecord(UsageRecord record, FramePosition position, Timestamp time, FrameDraft frame)
    {
        // Step 4: Record.
        UInt128 digest = _hasher.Digest(IdKind.Usage, record.Context.Source, record.Id);
        ulong fingerprint = record.Fingerprint();
        UsageResult result;
        if (_history.TryFind(digest, out PastId past))
        {
            if (past.Fingerprint == fingerprint)
            {
                return new UsageReply(UsageStatus.Exists, (UsageRemarks)past.Status, past.Position);
            }

            string other = string.Create(CultureInfo.InvariantCulture, $"{record.Id}#{fingerprint:x16}");
            digest = _hasher.Digest(IdKind.Conflict, record.Context.Source, other);
            if (_history.TryFind(digest, out past))
            {
                return new UsageReply(UsageStatus.ConflictExists, UsageRemarks.None, past.Position);
            }

            result = new UsageResult(UsageStatus.Conflict, UsageRemarks.None, [], []);
        }
        else
        {
            UsageContext context = FillIn(record.Context);
            record = ReferenceEquals(context, record.Context) ? record : record.In(context);
            Hold? hold = FindHold(record);
            result = _postUsage.Run(record, _catalog, time, hold);
        }

        Remember(digest, new PastId(fingerprint, position, (byte)result.Remarks));
        frame.Records.Add(record);
        frame.RecordResults.Add(result);
        return new UsageReply(result.Status, result.Remarks, position);
    }

    /// <summary>The open hold that a record names, if it is its own consumer's.</summary>
    private Hold? FindHold(UsageRecord record)
    {
        Hold? hold = record.Hold.Length == 0
            ? null
            : _ledger.Holds.GetValueOrDefault(_hasher.Digest(IdKind.Hold, record.Context.Source, record.Hold));
        return hold?.Party == record.Context.Party ? hold : null;
    }

    /// <summary>Adds the party and the project that a known key implies.</summary>
    private UsageContext FillIn(UsageContext context)
    {
        if (context.Key.Length == 0 || (context.Party.Length > 0 && context.Project.Length > 0)
            || _catalog.FindKey(context.Key) is not { } key || (context.Party.Length > 0 && context.Party != key.Party))
        {
            return context;
        }

        string project = context.Project.Length > 0 ? context.Project : key.Project;
        return _filledIn.Intern(context with { Party = key.Party, Project = project, Plan = null });
    }

    private readonly UsageContexts _filledIn = new();

    private void Remember(UInt128 digest, PastId past)
    {
        _history.Add(digest, past);
        _ids++;
        _idsXor ^= digest;
    }
}
