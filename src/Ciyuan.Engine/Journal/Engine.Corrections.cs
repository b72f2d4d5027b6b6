using Ciyuan.Ledger;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>Frames whose records were corrected, and where the corrected charges stand.</summary>
/// <param name="FromSeq">First frame.</param>
/// <param name="ToSeq">Last frame.</param>
/// <param name="Position">The correction.</param>
internal readonly record struct CorrectedRange(long FromSeq, long ToSeq, FramePosition Position);

/// <content>Corrections: charges are taken back by reversing entries and made anew; records never change.</content>
public sealed partial class Engine
{
    /// <summary>After how many records a correction stops at the end of a frame; the rest is for the next
    /// correction.</summary>
    public const int CorrectedRecordsEach = 8_192;

    private readonly Dictionary<UsageContext, UsageContext> _contextOf = new(ReferenceEqualityComparer.Instance);

    private CorrectionResult ApplyCorrection(
        Correction correction, FramePosition position, Quantities.Timestamp time, FrameDraft frame)
    {
        if (IsMalformed(correction))
        {
            return new CorrectionResult(LedgerStatus.Malformed, 0, []);
        }

        UInt128 digest = _hasher.Digest(IdKind.Correction, correction.Source, correction.Id);
        ulong fingerprint =
            System.IO.Hashing.XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(correction.ToString()));
        if (_history.TryFind(digest, out PastId past))
        {
            return past.Fingerprint == fingerprint
                ? ResultsOf(past.Position, frame) with { Status = LedgerStatus.Exists }
                : new CorrectionResult(LedgerStatus.Conflict, 0, []);
        }

        var corrected = new List<CorrectedRecord>();
        long seq = correction.FromSeq;
        int closed = 0;
        for (int looked = 0; seq <= correction.ToSeq && looked < CorrectedRecordsEach; seq++)
        {
            Frame source = _history.ReadFrame(seq);
            looked += source.Records.Count;
            closed += CorrectFrame(correction, source, time, frame, corrected);
        }

        var result = new CorrectionResult(LedgerStatus.Done, seq - 1, corrected) { Closed = closed };
        Remember(digest, new PastId(fingerprint, position, (byte)result.Status));
        if (corrected.Count > 0)
        {
            _corrected.Add(new CorrectedRange(correction.FromSeq, result.ToSeq, position));
        }

        frame.Corrections.Add(correction);
        frame.CorrectionResults.Add(result);
        return result;
    }

    private bool IsMalformed(Correction correction) =>
        !StoredText.IsName(correction.Id) || !StoredText.IsName(correction.Source)
        || !StoredText.IsText(correction.Memo) || !StoredText.IsText(correction.Agreement)
        || correction.Memo.Length > LedgerGroup.MaxMemoLength || correction.Index < -1
        || !Enum.IsDefined(correction.Mode)
        || correction.FromSeq < 1 || correction.ToSeq < correction.FromSeq || correction.ToSeq > Seq;

    private int CorrectFrame(
        Correction correction, Frame source, Quantities.Timestamp time, FrameDraft frame,
        List<CorrectedRecord> corrected)
    {
        Dictionary<int, List<CorrectedRecord>>? earlier = CorrectionsOf(source.Seq, frame);
        _postUsage.BeginFrame();
        _contextOf.Clear();
        int closed = 0;
        for (int i = 0; i < source.Records.Count; i++)
        {
            UsageRecord record = source.Records[i];
            if (!_contextOf.TryGetValue(record.Context, out UsageContext? context))
            {
                context = FillIn(_filledIn.Intern(record.Context)); // its key may have become known since
                _contextOf.Add(record.Context, context);
            }

            UsageResult result = source.RecordResults[i];
            if (result.Status != UsageStatus.Posted || !correction.Period.Contains(record.EventTime)
                || (correction.Index >= 0 && correction.Index != i))
            {
                continue;
            }

            _postUsage.LoadCurrent(result.Charges, result.Postings);
            foreach (CorrectedRecord later in earlier?.GetValueOrDefault(i) ?? [])
            {
                _postUsage.LoadLater(later.Charges, later.Reversed, later.Postings);
            }

            closed += CorrectOne(correction, record, context, new FramePosition(source.Seq, i), time, corrected);
        }

        return closed;
    }

    /// <summary>Corrects the loaded charges of a record; 1 when its event time is closed.</summary>
    private int CorrectOne(
        Correction correction, UsageRecord record, UsageContext context, FramePosition position,
        Quantities.Timestamp time, List<CorrectedRecord> corrected)
    {
        bool rerate = correction.Mode == CorrectionMode.Rerate;
        if (_postUsage.Correct(record, context, rerate, correction.Agreement, _catalog, time, out bool isClosed)
            is var (charges, postings, reversed))
        {
            corrected.Add(new CorrectedRecord(position, context, record.EventTime, reversed, charges, postings));
        }

        return isClosed ? 1 : 0;
    }

    /// <summary>Earlier corrections of a frame's records, by index and in order; null when there are none.</summary>
    private Dictionary<int, List<CorrectedRecord>>? CorrectionsOf(long seq, FrameDraft frame)
    {
        Dictionary<int, List<CorrectedRecord>>? byIndex = null;
        foreach (CorrectedRange range in _corrected)
        {
            if (range.FromSeq > seq || range.ToSeq < seq)
            {
                continue;
            }

            foreach (CorrectedRecord record in ResultsOf(range.Position, frame).Records)
            {
                if (record.Position.Seq == seq)
                {
                    byIndex ??= [];
                    if (!byIndex.TryGetValue(record.Position.Index, out List<CorrectedRecord>? list))
                    {
                        byIndex.Add(record.Position.Index, list = []);
                    }

                    list.Add(record);
                }
            }
        }

        return byIndex;
    }

    /// <summary>The outcome of an earlier correction, which may stand in the frame that is being made.</summary>
    private CorrectionResult ResultsOf(FramePosition position, FrameDraft frame) =>
        (position.Seq > Seq
            ? frame.CorrectionResults
            : _history.ReadFrame(position.Seq).CorrectionResults)[position.Index];
}
