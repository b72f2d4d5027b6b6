using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;

namespace Ciyuan.Statistics;

/// <summary>Which time a posting is placed by.</summary>
public enum TimeBasis
{
    /// <summary>When it was recorded: the time of its frame.</summary>
    Recorded,

    /// <summary>When it happened: the event time of its record or group; of a correction, its record's event time; of
    /// what ended by itself, the time of recording.</summary>
    Event,
}

/// <summary>Sums of an account.</summary>
/// <param name="Debits">Sum of debits.</param>
/// <param name="Credits">Sum of credits.</param>
public readonly record struct AccountTotals(Amount Debits, Amount Credits)
{
    /// <summary>Credits less debits.</summary>
    public Amount Balance => Credits - Debits;
}

/// <summary>
/// The balance of every account at any moment, from the postings in the frames. Give it all frames in order; the
/// moment itself is included. Not safe for several threads.
/// </summary>
/// <param name="at">The moment.</param>
/// <param name="basis">Which time counts.</param>
public sealed class AccountSums(Timestamp at, TimeBasis basis)
{
    private readonly Dictionary<AccountName, AccountTotals> _totals = [];

    /// <summary>Sums by account; accounts without a posting are not there.</summary>
    public IReadOnlyDictionary<AccountName, AccountTotals> Totals => _totals;

    /// <summary>True when no later frame can add anything, so that reading may stop.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The sums over some frames.</summary>
    public static IReadOnlyDictionary<AccountName, AccountTotals> At(
        IEnumerable<Frame> frames, Timestamp at, TimeBasis basis)
    {
        var sums = new AccountSums(at, basis);
        foreach (Frame frame in frames)
        {
            sums.Add(frame);
            if (sums.IsComplete)
            {
                break;
            }
        }

        return sums.Totals;
    }

    /// <summary>Starts with the sums of all frames up to one that counts whole; only by time of recording, and before
    /// any frame.</summary>
    public void StartFrom(IEnumerable<AccountView> accounts)
    {
        foreach (AccountView account in accounts)
        {
            if (!account.DebitsPosted.IsZero || !account.CreditsPosted.IsZero)
            {
                _totals.Add(account.Name, new AccountTotals(account.DebitsPosted, account.CreditsPosted));
            }
        }
    }

    /// <summary>Takes a frame in.</summary>
    public void Add(Frame frame)
    {
        if (basis == TimeBasis.Recorded && frame.Time > at)
        {
            IsComplete = true;
            return;
        }

        foreach (Expiry expiry in frame.Expiries)
        {
            Add(expiry.Postings, frame.Time, frame.Time);
        }

        for (int i = 0; i < frame.Groups.Count; i++)
        {
            Add(frame.GroupResults[i].Postings, frame.Groups[i].EventTime, frame.Time);
        }

        foreach (CorrectionResult result in frame.CorrectionResults)
        {
            Add(result, frame.Time);
        }

        for (int i = 0; i < frame.Records.Count; i++)
        {
            Add(frame.RecordResults[i].Postings, frame.Records[i].EventTime, frame.Time);
        }
    }

    private void Add(CorrectionResult result, Timestamp recorded)
    {
        // By time of recording a group counts whole, by that of events each of its records in its own.
        bool whole = basis == TimeBasis.Recorded;
        foreach (CorrectedRecord record in whole ? result.Singles : result.Records)
        {
            Add(record.Postings, record.EventTime, recorded);
        }

        foreach (CorrectedGroup group in whole ? result.Groups : [])
        {
            Add(group.Postings(), recorded, recorded);
        }
    }

    private void Add(Posting[] postings, Timestamp happened, Timestamp recorded)
    {
        if ((basis == TimeBasis.Event ? happened : recorded) > at)
        {
            return;
        }

        foreach (Posting posting in postings)
        {
            AccountTotals debit = _totals.GetValueOrDefault(posting.Debit);
            _totals[posting.Debit] = debit with { Debits = debit.Debits + posting.Amount };
            AccountTotals credit = _totals.GetValueOrDefault(posting.Credit);
            _totals[posting.Credit] = credit with { Credits = credit.Credits + posting.Amount };
        }
    }
}
