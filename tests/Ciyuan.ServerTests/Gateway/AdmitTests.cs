using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Server.Gateway;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Who may call, for what, and with whose money.</summary>
public sealed class AdmitTests
{
    private const string Sandbox = "  - { id: box, protocol: sandbox, models: [{ model: m, max_output: 100 }] }";

    // one-api#2440, new-api#5690, litellm#26672: no two calls spend the same money.
    [Fact]
    [Trait("Takes", "Long")]
    public async Task Calls_AThousandAtOnceOnTheLastCent_NeverBelowZero()
    {
        const int Calls = 1_000;
        // A call holds its bytes at 1 and 100 tokens out at 10 CNY a million: about 0.00107; nine or so are covered.
        await using GatewayServer server = await StartAsync(Sandbox, credit: "0.01");

        (int Status, string Body)[] answers = await Task.WhenAll(Enumerable.Range(0, Calls).Select(async call =>
        {
            (int status, string body, _) = await server.ChatAsync(more: $",\"seed\":{call}");
            return (status, body);
        }));

        Assert.All(answers, a => Assert.True(a.Status is 200 or 402, $"{a.Status}: {a.Body}"));
        int served = answers.Count(a => a.Status == 200);
        Assert.True(served is > 0 and < Calls, $"{served} served");
        Assert.All(answers.Where(a => a.Status == 402), a => Assert.Equal(
            "insufficient_quota", (string)JsonNode.Parse(a.Body)!["error"]!["code"]!));
        var records = await server.RecordsAsync(served);
        Assert.Equal(served, records.Count);
        Assert.All(records, r => Assert.Equal(UsageRemarks.None, r.Result.Remarks));
        IReadOnlyList<AccountView> accounts = await server.Host.Shard.BalancesAsync();
        Assert.DoesNotContain(accounts, a => a.Name.Path.Contains("overrun", StringComparison.Ordinal));
        Assert.DoesNotContain(accounts, a => a.Available is { } left && left.IsNegative);
        Assert.All(accounts, a => Assert.Equal(Amount.Zero, a.DebitsPending));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "insufficient_quota")]
    [InlineData("/v1/messages", "billing_error")]
    [InlineData("/v1beta/models/m:generateContent", "RESOURCE_EXHAUSTED")]
    public async Task Call_WithoutMoney_IsRefusedInTheProtocolsShape(string path, string type)
    {
        await using GatewayServer server = await StartAsync(Sandbox, credit: "0.0001");

        (int status, string body, HttpResponseMessage answer) = await server.PostAsync(path, Chat());

        Assert.Equal(402, status);
        Assert.Contains($"\"{type}\"", body);
        Assert.Contains("acme", body);
        Assert.False(answer.Headers.Contains("x-ciyuan-cost"));
        Assert.Empty(await server.RecordsAsync(0));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "invalid_api_key")]
    [InlineData("/v1/messages", "authentication_error")]
    [InlineData("/v1beta/models/m:generateContent", "UNAUTHENTICATED")]
    public async Task Call_WithoutAGoodKey_IsRefused(string path, string type)
    {
        await using GatewayServer server = await StartAsync(Sandbox);
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "cy-other");

        (int status, string body, _) = await server.PostAsync(path, Chat());

        Assert.Equal(401, status);
        Assert.Contains($"\"{type}\"", body);
    }

    [Theory]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("x-api-key", "")]
    [InlineData("x-goog-api-key", "")]
    [InlineData("?key=", "")]
    public async Task Call_KeyInAnyOfTheProtocolsWays_IsTaken(string way, string scheme)
    {
        await using GatewayServer server = await StartAsync(Sandbox);
        server.Client.DefaultRequestHeaders.Authorization = null;
        bool query = way.StartsWith('?');
        using HttpRequestMessage request = Request(
            "/v1/chat/completions" + (query ? way + Secret : ""), Chat());
        if (!query)
        {
            request.Headers.TryAddWithoutValidation(way, scheme + Secret);
        }

        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        Assert.Equal(200, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData(", revoked: true", 401)]
    [InlineData(", expires: \"2020-01-01T00:00:00Z\"", 401)]
    [InlineData(", models: [\"gpt-*\"]", 403)]
    [InlineData(", scopes: [embeddings]", 403)]
    [InlineData(", models: [\"m*\"], scopes: [chat]", 200)]
    public async Task Call_BeyondWhatTheKeyMay_IsRefused(string access, int expected)
    {
        await using GatewayServer server = await StartAsync(Sandbox, access);

        Assert.Equal(expected, (await server.ChatAsync()).Status);
    }

    [Fact]
    public async Task Revoked_Key_StaysRevoked()
    {
        await using GatewayServer server = await StartAsync(Sandbox, ", revoked: true");

        var result = await server.Host.Shard.SetUpAsync(Ciyuan.Server.Ingest.SetupYaml.Parse(
            $"access: [{{ key: k1, hash: {Secrets.Hash(Secret)} }}]", "test"));

        Assert.Contains("revoked", Assert.Single(result.Faults));
    }

    [Fact]
    public async Task Call_UnknownModel_IsNotFound()
    {
        await using GatewayServer server = await StartAsync(Sandbox);

        (int status, string body, _) = await server.PostAsync(
            "/v1/chat/completions", Chat().Replace("\"m\"", "\"nowhere\"", StringComparison.Ordinal));

        Assert.Equal(404, status);
        Assert.Contains("model_not_found", body);
    }

    // litellm PR#35913: a model without a price is not free.
    [Fact]
    public async Task Call_ModelWithoutAPrice_IsRefused()
    {
        await using GatewayServer server = await StartAsync(Sandbox.Replace("model: m,", "model: x,"));

        (int status, string body, _) = await server.PostAsync(
            "/v1/chat/completions", Chat().Replace("\"m\"", "\"x\"", StringComparison.Ordinal));

        Assert.Equal(402, status);
        Assert.Contains("has a price", body);
    }

    [Theory]
    [InlineData("{\"model\":\"m\",\"model\":\"n\",\"messages\":[]}", "twice")]
    [InlineData("{\"model\":\"m\",\"max_tokens\":-1}", "max_tokens")]
    [InlineData("{\"messages\":[]}", "no model")]
    [InlineData("[]", "no JSON object")]
    [InlineData("{\"model\":", "not JSON")]
    public async Task Call_MalformedBody_IsRefused(string body, string reason)
    {
        await using GatewayServer server = await StartAsync(Sandbox);

        (int status, string answer, _) = await server.PostAsync("/v1/chat/completions", body);

        Assert.Equal(400, status);
        Assert.Contains(reason, answer);
    }

    [Fact]
    public async Task Calls_BeyondTheLimitOfAMinute_AreRefusedWithTheUsualHeaders()
    {
        await using GatewayServer server = await StartAsync(Sandbox, ", requests_per_minute: 2");

        HttpResponseMessage first = (await server.ChatAsync()).Answer;
        _ = await server.ChatAsync();
        (int status, string body, HttpResponseMessage refused) = await server.ChatAsync();

        Assert.Equal("2", first.Headers.GetValues("x-ratelimit-limit-requests").Single());
        Assert.Equal("1", first.Headers.GetValues("x-ratelimit-remaining-requests").Single());
        Assert.Equal(429, status);
        Assert.Contains("rate_limit_exceeded", body);
        Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        Assert.Equal("0", refused.Headers.GetValues("x-ratelimit-remaining-requests").Single());
    }

    [Fact]
    public async Task Calls_BeyondTheLimitAtOneTime_AreRefused()
    {
        var go = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            asked.TrySetResult();
            await go.Task;
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.WholeAnswer("{}", 200, ""), cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url), ", concurrency: 1");
        Task<(int Status, string Body, HttpResponseMessage Answer)> first = server.ChatAsync();
        await asked.Task;

        Assert.Equal(429, (await server.ChatAsync()).Status);
        go.SetResult();
        Assert.Equal(200, (await first).Status);
        await server.RecordsAsync(1);
        Assert.Equal(200, (await server.ChatAsync()).Status);
    }

    [Theory]
    [InlineData("party: acme")]
    [InlineData("party: acme, project: chat")]
    [InlineData("party: acme, key: k1")]
    public async Task Budget_OfPartyProjectOrKey_IsNeverExceeded(string whose)
    {
        string more = $"budgets: [{{ id: b, {whose}, currency: CNY, amount: \"0.003\", period: day }}]";
        await using GatewayServer server = await StartAsync(Sandbox, more: more);

        (int Status, string Body, HttpResponseMessage Answer)[] answers =
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => server.ChatAsync()));

        Assert.All(answers, a => Assert.True(a.Status is 200 or 402, $"{a.Status}: {a.Body}"));
        int served = answers.Count(a => a.Status == 200);
        Assert.True(served is > 0 and < 100, $"{served} served");
        Assert.All(answers.Where(a => a.Status == 402), a => Assert.Contains("Budget 'b'", a.Body));
        var records = await server.RecordsAsync(served);
        Int128 spent = 0;
        foreach ((_, UsageResult result) in records)
        {
            spent += result.Charges.Aggregate((Int128)0, (sum, c) => sum + c.Amount.Pico);
        }

        Assert.True(new Amount(spent) <= Amount.Parse("0.003"));
    }

    // No interface is a way around a budget (litellm#27381).
    [Fact]
    public async Task Budget_ThatIsSpent_RefusesEveryInterface()
    {
        await using GatewayServer server = await StartAsync(
            Sandbox, more: "budgets: [{ id: b, party: acme, currency: CNY, amount: \"0.003\", period: day }]");
        string[] paths = ["/v1/chat/completions", "/v1/messages", "/v1beta/models/m:generateContent", "/v1/responses"];
        string[] bodies =
        [
            Chat(), Chat(more: ",\"max_tokens\":100"),
            """{"contents":[{"role":"user","parts":[{"text":"Say it."}]}]}""",
            """{"model":"m","input":"Say it."}""",
        ];
        int served = 0;
        int refused = 0;
        for (int call = 0; refused < paths.Length && call < 1_000; call++)
        {
            (int status, string body, _) = await server.PostAsync(paths[call % 4], bodies[call % 4]);
            Assert.True(status is 200 or 402, $"{paths[call % 4]} {status}: {body}");
            refused = status == 402 ? refused + 1 : 0; // one after the other: each interface once
            served += status == 200 ? 1 : 0;
            await server.RecordsAsync(served);
        }

        Assert.Equal(paths.Length, refused);
        Assert.True(served >= 2, $"{served} served");
        Int128 spent = (await server.RecordsAsync(served)).SelectMany(r => r.Result.Charges)
            .Aggregate((Int128)0, (sum, charge) => sum + charge.Amount.Pico);
        Assert.True(new Amount(spent) <= Amount.Parse("0.003"), new Amount(spent).ToString());
    }

    // Spent is read from what is durable, not from memory that a restart forgets (litellm#40020).
    [Fact]
    public async Task Budget_AfterARestart_KnowsWhatWasSpent()
    {
        string budget = "budgets: [{ id: b, party: acme, currency: CNY, amount: \"0.0013\", period: total }]";
        GatewayServer before = await StartAsync(Sandbox, more: budget);
        int served = 0;
        while ((await before.ChatAsync()).Status == 200)
        {
            served++;
            await before.RecordsAsync(served);
        }

        Assert.True(served > 0);
        await using GatewayServer after = await OpenAsync(await before.StopAsync());
        Assert.Equal(402, (await after.ChatAsync()).Status);
    }

    // new-api#4429, #4424: what was reserved when the server stopped is not reserved for ever, and the call is on
    // record.
    [Fact]
    public async Task Hold_LeftByACrash_IsSettledAtTheNextStart()
    {
        GatewayServer before = await StartAsync(Sandbox);
        var now = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
        var reply = await before.Host.Shard.PostAsync(new LedgerGroup(
            "gateway", "call1", now,
            [new PlaceHold("call1", "acme", Currency.Parse("CNY"), Amount.Parse("1"),
                now.PlusNanoseconds(3_600 * Timestamp.PerSecond))],
            "{\"key\":\"k1\",\"project\":\"chat\",\"model\":\"m\",\"operation\":\"chat\",\"scenario\":\"\","
            + "\"input\":12}"));
        Assert.Equal(LedgerStatus.Done, reply.Status);

        await using GatewayServer after = await OpenAsync(await before.StopAsync());

        await after.AssertNoHoldAsync();
        (UsageRecord record, UsageResult result) = Assert.Single(await after.RecordsAsync(1));
        Assert.Equal(("call1", Outcome.Failed, "m"), (record.Id, record.Outcome, record.Context.ModelAsked));
        Assert.Equal((12, EvidenceGrade.Estimated), Count(record, "input.text"));
        Assert.Contains(new Tag("end", "server_stopped"), record.Tags);
        Assert.Empty(result.Postings);
    }

    [Fact]
    public async Task Call_WithoutALimit_GetsOneThatTheMoneyCovers()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole("{\"model\":\"m\",\"choices\":[],\"usage\":"
            + "{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}");
        string upstreams = Upstream(upstream.Url).Replace(", max_output: 100", "", StringComparison.Ordinal);
        await using GatewayServer rich = await StartAsync(upstreams);
        await using GatewayServer poor = await StartAsync(upstreams, credit: "0.02");

        Assert.Equal(200, (await rich.ChatAsync()).Status);
        Assert.Equal(200, (await poor.ChatAsync()).Status);
        Assert.Equal(200, (await poor.ChatAsync(more: ",\"max_tokens\":5")).Status);

        int?[] limits = [.. upstream.Calls.Select(c => (int?)JsonNode.Parse(c.Body)!["max_tokens"])];
        Assert.Equal([16_384, 1_024, 5], limits);
    }

    [Fact]
    public async Task Models_AreListedInEachProtocol()
    {
        await using GatewayServer server = await StartAsync(Sandbox);

        Assert.Equal("m", (string)JsonNode.Parse(
            await server.Client.GetStringAsync("/v1/models"))!["data"]![0]!["id"]!);
        Assert.Equal("models/m", (string)JsonNode.Parse(
            await server.Client.GetStringAsync("/v1beta/models"))!["models"]![0]!["name"]!);
        Assert.Equal("m", (string)JsonNode.Parse(await server.Client.GetStringAsync("/v1/models/m"))!["id"]!);
        using HttpResponseMessage none = await server.Client.GetAsync("/v1/models/none");
        Assert.Equal(404, (int)none.StatusCode);
    }
}
