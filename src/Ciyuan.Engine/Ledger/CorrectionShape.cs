using System.Runtime.CompilerServices;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>Which charges a correction looks at, and what it does to them.</summary>
/// <param name="Rerate">Whether charges are made anew, or only taken back.</param>
/// <param name="ByRate">Whether records are grouped by the rate that each is found to have.</param>
/// <param name="Agreement">Only charges under it, shares of it, and suspense without an agreement; empty: all.</param>
/// <param name="Period">Only records whose event time is inside.</param>
/// <param name="Index">Only this record of the frame; -1: all.</param>
internal readonly record struct CorrectionScope(
    bool Rerate, bool ByRate, string Agreement, Period Period, int Index);

/// <summary>What corrections remember of a consumer within a frame.</summary>
internal sealed class CorrectedParty
{
    /// <summary>The frame in which its records are corrected one by one.</summary>
    public long AloneIn { get; set; }
}

/// <summary>How the amount of a charge is made for the records of a group.</summary>
/// <param name="Rate">The rate.</param>
/// <param name="Debit">Account of the charge taken back; null when nothing was posted, and for one made
/// anew.</param>
/// <param name="Credit">Likewise.</param>
/// <param name="Accounts">Accounts of the charge made anew; null for those taken back.</param>
/// <param name="Listed">A share or by a formula: its amounts do not follow from counts by prices alone.</param>
/// <param name="PerStep">Price of each count, in pico; null when not by prices.</param>
internal readonly record struct GroupLine(
    Rate Rate, Account? Debit, Account? Credit, PostUsage.LineAccounts? Accounts, bool Listed, long[]? PerStep)
{
    /// <summary>Whether amounts are made by a formula.</summary>
    public bool IsByFormula => Rate.Method == RateMethod.Formula;

    /// <summary>The amount that a formula makes of counts; false when it is beyond 63 bits.</summary>
    public bool TryCount(ReadOnlySpan<Count> counts, out long amount)
    {
        bool fits = Rate.AmountOf(counts, default, out Amount made) == SuspenseReason.None
            && made.Pico >= 0 && made.Pico <= long.MaxValue;
        amount = fits ? (long)made.Pico : 0;
        return fits;
    }

    /// <summary>The amount that follows from counts; false when it is beyond 63 bits.</summary>
    public bool TryCount(ReadOnlySpan<long> steps, out long amount)
    {
        if (PerStep is null)
        {
            amount = (long)Rate.PerCall.Pico;
            return true;
        }

        ulong sum = 0;
        ulong over = 0;
        for (int i = 0; i < steps.Length; i++)
        {
            over |= Math.BigMul((ulong)PerStep[i], (ulong)steps[i], out ulong low);
            over |= low >> 57; // 64 counts below 2⁵⁷ can't exceed 63 bits together
            sum = unchecked(sum + low);
        }

        amount = unchecked((long)sum);
        return over == 0;
    }
}

/// <summary>
/// The records of a frame that change in the same way; made anew in each frame from what their shapes have in common.
/// </summary>
internal sealed class GroupShape(Count[] counted, GroupLine[] lines, int taken)
{
    private readonly List<int> _indices = [];
    private readonly List<UsageContext> _contexts = [];
    private readonly List<long> _times = [];
    private readonly List<long> _steps = [];
    private readonly List<long> _listed = [];

    /// <summary>Charges taken back, then those made anew.</summary>
    public GroupLine[] Lines { get; } = lines;

    /// <summary>How many of the lines are taken back.</summary>
    public int Taken { get; } = taken;

    /// <summary>Sum of each line over the records so far; below zero for those taken back.</summary>
    public Int128[] Totals { get; } = new Int128[lines.Length];

    /// <summary>The funding account that each new charge is drawn from; null when it is debited directly.</summary>
    public Account?[] Drawn { get; } = new Account?[lines.Length];

    public bool IsEmpty => _indices.Count == 0;

    /// <summary>Whether a charge is made anew by a formula.</summary>
    public bool MakesByFormula { get; } = Array.Exists(lines[taken..], l => l.IsByFormula);

