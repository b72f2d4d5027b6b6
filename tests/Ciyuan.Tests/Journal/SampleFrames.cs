using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Journal;

/// <summary>Frames with all that a frame can hold, from a seed: every section, and values at the ends of their
/// ranges.</summary>
internal sealed class SampleFrames(int seed)
{
    private static readonly string[] Words = ["", "a", "词元", "ünïcode 🎈", new string('x', 41), new string('界', 256),
        "\t\n\"'\\", "acme/cash/bank"];

    private readonly Random _random = new(seed);

    public Frame Make(int most)
    {
        AccountName[] accounts = AtLeastOne(1 + most, () => new AccountName(Word(), Currency.Parse(Pick("CNY", "TOK",
            "A", "ABCDEFG8"))));
        Rate[] rates = AtLeastOne(1 + most, MakeRate);
        Setup[] setups = Many(most, MakeSetup);
        LedgerGroup[] groups = Many(most, MakeGroup);
        Correction[] corrections = Many(most, MakeCorrection);
        UsageRecord[] records = Many(most, MakeRecord);
        SettlementCommand[] settlements = Flip() ? [] : Many(most, MakeSettlement);
        return new Frame
        {
            Shard = 0,
            Seq = 7,
            Time = Time(),
            IdKey = Flip() ? [.. Enumerable.Range(0, 16).Select(_ => (byte)_random.Next(256))] : null,
            Expiries = Many(most, () => new Expiry(
                (UInt128)unchecked((ulong)Long()) << 64, Flip() ? null : Pick(accounts), Postings(accounts,
                    _random.Next(3)))),
            Setups = setups,
            Settlements = settlements,
            SettlementResults = [.. settlements.Select(_ => MakeSettlementResult(accounts))],
            Groups = groups,
            GroupResults = [.. groups.Select(_ => new GroupResult(
                Pick(Enum.GetValues<LedgerStatus>()), _random.Next(-1, 256), Postings(accounts, _random.Next(4))))],
            Corrections = corrections,
            CorrectionResults = [.. corrections.Select(c => MakeCorrectionResult(c, most, rates, accounts))],
            Records = records,
            RecordResults = [.. records.Select(_ =>
            {
                (Charge[] charges, Posting[] postings) = Charges(rates, accounts);
                return new UsageResult(Pick(UsageStatus.Posted, UsageStatus.Conflict),
                    (UsageRemarks)_random.Next(16), charges, postings);
            })],
        };
    }

    private SettlementCommand MakeSettlement() => new(
        Word(), Word(), Pick(Enum.GetValues<SettlementAction>()), Word(), Word(), Word())
    {
        Memo = Word(),
        Statement = Flip() ? [] : [.. Enumerable.Range(0, _random.Next(300)).Select(_ => (byte)_random.Next(256))],
        AcceptWaiting = Flip(),
        Hash = Word(),
        Side = Pick(Enum.GetValues<AgreementSide>()),
        Dispute = Word(),
        Amount = MakeAmount(),
    };

    private SettlementResult MakeSettlementResult(AccountName[] accounts)
    {
        (Timestamp a, Timestamp b) = (Time(), Time());
        return new SettlementResult(SettlementStatus.Done, Postings(accounts, _random.Next(4)))
        {
            Span = a < b ? new Period(a, b) : new Period(b, a),
            Until = Time(),
            Amount = MakeAmount(),
            Carried = MakeAmount(),
        };
    }

    private CorrectionResult MakeCorrectionResult(Correction correction, int most, Rate[] rates, AccountName[] accounts)
    {
        bool grouped = correction.Mode >= CorrectionMode.RerateTogether;
        CorrectedRecord[] singles = Many(most, () =>
        {
            (Charge[] charges, Posting[] postings) = Charges(rates, accounts);
            return new CorrectedRecord(
                new FramePosition(_random.NextInt64(1, 1L << 40), _random.Next(65_535)), MakeContext(), Time(),
                _random.Next(charges.Length + 1), charges, postings, grouped ? MakeCounts() : null);
        });
        return new CorrectionResult(
            LedgerStatus.Done, Long(), singles, grouped ? Many(most, () => MakeGroup(rates, accounts)) : []);
    }

