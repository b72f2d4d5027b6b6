using System.Runtime.InteropServices;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>
/// Corrects the records of a frame: first every changed charge is taken back, then the new ones are made, in the order
/// of the records. Records that change in the same way do so as a group, with one posting for each rate, where that
/// gives the very same balances: their amounts follow from rate and counts (or are shares of such), each was posted
/// whole, and the first account of the consumer with anything to draw covers all that the frame draws from it. Where it
/// does not, all records of that consumer go one by one.
/// </summary>
internal sealed class CorrectTogether(LedgerState ledger, RatingPlans plans, PostUsage posts)
{
    /// <summary>Most shapes remembered, at about 500 bytes each; beyond it all are forgotten.</summary>
    private const int MaxShapes = 65_536;

    private object _decision = new();
    private readonly Dictionary<Rate, List<GroupShape>> _groups = [];
    private readonly List<GroupShape> _underWay = [];
    private readonly Dictionary<string, CorrectedParty> _parties = new(StringComparer.Ordinal);
    private readonly Dictionary<Rate, int> _rateOf = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Account, int> _accountOf = new(ReferenceEqualityComparer.Instance);
    private readonly List<Account> _accounts = [];
    private readonly Dictionary<Account, Int128> _back = [];
    private readonly Dictionary<Account, Int128> _drawn = [];
    private readonly Count[] _counts = new Count[UsageRecord.MaxCounts];
    private object?[] _answers = [];
    private CorrectionScope _scope;
    private Catalog? _catalog;
    private PriceBooks? _books;
    private long _seq;
    private int _count;

    /// <summary>Starts a correction; what was decided about shapes holds while scope, catalog and books are the
    /// same.</summary>
    public void Begin(CorrectionScope scope, Catalog catalog, PriceBooks books)
    {
        if (!ReferenceEquals(books, _books) || !ReferenceEquals(catalog, _catalog)
            || (scope.Rerate, scope.ByRate, scope.Agreement) != (_scope.Rerate, _scope.ByRate, _scope.Agreement))
        {
            Forget();
        }

        (_scope, _catalog, _books) = (scope, catalog, books);
    }

    /// <summary>Starts with a frame: rates and accounts become the engine's own.</summary>
    public void BeginFrame(long seq, RecordedUsage usage)
    {
        _seq = seq;
        _rateOf.Clear();
        _accountOf.Clear();
        _accounts.Clear();
        if (_count > MaxShapes)
        {
            Forget();
        }

        for (int i = 0; i < usage.Rates.Count; i++)
        {
            usage.Rates[i] = plans.Canonical(usage.Rates[i]);
            _rateOf.TryAdd(usage.Rates[i], i);
        }

        foreach (AccountName name in usage.Accounts)
        {
            Account account = posts.AccountOf(name);
            _accountOf.TryAdd(account, _accounts.Count);
            _accounts.Add(account);
        }
    }

    /// <summary>Takes in what an earlier correction did to records of the frame.</summary>
    public void ApplyEarlier(RecordedUsage usage, int index, ReadOnlySpan<Charge> charges, int reversed,
        ReadOnlySpan<Posting> postings)
    {
        var touched = new TouchedRates();
        for (int i = 0; i < charges.Length; i++)
        {
            touched.Add(posts.Canonical(charges[i].Rate), i < reversed);
        }

        usage.BeginReplacing(index, [.. usage.Rates.Select(touched.Contains)]);
        for (int i = 0, next = 0; i < charges.Length; next += charges[i++].PostingCount)
        {
            if (i >= reversed)
            {
                usage.AddReplacing(ToColumn(usage, charges[i], postings.Slice(next, charges[i].PostingCount)));
            }
        }
    }

    /// <summary>Takes in what an earlier correction did to records of the frame.</summary>
    public void ApplyEarlier(RecordedUsage usage, CorrectedGroup group)
    {
        var made = new ChargeColumn[group.Charges.Length];
        var touched = new TouchedRates();
        for (int i = 0; i < made.Length; i++)
        {
            GroupCharge charge = group.Charges[i];
            Rate rate = posts.Canonical(charge.Rate);
            touched.Add(rate, i < group.Reversed);
            made[i] = new ChargeColumn(
                PlaceOf(usage, rate), charge.Debit is null ? ChargeColumn.None : PlaceOf(charge.Debit),
                charge.Credit is null ? ChargeColumn.None : PlaceOf(charge.Credit), 0);
        }

        bool[] goes = [.. usage.Rates.Select(touched.Contains)];
        var amounts = new GroupAmounts(group);
        for (int record = 0; record < group.Records; record++)
        {
            usage.BeginReplacing(group.Indices[record], goes);
            for (int i = group.Reversed; i < made.Length; i++)
            {
                long amount = amounts.Of(record, i);
                usage.AddReplacing(amount == 0
                    ? new ChargeColumn(made[i].Rate, ChargeColumn.None, ChargeColumn.None, 0)
                    : made[i] with { Amount = amount });
            }
        }
    }