    /// <summary>Whether records with such counts and lines belong to it.</summary>
    public bool Fits(Count[] counts, GroupLine[] other, int taken)
    {
        if (taken != Taken || other.Length != Lines.Length || !counts.AsSpan().SequenceEqual(counted))
        {
            return false;
        }

        for (int i = 0; i < other.Length; i++)
        {
            // By content: equal rates may be different objects, and how a frame is grouped must not depend on it.
            if (!other[i].Rate.Equals(Lines[i].Rate) || other[i].Debit != Lines[i].Debit
                || other[i].Credit != Lines[i].Credit
                || (other[i].Accounts is { } accounts && !accounts.SameAs(Lines[i].Accounts!)))
            {
                return false;
            }
        }

        return true;
    }

    public void Clear()
    {
        _indices.Clear();
        _contexts.Clear();
        _times.Clear();
        _steps.Clear();
        _listed.Clear();
        Array.Clear(Totals);
        Array.Clear(Drawn);
    }

    /// <summary>Adds a record.</summary>
    public void Add(int index, UsageContext context, Timestamp time, ReadOnlySpan<long> steps, Span<long> amounts)
    {
        _indices.Add(index);
        _contexts.Add(context);
        _times.Add(time.UnixNanoseconds);
        for (int i = 0; i < steps.Length; i++)
        {
            _steps.Add(steps[i]);
        }

        for (int i = 0; i < amounts.Length; i++)
        {
            Totals[i] += amounts[i];
            if (Lines[i].Listed)
            {
                _listed.Add(amounts[i]);
            }
        }
    }

    /// <summary>What goes into the frame; <paramref name="postings"/> has one for each line with a total.</summary>
    public CorrectedGroup Build(long seq, IReadOnlyList<Posting> postings)
    {
        int next = 0;
        var charges = new GroupCharge[Lines.Length];
        for (int i = 0; i < charges.Length; i++)
        {
            Posting posting = Totals[i] == 0 ? default : postings[next++];
            charges[i] = new GroupCharge(
                Lines[i].Rate, Lines[i].Listed, new Amount(Totals[i]), posting.Debit, posting.Credit);
        }

        return new CorrectedGroup
        {
            Seq = seq,
            Reversed = Taken,
            Charges = charges,
            Counted = counted,
            Indices = [.. _indices],
            Contexts = [.. _contexts],
            Times = [.. _times],
            Steps = [.. _steps],
            Amounts = [.. _listed],
        };
    }
}

/// <summary>Shares that are cut from one amount.</summary>
/// <param name="Base">Line of the group that is shared; -1 when it stays.</param>
/// <param name="Staying">When it stays: its place among the record's charges.</param>
/// <param name="Lines">Lines of the group that are shares of it; -1 for one that stays.</param>
/// <param name="Weights">Weight of each, then of what nobody asks for.</param>
internal sealed record SharedAmount(int Base, int Staying, int[] Lines, long[] Weights);

/// <summary>
/// What a correction does to records of one shape: same plan, outcome, kinds of counts, rates, accounts, answers. Most
/// records of a journal have one of a few shapes, so nearly all of the deciding is done once.
/// </summary>
internal sealed class CorrectionShape
{
    private readonly RecordTraits _outcome;
    private readonly int[] _heads;
    private readonly ulong _counted;
    private readonly Rate[] _rates;
    private readonly Account?[] _accounts;
    private readonly object?[] _answers;

    /// <summary>The shape of a record.</summary>
    public CorrectionShape(
        RecordedUsage usage, int record, List<Account> accounts, CorrectedParty party, object?[] answers)
    {
        ReadOnlySpan<ChargeColumn> charges = usage.Charges(record);
        Party = party;
        _answers = answers;
        _outcome = usage.TraitsOf(record);
        _heads = usage.Heads(record).ToArray();
        _counted = CountedOf(usage.Steps(record));
        _rates = new Rate[charges.Length];
        _accounts = new Account?[charges.Length * 2];
        for (int i = 0; i < charges.Length; i++)
        {
            _rates[i] = usage.Rates[charges[i].Rate];
            _accounts[2 * i] = AccountAt(charges[i].Debit, accounts);
            _accounts[(2 * i) + 1] = AccountAt(charges[i].Credit, accounts);
        }
    }

