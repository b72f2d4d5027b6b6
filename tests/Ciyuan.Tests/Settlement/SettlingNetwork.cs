using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Settlement;

/// <summary>A network with calendars: acme pays the platform after use by the list, beta from prepaid money, the
/// platform pays qwen by its own book, and data 10 % of what acme is charged; all monthly from October 2026
/// on.</summary>
internal sealed class SettlingNetwork
{
    public static readonly string[] Agreements = ["sell", "sellb", "buy", "cut"];

    private int _next;

    public SettlingNetwork(Func<SettlementSetup, SettlementSetup>? terms = null, bool watched = true)
    {
        Net = new TestNetwork { Now = At("2026-10-01T00:00:00Z"), Watched = watched, Restarts = watched };
        Net.SetUp(Setup(terms ?? (t => t)));
        Net.Deposit("beta/prepaid/main", "1000000");
    }

    public TestNetwork Net { get; }

    public SettlementCalendar Calendar => Net.Engine.Calendar;

    public static Setup Setup(Func<SettlementSetup, SettlementSetup> terms) => new()
    {
        By = "test",
        Parties =
        [
            Party("plat", Role.Platform), Party("acme", Role.Consumer), Party("beta", Role.Consumer),
            Party("qwen", Role.Provider), Party("data", Role.Data),
        ],
        Books =
        [
            Book("list", 1, Price("m*", ("input", "2"), ("input.text.cache_read", "0.3"), ("output", "8.0000015"))),
            Book("cost", 1, Price("*", ("input", "1.000001"), ("output", "4"))),
        ],
        Agreements =
        [
            new("sell", "acme", "plat", Book: "list"), new("sellb", "beta", "plat", Book: "list"),
            new("buy", "plat", "qwen", Book: "cost"),
            new("cut", "plat", "data", ShareOf: "sell", SharePercent: "10"),
        ],
        Funding = [new("beta", "main", FundingKind.Prepaid, "CNY")],
        Settlement = [.. Agreements.Select(a => terms(new SettlementSetup(a, "2026-10", Zone: "UTC")))],
    };

    /// <summary>Records a call; gives its remarks.</summary>
    public UsageRemarks Use(string time, long input, long output = 0, string party = "acme", string model = "m1",
        string id = "")
    {
        UsageRecord record = new()
        {
            Id = id.Length > 0 ? id : $"u{++_next}",
            Context = new UsageContext("gw", party, ModelAnswered: model, Provider: "qwen"),
            EventTime = At(time),
            Counts =
            [
                new Count(TokenClass.InputText, EvidenceGrade.Reported, input),
                new Count(TokenClass.OutputText, EvidenceGrade.Reported, output),
            ],
        };
        return Net.Use(record).Remarks;
    }

    public SettlementResult Step(
        SettlementAction action, string agreement, string period,
        Func<SettlementCommand, SettlementCommand>? change = null)
    {
        var command = new SettlementCommand("ops", $"s{++_next}", action, agreement, period, "ann");
        return Net.Apply(settlements: [change is null ? command : change(command)]).Settlements[0];
    }

    public SettlementResult Freeze(string agreement, string period, string now)
    {
        Net.Now = At(now);
        return Step(SettlementAction.Freeze, agreement, period);
    }

    public SettlementResult Split(string agreement, string period, bool accept = false)
    {
        byte[] statement = Document(agreement, period).ToBytes();
        return Step(
            SettlementAction.Split, agreement, period,
            c => c with { Statement = statement, AcceptWaiting = accept });
    }

    public SettlementResult Sign(string agreement, string period, string by, AgreementSide side) => Step(
        SettlementAction.Sign, agreement, period,
        c => c with { By = by, Side = side, Hash = Calendar.Find(agreement, period)!.Hash });

    /// <summary>All frames, as a journal has them.</summary>
    public IEnumerable<Frame> Frames =>
        Enumerable.Range(1, Net.History.Frames).Select(seq => Net.History.ReadFrame(seq));

    /// <summary>The statement of a frozen period, drawn up from the frames there are.</summary>
    public StatementDocument Document(string agreement, string period)
    {
        SettledPeriod frozen = Calendar.Find(agreement, period)!;
        SettlementTerms terms = Net.Engine.Catalog.TermsAt(agreement, frozen.Span.Start)!;
        Statement statement = Draw(Calendar.QueryOf(frozen, terms));
        return MakeStatement.From(statement, new StatementFrame(Net.Engine.Catalog, Calendar, frozen));
    }

    public Statement Draw(StatementQuery query)
    {
        using var builder = new FactSegmentBuilder();
        foreach (Frame frame in Frames)
        {
            builder.Add(frame);
        }

        FactSegment segment = builder.Build();
        FactHeader header = FactHeaderCodec.Decode(FactHeaderCodec.Encode(segment.Header));
        var run = new StatementRun(query);
        run.Add(header, column => segment.Columns[column]);
        return StatementRun.Finish(query, [run], Net.Engine.Seq, Net.Now);
    }
}
