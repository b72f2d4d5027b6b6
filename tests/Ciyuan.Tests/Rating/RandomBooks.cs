using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Rating;

/// <summary>Random books that are valid, and usage that meets their edges: few names, few moments, few numbers, each of
/// which some condition or step ends at.</summary>
internal sealed class RandomBooks(int seed)
{
    private static readonly string[] Tokens =
    [
        "input", "output", "input.text", "input.text.cache_read", "input.image", "output.text",
        "output.text.reasoning", "output.audio.fresh", "input.*.cache_read", "output.*.reasoning", "input.*.fresh",
    ];

    private static readonly string[] Units = ["image", "second", "request", "cache_token_hour"];

    private static readonly string[] Names =
        ["m1", "m1-20250807", "m1-0229", "m2", "m2@20260101", "mini-2026-02-30", "x"];

    private static readonly long[] Edges = [0, 1, 999, 1_000, 1_001, 32_000, 32_001, 128_000, 128_001];

    private static readonly string[] Moments =
    [
        "2026-09-30T15:59:59.999999999Z", "2026-09-30T16:00:00Z", "2026-10-10T00:59:59.999Z", "2026-10-10T01:00:00Z",
        "2026-10-12T04:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-30T15:59:59.999Z",
        "2026-11-30T16:00:00Z", "2026-12-31T16:00:00Z", "2027-01-02T01:30:00Z", "2025-12-31T23:00:00Z",
    ];

    private readonly Random _random = new(seed);

    public Setup Setup()
    {
        bool exchanged = Maybe(3);
        return new Setup
        {
            By = "test",
            Parties = [Party("plat", Role.Platform), Party("acme", Role.Consumer)],
            Calendars = [new CalendarSetup(
                "cn", 1, [2026], ["2026-01-01..2026-01-03", "2026-10-01..2026-10-07"], ["2026-09-27", "2026-10-10"])],
            Exchange = [new ExchangeSetup("fx", "USD", "CNY", [new("2025-01-01T00:00:00Z", "7.0823"),
                new("2026-10-10T01:00:00Z", "7.1"), new("2026-11-20T01:00:00Z", "7.123456")])],
            Books =
            [
                Book("base", exchanged ? "CNY" : "USD", null), Book("list", "USD", new OnSetup(
                    "base", Pick("0.85", "1", "1.1", "0.333"), null) is var on && exchanged ? null : on),
                .. Maybe(2) ? [Book("list", "USD", null) with { Version = 2, From = "2026-10-10T01:00:00Z" }]
                    : (BookSetup[])[],
            ],
            Agreements = [new("sell", "acme", "plat", exchanged ? "CNY" : "USD", Book: "list",
                Exchange: exchanged ? "fx" : null)],
        };
    }

    public UsageRecord Record(int number)
    {
        string[] meters = [.. new[] { "input.text.fresh", "input.text.cache_read", "input.image.fresh",
            "input.image.cache_read", "output.text.fresh", "output.text.reasoning", "output.audio.fresh", "image",
            "second", "request", "cache_token_hour" }.Where(_ => Maybe(3))];
        return new UsageRecord
        {
            Id = $"r{number}",
            Context = new UsageContext("gw", "acme", ModelAnswered: Pick(Names), Provider: Pick("", "p", "q")),
            EventTime = At(Pick(Moments)),
            Counts = [.. meters.Select(m => Meter.TryParse(m, out Meter meter) ? meter : default)
                .OrderBy(m => m).Select(m => new Count(m, EvidenceGrade.Reported,
                    Maybe(2) ? Pick(Edges) : _random.NextInt64(0, 1L << _random.Next(1, 24))))],
            Tags = Maybe(2) ? [new Tag("tier", Pick("batch", "fast"))] : [],
        };
    }

    private BookSetup Book(string id, string currency, OnSetup? on) => new(
        id, 1, currency, "", "", "", Lines(), Pick("Asia/Shanghai", "America/New_York", "UTC"), "cn", on);

    private PriceSetup[] Lines()
    {
        var lines = new List<PriceSetup>();
        foreach ((string model, string? provider) in new (string, string?)[]
            { ("m1", null), ("m1", "p"), ("m*", null), ("m2", "q"), ("mini*", null) })
        {
            if (Maybe(2))
            {
                lines.Add(Line(model, provider));
            }
        }

        return [.. lines];
    }

