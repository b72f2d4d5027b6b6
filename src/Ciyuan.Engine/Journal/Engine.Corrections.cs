using Ciyuan.Ledger;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <content>Corrections: charges are taken back by reversing entries and made anew; records never change.</content>
public sealed partial class Engine
{
    /// <summary>After how many records a correction stops at the end of a frame; the rest is for the next
    /// correction.</summary>
    public const int CorrectedRecordsEach = 8_192;

    private readonly Dictionary<UsageContext, UsageContext> _contextOf = new(ReferenceEqualityComparer.Instance);
    private readonly ContextTable _contextTable = new();

    private CorrectionResult ApplyCorrection(
        Correction correction, FramePosition position, Quantities.Timestamp time, FrameDraft frame)
    {
        if (IsMalformed(correction))
        {
            return new CorrectionResult(LedgerStatus.Malformed, 0, [], []);
        }

        UInt128 digest = _hasher.Digest(IdKind.Correction, correction.Source, correction.Id);
        ulong fingerprint =
            System.IO.Hashing.XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(correction.ToString()));
        if (_history.TryFind(digest, out PastId past))
        {
            return past.Fingerprint == fingerprint
                ? ResultsOf(past.Position, frame) with { Status = LedgerStatus.Exists }
                : new CorrectionResult(LedgerStatus.Conflict, 0, [], []);
        }

        CorrectionResult result = correction.Mode.IsGrouped()
            ? CorrectTogether(correction, time, frame)
            : CorrectOneByOne(correction, time, frame);
        Remember(digest, new PastId(fingerprint, position, (byte)result.Status));
        if (result.Singles.Count + result.Groups.Count > 0)
        {
            _corrected.Add(new CorrectedRange(
                correction.FromSeq, result.ToSeq, position, TouchedCharges.DigestOf(result)));
        }

