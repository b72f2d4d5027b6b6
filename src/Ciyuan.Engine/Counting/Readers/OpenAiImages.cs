using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// OpenAI images: text and images within <c>input_tokens</c>; output is images unless details say text. Models that are
/// charged by the picture report no usage: then the pictures are counted.
/// </summary>
internal static class OpenAiImages
{
    internal static UsageReader[] Readers { get; } =
        [new("openai", "images", Take) { AlsoFlavours = ["image"], Roots = ["usage", ""] }];

    internal static void Take(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Length("data") is { } pictures)
        {
            draft.Add(Meter.Image, pictures);
            return;
        }

        SideCounts input = OpenAiSides.Input(usage, draft, "input_tokens", "input_tokens_details");
        SideCounts output = OpenAiSides.Output(
            usage, draft, "output_tokens", "output_tokens_details", plain: Modality.Image);
        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }
}
