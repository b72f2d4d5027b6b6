using System.Text.Json.Nodes;
using Ciyuan.Counting;
using Ciyuan.Tests.Quantities;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Counting;

/// <summary>Any consistent usage, written in the nesting of a convention and read back, gives the same classes; written
/// with a wrong total, it is found.</summary>
public sealed class ConventionPropertyTests
{
    private static readonly TokenKind[] Cached = [TokenKind.CacheRead];

    /// <summary>Each convention: its reader, what it can say, and how it says it.</summary>
    private static readonly (string Reader, Func<TokenClass, bool> Says, Func<Use, JsonObject> Write)[] Conventions =
    [
        ("openai/chat", c => OneCache(c) || IsOutput(c, Modality.Text, Modality.Audio)
            || c is { Direction: Direction.Input, Kind: TokenKind.CacheWrite, Modality: Modality.Text },
            use => Chat(use, "prompt_tokens", "prompt_tokens_details", "completion_tokens",
                "completion_tokens_details")),
        ("openai/responses", c => OneCache(c) || IsOutput(c, Modality.Text),
            use => Chat(use, "input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details")),
        ("openai/realtime", c => c.Direction == Direction.Input
            ? c.Kind is TokenKind.Fresh or TokenKind.CacheRead
                && c.Modality is Modality.Text or Modality.Audio or Modality.Image
            : c.Kind == TokenKind.Fresh && c.Modality is Modality.Text or Modality.Audio, Realtime),
        ("anthropic/messages", c => c.Modality == Modality.Text && (c.Direction == Direction.Input
            ? c.Kind is TokenKind.Fresh or TokenKind.CacheRead or TokenKind.CacheWrite5M or TokenKind.CacheWrite1H
            : c.Kind is TokenKind.Fresh or TokenKind.Reasoning), Anthropic),
        ("google/gemini", c => c.Modality != Modality.Code && (c.Direction == Direction.Input
            ? c.Kind is TokenKind.Fresh or TokenKind.CacheRead or TokenKind.ToolUse
            : c.Kind == TokenKind.Fresh || c is { Kind: TokenKind.Reasoning, Modality: Modality.Text }), Gemini),
        ("bedrock/converse", c => c.Modality == Modality.Text && (c.Direction == Direction.Input
            ? c.Kind is TokenKind.Fresh or TokenKind.CacheRead or TokenKind.CacheWrite : c.Kind == TokenKind.Fresh),
            Bedrock),
        ("deepseek/chat", c => c.Modality == Modality.Text && (c.Direction == Direction.Input
            ? c.Kind is TokenKind.Fresh or TokenKind.CacheRead : c.Kind is TokenKind.Fresh or TokenKind.Reasoning),
            DeepSeek),
        ("xai/chat", c => c.Modality == Modality.Text && (c.Direction == Direction.Input
            ? c.Kind is TokenKind.Fresh or TokenKind.CacheRead : c.Kind is TokenKind.Fresh or TokenKind.Reasoning),
                XAi),
    ];

    [Fact]
    public void Usage_WrittenInAConvention_IsReadBackAsItsClasses()
    {
        foreach ((string name, Func<TokenClass, bool> says, Func<Use, JsonObject> write) in Conventions)
        {
            Properties.ForAll(200, Properties.Seeds, seed =>
            {
                Use use = Use.Random(seed, says);
                UsageReading reading = Read(name, write(use));

                Assert.Equal(use.Counts, reading.Counts.Where(c => c.Steps > 0).ToDictionary(c => c.Meter.TokenClass,
                    c => c.Steps));
                Assert.Equal(EvidenceGrade.Reported, reading.Grade);
                Assert.Empty(reading.Findings);
                Assert.Equal(use.Sum(_ => true), reading.Counts.Sum(c => c.Steps));
            });
        }
    }

