namespace Ciyuan.Counting.Readers;

/// <summary>
/// Qwen on DashScope in the mode compatible with OpenAI: chat; cached tokens and those of an explicit cache's creation
/// within the prompt; <c>cache_type</c> tells the explicit cache from the implicit one, which have different prices.
/// </summary>
internal static class QwenCompatible
{
    private static readonly string[] Names = ["dashscope", "aliyun", "bailian", "alibaba", "qwencloud"];

    internal static UsageReader[] Readers { get; } =
    [
        new("qwen", "chat", Take) { AlsoProviders = Names, AlsoFlavours = ["compatible", "default"] },
        new("qwen", "responses", TakeResponses) { AlsoProviders = Names },
        new("qwen", "embeddings", OpenAiEmbeddings.Take) { AlsoProviders = Names },
        new("qwen", "anthropic", Anthropic.Take) { AlsoProviders = Names, AlsoFlavours = ["messages"] },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        draft.Tag("cache_type", usage.Text("prompt_tokens_details.cache_type"));
        draft.AddCalls("search", usage.Count("plugins.search.count"));
        OpenAiChat.Take(usage, draft);
    }

    private static void TakeResponses(UsageObject usage, ReadingDraft draft)
    {
        foreach ((string name, UsageObject tool) in usage.Child("x_tools")?.Children() ?? [])
        {
            // Fetching pages and running code are free for a limited time.
            draft.AddCalls(name, tool.Count("count"), name.Contains("search", StringComparison.Ordinal));
        }

        OpenAiResponses.Take(usage, draft);
    }
}
