using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Server;
using static Ciyuan.ServerTests.TestServer;

namespace Ciyuan.ServerTests;

public sealed class EventsTests
{
    private static string CloudEventOf(string id) => $$$"""
        {"specversion":"1.0","id":"{{{id}}}","source":"test","type":"llm","subject":"acme",
         "time":"2026-11-02T00:00:00Z","data":{"model":"glm-4.6","prompt_tokens":1000,"completion_tokens":100}}
        """;

    private static string[] StatusesOf(JsonNode answer) =>
        [.. answer["results"]!.AsArray().Select(r => (string)r!["status"]!)];

    [Fact]
    public async Task PostEvents_UsageArray_PostsEachInOrder()
    {
        await using TestServer server = await StartWithSetupAsync();
        (int status, JsonNode answer) = await server.PostAsync("/v1/events", Json, Batch([Event("a"), Event("b")]));
        Assert.Equal(200, status);
        Assert.Equal(["posted", "posted"], StatusesOf(answer));
        Assert.Equal(2, (int)answer["posted"]!);
        string[] records = [.. answer["results"]!.AsArray().Select(r => (string)r!["record"]!)];
        Assert.Equal([records[0].Split('.')[0] + ".0", records[0].Split('.')[0] + ".1"], records);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostEvents_SingleObject_AnswersWithItsResult()
    {
        await using TestServer server = await StartWithSetupAsync();
        (int first, JsonNode posted) = await server.PostAsync("/v1/events", Json, Event("a"));
        (int second, JsonNode exists) = await server.PostAsync("/v1/events", Json, Event("a"));
        (int third, JsonNode conflict) = await server.PostAsync("/v1/events", Json, Event("a", input: 7));
        (int fourth, JsonNode rejected) = await server.PostAsync("/v1/events", Json, Event("b", input: -7));
        Assert.Equal((200, "posted"), (first, (string)posted["status"]!));
        Assert.Equal((200, "exists"), (second, (string)exists["status"]!));
        Assert.Equal((string)posted["record"]!, (string)exists["record"]!);
        Assert.Equal((409, "conflict"), (third, (string)conflict["result"]!["status"]!));
        Assert.Equal((400, "rejected"), (fourth, (string)rejected["result"]!["status"]!));
        Assert.Contains("input.text", (string)rejected["result"]!["reason"]!, StringComparison.Ordinal);
        Assert.Equal(409, (int)conflict["status"]!);
    }

    [Fact]
    public async Task PostEvents_Lines_PostsEachAndRefusesTheBrokenOne()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = $"{Event("a")}\r\n\n{{\"source\":\n{Event("b")}";
        (int status, JsonNode answer) = await server.PostAsync("/v1/events", Lines, body);
        Assert.Equal(200, status);
        Assert.Equal(["posted", "rejected", "posted"], StatusesOf(answer));
    }

    private static string ResponseOf(string id, long input) => $$$"""
        {"source":"test","id":"{{{id}}}","time":"2026-11-02T08:00:00+08:00","party":"acme","provider":"zhipu",
         "flavour":"chat","response":{"model":"glm-4.6","usage":{"prompt_tokens":{{{input}}},"completion_tokens":100,
         "total_tokens":{{{input + 100}}},"prompt_tokens_details":{"cached_tokens":400} } } }
        """;

