using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Ciyuan.Storage;
using Ciyuan.Tests.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Exports;

/// <summary>
/// A data folder with a small network that has one of each: packs and vouchers, prices by rules and by curves, amounts
/// per call, shares, an exchange, usage that waits for a price, and corrections. Records are random, from a seed, over
/// October and November 2026.
/// </summary>
internal sealed class SmallNetwork : IAsyncDisposable
{
    private const string Yaml = """
        by: test
        parties:
          - { id: net, name: "Network, Ltd. (词元网络)", roles: [platform] }
          - { id: acme, name: Acme, roles: [consumer] }
          - { id: bravo, name: Bravo, roles: [consumer] }
          - { id: openai, name: OpenAI, roles: [provider] }
          - { id: zhipu, name: 智谱, roles: [provider] }
          - { id: east, name: East Compute, roles: [compute] }
          - { id: guild, name: Guild, roles: [data] }
        projects: [{ party: acme, id: code, name: "Code \"fast\"" }, { party: bravo, id: desk }]
        keys: [{ party: acme, project: code, id: k1 }, { party: bravo, project: desk, id: k2 }]
        sites: [{ id: e1, operator: east, name: East One }]
        exchange:
          - { id: mid, from: USD, to: CNY, rates: [{ at: "2026-01-01T00:00:00Z", rate: "7.1" }] }
        books:
          - id: cost-usd
            version: 1
            currency: USD
            prices:
              - model: gpt-5
                per_million_tokens: { input: "1.25", input.text.cache_read: "0.125", output: "10" }
              - { model: whisper, per_unit: { second: "0.0001" } }
          - id: cost-cny
            version: 1
            currency: CNY
            prices: [{ model: glm-4.6, per_million_tokens: { input: "2", input.text.cache_read: "0.4", output: "8" } }]
          - id: sell
            version: 1
            currency: USD
            prices:
              - model: gpt-5
                per_million_tokens: { input: "1.5", input.text.cache_read: "0.15", output: "12" }
                rules: [{ name: long, when: { input_over: 3000 }, per_million_tokens: { output: "18" } }]
              - model: glm-4.6
                per_million_tokens: { input: "0.3", output: "1.2" }
              - { model: whisper, per_unit: { second: "0.00017" } }
          - id: tiered
            version: 1
            currency: CNY
            prices:
              - model: glm-4.6
                per_million_tokens: { input: "3", output: "9" }
                curves: [{ name: t, meters: [output], kind: graduated, per: month,
                           steps: [{ up_to: 20000, price: "12" }, { price: "9" }] }]
              - { model: gpt-5, per_million_tokens: { input: "11", output: "80" } }
        agreements:
          - { id: acme-usd, payer: acme, payee: net, book: sell }
          - { id: bravo-cny, payer: bravo, payee: net, book: tiered }
          - { id: openai-usd, payer: net, payee: openai, book: cost-usd }
          - { id: zhipu-cny, payer: net, payee: zhipu, book: cost-cny }
          - { id: east-calls, payer: net, payee: east, currency: USD, per_call: "0.002" }
          - { id: guild-share, payer: net, payee: guild, currency: USD, share_of: acme-usd, share_percent: "1.5" }
        funding:
          - { party: acme, id: pack, kind: pack, priority: 1, classes: [input.text], models: [gpt-5] }
          - { party: acme, id: gift, kind: voucher, currency: USD, priority: 2 }
          - { party: acme, id: main, kind: prepaid, currency: USD, priority: 3 }
          - { party: bravo, id: line, kind: credit, currency: CNY, limit: "1000" }
        """;

    private readonly TemporaryFolder _folder = new();

    internal Shard Shard { get; private set; } = null!;

    internal string Folder => _folder.Path;

    internal List<UsageRecord> Records { get; } = [];

