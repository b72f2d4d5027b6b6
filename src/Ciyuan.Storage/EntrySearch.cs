using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;

namespace Ciyuan.Storage;

/// <summary>What put postings on an account. Numbers are for the order within a frame.</summary>
public enum EntryKind
{
    /// <summary>Funding ended.</summary>
    Expiry,

    /// <summary>A ledger group.</summary>
    Group,

    /// <summary>A correction.</summary>
    Correction,

    /// <summary>A usage record.</summary>
    Usage,
}

/// <summary>What moved on an account.</summary>
/// <param name="Kind">By what.</param>
/// <param name="Position">The group, correction or record; of an expiry, its frame and -1.</param>
/// <param name="Recorded">When it was posted.</param>
/// <param name="Text">Id and memo of a group or correction; id of a record.</param>
/// <param name="Other">The account on the other side.</param>
/// <param name="Amount">Above zero for credits, below for debits.</param>
public sealed record AccountEntry(
    EntryKind Kind, FramePosition Position, Timestamp Recorded, string Text, AccountName Other, Amount Amount);

/// <summary>Entries of an account, newest first.</summary>
/// <param name="Entries">The entries.</param>
/// <param name="Next">Last frame of the next page; 0 when there is none.</param>
public sealed record EntryPage(IReadOnlyList<AccountEntry> Entries, long Next);

/// <summary>Finds what moved on an account, in the journal.</summary>
public static class EntrySearch
{
    /// <summary>Entries at which a page ends, with its frame: what is posted in one frame stands on one page, up to
    /// <see cref="MostOfFrame"/>.</summary>
    public const int PageSize = 100;

    /// <summary>Most entries of one frame that are listed.</summary>
    public const int MostOfFrame = 500;

    /// <summary>Most frames read for a page: at some 5 ms for a full one, 0.3 s.</summary>
    public const int MostFrames = 64;

    /// <summary>A page of entries.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="account">The account.</param>
    /// <param name="last">Last frame to look into.</param>
    public static EntryPage Find(JournalView journal, AccountName account, long last)
    {
        var entries = new List<AccountEntry>();
        long seq = last;
        for (int read = 0; seq > 0 && read < MostFrames && entries.Count < PageSize; seq--, read++)
        {
            if (journal.Read(seq) is { } frame)
            {
                entries.AddRange(Of(frame, account).Reverse().Take(MostOfFrame));
            }
        }

        return new EntryPage(entries, seq);
    }

    private static IEnumerable<AccountEntry> Of(Frame frame, AccountName account) =>
        frame.Expiries.SelectMany(expiry => Of(
                expiry.Postings, account, EntryKind.Expiry, new FramePosition(frame.Seq, -1), frame.Time, ""))
            .Concat(frame.Groups.SelectMany((group, i) => Of(
                frame.GroupResults[i].Postings, account, EntryKind.Group, new FramePosition(frame.Seq, i), frame.Time,
                group.Memo.Length > 0 ? $"{group.Id}: {group.Memo}" : group.Id)))
            .Concat(frame.CorrectionResults.SelectMany((result, i) => result.Records.SelectMany(record => Of(
                record.Postings, account, EntryKind.Correction, record.Position, frame.Time,
                frame.Corrections[i].Id))))
            .Concat(frame.Records.SelectMany((record, i) => Of(
                frame.RecordResults[i].Postings, account, EntryKind.Usage, new FramePosition(frame.Seq, i), frame.Time,
                record.Id)));

    private static IEnumerable<AccountEntry> Of(
        Posting[] postings, AccountName account, EntryKind kind, FramePosition position, Timestamp time, string text)
    {
        foreach (Posting posting in postings)
        {
            if (posting.Credit == account)
            {
                yield return new AccountEntry(kind, position, time, text, posting.Debit, posting.Amount);
            }
            else if (posting.Debit == account)
            {
                yield return new AccountEntry(kind, position, time, text, posting.Credit, -posting.Amount);
            }
        }
    }
}
