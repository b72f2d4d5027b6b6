using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Doubao on Volcengine Ark: chat and responses as OpenAI's. Pictures are charged by the picture, video by tokens of
/// output that stand under <c>completion_tokens</c>, without any input.
/// </summary>
internal static class Doubao
{
    private static readonly string[] Names = ["volcengine", "ark", "byteplus"];

    internal static UsageReader[] Readers { get; } =
    [
        new("doubao", "chat", OpenAiChat.Take) { AlsoProviders = Names, AlsoFlavours = ["default", "completions"] },
        new("doubao", "responses", OpenAiResponses.Take) { AlsoProviders = Names },
        new("doubao", "embeddings", OpenAiEmbeddings.Take) { AlsoProviders = Names },
        new("doubao", "images", TakeImages) { AlsoProviders = Names },
        new("doubao", "video", TakeVideo) { AlsoProviders = Names },
    ];

    private static void TakeImages(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Count("generated_images") is not { } pictures)
        {
            draft.Refuse(FindingCode.MissingCount, usage.PathOf("generated_images"), "is missing");
            return;
        }

        draft.Add(Meter.Image, pictures);
        draft.AddCalls("web_search", usage.Count("tool_usage.web_search"));

        // The same pictures in tokens: not charged, and not counted a second time.
        usage.Ignore("output_tokens", "total_tokens", "input_images");
    }

    private static void TakeVideo(UsageObject usage, ReadingDraft draft)
    {
        SideCounts output = new SideCounts(Direction.Output, draft) { Plain = Modality.Video }
            .State(usage, "completion_tokens");
        draft.Settle(null, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }
}