    internal static async Task<SmallNetwork> MakeAsync(int seed, int records, bool corrects = true)
    {
        var network = new SmallNetwork();
        network.Shard = await Shard.OpenAsync(Ciyuan.Tests.Storage.Samples.Options(network.Folder));
        await network.SetUpAsync(Yaml);
        await network.DepositAsync("pack", "acme/pack/pack", Currency.Tok, "20000");
        await network.DepositAsync("gift", "acme/voucher/gift", Currency.Usd, "0.05");
        await network.DepositAsync("main", "acme/prepaid/main", Currency.Usd, "1000");
        var random = new Random(seed);
        network.Records.AddRange(Enumerable.Range(0, records).Select(i => Record(random, i)));
        foreach (UsageRecord[] batch in network.Records.Chunk(100))
        {
            await network.Shard.RecordAsync(batch);
        }

        if (corrects)
        {
            await network.RerateAsync();
            await network.Shard.CorrectAsync(new Correction(
                "test", "back", CorrectionMode.ReverseTogether, 5, 5, Period.Always, Index: 3));
        }

        return network;
    }

    /// <summary>A dearer list from the middle of November on: what it changes is taken back and made anew.</summary>
    internal async Task RerateAsync()
    {
        await SetUpAsync("""
            by: test
            books:
              - id: cost-cny
                version: 2
                currency: CNY
                from: "2026-11-15T00:00:00+08:00"
                prices: [{ model: glm-4.6, per_million_tokens: { input: "2.5", output: "8" } }]
            """);
        await CorrectUsage.RunAsync(Shard, new Correction(
            "test", "rerate", CorrectionMode.RerateTogether, 1, 0, Period.Always));
    }

    internal async Task SetUpAsync(string yaml)
    {
        SetupResult result = await Shard.SetUpAsync(SetupYaml.Parse(yaml, "test"));
        Assert.True(result.Status == SetupStatus.Done, string.Join("; ", result.Faults));
    }

    internal async Task<(Catalog Catalog, Ciyuan.Rating.PriceBooks Books)> TermsAsync()
    {
        await Shard.CatalogAsync(); // all that was sent is applied
        return Balances.TermsNow(Folder);
    }

    public async ValueTask DisposeAsync()
    {
        await Shard.DisposeAsync();
        _folder.Dispose();
    }

    private async Task DepositAsync(string id, string account, Currency currency, string amount)
    {
        GroupReply reply = await Shard.PostAsync(new LedgerGroup("test", id, new Timestamp(0),
            [new PostTransfer("net/cash/main", account, currency, Amount.Parse(amount))]));
        Assert.Equal(LedgerStatus.Done, reply.Status);
    }

    internal static UsageRecord Record(Random random, int number)
    {
        (string model, string provider) = random.Next(8) switch
        {
            0 => ("whisper", "openai"),
            < 5 => ("gpt-5", "openai"),
            7 when number % 9 == 0 => ("unknown", "zhipu"),
            _ => ("glm-4.6", "zhipu"),
        };
        bool acme = random.Next(3) > 0;
        Count[] counts = model == "whisper"
            ? [new Count(Meter.Second, EvidenceGrade.Reported, random.NextInt64(1, 90_000_000))]
            : [.. TextCounts(random)];
        Assert.True(Timestamp.TryParse("2026-10-01T00:00:00Z", out Timestamp start));
        return new UsageRecord
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"r-{number}"),
            Context = new UsageContext(
                "gw", acme ? "acme" : "bravo", acme ? "code" : "desk", acme ? "k1" : "k2",
                random.Next(2) == 0 ? "chat, \"in\"" : "", model, "", provider, random.Next(2) == 0 ? "e1" : "",
                "chat"),
            EventTime = start.PlusNanoseconds(random.NextInt64(60L * 86_400 * Timestamp.PerSecond)),
            Outcome = random.Next(20) == 0 ? Outcome.Failed : Outcome.Ok,
            Counts = counts,
        };
    }

    private static IEnumerable<Count> TextCounts(Random random)
    {
        yield return new Count(TokenClass.InputText, EvidenceGrade.Reported, random.NextInt64(1, 5_000));
        if (random.Next(2) == 0)
        {
            var cached = new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheRead);
            yield return new Count(cached, EvidenceGrade.Reported, random.NextInt64(1, 3_000));
        }

        yield return new Count(TokenClass.OutputText, EvidenceGrade.Reported, random.NextInt64(1, 900));
    }
}