    /// <summary>Stands for the accounts of a charge that is not plain.</summary>
    public static Account NotPlain { get; } = new(new AccountName("", default), null);

    /// <summary>The consumer.</summary>
    public CorrectedParty Party { get; }

    /// <summary>True when its records can't be corrected together with others.</summary>
    public bool IsAlone { get; set; }

    /// <summary>True when, alone, they may draw on the consumer's funding or give back to it: then all the consumer's
    /// records of the frame go one by one, as it matters which comes first.</summary>
    public bool MovesFunding { get; set; }

    /// <summary>The group to which its records go; null when nothing changes, or alone.</summary>
    public GroupShape? Group { get; set; }

    /// <summary>Places of the charges taken back.</summary>
    public int[] Taken { get; set; } = [];

    /// <summary>Shares made anew.</summary>
    public SharedAmount[] Shares { get; set; } = [];

    /// <summary>A hash of what <see cref="Fits"/> compares. It differs from process to process.</summary>
    public static ulong KeyOf(
        RecordedUsage usage, int record, List<Account> accounts, ReadOnlySpan<object?> answers)
    {
        ulong key = (ulong)usage.TraitsOf(record);
        ReadOnlySpan<int> heads = usage.Heads(record);
        ReadOnlySpan<long> steps = usage.Steps(record);
        for (int i = 0; i < heads.Length; i++)
        {
            key = Mix(key, (uint)heads[i] | (steps[i] > 0 ? 1UL << 32 : 0));
        }

        foreach (ref readonly ChargeColumn charge in usage.Charges(record))
        {
            ulong debit = HashOf(AccountAt(charge.Debit, accounts));
            ulong credit = HashOf(AccountAt(charge.Credit, accounts));
            key = Mix(Mix(key, HashOf(usage.Rates[charge.Rate])), debit | (credit << 32));
        }

        foreach (object? answer in answers)
        {
            key = Mix(key, HashOf(answer));
        }

        return key;
    }

    /// <summary>Whether a record of the same plan, with such answers to its <see cref="PlanQuestions"/>, has this
    /// shape.</summary>
    public bool Fits(RecordedUsage usage, int record, List<Account> accounts, ReadOnlySpan<object?> answers)
    {
        for (int i = 0; i < answers.Length; i++)
        {
            if (!ReferenceEquals(answers[i], _answers[i]))
            {
                return false;
            }
        }

        ReadOnlySpan<ChargeColumn> charges = usage.Charges(record);
        if (charges.Length != _rates.Length || usage.TraitsOf(record) != _outcome
            || !usage.Heads(record).SequenceEqual(_heads) || CountedOf(usage.Steps(record)) != _counted)
        {
            return false;
        }

        List<Rate> rates = usage.Rates;
        for (int i = 0; i < charges.Length; i++)
        {
            ref readonly ChargeColumn charge = ref charges[i];
            if (!ReferenceEquals(rates[charge.Rate], _rates[i])
                || !ReferenceEquals(AccountAt(charge.Debit, accounts), _accounts[2 * i])
                || !ReferenceEquals(AccountAt(charge.Credit, accounts), _accounts[(2 * i) + 1]))
            {
                return false;
            }
        }

        return true;
    }

    private static Account? AccountAt(int place, List<Account> accounts) =>
        place >= 0 ? accounts[place] : place == ChargeColumn.None ? null : NotPlain;

    private static ulong HashOf(object? part) => (uint)RuntimeHelpers.GetHashCode(part);

    private static ulong Mix(ulong key, ulong part)
    {
        ulong mixed = unchecked((key ^ part) * 0x9E3779B97F4A7C15);
        return mixed ^ (mixed >> 32);
    }

    /// <summary>Which counts are above zero: only those need a price.</summary>
    private static ulong CountedOf(ReadOnlySpan<long> steps)
    {
        ulong counted = 0;
        for (int i = 0; i < steps.Length; i++)
        {
            counted |= steps[i] > 0 ? 1UL << i : 0;
        }

        return counted;
    }
}
