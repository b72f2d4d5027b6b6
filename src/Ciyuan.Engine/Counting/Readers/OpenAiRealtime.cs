namespace Ciyuan.Counting.Readers;

/// <summary>
/// OpenAI realtime: each <c>response.done</c> is a call of its own. Text, audio and images within <c>input_tokens</c>,
/// cached within them, with its own modalities.
/// </summary>
internal static class OpenAiRealtime
{
    internal static UsageReader[] Readers { get; } =
    [
        new("openai", "realtime", Take)
        {
            AlsoProviders = ["azure"],
            Shape = body => ResponseFacts.FirstText(body, ["type"]) == "response.done"
                || ResponseFacts.FirstText(body, ["object"]) == "realtime.response",
            ShapeOrder = 30,
        },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Text("type") is "tokens" or "duration")
        {
            OpenAiTranscription.Take(usage, draft); // of what was said, by a model of its own
            return;
        }

        SideCounts input = OpenAiSides.Input(usage, draft, "input_tokens", "input_token_details");
        SideCounts output = OpenAiSides.Output(usage, draft, "output_tokens", "output_token_details");
        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }
}
