using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Gemini, on Google AI and Vertex, also live: cached tokens within <c>promptTokenCount</c>; tool-use prompt,
/// candidates
/// and thoughts each beside; all with modalities. Zero is left out, as protocol buffers do.
/// </summary>
internal static class Google
{
    internal static UsageReader[] Readers { get; } =
    [
        new("google", "gemini", Take)
        {
            AlsoProviders = ["gemini", "vertex", "google-vertex", "google-gla", "gcp.gemini", "gcp.vertex_ai"],
            AlsoFlavours = ["default", "generatecontent", "live"],
            Roots = ["usageMetadata", "usage_metadata", "response.usageMetadata"],
            Shape = body => ResponseFacts.TryGet(body, "usageMetadata", out _),
            ShapeOrder = 10,
            Beside = ServerTools.OfGemini,
        },
        new("google", "anthropic", Anthropic.Take) { AlsoProviders = ["vertex", "google-vertex"] },
        new("google", "chat", TakeChat) { AlsoProviders = ["gemini", "vertex", "google-vertex"] },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        var input = new SideCounts(Direction.Input, draft) { MayBeMissing = usage.Has("totalTokenCount") };
        input.State(usage, "promptTokenCount");
        TakeModalities(usage, draft, input.Modal, "promptTokensDetails", "promptTokenDetails");
        TakePart(usage, draft, input, TokenKind.CacheRead, Place.Within, "cachedContentTokenCount",
            "cacheTokensDetails");
        TakePart(usage, draft, input, TokenKind.ToolUse, Place.Beside, "toolUsePromptTokenCount",
            "toolUsePromptTokensDetails");

        bool isLive = usage.Has("responseTokenCount");
        var output = new SideCounts(Direction.Output, draft) { MayBeMissing = true };
        output.State(usage, isLive ? "responseTokenCount" : "candidatesTokenCount");
        TakeModalities(usage, draft, output.Modal, isLive ? "responseTokensDetails" : "candidatesTokensDetails");
        OpenAiSides.TakeReasoning(output, Place.Beside, usage, draft, "thoughtsTokenCount");

        string traffic = usage.Text("trafficType");
        draft.Tag("traffic_type", traffic);
        draft.Tag("service_tier", traffic switch
        {
            "ON_DEMAND_FLEX" => "flex", // Vertex says by the traffic what Google AI says by the tier
            "ON_DEMAND_PRIORITY" => "priority",
            _ => usage.Text("serviceTier"),
        });

        // Embeddings have an input alone.
        bool hasOutput = output.Whole is not null || output.HasModalities || output.Parts.Count > 0;
        draft.Settle(input, hasOutput ? output : null, usage.Count("totalTokenCount"), usage.PathOf("totalTokenCount"));
    }

    // Through OpenAI's interface thoughts that are charged stand in the total alone.
    private static void TakeChat(UsageObject usage, ReadingDraft draft)
    {
        SideCounts input = OpenAiChat.Input(usage, draft);
        SideCounts output = OpenAiChat.Output(usage, draft);
        string path = usage.PathOf("total_tokens");
        if (usage.Count("total_tokens") - input.Whole - output.Whole is > 0 and { } rest
            && rest != input.SumOf(Place.Within) && output.SumOf(Place.Within) == 0)
        {
            output.Kind(TokenKind.Reasoning, Place.Beside, rest, path);
            draft.Tag("thinking", "on");
            draft.Lower(FindingCode.ReasoningBeside, path,
                $"is {rest} more than prompt and completion: thoughts, which are named nowhere else", Direction.Output);
        }

        OpenAiChat.Settle(usage, draft, input, output);
    }

    private static void TakePart(
        UsageObject usage, ReadingDraft draft, SideCounts side, TokenKind kind, Place place, string whole,
            string details)
    {
        if (side.Kind(kind, place, usage, whole) is { } part)
        {
            TakeModalities(usage, draft, (m, n) => part.ByModality[(int)m] += n ?? 0, details);
        }
    }

    private static void TakeModalities(
        UsageObject usage, ReadingDraft draft, Action<Modality, long?> take, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            foreach (UsageObject detail in usage.Items(name))
            {
                string modality = detail.Text("modality");
                Modality? known = modality switch
                {
                    "TEXT" => Modality.Text,
                    "IMAGE" => Modality.Image,
                    "AUDIO" => Modality.Audio,
                    "VIDEO" => Modality.Video,
                    "DOCUMENT" => Modality.Document,
                    _ => null,
                };
                if (known is null)
                {
                    draft.Lower(FindingCode.ModalityUnknown, detail.PathOf("modality"),
                        $"is '{modality}', which is not known; counted as text");
                }

                take(known ?? Modality.Text, detail.Count("tokenCount") ?? 0);
            }
        }
    }
}
