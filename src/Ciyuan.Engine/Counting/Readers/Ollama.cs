using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>Ollama's own interface: <c>prompt_eval_count</c> and <c>eval_count</c> at the top of the
/// response.</summary>
internal static class Ollama
{
    internal static UsageReader[] Readers { get; } =
    [
        new("ollama", "native", Take)
        {
            AlsoFlavours = ["default"],
            Roots = [""],
            Shape = body => ResponseFacts.TryGet(body, "eval_count", out _),
            ShapeOrder = 14,
        },
        new("ollama", "chat", OpenAiChat.Take),
    ];

    private static void Take(UsageObject body, ReadingDraft draft) => draft.Settle(
        new SideCounts(Direction.Input, draft).State(body, "prompt_eval_count"),
        new SideCounts(Direction.Output, draft).State(body, "eval_count"), null, "");
}
