using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;
using static Ciyuan.ServerTests.Gateway.Translation.Translating;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>Calls that reach an upstream of another protocol, through a real server.</summary>
public sealed class TranslatedCallTests
{
    private const string Message =
        """{"id":"msg_1","type":"message","role":"assistant","model":"m-7","content":[{"type":"text","text":"Eins zwei"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":6,"cache_read_input_tokens":4,"cache_creation_input_tokens":0,"output_tokens":3}}""";

    private const string Completion =
        """{"id":"c","object":"chat.completion","model":"m-7","choices":[{"index":0,"message":{"role":"assistant","content":"Eins zwei"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13}}""";

    private const string AnthropicCall =
        """{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"Say it."}]}""";

    private static readonly string[] AnthropicEvents =
    [
        Event("""{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m-7","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"""),
        Event("""{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"""),
        Event("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Eins"}}"""),
        Event("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" zwei"}}"""),
        Event("""{"type":"content_block_stop","index":0}"""),
        Event("""{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":8}}"""),
        Event("""{"type":"message_stop"}"""),
    ];

    private static string Event(string data) => $"event: {JsonNode.Parse(data)!["type"]}\ndata: {data}\n\n";

    private static string Data(string data) => $"data: {data}\n\n";

    private static string Anthropic(string url, string id = "u1", string more = "") =>
        Upstream(url, id, "anthropic", ", key_variable: VENDOR_KEY" + more);

    [Fact]
    public async Task OpenAICall_ToAnthropic_IsSaidAndAnsweredInEachOnesWords()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(
            Message, headers: "request-id: r7\r\nanthropic-ratelimit-tokens-limit: 9\r\n");
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));

        (int status, string body, HttpResponseMessage answer) = await server.ChatAsync(more: ",\"store\":true");

        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal("/v1/messages", call.Path);
        Assert.Equal(("vendor-secret", "2023-06-01"), (call.Headers["x-api-key"], call.Headers["anthropic-version"]));
        Assert.DoesNotContain("Authorization", call.Headers.Keys);
        AssertSame(
            """{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"Say it."}]}""", call.Body);
        Assert.Equal(200, status);
        JsonNode said = JsonNode.Parse(body)!;
        Assert.Equal("Eins zwei", said["choices"]![0]!["message"]!["content"]!.ToString());
        Assert.Equal("m-7", said["model"]!.ToString());
        Assert.Equal(4, said["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>());
        Assert.Equal("store", Assert.Single(answer.Headers.GetValues("x-ciyuan-dropped")));
        Assert.Equal("r7", Assert.Single(answer.Headers.GetValues("x-request-id")));
        Assert.True(answer.Headers.Contains("x-ciyuan-cost"));
        Assert.False(answer.Headers.Contains("anthropic-ratelimit-tokens-limit"));
        UsageRecord record = await server.RecordAsync();
        Assert.Contains(new Tag("protocol_asked", "openai"), record.Tags);
        Assert.Contains(new Tag("protocol_spoken", "anthropic"), record.Tags);
        Assert.Equal((6, EvidenceGrade.Reported), Count(record, "input.text"));
        Assert.Equal((4, 3), (Count(record, "input.text.cache_read").Steps, Count(record, "output.text").Steps));
        await server.AssertNoHoldAsync();
    }

    [Fact]
    public async Task OpenAIStream_FromAnthropic_ComesAtOnceAndIsCounted()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedUpstream upstream = StreamThatWaits(goOn.Task);
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));
        const string WithUsage = ",\"stream_options\":{\"include_usage\":true}";
        using HttpRequestMessage request = Request("/v1/chat/completions", Chat(true, WithUsage));
        using HttpResponseMessage answer = await server.Client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[16_384];
        string text = "";

        // The first piece is there while the upstream still waits.
        while (!text.Contains("Eins", StringComparison.Ordinal))
        {
            text += Encoding.UTF8.GetString(buffer, 0, await body.ReadAsync(buffer));
        }

        goOn.SetResult();
        text += await new StreamReader(body).ReadToEndAsync();

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        string[] events = EventsOf(text);
        Assert.Equal("[DONE]", events[^1]);
        Assert.Equal(17, JsonNode.Parse(events[^2])!["usage"]!["total_tokens"]!.GetValue<int>());
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((9, 8), (Count(record, "input.text").Steps, Count(record, "output.text").Steps));
        Assert.Equal(Outcome.Ok, record.Outcome);
        await server.AssertNoHoldAsync();
    }

    // It waits before its fourth event.
    private static ScriptedUpstream StreamThatWaits(Task goOn) => new(async (_, output, cancel) =>
    {
        await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
        for (int i = 0; i < AnthropicEvents.Length; i++)
        {
            if (i == 3)
            {
                await goOn;
            }

            await ScriptedUpstream.SendAsync(
                output, ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(AnthropicEvents[i])), cancel);
        }

        await ScriptedUpstream.SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
    });

    [Fact]
    public async Task GeminiCall_ToOpenAI_AsksForUsageOfItsOwn()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(
            Data("""{"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"""),
            Data("""{"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""),
            Data("""{"model":"m","choices":[],"usage":{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8}}"""),
            "data: [DONE]\n\n");
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (_, string body, HttpResponseMessage answer) = await server.PostAsync(
            "/v1beta/models/m:streamGenerateContent?alt=sse", "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}");

        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal("/chat/completions", call.Path);
        AssertSame(
            """{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}}""",
            call.Body);
        string[] events = EventsOf(body);
        Assert.Equal("STOP", JsonNode.Parse(events[^1])!["candidates"]![0]!["finishReason"]!.ToString());
        Assert.Equal(8, JsonNode.Parse(events[^1])!["usageMetadata"]!["totalTokenCount"]!.GetValue<int>());
        Assert.Equal((6, 2), (Count(await server.RecordAsync(), "input.text").Steps,
            Count(await server.RecordAsync(), "output.text").Steps));
    }

    [Fact]
    public async Task AnthropicCall_ToGemini_GoesToTheMethodOfTheModel()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(
            """{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":6,"candidatesTokenCount":2,"thoughtsTokenCount":4,"totalTokenCount":12},"modelVersion":"m-7"}""");
        await using GatewayServer server = await StartAsync(
            $"  - {{ id: u1, provider: vendor, protocol: gemini, base_url: \"{upstream.Url}\", allow_inside: true,"
            + " key_variable: VENDOR_KEY, models: [{ model: m, as: m-7, max_output: 100 }] }");

        (_, string body, _) = await server.PostAsync("/v1/messages", AnthropicCall);

        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal("/v1beta/models/m-7:generateContent", call.Path);
        Assert.Equal("vendor-secret", call.Headers["x-goog-api-key"]);
        JsonNode said = JsonNode.Parse(body)!;
        Assert.Equal("Hi", said["content"]![0]!["text"]!.ToString());
        Assert.Equal(6, said["usage"]!["output_tokens"]!.GetValue<int>());
        Assert.Equal(4, Count(await server.RecordAsync(), "output.text.reasoning").Steps);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "{\"model\":\"m\",\"messages\":[],\"logprobs\":true}", "logprobs", "anthropic")]
    [InlineData("/v1/messages", "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[],\"container\":\"c\"}", "container",
        "openai")]
    [InlineData("/v1beta/models/m:generateContent", "{\"contents\":[],\"cachedContent\":\"c\"}", "cachedContent",
        "openai")]
    public async Task Call_ThatCantBeCarried_IsRefusedBeforeItsHold(
        string path, string call, string field, string protocol)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Message);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: protocol));

        (int status, string body, _) = await server.PostAsync(path, call);

        Assert.Equal(400, status);
        Assert.Contains($"'{field}'", body);
        Assert.NotNull(JsonNode.Parse(body)!["error"]);
        Assert.Empty(upstream.Calls);
        await server.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData(400, """{"type":"error","error":{"type":"invalid_request_error","message":"no such thing"}}""",
        400, "invalid_request_error")]
    [InlineData(429, """{"type":"error","error":{"type":"rate_limit_error","message":"no such thing"}}""", 429,
        "rate_limit_error")]
    [InlineData(529, """{"type":"error","error":{"type":"overloaded_error","message":"no such thing"}}""", 503,
        "server_error")]
    [InlineData(500, "<html>no such thing</html>", 502, "server_error")]
    [InlineData(302, "", 502, "server_error")]
    public async Task UpstreamError_IsSaidInTheCallersShape(int said, string error, int status, string type)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(error, said);
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));

        (int answered, string body, _) = await server.ChatAsync(stream: said == 429);

        Assert.Equal(status, answered);
        JsonNode written = JsonNode.Parse(body)!["error"]!;
        Assert.Equal(type, written["type"]!.ToString());
        Assert.Equal(error.StartsWith('{'), written["message"]!.ToString() == "no such thing");
        await server.AssertNoHoldAsync();
    }

    [Fact]
    public async Task Upstreams_OfTheCallersProtocol_GoFirst()
    {
        await using ScriptedUpstream foreign = ScriptedUpstream.Whole(Message);
        await using ScriptedUpstream native = ScriptedUpstream.Whole(Completion);
        await using GatewayServer server = await StartAsync(
            Anthropic(foreign.Url, "a", ", priority: 1") + "\n" + Upstream(native.Url, "o", more: ", priority: 9"));

        (_, string body, _) = await server.ChatAsync();

        Assert.Equal((Completion, 0), (body, foreign.Calls.Count));
    }

    [Fact]
    public async Task Upstream_OfTheCallersProtocolIsBusy_AnotherProtocolAnswers()
    {
        await using ScriptedUpstream native = ScriptedUpstream.Whole("{\"error\":{}}", 503);
        await using ScriptedUpstream foreign = ScriptedUpstream.Whole(Message);
        await using GatewayServer server = await StartAsync(
            Anthropic(foreign.Url, "a") + "\n" + Upstream(native.Url, "o"));

        (int status, string body, _) = await server.ChatAsync();
        (int notCarried, string error, _) = await server.ChatAsync(more: ",\"logprobs\":true");

        Assert.Equal(200, status);
        Assert.Contains("chat.completion", body);
        Assert.Equal((503, "{\"error\":{}}"), (notCarried, error));
        Assert.Equal((2, 1), (native.Calls.Count, foreign.Calls.Count));
        Assert.Contains(new Tag("attempts", "2"), (await server.RecordsAsync(2))[0].Record.Tags);
    }

    [Fact]
    public async Task CountTokens_OfAnotherProtocol_IsAnswered()
    {
        await using ScriptedUpstream gemini = ScriptedUpstream.Whole("{\"totalTokens\":31}");
        await using ScriptedUpstream anthropic = ScriptedUpstream.Whole("{\"input_tokens\":32}");
        await using GatewayServer server = await StartAsync(
            Upstream(gemini.Url, "g", "gemini") + "\n"
            + Anthropic(anthropic.Url, "a").Replace("model: m,", "model: m2,", StringComparison.Ordinal));

        (_, string first, _) = await server.PostAsync(
            "/v1/messages/count_tokens",
            """{"model":"m","system":"Be brief.","messages":[{"role":"user","content":"Hi"}]}""");
        (_, string second, _) = await server.PostAsync(
            "/v1beta/models/m2:countTokens", "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}");

        AssertSame("{\"input_tokens\":31}", first);
        AssertSame("{\"totalTokens\":32}", second);
        Assert.True(gemini.Calls.TryDequeue(out ReceivedCall? asked));
        AssertSame(
            """{"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{}}}""",
            asked.Body);
        Assert.True(anthropic.Calls.TryDequeue(out asked));
        AssertSame("""{"model":"m2","messages":[{"role":"user","content":"Hi"}]}""", asked.Body);
    }

    [Fact]
    public async Task Embeddings_ForAModelOfAnotherProtocol_HaveNoModel()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Message);
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));

        (int status, _, _) = await server.PostAsync("/v1/embeddings", "{\"model\":\"m\",\"input\":\"a\"}");

        Assert.Equal(404, status);
    }

    [Fact]
    public async Task Stream_BrokenWithinACallOfATool_IsAnErrorAndACutRecord()
    {
        string[] events =
        [
            AnthropicEvents[0],
            Event("""{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"""),
            Event("""{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}"""),
        ];
        await using var upstream = ScriptedUpstream.Stream(events, endsWell: false);
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));

        (_, string body, _) = await server.ChatAsync(stream: true);

        string[] received = EventsOf(body);
        Assert.Contains("\"arguments\":\"{\\\"x\\\":\"", received[^2]);
        Assert.Contains("broke off", JsonNode.Parse(received[^1])!["error"]!["message"]!.ToString());
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((Outcome.Cut, 9), (record.Outcome, Count(record, "input.text").Steps));
        Assert.Contains(new Tag("end", "upstream_broke"), record.Tags);
        await server.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData("{\"type\":\"message\"")]
    [InlineData("{\"error\":{\"type\":\"api_error\",\"message\":\"inside\"},\"type\":\"error\"}")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("{\"type\":\"message\",\"content\":[{\"type\":\"hologram\"}]}")]
    public async Task WholeAnswer_ThatIsNone_IsBadGateway(string answer)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(answer);
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));

        (int status, string body, _) = await server.ChatAsync();

        Assert.Equal(502, status);
        Assert.NotNull(JsonNode.Parse(body)!["error"]!["message"]);
        await server.RecordAsync();
        await server.AssertNoHoldAsync();
    }

    [Fact]
    public async Task Stream_WithAnEventOf100Megabytes_IsAnErrorInBoundedMemory()
    {
        const int Pieces = 1_600;
        byte[] piece = ScriptedUpstream.Chunk(Encoding.ASCII.GetBytes(new string('x', 64 * 1024)));
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            await output.WriteAsync(ScriptedUpstream.Chunk("data: "u8), cancel);
            for (int i = 0; i < Pieces; i++)
            {
                await output.WriteAsync(piece, cancel);
            }

            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk("\n\n"u8), cancel);
            await ScriptedUpstream.SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
        });
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));
        long before = GC.GetTotalMemory(forceFullCollection: true);

        (_, string body, _) = await server.ChatAsync(stream: true);

        Assert.Contains("too long", body);
        long after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after - before < 64 << 20, $"{(after - before) >> 20} MB more are in use");
    }

    [Fact]
    public async Task Stream_AskedForOfAnUpstreamThatGivesAWhole_IsAStream()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Message);
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));

        (_, string body, HttpResponseMessage answer) = await server.ChatAsync(stream: true);

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("[DONE]", EventsOf(body)[^1]);
        Assert.Contains("Eins zwei", body);
        Assert.Equal((6, 3), (Count(await server.RecordAsync(), "input.text").Steps,
            Count(await server.RecordAsync(), "output.text").Steps));
    }

    [Fact]
    public async Task WholeAnswer_AskedForOfAnUpstreamThatStreams_IsWhole()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(AnthropicEvents);
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));

        (_, string body, HttpResponseMessage answer) = await server.ChatAsync();

        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("Eins zwei", JsonNode.Parse(body)!["choices"]![0]!["message"]!["content"]!.ToString());
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Client_LeavesATranslatedStream_UpstreamIsLeftToo()
    {
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            foreach (string one in AnthropicEvents[..3])
            {
                await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(one)), cancel);
            }

            while (true)
            {
                await ScriptedUpstream.SendAsync(
                    output, ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(AnthropicEvents[3])), cancel);
            }
        });
        await using GatewayServer server = await StartAsync(Anthropic(upstream.Url));
        using (HttpRequestMessage request = Request("/v1/chat/completions", Chat(true)))
        {
            using HttpResponseMessage answer = await server.Client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead);
            await using Stream body = await answer.Content.ReadAsStreamAsync();
            Assert.True(await body.ReadAsync(new byte[100]) > 0);
        }

        UsageRecord record = await server.RecordAsync();
        await upstream.Left.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(Outcome.Cut, record.Outcome);
        Assert.Contains(new Tag("end", "client_left"), record.Tags);
        await server.AssertNoHoldAsync();
    }
}
