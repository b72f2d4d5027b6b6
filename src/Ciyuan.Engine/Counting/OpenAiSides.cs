using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>
/// The nesting that OpenAI began and most others follow: a whole for each direction with details within it. Only the
/// names differ from interface to interface.
/// </summary>
internal static class OpenAiSides
{
    /// <summary>The input side.</summary>
    /// <param name="usage">The usage object.</param>
    /// <param name="draft">The reading.</param>
    /// <param name="whole">Name of the whole.</param>
    /// <param name="details">Name of the object of details.</param>
    internal static SideCounts Input(UsageObject usage, ReadingDraft draft, string whole, string details)
    {
        SideCounts side = new SideCounts(Direction.Input, draft).State(usage, whole);
        if (usage.Child(details) is { } within)
        {
            TakeModalities(side, within);
            SidePart? read = side.Kind(TokenKind.CacheRead, Place.Within, within, "cached_tokens");
            if (read is not null && within.Child("cached_tokens_details") is { } ofRead)
            {
                TakeModalities(read, ofRead);
            }

            TakeCacheWrites(side, Place.Within, within,
                ["cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"],
                within.Has("cache_creation_token_details") ? "cache_creation_token_details" : "cache_creation");
        }

        return side;
    }

    /// <summary>The output side.</summary>
    /// <param name="usage">The usage object.</param>
    /// <param name="draft">The reading.</param>
    /// <param name="whole">Name of the whole.</param>
    /// <param name="details">Name of the object of details.</param>
    /// <param name="reasoning">Where reasoning stands.</param>
    /// <param name="plain">What output is of which nothing is said.</param>
    internal static SideCounts Output(
        UsageObject usage, ReadingDraft draft, string whole, string details, Place reasoning = Place.Within,
        Modality plain = Modality.Text)
    {
        SideCounts side = new SideCounts(Direction.Output, draft) { Plain = plain }.State(usage, whole);
        if (usage.Child(details) is { } within)
        {
            TakeModalities(side, within);
            TakeReasoning(side, reasoning, within, draft, "reasoning_tokens");
            side.Kind(TokenKind.RejectedPrediction, Place.Within, within, "rejected_prediction_tokens");
            _ = within.Count("accepted_prediction_tokens"); // output like any other
        }

        return side;
    }

    /// <summary>Reasoning, and the tag that says that the model was thinking.</summary>
    internal static void TakeReasoning(
        SideCounts side, Place place, UsageObject usage, ReadingDraft draft, params ReadOnlySpan<string> paths)
    {
        if (side.Kind(TokenKind.Reasoning, place, usage, paths) is { Count: > 0 })
        {
            draft.Tag("thinking", "on");
        }
    }

    /// <summary>Tokens written to a cache, by time to live where it is said.</summary>
    /// <param name="side">The input side.</param>
    /// <param name="place">Where they stand.</param>
    /// <param name="usage">The usage object.</param>
    /// <param name="flat">Names of the number of all of them.</param>
    /// <param name="split">Name of the object that splits it.</param>
    internal static void TakeCacheWrites(
        SideCounts side, Place place, UsageObject usage, ReadOnlySpan<string> flat, string split)
    {
        long? all = side.Kind(TokenKind.CacheWrite, place, usage, flat)?.Count;
        if (usage.Child(split) is { } lives)
        {
            side.SplitCacheWrites(place, all, lives.Count("ephemeral_5m_input_tokens"),
                lives.Count("ephemeral_1h_input_tokens"), usage.PathOf(split));
        }
    }

    private static void TakeModalities(SideCounts side, UsageObject details)
    {
        foreach ((Modality modality, string name) in Names)
        {
            side.Modal(modality, details.Count(name));
        }
    }

    private static void TakeModalities(SidePart part, UsageObject details)
    {
        foreach ((Modality modality, string name) in Names)
        {
            if (details.Count(name) is { } count)
            {
                part.ByModality[(int)modality] = count;
            }
        }
    }

    private static readonly (Modality Modality, string Name)[] Names =
    [
        (Modality.Text, "text_tokens"), (Modality.Audio, "audio_tokens"), (Modality.Image, "image_tokens"),
        (Modality.Video, "video_tokens"),
    ];

    /// <summary>Whether a response has a usage object with a field.</summary>
    internal static bool HasUsage(JsonElement body, string name) =>
        ResponseFacts.TryGet(body, "usage", out JsonElement usage) && ResponseFacts.TryGet(usage, name, out _);
}
