using System.Text.Json;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <content>Records as columns, for corrections: the same bytes, without an object for each record.</content>
public static partial class FrameDecoder
{
    /// <summary>Reads the records of a body as columns; the caller disposes them.</summary>
    /// <exception cref="JournalException">The bytes are no frame of a known version; the message names the
    /// frame.</exception>
    public static RecordedUsage DecodeUsage(int shard, long seq, Timestamp time, ReadOnlySpan<byte> body)
    {
        RecordedUsage? usage = null;
        try
        {
            var reader = new ByteReader(body);
            byte version = ReadVersion(ref reader);
            reader.Raw(reader.Byte() == 1 ? 16 : 0);
            Tables tables = ReadUpToRecords(ref reader);
            usage = new RecordedUsage
            {
                Texts = tables.Texts,
                ContextParts = tables.ContextParts,
                Rates = [.. tables.Rates],
                Accounts = [.. tables.Accounts],
            };
            int records = reader.Count();
            long moment = time.UnixNanoseconds;
            for (int i = 0; i < records; i++)
            {
                moment = ReadColumns(ref reader, tables, moment, usage);
            }

            if (version >= VersionWithSettlement)
            {
                ReadSettlements(ref reader, tables);
            }

            return reader.Remaining == 0 ? usage : throw reader.Damaged("goes on after its end");
        }
        catch (Exception e) when (e is JournalException or JsonException or FormatException or OverflowException
            or ArgumentException)
        {
            usage?.Dispose();
            throw new JournalException($"Frame {seq} of shard {shard} can't be read: it {e.Message}", e);
        }
    }

    private static Tables ReadUpToRecords(ref ByteReader reader)
    {
        Tables tables = ReadTables(ref reader, withContexts: false);
        ReadExpiries(ref reader, tables);
        ReadSetups(ref reader);
        ReadGroups(ref reader, tables);
        for (int corrections = reader.Count(); corrections > 0; corrections--)
        {
            SkipCorrection(ref reader, tables);
        }

        return tables;
    }

    /// <summary>Passes over a correction. Whoever corrects a period for the tenth time passes over nine corrections of
    /// each record, of which nothing is wanted here.</summary>
    private static void SkipCorrection(ref ByteReader reader, Tables tables)
    {
        var mode = (CorrectionMode)reader.Byte();
        bool grouped = mode.IsGrouped();
        reader.SkipVarints(1); // the source
        reader.Raw(reader.Count()); // the id
        reader.SkipVarints(4); // frames and period
        reader.Raw(reader.Count()); // the agreement
        reader.SkipVarints(1); // the index
        reader.Raw(reader.Count()); // the memo
        reader.Byte(); // the status
        reader.SkipVarints(1); // the last frame
        for (int singles = reader.Count(); singles > 0; singles--)
        {
            reader.SkipVarints(4); // position, context, time
            _ = grouped ? ReadCounts(ref reader) : [];
            reader.SkipVarints(1); // how many are taken back
            ReadCharges(ref reader, tables);
        }

        for (int groups = grouped ? reader.Count() : 0; groups > 0; groups--)
        {
            SkipGroup(ref reader);
        }
    }

    private static void SkipGroup(ref ByteReader reader)
    {
        reader.SkipVarints(1); // the frame
        reader.SkipVarints(1); // how many are taken back
        int listed = 0;
        for (int charges = reader.Count(); charges > 0; charges--)
        {
            reader.SkipVarints(1); // the rate
            listed += reader.Byte() == 1 ? 1 : 0;
            reader.SkipVarints(reader.ZigZag128() == 0 ? 0 : 2); // the accounts of a total
        }

        int counted = reader.Count();
        reader.SkipVarints(counted);
        reader.SkipVarints(reader.Count() * (3L + counted + listed));
    }

    private static long ReadColumns(ref ByteReader reader, Tables tables, long previous, RecordedUsage usage)
    {
        int context = reader.Index(tables.ContextParts.Length / UsageContext.Parts);
        reader.Raw(reader.Count()); // the id
        long time = unchecked(previous + reader.ZigZag());
        byte flags = reader.Byte();
        if ((flags & HasLatency) != 0)
        {
            reader.Natural();
        }

        int counts = reader.Count();
        for (int i = 0; i < counts; i++)
        {
            int head = reader.Natural();
            ReadMeter(ref reader, head >> 3);
            usage.AddCount(head, (long)reader.Varint());
        }

        ReadTagsAndSkipHold(ref reader, tables, flags, usage);
        var status = (UsageStatus)reader.Byte();
        reader.Byte(); // remarks
        for (int charges = reader.Count(); charges > 0; charges--)
        {
            ReadChargeColumn(ref reader, tables, usage);
        }

        usage.AddRecord(
            context, new Timestamp(time), (Outcome)(flags & OutcomeMask), status == UsageStatus.Posted);
        return time;
    }

    private static void ReadTagsAndSkipHold(ref ByteReader reader, Tables tables, byte flags, RecordedUsage usage)
    {
        for (int tags = (flags & HasTags) == 0 ? 0 : reader.Count(); tags > 0; tags--)
        {
            usage.AddTag(new Tag(tables.Texts[reader.Index(tables.Texts.Length)], reader.Text()));
        }

        if ((flags & HasHold) != 0)
        {
            reader.Raw(reader.Count());
        }
    }

    private static void ReadChargeColumn(ref ByteReader reader, Tables tables, RecordedUsage usage)
    {
        int rate = reader.Index(tables.Rates.Length);
        Int128 amount = reader.ZigZag128();
        int head = reader.Natural();
        int postings = head >> 2;
        bool plain = (head & 1) != 0;
        bool covered = (head & 2) != 0;
        if (covered)
        {
            ReadCounts(ref reader);
        }

        ReadBefore(ref reader, tables.Rates[rate]);
        if (postings > reader.Remaining || (plain && postings != 1))
        {
            throw reader.Damaged($"has a charge with {postings} postings");
        }

        int debit = ChargeColumn.None;
        int credit = ChargeColumn.None;
        for (int i = 0; i < postings; i++)
        {
            debit = reader.Index(tables.Accounts.Length);
            credit = reader.Index(tables.Accounts.Length);
            if (!plain)
            {
                reader.ZigZag128();
            }
        }

        // One posting of another amount is not plain; nor is an amount that nothing was posted of.
        usage.AddCharge(rate, !covered && (plain || (postings == 0 && amount == 0)), debit, credit, amount);
    }
}
