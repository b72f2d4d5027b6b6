using System.Net;
using System.Text;
using Ciyuan.Server.Gateway;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Counts beside those of the provider, for models whose vocabulary is known. The expected numbers are those
/// of o200k_base and of OpenAI's published framing: 3 for each message, its role, 3 for the reply.</summary>
public sealed class RecountTests
{
    private const string Model = "gpt-4o-mini";
    private const string Text = "Hello, wide and busy world, it is good to see you."; // 14 tokens
    private const string Call = "{\"model\":\"gpt-4o-mini\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\","
        + "\"content\":\"Say it.\"}]"; // "Say it." is 3 tokens, its role 1; 3 a message, 3 for the reply: 10

    private static string Upstream(string url) =>
        $"  - {{ id: u1, provider: vendor, protocol: openai, base_url: \"{url}\", allow_inside: true,"
        + $" models: [{{ model: {Model}, max_output: 100 }}] }}";

    private const string Prices = "books: [{ id: list, version: 2, currency: CNY, from: \"2000-01-01T00:00:00Z\","
        + " prices: [{ model: \"*\", per_million_tokens: { input: \"1\", output: \"10\" } }] }]";

    private static string Usage(long input, long output) =>
        $"\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":{output},\"total_tokens\":{input + output}}}";

    private static string Whole(string usage, string message = "\"content\":\"" + Text + "\"") =>
        $"{{\"id\":\"c1\",\"model\":\"{Model}\",\"choices\":[{{\"index\":0,\"message\":"
        + $"{{\"role\":\"assistant\",{message}}},"
        + $"\"finish_reason\":\"stop\"}}]{(usage.Length > 0 ? "," : "")}{usage}}}";

    private static string Piece(string text) =>
        $"data: {{\"model\":\"{Model}\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},"
        + "\"finish_reason\":null}]}\n\n";

