using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Tests.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Journal;

public sealed class FrameCodecTests
{
    [Fact]
    public void Decode_AnyEncodedFrame_EncodesToTheSameBytes() => Properties.ForAll(300, Properties.Seeds, seed =>
    {
        Frame frame = new SampleFrames(seed).Make(4);
        byte[] body = new FrameEncoder().Encode(frame).ToArray();
        Frame decoded = FrameDecoder.Decode(frame.Shard, frame.Seq, frame.Time, body);
        Assert.Equal(body, new FrameEncoder().Encode(decoded).ToArray());
        Assert.Equal(frame.IdKey, decoded.IdKey);
        Assert.Equal(frame.Records.Select(r => r.Fingerprint()), decoded.Records.Select(r => r.Fingerprint()));
        Assert.Equal(frame.Groups.Select(g => g.Fingerprint()), decoded.Groups.Select(g => g.Fingerprint()));
        Assert.Equal(frame.Corrections, decoded.Corrections);
        Assert.Equal(frame.Settlements.Select(s => s.Fingerprint()), decoded.Settlements.Select(s => s.Fingerprint()));
        Assert.Equal(frame.SettlementResults.Select(r => (r.Span, r.Until, r.Amount, r.Carried)),
            decoded.SettlementResults.Select(r => (r.Span, r.Until, r.Amount, r.Carried)));
        Assert.Equal(frame.Records.Select(r => (r.Id, r.EventTime, r.LatencyMs)), decoded.Records.Select(r => (r.Id,
            r.EventTime, r.LatencyMs)));
        Assert.Equal(frame.Expiries.Select(e => (e.Hold, e.Account)), decoded.Expiries.Select(e => (e.Hold,
            e.Account)));
        Assert.Equal(frame.RecordResults.SelectMany(r => r.Postings), decoded.RecordResults.SelectMany(r =>
            r.Postings));
        Assert.Equal(frame.RecordResults.SelectMany(r => r.Charges).Select(c => (c.Rate, c.Amount, c.PostingCount)),
            decoded.RecordResults.SelectMany(r => r.Charges).Select(c => (c.Rate, c.Amount, c.PostingCount)));
        Assert.Equal(frame.GroupResults.Select(g => (g.Status, g.FailedOperation)), decoded.GroupResults.Select(g =>
            (g.Status, g.FailedOperation)));
    });

    [Fact]
    public void Decode_CorrectionsInGroups_TellTheSameOfEachRecord() => Properties.ForAll(100, Properties.Seeds, seed =>
    {
        Frame frame = new SampleFrames(seed).Make(4);
        byte[] body = new FrameEncoder().Encode(frame).ToArray();
        Frame decoded = FrameDecoder.Decode(frame.Shard, frame.Seq, frame.Time, body);
        Assert.Equal(Tell(frame), Tell(decoded));

        static IEnumerable<string> Tell(Frame frame) => frame.CorrectionResults.SelectMany(c => c.Records).Select(r =>
            $"{r.Position} {r.Context} {r.EventTime} {r.Reversed} {string.Join(',', r.Postings)} "
            + $"{string.Join(',', r.Charges.Select(c => $"{c.Rate.Agreement} {c.Amount.Pico}"))} "
            + string.Join(',', r.Counts ?? []));
    });