    /// <summary>Corrects the frame's records as far as they go together.</summary>
    /// <param name="usage">The records, with their present charges.</param>
    /// <param name="contexts">The engine's contexts for those of the frame.</param>
    /// <param name="now">Time of recording.</param>
    /// <param name="groups">Receives the groups.</param>
    /// <returns>The records to be corrected one by one, in order.</returns>
    public IReadOnlyList<int> Run(
        RecordedUsage usage, UsageContext[] contexts, Timestamp now, List<CorrectedGroup> groups)
    {
        var shapes = new CorrectionShape?[usage.Records];
        for (int i = 0; i < shapes.Length; i++)
        {
            shapes[i] = ShapeOf(usage, i, contexts[usage.ContextOf(i)]);
            if (shapes[i] is { IsAlone: true, MovesFunding: true } alone)
            {
                alone.Party.AloneIn = _seq;
            }
        }

        while (!TryCollect(usage, contexts, shapes) || !TryCover(now))
        {
            // Some consumer goes alone; the others are collected again.
        }

        Post(groups);
        var rest = new List<int>();
        for (int i = 0; i < shapes.Length; i++)
        {
            if (shapes[i] is { } shape
                && (shape.IsAlone || (shape.Group is not null && shape.Party.AloneIn == _seq)))
            {
                rest.Add(i);
            }
        }

        return rest;
    }

    private void Forget()
    {
        _decision = new object();
        _groups.Clear();
        _underWay.Clear();
        _parties.Clear();
        _count = 0;
    }

    private ChargeColumn ToColumn(RecordedUsage usage, in Charge charge, ReadOnlySpan<Posting> own)
    {
        Rate rate = posts.Canonical(charge.Rate);
        int place = PlaceOf(usage, rate);
        Int128 pico = charge.Amount.Pico;
        bool plain = charge.Covered is null && own.Length <= 1 && rate.Method != RateMethod.Suspense
            && pico == (own.Length == 1 ? own[0].Amount.Pico : 0) && pico <= long.MaxValue;
        return !plain ? new ChargeColumn(place, ChargeColumn.NotPlain, ChargeColumn.NotPlain, 0)
            : own.Length == 0 ? new ChargeColumn(place, ChargeColumn.None, ChargeColumn.None, 0)
            : new ChargeColumn(place, PlaceOf(own[0].Debit), PlaceOf(own[0].Credit), (long)pico);
    }

    private int PlaceOf(RecordedUsage usage, Rate rate)
    {
        if (!_rateOf.TryGetValue(rate, out int place))
        {
            _rateOf.Add(rate, place = usage.Rates.Count);
            usage.Rates.Add(rate);
        }

        return place;
    }

    private int PlaceOf(AccountName name)
    {
        Account account = posts.AccountOf(name);
        if (!_accountOf.TryGetValue(account, out int place))
        {
            _accountOf.Add(account, place = _accounts.Count);
            _accounts.Add(account);
        }

        return place;
    }

    /// <summary>The shape of a record; null when the correction does not look at it.</summary>
    private CorrectionShape? ShapeOf(RecordedUsage usage, int record, UsageContext context)
    {
        Timestamp time = usage.EventTime(record);
        if ((usage.TraitsOf(record) & RecordTraits.Posted) == 0 || !_scope.Period.Contains(time)
            || (_scope.Index >= 0 && _scope.Index != record))
        {
            return null;
        }

        RatingPlan plan = plans.Find(context, time);
        if (plan.Decided is not PlanShapes shapes || shapes.Decision != _decision)
        {
            plan.Decided = shapes = new PlanShapes(_decision, new PlanQuestions(plan, _scope, _catalog!));
        }

        ReadOnlySpan<object?> answers = Ask(shapes.Questions, usage, record, time);
        ulong key = CorrectionShape.KeyOf(usage, record, _accounts, answers);
        if (shapes.Find(key, usage, record, _accounts, answers) is not { } shape)
        {
            shape = Decide(usage, record, context, plan, answers);
            shapes.Add(key, shape);
            _count++;
        }

        return shape;
    }

