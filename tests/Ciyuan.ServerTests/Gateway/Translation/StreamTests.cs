using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Parties;
using static Ciyuan.ServerTests.Gateway.Translation.Translating;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>Streams, event by event: a text, then a call of a tool whose arguments come in pieces.</summary>
public sealed class StreamTests
{
    private const string OpenAIHead =
        "\"id\":\"chatcmpl-X\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\"";

    private const string GeminiTail = "\"modelVersion\":\"m\",\"responseId\":\"X\"";

    /// <summary>What each upstream sends.</summary>
    private static string From(UpstreamProtocol protocol) => protocol switch
    {
        UpstreamProtocol.Anthropic => Events(
            """{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":6,"cache_read_input_tokens":4,"cache_creation_input_tokens":0,"output_tokens":1}}}""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""",
            """{"type":"ping"}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}""",
            """{"type":"content_block_stop","index":1}""",
            """{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":3}}""",
            """{"type":"message_stop"}"""),
        UpstreamProtocol.Gemini => Events(
            """{"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"totalTokenCount":10},"modelVersion":"m"}""",
            """{"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"index":0}],"modelVersion":"m"}""",
            """{"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f","args":{"x":1}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":3,"totalTokenCount":13},"modelVersion":"m"}"""),
        _ => Events(
            """{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}""",
            """{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}],"usage":null}""",
            """{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}],"usage":null}""",
            """{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null}],"usage":null}""",
            """{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]},"finish_reason":null}],"usage":null}""",
            """{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":null}],"usage":null}""",
            """{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":null}""",
            """{"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":4}}}""",
            "[DONE]"),
    };

    private static string Events(params string[] data) => string.Concat(data.Select(d => $"data: {d}\n\n"));

    private static string Chunk(string delta, string finish = "null") =>
        $"{{{OpenAIHead},\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,"
        + $"\"finish_reason\":{finish}}}]}}";

    private static string CallChunk(string arguments) =>
        Chunk($"{{\"tool_calls\":[{{\"index\":0,\"function\":{{\"arguments\":{arguments}}}}}]}}");

    private static string Part(string part) =>
        $"{{\"candidates\":[{{\"index\":0,\"content\":{{\"role\":\"model\",\"parts\":[{part}]}}}}],{GeminiTail}}}";

    private static string[] To(UpstreamProtocol protocol, bool inOnePiece, string usageAtStart) => protocol switch
    {
        UpstreamProtocol.Anthropic => ToAnthropic(inOnePiece, usageAtStart),
        UpstreamProtocol.Gemini => ToGemini,
        _ => ToOpenAI(inOnePiece),
    };

    private static string[] ToAnthropic(bool inOnePiece, string usageAtStart) =>
        [
            "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_X\",\"type\":\"message\",\"role\":\"assistant\","
            + "\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
            + $"\"usage\":{usageAtStart}}}}}",
            """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}""",
            .. (inOnePiece ? (string[])["{\\\"x\\\":1}"] : ["{\\\"x\\\":", "1}"]).Select(piece =>
                "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\","
                + $"\"partial_json\":\"{piece}\"}}}}"),
            """{"type":"content_block_stop","index":1}""",
            """{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":3}}""",
            """{"type":"message_stop"}""",
        ];

    private static string[] ToGemini =>
        [
            Part("{\"text\":\"Hel\"}"), Part("{\"text\":\"lo\"}"),
            Part("{\"functionCall\":{\"id\":\"a\",\"name\":\"f\",\"args\":{\"x\":1}}}"),
            "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\","
            + "\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":10,\"cachedContentTokenCount\":4,"
            + $"\"candidatesTokenCount\":3,\"totalTokenCount\":13}},{GeminiTail}}}",
        ];

    private static string[] ToOpenAI(bool inOnePiece) =>
        [
            Chunk("{\"role\":\"assistant\",\"content\":\"\"}"), Chunk("{\"content\":\"Hel\"}"),
            Chunk("{\"content\":\"lo\"}"),
            Chunk("{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                + "\"arguments\":\"\"}}]}"),
            .. inOnePiece ? (string[])[CallChunk("\"{\\\"x\\\":1}\"")]
                : [CallChunk("\"{\\\"x\\\":\""), CallChunk("\"1}\"")],
            Chunk("{}", "\"tool_calls\""),
            $"{{{OpenAIHead},\"choices\":[],\"usage\":"
            + """{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":0}}}""",
            "[DONE]",
        ];

