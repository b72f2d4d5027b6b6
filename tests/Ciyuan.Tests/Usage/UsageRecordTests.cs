using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Usage;

public sealed class UsageRecordTests
{
    private static readonly Count Input = new(TokenClass.InputText, EvidenceGrade.Exact, 1);
    private static readonly Count Output = new(TokenClass.OutputText, EvidenceGrade.Exact, 1);

    private static UsageRecord Make(
        string id = "r", string source = "gw", string party = "acme", Count[]? counts = null, Tag[]? tags = null,
            string hold = "",
        int? latency = 0, Outcome outcome = Outcome.Ok, string scenario = "", string key = "", long time = 7) => new()
        {
            Id = id,
            Context = new UsageContext(source, party, Key: key, Scenario: scenario),
            EventTime = new Timestamp(time),
            Counts = counts ?? [Input, Output],
            Tags = tags ?? [],
            Hold = hold,
            LatencyMs = latency,
            Outcome = outcome,
        };

    public static TheoryData<string, UsageRecord, string?> Faults => new()
    {
        { "plain", Make(), null },
        { "largest", Make(new string('i', 256), new string('s', 256), new string('p', 256),
            [Input with { Steps = UsageRecord.MaxSteps }],
            [new Tag(new string('n', 64), new string('v', 256))], new string('h', 256), int.MaxValue), null },
        { "no counts", Make(counts: []), null },
        { "id missing", Make(""), "id" },
        { "id long", Make(new string('i', 257)), "id" },
        { "id not text", Make("a\ud800"), "id" },
        { "id with NUL", Make("a\0b"), "id" },
        { "source missing", Make(source: ""), "source" },
        { "source with NUL", Make(source: "a\0b"), "source" },
        { "source not text", Make(source: "\udc00"), "source" },
        { "party long", Make(party: new string('p', 257)), "ppp" },
        { "party not text", Make(party: "\ud800"), "party" },
        { "hold long", Make(hold: new string('h', 257)), "hold" },
        { "latency below zero", Make(latency: -1), "latency" },
        { "count below zero", Make(counts: [Input with { Steps = -1 }]), "input.text.fresh" },
        { "count too large", Make(counts: [Input with { Steps = UsageRecord.MaxSteps + 1 }]), "input.text.fresh" },
        { "counts out of order", Make(counts: [Output, Input]), "input.text.fresh" },
        { "class twice", Make(counts: [Input, Input with { Grade = EvidenceGrade.Estimated }]), "input.text.fresh" },
        { "grade unknown", Make(counts: [Input with { Grade = (EvidenceGrade)8 }]), "input.text.fresh" },
        { "outcome unknown", Make(outcome: (Outcome)4), "outcome" },
        { "tag without name", Make(tags: [new Tag("", "v")]), "tag" },
        { "tag name long", Make(tags: [new Tag(new string('n', 65), "v")]), "tag" },
        { "tag value long", Make(tags: [new Tag("n", new string('v', 257))]), "tag" },
        { "tags out of order", Make(tags: [new Tag("b", ""), new Tag("a", "")]), "tag 'a'" },
        { "tag twice", Make(tags: [new Tag("a", ""), new Tag("a", "")]), "tag 'a'" },
        { "tag not text", Make(tags: [new Tag("a", "\ud800x")]), "tag" },
        { "tags too many", Make(tags: [.. Enumerable.Range(100, 33).Select(i => new Tag($"t{i}", ""))]), "tags" },
        { "counts too many", Make(counts: new Count[65]), "counts" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void FindFault_Record_SaysWhatIsWrong(string what, UsageRecord record, string? says)
    {
        string? fault = record.FindFault();
        Assert.True(says is null ? fault is null : fault?.Contains(says, StringComparison.Ordinal) == true,
            $"{what}: {fault}");
    }

    public static TheoryData<string, UsageRecord> Others => new()
    {
        { "time", Make(time: 8) },
        { "party", Make(party: "b") },
        { "scenario", Make(scenario: "s") },
        { "source", Make(source: "gw2") },
        { "outcome", Make(outcome: Outcome.Cut) },
        { "latency unknown", Make(latency: null) },
        { "latency", Make(latency: 1) },
        { "steps", Make(counts: [Input, Output with { Steps = 2 }]) },
        { "grade", Make(counts: [Input, Output with { Grade = EvidenceGrade.Partial }]) },
        { "one count less", Make(counts: [Input]) },
        { "hold", Make(hold: "h") },
        { "tag", Make(tags: [new Tag("a", "b")]) },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Fingerprint_OtherContent_Differs(string what, UsageRecord other) =>
        Assert.True(Make().Fingerprint() != other.Fingerprint(), what);

    [Fact]
    public void Fingerprint_OtherIdOrKeyThatImpliesParty_IsTheSame()
    {
        Assert.Equal(Make("a").Fingerprint(), Make("b").Fingerprint());
        Assert.Equal(Make(key: "k", party: "").Fingerprint(), Make(key: "k", party: "acme").Fingerprint());
    }

    [Fact]
    public void ContextWith_AfterItsFingerprintWasTaken_HasAFingerprintOfItsOwn()
    {
        var first = new UsageContext("gw", "acme", Scenario: "a");
        Assert.NotEqual(0UL, first.Fingerprint);
        UsageContext second = first with { Scenario = "b" };
        Assert.Equal(new UsageContext("gw", "acme", Scenario: "b").Fingerprint, second.Fingerprint);
        Assert.Equal(new UsageContext("gw", "acme", Scenario: "b").GetHashCode(), second.GetHashCode());
    }

    [Fact]
    public void RateWith_AfterItsHashWasTaken_EqualRatesHaveEqualHashes()
    {
        var first = new Ciyuan.Rating.Rate
        {
            Agreement = "a",
            Method = Ciyuan.Rating.RateMethod.PerCall,
            Side = Ciyuan.Rating.Side.Cost,
            Payer = "p",
            Payee = "q",
            Currency = Currency.Cny,
        };
        _ = first.GetHashCode();
        var made = new Ciyuan.Rating.Rate
        {
            Agreement = "b",
            Method = Ciyuan.Rating.RateMethod.PerCall,
            Side = Ciyuan.Rating.Side.Cost,
            Payer = "p",
            Payee = "q",
            Currency = Currency.Cny,
        };
        Assert.Equal(made, first with { Agreement = "b" });
        Assert.Equal(made.GetHashCode(), (first with { Agreement = "b" }).GetHashCode());
    }

    [Fact]
    public void Tokens_OfADirection_SumsItsClassesOnly()
    {
        var read = new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheRead);
        UsageRecord record = Make(counts: [Input with { Steps = 5 }, new Count(read, EvidenceGrade.Exact, 7),
            Output with { Steps = 11 },
            new Count(Meter.Image, EvidenceGrade.Exact, 100)]);
        Assert.Equal(12, record.Tokens(Direction.Input));
        Assert.Equal(11, record.Tokens(Direction.Output));
    }
}
