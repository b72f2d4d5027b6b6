using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Perplexity: chat; tokens of citations and of reasoning are charged beside prompt and completion, and are not in its
/// total; searches are charged by the search.
/// </summary>
internal static class Perplexity
{
    internal static UsageReader[] Readers { get; } =
        [new("perplexity", "chat", Take) { AlsoFlavours = ["default"] }];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        SideCounts input = OpenAiChat.Input(usage, draft);
        input.Kind(TokenKind.ToolUse, Place.OutsideTotal, usage, "citation_tokens");
        SideCounts output = OpenAiSides.Output(usage, draft, "completion_tokens", "completion_tokens_details");
        OpenAiSides.TakeReasoning(output, Place.OutsideTotal, usage, draft, "reasoning_tokens");
        draft.AddCalls("search", usage.Count("num_search_queries"));
        draft.Tag("search_context_size", usage.Text("search_context_size"));
        draft.StateCost(usage.Decimal("cost.total_cost"), Currency.Usd, usage.PathOf("cost.total_cost"));
        usage.Ignore("cost");
        OpenAiChat.Settle(usage, draft, input, output);
    }
}