    private ReadOnlySpan<object?> Ask(PlanQuestions questions, RecordedUsage usage, int record, Timestamp time)
    {
        if (_answers.Length < questions.Count)
        {
            _answers = new object?[questions.Count];
        }

        Span<object?> answers = _answers.AsSpan(0, questions.Count);
        questions.Ask(time, questions.AskCounts ? CountsOf(usage, record) : [], usage.Tags(record), answers);
        return answers;
    }

    // Whether it is closed is asked record by record; of the modes 3 and 4, labels and rules are too.
    private bool DependsOnRecord(RatingPlan plan, RecordTraits traits) =>
        _catalog!.HasClosings || Array.Exists(plan.Lines, l => l.Sheet is not null)
        || ((traits & RecordTraits.Tagged) != 0 && Array.Exists(plan.Lines, l => l.Agreement!.Tags.Length > 0));

    private CorrectionShape Decide(
        RecordedUsage usage, int record, UsageContext context, RatingPlan plan, ReadOnlySpan<object?> answers)
    {
        string name = plan.Context.Party;
        if (!_parties.TryGetValue(name, out CorrectedParty? party))
        {
            _parties.Add(name, party = new CorrectedParty());
        }

        var shape = new CorrectionShape(usage, record, _accounts, party, answers.ToArray());
        RecordTraits traits = usage.TraitsOf(record);
        if (_scope.ByRate ? answers[0] == PlanQuestions.MayBeClosed : DependsOnRecord(plan, traits))
        {
            (shape.IsAlone, shape.MovesFunding) = (true, true);
            return shape;
        }

        Count[] counts = CountsOf(usage, record).ToArray();
        var whole = new UsageRecord
        {
            Id = "",
            Context = context,
            EventTime = usage.EventTime(record),
            Outcome = (Outcome)(traits & RecordTraits.OutcomeMask),
            Tags = usage.Tags(record).ToArray(),
            Counts = counts,
        };
        CorrectionPlan decided = posts.PlanCorrection(
            whole, plan, _scope, usage.Charges(record), usage.Rates, _catalog!);
        shape.Taken = decided.Taken;
        if (decided.Taken.Length + decided.Anew.Length > 0)
        {
            shape.IsAlone = !TryGroup(shape, decided, usage.Charges(record), usage.Rates, counts);
            shape.MovesFunding = shape.IsAlone && MovesFunding(decided, usage.Charges(record), usage.Rates);
        }

        return shape;
    }

    /// <summary>Whether a correction may draw on funding or give back to it. Suspense never does.</summary>
    private bool MovesFunding(CorrectionPlan decided, ReadOnlySpan<ChargeColumn> charges, List<Rate> rates)
    {
        bool moves = Array.Exists(
            decided.Anew, line => line.Accounts is { } accounts && accounts.Packs.Length + accounts.Money.Length > 0);
        foreach (int taken in decided.Taken)
        {
            ChargeColumn charge = charges[taken];
            moves |= charge.Debit == ChargeColumn.NotPlain
                ? rates[charge.Rate].Method != RateMethod.Suspense
                : charge.Debit >= 0 && _accounts[charge.Debit].Funding is not null;
        }

        return moves;
    }

    /// <summary>A record's counts, until those of another are asked for.</summary>
    private ReadOnlySpan<Count> CountsOf(RecordedUsage usage, int record)
    {
        ReadOnlySpan<int> heads = usage.Heads(record);
        ReadOnlySpan<long> steps = usage.Steps(record);
        for (int i = 0; i < heads.Length; i++)
        {
            Meter.TryFromValue(heads[i] >> 3, out Meter meter);
            _counts[i] = new Count(meter, (EvidenceGrade)(heads[i] & 7), steps[i]);
        }

        return _counts.AsSpan(0, heads.Length);
    }

