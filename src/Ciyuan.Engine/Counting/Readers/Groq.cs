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
        },
        new("groq", "responses", OpenAiResponses.Take),
        new("groq", "speech", OpenAiSpeech.Take),
    ];
}
