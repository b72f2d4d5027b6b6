using Ciyuan.Usage;

namespace Ciyuan.Counting.Readers;

/// <summary>
/// Cohere says twice what was used: <c>billed_units</c>, which it charges, and <c>tokens</c>, which the model saw,
/// with its own preamble. The first is the default; <c>cached_tokens</c> is within the second.
/// </summary>
internal static class Cohere
{
    internal static UsageReader[] Readers { get; } =
    [
        new("cohere", "billed", TakeBilled)
        {
            AlsoFlavours = ["default", "chat", "embeddings", "embed", "rerank", "classify"],
            Roots = ["usage", "meta"],
            Shape = body => OpenAiSides.HasUsage(body, "billed_units") || (ResponseFacts.TryGet(body, "meta",
                out var meta)
                && ResponseFacts.TryGet(meta, "billed_units", out _)),
            ShapeOrder = 11,
        },
        new("cohere", "tokens", TakeTokens) { Roots = ["usage", "meta"] },
    ];

    private static void TakeBilled(UsageObject usage, ReadingDraft draft)
    {
        usage.Ignore("tokens", "cached_tokens");
        if (usage.Child("billed_units") is not { } billed)
        {
            draft.Refuse(FindingCode.MissingCount, usage.PathOf("billed_units"), "is missing");
            return;
        }

        draft.AddCalls("search_units", billed.Count("search_units"));
        draft.AddCalls("classifications", billed.Count("classifications"));
        long? imageTokens = billed.Count("image_tokens");
        if (billed.Count("images") is > 0 and { } images && imageTokens is null)
        {
            draft.Add(Meter.Image, images); // where their tokens are said, those are charged
        }

        SideCounts input = new SideCounts(Direction.Input, draft).State(billed, "input_tokens");
        if (imageTokens is { } beside)
        {
            input.Whole = (input.Whole ?? 0) + beside;
            input.Modal(Modality.Image, beside);
        }

        Settle(billed, draft, input);
    }

    private static void TakeTokens(UsageObject usage, ReadingDraft draft)
    {
        usage.Ignore("billed_units");
        if (usage.Child("tokens") is not { } tokens)
        {
            draft.Refuse(FindingCode.MissingCount, usage.PathOf("tokens"), "is missing");
            return;
        }

        SideCounts input = new SideCounts(Direction.Input, draft).State(tokens, "input_tokens");
        input.Kind(TokenKind.CacheRead, Place.Within, usage, "cached_tokens");
        Settle(tokens, draft, input);
    }

    // Embeddings have no output, reranking counts nothing but searches.
    private static void Settle(UsageObject counts, ReadingDraft draft, SideCounts input)
    {
        SideCounts output = new SideCounts(Direction.Output, draft).State(counts, "output_tokens");
        if (input.Whole is not null || output.Whole is not null)
        {
            draft.Settle(input.Whole is null ? null : input, output.Whole is null ? null : output, null, "");
        }
    }
}
