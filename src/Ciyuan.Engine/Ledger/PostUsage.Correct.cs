using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>What a correction does to records of one shape.</summary>
/// <param name="Taken">Places of the charges taken back.</param>
/// <param name="Anew">What is made anew; no accounts where it goes to suspense.</param>
/// <param name="Shares">The shares among those.</param>
internal sealed record CorrectionPlan(
    int[] Taken, (Rate Rate, PostUsage.LineAccounts? Accounts)[] Anew, SharedAmount[] Shares);

/// <content>Corrections of one record: which charges change, their reversal, and the charges made anew.</content>
internal sealed partial class PostUsage
{
    /// <summary>A charge as it stands now; its postings begin at a place in those it was stored with.</summary>
    private readonly record struct CurrentCharge(Charge Charge, Posting[] Postings, int From);

    private readonly List<CurrentCharge> _current = [];
    private readonly List<Charge> _corrected = [];

    // The engine's own objects for those read from a frame, found once for each frame and not for each record.
    private readonly Dictionary<Rate, Rate> _rateOf = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<AccountName, Account> _accountOf = new(ReferenceEqualityComparer.Instance);

    /// <summary>Starts with another frame's records.</summary>
    public void BeginFrame()
    {
        _rateOf.Clear();
        _accountOf.Clear();
    }

    /// <summary>Starts with the charges that a record was given when it was posted.</summary>
    public void LoadCurrent(Charge[] charges, Posting[] postings)
    {
        _current.Clear();
        AddCurrent(charges, 0, postings);
    }

    /// <summary>Goes on with a correction that was made later: its first charges took back, the others were made
    /// anew.</summary>
    public void LoadLater(Charge[] charges, int reversed, Posting[] postings)
    {
        var touched = new TouchedRates();
        for (int i = 0; i < charges.Length; i++)
        {
            touched.Add(Canonical(charges[i].Rate), i < reversed);
        }

        _current.RemoveAll(c => touched.Contains(c.Charge.Rate));
        AddCurrent(charges, reversed, postings);
    }

    /// <summary>
    /// Corrects the loaded charges. A charge stays when it would be made under the very same rate: counts never change,
    /// so its amount can't either. Of the others, the old one is taken back by the opposite postings and the new one
    /// posted. With an agreement, only charges under it, shares of it, and suspense without an agreement are looked at.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="context">Its context, filled in.</param>
    /// <param name="rerate">Whether charges are made anew.</param>
    /// <param name="agreement">The agreement; empty for all.</param>
    /// <param name="catalog">The agreements.</param>
    /// <param name="now">Time of recording.</param>
    /// <param name="isClosed">Set when the event time is closed for an agreement that would be looked at: then nothing
    /// changes.</param>
    /// <returns>Null when nothing changes.</returns>
    public (Charge[] Charges, Posting[] Postings, int Reversed)? Correct(
        UsageRecord record, UsageContext context, bool rerate, string agreement, Catalog catalog, Timestamp now,
        out bool isClosed)
    {
        RatingPlan plan = RateAgain(record, context, rerate);
        isClosed = IsClosed(record, agreement, catalog);
        if (isClosed)
        {
            return null;
        }

        _postings.Clear();
        _corrected.Clear();
        TakeBack(record, agreement);
        int reversed = _corrected.Count;
        MakeAnew(record, agreement, plan, catalog, now);
        return _corrected.Count == 0 ? null : ([.. _corrected], [.. _postings], reversed);
    }

    /// <summary>Whether a record's event time is closed for an agreement that a correction would look at.</summary>
    public bool IsClosed(UsageRecord record, UsageContext context, CorrectionScope scope, Catalog catalog)
    {
        RateAgain(record, context, scope.Rerate);
        return IsClosed(record, scope.Agreement, catalog);
    }

    /// <summary>Takes back those of the loaded charges that change.</summary>
    public (Charge[] Charges, Posting[] Postings) TakeBack(
        UsageRecord record, UsageContext context, CorrectionScope scope)
    {
        RateAgain(record, context, scope.Rerate);
        _postings.Clear();
        _corrected.Clear();
        TakeBack(record, scope.Agreement);
        return ([.. _corrected], [.. _postings]);
    }

    /// <summary>Makes anew what changes of the loaded charges, which have been taken back.</summary>
    public (Charge[] Charges, Posting[] Postings) MakeAnew(
        UsageRecord record, UsageContext context, CorrectionScope scope, Catalog catalog, Timestamp now)
    {
        RatingPlan plan = RateAgain(record, context, scope.Rerate);
        _postings.Clear();
        _corrected.Clear();
        MakeAnew(record, scope.Agreement, plan, catalog, now);
        return ([.. _corrected], [.. _postings]);
    }

