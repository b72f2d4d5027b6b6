using System.Text.Json;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Journal;

/// <summary>Reads frames from bytes (docs/FORMATS.md, "Frame body"); needs nothing but the bytes.</summary>
public static partial class FrameDecoder
{
    /// <summary>Version of the format, the first byte of a body.</summary>
    public const byte Version = 1;

    /// <summary>Version of a body with corrections of the modes 3 or 4: these are laid out in another way, all else is
    /// the same.</summary>
    public const byte VersionWithGroups = 2;

    /// <summary>Version of a body with steps of settlement: they stand after the records, all else is as in
    /// <see cref="VersionWithGroups"/>.</summary>
    public const byte VersionWithSettlement = 3;

    /// <summary>Version of a body with corrections of the modes 5 or 6: laid out as those of the modes 3 and 4, all
    /// else is as in <see cref="VersionWithSettlement"/>.</summary>
    public const byte VersionByRate = 4;

    internal const byte PostOperation = 1;
    internal const byte HoldOperation = 2;
    internal const byte SettleOperation = 3;
    internal const byte ReleaseOperation = 4;
    internal const byte ReverseOperation = 5;

    internal const int OutcomeMask = 3;
    internal const int HasLatency = 4;
    internal const int HasTags = 8;
    internal const int HasHold = 16;

