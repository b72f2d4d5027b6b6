using Ciyuan.Parties;
using Ciyuan.Server.Gateway.Translation;
using static Ciyuan.ServerTests.Gateway.Translation.Translating;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>What can't be carried over is refused by the name of its field; nothing is lost in silence.</summary>
public sealed class RefusedTests
{
    private const string OpenAI = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Go\"}]";
    private const string Anthropic = OpenAI;
    private const string Gemini = "{\"contents\":[{\"parts\":[{\"text\":\"Go\"}]}]";

    [Theory]
    [InlineData(",\"unheard_of\":1}", "unheard_of")]
    [InlineData(",\"logprobs\":true}", "logprobs")]
    [InlineData(",\"logit_bias\":{\"50256\":-100}}", "logit_bias")]
    [InlineData(",\"modalities\":[\"text\",\"audio\"]}", "modalities")]
    [InlineData(",\"audio\":{\"voice\":\"a\",\"format\":\"wav\"}}", "audio")]
    [InlineData(",\"prediction\":{\"type\":\"content\",\"content\":\"x\"}}", "prediction")]
    [InlineData(",\"web_search_options\":{}}", "web_search_options")]
    [InlineData(",\"functions\":[{\"name\":\"f\"}]}", "functions")]
    [InlineData(",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"f\"}}]}", "tools[0].type")]
    [InlineData(",\"temperature\":1.5}", "temperature")]
    [InlineData(",\"temperature\":\"hot\"}", "temperature")]
    [InlineData(",\"max_tokens\":1.5}", "max_tokens")]
    [InlineData(",\"response_format\":{\"type\":\"grammar\"}}", "response_format")]
    [InlineData(",\"response_format\":{\"type\":\"json_object\"},\"reasoning_effort\":\"low\"}", "response_format")]
    public void OpenAICall_ThatAnthropicHasNoPlaceFor_NamesTheField(string rest, string field) =>
        AssertRefused(UpstreamProtocol.OpenAI, UpstreamProtocol.Anthropic, OpenAI + rest, field);

    [Theory]
    [InlineData("{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"1\"}", "messages[0].tool_call_id")]
    [InlineData("{\"role\":\"wizard\",\"content\":\"1\"}", "messages[0].role")]
    [InlineData("{\"role\":\"user\",\"content\":1}", "messages[0].content")]
    [InlineData("{\"role\":\"user\",\"content\":[{\"type\":\"video_url\"}]}", "messages[0].content[0].type")]
    [InlineData("{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}]}",
        "messages[0].content[0].file.file_id")]
    [InlineData("""{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]}""",
        "messages[0].content[0].image_url.url")]
    [InlineData("""{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.org/pic"}}]}""",
        "messages[0].content[0].image_url.url")]
    [InlineData("{\"role\":\"assistant\",\"audio\":{\"id\":\"a\"}}", "messages[0].audio")]
    [InlineData("""{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}""",
        "messages[0].tool_calls[0].function.arguments")]
    [InlineData("{\"role\":\"user\",\"content\":\"\\ud800\"}", "messages[0].content")]
    public void OpenAIMessage_ThatGeminiHasNoPlaceFor_NamesTheField(string message, string field) => AssertRefused(
        UpstreamProtocol.OpenAI, UpstreamProtocol.Gemini, $"{{\"model\":\"m\",\"messages\":[{message}]}}", field);

    [Theory]
    [InlineData(",\"container\":\"c\"}", "container")]
    [InlineData(",\"mcp_servers\":[]}", "mcp_servers")]
    [InlineData(",\"inference_geo\":\"eu\"}", "inference_geo")]
    [InlineData(",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]}", "tools[0].type")]
    [InlineData(",\"thinking\":{\"type\":\"between_tools\"}}", "thinking")]
    public void AnthropicCall_ThatOpenAIHasNoPlaceFor_NamesTheField(string rest, string field) =>
        AssertRefused(UpstreamProtocol.Anthropic, UpstreamProtocol.OpenAI, Anthropic + rest, field);

    [Theory]
    [InlineData("{\"type\":\"search_result\"}", "messages[0].content[0].type")]
    [InlineData("{\"type\":\"image\",\"source\":{\"type\":\"file\",\"file_id\":\"f\"}}",
        "messages[0].content[0].source.type")]
    [InlineData("""{"type":"document","citations":{"enabled":true},"source":{"type":"text","data":"x"}}""",
        "messages[0].content[0].citations.enabled")]
    [InlineData("{\"type\":\"document\",\"source\":{\"type\":\"url\",\"url\":\"https://e.org/a.pdf\"}}",
        "messages[0].content[0].source")]
    public void AnthropicBlock_ThatOpenAIHasNoPlaceFor_NamesTheField(string block, string field) => AssertRefused(
        UpstreamProtocol.Anthropic, UpstreamProtocol.OpenAI,
        $"{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":[{block}]}}]}}", field);

    [Fact]
    public void AnthropicResult_WithAPicture_NamesTheField() => AssertRefused(
        UpstreamProtocol.Anthropic, UpstreamProtocol.OpenAI,
        """{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]}]}""",
        "messages[1].content[0].content[0].source");

    [Theory]
    [InlineData(",\"tools\":[{\"googleSearch\":{}}]}", "tools[0].googleSearch")]
    [InlineData(",\"cachedContent\":\"c\"}", "cachedContent")]
    [InlineData(",\"generationConfig\":{\"speechConfig\":{}}}", "generationConfig.speechConfig")]
    [InlineData(",\"generationConfig\":{\"responseModalities\":[\"IMAGE\"]}}", "generationConfig.responseModalities")]
    [InlineData(",\"generationConfig\":{\"responseMimeType\":\"text/x.enum\"}}", "generationConfig.responseMimeType")]
    [InlineData(",\"generation_config\":{\"response_logprobs\":true}}", "generation_config.response_logprobs")]
    public void GeminiCall_ThatOpenAIHasNoPlaceFor_NamesTheField(string rest, string field) =>
        AssertRefused(UpstreamProtocol.Gemini, UpstreamProtocol.OpenAI, Gemini + rest, field);

    [Theory]
    [InlineData("{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"gs://b/a.png\"}}",
        "contents[0].parts[0].fileData.fileUri")]
    [InlineData("{\"inlineData\":{\"mimeType\":\"video/mp4\",\"data\":\"AA==\"}}", "contents[0].parts[0].inlineData")]
    [InlineData("{\"functionResponse\":{\"name\":\"f\",\"response\":{}}}", "contents[0].parts[0].functionResponse")]
    [InlineData("{\"executableCode\":{}}", "contents[0].parts[0].executableCode")]
    public void GeminiPart_ThatAnthropicHasNoPlaceFor_NamesTheField(string part, string field) => AssertRefused(
        UpstreamProtocol.Gemini, UpstreamProtocol.Anthropic, $"{{\"contents\":[{{\"parts\":[{part}]}}]}}", field);

    private static void AssertRefused(UpstreamProtocol from, UpstreamProtocol to, string body, string field)
    {
        var refused = Assert.Throws<UncarriedException>(() => Write(to, Read(from, body)));
        Assert.Contains($"'{field}'", refused.Message);
    }
}
