using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Journal;

/// <summary>
/// An engine with what it needs, and its watchers. After every proposal the engine is thrown away and made anew from
/// its
/// state (as after a restart with a snapshot), while a second engine that never restarts replays each stored frame; the
/// two must have the same state to the byte, all invariants must hold, and a proposal without a frame must change
/// nothing.
/// </summary>
public sealed class TestNetwork
{
    public static readonly Timestamp Start = At("2026-11-01T00:00:00Z");

    private static readonly byte[] IdKey = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    private readonly MemoryHistory _replicaHistory = new();
    private readonly Ciyuan.Journal.Engine _replica;
    private int _next;

    public TestNetwork()
    {
        Engine = new Ciyuan.Journal.Engine(0, History);
        _replica = new Ciyuan.Journal.Engine(0, _replicaHistory);
    }

    public MemoryHistory History { get; } = new();

    public Ciyuan.Journal.Engine Engine { get; private set; }

    /// <summary>Time of the next proposal.</summary>
    public Timestamp Now { get; set; } = Start;

    /// <summary>Whether the engine is made anew from its state after each proposal.</summary>
    public bool Restarts { get; init; } = true;

    /// <summary>Whether the watchers compare after each proposal; a test with many frames compares at its
    /// end.</summary>
    public bool Watched { get; init; } = true;

    public static Timestamp At(string text) => Timestamp.TryParse(text, out Timestamp time)
        ? time : throw new FormatException(text);

    /// <summary>The usual network: a platform, the consumer acme, the provider qwen; acme pays by book, prices per
    /// million
    /// tokens in CNY, the platform pays qwen by another one.</summary>
    public static TestNetwork Usual(params FundingSetup[] funding) => new TestNetwork().SetUp(UsualSetup(funding));

    public static Setup UsualSetup(params FundingSetup[] funding) => new()
    {
        By = "test",
        Parties = [Party("plat", Role.Platform), Party("acme", Role.Consumer), Party("qwen", Role.Provider)],
        Books = [Book("list", 1, Price("m*", ("input", "2"), ("output", "8"))), Book("cost", 1, Price("*", ("input",
            "1"), ("output", "4")))],
        Agreements = [new("sell", "acme", "plat", Book: "list"), new("buy", "plat", "qwen", Book: "cost")],
        Funding = funding,
    };

    public static PartySetup Party(string id, params Role[] roles) => new(id, id, roles);

    public static BookSetup Book(string id, int version, params PriceSetup[] prices) =>
        new(id, version, "CNY", "", "", "test", prices);

    public static PriceSetup Price(string model, params (string Class, string Price)[] prices) =>
        new(model, prices.ToDictionary(p => p.Class, p => p.Price));

    public static UsageRecord Record(
        string id, long input = 1000, long output = 100, string party = "acme", string model = "m1",
        string provider = "qwen") => new()
        {
            Id = id,
            Context = new UsageContext("gw", party, ModelAnswered: model, Provider: provider),
            EventTime = Start,
            Counts =
        [
            new Count(TokenClass.InputText, EvidenceGrade.Reported, input),
            new Count(TokenClass.OutputText, EvidenceGrade.Reported, output),
        ],
        };

    public TestNetwork SetUp(Setup setup, SetupStatus expected = SetupStatus.Done)
    {
        SetupResult result = Apply(setups: [setup]).Setups[0];
        Assert.True(result.Status == expected, $"{result.Status}: {string.Join("; ", result.Faults)}");
        return this;
    }

    /// <summary>Puts money or tokens on a funding account.</summary>
    public TestNetwork Deposit(string path, string amount, string currency = "CNY")
    {
        string party = path[..path.IndexOf('/', StringComparison.Ordinal)];
        Assert.Equal(LedgerStatus.Done, Post(new PostTransfer($"{party}/cash/bank", path, Currency.Parse(currency),
            Amount.Parse(amount))));
        return this;
    }

    public LedgerStatus Post(params LedgerOperation[] operations) => Group($"g{++_next}", operations).Status;

    public GroupReply Group(string id, params LedgerOperation[] operations) =>
        Apply(groups: [new LedgerGroup("ops", id, Start, operations)]).Groups[0];

    public UsageReply Use(UsageRecord record)
    {
        Assert.Null(record.FindFault());
        return Apply(records: [record]).Records[0];
    }

    public CorrectionResult Correct(CorrectionMode mode, string agreement = "", string id = "") =>
        Apply(corrections: [new Correction(
            "ops", id.Length > 0 ? id : $"c{++_next}", mode, 1, Engine.Seq, Period.Always, agreement)]).Corrections[0];

    /// <summary>The outcome of the last record of the last frame.</summary>
    public UsageResult LastResult => History.ReadFrame(History.Frames).RecordResults[^1];

    public string Balance(string path, string currency = "CNY") =>
        Engine.Accounts.SingleOrDefault(a => a.Name.Path == path
            && a.Name.Currency.ToString() == currency)?.Balance.ToString() ?? "none";

    /// <summary>All balances that are not zero, one a line.</summary>
    public string Balances() => string.Join(
        '\n', Engine.Accounts.Where(a => !a.Balance.IsZero).Select(a => $"{a.Name} {a.Balance}"));

    public Applied Apply(
        IReadOnlyList<Setup>? setups = null, IReadOnlyList<LedgerGroup>? groups = null,
        IReadOnlyList<Correction>? corrections = null, IReadOnlyList<UsageRecord>? records = null,
        IReadOnlyList<SettlementCommand>? settlements = null)
    {
        byte[] before = Watched ? Engine.WriteState() : [];
        Applied applied = Engine.Apply(new FrameProposal
        {
            Time = Now,
            IdKey = Engine.Seq == 0 ? IdKey : null,
            Setups = setups ?? [],
            Settlements = settlements ?? [],
            Groups = groups ?? [],
            Corrections = corrections ?? [],
            Records = records ?? [],
        });
        if (applied.Frame is { } frame)
        {
            byte[] body = History.Store(frame);
            _replica.Replay(FrameDecoder.Decode(0, frame.Seq, frame.Time, body), body);
            _replicaHistory.Store(frame);
        }
        else if (Watched)
        {
            Assert.Equal(before, Engine.WriteState());
        }

        if (Watched)
        {
            Compare();
        }

        return applied;
    }

    /// <summary>Compares engine, replica and an engine made from the state; with <see cref="Restarts"/> goes on with
    /// the latter.</summary>
    public void Compare()
    {
        byte[] state = Engine.WriteState();
        Assert.Empty(Engine.FindBrokenInvariants());
        Assert.Equal(_replica.WriteState(), state);
        var restarted = Ciyuan.Journal.Engine.ReadState(state, History);
        Assert.Equal(state, restarted.WriteState());
        Assert.Equal(Engine.IdCount, History.Ids);
        Engine = Restarts ? restarted : Engine;
    }
}