    /// <summary>Decodes a body.</summary>
    /// <exception cref="JournalException">The bytes are no frame of a known version; the message names the
    /// frame.</exception>
    public static Frame Decode(int shard, long seq, Timestamp time, ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new ByteReader(body);
            return Read(shard, seq, time, ref reader);
        }
        catch (Exception e) when (e is JournalException or JsonException or FormatException or OverflowException
            or ArgumentException)
        {
            throw new JournalException($"Frame {seq} of shard {shard} can't be read: it {e.Message}", e);
        }
    }

    private static Frame Read(int shard, long seq, Timestamp time, ref ByteReader reader)
    {
        byte version = ReadVersion(ref reader);
        byte[]? idKey = reader.Byte() == 1 ? reader.Raw(16).ToArray() : null;
        Tables tables = ReadTables(ref reader, withContexts: true);
        Expiry[] expiries = ReadExpiries(ref reader, tables);
        Setup[] setups = ReadSetups(ref reader);
        (LedgerGroup[] groups, GroupResult[] groupResults) = ReadGroups(ref reader, tables);
        (Correction[] corrections, CorrectionResult[] correctionResults) =
            ReadCorrections(ref reader, tables, time, version);
        (UsageRecord[] records, UsageResult[] recordResults) = ReadRecords(ref reader, tables, time);
        (SettlementCommand[] settlements, SettlementResult[] settlementResults) =
            version >= VersionWithSettlement ? ReadSettlements(ref reader, tables) : ([], []);
        if (reader.Remaining != 0)
        {
            throw reader.Damaged("goes on after its end");
        }

        return new Frame
        {
            Shard = shard,
            Seq = seq,
            Time = time,
            IdKey = idKey,
            Expiries = expiries,
            Setups = setups,
            Settlements = settlements,
            SettlementResults = settlementResults,
            Groups = groups,
            GroupResults = groupResults,
            Corrections = corrections,
            CorrectionResults = correctionResults,
            Records = records,
            RecordResults = recordResults,
        };
    }

    private static byte ReadVersion(ref ByteReader reader)
    {
        byte version = reader.Byte();
        return version is >= Version and <= VersionByRate
            ? version
            : throw reader.Damaged(
                $"is of format version {version}, this program reads versions {Version} to {VersionByRate}");
    }

    private sealed record Tables(
        string[] Texts, int[] ContextParts, UsageContext[] Contexts, AccountName[] Accounts, Rate[] Rates);

    private static Tables ReadTables(ref ByteReader reader, bool withContexts)
    {
        var texts = new string[1 + reader.Count()];
        texts[0] = "";
        for (int i = 1; i < texts.Length; i++)
        {
            texts[i] = reader.Text();
        }

        int[] parts = new int[reader.Count() * UsageContext.Parts];
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = reader.Index(texts.Length);
        }

        var accounts = new AccountName[reader.Count()];
        for (int i = 0; i < accounts.Length; i++)
        {
            string path = texts[reader.Index(texts.Length)];
            accounts[i] = new AccountName(path, Currency.Parse(texts[reader.Index(texts.Length)]));
        }

        var rates = new Rate[reader.Count()];
        for (int i = 0; i < rates.Length; i++)
        {
            rates[i] = ReadRate(ref reader, texts);
        }

        return new Tables(texts, parts, withContexts ? MakeContexts(texts, parts) : [], accounts, rates);
    }

    private static UsageContext[] MakeContexts(string[] texts, int[] parts)
    {
        var contexts = new UsageContext[parts.Length / UsageContext.Parts];
        string[] own = new string[UsageContext.Parts];
        for (int i = 0; i < contexts.Length; i++)
        {
            for (int part = 0; part < own.Length; part++)
            {
                own[part] = texts[parts[(i * own.Length) + part]];
            }

            contexts[i] = UsageContext.FromParts(own);
        }

        return contexts;
    }

    private static Rate ReadRate(ref ByteReader reader, string[] texts)
    {
        var method = (RateMethod)reader.Byte();
        var side = (Side)reader.Byte();
        var reason = (SuspenseReason)reader.Byte();
        string agreement = texts[reader.Index(texts.Length)];
        string payer = texts[reader.Index(texts.Length)];
        string payee = texts[reader.Index(texts.Length)];
        string currency = texts[reader.Index(texts.Length)];
        string book = texts[reader.Index(texts.Length)];
        int version = reader.Natural();
        string model = texts[reader.Index(texts.Length)];
        var prices = new MeterPrice[reader.Count()];
        for (int i = 0; i < prices.Length; i++)
        {
            prices[i] = new MeterPrice(new MeterPattern((ushort)reader.Index(1 << 16)), new Amount(reader.ZigZag128()));
        }

        var rate = new Rate
        {
            Method = method,
            Side = side,
            Reason = reason,
            Agreement = agreement,
            Payer = payer,
            Payee = payee,
            Currency = currency.Length == 0 ? default : Currency.Parse(currency),
            Book = book,
            Version = version,
            Model = model,
            Prices = prices,
            PerCall = new Amount(reader.ZigZag128()),
            ShareOf = texts[reader.Index(texts.Length)],
            SharePpm = reader.Natural(),
        };
        return method == RateMethod.Formula
            ? rate with { Formula = FormulaCodec.Read(ref reader, texts) }
            : rate;
    }

    private static Expiry[] ReadExpiries(ref ByteReader reader, Tables tables)
    {
        var expiries = new Expiry[reader.Count()];
        for (int i = 0; i < expiries.Length; i++)
        {
            UInt128 hold = reader.Fixed128();
            int account = reader.Index(tables.Accounts.Length + 1);
            expiries[i] =
                new Expiry(hold, account == 0 ? null : tables.Accounts[account - 1], ReadPostings(ref reader, tables));
        }

        return expiries;
    }

    private static Setup[] ReadSetups(ref ByteReader reader)
    {
        var setups = new Setup[reader.Count()];
        for (int i = 0; i < setups.Length; i++)
        {
            setups[i] = JsonSerializer.Deserialize(reader.Text(), SetupJson.Default.Setup)
                ?? throw reader.Damaged("has an empty setup");
        }

        return setups;
    }

    private static (LedgerGroup[] Groups, GroupResult[] Results) ReadGroups(ref ByteReader reader, Tables tables)
    {
        var groups = new LedgerGroup[reader.Count()];
        var results = new GroupResult[groups.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            string source = tables.Texts[reader.Index(tables.Texts.Length)];
            string id = reader.Text();
            var eventTime = new Timestamp(reader.ZigZag());
            string memo = reader.Text();
            var operations = new LedgerOperation[reader.Count()];
            for (int o = 0; o < operations.Length; o++)
            {
                operations[o] = ReadOperation(ref reader);
            }

            groups[i] = new LedgerGroup(source, id, eventTime, operations, memo);
            var status = (LedgerStatus)reader.Byte();
            int failed = reader.Index(LedgerGroup.MaxOperations + 1) - 1;
            results[i] = new GroupResult(status, failed, ReadPostings(ref reader, tables));
        }

        return (groups, results);
    }

    private static LedgerOperation ReadOperation(ref ByteReader reader)
    {
        byte kind = reader.Byte();
        return kind switch
        {
            PostOperation => new PostTransfer(
                reader.Text(), reader.Text(), Currency.Parse(reader.Text()), new Amount(reader.ZigZag128())),
            HoldOperation => new PlaceHold(
                reader.Text(), reader.Text(), Currency.Parse(reader.Text()), new Amount(reader.ZigZag128()),
                new Timestamp(reader.ZigZag())),
            SettleOperation => new SettleHold(
                reader.Text(), reader.Text(), new Amount(reader.ZigZag128()), new Amount(reader.ZigZag128())),
            ReleaseOperation => new ReleaseHold(reader.Text()),
            ReverseOperation => new ReverseGroup(reader.Text()),
            _ => throw reader.Damaged($"has an operation of unknown kind {kind}"),
        };
    }

    private static (UsageRecord[] Records, UsageResult[] Results) ReadRecords(
        ref ByteReader reader, Tables tables, Timestamp time)
    {
        var records = new UsageRecord[reader.Count()];
        var results = new UsageResult[records.Length];
        for (int i = 0; i < records.Length; i++)
        {
            records[i] = ReadRecord(ref reader, tables, time);
            time = records[i].EventTime;
            var status = (UsageStatus)reader.Byte();
            var remarks = (UsageRemarks)reader.Byte();
            (Charge[] charges, Posting[] postings) = ReadCharges(ref reader, tables);
            results[i] = new UsageResult(status, remarks, charges, postings);
        }

        return (records, results);
    }

    private static UsageRecord ReadRecord(ref ByteReader reader, Tables tables, Timestamp previous)
    {
        UsageContext context = tables.Contexts[reader.Index(tables.Contexts.Length)];
        string id = reader.Text();
        var eventTime = new Timestamp(unchecked(previous.UnixNanoseconds + reader.ZigZag()));
        byte flags = reader.Byte();
        int? latency = (flags & HasLatency) == 0 ? null : reader.Natural();
        Count[] counts = ReadCounts(ref reader);
        Tag[] tags = (flags & HasTags) == 0 ? [] : new Tag[reader.Count()];
        for (int i = 0; i < tags.Length; i++)
        {
            tags[i] = new Tag(tables.Texts[reader.Index(tables.Texts.Length)], reader.Text());
        }

        return new UsageRecord
        {
            Id = id,
            Context = context,
            EventTime = eventTime,
            Outcome = (Outcome)(flags & OutcomeMask),
            LatencyMs = latency,
            Counts = counts,
            Tags = tags,
            Hold = (flags & HasHold) == 0 ? "" : reader.Text(),
        };
    }

    private static Count[] ReadCounts(ref ByteReader reader)
    {
        var counts = new Count[reader.Count()];
        for (int i = 0; i < counts.Length; i++)
        {
            int head = reader.Natural();
            counts[i] = new Count(ReadMeter(ref reader, head >> 3), (EvidenceGrade)(head & 7), (long)reader.Varint());
        }

        return counts;
    }

    private static Meter ReadMeter(ref ByteReader reader, int value) =>
        Meter.TryFromValue(value, out Meter meter) ? meter : throw reader.Damaged($"has an unknown meter {value}");

    private static (Charge[] Charges, Posting[] Postings) ReadCharges(ref ByteReader reader, Tables tables)
    {
        var charges = new Charge[reader.Count()];
        var postings = new Posting[charges.Length];
        int filled = 0;
        for (int i = 0; i < charges.Length; i++)
        {
            Rate rate = tables.Rates[reader.Index(tables.Rates.Length)];
            var amount = new Amount(reader.ZigZag128());
            int head = reader.Natural();
            Count[]? covered = (head & 2) == 0 ? null : ReadCounts(ref reader);
            Int128[]? before = ReadBefore(ref reader, rate);
            int postingCount = head >> 2;
            bool plain = (head & 1) != 0;
            if (postingCount > reader.Remaining || (plain && postingCount != 1))
            {
                throw reader.Damaged($"has a charge with {postingCount} postings");
            }

            charges[i] = new Charge(rate, amount, postingCount, covered, before);
            if (filled + postingCount > postings.Length)
            {
                Array.Resize(ref postings, filled + postingCount + charges.Length - i);
            }

            for (int p = 0; p < postingCount; p++)
            {
                postings[filled++] =
                    ReadPosting(ref reader, tables, plain ? new Amount(Int128.Abs(amount.Pico)) : null);
            }
        }

        Array.Resize(ref postings, filled);
        return (charges, postings);
    }

    private static Int128[]? ReadBefore(ref ByteReader reader, Rate rate)
    {
        if (rate.Formula is not { Running.Length: > 0 } formula)
        {
            return null;
        }

        var before = new Int128[formula.Running.Length];
        for (int i = 0; i < before.Length; i++)
        {
            before[i] = reader.ZigZag128();
        }

        return before;
    }

    private static Posting[] ReadPostings(ref ByteReader reader, Tables tables)
    {
        var postings = new Posting[reader.Count()];
        for (int i = 0; i < postings.Length; i++)
        {
            postings[i] = ReadPosting(ref reader, tables, null);
        }

        return postings;
    }

    private static Posting ReadPosting(ref ByteReader reader, Tables tables, Amount? amount)
    {
        AccountName debit = tables.Accounts[reader.Index(tables.Accounts.Length)];
        AccountName credit = tables.Accounts[reader.Index(tables.Accounts.Length)];
        return new Posting(debit, credit, amount ?? new Amount(reader.ZigZag128()));
    }
}
