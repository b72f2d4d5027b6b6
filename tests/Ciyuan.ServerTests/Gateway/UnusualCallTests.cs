using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Calls that an upstream may take for more than they look like, and other forms seldom seen.</summary>
public sealed class UnusualCallTests
{
    private const string Whole = "{\"choices\":[],\"candidates\":[],\"usage\":{\"prompt_tokens\":1,"
        + "\"completion_tokens\":1},\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":1}}";

    private const string Gemini = "/v1beta/models/m:generateContent";

    private const string OpenAI = "/v1/chat/completions";

    private const string Anthropic = "/v1/messages";

    private const string Asked =
        "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{";

    private const string Document = "\"type\":\"document\",\"source\":";

    private const string End = "}]}]}";

    // An answer of 100 tokens can be held for: 0.001 CNY and some input. Anything that allows more must be refused.
    [Theory]
    [InlineData(OpenAI, "{\"model\":\"m\",\"max_output_tokens\":1,\"n\":2}", 402)]
    [InlineData("/v1/responses", "{\"model\":\"m\",\"max_tokens\":1,\"max_output_tokens\":200}", 402)]
    [InlineData("/v1/responses", "{\"model\":\"m\",\"max_tokens\":900,\"max_output_tokens\":90}", 200)]
    [InlineData(OpenAI, "{\"model\":\"m\",\"max_tokens\":\"90\"}", 400)]
    [InlineData(OpenAI, "{\"model\":\"m\",\"max_tokens\":90,\"n\":\"5\"}", 400)]
    [InlineData("/v1/responses", "{\"model\":\"m\",\"background\":true}", 400)]
    [InlineData("/v1/responses", "{\"model\":\"m\",\"background\":false}", 200)]
    [InlineData(Gemini, "{\"generationConfig\":{\"maxOutputTokens\":\"90\"}}", 200)]
    [InlineData(Gemini, "{\"generationConfig\":{\"maxOutputTokens\":\"200\"}}", 402)]
    [InlineData(Gemini, "{\"generationConfig\":{\"maxOutputTokens\":2e2}}", 402)]
    [InlineData(Gemini, "{\"generationConfig\":{\"maxOutputTokens\":200,\"maxOutputTokens\":1}}", 402)]
    [InlineData(Gemini, "{\"generationConfig\":{\"maxOutputTokens\":-1}}", 400)]
    [InlineData(Gemini, "{\"generationConfig\":{\"maxOutputTokens\":\"some\"}}", 400)]
    [InlineData(Gemini, "{\"generationConfig\":{\"candidateCount\":\"2\",\"maxOutputTokens\":90}}", 402)]
    [InlineData(Gemini, "{\"generation_config\":{\"candidate_count\":2,\"max_output_tokens\":90}}", 402)]
    [InlineData(Gemini, "{\"generationConfig\":{\"maxOutputTokens\":1},\"generation_config\":{}}", 400)]
    [InlineData(OpenAI, Asked + "\"type\":\"video_url\",\"video_url\":{\"url\":\"https://e.org/a.mp4\"}" + End,
        402)]
    [InlineData(OpenAI, Asked + "\"type\":\"audio_url\",\"audio_url\":{\"url\":\"data:audio/wav,x\"}" + End, 200)]
    [InlineData(Anthropic, Asked + Document + "{\"type\":\"url\",\"url\":\"https://e.org/a.pdf\"}" + End, 402)]
    [InlineData(Anthropic, Asked + Document + "{\"type\":\"text\",\"data\":\"words\"}" + End, 200)]
    public async Task Call_InAnyForm_IsHeldForInFullOrRefused(string path, string body, int expected)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole);
        await using GatewayServer server = await StartAsync(
            Upstream(upstream.Url, protocol: path switch
            {
                Gemini => "gemini",
                Anthropic => "anthropic",
                _ => "openai",
            }), credit: "0.0012");

        (int status, string answer, _) = await server.PostAsync(path, body);

        Assert.True(status == expected, $"{status}: {answer}");
        Assert.Equal(expected == 200, !upstream.Calls.IsEmpty);
    }

    [Theory]
    [InlineData("{\"generationConfig\":null}", "{\"generationConfig\":{\"maxOutputTokens\":16384}}")]
    [InlineData("{\"generationConfig\":{\"maxOutputTokens\":null}}",
        "{\"generationConfig\":{\"maxOutputTokens\":16384}}")]
    public async Task GeminiCall_LimitOfNull_IsReplacedAndNotSaidTwice(string body, string expected)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole);
        string setup = Upstream(upstream.Url, protocol: "gemini").Replace(", max_output: 100", "");
        await using GatewayServer server = await StartAsync(setup);

        _ = await server.PostAsync(Gemini, body);

        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal(expected, call.Body);
    }

    [Theory]
    [InlineData("key_variable: NOT_SET")]
    [InlineData("key_file: /nowhere/key")]
    public async Task Upstream_WhoseKeyIsNotThere_IsNotAskedWithoutOne(string key)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, more: ", " + key));

        (int status, string answer, _) = await server.ChatAsync();

        Assert.Equal(502, status);
        Assert.Contains("no key", answer);
        Assert.Empty(upstream.Calls);
        await server.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData("/v1/chat/completions?beta=true&x=%20a", "/chat/completions?beta=true&x=%20a")]
    [InlineData("/v1/chat/completions?KEY=secret&k%65y=secret", "/chat/completions")]
    public async Task Query_GoesOnButForTheCallersKey(string asked, string received)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        _ = await server.PostAsync(asked, Chat());

        Assert.True(upstream.Calls.TryDequeue(out ReceivedCall? call));
        Assert.Equal(received, call.Path);
    }
}