    /// <summary>What a correction does to a record, told by its plan, the kinds of its counts, and the rates of its
    /// charges.</summary>
    public CorrectionPlan PlanCorrection(
        UsageRecord record, RatingPlan plan, CorrectionScope scope, ReadOnlySpan<ChargeColumn> charges,
        List<Rate> rates, Catalog catalog)
    {
        RateAgain(record, record.Context, scope.Rerate);
        _current.Clear();
        var taken = new List<int>();
        foreach (ChargeColumn charge in charges)
        {
            _current.Add(new CurrentCharge(new Charge(rates[charge.Rate], default, 0), [], 0));
        }

        for (int i = 0; i < charges.Length; i++)
        {
            Rate rate = rates[charges[i].Rate];
            if (InScope(rate, scope.Agreement) && !Stays(rate, scope.Agreement))
            {
                taken.Add(i);
            }
        }

        var anew = new List<(Rate Rate, LineAccounts? Accounts)>();
        int[] staying = new int[_rated.Count];
        int[] lines = new int[_rated.Count];
        for (int i = 0; i < lines.Length; i++)
        {
            RatedLine line = _rated[i];
            staying[i] = FindStaying(line.Rate, scope.Agreement);
            lines[i] = -1;
            if (staying[i] < 0 && InScope(line.Rate, scope.Agreement))
            {
                lines[i] = taken.Count + anew.Count;
                anew.Add((line.Rate, line.IsSuspended ? null : AccountsOf(line, record.Context, plan, catalog)));
            }
        }

        return new CorrectionPlan([.. taken], [.. anew], FindShares(staying, lines));
    }

    /// <summary>The shares that are made anew, by what they are cut from.</summary>
    private SharedAmount[] FindShares(int[] staying, int[] lines)
    {
        var found = new List<SharedAmount>();
        for (int i = 0; i < lines.Length; i++)
        {
            int[] shares = [.. Enumerable.Range(0, lines.Length).Where(s => _rated[s].Rate.Method == RateMethod.Share
                && ReferenceEquals(_rated[s].Line.Base, _rated[i].Line))];
            if (Array.Exists(shares, s => lines[s] >= 0))
            {
                long[] weights = [.. shares.Select(s => (long)_rated[s].Rate.SharePpm)];
                found.Add(new SharedAmount(
                    lines[i], staying[i], [.. shares.Select(s => lines[s])], [.. weights, 1_000_000 - weights.Sum()]));
            }
        }

        return [.. found];
    }

    private RatingPlan RateAgain(UsageRecord record, UsageContext context, bool rerate)
    {
        _rated.Clear();
        RatingPlan plan = plans.Find(context, record.EventTime);
        if (rerate)
        {
            RateUsage.Rate(plan, plans, record, _rated, running);
            RateUsage.Share(plans, _rated); // tells which shares have a base; their amounts are made again later
        }

        return plan;
    }

    private bool IsClosed(UsageRecord record, string agreement, Catalog catalog)
    {
        bool Closes(Rate rate) => InScope(rate, agreement) && catalog.IsClosed(rate.Agreement, record.EventTime);
        return catalog.HasClosings
            && (_current.Exists(c => Closes(c.Charge.Rate)) || _rated.Exists(r => Closes(r.Rate)));
    }

    private void AddCurrent(Charge[] charges, int from, Posting[] postings)
    {
        int next = 0;
        for (int i = 0; i < charges.Length; i++)
        {
            if (i >= from)
            {
                _current.Add(new CurrentCharge(charges[i] with { Rate = Canonical(charges[i].Rate) }, postings, next));
            }

            next += charges[i].PostingCount;
        }
    }

    private static bool InScope(Rate rate, string agreement) =>
        agreement.Length == 0 || rate.Agreement == agreement || rate.ShareOf == agreement || rate.Agreement.Length == 0;

    /// <summary>
    /// Whether a rate is among those that the record is rated under now. A share stays only if its base does, and all
    /// that share it, since the last pico goes to one of them; with an agreement, only if those are looked at.
    /// </summary>
    private bool Stays(Rate rate, string agreement)
    {
        if (!IsRated(rate))
        {
            return false;
        }

        if (rate.Method != RateMethod.Share || (agreement.Length > 0 && agreement != rate.ShareOf))
        {
            return true;
        }

        int shares = 0;
        bool baseStays = false;
        foreach (CurrentCharge current in _current)
        {
            Rate other = current.Charge.Rate;
            bool sibling = other.ShareOf == rate.ShareOf;
            shares += sibling ? 1 : 0;
            if (sibling && !IsRated(other))
            {
                return false;
            }

            baseStays |= other.Agreement == rate.ShareOf && IsRated(other);
        }

        foreach (RatedLine line in _rated)
        {
            shares -= line.Rate.ShareOf == rate.ShareOf ? 1 : 0;
        }

        return baseStays && shares == 0;
    }

