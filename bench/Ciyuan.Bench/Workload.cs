using System.Globalization;
using System.Text;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Bench;

/// <summary>
/// What every figure is measured on: an AI compute network of one month with 20 consumers, 6 providers, 3 compute
/// operators and 5 data suppliers. Token counts are drawn from the real trace in samples/; everything else is made up,
/// with a seed. Each record touches four agreements, so it posts at least eight legs.
/// </summary>
internal static class Workload
{
    public const int Consumers = 20;
    public const int Providers = 6;
    public const int Operators = 3;
    public const int Suppliers = 5;
    private const long MonthStart = 1_793_462_400; // 2026-11-01T00:00:00+08:00
    private const long MonthSeconds = 30 * 86_400;

    public static Setup Setup => new()
    {
        By = "bench",
        Parties =
        [
            new PartySetup("net", "Network", [Role.Platform]),
            .. Each(Consumers).Select(i => new PartySetup($"consumer-{i}", $"Consumer {i}", [Role.Consumer])),
            .. Each(Providers).Select(i => new PartySetup($"provider-{i}", $"Provider {i}", [Role.Provider])),
            .. Each(Operators).Select(i => new PartySetup($"operator-{i}", $"Operator {i}", [Role.Compute])),
            .. Each(Suppliers).Select(i => new PartySetup($"supplier-{i}", $"Supplier {i}", [Role.Data])),
        ],
        Sites = [.. Each(Operators).Select(i => new SiteSetup($"site-{i}", $"operator-{i}"))],
        Books = [Book("retail", 1, "30", "60"), Book("list", 1, "25", "50")],
        Agreements =
        [
            .. Each(Consumers).Select(i => new AgreementSetup($"retail-{i}", $"consumer-{i}", "net", Book: "retail")),
            .. Each(Providers).Select(i => new AgreementSetup($"list-{i}", "net", $"provider-{i}", Book: "list")),
            .. Each(Operators)
                .Select(i => new AgreementSetup($"compute-{i}", "net", $"operator-{i}", "CNY", PerCall: "0.0005")),
            .. Each(Consumers).Select(i => new AgreementSetup(
                $"data-{i}", "net", $"supplier-{i % Suppliers}", ShareOf: $"retail-{i}", SharePercent: "3.5")),
        ],
        Funding =
            [.. Each(Consumers).Select(i => new FundingSetup($"consumer-{i}", "main", FundingKind.Prepaid, "CNY"))],
    };

    /// <summary>The same prices, raised: what a month is rated again under.</summary>
    public static Setup RaisedBook(int version) => new()
    {
        By = "bench",
        Books =
        [
            Book(
                "retail", version, (30 + (3 * (version - 1))).ToString(CultureInfo.InvariantCulture),
                (60 + (6 * (version - 1))).ToString(CultureInfo.InvariantCulture)),
        ],
    };

    /// <summary>The first prices, and others for long inputs and for the night.</summary>
    public static Setup RuledBook(int version)
    {
        BookSetup book = Book("retail", version, "30", "60");
        PriceSetup price = book.Prices[0] with
        {
            Rules =
            [
                new RuleSetup("night", new WhenSetup(Times: ["00:30-08:30"]), Prices("15", "1.5", "30")),
                new RuleSetup("long", new WhenSetup(InputOver: 2_000), Prices("45", "4.5", "90")),
            ],
        };
        return new Setup { By = "bench", Books = [book with { Zone = "Asia/Shanghai", Prices = [price] }] };
    }

    public static LedgerGroup Deposits => new(
        "bench",
        "deposits",
        default,
        [.. Each(Consumers).Select(i => new PostTransfer(
            "net/cash/bank", $"consumer-{i}/prepaid/main", Currency.Cny, Amount.FromUnits(1_000_000_000)))]);

    /// <summary>Lines of usage in JSON, the same for the same seed.</summary>
    public static IEnumerable<string> Lines(long count, int seed, string trace)
    {
        (int Input, int Output)[] calls = ReadTrace(trace);
        var random = new Random(seed);
        var line = new StringBuilder();
        for (long i = 0; i < count; i++)
        {
            (int input, int output) = calls[random.Next(calls.Length)];
            int consumer = random.Next(Consumers);
            int project = random.Next(3); // each project of a consumer has its purpose and keeps to two providers
            int provider = (consumer + project + random.Next(2)) % Providers;
            int cached = random.Next(4) == 0 ? input / 2 : 0;
            DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds(MonthStart + (i * MonthSeconds / count))
                .AddMilliseconds(random.Next(1000));
            line.Clear();
            line.Append(CultureInfo.InvariantCulture,
                $"{{\"source\":\"gateway-1\",\"id\":\"{seed:x4}-{i:x12}-{random.Next():x8}\",");
            line.Append(CultureInfo.InvariantCulture,
                $"\"time\":\"{time:yyyy-MM-ddTHH:mm:ss.fffZ}\",\"party\":\"consumer-{consumer}\",");
            line.Append(CultureInfo.InvariantCulture,
                $"\"project\":\"project-{project}\",\"scenario\":\"scenario-{(consumer + project) % 8}\",");
            line.Append(CultureInfo.InvariantCulture,
                $"\"model\":\"model-{provider}-{random.Next(4)}\",\"provider\":\"provider-{provider}\",");
            line.Append(CultureInfo.InvariantCulture,
                $"\"site\":\"site-{random.Next(Operators)}\",\"operation\":\"chat\",\"outcome\":\"ok\",");
            line.Append(CultureInfo.InvariantCulture,
                $"\"latency_ms\":{random.Next(200, 20_000)},\"counts\":{{\"input.text\":{input - cached}");
            line.Append(
                CultureInfo.InvariantCulture, $",\"input.text.cache_read\":{cached},\"output.text\":{output}}}}}");
            yield return line.ToString();
        }
    }

    private static (int Input, int Output)[] ReadTrace(string path) =>
        [.. File.ReadLines(path).Skip(1).Select(l => l.Trim().Split(',')).Where(f => f.Length == 3)
            .Select(f => (
                int.Parse(f[1], CultureInfo.InvariantCulture), int.Parse(f[2], CultureInfo.InvariantCulture)))];

    private static IEnumerable<int> Each(int count) => Enumerable.Range(0, count);

    private static BookSetup Book(string id, int version, string input, string output) => new(
        id, version, "CNY", "2026-11-01T00:00:00+08:00", "", "made up for measuring",
        [new PriceSetup("model-*", Prices(input, "3", output))]);

    private static Dictionary<string, string> Prices(string input, string cached, string output) => new()
    {
        ["input"] = input,
        ["input.text.cache_read"] = cached,
        ["output"] = output,
    };
}
