using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// OpenAI chat completions, and completions: cached, audio and image tokens within <c>prompt_tokens</c>; reasoning,
/// audio and rejected predictions within <c>completion_tokens</c>; <c>total_tokens</c> is the sum of both.
/// </summary>
internal static class OpenAiChat
{
    internal static UsageReader[] Readers { get; } =
    [
        new("openai", "chat", Take)
        {
            AlsoFlavours = ["completions", "chat.completions"],
            Shape = body => OpenAiSides.HasUsage(body, "prompt_tokens")
                && OpenAiSides.HasUsage(body, "completion_tokens"),
            ShapeOrder = 60,
        },
    ];

    internal static void Take(UsageObject usage, ReadingDraft draft) =>
        Settle(usage, draft, Input(usage, draft), Output(usage, draft));

    // Providers and relays that speak this convention have put the cache under names of their own, all meaning the
    // same.
    internal static SideCounts Input(UsageObject usage, ReadingDraft draft)
    {
        SideCounts input = OpenAiSides.Input(usage, draft, "prompt_tokens", "prompt_tokens_details");
        input.Kind(TokenKind.CacheRead, Place.Within, usage,
            "cached_tokens", "num_cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens");
        if (!input.Parts.Exists(p => p is { IsCache: true, Kind: not TokenKind.CacheRead, Count: > 0 }))
        {
            input.Parts.RemoveAll(p => p is { IsCache: true, Kind: not TokenKind.CacheRead });
            OpenAiSides.TakeCacheWrites(
                input, Place.Within, usage, ["cache_creation_input_tokens"], "cache_creation");
        }
        else
        {
            usage.Ignore("cache_creation_input_tokens", "cache_creation"); // LiteLLM says it in the details as well
        }

        return input;
    }

    internal static SideCounts Output(UsageObject usage, ReadingDraft draft, Place reasoning = Place.Within)
    {
        SideCounts output = OpenAiSides.Output(
            usage, draft, "completion_tokens", "completion_tokens_details", reasoning);
        OpenAiSides.TakeReasoning(output, reasoning, usage, draft, "reasoning_tokens");
        return output;
    }

    internal static void Settle(UsageObject usage, ReadingDraft draft, SideCounts input, SideCounts output)
    {
        draft.Tag("service_tier", usage.Text("service_tier"));
        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }
}
