using System.Collections.Frozen;
using System.Globalization;

namespace Ciyuan.Tokens.Media;

/// <summary>The tokens that a shape arrived at, and how.</summary>
internal readonly record struct ShapeResult(
    long Tokens, string How, MediaStatus Status = MediaStatus.Counted, long Frame = 0)
{
    public static ShapeResult Refuse(string why) => new(0, why, MediaStatus.RefusedByVendor);

    public static ShapeResult Bad(string why) => new(0, why, MediaStatus.BadFacts);
}

/// <summary>A formula: the numbers that it needs and may have, and what it does with them.</summary>
internal sealed record Shape(string[] Needs, string[] May, Func<MediaRule, MediaFacts, string, ShapeResult> Count);

/// <summary>The shapes by name. A new vendor with an old shape is data; only a new formula is a line here.</summary>
internal static class MediaShapes
{
    private static readonly string[] Everywhere = ["errorPercent", "frameTokens"];

    /// <summary>What is divided by.</summary>
    private static readonly string[] Positive =
        ["patch", "side", "factor", "divisor", "pixels", "framesPerSecond", "blockFrames"];

    private static readonly FrozenDictionary<string, Shape> Shapes = new Dictionary<string, Shape>
    {
        ["fixed"] = new(["tokens"], [], (r, f, d) => ImageShapes.Fixed(r, d)),
        ["tiles"] = new(
            ["base", "tile", "fit", "short", "side"],
            ["flat", "extraSquare", "extraOther"],
            ImageShapes.Tiles),
        ["patches"] = new(["patch", "budget"], ["edge", "multiplier"], ImageShapes.Patches),
        ["padded-grid"] = new(["patch", "edge", "budget"], ["maxSide"], ImageShapes.PaddedGrid),
        ["area"] = new(["pixels"], ["maxSide"], ImageShapes.Area),
        ["crops"] = new(["tokens", "small", "divisor"], ["minUnit", "maxUnit", "flat"], ImageShapes.Crops),
        ["smart-resize"] = new(
            ["factor", "minTokens", "maxTokens"],
            ["roundUpToFactor", "floorToFactor", "maxRatio"],
            ImageShapes.SmartResize),
        ["sizes"] = new(["square", "portrait", "landscape"], [], ImageShapes.Sizes),
        ["rate"] = new(["tokensPerSecond"], [], TimeShapes.Rate),
        ["seconds-only"] = new([], [], TimeShapes.SecondsOnly),
        ["frames-per-second"] = new(
            ["framesPerSecond", "tokensPerFrame"], ["soundTokensPerSecond"], TimeShapes.FramesPerSecond),
        ["mel-halved-twice"] = new(["framesPerSecond"], ["maxFrames"], TimeShapes.MelHalvedTwice),
        ["mel-blocks"] = new(["framesPerSecond", "blockFrames", "blockTokens"], [], TimeShapes.MelBlocks),
        ["volume"] = new(["pixels"], ["extraFrames"], TimeShapes.Volume),
        ["smart-resize-video"] = new(
            [
                "factor", "framesPerSecond", "minFrames", "maxFrames", "minTokens", "maxTokens", "contextTokens",
                "contextShare",
            ],
            ["timestampTokens", "marksPerStep", "maxRatio"],
            VideoShapes.SmartResizeVideo),
        ["pages"] = new(["tokensPerPage"], [], TimeShapes.Pages),
    }.ToFrozenDictionary();

    /// <summary>Checks a rule when it is read, so that a fault in data shows before anything is counted.</summary>
    public static void Check(MediaRule rule)
    {
        if (!Shapes.TryGetValue(rule.Shape, out Shape? shape))
        {
            throw new MediaRuleException(
                $"rule {rule.Id}: no shape '{rule.Shape}'; there are {string.Join(", ", Shapes.Keys.Order())}");
        }

        string[] known = [.. shape.Needs, .. shape.May, .. Everywhere];
        string? unknown = rule.NumberNames.FirstOrDefault(n => !known.Contains(n));
        if (unknown is not null)
        {
            throw new MediaRuleException($"rule {rule.Id}: the shape {rule.Shape} has no number '{unknown}'");
        }

        foreach (string detail in rule.NumberedDetails)
        {
            foreach (string name in shape.Needs.Where(_ => !rule.Has("flat", detail)))
            {
                decimal least = Positive.Contains(name) ? 0.001m : 0m;
                if (rule.Number(name, detail) is var value && (value < least || value > 1_000_000_000_000m))
                {
                    throw new MediaRuleException(Inv($"rule {rule.Id}: '{name}' must be from {least} to 10^12"));
                }
            }
        }

        if (rule.NumberedDetails.First().Length > 0 && rule.ResolveDetail("") is null)
        {
            throw new MediaRuleException(
                $"rule {rule.Id}: the default detail '{rule.DefaultDetail}' is not among its details");
        }
    }

    public static MediaCount Count(MediaRule rule, MediaFacts facts, string detail)
    {
        string? fault = Fault(facts);
        if (fault is not null)
        {
            return MediaCount.Fail(MediaStatus.BadFacts, fault);
        }

        ShapeResult result;
        try
        {
            result = Shapes[rule.Shape].Count(rule, facts, detail);
        }
        catch (OverflowException) // only numbers of an operator's rule can be that large
        {
            result = ShapeResult.Bad("the count is beyond 64 bits");
        }

        if (result.Status != MediaStatus.Counted)
        {
            return MediaCount.Fail(result.Status, $"{result.How} (rule {rule.Id})");
        }

        decimal percent = rule.Number("errorPercent", detail, 0m);
        bool guessed = facts.DurationIsEstimate && rule.Kind != MediaKind.Image;
        MediaGrade grade = guessed ? MediaGrade.Approximate : rule.Grade;
        string asked = detail.Length == 0 ? "" : $", detail {detail}";
        string explanation = Inv($"{result.How}; rule {rule.Id}{asked}, {grade}, {rule.Date}, {rule.Source}");
        return new MediaCount(
            MediaStatus.Counted,
            result.Tokens,
            rule.Whole("frameTokens", detail, 0) + result.Frame,
            (long)decimal.Ceiling(result.Tokens * percent / 100m),
            grade,
            rule.Id,
            explanation);
    }

    internal static string Inv(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>What no rule could count; sizes that are merely missing are for the shape to say.</summary>
    private static string? Fault(MediaFacts f)
    {
        if (f.Width is < 0 or > MediaLimits.MaxSide || f.Height is < 0 or > MediaLimits.MaxSide)
        {
            return Inv($"a size of {f.Width}×{f.Height} px is not between 1 and {MediaLimits.MaxSide} a side");
        }

        if (f.DurationMicroseconds is < 0 or > MediaLimits.MaxSeconds * 1_000_000)
        {
            return Inv($"a duration of {f.DurationMicroseconds} µs is not between 0 and {MediaLimits.MaxSeconds} s");
        }

        if (f.Frames is < 0 or > MediaLimits.MaxFrames || f.FrameRate < 0 || f.FrameRateBase < 1)
        {
            return Inv($"{f.Frames} frames at {f.FrameRate}/{f.FrameRateBase} a second is not a film");
        }

        return f.Pages is < 0 or > MediaLimits.MaxPages ? Inv($"{f.Pages} is not a number of pages") : null;
    }
}
