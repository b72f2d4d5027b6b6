using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Amazon Bedrock, Converse: <c>inputTokens</c> without the cache; read and written tokens beside it, the written ones
/// by time to live in <c>cacheDetails</c>; <c>totalTokens</c> has all of them.
/// </summary>
internal static class Bedrock
{
    internal static UsageReader[] Readers { get; } =
    [
        new("bedrock", "converse", Take)
        {
            AlsoProviders = ["aws"],
            AlsoFlavours = ["default"],
            Roots = ["usage", "metadata.usage"],
            Shape = body => OpenAiSides.HasUsage(body, "inputTokens"),
            ShapeOrder = 12,
            Beside = (body, draft) => draft.Tag("latency",
                ResponseFacts.TryGet(body, "performanceConfig", out JsonElement performance)
                    ? ResponseFacts.FirstText(performance, ["latency"]) : ""),
        },
        new("bedrock", "anthropic", Anthropic.Take) { AlsoProviders = ["aws"] },
    ];

    internal static void Take(UsageObject usage, ReadingDraft draft)
    {
        SideCounts input = new SideCounts(Direction.Input, draft).State(usage, "inputTokens");
        input.Kind(TokenKind.CacheRead, Place.Beside, usage, "cacheReadInputTokens", "cacheReadInputTokenCount");
        long? written = input.Kind(TokenKind.CacheWrite, Place.Beside, usage,
            "cacheWriteInputTokens", "cacheWriteInputTokenCount")?.Count;
        TakeTimesToLive(usage, input, written);
        SideCounts output = new SideCounts(Direction.Output, draft).State(usage, "outputTokens");
        foreach ((string name, long calls) in usage.Child("serverToolUsage")?.Numbers() ?? [])
        {
            draft.AddCalls(name, calls);
        }

        draft.Settle(input, output, usage.Count("totalTokens"), usage.PathOf("totalTokens"));
    }

    private static void TakeTimesToLive(UsageObject usage, SideCounts input, long? written)
    {
        long? fiveMinutes = null;
        long? oneHour = null;
        foreach (UsageObject detail in usage.Items("cacheDetails"))
        {
            long tokens = detail.Count("inputTokens") ?? 0;
            switch (detail.Text("ttl"))
            {
                case "5m":
                    fiveMinutes = (fiveMinutes ?? 0) + tokens;
                    break;
                case "1h":
                    oneHour = (oneHour ?? 0) + tokens;
                    break;
                default:
                    break; // no class of its own: the rest, which is a finding
            }
        }

        input.SplitCacheWrites(Place.Beside, written, fiveMinutes, oneHour, usage.PathOf("cacheDetails"));
    }
}