    /// <summary>A group that adds up: amounts of all sizes where they are listed, small ones where they
    /// follow.</summary>
    private CorrectedGroup MakeGroup(Rate[] rates, AccountName[] accounts)
    {
        int records = 1 + _random.Next(40);
        Count[] counted = [.. Many(3, MakeCounts).SelectMany(c => c).Select(c => c with { Steps = 0 })];
        long[] steps = [.. Enumerable.Range(0, records * counted.Length).Select(_ => _random.NextInt64(1L << 20))];
        int listed = 1 + _random.Next(2);
        long[] amounts =
            [.. Enumerable.Range(0, records * listed).Select(_ => _random.NextInt64() >> _random.Next(63))];
        GroupCharge[] charges = [.. Enumerable.Range(0, listed).Select(i => Charge(Pick(rates), true, Enumerable.Range(
            0, records).Aggregate(Int128.Zero, (sum, r) => sum + amounts[(r * listed) + i])))];
        Rate perCall = MakeRate() with
        {
            Method = RateMethod.PerCall,
            PerCall = new Amount(_random.Next(3)),
            Prices = [],
        };
        return new CorrectedGroup
        {
            Seq = _random.NextInt64(1, 1L << 40),
            Reversed = charges.Length,
            Charges = [.. charges, Charge(perCall, false, perCall.PerCall.Pico * records)],
            Counted = counted,
            Indices = [.. Enumerable.Range(0, records).Select(i => (i * 1600) + _random.Next(1600))],
            Contexts = [.. Enumerable.Range(0, records).Select(_ => MakeContext())],
            Times = [.. Enumerable.Range(0, records).Select(_ => Long())],
            Steps = steps,
            Amounts = amounts,
        };

        GroupCharge Charge(Rate rate, bool isListed, Int128 total) => total == 0
            ? new GroupCharge(rate, isListed, default, null, null)
            : new GroupCharge(rate, isListed, new Amount(total), Pick(accounts), Pick(accounts));
    }

    private (Charge[] Charges, Posting[] Postings) Charges(Rate[] rates, AccountName[] accounts)
    {
        var postings = new List<Posting>();
        Charge[] charges = Many(3, () =>
        {
            Posting[] own = Postings(accounts, _random.Next(4));
            postings.AddRange(own);
            Amount amount = own.Length > 0 && Flip() ? own[0].Amount : MakeAmount();
            amount = amount.Pico == Int128.MinValue
                ? new Amount(Int128.MaxValue) : amount; // a charge's amount has an opposite
            Rate rate = Pick(rates);
            Int128[]? before = rate.Formula is { Running.Length: > 0 and var running }
                ? [.. Enumerable.Range(0, running).Select(_ => (Int128)Long())]
                : null;
            return new Charge(rate, amount, own.Length, Flip() ? null : MakeCounts(), before);
        });
        return (charges, [.. postings]);
    }

