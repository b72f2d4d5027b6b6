using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ciyuan.Parties;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Gateway.Translation;
using static Ciyuan.ServerTests.Gateway.Translation.Translating;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>OpenAI's responses, said to the two other protocols.</summary>
public sealed class ResponsesTests
{
    private static readonly CallRoute Route = new(UpstreamProtocol.OpenAI, CallKind.Responses, "/responses");

    private static Exchange ReadCall(string body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        return SpokenCall.Read(Route, Node.Top(document.RootElement));
    }

    [Fact]
    public void Call_WithToolsAndAPicture_SaysTheSameToAnthropic()
    {
        const string Call = """
            {"model":"m","instructions":"Be brief.","max_output_tokens":50,"store":false,"reasoning":{"effort":"low"},
             "text":{"format":{"type":"json_schema","name":"a","schema":{"type":"object"},"strict":true}},
             "tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false}],
             "tool_choice":{"type":"function","name":"f"},
             "input":[
              {"role":"user","content":[{"type":"input_text","text":"What?"},
               {"type":"input_image","detail":"auto","image_url":"data:image/png;base64,AA=="}]},
              {"type":"reasoning","id":"rs_1","summary":[]},
              {"type":"function_call","call_id":"toolu_1__cya4_U0lH","name":"f","arguments":"{\"x\":1}"},
              {"type":"function_call_output","call_id":"toolu_1__cya4_U0lH","output":"12"}]}
            """;

        Exchange exchange = ReadCall(Call);
        string written = Write(UpstreamProtocol.Anthropic, exchange);

        AssertSame(
            """
            {"model":"m","system":"Be brief.","max_tokens":50,
             "thinking":{"type":"adaptive"},
             "output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}},
             "tools":[{"name":"f","input_schema":{"type":"object"},"strict":false}],
             "tool_choice":{"type":"tool","name":"f"},
             "messages":[
              {"role":"user","content":[{"type":"text","text":"What?"},
               {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
              {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"SIG"},
               {"type":"tool_use","id":"toolu_1","name":"f","input":{"x":1}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"12"}]}]}
            """,
            written);
        Assert.Equal(["input[1]", "store"], exchange.Dropped);
    }

    [Theory]
    [InlineData("\"input\":\"a\",\"previous_response_id\":\"r\"", "previous_response_id")]
    [InlineData("\"input\":\"a\",\"conversation\":\"c\"", "conversation")]
    [InlineData("\"input\":\"a\",\"background\":true", "background")]
    [InlineData("\"input\":\"a\",\"tools\":[{\"type\":\"web_search\"}]", "tools[0].type")]
    [InlineData("\"input\":[{\"type\":\"item_reference\",\"id\":\"i\"}]", "input[0].type")]
    [InlineData("\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"file_id\":\"f\"}]}]",
        "input[0].content[0]")]
    public void Call_ThatBuildsOnWhatOpenAIKeeps_NamesTheField(string fields, string field)
    {
        var refused = Assert.Throws<UncarriedException>(() => ReadCall($"{{\"model\":\"m\",{fields}}}"));

        Assert.Contains($"'{field}'", refused.Message);
    }

    [Fact]
    public void Stream_OfThoughtsTextAndACall_HasItsEventsInItsOrder()
    {
        var frame = new AnswerFrame("X", 7, "m", () => new AnswerUsage(6, 4, 0, 3, 2));
        using var writer = new ResponsesWriter(frame, streams: true);
        foreach (AnswerEvent found in (AnswerEvent[])
        [
            new(AnswerEventKind.Begin, "m"), new(AnswerEventKind.Thought, "hm"), new(AnswerEventKind.Text, "Hel"),
            new(AnswerEventKind.Text, "lo"), new(AnswerEventKind.Proof, "SIG") { Maker = Signature.Anthropic },
            new(AnswerEventKind.Call, "a") { Name = "f" }, new(AnswerEventKind.Arguments, "{}"),
            new(AnswerEventKind.Stop) { Stop = StopReason.Tools },
        ])
        {
            writer.Write(found);
        }

        writer.End();

        JsonNode[] events =
            [.. EventsOf(Encoding.UTF8.GetString(writer.Output.WrittenSpan)).Select(e => JsonNode.Parse(e)!)];
        Assert.Equal(
            [
                "created", "in_progress",
                "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
                "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
                "output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.done",
                "content_part.done", "output_item.done", "output_item.added", "function_call_arguments.delta",
                "function_call_arguments.done", "output_item.done", "completed",
            ],
            events.Select(e => e["type"]!.ToString()["response.".Length..]));
        Assert.Equal(Enumerable.Range(0, events.Length), events.Select(e => e["sequence_number"]!.GetValue<int>()));
        JsonNode response = events[^1]["response"]!;
        Assert.Equal("Hello", response["output"]![1]!["content"]![0]!["text"]!.ToString());
        Assert.Equal("a__cya4_U0lH", response["output"]![2]!["call_id"]!.ToString());
        AssertSame(
            """
            {"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":0},"output_tokens":5,
             "output_tokens_details":{"reasoning_tokens":2},"total_tokens":15}
            """,
            response["usage"]!.ToJsonString());
    }

    [Fact]
    public void WholeAnswer_AtItsLimit_IsIncomplete()
    {
        using var writer = new ResponsesWriter(new AnswerFrame("X", 7, "m", () => null), streams: false);
        writer.Write(new AnswerEvent(AnswerEventKind.Text, "Eins"));
        writer.Write(new AnswerEvent(AnswerEventKind.Stop) { Stop = StopReason.Length });

        writer.End();

        JsonNode response = JsonNode.Parse(Encoding.UTF8.GetString(writer.Output.WrittenSpan))!;
        Assert.Equal("incomplete", response["status"]!.ToString());
        Assert.Equal("max_output_tokens", response["incomplete_details"]!["reason"]!.ToString());
        Assert.Equal("Eins", response["output"]![0]!["content"]![0]!["text"]!.ToString());
    }
}
