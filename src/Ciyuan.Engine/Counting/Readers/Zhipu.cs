using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>Zhipu and Z.ai: chat; pictures by the picture; as Anthropic's messages.</summary>
internal static class Zhipu
{
    private static readonly string[] Names = ["zhipuai", "zai", "z-ai", "bigmodel"];

    internal static UsageReader[] Readers { get; } =
    [
        new("zhipu", "chat", OpenAiChat.Take)
        {
            AlsoProviders = Names,
            AlsoFlavours = ["default"],
            Beside = (body, draft) => draft.AddCalls("web_search",
                ServerTools.Items(body, "web_search").Any() ? 1 : 0), // a list of what one search found
        },
        new("zhipu", "anthropic", Anthropic.Take) { AlsoProviders = Names, AlsoFlavours = ["messages"] },
        new("zhipu", "embeddings", OpenAiEmbeddings.Take) { AlsoProviders = Names, AlsoFlavours = ["rerank"] },
        new("zhipu", "images", TakeImages) { AlsoProviders = Names, Roots = [""] },
    ];

    private static void TakeImages(UsageObject body, ReadingDraft draft)
    {
        if (body.Length("data") is { } pictures)
        {
            draft.Add(Meter.Image, pictures);
        }
    }
}