    [Theory]
    [InlineData(10, 14, EvidenceGrade.Exact, EvidenceGrade.Exact)]
    [InlineData(10, 15, EvidenceGrade.Exact, EvidenceGrade.Exact)] // the mark of the end may be counted
    [InlineData(10, 40, EvidenceGrade.Exact, EvidenceGrade.Reported)]
    [InlineData(90, 14, EvidenceGrade.Reported, EvidenceGrade.Exact)]
    public async Task WholeAnswer_KnownVocabulary_IsGradedAndKeepsBothNumbers(
        long input, long output, EvidenceGrade inputGrade, EvidenceGrade outputGrade)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole(Usage(input, output)));
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        await server.SetUpAsync(Prices);

        (int status, string body, _) = await server.PostAsync("/v1/chat/completions", Call + "}");

        Assert.True(status == 200, body);
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((input, inputGrade), Count(record, "input.text"));
        Assert.Equal((output, outputGrade), Count(record, "output.text"));
        Assert.Contains(new Tag("recount_input", "10"), record.Tags);
        Assert.Contains(new Tag("recount_output", "14"), record.Tags);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task WholeAnswer_WithoutUsage_IsCountedFromItsText()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole(""));
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        await server.SetUpAsync(Prices);

        (_, _, HttpResponseMessage answer) = await server.PostAsync("/v1/chat/completions", Call + "}");

        Assert.Equal("0.00015 CNY", answer.Headers.GetValues("x-ciyuan-cost").Single());
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((10, EvidenceGrade.Bounded), Count(record, "input.text"));
        Assert.Equal((14, EvidenceGrade.Bounded), Count(record, "output.text"));
        Assert.Contains(new Tag("usage", "missing"), record.Tags);
    }

    // The count of a stream that is cut anywhere is that of the text that came, whatever the pieces.
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(49)]
    public async Task Stream_CutAfterSomeText_IsCountedFromTheTextThatCame(int characters)
    {
        string[] pieces = [.. Text[..characters].Select(c => Piece(c.ToString()))];
        await using ScriptedUpstream upstream = ScriptedUpstream.Stream(pieces, endsWell: true);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        await server.SetUpAsync(Prices);

        await server.PostAsync("/v1/chat/completions", Call + ",\"stream\":true}");

        using var tokenizer = Tokens.Tokenizer.For(Tokens.Vocabularies.VocabularyCatalog.Shipped.Get("o200k_base"));
        UsageRecord record = await server.RecordAsync();
        Assert.Equal(Outcome.Cut, record.Outcome);
        Assert.Equal((10, EvidenceGrade.Bounded), Count(record, "input.text"));
        Assert.Equal(
            (tokenizer.Count(Text.AsSpan(0, characters)), EvidenceGrade.Partial), Count(record, "output.text"));
    }

    // Escapes are undone before counting; arguments of tools and shown reasoning are text of the answer too.
    [Theory]
    [InlineData("\"content\":\"Hello, wide and busy world, it is good to see you\\u002e\"", 14)]
    [InlineData("\"content\":null,\"tool_calls\":[{\"id\":\"t\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        + "\"arguments\":\"{\\\"a\\\":1}\"}}]", 5)]
    [InlineData("\"reasoning_content\":\"Hello\",\"content\":\" world\"", 2)]
    public async Task WholeAnswer_InAnyForm_IsCounted(string message, long expected)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole(Usage(10, expected), message));
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        await server.SetUpAsync(Prices);

        _ = await server.PostAsync("/v1/chat/completions", Call + "}");

        UsageRecord record = await server.RecordAsync();
        Assert.Contains(new Tag("recount_output", expected.ToString(null, null)), record.Tags);
        Assert.Equal(EvidenceGrade.Exact, Count(record, "output.text").Grade);
    }

    // What the model thought and did not show can't be counted here, so nothing is compared.
    [Fact]
    public async Task WholeAnswer_HiddenReasoning_IsNotCompared()
    {
        const string Said = "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":113,\"total_tokens\":123,"
            + "\"completion_tokens_details\":{\"reasoning_tokens\":100}}";
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole(Said));
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        await server.SetUpAsync(Prices);

        _ = await server.PostAsync("/v1/chat/completions", Call + "}");

        UsageRecord record = await server.RecordAsync();
        Assert.Equal((13, EvidenceGrade.Reported), Count(record, "output.text"));
        Assert.DoesNotContain(record.Tags, t => t.Name == "recount_output");
    }

    // The hold is by bytes where the money suffices, else by the exact count: nobody is refused for a crude bound.
    [Theory]
    [InlineData("0.00052", 200)] // 10 tokens in and 50 out cost 0.00051
    [InlineData("0.0005", 402)]
    public async Task Call_MoneyCoversTheExactCountOnly_IsAdmitted(string credit, int expected)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Whole(Usage(10, 14)));
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url), credit: credit);
        await server.SetUpAsync(Prices);

        (int status, _, _) = await server.PostAsync("/v1/chat/completions", Call + "}");

        Assert.Equal(expected, status);
        await server.AssertNoHoldAsync();
    }

    // Long answers are counted bit by bit: the same number, with bounded memory.
    [Fact]
    public void AnswerText_Long_IsCountedLikeTheWhole()
    {
        Tokens.Vocabularies.VocabularyCatalog catalog = Tokens.Vocabularies.VocabularyCatalog.Shipped;
        using var tokenizer = Tokens.Tokenizer.For(catalog.Get("o200k_base"));
        var model = new RecountModel(Model, Tokens.Framing.ChatCounter.Default, new(() => tokenizer));
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("词元 counts, ünïcode… ", 9_000)));
        using var answer = new AnswerText(model);
        var random = new Random(7);
        for (int at = 0; at < text.Length;)
        {
            int length = Math.Min(random.Next(1, 900), text.Length - at);
            answer.Add(AnswerPart.Text, text.AsSpan(at, length));
            at += length;
        }

        Assert.Equal(tokenizer.Count(text), answer.Finish(1).Tokens);
    }
}