    [Fact]
    public void DecodeUsage_AnyFrame_IsWhatItsRecordsSay() => Properties.ForAll(100, Properties.Seeds, seed =>
    {
        Frame frame = new SampleFrames(seed).Make(4);
        byte[] body = new FrameEncoder().Encode(frame).ToArray();
        using RecordedUsage read = FrameDecoder.DecodeUsage(frame.Shard, frame.Seq, frame.Time, body);
        using var made = RecordedUsage.Of(frame.Records, frame.RecordResults);
        Assert.Equal(Tell(made), Tell(read));

        static IEnumerable<string> Tell(RecordedUsage usage) => Enumerable.Range(0, usage.Records).Select(i =>
        {
            string context = string.Join('/', usage.ContextParts.Skip(usage.ContextOf(i) * UsageContext.Parts)
                .Take(UsageContext.Parts).Select(t => usage.Texts[t]));
            string[] charges = [.. usage.Charges(i).ToArray().Select(c =>
                $"{usage.Rates[c.Rate].GetHashCode()} {Account(c.Debit)} {Account(c.Credit)} {c.Amount}")];
            return $"{context} {usage.EventTime(i)} {usage.TraitsOf(i)} {string.Join(',', charges)} "
                + $"{string.Join(',', usage.Heads(i).ToArray())} {string.Join(',', usage.Steps(i).ToArray())} "
                + string.Join(',', usage.Tags(i).ToArray());

            string Account(int place) => place < 0 ? $"{place}" : usage.Accounts[place].ToString();
        });
    });

    [Theory]
    [InlineData(CorrectionMode.RerateTogether, FrozenGroupedBody)]
    [InlineData(CorrectionMode.RerateByRate, FrozenByRateBody)]
    public void Encode_FixedCorrectionInGroups_IsFrozen(CorrectionMode mode, string frozen)
    {
        Frame frame = FixedCorrection(mode);
        byte[] body = new FrameEncoder().Encode(frame).ToArray();
        Assert.Equal(frozen, Convert.ToHexStringLower(body));
        Frame decoded = FrameDecoder.Decode(frame.Shard, frame.Seq, frame.Time, body);
        Assert.Equal(body, new FrameEncoder().Encode(decoded).ToArray());
        for (byte earlier = 1; earlier < body[0]; earlier++)
        {
            byte[] mistaken = [earlier, .. body[1..]];
            Assert.Throws<JournalException>(() => FrameDecoder.Decode(frame.Shard, frame.Seq, frame.Time, mistaken));
        }
    }

    [Fact]
    public void Encode_FixedStepsOfSettlement_AreFrozen()
    {
        Frame frame = FixedSettlement();
        byte[] body = new FrameEncoder().Encode(frame).ToArray();
        Assert.Equal(FrozenSettledBody, Convert.ToHexStringLower(body));
        Frame decoded = FrameDecoder.Decode(frame.Shard, frame.Seq, frame.Time, body);
        Assert.Equal(body, new FrameEncoder().Encode(decoded).ToArray());
    }

    [Fact]
    public void Decode_TruncatedAnywhere_ThrowsJournalException()
    {
        byte[] body = Sample(out Frame frame);
        for (int length = 0; length < body.Length; length++)
        {
            Assert.Throws<JournalException>(() => FrameDecoder.Decode(0, frame.Seq, frame.Time, body.AsSpan(0,
                length)));
        }

        Assert.Throws<JournalException>(() => FrameDecoder.Decode(0, frame.Seq, frame.Time, (byte[])[.. body, 0]));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Decode_AnyByteFlipped_DecodesOrThrowsJournalExceptionWithinBounds()
    {
        byte[] body = Sample(out Frame frame);
        for (int at = 0; at < body.Length; at++)
        {
            foreach (int flip in (ReadOnlySpan<int>)[0x01, 0xff])
            {
                byte[] bad = [.. body];
                bad[at] ^= (byte)flip;
                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    FrameDecoder.Decode(0, frame.Seq, frame.Time, bad);
                }
                catch (JournalException)
                {
                    // What is expected of damage that shows.
                }

                long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(allocated < 4_000_000,
                    $"byte {at} ^ {flip}: {allocated} bytes allocated for {body.Length}");
            }
        }
    }

    [Fact]
    public void Decode_RandomBytes_ThrowsJournalException() => Properties.ForAll(Properties.Seeds, seed =>
    {
        var random = new Random(seed);
        var bytes = new byte[random.Next(300)];
        random.NextBytes(bytes);
        bytes = [FrameDecoder.Version, 0, .. bytes, 0xff];
        Assert.Throws<JournalException>(() => FrameDecoder.Decode(0, 1, default, bytes));
    });

