using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <content>Corrections: of the modes 1 and 2 record by record, of the modes 3 to 6 in groups.</content>
public static partial class FrameDecoder
{
    private static (Correction[] Corrections, CorrectionResult[] Results) ReadCorrections(
        ref ByteReader reader, Tables tables, Timestamp time, byte version)
    {
        var corrections = new Correction[reader.Count()];
        var results = new CorrectionResult[corrections.Length];
        for (int i = 0; i < corrections.Length; i++)
        {
            var mode = (CorrectionMode)reader.Byte();
            string source = tables.Texts[reader.Index(tables.Texts.Length)];
            string id = reader.Text();
            long from = reader.ZigZag();
            long to = reader.ZigZag();
            var period = new Period(new Timestamp(reader.ZigZag()), new Timestamp(reader.ZigZag()));
            string agreement = reader.Text();
            var index = (int)reader.ZigZag();
            corrections[i] = new Correction(source, id, mode, from, to, period, agreement, index, reader.Text());
            bool grouped = mode.IsGrouped();
            if (grouped && version < (mode.IsByRate() ? VersionByRate : VersionWithGroups))
            {
                throw reader.Damaged($"has a correction of mode {mode} in format version {version}");
            }

            results[i] = grouped
                ? ReadGroupedResult(ref reader, tables, from, time)
                : ReadCorrectionResult(ref reader, tables, from, time);
        }

        return (corrections, results);
    }

    private static CorrectionResult ReadCorrectionResult(ref ByteReader reader, Tables tables, long seq, Timestamp time)
    {
        var status = (LedgerStatus)reader.Byte();
        long toSeq = reader.ZigZag();
        var records = new CorrectedRecord[reader.Count()];
        for (int i = 0; i < records.Length; i++)
        {
            seq += reader.ZigZag();
            var position = new FramePosition(seq, reader.Index(FrameProposal.MaxCommands));
            UsageContext context = tables.Contexts[reader.Index(tables.Contexts.Length)];
            time = new Timestamp(unchecked(time.UnixNanoseconds + reader.ZigZag()));
            int reversed = reader.Count();
            (Charge[] charges, Posting[] postings) = ReadCharges(ref reader, tables);
            records[i] = new CorrectedRecord(position, context, time, reversed, charges, postings);
        }

        return new CorrectionResult(status, toSeq, records, []);
    }

    private static CorrectionResult ReadGroupedResult(ref ByteReader reader, Tables tables, long from, Timestamp time)
    {
        var status = (LedgerStatus)reader.Byte();
        long toSeq = reader.ZigZag();
        var singles = new CorrectedRecord[reader.Count()];
        long seq = from;
        Timestamp previous = time;
        for (int i = 0; i < singles.Length; i++)
        {
            seq += reader.ZigZag();
            var position = new FramePosition(seq, reader.Index(FrameProposal.MaxCommands));
            UsageContext context = tables.Contexts[reader.Index(tables.Contexts.Length)];
            previous = new Timestamp(unchecked(previous.UnixNanoseconds + reader.ZigZag()));
            Count[] counts = ReadCounts(ref reader);
            int reversed = reader.Count();
            (Charge[] charges, Posting[] postings) = ReadCharges(ref reader, tables);
            singles[i] = new CorrectedRecord(position, context, previous, reversed, charges, postings, counts);
        }

        var groups = new CorrectedGroup[reader.Count()];
        for (int i = 0; i < groups.Length; i++)
        {
            from += reader.ZigZag();
            groups[i] = ReadGroup(ref reader, tables, from, time);
        }

        return new CorrectionResult(status, toSeq, singles, groups);
    }

    private static CorrectedGroup ReadGroup(ref ByteReader reader, Tables tables, long seq, Timestamp time)
    {
        int reversed = reader.Count();
        var charges = new GroupCharge[reader.Count()];
        for (int i = 0; i < charges.Length; i++)
        {
            charges[i] = ReadGroupCharge(ref reader, tables);
        }

        var counted = new Count[reader.Count()];
        for (int i = 0; i < counted.Length; i++)
        {
            int head = reader.Natural();
            counted[i] = new Count(ReadMeter(ref reader, head >> 3), (EvidenceGrade)(head & 7), 0);
        }

        int records = reader.Count();
        int listed = charges.Count(c => c.Listed);
        if (reversed > charges.Length || records * (3L + counted.Length + listed) > reader.Remaining)
        {
            throw reader.Damaged($"has a group of {records} records that does not fit");
        }

        var group = new CorrectedGroup
        {
            Seq = seq,
            Reversed = reversed,
            Charges = charges,
            Counted = counted,
            Indices = new int[records],
            Contexts = new UsageContext[records],
            Times = new long[records],
            Steps = new long[records * counted.Length],
            Amounts = new long[records * listed],
        };
        ReadGroupRecords(ref reader, tables, group, time);
        return group.AddsUp() ? group : throw reader.Damaged("has a group of corrections that does not add up");
    }

    private static GroupCharge ReadGroupCharge(ref ByteReader reader, Tables tables)
    {
        Rate rate = tables.Rates[reader.Index(tables.Rates.Length)];
        bool listed = reader.Byte() == 1;
        var total = new Amount(reader.ZigZag128());
        if (total.IsZero)
        {
            return new GroupCharge(rate, listed, total, null, null);
        }

        AccountName debit = tables.Accounts[reader.Index(tables.Accounts.Length)];
        return new GroupCharge(rate, listed, total, debit, tables.Accounts[reader.Index(tables.Accounts.Length)]);
    }

    private static void ReadGroupRecords(
        ref ByteReader reader, Tables tables, CorrectedGroup group, Timestamp time)
    {
        int counted = group.Counted.Length;
        int listed = group.ListedBefore(group.Charges.Length);
        int index = -1;
        long moment = time.UnixNanoseconds;
        for (int i = 0; i < group.Records; i++)
        {
            group.Indices[i] = index += 1 + reader.Index(FrameProposal.MaxCommands - 1 - index);
            group.Contexts[i] = tables.Contexts[reader.Index(tables.Contexts.Length)];
            group.Times[i] = moment = unchecked(moment + reader.ZigZag());
            foreach (ref long steps in group.Steps.AsSpan(i * counted, counted))
            {
                steps = (long)reader.Varint();
            }

            foreach (ref long amount in group.Amounts.AsSpan(i * listed, listed))
            {
                amount = reader.ZigZag();
            }
        }
    }
}
