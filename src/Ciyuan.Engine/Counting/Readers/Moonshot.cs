namespace Ciyuan.Counting.Readers;

/// <summary>Moonshot: chat, with <c>cached_tokens</c> at the top of the usage, and as Anthropic's messages.</summary>
internal static class Moonshot
{
    private static readonly string[] Names = ["moonshotai", "moonshot_ai", "kimi"];

    internal static UsageReader[] Readers { get; } =
    [
        new("moonshot", "chat", OpenAiChat.Take) { AlsoProviders = Names, AlsoFlavours = ["default"] },
        new("moonshot", "anthropic", Anthropic.Take) { AlsoProviders = Names, AlsoFlavours = ["messages"] },
    ];
}