    [Fact]
    public void Encode_FixedFrame_HasTheFrozenBytesAndHash()
    {
        byte[] body = new FrameEncoder().Encode(Fixed()).ToArray();
        Assert.Equal(FrozenBody, Convert.ToHexStringLower(body));
        byte[] hash = FrameHash.Compute(3, 7, new Timestamp(1_800_000_000_123_456_789), FrameHash.BeforeFirst, body);
        Assert.Equal(FrozenHash, Convert.ToHexStringLower(hash));
    }

    [Fact]
    public void Compute_AnyInputChanged_GivesAnotherHash()
    {
        byte[] body = [1, 2, 3];
        byte[] other = new byte[32];
        other[31] = 1;
        string[] hashes =
        [
            .. new[]
            {
                FrameHash.Compute(0, 1, default, FrameHash.BeforeFirst, body), FrameHash.Compute(1, 1, default,
                    FrameHash.BeforeFirst, body),
                FrameHash.Compute(0, 2, default, FrameHash.BeforeFirst, body), FrameHash.Compute(0, 1,
                    new Timestamp(1), FrameHash.BeforeFirst, body),
                FrameHash.Compute(0, 1, default, other, body), FrameHash.Compute(0, 1, default,
                    FrameHash.BeforeFirst, [1, 2]),
            }.Select(Convert.ToHexStringLower),
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }

    private static byte[] Sample(out Frame frame)
    {
        frame = Enumerable.Range(1, 100).Select(seed => new SampleFrames(seed).Make(2)).Where(f =>
            f.Records.Count * f.Groups.Count * f.Setups.Count * f.Expiries.Count
                * f.CorrectionResults.Sum(c => c.Singles.Count) * f.CorrectionResults.Sum(c => c.Groups.Count) > 0)
            .MinBy(f => new FrameEncoder().Encode(f).Length)!;
        return new FrameEncoder().Encode(frame).ToArray();
    }

    private static Frame FixedSettlement() => new()
    {
        Shard = 3,
        Seq = 9,
        Time = new Timestamp(1_800_000_002_000_000_000),
        Settlements = FixedSteps(),
        SettlementResults =
        [
            new SettlementResult(SettlementStatus.Done, [])
            {
                Span = new Period(new Timestamp(1), new Timestamp(300)),
            },
            new SettlementResult(SettlementStatus.Done, [])
            {
                Until = new Timestamp(64),
                Amount = new Amount(-1),
                Carried = new Amount(5),
            },
            new SettlementResult(
                SettlementStatus.Done,
                [new Posting(
                    new AccountName("acme/held/sell", Currency.Cny), new AccountName("acme/due/sell", Currency.Cny),
                    new Amount(2_500_000_000_000))]),
            new SettlementResult(SettlementStatus.Done, []),
        ],
    };

    private static SettlementCommand[] FixedSteps() =>
    [
        new("ops", "f", SettlementAction.Freeze, "sell", "2026-10", "ann"),
        new("ops", "s", SettlementAction.Split, "sell", "2026-09", "ann")
        {
            Statement = [0x7b, 0x7d],
            AcceptWaiting = true,
        },
        new("ops", "d", SettlementAction.Dispute, "sell", "2026-09", "bob")
        {
            Memo = "多记",
            Side = AgreementSide.Payer,
            Dispute = "d1",
            Amount = new Amount(2_500_000_000_000),
        },
        new("ops", "g", SettlementAction.Sign, "sell", "2026-09", "bob")
        {
            Hash = "ab12",
            Side = AgreementSide.Payee,
        },
    ];

    private static Frame FixedCorrection(CorrectionMode mode)
    {
        Frame record = Fixed();
        CorrectedGroup group = FixedGroup(record);
        GroupCharge share = group.Charges[2];
        UsageRecord corrected = record.Records[0];
        var single = new CorrectedRecord(
            new FramePosition(6, 2), corrected.Context, corrected.EventTime, 0,
            [new Charge(share.Rate, new Amount(7), 1)],
            [new Posting(share.Debit!, share.Credit!, new Amount(7))], corrected.Counts);
        return new Frame
        {
            Shard = 3,
            Seq = 8,
            Time = new Timestamp(1_800_000_001_000_000_000),
            Corrections =
                [new Correction("ops", "c", mode, 5, 7, Period.Always, Memo: "raised")],
            CorrectionResults = [new CorrectionResult(LedgerStatus.Done, 7, [single], [group])],
        };
    }

    private static CorrectedGroup FixedGroup(Frame record)
    {
        Rate old = record.RecordResults[0].Charges[0].Rate;
        Posting posted = record.RecordResults[0].Postings[0];
        Rate now = old with { Version = 2, Prices = [new MeterPrice(new MeterPattern(127), new Amount(3_000_000))] };
        var share = new Rate
        {
            Agreement = "cut",
            Method = RateMethod.Share,
            Side = Side.Cost,
            Payer = "plat",
            Payee = "data",
            Currency = Currency.Cny,
            ShareOf = "sell",
            SharePpm = 35_000,
        };
        var cost = new AccountName("plat/cost/cut", Currency.Cny);
        var payable = new AccountName("data/payable/cut", Currency.Cny);
        UsageContext context = record.Records[0].Context;
        long time = record.Records[0].EventTime.UnixNanoseconds;
        return new CorrectedGroup
        {
            Seq = 6,
            Reversed = 1,
            Charges =
            [
                new GroupCharge(old, false, new Amount(-6_000_000_000), posted.Credit, posted.Debit),
                new GroupCharge(now, false, new Amount(9_000_000_000), posted.Debit, posted.Credit),
                new GroupCharge(share, true, new Amount(315_000_000), cost, payable),
            ],
            Counted = [new Count(TokenClass.InputText, EvidenceGrade.Reported, 0)],
            Indices = [0, 3],
            Contexts = [context, context],
            Times = [time, time + 1000],
            Steps = [1000, 2000],
            Amounts = [105_000_000, 210_000_000],
        };
    }

    private static Frame Fixed()
    {
        var rate = new Rate
        {
            Agreement = "sell",
            Method = RateMethod.Prices,
            Side = Side.Income,
            Payer = "acme",
            Payee = "plat",
            Currency = Currency.Cny,
            Book = "list",
            Version = 1,
            Model = "m*",
            Prices = [new MeterPrice(new MeterPattern(127),
                new Amount(2_000_000))],
        };
        var revenue = new AccountName("plat/revenue/sell", Currency.Cny);
        var owed = new AccountName("acme/receivable/sell", Currency.Cny);
        var amount = new Amount(2_000_000_000);
        return new Frame
        {
            Shard = 3,
            Seq = 7,
            Time = new Timestamp(1_800_000_000_123_456_789),
            Groups = [new LedgerGroup("ops", "g1", new Timestamp(5), [new ReleaseHold("h")], "why")],
            GroupResults = [new GroupResult(LedgerStatus.HoldNotOpen, 0, [])],
            Setups = [new Setup { By = "me", Parties = [new PartySetup("acme", "词", [Role.Consumer])] }],
            Records =
            [
                new UsageRecord
                {
                    Id = "r1", Context = new UsageContext("gw", "acme", ModelAnswered: "m1"),
                        EventTime = new Timestamp(1_800_000_000_000_000_000),
                    Counts = [new Count(TokenClass.InputText, EvidenceGrade.Reported, 1000)], LatencyMs = 12,
                        Tags = [new Tag("env", "prod")],
                    Hold = "h", Outcome = Outcome.Cut,
                },
            ],
            RecordResults = [new UsageResult(UsageStatus.Posted, UsageRemarks.HoldNotOpen, [new Charge(rate, amount,
                1)], [new Posting(owed, revenue, amount)])],
        };
    }

    // Frozen: written by the format of docs/FORMATS.md, version 1. Journals hold such bytes for good.
    private const string FrozenBody =
        "01000c036f707303656e760267770461636d65026d311461636d652f72656365697661626c652f73656c6c03434e5911706c"
        + "61742f726576656e75652f73656c6c0473656c6c04706c6174046c697374026d2a0103040000000005000000020607080701"
        + "00000009040a070b010c017f8092f401000000000195017b226279223a226d65222c2270617274696573223a5b7b22696422"
        + "3a2261636d65222c226e616d65223a225c7538424344222c22726f6c6573223a5b22436f6e73756d6572225d7d5d2c227072"
        + "6f6a65637473223a5b5d2c226b657973223a5b5d2c227369746573223a5b5d2c22626f6f6b73223a5b5d2c2261677265656d"
        + "656e7473223a5b5d2c2266756e64696e67223a5b5d7d01010267310a03776879010401680d0100000100027231a9b4de751e"
        + "0c0101e80701020470726f6401680108010080d0acf30e050001";

    // Frozen: version 2, as above.
    private const string FrozenGroupedBody =
        "02000f036f70730267770461636d65026d310d706c61742f636f73742f63757403434e5910646174612f70617961626c652f"
        + "63757411706c61742f726576656e75652f73656c6c1461636d652f72656365697661626c652f73656c6c0363757404706c61"
        + "7404646174610473656c6c046c697374026d2a0102030000000004000000040506070608060906030201000a0b0c06000000"
        + "00000db891020000000d030b060e010f017f8092f4010000000000000d030b060e020f017f809bee02000000000000010301"
        + "01630a0effffffffffffffffff01feffffffffffffffff01000106726169736564010e01020200ffa7d6b9070101e8070001"
        + "000e050001010201030100ffef85da2c0203020080e8888743030200018093b4ac0200010101020000ffa7d6b907e80780b1"
        + "91640200d00fd00f80e2a2c80100";

    // Frozen: version 4, as above: another version and mode, and no settlements at the end.
    private const string FrozenByRateBody =
        "04000f036f70730267770461636d65026d310d706c61742f636f73742f63757403434e5910646174612f70617961626c652f"
        + "63757411706c61742f726576656e75652f73656c6c1461636d652f72656365697661626c652f73656c6c0363757404706c61"
        + "7404646174610473656c6c046c697374026d2a0102030000000004000000040506070608060906030201000a0b0c06000000"
        + "00000db891020000000d030b060e010f017f8092f4010000000000000d030b060e020f017f809bee02000000000000010501"
        + "01630a0effffffffffffffffff01feffffffffffffffff01000106726169736564010e01020200ffa7d6b9070101e8070001"
        + "000e050001010201030100ffef85da2c0203020080e8888743030200018093b4ac0200010101020000ffa7d6b907e80780b1"
        + "91640200d00fd00f80e2a2c8010000";

    // Frozen: version 3, put together by hand from docs/FORMATS.md.
    private const string FrozenSettledBody =
        "030007036f70730473656c6c03616e6e03626f620e61636d652f68656c642f73656c6c03434e590d61636d652f6475652f73"
        + "656c6c00020506070600000000000004010101660207323032362d3130030000000000000002d80400000000020101730207"
        + "323032362d30390300027b7d010000000000008001010a00040101640207323032362d30390406e5a49ae8aeb00000000102"
        + "643180a0e5b9c29101000000000001000180a0e5b9c29101030101670207323032362d303904000000046162313202000000"
        + "0000000000";

    private const string FrozenHash = "727575c9beda9188eed93d1a6f23bd21e371d756b443551d0a9ce2288f8f2b38";
}
