using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

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
        for (int i = 0; i < reversed; i++)
        {
            (Rate rate, Amount amount) = (Canonical(charges[i].Rate), -charges[i].Amount);
            int at = _current.FindIndex(c => c.Charge.Rate.Equals(rate) && c.Charge.Amount == amount);
            if (at < 0)
            {
                throw new InvalidOperationException(
                    $"A correction took back a charge under '{rate.Agreement}' that was not there.");
            }

            _current.RemoveAt(at);
        }

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
        _rated.Clear();
        RatingPlan plan = plans.Find(context, record.EventTime);
        if (rerate)
        {
            RateUsage.Rate(plan, plans, record, _rated, running);
            RateUsage.Share(plans, _rated); // tells which shares have a base; their amounts are made again below
        }

        bool Closes(Rate rate) => InScope(rate, agreement) && catalog.IsClosed(rate.Agreement, record.EventTime);
        isClosed = _current.Exists(c => Closes(c.Charge.Rate)) || _rated.Exists(r => Closes(r.Rate));
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

            if (anew && _rated[i].Before is not null)
            {
                // What was taken back is not counted any more.
                RatedLine line = _rated[i] with
                {
                    Before = RunningQuantities.Before(running, _rated[i].Rate, record.EventTime),
                };
                _rated[i] = line with { Amount = AmountOf(line, record) };
            }

            packPostings[i] = anew ? DrawPacks(i, record, plan, catalog, now) : -1;
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

    private Rate Canonical(Rate rate)
    {
        if (!_rateOf.TryGetValue(rate, out Rate? canonical))
        {
            canonical = plans.Canonical(rate);
            _rateOf.Add(rate, canonical);
        }

        return canonical;
    }

    private Account AccountOf(AccountName name)
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
