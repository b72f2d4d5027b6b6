using System.Text.Json;

namespace Ciyuan.Counting.Readers;

/// <summary>Groq: chat, with times beside the counts; in streams the usage is in <c>x_groq</c>.</summary>
internal static class Groq
{
    internal static UsageReader[] Readers { get; } =
    [
        new("groq", "chat", OpenAiChat.Take)
        {
            AlsoFlavours = ["default"],
            Roots = ["usage", "x_groq.usage"],
            Shape = body => OpenAiSides.HasUsage(body, "queue_time") || ResponseFacts.TryGet(body, "x_groq", out _),
            ShapeOrder = 52,
            Beside = TakeTools,
        },
        new("groq", "responses", OpenAiResponses.Take),
        new("groq", "speech", OpenAiSpeech.Take),
    ];

    // Its compound systems search and visit pages by the call; code runs by the hour.
    private static void TakeTools(JsonElement body, ReadingDraft draft)
    {
        var calls = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (JsonElement tool in ServerTools.Messages(body).SelectMany(said =>
            ServerTools.Items(said, "executed_tools")))
        {
            string type = ResponseFacts.FirstText(tool, ["type"]);
            calls[type] = calls.GetValueOrDefault(type) + 1;
        }

        foreach ((string name, long count) in calls.Where(c => c.Key.Length > 0))
        {
            draft.AddCalls(name, count, name is "search" or "visit" or "visit_website" or "browser_search");
        }
    }
}
