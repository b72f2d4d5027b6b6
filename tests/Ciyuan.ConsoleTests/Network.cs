using System.Globalization;
using System.Text.RegularExpressions;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.ConsoleTests;

/// <summary>A made-up network and its usage. What is made follows from the number of a record alone.</summary>
internal static partial class Network
{
    internal const int Days = 40;

    private static readonly string[] Consumers = ["acme", "bravo", "cedar"];
    private static readonly (string Model, string Provider)[] Models =
        [("glm-4.6", "zhipu"), ("glm-4.5-air", "zhipu"), ("ds-v3", "deepseek"), ("embedding-3", "zhipu")];

    private const string Template = """
        parties:
          - { id: net, name: 词元网络 Network, roles: [platform] }
          - { id: acme, name: Acme 化工, roles: [consumer] }
          - { id: bravo, name: Bravo 银行, roles: [consumer] }
          - { id: cedar, name: Cedar 大学, roles: [consumer] }
          - { id: zhipu, name: 智谱 Zhipu, roles: [provider] }
          - { id: deepseek, name: DeepSeek, roles: [provider] }
          - { id: gpuco, name: 算力公司 GPU Co, roles: [compute] }
        projects:
          - { party: acme, id: chat }
          - { party: bravo, id: desk }
          - { party: cedar, id: lab }
        keys:
          - { party: acme, project: chat, id: acme-1 }
          - { party: bravo, project: desk, id: bravo-1 }
          - { party: cedar, project: lab, id: cedar-1 }
        sites:
          - { id: bj-1, operator: gpuco, name: 北京一 }
        books:
          - id: list
            version: 1
            currency: CNY
            source: "test"
            to: DAY(-9)
            prices:
              - model: glm-4.6
                per_million_tokens: { input.text: "2", input.text.cache_read: "0.4", output.text: "8" }
              - { model: glm-4.5-air, per_million_tokens: { input: "0.8", output: "2" } }
              - { model: ds-v3, per_million_tokens: { input: "2", output: "3" } }
              - { model: embedding-3, per_million_tokens: { input: "0.5" } }
          - id: list
            version: 2
            currency: CNY
            source: "test"
            from: DAY(-9)
            prices:
              - model: glm-4.6
                per_million_tokens: { input.text: "2.4", input.text.cache_read: "0.5", output.text: "9" }
              - { model: glm-4.5-air, per_million_tokens: { input: "0.8", output: "2" } }
              - { model: ds-v3, per_million_tokens: { input: "2", output: "3" } }
              - { model: sandbox-chat, per_million_tokens: { input: "1", output: "2" } }
          - id: wholesale
            version: 1
            currency: CNY
            source: "test"
            prices:
              - { model: glm-4.6, per_million_tokens: { input: "1", output: "4" } }
              - { model: glm-4.5-air, per_million_tokens: { input: "0.4", output: "1" } }
              - { model: embedding-3, per_million_tokens: { input: "0.2" } }
              - { model: ds-v3, per_million_tokens: { input: "1", output: "1.5" } }
        agreements:
          - { id: acme-2026, payer: acme, payee: net, book: list, to: DAY(20) }
          - { id: bravo-2026, payer: bravo, payee: net, book: list }
          - { id: cedar-2026, payer: cedar, payee: net, book: list }
          - { id: zhipu-2026, payer: net, payee: zhipu, book: wholesale, where: { provider: zhipu } }
          - { id: deepseek-2026, payer: net, payee: deepseek, book: wholesale, where: { provider: deepseek } }
          - { id: gpuco-2026, payer: net, payee: gpuco, share_of: acme-2026, share_percent: "5" }
        funding:
          - { party: acme, id: main, kind: prepaid, currency: CNY }
          - { party: bravo, id: line, kind: credit, currency: CNY, limit: "1000000" }
          - { party: cedar, id: pack, kind: pack, expires: DAY(12) }
          - { party: cedar, id: main, kind: prepaid, currency: CNY }
        access:
          - key: acme-1
            hash: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            prefix: cy-aaaaaa
            requests_per_minute: 600
            expires: DAY(9)
          - { key: bravo-1, hash: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, prefix: cy-bbbbbb }
        upstreams:
          - id: zhipu-main
            provider: zhipu
            protocol: openai
            base_url: "https://open.example.com/v4"
            key_variable: ZHIPU_KEY
            models: [{ model: glm-4.6 }, { model: glm-4.5-air }]
          - { id: sandbox, protocol: sandbox, models: [{ model: sandbox-chat }] }
        routes:
          - { model: "glm-*", by: latency }
        settlement:
          - { agreement: acme-2026, start: MONTH(-1), freeze_after_days: 0, tax_percent: "6", invoice_item: "*词元服务" }
          - { agreement: bravo-2026, start: MONTH(-1), freeze_after_days: 0, tax_percent: "6" }
          - { agreement: zhipu-2026, start: MONTH(-1), freeze_after_days: 0, tax_percent: "6" }
          - { agreement: gpuco-2026, cycle: daily, start: DATE(-3) }
        billing:
          - { party: acme, title: 某某化工股份有限公司, tax_id: 91350100M000100Y43, bank: 甲银行, account: "62220" }
        budgets:
          - { id: acme-month, party: acme, project: chat, currency: CNY, amount: "500", zone: Asia/Shanghai }
        """;

