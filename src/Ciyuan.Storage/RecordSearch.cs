using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Ciyuan.Usage;

namespace Ciyuan.Storage;

/// <summary>Asks for single records, newest first.</summary>
/// <param name="Period">Event times.</param>
/// <param name="Filters">Conditions; all must hold. A condition on a class, or on an agreement, holds for a record that
/// has such a count, or such a charge.</param>
/// <param name="Before">Only records before this place; null: from the newest on.</param>
public sealed record RecordQuery(Period Period, IReadOnlyList<Filter> Filters, FramePosition? Before = null)
{
    /// <summary>Records on a page.</summary>
    public int Most { get; init; } = 50;

    /// <summary>Only those that were kept aside, since another record has their id.</summary>
    public bool KeptAside { get; init; }
}

/// <summary>A record with what was decided about it.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Recorded">When it was recorded.</param>
/// <param name="Record">The record.</param>
/// <param name="Result">What was decided.</param>
public sealed record FoundRecord(FramePosition Position, Timestamp Recorded, UsageRecord Record, UsageResult Result);

/// <summary>A page of records.</summary>
/// <param name="Records">Newest first.</param>
/// <param name="Next">Where the next page begins; null when there is none.</param>
/// <param name="IsCutShort">True when <see cref="RecordSearch.MostFrames"/> were read before the page was full.</param>
public sealed record RecordPage(IReadOnlyList<FoundRecord> Records, FramePosition? Next, bool IsCutShort);

/// <summary>Finds single records: the statistics say which frames to look into, the journal has them whole.</summary>
public static class RecordSearch
{
    /// <summary>Most frames read for a page: at some 5 ms for a full one, 0.3 s.</summary>
    public const int MostFrames = 64;

    /// <summary>A page of records.</summary>
    public static RecordPage Find(FactStore facts, JournalView journal, RecordQuery query)
    {
        long before = query.Before?.Seq ?? long.MaxValue;
        var found = new List<FoundRecord>();
        int read = 0;
        foreach ((long first, long last) in facts.FindFrames(
            query.Period, before, (header, type) => IsWanted(header, type, query)))
        {
            for (long seq = Math.Min(last, before); seq >= first; seq--)
            {
                if (read++ == MostFrames)
                {
                    return new RecordPage(found, new FramePosition(seq, int.MaxValue), IsCutShort: true);
                }

                if (journal.Read(seq) is { } frame && AddFrom(frame, query, found) is { } next)
                {
                    return new RecordPage(found, next, IsCutShort: false);
                }
            }
        }

        return new RecordPage(found, null, IsCutShort: false);
    }

    /// <summary>The record at a place; null when there is none.</summary>
    public static FoundRecord? At(JournalView journal, FramePosition position) =>
        journal.Read(position.Seq) is { } frame && position.Index >= 0 && position.Index < frame.Records.Count
            ? new FoundRecord(position, frame.Time, frame.Records[position.Index], frame.RecordResults[position.Index])
            : null;

    private static FramePosition? AddFrom(Frame frame, RecordQuery query, List<FoundRecord> found)
    {
        int from = query.Before is { } before && before.Seq == frame.Seq
            ? Math.Min(before.Index, frame.Records.Count)
            : frame.Records.Count;
        for (int i = from - 1; i >= 0; i--)
        {
            if (!Matches(frame.Records[i], frame.RecordResults[i], query))
            {
                continue;
            }

            if (found.Count == query.Most)
            {
                return new FramePosition(frame.Seq, i + 1);
            }

            found.Add(new FoundRecord(
                new FramePosition(frame.Seq, i), frame.Time, frame.Records[i], frame.RecordResults[i]));
        }

        return null;
    }

    private static bool IsWanted(FactHeader header, FactType type, RecordQuery query)
    {
        if (type.Kind != FactKind.Conflict && (query.KeptAside || type.Kind != FactKind.Record))
        {
            return false;
        }

        UsageContext context = header.Contexts[type.Context];
        foreach (Filter filter in query.Filters)
        {
            bool holds = filter.Dimension.IsOfCount()
                || (filter.Dimension.IsOfCharge()
                    ? type.Kind == FactKind.Conflict || header.Plans[type.Plan].Any(
                        slot => filter.Matches(ReportNames.Of(header.Rates[slot.Rate], filter.Dimension)))
                    : filter.Matches(ReportNames.Of(context, type.Outcome, filter.Dimension)));
            if (!holds)
            {
                return false;
            }
        }

        return true;
    }

    private static bool Matches(UsageRecord record, UsageResult result, RecordQuery query)
    {
        if (!query.Period.Contains(record.EventTime)
            || (query.KeptAside && result.Status != UsageStatus.Conflict))
        {
            return false;
        }

        foreach (Filter filter in query.Filters)
        {
            Dimension by = filter.Dimension;
            bool holds = by.IsOfCharge() ? result.Charges.Any(c => filter.Matches(ReportNames.Of(c.Rate, by)))
                : by.IsOfCount() ? record.Counts.Any(c => filter.Matches(ReportNames.Of(c.Meter, c.Grade, by)))
                : filter.Matches(ReportNames.Of(record.Context, record.Outcome, by));
            if (!holds)
            {
                return false;
            }
        }

        return true;
    }
}
