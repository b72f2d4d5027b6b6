using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <content>Corrections: of the modes 1 and 2 record by record, of the modes 3 to 6 in groups.</content>
public sealed partial class FrameEncoder
{
    private void WriteCorrections(Frame frame)
    {
        _commands.Count(frame.Corrections.Count);
        for (int i = 0; i < frame.Corrections.Count; i++)
        {
            Correction correction = frame.Corrections[i];
            _commands.Byte((byte)correction.Mode);
            _commands.Count(TextIndex(correction.Source));
            _commands.Text(correction.Id);
            _commands.ZigZag(correction.FromSeq);
            _commands.ZigZag(correction.ToSeq);
            _commands.ZigZag(correction.Period.Start.UnixNanoseconds);
            _commands.ZigZag(correction.Period.End.UnixNanoseconds);
            _commands.Text(correction.Agreement);
            _commands.ZigZag(correction.Index);
            _commands.Text(correction.Memo);
            if (correction.Mode.IsGrouped())
            {
                WriteGroupedResult(frame.CorrectionResults[i], correction.FromSeq, frame.Time);
            }
            else
            {
                WriteCorrectionResult(frame.CorrectionResults[i], correction.FromSeq, frame.Time);
            }
        }
    }

    private void WriteCorrectionResult(CorrectionResult result, long seq, Timestamp time)
    {
        _commands.Byte((byte)result.Status);
        _commands.ZigZag(result.ToSeq);
        _commands.Count(result.Singles.Count);
        foreach (CorrectedRecord record in result.Singles)
        {
            _commands.ZigZag(record.Position.Seq - seq);
            _commands.Count(record.Position.Index);
            _commands.Count(ContextIndex(record.Context));
            _commands.ZigZag(unchecked(record.EventTime.UnixNanoseconds - time.UnixNanoseconds));
            _commands.Count(record.Reversed);
            WriteCharges(record.Charges, record.Postings);
            (seq, time) = (record.Position.Seq, record.EventTime);
        }
    }

    private void WriteGroupedResult(CorrectionResult result, long from, Timestamp time)
    {
        _commands.Byte((byte)result.Status);
        _commands.ZigZag(result.ToSeq);
        _commands.Count(result.Singles.Count);
        long seq = from;
        Timestamp previous = time;
        foreach (CorrectedRecord record in result.Singles)
        {
            _commands.ZigZag(record.Position.Seq - seq);
            _commands.Count(record.Position.Index);
            _commands.Count(ContextIndex(record.Context));
            _commands.ZigZag(unchecked(record.EventTime.UnixNanoseconds - previous.UnixNanoseconds));
            WriteCounts(record.Counts);
            _commands.Count(record.Reversed);
            WriteCharges(record.Charges, record.Postings);
            (seq, previous) = (record.Position.Seq, record.EventTime);
        }

        _commands.Count(result.Groups.Count);
        foreach (CorrectedGroup group in result.Groups)
        {
            _commands.ZigZag(group.Seq - from);
            from = group.Seq;
            WriteGroup(group, time);
        }
    }

    private void WriteGroup(CorrectedGroup group, Timestamp time)
    {
        _commands.Count(group.Reversed);
        _commands.Count(group.Charges.Length);
        foreach (GroupCharge charge in group.Charges)
        {
            _commands.Count(RateIndex(charge.Rate));
            _commands.Byte(charge.Listed ? (byte)1 : (byte)0);
            _commands.ZigZag(charge.Total.Pico);
            if (!charge.Total.IsZero)
            {
                _commands.Count(AccountIndex(charge.Debit!));
                _commands.Count(AccountIndex(charge.Credit!));
            }
        }

        _commands.Count(group.Counted.Length);
        foreach (Count count in group.Counted)
        {
            _commands.Count((count.Meter.Value << 3) | (int)count.Grade);
        }

        WriteGroupRecords(group, time);
    }

    private void WriteGroupRecords(CorrectedGroup group, Timestamp time)
    {
        _commands.Count(group.Records);
        int listed = group.ListedBefore(group.Charges.Length);
        ReadOnlySpan<long> steps = group.Steps;
        ReadOnlySpan<long> amounts = group.Amounts;
        int index = -1;
        long moment = time.UnixNanoseconds;
        for (int i = 0; i < group.Indices.Length; i++)
        {
            _commands.Count(group.Indices[i] - index - 1);
            _commands.Count(ContextIndex(group.Contexts[i]));
            _commands.ZigZag(unchecked(group.Times[i] - moment));
            (index, moment) = (group.Indices[i], group.Times[i]);
            foreach (long step in steps.Slice(i * group.Counted.Length, group.Counted.Length))
            {
                _commands.Varint((ulong)step);
            }

            foreach (long amount in amounts.Slice(i * listed, listed))
            {
                _commands.ZigZag(amount);
            }
        }
    }
}