    private PriceSetup Line(string model, string? provider)
    {
        CurveSetup[] curves = Maybe(2) ? Curves() : [];
        string name = model.TrimEnd('*');
        return new PriceSetup(
            model, Prices(Tokens, 2), Prices(Units, 2), provider,
            Aliases: Maybe(3) ? [$"a{name}-{provider}", model == "m1" ? "x" : $"b{name}-{provider}"] : null,
            Dated: model == "m1" && Maybe(2),
            Rules: [.. Enumerable.Range(0, _random.Next(4)).Select(i => new RuleSetup(
                $"r{i}", When(), Prices(Tokens, 2, atLeast: 1), Prices(Units, 4)))],
            Factors: [.. Enumerable.Range(0, _random.Next(3)).Select(i => new FactorSetup(
                $"f{i}", When(), Pick("0.5", "2", "1.5", "0", "0.7"),
                curves.Length > 0 || Maybe(2) ? null : [Pick(Tokens), .. Maybe(3) ? [Pick(Units)] : (string[])[]]))],
            Curves: curves,
            MinimumPerCall: Maybe(5) ? Pick("0.001", "0.00000000001", "1.5") : null,
            Billable: Maybe(4) ? new Dictionary<string, BillableSetup>
            {
                ["second"] = new(Pick("60", "0.1"), Maybe(2) ? "15" : null),
                ["input.text.fresh"] = new(null, "100"),
            } : null);
    }

    private CurveSetup[] Curves()
    {
        CurveSetup Curve(string name, string[] meters) => Pick("graduated", "volume", "package") is var kind
            && kind == "package"
                ? new CurveSetup(name, meters, kind, Per(), [new StepSetup(Price(), 0, Pick(1, 1_000, 32_000))])
                : new CurveSetup(name, meters, kind, Per(),
                    [new StepSetup(Price(), 1_000), new StepSetup(Price(), 32_000), new StepSetup(Price())]);
        CurveSetup tokens = Curve("tokens", Pick<string[]>(["input"], ["input.text", "output"], ["output.text"],
            ["input.*.cache_read", "output.text.reasoning"]));
        return Maybe(2) ? [tokens] : [tokens, Curve("units", [Pick(Units)])];
    }

    private string Per() => Pick("call", "day", "month", "quarter", "year");

    private Dictionary<string, string> Prices(string[] meters, int oneIn, int atLeast = 0)
    {
        var prices = new Dictionary<string, string>();
        foreach (string meter in meters)
        {
            if (Maybe(oneIn) || prices.Count < atLeast)
            {
                prices[meter] = Price();
            }
        }

        return prices;
    }

    private string Price() => _random.Next(4) switch
    {
        0 => Pick("0", "1", "2.5", "0.0028", "13.5"),
        1 => (_random.Next(1, 99_999_999) / 1_000_000m).ToString(CultureInfo.InvariantCulture),
        2 => $"{_random.Next(1, 100)}/{Pick(3, 7, 3600, 1_000_000)}",
        _ => "0.0000000" + _random.Next(1, 999).ToString(CultureInfo.InvariantCulture),
    };

    private WhenSetup When() => new(
        From: Maybe(5) ? "2026-10-10T01:00:00Z" : null,
        To: Maybe(5) ? "2026-12-01T00:00:00+08:00" : null,
        Days: Maybe(5) ? Pick<string[]>(["sat", "sun"], ["mon", "tue", "thu"]) : null,
        DayKinds: Maybe(5) ? Pick<string[]>(["workday", "make_up_workday"], ["holiday"], ["weekend"]) : null,
        Times: Maybe(4) ? Pick<string[]>(["09:00-12:00", "14:00-18:00"], ["22:00-02:00"], ["00:00-24:00"]) : null,
        InputOver: Maybe(5) ? Pick(0L, 999, 1_000) : null,
        InputUpTo: Maybe(5) ? Pick(32_000L, 128_000) : null,
        OutputOver: Maybe(6) ? Pick(0L, 1_000) : null,
        OutputUpTo: Maybe(6) ? Pick(1_001L, 32_000) : null,
        Tags: Maybe(5) ? new Dictionary<string, IReadOnlyList<string>>
        {
            ["tier"] = Pick<string[]>(["batch"], ["", "fast"], [""]),
        } : null,
        AnyTokensOf: Maybe(6) ? Pick("output.text.reasoning", "input.image", "output", "input.*.cache_read") : null);

    private bool Maybe(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(params T[] from) => from[_random.Next(from.Length)];
}
