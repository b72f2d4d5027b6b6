using System.Globalization;
using System.Text;
using Ciyuan.Counting;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Counting;

/// <summary>Failures of other systems that cost somebody money, each named after the public issue that tells of it:
/// what has to be read instead. Numbers are those of the issue where it gives some.</summary>
public sealed class PublicIssueTests
{
    private static readonly string[] ClaudeStream =
    [
        """
        {"type":"message_start","message":{"id":"m","usage":{"input_tokens":6,"cache_creation_input_tokens":159217,
        "cache_read_input_tokens":0,"output_tokens":1}}}
        """,
        """{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hello"}}""",
        """{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1500}}""",
        """{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2745}}""",
        """{"type":"message_stop"}""",
    ];

    [Theory]
    [InlineData("Litellm_37992", "openai/chat",
        """
        {"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}
        """,
        "input.text=0 output.text=0")]
    [InlineData("Litellm_9812", "anthropic/messages",
        """
        {"usage":{"input_tokens":3,"cache_creation_input_tokens":12304,"cache_read_input_tokens":0,
        "output_tokens":550}}
        """,
        "input.text=3 input.text.cache_write=12304 output.text=550")]
    [InlineData("Litellm_11364", "litellm/chat",
        """
        {"usage":{"total_tokens":103925,"prompt_tokens":98805,"completion_tokens":5120,
        "prompt_tokens_details":{"cached_tokens":66360,"cache_creation_tokens":32435},"cache_read_input_tokens":66360,
        "cache_creation_input_tokens":32435}}
        """,
        "input.text=10 input.text.cache_read=66360 input.text.cache_write=32435 output.text=5120")]
    [InlineData("Litellm_40006", "litellm/chat",
        """
        {"usage":{"total_tokens":1210,"prompt_tokens":1110,"completion_tokens":100,
        "prompt_tokens_details":{"cached_tokens":1000,"cache_creation_tokens":100,"text_tokens":10},
        "cache_read_input_tokens":1000,"cache_creation_input_tokens":100}}
        """,
        "input.text=10 input.text.cache_read=1000 input.text.cache_write=100 output.text=100")]
    [InlineData("Langfuse_10592", "openrouter/chat",
        """
        {"usage":{"prompt_tokens":17903,"completion_tokens":5,"total_tokens":17908,
        "prompt_tokens_details":{"cached_tokens":17817}}}
        """,
        "input.text=86 input.text.cache_read=17817 output.text=5")]
    [InlineData("Langfuse_5568", "openai/chat",
        """
        {"usage":{"prompt_tokens":2006,"completion_tokens":1,"total_tokens":2007,
        "prompt_tokens_details":{"cached_tokens":1920}}}
        """,
        "input.text=86 input.text.cache_read=1920 output.text=1")]
    [InlineData("Langfuse_12306", "anthropic/messages",
        """
        {"usage":{"input_tokens":19,"cache_read_input_tokens":39000,"cache_creation_input_tokens":0,
        "output_tokens":4}}
        """,
        "input.text=19 input.text.cache_read=39000 output.text=4")]
    [InlineData("Bifrost_904", "anthropic/messages",
        """
        {"usage":{"input_tokens":4,"cache_creation_input_tokens":1479,"cache_read_input_tokens":0,"output_tokens":78}}
        """,
        "input.text=4 input.text.cache_write=1479 output.text=78")]
    [InlineData("NewApi_5756", "anthropic/messages",
        """
        {"usage":{"input_tokens":1,"cache_creation_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":0,
        "ephemeral_1h_input_tokens":100},"output_tokens":1}}
        """,
        "input.text=1 input.text.cache_write_1h=100 output.text=1")]
    [InlineData("NewApi_6353", "openai/responses",
        """
        {"usage":{"input_tokens":88,"input_tokens_details":{"cache_write_tokens":86,"cached_tokens":0},
        "output_tokens":14,"total_tokens":102}}
        """,
        "input.text=2 input.text.cache_write=86 output.text=14")]
    [InlineData("NewApi_2791", "openrouter/anthropic",
        """
        {"usage":{"input_tokens":1,"cache_creation_input_tokens":79,"cache_read_input_tokens":2569,
        "output_tokens":100}}
        """,
        "input.text=1 input.text.cache_read=2569 input.text.cache_write=79 output.text=100")]
    [InlineData("Litellm_14285", "google/gemini",
        """
        {"usageMetadata":{"promptTokenCount":262,"promptTokensDetails":[{"modality":"TEXT","tokenCount":4},
        {"modality":"IMAGE","tokenCount":258}],"candidatesTokenCount":1,"totalTokenCount":263}}
        """,
        "input.text=4 input.image=258 output.text=1")]
    [InlineData("Litellm_17410", "litellm/chat",
        """
        {"usage":{"completion_tokens":1345,"prompt_tokens":10,"total_tokens":1355,
        "completion_tokens_details":{"reasoning_tokens":225,"text_tokens":0,"image_tokens":1120},
        "prompt_tokens_details":{"text_tokens":10}}}
        """,
        "input.text=10 output.text=0 output.text.reasoning=225 output.image=1120")]
    [InlineData("Litellm_24410", "google/gemini",
        """
        {"usageMetadata":{"promptTokenCount":783,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9},
        {"modality":"DOCUMENT","tokenCount":774}],"candidatesTokenCount":1,"totalTokenCount":784}}
        """,
        "input.text=9 input.document=774 output.text=1")]
    [InlineData("Litellm_24339", "google/gemini",
        """
        {"usageMetadata":{"promptTokenCount":1000,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":990},
        {"modality":"TEXT","tokenCount":10}],"candidatesTokenCount":1,"totalTokenCount":1001}}
        """,
        "input.text=10 input.audio=990 output.text=1")]
    [InlineData("ClaudeCodeHub_663", "google/gemini",
        """
        {"usageMetadata":{"promptTokenCount":326,"candidatesTokenCount":2340,"totalTokenCount":3003,
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":326}],"candidatesTokensDetails":[{"modality":"IMAGE",
        "tokenCount":2000}],"thoughtsTokenCount":337}}
        """,
        "input.text=326 output.text=340 output.text.reasoning=337 output.image=2000")]
    [InlineData("Aider_5516", "litellm/chat",
        """
        {"usage":{"prompt_tokens":17111,"completion_tokens":20,"total_tokens":17131,"cache_creation_input_tokens":0,
        "cache_read_input_tokens":17102}}
        """,
        "input.text=9 input.text.cache_read=17102 output.text=20")]
    [InlineData("BrowserUse_5305", "litellm/chat",
        """
        {"usage":{"prompt_tokens":2000,"completion_tokens":1,"total_tokens":2001,"prompt_tokens_details":{
        "cached_tokens":500,"cache_creation_tokens":300}}}
        """,
        "input.text=1200 input.text.cache_read=500 input.text.cache_write=300 output.text=1")]
    [InlineData("Litellm_31282", "openai/chat",
        """
        {"usage":{"prompt_tokens":1000,"completion_tokens":1,"total_tokens":1001,"prompt_tokens_details":{
        "cached_tokens":900}}}
        """,
        "input.text=100 input.text.cache_read=900 output.text=1")]
    [InlineData("Litellm_18876", "google/gemini",
        """
        {"usageMetadata":{"promptTokenCount":12,"promptTokensDetails":[{"modality":"TEXT","tokenCount":12}],
        "candidatesTokenCount":1290,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}],
        "totalTokenCount":1302}}
        """,
        "input.text=12 output.text=0 output.image=1290")]
    [InlineData("BellaOpenapi_290", "openai/responses",
        """
        {"usage":{"input_tokens":1553,"input_tokens_details":{"cached_tokens":1408},"output_tokens":28,
        "output_tokens_details":{"reasoning_tokens":0},"total_tokens":1581}}
        """,
        "input.text=145 input.text.cache_read=1408 output.text=28")]
    public void Response_OfAPublicIssue_IsReadRight(string issue, string reader, string body, string expected)
    {
        UsageReading reading = Reader(reader).Read(Encoding.UTF8.GetBytes(body));

        Assert.Equal($"{issue} {expected}", $"{issue} {Counts(reading)}");
        Assert.Equal(EvidenceGrade.Reported, reading.Grade);
    }

