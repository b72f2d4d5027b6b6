using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>OpenAI embeddings and moderations: input alone; <c>total_tokens</c> is the same number.</summary>
internal static class OpenAiEmbeddings
{
    internal static UsageReader[] Readers { get; } =
    [
        new("openai", "embeddings", Take)
        {
            AlsoFlavours = ["embedding"],
            Shape = body => OpenAiSides.HasUsage(body, "prompt_tokens")
                && !OpenAiSides.HasUsage(body, "completion_tokens"),
            ShapeOrder = 70,
        },
    ];

    internal static void Take(UsageObject usage, ReadingDraft draft)
    {
        SideCounts input = OpenAiSides.Input(usage, draft, "prompt_tokens", "prompt_tokens_details");
        long? total = usage.Count("total_tokens");
        input.Whole ??= total;

        // Asked as an embedding, the output of a chat counts nothing, but is seen.
        long output = usage.Count("completion_tokens") ?? 0;
        if (output > 0)
        {
            draft.Lower(FindingCode.UnreadCount, usage.PathOf("completion_tokens"),
                $"is {output}; embeddings have no output, and it was not read", Direction.Input);
            total -= output;
        }

        usage.Ignore("completion_tokens_details");
        draft.Settle(input, null, total, usage.PathOf("total_tokens"));
    }
}
