using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <content>Corrections of one record: which charges change, their reversal, and the charges made anew.</content>
internal sealed partial class PostUsage
{
    private readonly List<(Charge Charge, Posting[] Postings)> _current = [];
    private readonly List<int> _kept = [];

    /// <summary>Starts with the charges that a record was given when it was posted.</summary>
    public void LoadCurrent(Charge[] charges, Posting[] postings)
    {
        _current.Clear();
        AddCurrent(charges, 0, postings);
    }

    /// <summary>Goes on with a correction that was made later: its first charges took back, the others were made anew.</summary>
    public void LoadLater(Charge[] charges, int reversed, Posting[] postings)
    {
        for (int i = 0; i < reversed; i++)
        {
            Charge taken = charges[i];
            int at = _current.FindIndex(c => c.Charge.Rate.Equals(taken.Rate) && c.Charge.Amount == -taken.Amount);
            if (at < 0)
            {
                throw new InvalidOperationException($"A correction took back a charge under '{taken.Rate.Agreement}' that was not there.");
            }

            _current.RemoveAt(at);
        }

        AddCurrent(charges, reversed, postings);
    }

    /// <summary>
    /// Corrects the loaded charges. A charge stays when it would be made under the very same rate: counts never change, so
    /// its amount can't either. Of the others, the old one is taken back by the opposite postings and the new one posted.
    /// </summary>
    /// <returns>Null when nothing changes.</returns>
    public (Charge[] Charges, Posting[] Postings, int Reversed)? Correct(
        UsageRecord record, bool rerate, string agreement, Catalog catalog, Timestamp now)
    {
        RatingPlan plan = plans.Find(record.Context, record.EventTime);
        _rated.Clear();
        if (rerate)
        {
            RateUsage.Rate(plan, plans, record, _rated);
            RateUsage.Share(plans, _rated); // decides which shares have a base; amounts are made again below
        }

        PairUp(agreement);
        if (_kept.Count == _current.Count && _kept.Count == _rated.Count)
        {
            return null;
        }

        _postings.Clear();
        var charges = new List<Charge>();
        TakeBack(agreement, charges);
        int reversed = charges.Count;
        if (rerate)
        {
            MakeAnew(record, agreement, plan, catalog, now, charges);
        }

        return charges.Count == 0 ? null : (charges.ToArray(), _postings.ToArray(), reversed);
    }

    private void AddCurrent(Charge[] charges, int from, Posting[] postings)
    {
        int next = 0;
        for (int i = 0; i < charges.Length; i++)
        {
            if (i >= from)
            {
                _current.Add((charges[i], postings[next..(next + charges[i].PostingCount)]));
            }

            next += charges[i].PostingCount;
        }
    }

    /// <summary>Finds the current charges that stay. A share stays only if what it shares stays.</summary>
    private void PairUp(string agreement)
    {
        _kept.Clear();
        for (int i = 0; i < _current.Count; i++)
        {
            if (Stays(_current[i].Charge.Rate))
            {
                _kept.Add(i);
            }
        }

        // With only one agreement asked for, all others stay as they are.
        if (agreement.Length > 0)
        {
            _rated.RemoveAll(r => !InScope(r.Rate, agreement) && !_current.Exists(c => c.Charge.Rate.Equals(r.Rate)));
        }
    }

    private bool Stays(Rate rate) =>
        _rated.Exists(r => r.Rate.Equals(rate))
        && (rate.Method != RateMethod.Share
            || _current.Exists(c => c.Charge.Rate.Agreement == rate.ShareOf && _rated.Exists(r => r.Rate.Equals(c.Charge.Rate))));

    private static bool InScope(Rate rate, string agreement) =>
        agreement.Length == 0 || rate.Agreement == agreement || rate.ShareOf == agreement || rate.Agreement.Length == 0;

    private void TakeBack(string agreement, List<Charge> charges)
    {
        for (int i = 0; i < _current.Count; i++)
        {
            (Charge charge, Posting[] postings) = _current[i];
            if (_kept.Contains(i) || !InScope(charge.Rate, agreement))
            {
                continue;
            }

            // What was drawn last comes back first.
            for (int p = postings.Length - 1; p >= 0; p--)
            {
                Account debit = ledger.Find(postings[p].Credit)!;
                Account credit = ledger.Find(postings[p].Debit)!;
                _postings.Add(ledger.Post(debit, credit, postings[p].Amount));
            }

            charges.Add(charge with { Rate = plans.Canonical(charge.Rate), Amount = -charge.Amount });
        }
    }

    private void MakeAnew(
        UsageRecord record, string agreement, RatingPlan plan, Catalog catalog, Timestamp now, List<Charge> charges)
    {
        var anew = new bool[_rated.Count];
        var packPostings = new (int From, int Count)[_rated.Count];
        int start = _postings.Count;
        for (int i = 0; i < _rated.Count; i++)
        {
            RatedLine line = _rated[i];
            int stays = _kept.FindIndex(k => _current[k].Charge.Rate.Equals(line.Rate));
            anew[i] = stays < 0 && InScope(line.Rate, agreement);
            if (stays >= 0)
            {
                _rated[i] = line with { Amount = _current[_kept[stays]].Charge.Amount };
            }
            else if (anew[i])
            {
                int from = _postings.Count;
                packPostings[i] = (from - start, DrawPacks(i, record, plan, catalog, now));
            }
        }

        Posting[] packs = [.. _postings.Skip(start)];
        _postings.RemoveRange(start, _postings.Count - start);
        RateUsage.Share(plans, _rated);
        for (int i = 0; i < _rated.Count; i++)
        {
            if (anew[i])
            {
                int before = _postings.Count;
                _postings.AddRange(packs.AsSpan(packPostings[i].From, packPostings[i].Count));
                PostLine(_rated[i], record, plan, catalog, now);
                charges.Add(new Charge(_rated[i].Rate, _rated[i].Amount, _postings.Count - before, _rated[i].Covered));
            }
        }
    }
}
