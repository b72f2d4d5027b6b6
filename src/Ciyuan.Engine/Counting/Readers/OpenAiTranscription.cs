using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// OpenAI transcription and translation: tokens, with text and audio within <c>input_tokens</c>; or seconds, as the
/// usage says them, or as the duration of the verbose format.
/// </summary>
internal static class OpenAiTranscription
{
    internal static UsageReader[] Readers { get; } =
    [
        new("openai", "transcription", Take)
        {
            AlsoProviders = ["azure", "groq", "fireworks"],
            AlsoFlavours = ["transcriptions", "translation", "audio"],
            Roots = ["usage", ""],
            Shape = body => OpenAiSides.HasUsage(body, "input_token_details") || OpenAiSides.HasUsage(body, "seconds"),
            ShapeOrder = 35,
        },
    ];

    internal static void Take(UsageObject usage, ReadingDraft draft)
    {
        if ((usage.Millionths("seconds") ?? usage.Millionths("duration")) is { } microseconds)
        {
            draft.Add(Meter.Second, microseconds);
            return;
        }

        if (!usage.Has("input_tokens"))
        {
            draft.Refuse(FindingCode.NoUsage, usage.PathOf("seconds"), "is missing, and so are tokens and duration");
            return;
        }

        SideCounts input = OpenAiSides.Input(usage, draft, "input_tokens", "input_token_details");
        SideCounts output = OpenAiSides.Output(usage, draft, "output_tokens", "output_token_details");
        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }
}
