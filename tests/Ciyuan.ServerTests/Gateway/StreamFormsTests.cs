using System.Text;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Streams of each protocol, cut, left and damaged at every place: what the client gets is what was sent, and
/// each call ends in one record.</summary>
public sealed class StreamFormsTests
{
    /// <summary>A protocol's stream, and how it is asked for.</summary>
    private sealed record Form(string Protocol, string Path, string Body, string[] Pieces);

    private static string Chat(string delta, string finish = "null") =>
        "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":"
        + finish + "}]}\n\n";

    private static string Named(string name, string fields) =>
        "event: " + name + "\ndata: {\"type\":\"" + name + "\"," + fields + "}\n\n";

    private static string Gemini(string text, string rest = "") =>
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" + text + "\"}],\"role\":\"model\"}" + rest
        + ",\"modelVersion\":\"m\"}\r\n\r\n";

    // 6 tokens in, 5 out; the text is "Grüße, 词元" in two pieces: 3 bytes a piece of ASCII and 4 other characters.
    private static readonly Form[] Forms =
    [
        new("openai", "/v1/chat/completions",
            "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":[{\"role\":"
            + "\"user\",\"content\":\"Hi\"}]}",
            [
                Chat("{\"role\":\"assistant\",\"content\":\"\"}"), Chat("{\"content\":\"Grüße, \"}"),
                Chat("{\"content\":\"词元\"}"), Chat("{}", "\"stop\""),
                "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":6,"
                + "\"completion_tokens\":5,\"total_tokens\":11}}\n\n",
                "data: [DONE]\n\n",
            ]),
        new("openai", "/v1/responses", "{\"model\":\"m\",\"stream\":true,\"input\":\"Hi\"}",
            [
                Named("response.created", "\"response\":{\"id\":\"r\",\"model\":\"m\",\"status\":\"in_progress\"}"),
                Named("response.output_text.delta", "\"delta\":\"Grüße, \""),
                Named("response.output_text.delta", "\"delta\":\"词元\""),
                Named("response.output_text.done", "\"text\":\"Grüße, 词元\""),
                Named("response.completed", "\"response\":{\"id\":\"r\",\"model\":\"m\",\"status\":\"completed\","
                    + "\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":"
                    + "\"Grüße, 词元\"}]}],\"usage\":{\"input_tokens\":6,\"output_tokens\":5,\"total_tokens\":11}}"),
            ]),
        new("anthropic", "/v1/messages",
            "{\"model\":\"m\",\"max_tokens\":50,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
            [
                Named("message_start", "\"message\":{\"id\":\"a\",\"type\":\"message\",\"role\":\"assistant\","
                    + "\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":6,\"output_tokens\":1}}"),
                Named("content_block_start", "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"),
                Named("content_block_delta", "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Grüße, \"}"),
                Named("content_block_delta", "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"词元\"}"),
                Named("content_block_stop", "\"index\":0"),
                Named("message_delta",
                    "\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}"),
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            ]),
        new("gemini", "/v1beta/models/m:streamGenerateContent?alt=sse",
            "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}",
            [
                Gemini("Grüße, ", "}]"), Gemini("词元", "}]"),
                Gemini("", ",\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":6,"
                    + "\"candidatesTokenCount\":5,\"totalTokenCount\":11}"),
            ]),
    ];

    public static TheoryData<int> EachForm => [.. Enumerable.Range(0, Forms.Length)];

    // Cut in two at every byte: also within a character, a line end, a number.
    [Theory]
    [MemberData(nameof(EachForm))]
    [Trait("Takes", "Long")]
    public async Task Stream_SplitAtEveryByte_PassesUnchangedAndIsCounted(int form)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(Forms[form].Pieces));
        int at = 0;
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            int cut = Interlocked.Increment(ref at);
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(bytes.AsSpan(0, cut)), cancel);
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(bytes.AsSpan(cut)), cancel);
            await ScriptedUpstream.SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: Forms[form].Protocol));

        for (int cut = 1; cut < bytes.Length; cut++)
        {
            (_, string body, _) = await server.PostAsync(Forms[form].Path, Forms[form].Body);
            Assert.Equal(string.Concat(Forms[form].Pieces), body);
        }

        List<(UsageRecord Record, Ledger.UsageResult)> records = await server.RecordsAsync(bytes.Length - 1);
        Assert.Equal(bytes.Length - 1, records.Count);
        Assert.All(records, r => Assert.Equal((Outcome.Ok, 6, 5),
            (r.Record.Outcome, r.Record.Tokens(Direction.Input), r.Record.Tokens(Direction.Output))));
        await server.AssertNoHoldAsync();
    }

    public static TheoryData<int, string, int> EachFormAndLineEnd
    {
        get
        {
            var data = new TheoryData<int, string, int>();
            foreach (int form in Enumerable.Range(0, Forms.Length))
            {
                foreach (string ends in (string[])["\n", "\r\n", "\r", "\r\n \n \r"])
                {
                    data.Add(form, ends, 7);
                    data.Add(form, ends, 1);
                }
            }

            return data;
        }
    }

    // Line ends of every kind, also mixed within one stream, in pieces of one and of seven bytes.
    [Theory]
    [MemberData(nameof(EachFormAndLineEnd))]
    public async Task Stream_WithOtherLineEnds_PassesUnchangedAndIsCounted(int form, string ends, int pieceLength)
    {
        string[] kinds = ends.Split(' ');
        string[] lines = string.Concat(Forms[form].Pieces).Replace("\r", "", StringComparison.Ordinal).Split('\n');
        string stream = string.Concat(
            lines.Select((line, i) => line + (i == lines.Length - 1 ? "" : kinds[i % kinds.Length])));
        byte[] bytes = Encoding.UTF8.GetBytes(stream);
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            foreach (byte[] piece in bytes.Chunk(pieceLength))
            {
                await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(piece), cancel);
            }

            await ScriptedUpstream.SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: Forms[form].Protocol));

        (_, string body, _) = await server.PostAsync(Forms[form].Path, Forms[form].Body);

        Assert.Equal(stream, body);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((Outcome.Ok, 6, 5),
            (record.Outcome, record.Tokens(Direction.Input), record.Tokens(Direction.Output)));
    }

    // litellm#14457, new-api#7062, #5235: who leaves after any piece is charged once, for what came.
    [Theory]
    [MemberData(nameof(EachForm))]
    [Trait("Takes", "Long")]
    public async Task Stream_ClientLeavesAfterEachPiece_IsRecordedOnce(int form)
    {
        string[] pieces = Forms[form].Pieces;
        int calls = 0;
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            int sent = Interlocked.Increment(ref calls);
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            await ScriptedUpstream.SendAsync(
                output, ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(string.Concat(pieces[..sent]))), cancel);
            while (true)
            {
                // Until the gateway is gone; it goes because the client did.
                await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(": on\n\n"u8), cancel);
            }
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: Forms[form].Protocol));

        for (int sent = 1; sent <= pieces.Length; sent++)
        {
            using HttpRequestMessage request = Request(Forms[form].Path, Forms[form].Body);
            using HttpResponseMessage answer = await server.Client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead);
            await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(
                new byte[Encoding.UTF8.GetByteCount(string.Concat(pieces[..sent]))]);
        }

        List<(UsageRecord Record, Ledger.UsageResult)> records = await server.RecordsAsync(pieces.Length);
        Assert.Equal(pieces.Length, records.Count);
        Assert.All(records, r => Assert.Contains(new Tag("end", "client_left"), r.Record.Tags));
        Assert.All(records, r => Assert.InRange(r.Record.Tokens(Direction.Output), 0, 7));
        Assert.True(records.Max(r => r.Record.Tokens(Direction.Output)) >= 5);
        await server.AssertNoHoldAsync();
    }

    // The end is missing: the connection ends well, or breaks, after each piece.
    [Theory]
    [MemberData(nameof(EachForm))]
    public async Task Stream_EndsAfterEachPiece_IsCutUnlessItsEndCame(int form)
    {
        string[] pieces = Forms[form].Pieces;
        int calls = 0;
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            int sent = Interlocked.Increment(ref calls);
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            await ScriptedUpstream.SendAsync(
                output, ScriptedUpstream.Chunk(Encoding.UTF8.GetBytes(string.Concat(pieces[..sent]))), cancel);
            await ScriptedUpstream.SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: Forms[form].Protocol));

        for (int sent = 1; sent <= pieces.Length; sent++)
        {
            (_, string body, _) = await server.PostAsync(Forms[form].Path, Forms[form].Body);
            Assert.Equal(string.Concat(pieces[..sent]), body);
        }

        List<(UsageRecord Record, Ledger.UsageResult)> records = await server.RecordsAsync(pieces.Length);
        Assert.Equal((Outcome.Cut, Outcome.Ok), (records[0].Record.Outcome, records[^1].Record.Outcome));
        Assert.Equal(5, records[^1].Record.Tokens(Direction.Output));
        await server.AssertNoHoldAsync();
    }

    // An error in the place of an answer, with status 200; and packed without end, where plain was asked for.
    [Theory]
    [MemberData(nameof(EachForm))]
    public async Task Stream_ErrorInThePlaceOfAnAnswer_CostsNothing(int form)
    {
        string error = Forms[form].Protocol == "anthropic"
            ? Named("error", "\"error\":{\"type\":\"overloaded_error\","
                + "\"message\":\"a long text about what is wrong\"}")
            : "data: {\"error\":{\"code\":503,\"message\":\"a long text about what is wrong\"}}\n\n";
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(error);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: Forms[form].Protocol));

        (_, string body, _) = await server.PostAsync(Forms[form].Path, Forms[form].Body);

        Assert.Equal(error, body);
        (UsageRecord record, Ledger.UsageResult result) = Assert.Single(await server.RecordsAsync(1));
        Assert.Equal((Outcome.Failed, 0), (record.Outcome, record.Counts.Length));
        Assert.Empty(result.Postings);
        await server.AssertNoHoldAsync();
    }
}
