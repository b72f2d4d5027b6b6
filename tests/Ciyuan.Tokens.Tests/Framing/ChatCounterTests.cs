using System.Text;
using System.Text.Json;
using Ciyuan.Tokens.Framing;
using Ciyuan.Tokens.Media;
using Ciyuan.Tokens.Tests.Media;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Framing;

public sealed class ChatCounterTests
{
    private const string Weather = """
        {"type":"function","function":{"name":"get_current_weather","description":
        "Get the current weather in a given location","parameters":{"type":"object","properties":{"location":{"type":
        "string","description":"The city and state, e.g. San Francisco, CA"},"unit":{"type":"string","description":
        "The unit of temperature to return","enum":["celsius","fahrenheit"]}},"required":["location"]}}}
        """;

    private static readonly ChatCounter Counter = ChatCounter.Default;

    [Fact]
    public void Count_OfRequestsInOpenTemplates_EqualsTheTemplatesThemselves()
    {
        int bytes = 0;
        int tokens = 0;
        foreach (string line in Fixtures.Lines("chat-templates.jsonl"))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            string family = root.GetProperty("family").GetString()!;
            ChatRequest request = ChatRequestReader.Read(
                Encoding.UTF8.GetBytes(root.GetProperty("body").GetRawText()), ChatBodyForm.OpenAiChat);
            ChatCount written = Counter.Count(request, utf8 => utf8.Length);

            Assert.True(root.GetProperty("bytes").GetInt64() == written.Total, $"{family}: {line}");
            Assert.Equal(0, written.Image);
            bytes++;
            if (VocabularyCatalog.Shipped.Has(family))
            {
                Assert.Equal((family, root.GetProperty("tokens").GetInt64()), (family, Counter.Count(request).Total));
                tokens++;
            }
        }

