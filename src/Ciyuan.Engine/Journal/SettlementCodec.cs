using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Settlement;

namespace Ciyuan.Journal;

/// <content>Steps of settlement.</content>
public sealed partial class FrameEncoder
{
    private void WriteSettlements(Frame frame)
    {
        _commands.Count(frame.Settlements.Count);
        for (int i = 0; i < frame.Settlements.Count; i++)
        {
            SettlementCommand step = frame.Settlements[i];
            _commands.Byte((byte)step.Action);
            _commands.Count(TextIndex(step.Source));
            _commands.Text(step.Id);
            _commands.Count(TextIndex(step.Agreement));
            _commands.Text(step.Period);
            _commands.Count(TextIndex(step.By));
            _commands.Text(step.Memo);
            _commands.Count(step.Statement.Length);
            _commands.Raw(step.Statement);
            _commands.Byte(step.AcceptWaiting ? (byte)1 : (byte)0);
            _commands.Text(step.Hash);
            _commands.Byte((byte)step.Side);
            _commands.Text(step.Dispute);
            _commands.ZigZag(step.Amount.Pico);
            SettlementResult result = frame.SettlementResults[i];
            _commands.ZigZag(result.Span.Start.UnixNanoseconds);
            _commands.ZigZag(result.Span.End.UnixNanoseconds);
            _commands.ZigZag(result.Until.UnixNanoseconds);
            _commands.ZigZag(result.Amount.Pico);
            _commands.ZigZag(result.Carried.Pico);
            WritePostings(result.Postings);
        }
    }
}

/// <content>Steps of settlement.</content>
public static partial class FrameDecoder
{
    private static (SettlementCommand[] Steps, SettlementResult[] Results) ReadSettlements(
        ref ByteReader reader, Tables tables)
    {
        var steps = new SettlementCommand[reader.Count()];
        var results = new SettlementResult[steps.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            var action = (SettlementAction)reader.Byte();
            string source = tables.Texts[reader.Index(tables.Texts.Length)];
            string id = reader.Text();
            string agreement = tables.Texts[reader.Index(tables.Texts.Length)];
            string period = reader.Text();
            steps[i] = new SettlementCommand(
                source, id, action, agreement, period, tables.Texts[reader.Index(tables.Texts.Length)])
            {
                Memo = reader.Text(),
                Statement = reader.Raw(reader.Count()).ToArray(),
                AcceptWaiting = reader.Byte() == 1,
                Hash = reader.Text(),
                Side = (AgreementSide)reader.Byte(),
                Dispute = reader.Text(),
                Amount = new Amount(reader.ZigZag128()),
            };
            results[i] = new SettlementResult(SettlementStatus.Done, [])
            {
                Span = SettlementCodec.ReadPeriod(ref reader),
                Until = new Timestamp(reader.ZigZag()),
                Amount = new Amount(reader.ZigZag128()),
                Carried = new Amount(reader.ZigZag128()),
                Postings = ReadPostings(ref reader, tables),
            };
        }

        return (steps, results);
    }
}

/// <summary>The calendars in the stored state of the engine.</summary>
internal static class SettlementCodec
{
    /// <summary>Writes the calendars: periods by agreement and in order, then the cuts.</summary>
    public static void WriteState(ByteWriter output, SettlementCalendar calendar)
    {
        SettledPeriod[] periods = [.. calendar.Periods];
        output.Count(periods.Length);
        foreach (SettledPeriod period in periods)
        {
            WritePeriod(output, period);
        }

        output.Count(calendar.Cuts.Count);
        foreach (BookingCut cut in calendar.Cuts)
        {
            output.Text(cut.Agreement);
            output.ZigZag(cut.Until.UnixNanoseconds);
            output.ZigZag(cut.FromSeq);
        }
    }

    /// <summary>Reads what <see cref="WriteState"/> wrote.</summary>
    public static void ReadState(ref ByteReader reader, SettlementCalendar calendar)
    {
        var periods = new SettledPeriod[reader.Count()];
        for (int i = 0; i < periods.Length; i++)
        {
            periods[i] = ReadSettled(ref reader);
        }

        var cuts = new BookingCut[reader.Count()];
        for (int i = 0; i < cuts.Length; i++)
        {
            cuts[i] = new BookingCut(reader.Text(), new Timestamp(reader.ZigZag()), reader.ZigZag());
        }

        calendar.Restore(periods, cuts);
    }