    // Before the change the input left the cache out while the total had it in, after it both had it in.
    [Theory]
    [InlineData(19, EvidenceGrade.Bounded)]
    [InlineData(51_323, EvidenceGrade.Reported)]
    public void Portkey_1754_CacheInTheTotalAlone_IsReadTheSame(int prompt, EvidenceGrade grade)
    {
        string body = $$$"""
            {"usage":{"prompt_tokens":{{{prompt}}},"completion_tokens":550,"total_tokens":51873,
            "prompt_tokens_details":{"cached_tokens":39000},"cache_creation_input_tokens":12304,
            "cache_read_input_tokens":39000}}
            """;

        UsageReading reading = Reader("openai/chat").Read(Encoding.UTF8.GetBytes(body));

        Assert.Equal("input.text=19 input.text.cache_read=39000 input.text.cache_write=12304 output.text=550",
            Counts(reading));
        Assert.Equal(grade, reading.Grade);
    }

    [Fact]
    public void NewApi_5003_NegativeInput_IsReadBesideTheCache()
    {
        const string Body =
            """
            {"usage":{"prompt_tokens":56322,"completion_tokens":87,"prompt_tokens_details":{"cached_tokens":72960}}}
            """;

        UsageReading reading = Reader("openai/chat").Read(Encoding.UTF8.GetBytes(Body));

        Assert.Equal("input.text=56322 input.text.cache_read=72960 output.text=87", Counts(reading));
        Assert.Equal(EvidenceGrade.Bounded, reading.Grade);
        Assert.Contains("less than usage.prompt_tokens_details.cached_tokens 72960", reading.Findings[0].Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void NewApi_5005_StatedNegative_IsRefused()
    {
        UsageReading reading = Reader("openai/chat").Read(
            """{"usage":{"prompt_tokens":-16638,"completion_tokens":87,"total_tokens":-16551}}"""u8.ToArray());

        Assert.Equal(FindingCode.Negative, reading.Refusal!.Code);
        Assert.Empty(reading.Counts);
    }

    [Fact]
    public void Sub2api_5495_RelayThatHasSubtracted_IsNotSubtractedFromAgain()
    {
        byte[] body =
            """
            {"usage":{"prompt_tokens":40000,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":31232}}}
            """u8.ToArray();

        UsageReading declared = Reader("openai/chat").Read(body, new ReadingOptions(CachePlace.Beside));
        UsageReading undeclared = Reader("openai/chat").Read(body);

        Assert.Equal("input.text=40000 input.text.cache_read=31232 output.text=10", Counts(declared));
        Assert.Equal(EvidenceGrade.Reported, declared.Grade);
        Assert.Equal("input.text=8768 input.text.cache_read=31232 output.text=10", Counts(undeclared)); // nothing tells
    }

    [Fact]
    public void NewApi_7229_CachedImages_AreNotChargedTwice()
    {
        UsageReading said = Reader("google/gemini").Read("""
            {"usageMetadata":{"promptTokenCount":24643,"cachedContentTokenCount":24503,"candidatesTokenCount":3110,
            "totalTokenCount":27753,
            "promptTokensDetails":[{"modality":"IMAGE","tokenCount":22000},{"modality":"TEXT","tokenCount":2643}],
            "cacheTokensDetails":[{"modality":"IMAGE","tokenCount":22000},{"modality":"TEXT","tokenCount":2503}]}}
            """u8.ToArray());
        UsageReading unsaid = Reader("openai/chat").Read("""
            {"usage":{"prompt_tokens":24643,"completion_tokens":3110,"total_tokens":27753,
            "prompt_tokens_details":{"cached_tokens":24503,"image_tokens":22000}}}
            """u8.ToArray());

        Assert.Equal(
            "input.text=140 input.text.cache_read=2503 input.image.cache_read=22000 output.text=3110", Counts(said));
        Assert.Equal(24643, unsaid.Tokens(Direction.Input)); // each token once, though of the 140 it is not known
        Assert.Contains(unsaid.Findings, f => f.Code == FindingCode.ModalityAssumed);
        Assert.Equal(EvidenceGrade.Bounded, unsaid.Grade);
    }

    [Fact]
    public void TensorZero_5481_Langfuse_8808_CumulativeUsage_IsNotSummed()
    {
        UsageReading reading = Stream("anthropic/messages", ClaudeStream);

        Assert.Equal("input.text=6 input.text.cache_write=159217 output.text=2745", Counts(reading));
        Assert.Equal((EvidenceGrade.Reported, Outcome.Ok), (reading.Grade, reading.Outcome));
    }

    // 6 × 5 + 159217 × 6.25 + 2745 × 25 per million are the 1.06376125 of the provider's bill.
    [Fact]
    public void Bifrost_3451_WrittenTokensOfAStream_AreCountedOnce()
    {
        UsageReading reading = Stream("anthropic/messages", ClaudeStream);

        Assert.Equal(1.06376125m, ((reading[TokenClass.InputText] * 5m)
            + (reading[new TokenClass(Direction.Input, Modality.Text, TokenKind.CacheWrite)] * 6.25m)
            + (reading[TokenClass.OutputText] * 25m)) / 1_000_000);
    }

    // Whatever arrives of a stream, what was said of the input is kept, and nothing is taken for complete that is not.
    [Fact]
    public void Litellm_14457_DisconnectAtEveryByte_KeepsWhatWasSaid()
    {
        string whole = string.Concat(ClaudeStream.Select(data => $"data: {data}\n\n"));
        byte[] bytes = Encoding.UTF8.GetBytes(whole);
        int started = whole.IndexOf("\n\n", StringComparison.Ordinal);
        const string Last = """{"stop_reason":"end_turn"},"usage":{"output_tokens":2745}}""";
        int ended = whole.IndexOf(Last, StringComparison.Ordinal) + Last.Length;
        for (int length = 0; length <= bytes.Length; length++)
        {
            StreamReading stream = Reader("anthropic/messages").OpenStream();
            foreach (string line in Encoding.UTF8.GetString(bytes, 0, length).Split("\n\n"))
            {
                stream.Add(Encoding.UTF8.GetBytes(line.Length > 6 ? line[6..] : ""));
            }

            UsageReading reading = stream.Finish();
            if (reading.Refusal is { } refusal)
            {
                Assert.True(length <= started, $"{length}: {refusal}");
                Assert.Equal((FindingCode.NoUsage, Outcome.Cut), (refusal.Code, reading.Outcome));
                continue;
            }

            Assert.Equal(159223, reading.Tokens(Direction.Input));
            Assert.Equal(length >= ended ? EvidenceGrade.Reported : EvidenceGrade.Partial, reading.Grade);
            Assert.Equal(length >= ended ? 2745 : reading.Tokens(Direction.Output), reading.Tokens(Direction.Output));
        }
    }

    // In the sum over all input each token is there once.
    [Fact]
    public void Langfuse_9386_SumOfTheInput_CountsNothingTwice()
    {
        UsageReading beside = Reader("anthropic/messages").Read(
            """
            {"usage":{"input_tokens":10,"cache_read_input_tokens":900,"cache_creation_input_tokens":90,
            "output_tokens":1}}
            """u8.ToArray());
        UsageReading within = Reader("openai/chat").Read(
            """
            {"usage":{"prompt_tokens":1000,"completion_tokens":1,"total_tokens":1001,"prompt_tokens_details":{
            "cached_tokens":900,"cache_write_tokens":90}}}
            """u8.ToArray());

        Assert.Equal((1000, 1000), (beside.Tokens(Direction.Input), within.Tokens(Direction.Input)));
        Assert.Equal(Counts(beside), Counts(within));
    }

    // What had been counted until the client went away stays counted; nothing is given back.
    [Fact]
    public void NewApi_5235_StreamThatBrokeOff_KeepsItsCounts()
    {
        UsageReading reading = Stream("anthropic/messages", ClaudeStream[..3]);

        Assert.Equal("input.text=6 input.text.cache_write=159217 output.text=1500", Counts(reading));
        Assert.Equal((EvidenceGrade.Partial, Outcome.Cut), (reading.Grade, reading.Outcome));
    }

    [Fact]
    public void NewApi_7062_NewApi_4344_ClientGone_IsNotZero()
    {
        UsageReading reading = Stream("openai/chat", """{"id":"c","choices":[{"delta":{"content":"Hel"}}]}""");

        Assert.Equal(FindingCode.NoUsage, reading.Refusal!.Code);
        Assert.Equal(Outcome.Cut, reading.Outcome);
    }

    [Fact]
    public void NewApi_5290_NewApi_5287_TextOfAnError_IsNotOutput()
    {
        UsageReading reading = Reader("openai/chat").Read(
            """
            {"error":{"message":"a very long message that somebody might take for an answer","code":500}}
            """u8.ToArray());

        Assert.Equal((FindingCode.NoUsage, Outcome.Failed), (reading.Refusal!.Code, reading.Outcome));
        Assert.Empty(reading.Counts);
    }

    [Fact]
    public void Higress_2187_Higress_2335_Gpustack_4874_Litellm_5632_UsageInALastChunkWithoutChoices_IsRead()
    {
        UsageReading reading = Stream(
            "openai/chat", """{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}""",
            """{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}""", "[DONE]");

        Assert.Equal("input.text=7 output.text=2", Counts(reading));
    }

    [Fact]
    public void RustGenai_258_CacheInTheLastEventAlone_IsRead()
    {
        UsageReading reading = Stream(
            "qwen/anthropic", """{"type":"message_start","message":{"usage":{"input_tokens":20,"output_tokens":0}}}""",
            """
            {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":20,
            "cache_read_input_tokens":512,"output_tokens":9}}
            """);

        Assert.Equal("input.text=20 input.text.cache_read=512 output.text=9", Counts(reading));
    }

    [Fact]
    public void VercelAi_17326_StartOfZero_IsOverwrittenByTheEnd()
    {
        UsageReading reading = Stream(
            "anthropic/messages",
                """
                {"type":"message_start","message":{"usage":{"input_tokens":0,"output_tokens":0}}}
                """,
            """
            {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":812,
            "output_tokens":40}}
            """);

        Assert.Equal("input.text=812 output.text=40", Counts(reading));
        Assert.Empty(reading.Findings);
    }

    [Fact]
    public void Litellm_8867_Otari_691_StatedCost_IsExact()
    {
        UsageReading reading = Reader("openrouter/chat").Read(
            """{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":0.000000662}}"""u8.ToArray());

        Assert.Equal("0.000000662", reading.StatedCost!.Value.Amount.ToString());
    }

    [Fact]
    public void Stream_ThatShrinks_IsGradedWithTheReason()
    {
        UsageReading reading = Stream(
            "anthropic/messages",
                """
                {"type":"message_start","message":{"usage":{"input_tokens":100,"output_tokens":0}}}
                """,
            """
            {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"output_tokens":40}}
            """);

        Assert.Equal("input.text=0 output.text=40", Counts(reading));
        Assert.Equal((FindingCode.Shrank, EvidenceGrade.Bounded), (reading.Findings[0].Code, reading.Grade));
    }

    private static UsageReader Reader(string name) => UsageReaders.Find(name.Split('/')[0], name.Split('/')[1])!;

    private static UsageReading Stream(string reader, params string[] events)
    {
        StreamReading stream = Reader(reader).OpenStream();
        foreach (string data in events)
        {
            stream.Add(Encoding.UTF8.GetBytes(data));
        }

        return stream.Finish();
    }

    private static string Counts(UsageReading reading) => string.Join(' ', reading.Counts.Select(c =>
        string.Create(CultureInfo.InvariantCulture,
            $"{c.Meter.ToString().Replace(".fresh", "", StringComparison.Ordinal)}={c.Steps}")));
}