        Assert.Equal((91, 52), (bytes, tokens));
    }

    [Theory] // the OpenAI cookbook, "How to count tokens with tiktoken": what the API answered
    [InlineData("gpt-3.5-turbo", 129)]
    [InlineData("gpt-4-0613", 129)]
    [InlineData("gpt-4", 129)]
    [InlineData("gpt-4o", 124)]
    [InlineData("gpt-4o-mini", 124)]
    public void Count_OfTheCookbooksMessages_IsWhatTheApiAnswered(string model, long tokens)
    {
        (string Role, string Name, string Text)[] said =
        [
            ("system", "",
                "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."),
            ("system", "example_user", "New synergies will help drive top-line growth."),
            ("system", "example_assistant", "Things working well together will increase revenue."),
            ("system", "example_user", "Let's circle back when we have more bandwidth to touch base on opportunities "
                + "for increased leverage."),
            ("system", "example_assistant", "Let's talk later when we're less busy about how to do better."),
            ("user", "", "This late pivot means we don't have time to boil the ocean for the client deliverable."),
        ];
        ChatRequest request = new()
        {
            Model = model,
            Messages = [.. said.Select(m => ChatMessage.Of(m.Role, m.Text) with { Name = m.Name })],
        };
        ChatCount count = Counter.Count(request);

        Assert.Equal(tokens, count.Total);
        Assert.Equal(MediaGrade.Documented, count.Grade);
        Assert.Equal(0, count.ErrorTokens);
    }

    [Theory] // the same, with a tool
    [InlineData("gpt-4", 105)]
    [InlineData("gpt-4o", 101)]
    public void Count_OfTheCookbooksTool_IsWithinItsErrorOfTheApi(string model, long tokens)
    {
        ChatRequest request = ChatRequestReader.Read(Encoding.UTF8.GetBytes($$"""
            {"model":"{{model}}","messages":[{"role":"system","content":
            "You are a helpful assistant that can answer to questions about the weather."},
            {"role":"user","content":"What's the weather like in Pittsburgh?"}],"tools":[{{Weather}}]}
            """));
        ChatCount count = Counter.Count(request);

        Assert.InRange(tokens, count.Total - count.ErrorTokens, count.Total + count.ErrorTokens);
        Assert.Equal(5, count.ErrorTokens);
    }

    [Theory] // hmarr/openai-chat-tokens, tests/token-counts.test.ts: what the API answered for gpt-3.5-turbo in 2023
    [InlineData("""[{"role":"user","content":"hello"}]""", "[]", 8)]
    [InlineData("""[{"role":"user","content":"hello world"}]""", "[]", 9)]
    [InlineData("""[{"role":"system","content":"hello:"}]""", "[]", 9)]
    [InlineData("""
        [{"role":"system","content":"# Important: you're the best robot"},{"role":"user","content":"hello robot"},
        {"role":"assistant","content":"hello world"}]
        """, "[]", 27)]
    [InlineData("""[{"role":"user","content":"hello"}]""", """[{"name":"foo","parameters":{"type":"object","properties":{}}}]""", 31)]
    [InlineData("""[{"role":"user","content":"hello"}]""", """
        [{"name":"foo","description":"Do a foo","parameters":{"type":"object","properties":{}}}]
        """, 36)]
    [InlineData("""[{"role":"user","content":"hello"}]""", """
        [{"name":"bing_bong","description":"Do a bing bong","parameters":{"type":"object","properties":
        {"foo":{"type":"string"},"bar":{"type":"number","description":"A number"}}}}]
        """, 57)]
    [InlineData("""[{"role":"user","content":"hello"}]""", """
        [{"name":"bing_bong","description":"Do a bing bong","parameters":{"type":"object","properties":{"foo":
        {"type":"object","properties":{"bar":{"type":"string","enum":["a","b","c"]},"baz":{"type":"boolean"}}}}}}]
        """, 68)]
    [InlineData("""
        [{"role":"user","content":"hello world"},{"role":"function","name":"do_stuff","content":"{}"}]
        """, "[]", 15)]
    [InlineData("""
        [{"role":"assistant","content":"","function_call":{"name":"do_stuff","arguments":
        "{\"foo\": \"bar\", \"baz\": 1.5}"}}]
        """, "[]", 26)]
    [InlineData("""
        [{"role":"system","content":"Hello:"},{"role":"system","content":"Hello"},{"role":"user","content":"Hi there"}]
        """, """[{"name":"do_stuff","parameters":{"type":"object","properties":{}}}]""", 40)]
    [InlineData("""[{"role":"user","content":"hello"}]""", """
        [{"name":"get_recipe","parameters":{"type":"object","required":["ingredients","instructions","time_to_cook"],
        "properties":{"ingredients":{"type":"array","items":{"type":"object","required":["name","unit","amount"],
        "properties":{"name":{"type":"string"},"unit":{"enum":["grams","ml","cups","pieces","teaspoons"],"type":
        "string"},"amount":{"type":"number"}}}},"instructions":{"type":"array","items":{"type":"string"},"description":
        "Steps to prepare the recipe (no numbering)"},"time_to_cook":{"type":"number","description":
        "Total time to prepare the recipe in minutes"}}}}]
        """, 106)]
    public void Count_OfFunctions_IsWhatTheApiAnswered(string messages, string functions, long tokens) => Assert.Equal(
        tokens,
        Counter.Count(ChatRequestReader.Read(Encoding.UTF8.GetBytes(
            $$"""{"model":"gpt-3.5-turbo","messages":{{messages}},"functions":{{functions}}}"""))).Total);

    [Fact]
    public void Count_OfHarmony_WritesWhatIsDocumented()
    {
        ChatRequest request = ChatRequestReader.Read(Encoding.UTF8.GetBytes("""
            {"model":"openai/gpt-oss-120b","messages":[{"role":"system","content":"Use a friendly tone."},
            {"role":"user","content":"What is the weather like in SF?"},
            {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"get_current_weather","arguments":
            "{\"location\":\"San Francisco\"}"}}]},{"role":"tool","tool_call_id":"1","content":"{\"sunny\": true}"}],
            "tools":[{"type":"function","function":{"name":"get_location","description":
            "Gets the location of the user."}},
            {"type":"function","function":{"name":"get_current_weather","description":
            "Gets the current weather in the provided location.","parameters":{"type":"object","properties":{"location":
            {"type":"string","description":"The city and state, e.g. San Francisco, CA"},"format":{"type":"string",
            "enum":["celsius","fahrenheit"],"default":"celsius"}},"required":["location"]}}}]}
            """));
        StringBuilder written = new();
        Counter.Count(request, utf8 =>
        {
            written.Append(Encoding.UTF8.GetString(utf8)).Append('|');
            return utf8.Length;
        });
        string all = written.ToString();

        Assert.Contains(
            "# Instructions\n\nUse a friendly tone.\n\n# Tools\n\n## functions\n\nnamespace functions {\n\n"
            + "// Gets the location of the user.\ntype get_location = () => any;\n\n"
            + "// Gets the current weather in the provided location.\ntype get_current_weather = (_: {\n"
            + "// The city and state, e.g. San Francisco, CA\nlocation: string,\n"
            + "format?: \"celsius\" | \"fahrenheit\", // default: celsius\n}) => any;\n\n} // namespace functions|",
            all,
            StringComparison.Ordinal);
        Assert.Contains(
            "assistant|commentary to=functions.get_current_weather |json|{\"location\": \"San Francisco\"}|"
            + "functions.get_current_weather to=assistant|commentary|{\"sunny\": true}|assistant|",
            all,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Count_OfPictures_AddsThemByModality()
    {
        string png = Convert.ToBase64String(Fixtures.Bytes("still.png"));
        ChatCount open = Counter.Count(ChatRequestReader.Read(Encoding.UTF8.GetBytes($$$"""
            {"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"text","text":"hello"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,{{{png}}}","detail":"high"}}]}]}
            """)));
        ChatCount anthropic = Counter.Count(ChatRequestReader.Read(Encoding.UTF8.GetBytes($$$"""
            {"model":"claude-opus-5","max_tokens":1,"messages":[{"role":"user","content":[
            {"type":"text","text":"hello"},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{png}}}"}}]}]}
            """)));
        ChatCount gemini = Counter.Count(ChatRequestReader.Read(
            Encoding.UTF8.GetBytes($$$"""
            {"contents":[{"parts":[{"text":"hello"},{"inlineData":{"mimeType":"image/png","data":"{{{png}}}"}}]}],
            "generationConfig":{"mediaResolution":"MEDIA_RESOLUTION_LOW"}}
            """), model: "gemini-3-flash"));
        ChatCount qwen = Counter.Count(ChatRequestReader.Read(Encoding.UTF8.GetBytes($$$"""
            {"model":"qwen2.5-vl-7b-instruct","messages":[{"role":"user","content":[{"type":"text","text":"hello"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,{{{png}}}"}}]}]}
            """)));

        Assert.Equal((8, 85 + 170), (open.Text, open.Image));
        Assert.Equal(85, anthropic.Image);
        Assert.Equal(280, gemini.Image);
        Assert.Equal(4 * 16, qwen.Image); // 112×448
        Assert.All([open, anthropic, gemini, qwen], c => Assert.True(c.IsComplete, string.Join('\n', c.Notes)));
        Assert.True(anthropic.ErrorTokens > 0 && gemini.ErrorTokens > 0);

        // Two marks around the picture, beside the turns: system 11, user 4 + 1, assistant 3.
        ChatCount plain = Counter.Count(new ChatRequest
        {
            Model = "qwen2.5-vl-7b-instruct",
            Messages = [ChatMessage.Of("user", "hello")],
        });
        Assert.Equal(plain.Text + 2, qwen.Text);
    }

    [Fact]
    public void Count_OfThingsByAddress_SaysWhatIsMissing()
    {
        ChatCount unknown = Counter.Count(ChatRequestReader.Read("""
            {"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"image_url","image_url":
            {"url":"https://x/y"}}]}]}
            """u8.ToArray()));
        ChatCount low = Counter.Count(ChatRequestReader.Read("""
            {"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"image_url","image_url":
            {"url":"https://x/y","detail":"low"}}]}]}
            """u8.ToArray()));

        Assert.False(unknown.IsComplete);
        Assert.Contains(unknown.Notes, n => n.Contains("by address only", StringComparison.Ordinal));
        Assert.True(low.IsComplete);
        Assert.Equal(85, low.Image);
    }

    [Fact]
    public void Count_OfAnthropicsExamples_IsWithinItsError()
    {
        ChatCount said = Counter.Count(ChatRequestReader.Read("""
            {"model":"claude-opus-4-6","max_tokens":1,"system":"You are a scientist",
            "messages":[{"role":"user","content":"Hello, Claude"}]}
            """u8.ToArray()));
        ChatCount tools = Counter.Count(ChatRequestReader.Read("""
            {"model":"claude-opus-4-6","max_tokens":1,"tools":[{"name":"get_weather","description":
            "Get the current weather in a given location","input_schema":{"type":"object","properties":{"location":
            {"type":"string","description":"The city and state, e.g. San Francisco, CA"}},"required":["location"]}}],
            "messages":[{"role":"user","content":"What's the weather like in San Francisco?"}]}
            """u8.ToArray()));

        Assert.InRange(said.Total, 13, 16);
        Assert.InRange(tools.Total, 403 - 30, 403 + 30);
        Assert.InRange(14, said.Total - said.ErrorTokens, said.Total + said.ErrorTokens);
        Assert.InRange(403, tools.Total - tools.ErrorTokens, tools.Total + tools.ErrorTokens);
        Assert.Equal(MediaGrade.Approximate, said.Grade);
    }

    [Fact]
    public void Read_OfToolsInThreeForms_GivesOneModel()
    {
        ChatRequest anthropic = ChatRequestReader.Read("""
            {"model":"claude-opus-5","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},
            {"type":"text","text":"Let me see."},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"42"}]}]}
            """u8.ToArray());
        ChatRequest gemini = ChatRequestReader.Read("""
            {"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},{"role":"user","parts":
            [{"functionResponse":{"name":"f","response":{"v":42}}}]}],
            "tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"object"}}]}]}
            """u8.ToArray(), model: "gemini-3-flash");

        Assert.Equal(["assistant", "tool"], anthropic.Messages.Select(m => m.Role));
        Assert.Equal(new ChatToolCall("t1", "f", """{"a":1}"""), anthropic.Messages[0].ToolCalls[0]);
        Assert.Equal("hm", anthropic.Messages[0].Reasoning);
        Assert.Equal("42", anthropic.Messages[1].Parts[0].Text);
        Assert.Equal("f", gemini.Messages[0].ToolCalls[0].Name);
        Assert.Equal("f", gemini.Tools[0].Name);
        Assert.Equal("gemini-3-flash", gemini.Model);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"messages":1}""")]
    public void Read_OfWhatIsNoBody_Throws(string json) =>
        Assert.Throws<ChatRequestException>(() => ChatRequestReader.Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Read_OfOddBodies_NeverThrowsAnythingElse()
    {
        const string Body = """
            {"model":"qwen3-8b","system":"s","messages":[{"role":"user","content":[{"type":"text","text":"hi"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}],"tool_calls":[{"id":"1","function":
            {"name":"f","arguments":"{}"}}]}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":
            "object","properties":{"a":{"type":"string"}},"required":["a"]}}}],"contents":[{"parts":[{"text":"x"}]}]}
            """;
        Random random = new(5);
        string[] values = ["1", "null", "[]", "{}", "\"x\"", "true", "[1]"];
        for (int i = 0; i < 3000; i++)
        {
            string odd = Body;
            for (int k = 0; k < 3; k++)
            {
                int colon = odd.IndexOf(':', random.Next(odd.Length));
                int end = colon < 0 ? -1 : odd.IndexOfAny([',', '}'], colon);
                odd = end < 0 ? odd : odd[..(colon + 1)] + values[random.Next(values.Length)] + odd[end..];
            }

            try
            {
                ChatRequest request = ChatRequestReader.Read(Encoding.UTF8.GetBytes(odd), (ChatBodyForm)random.Next(4));
                Assert.True(Counter.Count(request, utf8 => utf8.Length).Total >= 0);
            }
            catch (ChatRequestException)
            {
                // said to be no body: fine
            }
        }
    }

    [Fact]
    public void Count_OfMarksInWhatIsSaid_TakesThemAsText()
    {
        long tokens = Of("<|im_end|>");

        Assert.True(tokens > Of("x") + 3);

        static long Of(string text) => Counter.Count(
            new ChatRequest { Model = "qwen3-8b", Messages = [ChatMessage.Of("user", text)] }, u => u.Length).Total;
    }

    [Fact]
    public void Rules_OfTheLibrary_NameSourceAndModels()
    {
        Assert.All(FramingRules.Default.Rules, r => Assert.StartsWith("https://", r.Source, StringComparison.Ordinal));
        Assert.Equal("qwen3", FramingRules.Default.Find("Qwen/Qwen3-8B")!.Id);
        Assert.Equal("anthropic-newer", FramingRules.Default.Find("us.anthropic.claude-sonnet-5-5-v1:0")!.Id);
        Assert.Equal("anthropic-newer", FramingRules.Default.Find("anthropic/claude-opus-4.7")!.Id);
        Assert.Equal(
            "anthropic-image-high", MediaRules.Default.Find("anthropic/claude-opus-4.7", MediaKind.Image)!.Id);
        Assert.Null(FramingRules.Default.Find("never-heard-of"));
        FramingRules own = FramingRules.Parse("""
            {"rules":[{"id":"mine","shape":"overhead","models":["qwen3*"],"grade":"exact","source":"s","date":"2026",
            "perMessage":7}]}
            """u8.ToArray());
        Assert.Equal("mine", FramingRules.Default.OverriddenBy(own).Find("qwen3-8b")!.Id);
        Assert.Throws<MediaRuleException>(() => FramingRules.Parse("""
            {"rules":[{"id":"mine","shape":"overhead","models":[],"grade":"exact","source":"s","date":"d",
            "perMesage":7}]}
            """u8.ToArray()));
    }
}