    [Fact]
    public async Task PostEvents_RawResponses_AreReadAndPostedOnce()
    {
        await using TestServer server = await StartWithSetupAsync();
        const string Array = "application/vnd.ciyuan.response+json";
        const string LinesOf = "application/vnd.ciyuan.response+x-ndjson";
        string batch = Batch([ResponseOf("a", 1_000), ResponseOf("b", -7)]);
        (int status, JsonNode first) = await server.PostAsync("/v1/events", Array, batch);
        (_, JsonNode again) = await server.PostAsync(
            "/v1/events", LinesOf, ResponseOf("a", 1_000).ReplaceLineEndings(""));
        (int single, JsonNode rejected) = await server.PostAsync("/v1/events", Array, ResponseOf("c", -7));
        Assert.Equal(200, status);
        Assert.Equal(["posted", "rejected"], StatusesOf(first));
        Assert.Contains("usage.prompt_tokens: is -7", (string)first["results"]![1]!["reason"]!,
            StringComparison.Ordinal);
        Assert.Equal(["exists"], StatusesOf(again));
        Assert.Equal((400, "rejected"), (single, (string)rejected["result"]!["status"]!));

        // 600 × 2 + 400 × 0.4 + 100 × 8 per million.
        (_, JsonNode report) = await server.GetAsync("/v1/report?group=party&from=2026-11-01&to=2026-12-01");
        Assert.Equal("0.00216", (string)report["total"]!["income_CNY"]!);
    }

    // A batch with an id that is known already was refused whole.
    [Fact]
    public async Task LagoApi_3049_BatchWithAnIdThatIsKnown_TakesTheOthers()
    {
        await using TestServer server = await StartWithSetupAsync();
        await server.PostAsync("/v1/events", Json, Event("a"));
        (int status, JsonNode answer) = await server.PostAsync(
            "/v1/events", Json, Batch([Event("a"), Event("b"), Event("b"), Event("c")]));
        Assert.Equal(200, status);
        Assert.Equal(["exists", "posted", "exists", "posted"], StatusesOf(answer));
    }

    // An id that the sender makes up anew for each retry made one use four. A response has an id of its own, which is
    // taken where the sender gives none; and none is ever made up here.
    [Fact]
    public async Task LagoAgentToolkit_65_Vexa_330_RetryWithoutAnIdOfItsOwn_IsChargedOnce()
    {
        await using TestServer server = await StartWithSetupAsync();
        string response = ResponseOf("", 1_000).Replace("\"id\":\"\",", "", StringComparison.Ordinal)
            .Replace("\"response\":{", "\"response\":{\"id\":\"chatcmpl-1\",", StringComparison.Ordinal);
        for (int retry = 0; retry < 4; retry++)
        {
            (int status, JsonNode answer) = await server.PostAsync(
                "/v1/events", "application/vnd.ciyuan.response+json", response);
            Assert.Equal((200, retry == 0 ? "posted" : "exists"), (status, (string)answer["status"]!));
        }

        (int refused, JsonNode problem) = await server.PostAsync(
            "/v1/events", Json, Event("").Replace("\"id\":\"\",", "", StringComparison.Ordinal));
        Assert.Equal(400, refused);
        Assert.StartsWith("id:", (string)problem["result"]!["reason"]!, StringComparison.Ordinal);
        (_, JsonNode report) = await server.GetAsync("/v1/report?group=party&from=2026-11-01&to=2026-12-01");
        Assert.Equal("0.00216", (string)report["total"]!["income_CNY"]!);
    }

    [Fact]
    public async Task PostEvents_RawResponseWithUsageOfAnotherModel_AnswersItAfterAllEvents()
    {
        await using TestServer server = await StartWithSetupAsync();
        const string Advised = """
            {"source":"test","id":"m","time":"2026-11-02T08:00:00+08:00","party":"acme","provider":"anthropic",
             "response":{"model":"a","usage":{"input_tokens":2,"output_tokens":1,"iterations":[
             {"type":"advisor_message","model":"b","input_tokens":3,"output_tokens":1}]}}}
            """;
        (_, JsonNode answer) = await server.PostAsync(
            "/v1/events", "application/vnd.ciyuan.response+json", Batch([Advised, ResponseOf("n", -7)]));
        Assert.Equal(["posted", "rejected", "posted"], StatusesOf(answer));
    }