    public static TheoryData<UpstreamProtocolName, UpstreamProtocolName> Directions
    {
        get
        {
            var rows = new TheoryData<UpstreamProtocolName, UpstreamProtocolName>();
            foreach (UpstreamProtocol from in Protocols)
            {
                foreach (UpstreamProtocol to in Protocols.Where(to => to != from))
                {
                    rows.Add((UpstreamProtocolName)from, (UpstreamProtocolName)to);
                }
            }

            return rows;
        }
    }

    /// <summary>Protocols under names that a runner of tests can show.</summary>
    public enum UpstreamProtocolName
    {
        OpenAI = 0,
        Anthropic = 1,
        Gemini = 2,
    }

    [Theory]
    [MemberData(nameof(Directions))]
    public void Stream_InAnotherProtocol_HasItsEventsInItsOrder(UpstreamProtocolName from, UpstreamProtocolName to)
    {
        byte[] stream = Encoding.UTF8.GetBytes(From((UpstreamProtocol)from));
        const string Unknown =
            "{\"input_tokens\":0,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":0}";
        const string Known =
            "{\"input_tokens\":6,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":4,\"output_tokens\":0}";
        string[] expected = To(
            (UpstreamProtocol)to, from == UpstreamProtocolName.Gemini,
            from == UpstreamProtocolName.Gemini ? Known : Unknown);

        string[] events = EventsOf(Stream((UpstreamProtocol)from, (UpstreamProtocol)to, stream, 16_384));

