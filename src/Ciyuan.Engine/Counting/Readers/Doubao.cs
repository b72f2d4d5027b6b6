using System.Text.Json;
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
        new("doubao", "chat", TakeChat) { AlsoProviders = Names, AlsoFlavours = ["default", "completions"] },
        new("doubao", "responses", TakeResponses) { AlsoProviders = Names },
        new("doubao", "embeddings", OpenAiEmbeddings.Take) { AlsoProviders = Names },
        new("doubao", "images", TakeImages) { AlsoProviders = Names },
        new("doubao", "video", TakeVideo) { AlsoProviders = Names, Beside = TagVideo },
    ];

    private static void TakeChat(UsageObject usage, ReadingDraft draft)
    {
        // Of the tokens, those that a guarantee bought in advance has covered.
        foreach (string side in (string[])["prompt", "completion"])
        {
            if (usage.Count($"{side}_tokens_details.provisioned_tokens") is > 0)
            {
                draft.Tag("traffic_type", "provisioned");
            }
        }

        OpenAiChat.Take(usage, draft);
    }

    private static void TakeResponses(UsageObject usage, ReadingDraft draft)
    {
        foreach ((string name, long calls) in usage.Child("tool_usage")?.Numbers() ?? [])
        {
            draft.AddCalls(name, calls, name.StartsWith("web_search", StringComparison.Ordinal));
        }

        usage.Ignore("tool_usage_details"); // the same, by source
        OpenAiResponses.Take(usage, draft);
    }

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
        usage.Ignore("output_tokens", "total_tokens", "input_images", "tool_usage");
    }

    private static void TakeVideo(UsageObject usage, ReadingDraft draft)
    {
        SideCounts output = new SideCounts(Direction.Output, draft) { Plain = Modality.Video }
            .State(usage, "completion_tokens");
        draft.Settle(null, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
        draft.AddCalls("web_search", usage.Count("tool_usage.web_search"));
    }

    // What the price of a video goes by.
    private static void TagVideo(JsonElement body, ReadingDraft draft)
    {
        draft.Tag("resolution", ResponseFacts.FirstText(body, ["resolution"]));
        if (ResponseFacts.TryGet(body, "generate_audio", out JsonElement sound))
        {
            draft.Tag("generate_audio", sound.GetRawText().Trim('"'));
        }
    }
}
