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
        new("deepseek", "anthropic", Anthropic.Take) { AlsoFlavours = ["messages"] },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        long? miss = usage.Count("prompt_cache_miss_tokens");
        long? hit = usage.Count("prompt_cache_hit_tokens");
        if (miss + hit is { } sum && usage.Count("prompt_tokens") is { } whole && sum != whole)
        {
            draft.Lower(FindingCode.StatedTwice, usage.PathOf("prompt_tokens"),
                $"is {whole}, but {hit} hit and {miss} missed the cache; the rest was taken as fresh");
        }

        OpenAiChat.Take(usage, draft);
    }
}
