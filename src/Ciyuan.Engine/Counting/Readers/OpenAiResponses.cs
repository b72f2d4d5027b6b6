using System.Text.Json;

namespace Ciyuan.Counting.Readers;

/// <summary>OpenAI responses: as chat, under the names <c>input_tokens</c> and <c>output_tokens</c>.</summary>
internal static class OpenAiResponses
{
    internal static UsageReader[] Readers { get; } =
    [
        new("openai", "responses", Take)
        {
            Shape = body => OpenAiSides.HasUsage(body, "input_tokens_details") || IsResponse(body),
            ShapeOrder = 40,
            Beside = ServerTools.OfResponses,
        },
    ];

    internal static void Take(UsageObject usage, ReadingDraft draft)
    {
        SideCounts input = OpenAiSides.Input(usage, draft, "input_tokens", "input_tokens_details");
        SideCounts output = OpenAiSides.Output(usage, draft, "output_tokens", "output_tokens_details");
        draft.Tag("service_tier", usage.Text("service_tier"));
        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }

    private static bool IsResponse(JsonElement body) => ResponseFacts.FirstText(body, ["object"]) == "response";
}
