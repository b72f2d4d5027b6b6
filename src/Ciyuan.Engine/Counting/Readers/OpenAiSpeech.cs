using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>OpenAI speech: text in, audio out, as its last event says; models that are charged by the character say
/// nothing, and whoever relays them says <c>characters</c>.</summary>
internal static class OpenAiSpeech
{
    internal static UsageReader[] Readers { get; } =
        [new("openai", "speech", Take) { AlsoProviders = ["azure"], AlsoFlavours = ["tts"] }];

    internal static void Take(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Count("characters") is { } characters)
        {
            draft.Add(Meter.Character, characters);
            return;
        }

        SideCounts input = OpenAiSides.Input(usage, draft, "input_tokens", "input_token_details");
        SideCounts output = OpenAiSides.Output(
            usage, draft, "output_tokens", "output_token_details", plain: Modality.Audio);
        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }
}
