using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// DashScope's own interface: images and video within <c>input_tokens</c>, audio within or (where it is more, as older
/// audio models have it) beside it; other services count characters, seconds, pictures or videos, which tell what they
/// are by their names.
/// </summary>
internal static class QwenNative
{
    private static readonly string[] Names = ["dashscope", "aliyun", "bailian", "alibaba", "qwencloud"];

    internal static UsageReader[] Readers { get; } =
    [
        new("qwen", "native", Take)
        {
            AlsoProviders = Names,
            AlsoFlavours = ["dashscope"],
            Shape = body => ResponseFacts.TryGet(body, "request_id", out _)
                && ResponseFacts.TryGet(body, "output", out _) && ResponseFacts.TryGet(body, "usage", out _),
            ShapeOrder = 15,
        },
    ];

    private static void Take(UsageObject usage, ReadingDraft draft)
    {
        bool hasUnits = TakeUnits(usage, draft);
        bool hasTokens = usage.Has("input_tokens") || usage.Has("output_tokens")
            || usage.Has("input_tokens_details") || usage.Has("output_tokens_details");
        if (hasTokens)
        {
            TakeTokens(usage, draft, hasUnits);
        }
        else if (usage.Has("total_tokens"))
        {
            // Embeddings and reranking say nothing else.
            draft.Settle(new SideCounts(Direction.Input, draft).State(usage, "total_tokens"), null, null, "");
        }
        else if (!hasUnits)
        {
            draft.Refuse(FindingCode.NoUsage, usage.PathOf("input_tokens"), "is missing, and so is every other count");
        }
    }

    private static bool TakeUnits(UsageObject usage, ReadingDraft draft)
    {
        long? characters = usage.Count("characters");
        // Beside tokens they are those of the prompt; services that make pictures may say tokens of zero.
        bool hasTokens = usage.Count("input_tokens") > 0 || usage.Count("image_tokens") > 0;
        long? pictures = hasTokens ? null : usage.Count("image_count");
        long? seconds = usage.Millionths("seconds") ?? usage.Millionths("video_duration")
            ?? usage.Millionths("duration");
        long videos = usage.Count("video_count") ?? 1;
        Add(draft, Meter.Character, characters);
        Add(draft, Meter.Image, pictures);
        Add(draft, Meter.Second, seconds * Math.Max(videos, 1));
        usage.Ignore("image_count", "video_duration", "duration", "output_video_duration", "input_video_duration");
        draft.Tag("video_ratio", usage.Text("video_ratio"));
        draft.Tag("video_size", usage.Text("size"));
        draft.Tag("resolution", usage.Count("SR") is > 0 and { } lines ? $"{lines}P" : "");
        draft.AddCalls("search", usage.Count("plugins.search.count"));
        return characters is not null || pictures is not null || seconds is not null;
    }

    private static void TakeTokens(UsageObject usage, ReadingDraft draft, bool hasUnits)
    {
        SideCounts input = OpenAiSides.Input(usage, draft, "input_tokens", "input_tokens_details");
        input.Kind(TokenKind.CacheRead, Place.Within, usage, "prompt_tokens_details.cached_tokens", "cached_tokens");
        if (!input.Parts.Exists(p => p is { IsCache: true, Kind: not TokenKind.CacheRead, Count: > 0 }))
        {
            input.Parts.RemoveAll(p => p is { IsCache: true, Kind: not TokenKind.CacheRead });
            OpenAiSides.TakeCacheWrites(input, Place.Within, usage,
                ["prompt_tokens_details.cache_creation_input_tokens"], "prompt_tokens_details.cache_creation");
        }

        draft.Tag("cache_type", usage.Text("prompt_tokens_details.cache_type"));
        TakeFlatModalities(usage, draft, input);
        SideCounts output = OpenAiSides.Output(usage, draft, "output_tokens", "output_tokens_details");
        if (hasUnits && input.Whole is null && !input.HasModalities)
        {
            input.Whole = 0;
        }

        if (output.Whole is null && !output.HasModalities && !usage.Has("total_tokens"))
        {
            output.Whole = hasUnits ? 0 : null;
        }

        draft.Settle(input, output, usage.Count("total_tokens"), usage.PathOf("total_tokens"));
    }

    private static readonly (Modality Modality, string Name)[] Flat =
        [(Modality.Image, "image_tokens"), (Modality.Video, "video_tokens"), (Modality.Audio, "audio_tokens")];

    // Within the input, except where they are more than it, or the total has them beside it.
    private static void TakeFlatModalities(UsageObject usage, ReadingDraft draft, SideCounts input)
    {
        long sum = Flat.Sum(f => usage.Count(f.Name) ?? 0);
        if (input.HasModalities && usage.Has("input_tokens_details"))
        {
            return; // the details say the same
        }

        long? beside = usage.Count("total_tokens") - (usage.Count("output_tokens") ?? 0) - input.Whole;
        if (sum > 0 && (sum > input.Whole || sum == beside))
        {
            draft.Lower(FindingCode.DetailsExceedWhole, usage.PathOf("input_tokens"),
                $"is {input.Whole}, without the {sum} tokens of other modalities: read as standing beside it",
                Direction.Input);
            input.Whole += sum;
        }

        foreach ((Modality modality, string name) in Flat)
        {
            input.Modal(modality, usage.Count(name));
        }
    }

    private static void Add(ReadingDraft draft, Meter meter, long? steps)
    {
        if (steps is { } some)
        {
            draft.Add(meter, some);
        }
    }
}