    private Posting[] Postings(AccountName[] accounts, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new Posting(Pick(accounts), Pick(accounts), MakeAmount()))];

    private Rate MakeRate() => MakeRate(Pick(Enum.GetValues<RateMethod>()));

    private RateFormula MakeFormula() => new()
    {
        Divisor = Pick(1, 25, Rate.MaxDivisor),
        Provider = Word(),
        On = Many(2, () => new RateSource(Word(), _random.Next(9))),
        RulePrices = _random.Next(3),
        Curves = Many(3, () => new RateCurve
        {
            Name = Word(),
            Kind = Pick(Enum.GetValues<CurveKind>()),
            Per = Pick(Enum.GetValues<CurvePeriod>()),
            Zone = Word(),
            Meters = Many(3, () => new MeterPattern((ushort)_random.Next(65_536))),
            Steps = [new RateStep(Long(), MakeAmount().Pico, Long()), new RateStep(0, 1, 0)],
        }),
        Minimum = MakeAmount().Pico,
        Billable = Many(2, () => new BillableQuantity(Meter.Second, Long(), Long())),
    };

    private Rate MakeRate(RateMethod method) => new()
    {
        Agreement = Word(),
        Method = method,
        Formula = method == RateMethod.Formula ? MakeFormula() : null,
        Side = Pick(Enum.GetValues<Side>()),
        Payer = Word(),
        Payee = Word(),
        Currency = Flip() ? default : Currency.Cny,
        Book = Word(),
        Version = Pick(0, 1, int.MaxValue),
        Model = Word(),
        Prices = Many(3, () => new MeterPrice(new MeterPattern((ushort)_random.Next(65_536)), MakeAmount())),
        PerCall = MakeAmount(),
        ShareOf = Word(),
        SharePpm = Pick(0, 1_000_000),
        Reason = Pick(Enum.GetValues<SuspenseReason>()),
    };

    private Setup MakeSetup() => new()
    {
        By = Word(),
        Parties = [new PartySetup(Word(), Word(), [Role.Consumer, Role.Data])],
        Books = [new BookSetup(Word(), int.MaxValue, "CNY", "", "", Word(), [TestNetwork.Price("*", ("input", "1"))])],
        Agreements = [new AgreementSetup(Word(), Word(), Word(), Where: new WhereSetup(Tags: new Dictionary<string,
            string> { ["t"] = Word() }))],
        Funding = [new FundingSetup("p", Word(), Pick(Enum.GetValues<FundingKind>()), Priority: Pick(0, 1, 100),
            Classes: ["input"])],
    };

    private LedgerGroup MakeGroup() => new(Word(), Word(), Time(), Many<LedgerOperation>(6, () => _random.Next(5) switch
    {
        0 => new PostTransfer(Word(), Word(), Currency.Usd, MakeAmount()),
        1 => new PlaceHold(Word(), Word(), Currency.Tok, MakeAmount(), Time()),
        2 => new SettleHold(Word(), Word(), MakeAmount(), MakeAmount()),
        3 => new ReleaseHold(Word()),
        _ => new ReverseGroup(Word()),
    }), Word());

    private Correction MakeCorrection() => new(
        Word(), Word(), Pick(Enum.GetValues<CorrectionMode>()), _random.NextInt64(1L << 40), Long(), Period.Always,
            Word(), Pick(-1, 0, 65_534), Word());

    private UsageRecord MakeRecord() => new()
    {
        Id = Word(),
        Context = MakeContext(),
        EventTime = Time(),
        Outcome = Pick(Enum.GetValues<Outcome>()),
        LatencyMs = Pick<int?>(null, 0, 1, int.MaxValue),
        Counts = MakeCounts(),
        Tags = Many(4, () => new Tag(Word(), Word())),
        Hold = Word(),
    };

    private UsageContext MakeContext() =>
        UsageContext.FromParts([.. Enumerable.Range(0, UsageContext.Parts).Select(_ => Word())]);

    private Count[] MakeCounts() => Many(8, () => new Count(
        Meter.TryFromValue(_random.Next(262), out Meter meter) ? meter : Meter.CacheTokenHour,
        Pick(Enum.GetValues<EvidenceGrade>()), Pick(0, 1, 127, 128, UsageRecord.MaxSteps, long.MaxValue)));

    private Amount MakeAmount() => new(Pick(
        0, 1, -1, long.MaxValue, long.MinValue, ulong.MaxValue, Int128.MaxValue, Int128.MinValue,
            (Int128)Long() * 1_000_003));

    private Timestamp Time() => new(Long());

    private long Long() => Pick(long.MinValue, long.MaxValue, 0, -1, 63, 64, _random.NextInt64());

    private string Word() => Pick(Words);

    private bool Flip() => _random.Next(2) == 0;

    private T Pick<T>(params T[] from) => from[_random.Next(from.Length)];

    private T[] Many<T>(int most, Func<T> make) => [.. Enumerable.Range(0, _random.Next(most + 1)).Select(_ => make())];

    private static T[] AtLeastOne<T>(int count, Func<T> make) => [.. Enumerable.Range(0, count).Select(_ => make())];
}
