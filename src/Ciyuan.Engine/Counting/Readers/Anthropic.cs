using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Anthropic messages: <c>input_tokens</c> without the cache; read and written tokens beside it, the written ones by
/// time to live; thinking within <c>output_tokens</c>; there is no total. Iterations for compaction or an advisor are
/// charged, and are not in the totals of the message.
/// </summary>
internal static class Anthropic
{
    internal static UsageReader[] Readers { get; } =
    [
        new("anthropic", "messages", Take)
        {
            AlsoFlavours = ["default", "anthropic"],
            Shape = body => OpenAiSides.HasUsage(body, "input_tokens")
                && (OpenAiSides.HasUsage(body, "cache_read_input_tokens")
                    || OpenAiSides.HasUsage(body, "cache_creation_input_tokens")
                    || ResponseFacts.FirstText(body, ["type"]) == "message"),
            ShapeOrder = 20,
        },
        new("anthropic", "chat", OpenAiChat.Take),
    ];

    // Charged by the tokens that they bring, or by the hour of a container, which no response tells.
    internal static void Take(UsageObject usage, ReadingDraft draft) =>
        Take(usage, draft, "web_fetch", "code_execution", "tool_search");

    internal static void Take(UsageObject usage, ReadingDraft draft, params ReadOnlySpan<string> freeTools)
    {
        TakeOne(usage, draft);
        foreach (UsageObject iteration in usage.Items("iterations"))
        {
            TakeIteration(iteration, draft);
        }

        TakeTools(usage, draft, freeTools);
        foreach (string name in (string[])["service_tier", "inference_geo", "speed"])
        {
            draft.Tag(name, usage.Text(name));
        }
    }

    private static void TakeOne(UsageObject usage, ReadingDraft draft)
    {
        SideCounts input = new SideCounts(Direction.Input, draft).State(usage, "input_tokens");
        input.Kind(TokenKind.CacheRead, Place.Beside, usage, "cache_read_input_tokens");
        OpenAiSides.TakeCacheWrites(input, Place.Beside, usage, ["cache_creation_input_tokens"], "cache_creation");
        SideCounts output = new SideCounts(Direction.Output, draft).State(usage, "output_tokens");
        OpenAiSides.TakeReasoning(output, Place.Within, usage, draft, "output_tokens_details.thinking_tokens",
            "output_tokens_details.reasoning_tokens");
        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }

    private static void TakeIteration(UsageObject iteration, ReadingDraft draft)
    {
        string type = iteration.Text("type");
        string model = iteration.Text("model");
        if (type is "" or "message")
        {
            iteration.Ignore("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
                "cache_creation", "output_tokens_details");
        }
        else if (model.Length == 0 || model == draft.Model)
        {
            draft.Remark(FindingCode.BeyondTotals, iteration.PathOf("type"),
                $"is {type}: charged, and not in the totals of the message; added");
            TakeOne(iteration, draft);
        }
        else
        {
            draft.Remark(FindingCode.BeyondTotals, iteration.PathOf("model"),
                $"is {model}: a call of another model, charged by its own prices; a reading of its own");
            var other = new ReadingDraft(draft.Options) { Model = model, Created = draft.Created };
            TakeOne(iteration, other);
            other.Tag("iteration", type);
            draft.AddOther(other.Finish());
        }
    }

    private static void TakeTools(UsageObject usage, ReadingDraft draft, ReadOnlySpan<string> freeTools)
    {
        foreach ((string name, long calls) in usage.Child("server_tool_use")?.Numbers() ?? [])
        {
            string tool = name.Replace("_requests", "", StringComparison.Ordinal);
            draft.AddCalls(tool, calls, !freeTools.Contains(tool));
        }
    }
}