    /// <summary>The network, at some moment: <c>DAY(n)</c> and <c>DATE(n)</c> are days so many days from it,
    /// <c>MONTH(n)</c> a month.</summary>
    internal static string Setup(DateTimeOffset now) => DayMark().Replace(Template, mark =>
    {
        int n = int.Parse(mark.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        return mark.Groups[1].Value switch
        {
            "MONTH" => $"\"{Month(now, n)}\"",
            "DATE" => $"\"{now.AddDays(n).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}\"",
            _ => now.AddDays(n).ToString("yyyy-MM-dd'T'00:00:00'Z'", CultureInfo.InvariantCulture),
        };
    });

    /// <summary>A month so many months from now, in the zone of the agreements.</summary>
    internal static string Month(DateTimeOffset now, int months)
    {
        DateTimeOffset local = now.ToOffset(TimeSpan.FromHours(8));
        return new DateTime(local.Year, local.Month, 1, 0, 0, 0, DateTimeKind.Unspecified).AddMonths(months)
            .ToString("yyyy-MM", CultureInfo.InvariantCulture);
    }

    /// <summary>What consumers have paid in.</summary>
    internal static async Task DepositAsync(Shard shard, DateTimeOffset now)
    {
        await DepositAsync(shard, now, "acme/prepaid/main", Currency.Parse("CNY"), "30");
        await DepositAsync(shard, now, "cedar/prepaid/main", Currency.Parse("CNY"), "5000");
        await DepositAsync(shard, now, "cedar/pack/pack", Currency.Tok, "2000000");
    }

    /// <summary>Records of the last days, growing towards now for one consumer.</summary>
    internal static async Task FillAsync(Shard shard, DateTimeOffset now, int records, int from = 0)
    {
        var contexts = new UsageContexts();
        for (; from < records; from += 5_000)
        {
            UsageRecord[] some = [.. Enumerable.Range(from, Math.Min(5_000, records - from))
                .Select(i => Make(contexts, now, i, records))];
            await shard.RecordAsync(some);
        }
    }

    private static async Task DepositAsync(
        Shard shard, DateTimeOffset now, string account, Currency currency, string amount)
    {
        var group = new LedgerGroup(
            "bank", account, Timestamp.FromDateTimeOffset(now),
            [new PostTransfer("net/cash/main", account, currency, Amount.Parse(amount))], "opening");
        Assert.Equal(LedgerStatus.Done, (await shard.PostAsync(group)).Status);
    }

    /// <summary>One record that is now.</summary>
    internal static UsageRecord One(UsageContexts contexts, DateTimeOffset now, string id)
    {
        UsageRecord model = Make(contexts, now, 1_000_000, 1_000_000);
        return new UsageRecord
        {
            Id = id,
            Context = model.Context,
            EventTime = model.EventTime,
            LatencyMs = 300,
            Counts = model.Counts,
        };
    }

    private static UsageRecord Make(UsageContexts contexts, DateTimeOffset now, int i, int of)
    {
        // Spread over the days, later ones a little denser.
        double age = Days * (1 - Math.Sqrt((i + 1) / (double)(of + 1)));
        uint mixed = unchecked((uint)i * 2_654_435_761);
        string party = Consumers[age < 7 && mixed % 3 != 0 ? 1 : (int)(mixed % 3)];
        (string model, string provider) = Models[(mixed >> 8) % 4];
        Outcome outcome = (mixed >> 12) % 50 == 0 ? Outcome.Cut : (mixed >> 12) % 40 == 1 ? Outcome.Failed : Outcome.Ok;
        long input = 200 + ((mixed >> 4) % 4_000);
        var counts = new List<Count> { new(TokenClass.InputText, EvidenceGrade.Reported, input) };
        if (model != "embedding-3")
        {
            var cached = new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheRead);
            counts.Add(new Count(cached, EvidenceGrade.Reported, input / 4));
            counts.Add(new Count(
                TokenClass.OutputText, outcome == Outcome.Cut ? EvidenceGrade.Partial : EvidenceGrade.Reported,
                50 + ((mixed >> 6) % 900)));
        }

        return new UsageRecord
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"call-{i}"),
            Context = contexts.Intern(new UsageContext(
                "gw", party, party == "acme" ? "chat" : party == "bravo" ? "desk" : "lab", party + "-1", "",
                model, model, provider, provider == "zhipu" ? "bj-1" : "", "chat")),
            EventTime = Timestamp.FromDateTimeOffset(now.AddDays(-age)),
            Outcome = outcome,
            LatencyMs = 200 + (int)(mixed % 1_800),
            Counts = [.. counts.OrderBy(c => c.Meter)],
        };
    }

    [GeneratedRegex(@"(DAY|DATE|MONTH)\((-?\d+)\)")]
    private static partial Regex DayMark();
}
