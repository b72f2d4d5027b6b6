namespace Ciyuan.Counting.Readers;

/// <summary>
/// Relays whose input has the cache subtracted already, declared so: OpenAI's shapes with the cache beside the input.
/// Where nobody declares it, contradicting totals tell, and the grade is lower.
/// </summary>
internal static class Relay
{
    private static readonly ReadingOptions Subtracted = new(CachePlace.Beside);

    internal static UsageReader[] Readers { get; } =
    [
        new("relay", "chat-subtracted", OpenAiChat.Take) { Presets = Subtracted },
        new("relay", "responses-subtracted", OpenAiResponses.Take) { Presets = Subtracted },
    ];
}
