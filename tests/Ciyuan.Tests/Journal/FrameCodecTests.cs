using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
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
            f.Records.Count * f.Groups.Count * f.Setups.Count * f.Expiries.Count * f.CorrectionResults.Sum(c =>
                c.Records.Count) > 0)
            .MinBy(f => new FrameEncoder().Encode(f).Length)!;
        return new FrameEncoder().Encode(frame).ToArray();
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
            SetupResults = [new SetupResult(SetupStatus.Refused, ["no"])],
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
        + "656e7473223a5b5d2c2266756e64696e67223a5b5d7d0301026e6f01010267310a03776879010401680d0100000100027231"
        + "a9b4de751e0c0101e80701020470726f6401680108010080d0acf30e050001";

    private const string FrozenHash = "ec28d61b53b5d6a7ee89914d37a0be5b3c9f12ad6c99dc03e7bd338318d9a2f5";
}