    /// <summary>Reads a period of two moments.</summary>
    public static Period ReadPeriod(ref ByteReader reader) =>
        new(new Timestamp(reader.ZigZag()), new Timestamp(reader.ZigZag()));

    private static void WritePeriod(ByteWriter output, SettledPeriod period)
    {
        output.Text(period.Agreement);
        output.Text(period.Name);
        output.ZigZag(period.Span.Start.UnixNanoseconds);
        output.ZigZag(period.Span.End.UnixNanoseconds);
        output.Byte((byte)period.State);
        WriteMark(output, period.Frozen);
        WriteMark(output, period.Split);
        output.Text(period.Hash);
        output.ZigZag(period.Due.Pico);
        output.ZigZag(period.DisputesUntil.UnixNanoseconds);
        output.Count(period.Signatures.Count);
        foreach (SettlementSignature signature in period.Signatures)
        {
            output.Text(signature.By);
            output.Byte((byte)signature.Side);
            output.ZigZag(signature.Time.UnixNanoseconds);
        }

        output.Count(period.Disputes.Count);
        foreach (SettlementDispute dispute in period.Disputes)
        {
            output.Text(dispute.Id);
            output.Byte((byte)dispute.Side);
            output.Text(dispute.By);
            output.ZigZag(dispute.Amount.Pico);
            output.Text(dispute.Reason);
            output.ZigZag(dispute.Time.UnixNanoseconds);
            WriteMark(output, dispute.Resolved);
            output.ZigZag(dispute.Granted.Pico);
        }

        WriteMark(output, period.Final);
        output.ZigZag(period.Payable.Pico);
        output.ZigZag(period.Carried.Pico);
        output.ZigZag(period.PayUntil.UnixNanoseconds);
    }

    private static SettledPeriod ReadSettled(ref ByteReader reader) => new()
    {
        Agreement = reader.Text(),
        Name = reader.Text(),
        Span = ReadPeriod(ref reader),
        State = (PeriodState)reader.Byte(),
        Frozen = ReadMark(ref reader) ?? throw reader.Damaged("has a period that nobody froze"),
        Split = ReadMark(ref reader),
        Hash = reader.Text(),
        Due = new Amount(reader.ZigZag128()),
        DisputesUntil = new Timestamp(reader.ZigZag()),
        Signatures = ReadSignatures(ref reader),
        Disputes = ReadDisputes(ref reader),
        Final = ReadMark(ref reader),
        Payable = new Amount(reader.ZigZag128()),
        Carried = new Amount(reader.ZigZag128()),
        PayUntil = new Timestamp(reader.ZigZag()),
    };

    private static SettlementSignature[] ReadSignatures(ref ByteReader reader)
    {
        var signatures = new SettlementSignature[reader.Count()];
        for (int i = 0; i < signatures.Length; i++)
        {
            signatures[i] = new SettlementSignature(
                reader.Text(), (AgreementSide)reader.Byte(), new Timestamp(reader.ZigZag()));
        }

        return signatures;
    }

    private static SettlementDispute[] ReadDisputes(ref ByteReader reader)
    {
        var disputes = new SettlementDispute[reader.Count()];
        for (int i = 0; i < disputes.Length; i++)
        {
            disputes[i] = new SettlementDispute(
                reader.Text(), (AgreementSide)reader.Byte(), reader.Text(), new Amount(reader.ZigZag128()),
                reader.Text(), new Timestamp(reader.ZigZag()))
            {
                Resolved = ReadMark(ref reader),
                Granted = new Amount(reader.ZigZag128()),
            };
        }

        return disputes;
    }

    private static void WriteMark(ByteWriter output, SettlementMark? mark)
    {
        output.Text(mark?.By ?? "");
        if (mark is not null)
        {
            output.ZigZag(mark.Time.UnixNanoseconds);
            output.ZigZag(mark.Seq);
        }
    }

    private static SettlementMark? ReadMark(ref ByteReader reader) => reader.Text() is { Length: > 0 } by
        ? new SettlementMark(by, new Timestamp(reader.ZigZag()), reader.ZigZag())
        : null;
}