    [Fact]
    public void Total_ThatIsNotTheSum_IsFound()
    {
        foreach ((string name, Func<TokenClass, bool> says, Func<Use, JsonObject> write) in Conventions.Where(c =>
            c.Reader != "anthropic/messages"))
        {
            Properties.ForAll(100, Properties.Seeds, seed =>
            {
                Use use = Use.Random(seed, says);
                JsonObject body = write(use);
                JsonObject usage = Usage(body);
                string total = usage.Select(p => p.Key).First(k => k.StartsWith("total", StringComparison.Ordinal));
                usage[total] = (long)usage[total]! + use.Sum(_ => true) + 1; // beyond any placing of the parts
                UsageReading reading = Read(name, body);

                Assert.Contains(reading.Findings, f => f.Code == FindingCode.TotalDiffers);
                Assert.Equal(EvidenceGrade.Bounded, reading.Grade);
            });
        }
    }

    private static bool OneCache(TokenClass c) => c is
    {
        Direction: Direction.Input, Modality: Modality.Text,
        Kind: TokenKind.Fresh
    }
        || (c is { Direction: Direction.Input, Modality: Modality.Text } && Cached.Contains(c.Kind));

    private static bool IsOutput(TokenClass c, params Modality[] modalities) => c.Direction == Direction.Output
        && (c is { Kind: TokenKind.Reasoning, Modality: Modality.Text }
            || (c.Kind == TokenKind.Fresh && modalities.Contains(c.Modality)));