    [Fact]
    public async Task PostEvents_CloudEvents_AreTheSameWhetherAloneOrInABatch()
    {
        await using TestServer server = await StartWithSetupAsync();
        (int status, JsonNode single) = await server.PostAsync("/v1/events", CloudEvent, CloudEventOf("a"));
        (_, JsonNode batch) = await server.PostAsync(
            "/v1/events", CloudEventBatch, Batch([CloudEventOf("a"), CloudEventOf("b")]));
        Assert.Equal((200, "posted"), (status, (string)single["status"]!));
        Assert.Equal(["exists", "posted"], StatusesOf(batch));
    }

    [Fact]
    public async Task PostEvents_CloudEventWithoutTime_IsRejectedSinceItCouldNotBeSentAgain()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = CloudEventOf("a").Replace("\"time\":\"2026-11-02T00:00:00Z\",", "", StringComparison.Ordinal);
        (int status, JsonNode answer) = await server.PostAsync("/v1/events", CloudEvent, body);
        Assert.Equal(400, status);
        Assert.StartsWith("time:", (string)answer["result"]!["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PostEvents_BadEventInTheMiddle_TakesTheOthersAndNamesItByIndex()
    {
        await using TestServer server = await StartWithSetupAsync();
        string bad = Event("x").Replace("\"party\"", "\"partei\"", StringComparison.Ordinal);
        string body = Batch([Event("a"), bad, "42", Event("b")]);
        await server.PostAsync("/v1/ledger/groups", Json, LedgerTests.Deposit("paid", "acme", "100"));
        (int status, JsonNode answer) = await server.PostAsync("/v1/events?brief=1", Json, body);
        Assert.Equal(200, status);
        Assert.Equal((2, 2), ((int)answer["posted"]!, (int)answer["rejected"]!));
        Assert.Equal([1, 2], answer["results"]!.AsArray().Select(r => (int)r!["index"]!));
        Assert.Contains("partei", (string)answer["results"]![0]!["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PostEvents_JsonBrokenInTheMiddle_TakesNothingAndSaysWhere()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = Batch([Event("a"), Event("b"), Event("c")[..^20], Event("d")]);
        (int status, JsonNode problem) = await server.PostAsync("/v1/events", Json, body);
        Assert.Equal(400, status);
        Assert.Contains("Event 2", (string)problem["detail"]!, StringComparison.Ordinal);
        (_, JsonNode again) = await server.PostAsync("/v1/events", Json, Batch([Event("a"), Event("b")]));
        Assert.Equal(["posted", "posted"], StatusesOf(again));
    }

    [Fact]
    public async Task PostEvents_SameBatchTwice_PostsNothingTheSecondTime()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = Batch(Enumerable.Range(0, 50).Select(i => Event($"e{i}")));
        (_, JsonNode first) = await server.PostAsync("/v1/events", Json, body);
        (_, JsonNode second) = await server.PostAsync("/v1/events", Json, body);
        Assert.Equal(50, (int)first["posted"]!);
        Assert.Equal((0, 50), ((int)second["posted"]!, (int)second["exists"]!));
        Assert.Equal(
            first["results"]!.AsArray().Select(r => (string)r!["record"]!),
            second["results"]!.AsArray().Select(r => (string)r!["record"]!));
    }

    [Fact]
    public async Task PostEvents_OtherContentUnderAnId_IsAConflictEachTime()
    {
        await using TestServer server = await StartWithSetupAsync();
        await server.PostAsync("/v1/events", Json, Batch([Event("a")]));
        string other = Batch([Event("a", output: 5), Event("b")]);
        (_, JsonNode first) = await server.PostAsync("/v1/events", Json, other);
        (_, JsonNode second) = await server.PostAsync("/v1/events", Json, other);
        Assert.Equal(["conflict", "posted"], StatusesOf(first));
        Assert.Equal(["conflict", "exists"], StatusesOf(second));
        Assert.Equal(1, (int)second["conflicts"]!);
    }

    [Fact]
    public async Task PostEvents_ModelWithoutPrice_IsPostedWithARemarkThatBriefKeeps()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = Batch([Event("a"), Event("b", model: "unheard-of")]);
        await server.PostAsync("/v1/ledger/groups", Json, LedgerTests.Deposit("paid", "acme", "100"));
        (_, JsonNode answer) = await server.PostAsync("/v1/events?brief=1", Json, body);
        JsonNode result = Assert.Single(answer["results"]!.AsArray())!;
        Assert.Equal((1, "posted"), ((int)result["index"]!, (string)result["status"]!));
        Assert.Contains("suspense", result["remarks"]!.AsArray().Select(r => (string)r!));
    }

    [Fact]
    public async Task PostEvents_EmptyBatch_IsDoneAtOnce()
    {
        await using TestServer server = await StartAsync();
        (int status, JsonNode answer) = await server.PostAsync("/v1/events", Json, " [ ] ");
        Assert.Equal((200, 0), (status, answer["results"]!.AsArray().Count));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostEvents_EightSendersOfTheSame_PostEachOnce()
    {
        await using TestServer server = await StartWithSetupAsync();
        string[] bodies = [.. Enumerable.Range(0, 10).Select(BatchOf)];
        int[] posted = await Task.WhenAll(Enumerable.Range(0, 8).Select(sender => Task.Run(async () =>
        {
            int sum = 0;
            foreach (int b in Enumerable.Range(sender, bodies.Length))
            {
                (int status, JsonNode answer) = await server.PostAsync("/v1/events", Json, bodies[b % bodies.Length]);
                Assert.Equal(200, status);
                sum += (int)answer["posted"]!;
            }

            return sum;
        })));
        Assert.Equal(2_000, posted.Sum());
        (_, JsonNode report) = await server.GetAsync("/v1/report");
        Assert.Equal("2000", ReportTests.Total(report, "calls"));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=gbk")]
    public async Task PostEvents_ForeignContentType_SaysWhichAreTaken(string mediaType)
    {
        await using TestServer server = await StartAsync();
        (int status, JsonNode problem) = await server.PostAsync("/v1/events", mediaType, "[]");
        Assert.Equal(415, status);
        Assert.Contains("application/x-ndjson", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PostEvents_WriterBusy_RefusesWithoutTaking()
    {
        await using TestServer server = await StartAsync(limits: new ServerLimits { WaitingRequests = 0 });
        using var content = new StringContent(Batch([Event("a")]), Encoding.UTF8, Json);
        using HttpResponseMessage response = await server.Client.PostAsync("/v1/events", content);
        Assert.Equal(429, (int)response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task PostEvents_MemoryTaken_RefusesWithoutTaking()
    {
        await using TestServer server = await StartAsync(limits: new ServerLimits { BytesInFlight = 64 * 1024 });
        byte[] body = Encoding.UTF8.GetBytes(Batch(Enumerable.Range(0, 1000).Select(i => Event($"e{i}"))));
        (int status, _) = await server.SendAsync("/v1/events", Json, body, gzip: false);
        Assert.Equal(429, status);
        (int small, _) = await server.PostAsync("/v1/events", Json, Batch([Event("a")]));
        Assert.Equal(200, small);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostEvents_DiskFull_RefusesWithoutTakingAndStillReads()
    {
        await using TestServer server = await StartAsync(journalPages: 40);
        int batch = 0;
        (int Status, JsonNode Answer) last;
        do
        {
            last = await server.PostAsync("/v1/events?brief=1", Json, BatchOf(batch++));
        }
        while (last.Status == 200 && batch < 1_000);

        Assert.Equal((507, "urn:ciyuan:problem:storage-full"), (last.Status, (string)last.Answer["type"]!));
        (int again, _) = await server.PostAsync("/v1/events?brief=1", Json, BatchOf(batch - 1));
        (int known, JsonNode exists) = await server.PostAsync("/v1/events?brief=1", Json, BatchOf(0));
        Assert.Equal((507, 200, 200), (again, known, (int)exists["exists"]!));
    }

    private static string BatchOf(int batch) => Batch(Enumerable.Range(0, 200).Select(i => Event($"{batch}-{i}")));
}
