using System.IO.Compression;
using System.Text;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Answers that are allowed, or nearly, and seldom seen: each reaches the client, and is counted.</summary>
public sealed class UnusualAnswerTests
{
    private const string Usage = "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}";

    private const string Text = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Eins zwei\"}}]}\n\n";

    private const string Stop = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

    private const string UsageAlone = "data: {\"choices\":[]," + Usage + "}\n\n";

    private const string Done = "data: [DONE]\n\n";

    private const string Whole = "{\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"content\":\"Eins zwei\"},"
        + "\"finish_reason\":\"stop\"}]," + Usage + "}";

    private const string GeminiUsage = "\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":3,"
        + "\"totalTokenCount\":10}";

    private static ScriptedUpstream Bytes(string headers, byte[] body) => new((_, output, cancel) =>
        ScriptedUpstream.SendAsync(output, [.. Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\n{headers}Content-Length: {body.Length}\r\n\r\n"), .. body], cancel));

    private static async Task<UsageRecord> RecordOfAsync(ScriptedUpstream upstream, bool stream, string expected)
    {
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        (int status, string body, _) = await server.ChatAsync(stream);
        Assert.Equal((200, expected), (status, body));
        await server.AssertNoHoldAsync();
        return await server.RecordAsync();
    }

    private static void AssertReported(UsageRecord record)
    {
        Assert.Equal((7, EvidenceGrade.Reported), Count(record, "input.text"));
        Assert.Equal((3, EvidenceGrade.Reported), Count(record, "output.text"));
        Assert.Equal(Outcome.Ok, record.Outcome);
    }

    [Fact]
    public async Task Redirection_IsNotFollowedNorHandedOnAndCostsNothing()
    {
        await using ScriptedUpstream upstream =
            ScriptedUpstream.Whole("", 302, "Location: http://169.254.169.254/\r\n");
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (int status, string body, HttpResponseMessage answer) = await server.ChatAsync();

        Assert.Equal(502, status);
        Assert.Contains("redirects", body);
        Assert.Null(answer.Headers.Location);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal(Outcome.Failed, record.Outcome);
        Assert.Empty(record.Counts);
    }

    [Fact]
    public async Task Stream_UpstreamBreaksOffAtOnce_ClientGetsWhatCameAndNoEnd()
    {
        await using var upstream = ScriptedUpstream.Stream([Text], endsWell: false);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        using HttpRequestMessage request = Request("/v1/chat/completions", Chat(stream: true));

        using HttpResponseMessage answer = await server.Client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        byte[] came = new byte[Text.Length];
        await body.ReadExactlyAsync(came);

        Assert.Equal(Text, Encoding.UTF8.GetString(came));
        await Assert.ThrowsAnyAsync<IOException>(async () => await body.ReadExactlyAsync(new byte[1]));
        Assert.Equal(Outcome.Cut, (await server.RecordAsync()).Outcome);
    }

    [Theory]
    [InlineData("Content-Type: Text/Event-Stream; charset=utf-8\r\n")]
    [InlineData("Content-Type: text/plain\r\n")]
    [InlineData("")]
    public async Task Stream_TypeSaidInAnotherWayOrNotAtAll_IsCounted(string type)
    {
        await using ScriptedUpstream upstream = Bytes(type, Encoding.UTF8.GetBytes(Text + Stop + UsageAlone + Done));

        AssertReported(await RecordOfAsync(upstream, stream: true, Text + Stop + Done));
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("gzip", false)]
    [InlineData("br", true)]
    [InlineData("br", false)]
    [InlineData("deflate", true)]
    [InlineData("deflate", false)]
    [InlineData("gzip, br", false)]
    public async Task Answer_PackedThoughAskedForPlain_PassesPackedAndIsCounted(string packing, bool stream)
    {
        byte[] packed = Encoding.UTF8.GetBytes(stream ? Text + Stop + UsageAlone + Done : Whole);
        foreach (string way in packing.Split(", "))
        {
            packed = Pack(packed, way);
        }

        string type = stream ? "text/event-stream" : "application/json";
        await using ScriptedUpstream upstream =
            Bytes($"Content-Type: {type}\r\nContent-Encoding: {packing}\r\n", packed);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        using HttpRequestMessage request = Request("/v1/chat/completions", Chat(stream));

        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        Assert.Equal(packed, await answer.Content.ReadAsByteArrayAsync());
        AssertReported(await server.RecordAsync());
    }

    private static byte[] Pack(byte[] plain, string way)
    {
        var packed = new MemoryStream();
        using (Stream packing = way switch
        {
            "gzip" => new GZipStream(packed, CompressionMode.Compress),
            "br" => new BrotliStream(packed, CompressionMode.Compress),
            _ => new ZLibStream(packed, CompressionMode.Compress),
        })
        {
            packing.Write(plain);
        }

        return packed.ToArray();
    }

    // OpenRouter and DeepSeek send comments for as long as a call waits for its turn.
    [Fact]
    public async Task Stream_CommentWhileTheCallWaits_GoesOutAtOnce()
    {
        const string Comment = ": keep-alive\n\n";
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            byte[] head = [.. ScriptedUpstream.StreamHead, .. ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(Comment))];
            await ScriptedUpstream.SendAsync(output, head, cancel);
            await seen.Task.WaitAsync(cancel);
            byte[] rest = ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(Text + Stop + UsageAlone + Done));
            await ScriptedUpstream.SendAsync(output, [.. rest, .. "0\r\n\r\n"u8], cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        using HttpRequestMessage request = Request("/v1/chat/completions", Chat(stream: true));

        using HttpResponseMessage answer = await server.Client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        byte[] came = new byte[Comment.Length];
        await body.ReadExactlyAsync(came).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        seen.SetResult();

        Assert.Equal(Comment, Encoding.UTF8.GetString(came));
        Assert.Equal(Text + Stop + Done, await new StreamReader(body).ReadToEndAsync());
        AssertReported(await server.RecordAsync());
    }

    [Theory]
    [InlineData("{\"error\":{\"message\":\"overloaded\"}}")]
    [InlineData("{\"object\":\"error\",\"message\":\"overloaded\",\"code\":500}")]
    public async Task Stream_ErrorThenDone_IsCutAfterTextAndFailedWithout(string error)
    {
        string said = $"data: {error}\n\n{Done}";
        await using ScriptedUpstream late = ScriptedUpstream.Stream(Text + said);
        await using ScriptedUpstream early = ScriptedUpstream.Stream(said);

        UsageRecord cut = await RecordOfAsync(late, stream: true, Text + said);
        UsageRecord failed = await RecordOfAsync(early, stream: true, said);

        Assert.Equal((Outcome.Cut, 3), (cut.Outcome, Count(cut, "output.text").Steps));
        Assert.Equal(Outcome.Failed, failed.Outcome);
        Assert.Empty(failed.Counts);
    }

    [Theory]
    [InlineData("[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Eins zwei\"}]},\"finishReason\":\"STOP\"}],"
        + GeminiUsage + "}", Outcome.Cut, 7, 3)]
    [InlineData("[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Eins\"}]}}]," + GeminiUsage
        + "},{\"candidates\":[{\"content\":{\"pa", Outcome.Cut, 7, 3)]
    [InlineData("[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Eins\"}]}}]," + GeminiUsage
        + "},{\"error\":{\"code\":503}}]", Outcome.Cut, 7, 3)]
    [InlineData("[{\"error\":{\"code\":503}}]", Outcome.Failed, 0, 0)]
    [InlineData("[{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{\"promptTokenCount\":7,"
        + "\"totalTokenCount\":7}}]", Outcome.Ok, 7, 0)]
    public async Task GeminiList_CutOrWithAnErrorOrBlocked_KeepsWhatWasSaid(
        string list, Outcome outcome, long input, long output)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(list);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: "gemini"));

