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
        new("mistral", "chat", TakeChat) { AlsoFlavours = ["default", "fim", "transcription"] },
        new("mistral", "embeddings", OpenAiEmbeddings.Take),
        new("mistral", "ocr", TakePages) { Roots = ["usage_info"] },
    ];

    private static void TakeChat(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Millionths("prompt_audio_seconds") is > 0 and { } microseconds)
        {
            draft.Add(Meter.Second, microseconds);
        }

        OpenAiChat.Take(usage, draft);
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