        frame.Corrections.Add(correction);
        frame.CorrectionResults.Add(result);
        return result;
    }

    private CorrectionResult CorrectOneByOne(
        Correction correction, Quantities.Timestamp time, FrameDraft frame)
    {
        var corrected = new List<CorrectedRecord>();
        long seq = correction.FromSeq;
        int closed = 0;
        for (int looked = 0; seq <= correction.ToSeq && looked < CorrectedRecordsEach; seq++)
        {
            Frame source = _history.ReadFrame(seq);
            looked += source.Records.Count;
            closed += source.Records.Count == 0 ? 0 : CorrectFrame(correction, source, time, frame, corrected);
        }

        return new CorrectionResult(LedgerStatus.Done, seq - 1, corrected, []) { Closed = closed };
    }

    private CorrectionResult CorrectTogether(
        Correction correction, Quantities.Timestamp time, FrameDraft frame)
    {
        var scope = new CorrectionScope(
            correction.Mode.IsRerate(), correction.Mode.IsByRate(), correction.Agreement, correction.Period,
            correction.Index);
        _together.Begin(scope, _catalog, _books);
        var singles = new List<CorrectedRecord>();
        var groups = new List<CorrectedGroup>();
        long seq = correction.FromSeq;
        int closed = 0;
        for (int looked = 0; seq <= correction.ToSeq && looked < CorrectedRecordsEach; seq++)
        {
            using RecordedUsage usage = _history.ReadUsage(seq);
            if (usage.Records == 0)
            {
                continue; // as of an earlier correction: none of those need be read for it
            }

            looked += usage.Records;
            _postUsage.BeginFrame();
            _together.BeginFrame(seq, usage);
            foreach (CorrectionResult earlier in EarlierOf(seq, frame))
            {
                ApplyEarlier(earlier, seq, usage);
            }

            UsageContext[] contexts = _contextTable.Find(usage, _catalog, c => FillIn(_filledIn.Intern(c)));
            IReadOnlyList<int> rest = _together.Run(usage, contexts, time, groups);
            closed += rest.Count == 0
                ? 0
                : CorrectRest(rest, seq, scope, contexts, usage, time, frame, singles);
        }

        return new CorrectionResult(LedgerStatus.Done, seq - 1, singles, groups) { Closed = closed };
    }

    private void ApplyEarlier(CorrectionResult earlier, long seq, RecordedUsage usage)
    {
        foreach (CorrectedRecord single in earlier.Singles)
        {
            if (single.Position.Seq == seq)
            {
                _together.ApplyEarlier(
                    usage, single.Position.Index, single.Charges, single.Reversed, single.Postings);
            }
        }

        foreach (CorrectedGroup group in earlier.Groups)
        {
            if (group.Seq == seq)
            {
                _together.ApplyEarlier(usage, group);
            }
        }
    }

    /// <summary>Corrects records of a frame one by one: takes all of them back, then makes them anew. Gives the number
    /// of those that are left alone because their event time is closed.</summary>
    private int CorrectRest(
        IReadOnlyList<int> rest, long seq, CorrectionScope scope, UsageContext[] contexts, RecordedUsage usage,
        Quantities.Timestamp time, FrameDraft frame, List<CorrectedRecord> singles)
    {
        Frame source = _history.ReadFrame(seq);
        Dictionary<int, List<CorrectedRecord>>? earlier = CorrectionsOf(seq, frame);
        int asked = rest.Count;
        rest = _catalog.HasClosings ? [.. rest.Where(IsOpen)] : rest;
        var taken = new (Charge[] Charges, Posting[] Postings)[rest.Count];
        for (int i = 0; i < taken.Length; i++)
        {
            LoadCharges(source, rest[i], earlier);
            taken[i] = _postUsage.TakeBack(source.Records[rest[i]], contexts[usage.ContextOf(rest[i])], scope);
        }

        for (int i = 0; i < taken.Length; i++)
        {
            UsageRecord record = source.Records[rest[i]];
            UsageContext context = contexts[usage.ContextOf(rest[i])];
            LoadCharges(source, rest[i], earlier);
            (Charge[] charges, Posting[] postings) = _postUsage.MakeAnew(record, context, scope, _catalog, time);
            if (taken[i].Charges.Length + charges.Length > 0)
            {
                singles.Add(new CorrectedRecord(
                    new FramePosition(seq, rest[i]), context, record.EventTime, taken[i].Charges.Length,
                    [.. taken[i].Charges, .. charges], [.. taken[i].Postings, .. postings], record.Counts));
            }
        }

        return asked - rest.Count;

        bool IsOpen(int index)
        {
            LoadCharges(source, index, earlier);
            return !_postUsage.IsClosed(source.Records[index], contexts[usage.ContextOf(index)], scope, _catalog);
        }
    }

    private void LoadCharges(Frame source, int index, Dictionary<int, List<CorrectedRecord>>? earlier)
    {
        UsageResult result = source.RecordResults[index];
        _postUsage.LoadCurrent(result.Charges, result.Postings);
        foreach (CorrectedRecord later in earlier?.GetValueOrDefault(index) ?? [])
        {
            _postUsage.LoadLater(later.Charges, later.Reversed, later.Postings);
        }
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

            LoadCharges(source, i, earlier);
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
        foreach (CorrectionResult earlier in EarlierOf(seq, frame))
        {
            foreach (CorrectedRecord record in earlier.Records.Where(r => r.Position.Seq == seq))
            {
                byIndex ??= [];
                if (!byIndex.TryGetValue(record.Position.Index, out List<CorrectedRecord>? list))
                {
                    byIndex.Add(record.Position.Index, list = []);
                }

                list.Add(record);
            }
        }

        return byIndex;
    }

    /// <summary>The earlier corrections that may have changed records of a frame and were not superseded, in
    /// order.</summary>
    private IEnumerable<CorrectionResult> EarlierOf(long seq, FrameDraft frame)
    {
        foreach (CorrectedRange range in _corrected.Of(seq))
        {
            yield return ResultsOf(range.Position, frame);
        }
    }

    /// <summary>The outcome of an earlier correction, which may stand in the frame that is being made.</summary>
    private CorrectionResult ResultsOf(FramePosition position, FrameDraft frame) =>
        (position.Seq > Seq
            ? frame.CorrectionResults
            : _history.ReadFrame(position.Seq).CorrectionResults)[position.Index];
}
