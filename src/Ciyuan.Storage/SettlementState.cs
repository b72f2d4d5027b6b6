using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Settlement;

namespace Ciyuan.Storage;

/// <summary>Agreements and their calendars at one moment.</summary>
/// <param name="Catalog">Parties, agreements, terms.</param>
/// <param name="Calendar">The calendars.</param>
public sealed record SettlementState(Catalog Catalog, SettlementCalendar Calendar)
{
    /// <summary>Reads them beside a writer or without one: from the frames that hold setups and steps of settlement.
    /// </summary>
    /// <param name="facts">The statistics, which know these frames.</param>
    /// <param name="journal">The journal.</param>
    public static SettlementState Read(FactStore facts, SqliteJournal journal)
    {
        Catalog catalog = Catalog.Empty;
        PriceBooks books = PriceBooks.Empty;
        var calendar = new SettlementCalendar();
        var faults = new List<string>();
        foreach (long seq in facts.MarkedFrames)
        {
            Frame frame = ReadFrame(journal, seq);
            foreach (Setup setup in frame.Setups)
            {
                bool changed = false;
                books = books.With(setup, faults, ref changed);
                catalog = catalog.With(setup, books.Terms, faults, ref changed);
                calendar.AddClosings(setup, seq);
            }

            for (int i = 0; i < frame.Settlements.Count; i++)
            {
                calendar.Record(frame.Settlements[i], frame.SettlementResults[i], frame.Time, seq);
            }
        }

        return new SettlementState(catalog, calendar);
    }

    /// <summary>The stored statement of a period, as its bytes; null before the split.</summary>
    public static byte[]? FindStatement(SettledPeriod period, Func<long, Frame?> readFrame)
    {
        SettlementCommand? split = period.Split is null ? null : readFrame(period.Split.Seq)?.Settlements
            .FirstOrDefault(s => s.Action == SettlementAction.Split && s.Agreement == period.Agreement
                && s.Period == period.Name);
        return split?.Statement;
    }

    /// <summary>All frames of a journal, decoded, in order.</summary>
    public static IEnumerable<Frame> Frames(SqliteJournal journal) => journal.ReadFrom(1)
        .Select(stored => FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body));

    /// <summary>A frame, decoded.</summary>
    /// <exception cref="JournalException">There is none of that number.</exception>
    public static Frame ReadFrame(SqliteJournal journal, long seq)
    {
        StoredFrame stored = journal.Read(seq) ?? throw new JournalException($"Frame {seq} is missing.");
        return FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body);
    }
}
