namespace Ciyuan.Counting.Readers;

/// <summary>Azure: OpenAI's interfaces unchanged, and Anthropic's.</summary>
internal static class Azure
{
    internal static UsageReader[] Readers { get; } =
    [
        new("azure", "chat", OpenAiChat.Take) { AlsoFlavours = ["completions"] },
        new("azure", "responses", OpenAiResponses.Take) { Beside = ServerTools.OfResponses },
        new("azure", "embeddings", OpenAiEmbeddings.Take) { AlsoFlavours = ["embedding"] },
        new("azure", "images", OpenAiImages.Take) { AlsoFlavours = ["image"], Roots = ["usage", ""] },
        new("azure", "anthropic", Anthropic.Take) { AlsoFlavours = ["messages"] },
    ];
}