    private static UsageReading Read(string name, JsonObject body) =>
        UsageReaders.Find(name.Split('/')[0],
            name.Split('/')[1])!.Read(System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()));

    private static JsonObject Usage(JsonObject body) =>
        (JsonObject)(body["usage"] ?? body["usageMetadata"] ?? body["response"]!["usage"])!;

    private static JsonObject Chat(Use use, string input, string inputDetails, string output, string outputDetails) =>
        new()
        {
            ["usage"] = new JsonObject
            {
                [input] = use.Input(),
                [inputDetails] = new JsonObject
                {
                    ["cached_tokens"] = use.Input(k: TokenKind.CacheRead),
                    ["cache_write_tokens"] = use.Input(k: TokenKind.CacheWrite),
                },
                [output] = use.Output(),
                [outputDetails] = new JsonObject
                {
                    ["reasoning_tokens"] = use.Output(k: TokenKind.Reasoning),
                    ["audio_tokens"] = use.Output(Modality.Audio),
                },
                ["total_tokens"] = use.Input() + use.Output(),
            },
        };

    private static JsonObject Realtime(Use use) => new()
    {
        ["response"] = new JsonObject
        {
            ["usage"] = new JsonObject
            {
                ["total_tokens"] = use.Input() + use.Output(),
                ["input_tokens"] = use.Input(),
                ["output_tokens"] = use.Output(),
                ["input_token_details"] = new JsonObject
                {
                    ["text_tokens"] = use.Input(Modality.Text),
                    ["audio_tokens"] = use.Input(Modality.Audio),
                    ["image_tokens"] = use.Input(Modality.Image),
                    ["cached_tokens"] = use.Input(k: TokenKind.CacheRead),
                    ["cached_tokens_details"] = new JsonObject
                    {
                        ["text_tokens"] = use.Input(Modality.Text, TokenKind.CacheRead),
                        ["audio_tokens"] = use.Input(Modality.Audio, TokenKind.CacheRead),
                        ["image_tokens"] = use.Input(Modality.Image, TokenKind.CacheRead),
                    },
                },
                ["output_token_details"] = new JsonObject
                {
                    ["text_tokens"] = use.Output(Modality.Text),
                    ["audio_tokens"] = use.Output(Modality.Audio),
                },
            },
        },
    };

    private static JsonObject Anthropic(Use use) => new()
    {
        ["usage"] = new JsonObject
        {
            ["input_tokens"] = use.Input(k: TokenKind.Fresh),
            ["cache_read_input_tokens"] = use.Input(k: TokenKind.CacheRead),
            ["cache_creation_input_tokens"] = use.Input(k: TokenKind.CacheWrite5M)
                + use.Input(k: TokenKind.CacheWrite1H),
            ["cache_creation"] = new JsonObject
            {
                ["ephemeral_5m_input_tokens"] = use.Input(k: TokenKind.CacheWrite5M),
                ["ephemeral_1h_input_tokens"] = use.Input(k: TokenKind.CacheWrite1H),
            },
            ["output_tokens"] = use.Output(),
            ["output_tokens_details"] = new JsonObject { ["thinking_tokens"] = use.Output(k: TokenKind.Reasoning) },
        },
    };

    private static JsonObject Gemini(Use use)
    {
        long prompt = use.Input() - use.Input(k: TokenKind.ToolUse);
        return new()
        {
            ["usageMetadata"] = new JsonObject
            {
                ["promptTokenCount"] = prompt,
                ["promptTokensDetails"] = Details(m => use.Input(m) - use.Input(m, TokenKind.ToolUse)),
                ["cachedContentTokenCount"] = use.Input(k: TokenKind.CacheRead),
                ["cacheTokensDetails"] = Details(m => use.Input(m, TokenKind.CacheRead)),
                ["toolUsePromptTokenCount"] = use.Input(k: TokenKind.ToolUse),
                ["toolUsePromptTokensDetails"] = Details(m => use.Input(m, TokenKind.ToolUse)),
                ["candidatesTokenCount"] = use.Output(k: TokenKind.Fresh),
                ["candidatesTokensDetails"] = Details(m => use.Output(m, TokenKind.Fresh)),
                ["thoughtsTokenCount"] = use.Output(k: TokenKind.Reasoning),
                ["totalTokenCount"] = use.Sum(_ => true),
            },
        };
    }

    private static JsonArray Details(Func<Modality, long> count) =>
        [.. new[] { Modality.Text, Modality.Image, Modality.Audio, Modality.Video, Modality.Document }.Select(m =>
            (JsonNode)new JsonObject { ["modality"] = m.ToString().ToUpperInvariant(), ["tokenCount"] = count(m) })];

    private static JsonObject Bedrock(Use use) => new()
    {
        ["usage"] = new JsonObject
        {
            ["inputTokens"] = use.Input(k: TokenKind.Fresh),
            ["cacheReadInputTokens"] = use.Input(k: TokenKind.CacheRead),
            ["cacheWriteInputTokens"] = use.Input(k: TokenKind.CacheWrite),
            ["outputTokens"] = use.Output(),
            ["totalTokens"] = use.Sum(_ => true),
        },
    };

    private static JsonObject DeepSeek(Use use)
    {
        JsonObject body = Chat(use, "prompt_tokens", "prompt_tokens_details", "completion_tokens",
            "completion_tokens_details");
        body["usage"]!["prompt_cache_hit_tokens"] = use.Input(k: TokenKind.CacheRead);
        body["usage"]!["prompt_cache_miss_tokens"] = use.Input(k: TokenKind.Fresh);
        return body;
    }

    private static JsonObject XAi(Use use)
    {
        JsonObject body = Chat(use, "prompt_tokens", "prompt_tokens_details", "completion_tokens",
            "completion_tokens_details");
        body["usage"]!["completion_tokens"] = use.Output(k: TokenKind.Fresh);
        return body;
    }

    /// <summary>Tokens by class.</summary>
    private sealed class Use
    {
        internal Dictionary<TokenClass, long> Counts { get; } = [];

        internal static Use Random(int seed, Func<TokenClass, bool> says)
        {
            var random = new Random(seed);
            var use = new Use();
            foreach (TokenClass tokenClass in Enumerable.Range(0, 256)
                .Where(v => TokenClass.TryFromValue((byte)v, out _))
                .Select(v => TokenClass.TryFromValue((byte)v, out TokenClass c) ? c : default).Where(says))
            {
                long count = random.Next(4) switch
                {
                    0 => 0,
                    1 => random.Next(10),
                    2 => random.Next(100_000),
                    _ =>
                    random.NextInt64(1_000_000_000_000)
                };
                if (count > 0)
                {
                    use.Counts.Add(tokenClass, count);
                }
            }

            return use;
        }

        internal long Input(Modality? m = null, TokenKind? k = null) =>
            Sum(c => c.Direction == Direction.Input && (m is null || c.Modality == m) && (k is null || c.Kind == k));

        internal long Output(Modality? m = null, TokenKind? k = null) =>
            Sum(c => c.Direction == Direction.Output && (m is null || c.Modality == m) && (k is null || c.Kind == k));

        internal long Sum(Func<TokenClass, bool> where) => Counts.Where(c => where(c.Key)).Sum(c => c.Value);
    }
}
