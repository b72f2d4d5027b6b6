using Ciyuan.Quantities;

namespace Ciyuan.Counting.Readers;

/// <summary>OpenRouter: chat whatever the model, with cache and cache writes within the prompt; its own cost in US
/// dollars, and who served the call.</summary>
internal static class OpenRouter
{
    internal static UsageReader[] Readers { get; } =
    [
        new("openrouter", "chat", Take)
        {
            AlsoFlavours = ["default"],
            Shape = body => OpenAiSides.HasUsage(body, "is_byok") || OpenAiSides.HasUsage(body, "cost_details"),
            ShapeOrder = 51,
        },
        new("openrouter", "responses", TakeResponses),
        new("openrouter", "anthropic", Anthropic.Take) { AlsoFlavours = ["messages"] },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        TakeCost(usage, draft);
        OpenAiChat.Take(usage, draft);
    }

    private static void TakeResponses(UsageObject usage, ReadingDraft draft)
    {
        TakeCost(usage, draft);
        OpenAiResponses.Take(usage, draft);
    }

    private static void TakeCost(UsageObject usage, ReadingDraft draft)
    {
        // With a key of the customer's own, the model is charged by its provider and this is OpenRouter's fee alone.
        draft.StateCost(usage.Decimal("cost"), Currency.Usd, usage.PathOf("cost"));
        foreach ((string name, long calls) in usage.Child("server_tool_use")?.Numbers() ?? [])
        {
            draft.AddCalls(name.Replace("_requests", "", StringComparison.Ordinal), calls);
        }
    }
}
