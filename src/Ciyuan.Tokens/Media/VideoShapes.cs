using System.Globalization;
using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>The formula of the open Qwen-VL code for films, in its floating point.</summary>
internal static class VideoShapes
{
    private const int FramesPerStep = 2; // two frames become one step in time

    /// <summary>
    /// Frames are picked at a rate, within bounds, an even number of them; every frame is resized alike, within a share
    /// of the context; each two frames are one step of h·w/factor² tokens.
    /// </summary>
    public static ShapeResult SmartResizeVideo(MediaRule r, MediaFacts f, string detail)
    {
        if (ImageShapes.Unsized(f))
        {
            return ImageShapes.NoSize(f);
        }

        if (ImageShapes.RatioFault(r, f, detail) is { } refused)
        {
            return refused;
        }

        long total = f.Frames > 0 ? f.Frames : TimeShapes.FramesByRate(f);
        double rate = f.FrameRate > 0
            ? (double)f.FrameRate / f.FrameRateBase
            : f.DurationMicroseconds > 0 ? total / (f.DurationMicroseconds / 1e6) : 0;
        if (total <= 0 || rate <= 0)
        {
            return ShapeResult.Bad("the frames, and their rate or the duration, are not known");
        }

        long picked = Picked(r, detail, total, rate);
        if (picked < FramesPerStep)
        {
            return ShapeResult.Refuse(Inv($"{total} frames are fewer than {FramesPerStep}"));
        }

        long factor = r.Whole("factor", detail);
        (long h, long w) = Size(r, f, detail, picked);
        long steps = picked / FramesPerStep;
        long tokens = steps * (h / factor) * (w / factor);
        long frame = steps * r.Whole("marksPerStep", detail, 0);
        long stamp = r.Whole("timestampTokens", detail, 0);
        frame += stamp == 0 ? 0 : Timestamps(stamp, total, picked, rate);
        return new ShapeResult(
            tokens,
            Inv($"{picked} of {total} frames, {ImageShapes.Resized(f, w, h)}; ")
            + Inv($"{steps} steps × {w / factor}×{h / factor} = {tokens}"),
            Frame: frame);
    }

    private static long Picked(MediaRule r, string detail, long total, double rate)
    {
        double least = Math.Ceiling(r.Whole("minFrames", detail) / 2.0) * 2;
        double most = Math.Floor(Math.Min(r.Whole("maxFrames", detail), total) / 2.0) * 2;
        double wanted = total / rate * (double)r.Number("framesPerSecond", detail);
        wanted = Math.Min(Math.Min(Math.Max(wanted, least), most), total);
        return (long)Math.Floor(wanted / FramesPerStep) * FramesPerStep;
    }

    private static (long Height, long Width) Size(MediaRule r, MediaFacts f, string detail, long picked)
    {
        long factor = r.Whole("factor", detail);
        long min = r.Whole("minTokens", detail) * factor * factor;
        double frameMax = r.Whole("maxTokens", detail) * factor * factor;
        double context = r.Whole("contextTokens", detail) * factor * factor * (double)r.Number("contextShare", detail);
        double max = Math.Max(Math.Min(frameMax, context / picked * FramesPerStep), Math.Floor(min * 1.05));
        return ImageShapes.Resize(f.ShownHeight, f.ShownWidth, factor, min, max, roundUp: true, floorUp: false);
    }

    /// <summary>
    /// The text <c>&lt;12.3 seconds&gt;</c> before each step: a fixed part, and a token for each digit before the
    /// point.
    /// </summary>
    private static long Timestamps(long fixedTokens, long total, long picked, double rate)
    {
        long tokens = 0;
        for (long i = 0; i < picked; i += FramesPerStep)
        {
            double time = (Index(i, total, picked) / rate + (Index(i + 1, total, picked) / rate)) / 2;
            string text = time.ToString("F1", CultureInfo.InvariantCulture);
            tokens += fixedTokens + text.Length - 2; // without the point and the digit after it
        }

        return tokens;
    }

    /// <summary>The frames that are picked lie evenly from the first to the last.</summary>
    private static double Index(long i, long total, long picked) =>
        Math.Round((total - 1) * (double)i / (picked - 1), MidpointRounding.ToEven);
}