    /// <summary>Finds the group of a shape; false when it has none.</summary>
    private bool TryGroup(
        CorrectionShape shape, CorrectionPlan decided, ReadOnlySpan<ChargeColumn> charges, List<Rate> rates,
        Count[] counts)
    {
        var lines = new GroupLine[decided.Taken.Length + decided.Anew.Length];
        for (int i = 0; i < decided.Taken.Length; i++)
        {
            ChargeColumn charge = charges[decided.Taken[i]];
            if (charge.Debit == ChargeColumn.NotPlain || !TryMakeLine(rates[charge.Rate], counts, null, out lines[i]))
            {
                return false;
            }

            if (charge.Debit >= 0)
            {
                lines[i] = lines[i] with { Debit = _accounts[charge.Debit], Credit = _accounts[charge.Credit] };
            }
        }

        for (int i = 0; i < decided.Anew.Length; i++)
        {
            (Rate rate, PostUsage.LineAccounts? to) = decided.Anew[i];
            if (to is null || !TryMakeLine(rate, counts, to, out lines[decided.Taken.Length + i]))
            {
                return false;
            }
        }

        foreach (SharedAmount shared in decided.Shares.Where(s => s.Base < 0))
        {
            if (charges[shared.Staying].Debit == ChargeColumn.NotPlain)
            {
                return false;
            }
        }

        shape.Shares = decided.Shares;
        shape.Group = GroupOf(counts, lines, decided.Taken.Length);
        return true;
    }

    private GroupShape GroupOf(Count[] counts, GroupLine[] lines, int taken)
    {
        Count[] kinds = Array.ConvertAll(counts, c => c with { Steps = 0 });
        if (!_groups.TryGetValue(lines[0].Rate, out List<GroupShape>? groups))
        {
            _groups.Add(lines[0].Rate, groups = []);
        }

        GroupShape? group = groups.Find(g => g.Fits(kinds, lines, taken));
        if (group is null)
        {
            groups.Add(group = new GroupShape(kinds, lines, taken));
        }

        return group;
    }

    private bool TryMakeLine(Rate rate, Count[] counts, PostUsage.LineAccounts? accounts, out GroupLine line)
    {
        bool listed = rate.Method == RateMethod.Share
            || (_scope.ByRate && rate is { Method: RateMethod.Formula, Formula.Running.Length: 0 });
        long[]? perStep = null;
        bool fits = listed || (CountedAmount.Follows(rate) && rate.PerCall.Pico <= long.MaxValue);
        if (rate.Method == RateMethod.Prices)
        {
            Int128[] prices = Array.ConvertAll(counts, c => CountedAmount.PerStep(rate, c.Meter));
            fits &= Array.TrueForAll(prices, p => p >= 0 && p <= long.MaxValue);
            perStep = fits ? Array.ConvertAll(prices, p => (long)p) : null;
        }

        line = new GroupLine(rate, null, null, accounts, listed, perStep);
        return fits;
    }

    /// <summary>Puts the records into their groups; false when one does not fit, and its consumer goes alone.</summary>
    private bool TryCollect(RecordedUsage usage, UsageContext[] contexts, CorrectionShape?[] shapes)
    {
        _underWay.ForEach(g => g.Clear());
        _underWay.Clear();
        for (int i = 0; i < shapes.Length; i++)
        {
            if (shapes[i] is { Group: { } group } shape && shape.Party.AloneIn != _seq)
            {
                if (group.IsEmpty)
                {
                    _underWay.Add(group);
                }

                if (!TryAdd(usage, i, contexts[usage.ContextOf(i)], shape, group))
                {
                    shape.Party.AloneIn = _seq;
                    return false;
                }
            }
        }

        return true;
    }

    private bool TryAdd(
        RecordedUsage usage, int record, UsageContext context, CorrectionShape shape, GroupShape group)
    {
        ReadOnlySpan<ChargeColumn> charges = usage.Charges(record);
        ReadOnlySpan<long> steps = usage.Steps(record);
        GroupLine[] lines = group.Lines;
        Span<long> amounts = lines.Length <= 64 ? stackalloc long[lines.Length] : new long[lines.Length];
        for (int i = 0; i < group.Taken; i++)
        {
            long was = charges[shape.Taken[i]].Amount;
            if (!lines[i].Listed && !(lines[i].TryCount(steps, out long counted) && counted == was))
            {
                return false;
            }

            amounts[i] = -was;
        }

        ReadOnlySpan<Count> counts = group.MakesByFormula ? CountsOf(usage, record) : [];
        for (int i = group.Taken; i < lines.Length; i++)
        {
            if (lines[i].IsByFormula ? !lines[i].TryCount(counts, out amounts[i])
                : !lines[i].Listed && !lines[i].TryCount(steps, out amounts[i]))
            {
                return false;
            }
        }

        foreach (SharedAmount shared in shape.Shares)
        {
            Share(shared, shared.Base >= 0 ? amounts[shared.Base] : charges[shared.Staying].Amount, amounts);
        }

        group.Add(record, context, usage.EventTime(record), steps, amounts);
        return true;
    }

