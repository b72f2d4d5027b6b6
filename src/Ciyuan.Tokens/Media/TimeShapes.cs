using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>
/// The formulas for sounds, for films that are counted by the second or by volume, and for documents.
/// </summary>
internal static class TimeShapes
{
    private const long Second = 1_000_000; // in microseconds

    /// <summary>So many tokens a second, rounded up.</summary>
    public static ShapeResult Rate(MediaRule r, MediaFacts f, string detail)
    {
        if (f.DurationMicroseconds <= 0)
        {
            return NoDuration();
        }

        decimal rate = r.Number("tokensPerSecond", detail);
        long tokens = (long)decimal.Ceiling(f.DurationMicroseconds * rate / Second);
        return new ShapeResult(tokens, Inv($"{Seconds(f)} × {rate} a second, rounded up = {tokens}"));
    }

    /// <summary>Billed by time: there are no tokens to meter.</summary>
    public static ShapeResult SecondsOnly(MediaRule r, MediaFacts f, string detail) =>
        f.DurationMicroseconds <= 0
            ? NoDuration()
            : new ShapeResult(0, Inv($"{Seconds(f)}; this model is metered in seconds and reports no sound tokens"));

    /// <summary>Frames picked at a rate, so many tokens each, and the sound track by the second.</summary>
    public static ShapeResult FramesPerSecond(MediaRule r, MediaFacts f, string detail)
    {
        if (f.DurationMicroseconds <= 0)
        {
            return NoDuration();
        }

        decimal rate = r.Number("framesPerSecond", detail);
        long each = r.Whole("tokensPerFrame", detail);
        long frames = (long)decimal.Ceiling(f.DurationMicroseconds * rate / Second);
        decimal soundRate = f.HasSound ? r.Number("soundTokensPerSecond", detail, 0m) : 0m;
        long sound = (long)decimal.Ceiling(f.DurationMicroseconds * soundRate / Second);
        long tokens = (frames * each) + sound;
        string heard = soundRate == 0 ? "" : Inv($" + {soundRate} a second of sound = {sound}");
        return new ShapeResult(
            tokens, Inv($"{Seconds(f)} at {rate} frames a second: {frames} × {each}{heard} = {tokens}"));
    }

    /// <summary>
    /// L mel frames (whole ones), halved by two strided layers: i = ⌊(L−1)/2⌋+1, tokens = ⌊(i−2)/2⌋+1.
    /// </summary>
    public static ShapeResult MelHalvedTwice(MediaRule r, MediaFacts f, string detail)
    {
        if (f.DurationMicroseconds <= 0)
        {
            return NoDuration();
        }

        long frames = Math.Min(MelFrames(r, f, detail), r.Whole("maxFrames", detail, long.MaxValue));
        long inner = FloorDiv(frames - 1, 2) + 1;
        long tokens = Math.Max(0, FloorDiv(inner - 2, 2) + 1);
        return new ShapeResult(
            tokens, Inv($"{Seconds(f)}: {frames} mel frames, {inner} after one layer, {tokens} tokens"));
    }

    /// <summary>Whole blocks give a fixed number; the frames left over are halved three times.</summary>
    public static ShapeResult MelBlocks(MediaRule r, MediaFacts f, string detail)
    {
        if (f.DurationMicroseconds <= 0)
        {
            return NoDuration();
        }

        long frames = MelFrames(r, f, detail);
        long block = r.Whole("blockFrames", detail);
        long each = r.Whole("blockTokens", detail);
        long left = FloorDiv((frames % block) - 1, 2) + 1;
        long rest = FloorDiv(FloorDiv(left - 1, 2), 2) + 1;
        long tokens = rest + (frames / block * each);
        return new ShapeResult(
            tokens,
            Inv($"{Seconds(f)}: {frames} mel frames; {frames / block} blocks × {each}, the rest {rest}; {tokens} tokens"));
    }

    /// <summary>Width · height · frames over a number of pixels, rounded up: how generated film is metered.</summary>
    public static ShapeResult Volume(MediaRule r, MediaFacts f, string detail)
    {
        if (ImageShapes.Unsized(f))
        {
            return ImageShapes.NoSize(f);
        }

        long frames = f.Frames > 0 ? f.Frames : FramesByRate(f);
        if (frames <= 0)
        {
            return ShapeResult.Bad("neither the frames nor the frame rate and the duration are known");
        }

        long all = frames + r.Whole("extraFrames", detail, 0);
        long pixels = r.Whole("pixels", detail);
        Int128 volume = (Int128)f.Width * f.Height * all;
        long tokens = (long)((volume + pixels - 1) / pixels);
        return new ShapeResult(tokens, Inv($"{f.Width}×{f.Height} × {all} frames / {pixels}, rounded up = {tokens}"));
    }

    /// <summary>So many tokens a page.</summary>
    public static ShapeResult Pages(MediaRule r, MediaFacts f, string detail)
    {
        if (f.Pages <= 0)
        {
            return ShapeResult.Bad("the number of pages is not known");
        }

        decimal each = r.Number("tokensPerPage", detail);
        long tokens = (long)decimal.Ceiling(f.Pages * each);
        return new ShapeResult(tokens, Inv($"{f.Pages} pages × {each} = {tokens}"));
    }

    internal static long FramesByRate(MediaFacts f) =>
        (long)((Int128)f.DurationMicroseconds * f.FrameRate / f.FrameRateBase / Second);

    internal static string Seconds(MediaFacts f) =>
        Inv($"{f.DurationMicroseconds / (decimal)Second:0.######} s{(f.DurationIsEstimate ? " (estimated)" : "")}");

    internal static ShapeResult NoDuration() => ShapeResult.Bad("the duration is not known");

    /// <summary>Division that rounds down for negative numbers too, as the defining code does.</summary>
    internal static long FloorDiv(long a, long b) => (a - (((a % b) + b) % b)) / b;

    private static long MelFrames(MediaRule r, MediaFacts f, string detail) =>
        (long)((Int128)f.DurationMicroseconds * r.Whole("framesPerSecond", detail) / Second);
}