        Assert.Equal(expected.Length, events.Length);
        foreach ((string one, string other) in expected.Zip(events))
        {
            if (one == "[DONE]")
            {
                Assert.Equal(one, other);
                continue;
            }

            AssertSame(one, other);
        }
    }

    // Whatever pieces the connection makes of it.
    [Theory]
    [MemberData(nameof(Directions))]
    public void Stream_InPiecesOfAnyLength_IsTheSame(UpstreamProtocolName from, UpstreamProtocolName to)
    {
        byte[] stream = Encoding.UTF8.GetBytes(From((UpstreamProtocol)from));
        string whole = Stream((UpstreamProtocol)from, (UpstreamProtocol)to, stream, 16_384);

        for (int length = 1; length < 200; length++)
        {
            Assert.Equal(whole, Stream((UpstreamProtocol)from, (UpstreamProtocol)to, stream, length));
        }
    }

    // Each event, and each half of one: the caller sees what came, and then an error, never a good end.
    [Theory]
    [MemberData(nameof(Directions))]
    public void Stream_CutAnywhereBeforeItsEnd_EndsInAnError(UpstreamProtocolName from, UpstreamProtocolName to)
    {
        byte[] stream = Encoding.UTF8.GetBytes(From((UpstreamProtocol)from));
        string text = From((UpstreamProtocol)from);
        string ending = from switch
        {
            UpstreamProtocolName.Anthropic => "\"stop_reason\"",
            UpstreamProtocolName.Gemini => "\"finishReason\"",
            _ => "\"finish_reason\":\"tool_calls\"",
        };
        int end = text.IndexOf(ending, StringComparison.Ordinal);

        for (int length = 0; length < end; length += 7)
        {
            string cut = Stream((UpstreamProtocol)from, (UpstreamProtocol)to, stream[..length], 16_384);
            string last = EventsOf(cut)[^1];
            Assert.NotNull(JsonNode.Parse(last)!["error"]);
            Assert.DoesNotContain("[DONE]", cut);
            Assert.DoesNotContain("message_stop", cut);
            Assert.DoesNotContain("finishReason", cut);
        }
    }

    [Theory]
    [MemberData(nameof(Directions))]
    public void Stream_ErrorAfterSomeText_IsAnErrorInTheCallersShape(UpstreamProtocolName from, UpstreamProtocolName to)
    {
        string error = from switch
        {
            UpstreamProtocolName.Anthropic =>
                """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""",
            UpstreamProtocolName.Gemini => """{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}""",
            _ => """{"error":{"message":"Overloaded","type":"overloaded_error","code":null}}""",
        };
        int before = from == UpstreamProtocolName.Gemini ? 1 : 4;
        string start = string.Concat(From((UpstreamProtocol)from).Split("\n\n")[..before].Select(e => e + "\n\n"));
        byte[] stream = Encoding.UTF8.GetBytes(start + Events(error));

        string[] events = EventsOf(Stream((UpstreamProtocol)from, (UpstreamProtocol)to, stream, 16_384));

        AssertSame(
            to switch
            {
                UpstreamProtocolName.Anthropic =>
                    """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""",
                UpstreamProtocolName.Gemini =>
                    """{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}""",
                _ => """{"error":{"message":"Overloaded","type":"server_error","param":null,"code":null}}""",
            },
            events[^1]);
        Assert.Contains("Hel", string.Concat(events));
    }

    [Fact]
    public void Stream_ForGeminiWithoutEvents_IsOneList()
    {
        byte[] stream = Encoding.UTF8.GetBytes(From(UpstreamProtocol.OpenAI));

        string list = Stream(UpstreamProtocol.OpenAI, UpstreamProtocol.Gemini, stream, 50, asEvents: false);

        JsonArray parts = JsonNode.Parse(list)!.AsArray();
        Assert.Equal(4, parts.Count);
        Assert.Equal("STOP", parts[3]!["candidates"]![0]!["finishReason"]!.ToString());
    }

    [Fact]
    public void Stream_OfTheToolThatStandsForJson_IsText()
    {
        byte[] stream = Encoding.UTF8.GetBytes(Events(
            """{"type":"message_start","message":{"model":"m","usage":{"input_tokens":6,"output_tokens":1}}}""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"json_answer","input":{}}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"1}"}}""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":3}}""",
            """{"type":"message_stop"}"""));

        string written = Stream(UpstreamProtocol.Anthropic, UpstreamProtocol.OpenAI, stream, 16_384, byTool: true);

        string[] events = EventsOf(written);
        AssertSame(Chunk("{\"content\":\"{\\\"x\\\":\"}"), events[1]);
        AssertSame(Chunk("{\"content\":\"1}\"}"), events[2]);
        AssertSame(Chunk("{}", "\"stop\""), events[3]);
        Assert.DoesNotContain("tool_calls", written);
    }

    // A proof goes into the id of the call that it led to, and so comes back.
    [Fact]
    public void Stream_WithAProofOfThoughts_CarriesItInTheIdOfTheCall()
    {
        byte[] stream = Encoding.UTF8.GetBytes(Events(
            """{"type":"message_start","message":{"model":"m","usage":{"input_tokens":6,"output_tokens":1}}}""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG"}}""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"RED"}}""",
            """{"type":"content_block_stop","index":1}""",
            """{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}""",
            """{"type":"content_block_stop","index":2}""",
            """{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":3}}""",
            """{"type":"message_stop"}"""));

        string[] events = EventsOf(Stream(UpstreamProtocol.Anthropic, UpstreamProtocol.OpenAI, stream, 16_384));

        AssertSame(Chunk("{\"reasoning_content\":\"hm\"}"), events[1]);
        JsonNode call = JsonNode.Parse(events[2])!["choices"]![0]!["delta"]!["tool_calls"]![0]!;
        string body = new JsonObject
        {
            ["model"] = "m",
            ["messages"] = new JsonArray(new JsonObject
            {
                ["role"] = "assistant",
                ["tool_calls"] = new JsonArray(new JsonObject
                {
                    ["id"] = call["id"]!.ToString(),
                    ["function"] = new JsonObject { ["name"] = "f", ["arguments"] = "{}" },
                }),
            }),
        }.ToJsonString();
        string again = Write(UpstreamProtocol.Anthropic, Read(UpstreamProtocol.OpenAI, body));
        AssertSame(
            """[{"type":"thinking","thinking":"","signature":"SIG"},{"type":"redacted_thinking","data":"RED"},{"type":"tool_use","id":"a","name":"f","input":{}}]""",
            JsonNode.Parse(again)!["messages"]![0]!["content"]!.ToJsonString());
    }
}
