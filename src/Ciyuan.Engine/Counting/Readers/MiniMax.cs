using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// MiniMax: chat, messages as Anthropic's, responses as OpenAI's; speech by characters in <c>extra_info</c>; pictures
/// by
/// the picture in <c>metadata</c>.
/// </summary>
internal static class MiniMax
{
    internal static UsageReader[] Readers { get; } =
    [
        new("minimax", "chat", TakeChat) { AlsoFlavours = ["completions"] },
        new("minimax", "anthropic", Anthropic.Take) { AlsoFlavours = ["default", "messages"] },
        new("minimax", "responses", OpenAiResponses.Take),
        new("minimax", "speech", TakeSpeech) { AlsoFlavours = ["tts"], Roots = ["extra_info", "data.extra_info", ""] },
        new("minimax", "images", TakeImages) { Roots = ["metadata"] },
    ];

    private static void TakeChat(UsageObject usage, ReadingDraft draft)
    {
        usage.Ignore("total_characters"); // of the input that was filtered; never charged beside tokens
        OpenAiChat.Take(usage, draft);
    }

    private static void TakeSpeech(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Count("usage_characters") is { } characters)
        {
            draft.Add(Meter.Character, characters); // of a long text in a task of its own, at the top of the response
        }

        usage.Ignore("audio_length", "audio_size", "word_count", "invisible_character_ratio");
    }

    private static void TakeImages(UsageObject usage, ReadingDraft draft)
    {
        if (usage.Count("success_count") is { } pictures)
        {
            draft.Add(Meter.Image, pictures);
        }

        usage.Ignore("failed_count");
    }
}
