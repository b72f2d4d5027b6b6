using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Ciyuan.Server.Prices;

/// <summary>
/// A price field of LiteLLM's map, taken apart: <c>input_cost_per_token_above_200k_tokens_priority</c> is the stem
/// <c>input_cost_per_token</c>, above 200 000 input tokens, in the tier <c>priority</c>.
/// </summary>
/// <param name="Stem">What is priced.</param>
/// <param name="Above">Input tokens that must be exceeded; 0 without a bound.</param>
/// <param name="Tier">The service tier; empty for the standard one.</param>
internal readonly partial record struct LiteLlmField(string Stem, long Above, string Tier)
{
    private static readonly (string Suffix, string Tier)[] TierSuffixes =
        [("_batches", "batch"), ("_batch", "batch"), ("_priority", "priority"), ("_flex", "flex")];

    /// <summary>Takes a field's name apart.</summary>
    internal static LiteLlmField Parse(string name)
    {
        (string stem, long above, string tier) = (name, 0, "");
        while (true)
        {
            (string suffix, string of) = Array.Find(
                TierSuffixes, t => stem.EndsWith(t.Suffix, StringComparison.Ordinal));
            Match bound = AboveTokens().Match(stem);
            if (suffix is not null && tier.Length == 0)
            {
                (stem, tier) = (stem[..^suffix.Length], of);
            }
            else if (bound.Success && above == 0)
            {
                above = long.Parse(bound.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) * 1_000;
                stem = bound.Groups[1].Value;
            }
            else
            {
                return new LiteLlmField(stem, above, tier);
            }
        }
    }

    /// <summary>Whether a field's name says that it holds a price.</summary>
    internal static bool IsPrice(string name) => name.Contains("cost", StringComparison.Ordinal)
        || name.Contains("pric", StringComparison.Ordinal);

    /// <summary>Sets a price per token; false when the stem is none.</summary>
    internal bool TrySetTokens(PriceDraft draft, ExactNumber perToken)
    {
        string price = perToken.Shifted(6).ToString();
        switch (Stem)
        {
            case "input_cost_per_token" or "output_cost_per_token":
                draft.Direction(Stem[..Stem.IndexOf('_', StringComparison.Ordinal)], "", price);
                return true;
            case "input_cost_per_token_cache_hit" or "cache_read_input_token_cost":
                draft.CacheRead("", price);
                return true;
            case "cache_creation_input_token_cost":
                SetWrite(draft, "", price, hour: false);
                return true;
            case "cache_creation_input_token_cost_above_1hr":
                SetWrite(draft, "", price, hour: true);
                return true;
            case "output_cost_per_reasoning_token":
                draft.Kind("output", "", "reasoning", price);
                return true;
            case "cache_creation_input_audio_token_cost":
                SetWrite(draft, "audio", price, hour: false);
                return true;
            case "cache_read_input_audio_token_cost" or "cache_read_input_token_cost_per_audio_token":
                draft.CacheRead("audio", price);
                return true;
            case "cache_read_input_image_token_cost":
                draft.CacheRead("image", price);
                return true;
            default:
                return TrySetModality(draft, price);
        }
    }

    /// <summary>The unit that the stem prices.</summary>
    internal bool TryUnit([NotNullWhen(true)] out string? unit)
    {
        unit = Stem switch
        {
            "input_cost_per_image" or "output_cost_per_image" => "image",
            "input_cost_per_second" or "output_cost_per_second" => "second",
            "output_cost_per_video_per_second" or "input_cost_per_video_per_second" => "second",
            "input_cost_per_audio_per_second" or "output_cost_per_audio_per_second" => "second",
            "input_cost_per_character" or "output_cost_per_character" => "character",
            "input_cost_per_query" or "input_cost_per_request" => "request",
            "ocr_cost_per_page" => "page",
            _ => null,
        };
        return unit is not null;
    }

    /// <summary>Fields in the order in which they are set: a narrow price overrides a wide one.</summary>
    internal int Rank => Stem == "input_cost_per_token_cache_hit" ? 0 // an older name, of which the newer goes before
        : Stem.Contains("1hr", StringComparison.Ordinal) ? 3
        : Stem.Contains("audio", StringComparison.Ordinal) || Stem.Contains("image", StringComparison.Ordinal) ? 2
        : 1;

    private bool TrySetModality(PriceDraft draft, string price)
    {
        Match match = ModalityToken().Match(Stem);
        if (match.Success)
        {
            draft.Direction(match.Groups[1].Value, match.Groups[2].Value, price);
        }

        return match.Success;
    }

    // A lifetime of one hour has a price of its own only where the map gives one.
    private static void SetWrite(PriceDraft draft, string modality, string price, bool hour)
    {
        string[] all = ["cache_write", "cache_write_5m", "cache_write_1h"];
        foreach (string kind in hour ? all[2..] : all)
        {
            draft.Kind("input", modality, kind, price);
        }
    }

    [GeneratedRegex("^(.+)_above_([0-9]{1,6})k_tokens$", RegexOptions.CultureInvariant)]
    private static partial Regex AboveTokens();

    [GeneratedRegex("^(input|output)_cost_per_(audio|image|video)_token$", RegexOptions.CultureInvariant)]
    private static partial Regex ModalityToken();
}
