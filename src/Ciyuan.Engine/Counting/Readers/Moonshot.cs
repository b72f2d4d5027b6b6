using System.Text.Json;

namespace Ciyuan.Counting.Readers;

/// <summary>Moonshot: chat, with <c>cached_tokens</c> at the top of the usage, and as Anthropic's messages.</summary>
internal static class Moonshot
{
    private static readonly string[] Names = ["moonshotai", "moonshot_ai", "kimi"];

    internal static UsageReader[] Readers { get; } =
    [
        new("moonshot", "chat", OpenAiChat.Take)
        {
            AlsoProviders = Names,
            AlsoFlavours = ["default"],
            Beside = TakeSearches,
        },
        new("moonshot", "anthropic", Anthropic.Take) { AlsoProviders = Names, AlsoFlavours = ["messages"] },
    ];

    // Its search is a function whose call it charges; the caller only hands the arguments back.
    private static void TakeSearches(JsonElement body, ReadingDraft draft) => draft.AddCalls("web_search",
        ServerTools.Messages(body).SelectMany(said => ServerTools.Items(said, "tool_calls"))
            .Count(call => ServerTools.NameOf(call) == "$web_search"));
}