    private bool IsRated(Rate rate)
    {
        foreach (RatedLine line in _rated)
        {
            if (line.Rate.Equals(rate))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The charge that stands for a rated line: the same one when it stays, any of its agreement out of
    /// scope.</summary>
    private int FindStaying(Rate rate, string agreement)
    {
        bool inScope = InScope(rate, agreement);
        for (int i = 0; i < _current.Count; i++)
        {
            Rate current = _current[i].Charge.Rate;
            if (inScope ? current.Equals(rate) && Stays(rate, agreement) : current.Agreement == rate.Agreement)
            {
                return i;
            }
        }

        return -1;
    }

    private void TakeBack(UsageRecord record, string agreement)
    {
        foreach (CurrentCharge current in _current)
        {
            Charge charge = current.Charge;
            if (!InScope(charge.Rate, agreement) || Stays(charge.Rate, agreement))
            {
                continue;
            }

            // What was drawn last comes back first.
            for (int p = current.From + charge.PostingCount - 1; p >= current.From; p--)
            {
                ref readonly Posting posting = ref current.Postings[p];
                _postings.Add(ledger.Post(AccountOf(posting.Credit), AccountOf(posting.Debit), posting.Amount));
            }

            running.Add(charge.Rate, record.EventTime, record.Counts, charge.Covered, -1);
            _corrected.Add(charge with { Amount = -charge.Amount });
        }
    }

    private void MakeAnew(UsageRecord record, string agreement, RatingPlan plan, Catalog catalog, Timestamp now)
    {
        Span<int> packPostings = stackalloc int[_rated.Count];
        int start = _postings.Count;
        for (int i = 0; i < _rated.Count; i++)
        {
            int staying = FindStaying(_rated[i].Rate, agreement);
            bool anew = staying < 0 && InScope(_rated[i].Rate, agreement);
            if (staying >= 0)
            {
                Charge charge = _current[staying].Charge; // what shares of it are cut from
                _rated[i] = _rated[i] with { Rate = charge.Rate, Amount = charge.Amount };
            }

            packPostings[i] = anew ? DrawPacksAnew(i, record, plan, catalog, now) : -1;
        }

        Posting[] packs = _postings.Count == start ? [] : [.. _postings.Skip(start)];
        _postings.RemoveRange(start, packs.Length);
        RateUsage.Share(plans, _rated);
        int pack = 0;
        for (int i = 0; i < _rated.Count; i++)
        {
            if (packPostings[i] < 0)
            {
                continue;
            }

            int before = _postings.Count;
            _postings.AddRange(packs.AsSpan(pack, packPostings[i]));
            pack += packPostings[i];
            PostLine(_rated[i], record, plan, catalog, now);
            running.Add(_rated[i].Rate, record.EventTime, record.Counts, _rated[i].Covered, +1);
            _corrected.Add(new Charge(
                _rated[i].Rate, _rated[i].Amount, _postings.Count - before, _rated[i].Covered, _rated[i].Before));
        }
    }

    /// <summary>As <see cref="DrawPacks"/>, of a line with what its curves count now that charges were taken
    /// back.</summary>
    private int DrawPacksAnew(int index, UsageRecord record, RatingPlan plan, Catalog catalog, Timestamp now)
    {
        if (_rated[index].Before is not null)
        {
            RatedLine line = _rated[index] with
            {
                Before = RunningQuantities.Before(running, _rated[index].Rate, record.EventTime),
            };
            _rated[index] = line with { Amount = AmountOf(line, record) };
        }

        return DrawPacks(index, record, plan, catalog, now);
    }

    internal Rate Canonical(Rate rate)
    {
        if (!_rateOf.TryGetValue(rate, out Rate? canonical))
        {
            canonical = plans.Canonical(rate);
            _rateOf.Add(rate, canonical);
        }

        return canonical;
    }

    internal Account AccountOf(AccountName name)
    {
        if (!_accountOf.TryGetValue(name, out Account? account))
        {
            account = ledger.Find(name)
                ?? throw new InvalidOperationException($"The journal posts to {name}, which is not open.");
            _accountOf.Add(name, account);
        }

        return account;
    }
}
