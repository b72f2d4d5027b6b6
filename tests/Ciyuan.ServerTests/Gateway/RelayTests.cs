using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Server;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Bytes on their way, and what is recorded of them, however an answer ends.</summary>
public sealed class RelayTests
{
    private const string Usage =
        "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10,\"prompt_tokens_details\":"
        + "{\"cached_tokens\":2}}";

    private static readonly string[] ChatPieces =
    [
        Chunk("{\"role\":\"assistant\",\"content\":\"\"}"), Chunk("{\"content\":\"Eins\"}"),
        Chunk("{\"content\":\" zwei\"}"), Chunk("{}", "\"stop\""),
        $"data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[],{Usage}}}\n\n",
        "data: [DONE]\n\n",
    ];

    private static string Chunk(string delta, string finish = "null") =>
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"unknown\":{\"kept\":1},"
        + $"\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n";

    private static string Whole(string usage = Usage) =>
        "{\"id\":\"c1\",\"object\":\"chat.completion\",\"model\":\"m\","
        + "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Eins zwei\"},"
        + $"\"finish_reason\":\"stop\"}}],\"x\":\"\\u00e9  kept\"{(usage.Length > 0 ? "," : "")}{usage}}}";

    [Fact]
    public async Task WholeAnswer_GoesThroughUnchanged_WithRecordAndCost()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole(), headers: "x-request-id: r7\r\n");
        await using GatewayServer server = await StartAsync(
            Upstream(upstream.Url, more: ", key_variable: VENDOR_KEY"));

        (int status, string body, HttpResponseMessage answer) = await server.ChatAsync(more: ",\"unknown\":[1,2]");

        Assert.Equal((200, Whole()), (status, body));
        Assert.Equal("r7", answer.Headers.GetValues("x-request-id").Single());
        UsageRecord record = await server.RecordAsync();
        Assert.Equal(record.Id, answer.Headers.GetValues("x-ciyuan-record").Single());
        // 5 fresh and 2 cached tokens at 1, 3 out at 10 CNY a million.
        Assert.Equal("0.000037 CNY", answer.Headers.GetValues("x-ciyuan-cost").Single());
        Assert.Equal((5, EvidenceGrade.Reported), Count(record, "input.text"));
        Assert.Equal((2, EvidenceGrade.Reported), Count(record, "input.text.cache_read"));
        Assert.Equal((3, EvidenceGrade.Reported), Count(record, "output.text"));
        Assert.Equal((Outcome.Ok, "acme", "chat", "k1", "vendor", "chat"),
            (record.Outcome, record.Context.Party, record.Context.Project, record.Context.Key, record.Context.Provider,
                record.Context.Operation));
        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal("Bearer vendor-secret", call.Headers["Authorization"]);
        Assert.Equal(Chat(more: ",\"unknown\":[1,2]"), call.Body);
        await server.AssertNoHoldAsync();
    }

    // Of open streams there may be thousands, each holding its body.
    [Fact]
    public async Task Call_OfFewBytes_HoldsNoMoreMemoryThanThose()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole());
        await using GatewayServer server = await StartAsync(
            Upstream(upstream.Url), options: o => o with { Limits = new ServerLimits { BytesInFlight = 256 } });

        Assert.Equal(200, (await server.ChatAsync()).Status);
        Assert.Equal(503, (await server.ChatAsync(more: $",\"unknown\":\"{new string('x', 300)}\"")).Status);
    }

    // gpustack#4874, litellm#5632: usage must be asked for in streams.
    [Fact]
    public async Task Stream_UsageNotAskedFor_IsTakenOutAgainAndCounted()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(ChatPieces);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (int status, string body, HttpResponseMessage answer) = await server.ChatAsync(stream: true);

        Assert.Equal((200, string.Concat(ChatPieces.Where(p => !p.Contains("\"choices\":[]")))), (status, body));
        Assert.Equal("kept", answer.Headers.GetValues("X-Vendor").Single());
        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.True((bool)JsonNode.Parse(call.Body)!["stream_options"]!["include_usage"]!);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((3, EvidenceGrade.Reported), Count(record, "output.text"));
        Assert.Equal(Outcome.Ok, record.Outcome);
    }

    [Theory]
    [InlineData(",\"stream_options\":{\"include_usage\":true}")]
    [InlineData(",\"stream_options\":{\"x\":1,\"include_usage\":true}")]
    public async Task Stream_UsageAskedFor_IsLeftIn(string options)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(ChatPieces);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (_, string body, _) = await server.ChatAsync(stream: true, options);

        Assert.Equal(string.Concat(ChatPieces), body);
        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal(Chat(true, options), call.Body);
    }

    [Theory]
    [InlineData(",\"stream_options\":{}")]
    [InlineData(",\"stream_options\":null")]
    [InlineData(",\"stream_options\":{\"include_usage\":false}")]
    [InlineData(",\"stream_options\":{\"include_obfuscation\":false}")]
    public async Task Stream_OptionsWithoutUsage_AreAddedTo(string options)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(ChatPieces);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        _ = await server.ChatAsync(stream: true, options);

        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.True((bool)JsonNode.Parse(call.Body)!["stream_options"]!["include_usage"]!);
        Assert.Equal(3, Count(await server.RecordAsync(), "output.text").Steps);
    }

    // Whatever ends the lines, and wherever the pieces are cut: within a line end, within a character.
    [Theory]
    [InlineData("\n", 1)]
    [InlineData("\r\n", 1)]
    [InlineData("\r", 3)]
    [InlineData("\r\n", 7)]
    public async Task Stream_InAnyPieces_PassesUnchangedAndIsCounted(string lineEnd, int pieceLength)
    {
        string text = (string.Concat(ChatPieces[..3]) + Chunk("{\"content\":\"词元é\"}") + string.Concat(ChatPieces[3..]))
            .Replace("\n", lineEnd, StringComparison.Ordinal) + $": a remark{lineEnd}";
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            foreach (byte[] piece in bytes.Chunk(pieceLength))
            {
                await output.WriteAsync(ScriptedUpstream.Chunk(piece), cancel);
            }

            await ScriptedUpstream.SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (_, string body, _) = await server.ChatAsync(true, ",\"stream_options\":{\"include_usage\":true}");

        Assert.Equal(text, body);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((Outcome.Ok, 3), (record.Outcome, Count(record, "output.text").Steps));
    }

    // litellm#14457, new-api#7062, new-api#5235: neither lost, nor free, nor refunded.
    [Fact]
    [Trait("Takes", "Long")]
    public async Task Stream_ClientLeavesAfterEachEvent_IsRecordedOnceAsCut()
    {
        for (int events = 0; events < 4; events++)
        {
            var wait = new TaskCompletionSource();
            await using ScriptedUpstream upstream = StreamThatWaits(ChatPieces[..events], wait.Task);
            await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
            using (HttpRequestMessage request = Request("/v1/chat/completions", Chat(true)))
            using (HttpResponseMessage answer = await server.Client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead))
            {
                byte[] expected = Encoding.UTF8.GetBytes(string.Concat(ChatPieces[..events]));
                await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[expected.Length]);
            }

            wait.SetResult();
            UsageRecord record = await server.RecordAsync();
            Assert.Equal(Outcome.Cut, record.Outcome);
            Assert.Contains(new Tag("end", "client_left"), record.Tags);
            Assert.True(Count(record, "input.text").Steps > 0);
            long text = events switch { 2 => 1, 3 => 3, _ => 0 }; // "Eins", "Eins zwei"
            Assert.Equal(text, Count(record, "output.text").Steps);
            await upstream.Left.Task.WaitAsync(TimeSpan.FromSeconds(30));
            await server.AssertNoHoldAsync();
        }
    }

    // What is left comes only once the gateway has gone.
    private static ScriptedUpstream StreamThatWaits(string[] pieces, Task wait) => new(async (_, output, cancel) =>
    {
        await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
        foreach (string piece in pieces)
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(piece)), cancel);
        }

        await wait;
        while (true)
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(": on\n\n"u8), cancel);
        }
    });

    // new-api#4344: the upstream bills what the client did not wait for.
    [Fact]
    public async Task WholeAnswer_ClientLeavesBefore_IsRecordedInFull()
    {
        var asked = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            asked.SetResult();
            await gone.Task;
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.WholeAnswer(Whole(), 200, ""), cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        using var leave = new CancellationTokenSource();
        using HttpRequestMessage request = Request("/v1/chat/completions", Chat());
        Task<HttpResponseMessage> call = server.Client.SendAsync(request, leave.Token);
        await asked.Task;
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        gone.SetResult();

        UsageRecord record = await server.RecordAsync();

        Assert.Equal((3, EvidenceGrade.Reported), Count(record, "output.text"));
        await server.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_WithoutItsEnd_IsCutAndMeasured(bool connectionEndsWell)
    {
        await using var upstream = ScriptedUpstream.Stream(ChatPieces[..3], connectionEndsWell);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        if (connectionEndsWell)
        {
            (_, string body, _) = await server.ChatAsync(stream: true);
            Assert.Equal(string.Concat(ChatPieces[..3]), body);
        }
        else
        {
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.ChatAsync(stream: true));
        }

        UsageRecord record = await server.RecordAsync();
        Assert.Equal(Outcome.Cut, record.Outcome);
        Assert.Equal((3, EvidenceGrade.Estimated), Count(record, "output.text"));
        Assert.Contains(new Tag("usage", "missing"), record.Tags);
        await server.AssertNoHoldAsync();
    }

    // higress#2187, #2335: no usage is not no use. new-api#5290: an error's text is no output.
    [Fact]
    public async Task WholeAnswer_WithoutUsage_IsEstimated()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole(usage: ""));
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        _ = await server.ChatAsync();

        UsageRecord record = await server.RecordAsync();
        Assert.Equal((3, EvidenceGrade.Estimated), Count(record, "output.text"));
        Assert.Equal(EvidenceGrade.Estimated, Count(record, "input.text").Grade);
        Assert.Equal(Outcome.Ok, record.Outcome);
    }

    // litellm#37992: what is said to be zero is zero.
    [Fact]
    public async Task WholeAnswer_UsageOfZero_StaysZero()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(
            Whole("\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}"));
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        _ = await server.ChatAsync();

        UsageRecord record = await server.RecordAsync();
        Assert.Equal((0, 0), (record.Tokens(Direction.Input), record.Tokens(Direction.Output)));
    }

    [Theory]
    [InlineData("{\"error\":{\"message\":\"a long text about what went wrong\",\"type\":\"server_error\"}}", 200)]
    [InlineData("{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\"}}", 400)]
    public async Task WholeAnswer_ThatIsAnError_PassesAndCostsNothing(string error, int upstreamStatus)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(error, upstreamStatus);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (int status, string body, _) = await server.ChatAsync();

        Assert.Equal((upstreamStatus, error), (status, body));
        (UsageRecord record, var result) = Assert.Single(await server.RecordsAsync(1));
        Assert.Equal((Outcome.Failed, 0), (record.Outcome, record.Counts.Length));
        Assert.Empty(result.Postings);
        await server.AssertNoHoldAsync();
    }

    [Fact]
    public async Task Stream_ErrorAfterSomeText_IsCut()
    {
        string[] pieces = [.. ChatPieces[..3], "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"];
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(pieces);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (_, string body, _) = await server.ChatAsync(stream: true);

        Assert.Equal(string.Concat(pieces), body);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((Outcome.Cut, 3), (record.Outcome, Count(record, "output.text").Steps));
    }

    // tensorzero#5481, langfuse#8808: Anthropic's usage in streams is cumulative.
    [Fact]
    public async Task AnthropicStream_CumulativeUsage_IsNotSummed()
    {
        string[] pieces =
        [
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","
            + "\"type\":\"message\","
            + "\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1,"
            + "\"cache_read_input_tokens\":4,\"cache_creation_input_tokens\":0}}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
            + "\"text_delta\",\"text\":\"Hi\"}}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":5}}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
            + "\"usage\":{\"output_tokens\":8}}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ];
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(pieces);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: "anthropic"));

        (_, string body, _) = await server.PostAsync(
            "/v1/messages",
            "{\"model\":\"m\",\"max_tokens\":50,\"stream\":true,"
            + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");

        Assert.Equal(string.Concat(pieces), body);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((9, 4, 8), (Count(record, "input.text").Steps, Count(record, "input.text.cache_read").Steps,
            Count(record, "output.text").Steps));
        Assert.Equal(Outcome.Ok, record.Outcome);
    }

    [Fact]
    public async Task GeminiStream_OfEvents_PassesAndIsCounted()
    {
        const string Event = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}],\"role\":\"model\"},"
            + "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":6,\"candidatesTokenCount\":2,"
            + "\"thoughtsTokenCount\":4,\"totalTokenCount\":12},\"modelVersion\":\"m\"}\r\n\r\n";
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(Event);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: "gemini"));

        (_, string body, _) = await server.PostAsync(
            "/v1beta/models/m:streamGenerateContent?alt=sse", "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}");

        Assert.Equal(Event, body);
        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal("/v1beta/models/m:streamGenerateContent?alt=sse", call.Path);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((6, 2, 4), (Count(record, "input.text").Steps, Count(record, "output.text").Steps,
            Count(record, "output.text.reasoning").Steps));
    }
}
