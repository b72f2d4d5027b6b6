using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Amazon Bedrock, InvokeModel: the metrics that its last event carries, the same for all models, and the bodies of
/// models that have a usage of their own (Titan, Llama).
/// </summary>
internal static class BedrockInvoke
{
    internal static UsageReader[] Readers { get; } =
    [
        new("bedrock", "invoke", Take)
        {
            AlsoProviders = ["aws"],
            Roots = ["usage", "amazon-bedrock-invocationMetrics", ""], // a usage of its own says more
            Shape = body => ResponseFacts.TryGet(body, "amazon-bedrock-invocationMetrics", out _)
                || ResponseFacts.TryGet(body, "inputTextTokenCount", out _)
                || ResponseFacts.TryGet(body, "generation_token_count", out _),
            ShapeOrder = 13,
        },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Has("input_tokens"))
        {
            Anthropic.Take(usage, draft);
        }
        else if (usage.Has("inputTokens"))
        {
            Bedrock.Take(usage, draft); // Nova
        }
        else if (usage.Has("prompt_tokens"))
        {
            OpenAiChat.Take(usage, draft);
        }
        else if (usage.Has("inputTextTokenCount"))
        {
            SideCounts input = new SideCounts(Direction.Input, draft).State(usage, "inputTextTokenCount"); // Titan
            var output = new SideCounts(Direction.Output, draft)
            {
                MayBeMissing = true,
                Whole = usage.Length("results") is null ? null : usage.Items("results").Sum(r =>
                    r.Count("tokenCount") ?? 0),
            };
            draft.Settle(input, output.Whole is null ? null : output, null, "");
        }
        else if (usage.Has("generation_token_count"))
        {
            draft.Settle(
                new SideCounts(Direction.Input, draft).State(usage, "prompt_token_count"), // Llama
                new SideCounts(Direction.Output, draft).State(usage, "generation_token_count"), null, "");
        }
        else
        {
            SideCounts input = new SideCounts(Direction.Input, draft).State(usage, "inputTokenCount");
            input.Kind(TokenKind.CacheRead, Place.Beside, usage, "cacheReadInputTokenCount");
            input.Kind(TokenKind.CacheWrite, Place.Beside, usage, "cacheWriteInputTokenCount");
            usage.Ignore("invocationLatency", "firstByteLatency");
            draft.Settle(input, new SideCounts(Direction.Output, draft).State(usage, "outputTokenCount"), null, "");
        }
    }
}
