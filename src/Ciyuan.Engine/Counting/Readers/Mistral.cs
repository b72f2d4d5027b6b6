using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Mistral: chat; audio is charged by <c>prompt_audio_seconds</c> beside the tokens; documents by the page in
/// <c>usage_info</c>.
/// </summary>
internal static class Mistral
{
    internal static UsageReader[] Readers { get; } =
    [
        new("mistral", "chat", TakeChat)
        {
            AlsoFlavours = ["default", "fim", "transcription", "conversations"],
            Shape = body => OpenAiSides.HasUsage(body, "connectors")
                || OpenAiSides.HasUsage(body, "prompt_audio_seconds"),
            ShapeOrder = 53,
        },
        new("mistral", "embeddings", OpenAiEmbeddings.Take),
        new("mistral", "ocr", TakePages) { Roots = ["usage_info"] },
    ];

    private static void TakeChat(UsageObject usage, ReadingDraft draft)
    {
        long? microseconds = usage.IsEmpty("prompt_audio_seconds") ? null : usage.Millionths("prompt_audio_seconds");
        if (microseconds is > 0 and { } some)
        {
            draft.Add(Meter.Second, some);
        }

        SideCounts input = OpenAiChat.Input(usage, draft);
        input.Kind(TokenKind.ToolUse, Place.Beside, usage, "connector_tokens");
        foreach ((string name, long calls) in usage.Child("connectors")?.Numbers() ?? [])
        {
            draft.AddCalls(name, calls);
        }

        SideCounts output = OpenAiChat.Output(usage, draft);
        long? total = usage.Count("total_tokens");
        if (microseconds > 0 && total - input.Whole - output.Whole is > 0 and var ofAudio)
        {
            draft.Remark(FindingCode.DetailsFallShort, usage.PathOf("total_tokens"),
                $"is {total}, of which {ofAudio} are of the audio, which is charged by the second and counted so");
            total -= ofAudio;
        }

        draft.Settle(input, output, total, usage.PathOf("total_tokens"));
    }

    private static void TakePages(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Count("pages_processed") is { } pages)
        {
            draft.Add(Meter.Page, pages);
        }

        usage.Ignore("doc_size_bytes");
    }
}