        (int status, string body, _) = await server.PostAsync(
            "/v1beta/models/m:streamGenerateContent", "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}");

        Assert.Equal((200, list), (status, body));
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((outcome, input, output),
            (record.Outcome, Count(record, "input.text").Steps, Count(record, "output.text").Steps));
    }

    [Fact]
    public async Task Headers_BeyondAscii_PassByteForByteAndThoseWithControlCharactersNot()
    {
        await using ScriptedUpstream upstream =
            ScriptedUpstream.Whole(Whole, headers: "X-Name: é\r\nX-Odd: a\u0001b\r\n");
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (int status, _, HttpResponseMessage answer) = await server.ChatAsync();

        Assert.Equal(200, status);
        string said = answer.Headers.GetValues("X-Name").Single(); // read as Latin-1
        Assert.Equal("é", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(said)));
        Assert.False(answer.Headers.Contains("X-Odd"));
        AssertReported(await server.RecordAsync());
    }

    [Fact]
    public async Task WholeAnswer_WithAByteOrderMark_IsCounted()
    {
        await using ScriptedUpstream upstream = Bytes(
            "Content-Type: application/json\r\n", [.. "\uFEFF"u8, .. Encoding.UTF8.GetBytes(Whole)]);

        AssertReported(await RecordOfAsync(upstream, stream: false, Whole));
    }

    [Fact]
    public async Task Embedding_OfTokensByNumberWithoutUsage_IsEstimatedByThem()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole("{\"object\":\"list\",\"data\":[]}");
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        _ = await server.PostAsync("/v1/embeddings", "{\"model\":\"m\",\"input\":[[1,22,333],[4444]]}");

        Assert.Equal((4, EvidenceGrade.Estimated), Count(await server.RecordAsync(), "input.text"));
    }
}
