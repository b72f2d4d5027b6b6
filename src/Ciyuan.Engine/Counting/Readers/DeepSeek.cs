namespace Ciyuan.Counting.Readers;

/// <summary>DeepSeek: chat, with the prompt cut into <c>prompt_cache_hit_tokens</c> and
/// <c>prompt_cache_miss_tokens</c>,
/// whose sum it is.</summary>
internal static class DeepSeek
{
    internal static UsageReader[] Readers { get; } =
    [
        new("deepseek", "chat", Take)
        {
            AlsoFlavours = ["default", "completions"],
            Shape = body => OpenAiSides.HasUsage(body, "prompt_cache_hit_tokens"),
            ShapeOrder = 50,
        },
        new("deepseek", "anthropic", TakeMessages) { AlsoFlavours = ["messages"] },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        long? miss = usage.Count("prompt_cache_miss_tokens");
        long? hit = usage.Count("prompt_cache_hit_tokens");
        SideCounts input = OpenAiChat.Input(usage, draft);
        if (miss + hit is { } sum && input.Whole is { } whole && sum != whole)
        {
            draft.Lower(FindingCode.StatedTwice, usage.PathOf("prompt_tokens"),
                $"is {whole}, but {hit} hit and {miss} missed the cache; the rest was taken as fresh");
        }

        input.Whole ??= miss + hit;
        OpenAiChat.Settle(usage, draft, input, OpenAiChat.Output(usage, draft));
    }

    // Its searches cost by the call, and so do the pages that it fetches.
    private static void TakeMessages(UsageObject usage, ReadingDraft draft) =>
        Anthropic.Take(usage, draft, "code_execution", "tool_search");
}
