using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// xAI: chat, but reasoning stands beside <c>completion_tokens</c> and is in the total; sources that were searched are
/// charged by the source. Its own SDK names the parts of the prompt at the top.
/// </summary>
internal static class XAi
{
    private const decimal TicksPerDollar = 10_000_000_000;

    internal static UsageReader[] Readers { get; } =
    [
        new("xai", "chat", TakeChat) { AlsoProviders = ["x-ai", "grok"] },
        new("xai", "sdk", TakeSdk) { AlsoProviders = ["x-ai", "grok"], AlsoFlavours = ["default"] },
        new("xai", "responses", TakeResponses) { AlsoProviders = ["x-ai", "grok"] },
    ];

    private static void TakeChat(UsageObject usage, ReadingDraft draft)
    {
        TakeRest(usage, draft);
        OpenAiChat.Settle(usage, draft, OpenAiChat.Input(usage, draft),
            OpenAiChat.Output(usage, draft, Place.Beside));
    }

    private static void TakeSdk(UsageObject usage, ReadingDraft draft)
    {
        TakeRest(usage, draft);
        SideCounts input = OpenAiChat.Input(usage, draft);
        input.Kind(TokenKind.CacheRead, Place.Within, usage, "cached_prompt_text_tokens");
        input.Modal(Modality.Text, usage.Count("prompt_text_tokens"));
        input.Modal(Modality.Image, usage.Count("prompt_image_tokens"));
        OpenAiChat.Settle(usage, draft, input, OpenAiChat.Output(usage, draft, Place.Beside));
    }

    private static void TakeResponses(UsageObject usage, ReadingDraft draft)
    {
        TakeRest(usage, draft);
        OpenAiResponses.Take(usage, draft);
    }

    private static void TakeRest(UsageObject usage, ReadingDraft draft)
    {
        draft.AddCalls("source", usage.Count("num_sources_used"));
        draft.AddCalls("server_side_tool", usage.Count("num_server_side_tools_used"));
        draft.StateCost(usage.Decimal("cost_in_usd_ticks") / TicksPerDollar, Currency.Usd,
            usage.PathOf("cost_in_usd_ticks"));
    }
}