    private static void Share(SharedAmount shared, long whole, Span<long> amounts)
    {
        int count = shared.Weights.Length;
        Span<Amount> shares = count <= 64 ? stackalloc Amount[count] : new Amount[count];
        Rounding.Split(new Amount(whole), shared.Weights, shares);
        for (int i = 0; i < shared.Lines.Length; i++)
        {
            if (shared.Lines[i] >= 0)
            {
                amounts[shared.Lines[i]] = (long)shares[i].Pico;
            }
        }
    }

    /// <summary>Finds the account that covers each new charge; false when a consumer has to go alone.</summary>
    private bool TryCover(Timestamp now)
    {
        _back.Clear();
        _drawn.Clear();
        foreach (GroupShape group in _underWay)
        {
            for (int i = 0; i < group.Taken; i++)
            {
                if (group.Lines[i].Debit is { Funding: not null } funding)
                {
                    _back[funding] = _back.GetValueOrDefault(funding) - group.Totals[i];
                }
            }
        }

        bool covered = true;
        foreach (GroupShape group in _underWay)
        {
            for (int i = group.Taken; i < group.Lines.Length; i++)
            {
                PostUsage.LineAccounts accounts = group.Lines[i].Accounts!;
                if (group.Totals[i] != 0 && !TryCover(group, i, accounts, now))
                {
                    covered = false;
                    Account own = accounts.Packs.Length > 0 ? accounts.Packs[0] : accounts.Money[0];
                    _parties[own.Funding!.Setup.Party].AloneIn = _seq;
                }
            }
        }

        return covered;
    }

    private bool TryCover(GroupShape group, int line, PostUsage.LineAccounts accounts, Timestamp now)
    {
        if (group.Lines[line].Rate.Method is RateMethod.Prices or RateMethod.Formula && Array.Exists(
            accounts.Packs, p => LedgerState.IsOpen(p, now) && p.Available.Pico >= Amount.PicoPerUnit))
        {
            return false;
        }

        if (accounts.Direct is not null)
        {
            return true;
        }

        foreach (Account account in accounts.Money)
        {
            Int128 available = account.Available.Pico + _back.GetValueOrDefault(account);
            if (LedgerState.IsOpen(account, now) && available > 0)
            {
                group.Drawn[line] = account;
                return (_drawn[account] = _drawn.GetValueOrDefault(account) + group.Totals[line]) <= available;
            }
        }

        return false;
    }

    private void Post(List<CorrectedGroup> groups)
    {
        var postings = new List<Posting>[_underWay.Count];
        for (int g = 0; g < postings.Length; g++)
        {
            GroupShape group = _underWay[g];
            postings[g] = [];
            for (int i = 0; i < group.Taken; i++)
            {
                if (group.Totals[i] != 0)
                {
                    postings[g].Add(
                        ledger.Post(group.Lines[i].Credit!, group.Lines[i].Debit!, new Amount(-group.Totals[i])));
                }
            }
        }

        for (int g = 0; g < postings.Length; g++)
        {
            GroupShape group = _underWay[g];
            for (int i = group.Taken; i < group.Lines.Length; i++)
            {
                PostUsage.LineAccounts accounts = group.Lines[i].Accounts!;
                if (group.Totals[i] != 0)
                {
                    Account debit = accounts.Direct ?? group.Drawn[i]!;
                    postings[g].Add(ledger.Post(debit, accounts.Credit, new Amount(group.Totals[i])));
                }
            }

            groups.Add(group.Build(_seq, postings[g]));
        }

        _underWay.ForEach(g => g.Clear());
        _underWay.Clear();
    }

    /// <summary>The shapes of one plan's records; of another decision, they are not to be used.</summary>
    private sealed class PlanShapes(object decision, PlanQuestions questions)
    {
        // Side by side, as looking into each shape would miss the processor's cache more often than not.
        private readonly List<ulong> _keys = [];
        private readonly List<CorrectionShape> _shapes = [];

        public object Decision { get; } = decision;

        public PlanQuestions Questions { get; } = questions;

        public CorrectionShape? Find(
            ulong key, RecordedUsage usage, int record, List<Account> accounts, ReadOnlySpan<object?> answers)
        {
            ReadOnlySpan<ulong> keys = CollectionsMarshal.AsSpan(_keys);
            for (int i = keys.IndexOf(key); i >= 0 && i < keys.Length; i++)
            {
                if (keys[i] == key && _shapes[i].Fits(usage, record, accounts, answers))
                {
                    return _shapes[i];
                }
            }

            return null;
        }

        public void Add(ulong key, CorrectionShape shape)
        {
            _keys.Add(key);
            _shapes.Add(shape);
        }
    }
}
