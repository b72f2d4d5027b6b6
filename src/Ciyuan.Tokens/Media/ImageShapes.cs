using static Ciyuan.Tokens.Media.MediaShapes;

namespace Ciyuan.Tokens.Media;

/// <summary>
/// The formulas for pictures. Sizes are exact integers wherever the vendor's code is not public or is exact itself;
/// <see cref="SmartResize"/> repeats the floating point of the code that defines it.
/// </summary>
internal static class ImageShapes
{
    public static ShapeResult Fixed(MediaRule r, string detail)
    {
        long tokens = r.Whole("tokens", detail);
        return new ShapeResult(tokens, Inv($"{tokens} whatever the size"));
    }

    /// <summary>
    /// Fit into a square of <c>fit</c>, shrink the shorter side to <c>short</c> (never enlarge), count squares of
    /// <c>side</c>: base + tile · ⌈w/side⌉ · ⌈h/side⌉. Resized sides are whole pixels, rounded down.
    /// </summary>
    public static ShapeResult Tiles(MediaRule r, MediaFacts f, string detail)
    {
        if (r.Has("flat", detail))
        {
            long flat = r.Whole("flat", detail);
            return new ShapeResult(flat, Inv($"{flat} whatever the size"));
        }

        if (Unsized(f))
        {
            return NoSize(f);
        }

        long first = r.Whole("base", detail);
        long tile = r.Whole("tile", detail);
        long side = r.Whole("side", detail);
        (long w, long h) = Shrink(f.ShownWidth, f.ShownHeight, Math.Max(f.Width, f.Height), r.Whole("fit", detail));
        (w, h) = Shrink(w, h, Math.Min(w, h), r.Whole("short", detail));
        long across = CeilDiv(w, side);
        long down = CeilDiv(h, side);
        long extra = r.Whole(f.Width == f.Height ? "extraSquare" : "extraOther", detail, 0);
        string more = extra == 0 ? "" : Inv($" + {extra} for fidelity");
        long tokens = first + (tile * across * down) + extra;
        return new ShapeResult(
            tokens, Inv($"{Resized(f, w, h)}; {first} + {tile} × {across}×{down} tiles of {side} px{more} = {tokens}"));
    }

    /// <summary>
    /// ⌈w/p⌉·⌈h/p⌉ patches. Longer sides than <c>edge</c> are shrunk first. Above the budget B the picture is shrunk so
    /// that one side is a whole number of patches: with s = √(p²B/wh), the sides are ⌊ws/p⌋ = ⌊√(Bw/h)⌋ and
    /// ⌊hs/p⌋ = ⌊√(Bh/w)⌋ patches, and the smaller of the two ratios is used for both. Exact in integers.
    /// </summary>
    public static ShapeResult Patches(MediaRule r, MediaFacts f, string detail)
    {
        if (Unsized(f))
        {
            return NoSize(f);
        }

        long patch = r.Whole("patch", detail);
        long budget = r.Whole("budget", detail);
        long edge = r.Whole("edge", detail, 0);
        (long w, long h) = (f.ShownWidth, f.ShownHeight);
        long longest = Math.Max(w, h);
        if (edge > 0 && longest > edge)
        {
            (w, h) = (Math.Max(1, RoundDiv(w * edge, longest)), Math.Max(1, RoundDiv(h * edge, longest)));
        }

        (long across, long down) = (CeilDiv(w, patch), CeilDiv(h, patch));
        if (budget > 0 && across * down > budget)
        {
            long fullAcross = Math.Max(1, Root(budget * w / h));
            long fullDown = Math.Max(1, Root(budget * h / w));
            bool byWidth = fullAcross * h <= fullDown * w;
            (across, down) = byWidth
                ? (fullAcross, Math.Min(budget, CeilDiv(fullAcross * h, w)))
                : (Math.Min(budget, CeilDiv(fullDown * w, h)), fullDown);
            (w, h) = byWidth
                ? (fullAcross * patch, Math.Max(1, RoundDiv(h * fullAcross * patch, w)))
                : (Math.Max(1, RoundDiv(w * fullDown * patch, h)), fullDown * patch);
        }

        long patches = across * down;
        decimal multiplier = r.Number("multiplier", detail, 1m);
        long tokens = (long)decimal.Ceiling(patches * multiplier);
        return new ShapeResult(tokens, Inv(
            $"{Resized(f, w, h)}; {across}×{down} patches of {patch} px × {multiplier}, rounded up = {tokens}"));
    }

    /// <summary>
    /// The largest size of the same shape whose sides, padded to whole patches, are at most <c>edge</c>, and whose
    /// patches are at most <c>budget</c>. The longer side is whole; the shorter follows, halves to even.
    /// </summary>
    public static ShapeResult PaddedGrid(MediaRule r, MediaFacts f, string detail)
    {
        if (Unsized(f))
        {
            return NoSize(f);
        }

        if (TooLong(r, f, detail) is { } refused)
        {
            return refused;
        }

        long patch = r.Whole("patch", detail);
        long edge = r.Whole("edge", detail);
        long budget = r.Whole("budget", detail);
        long longest = Math.Max(f.Width, f.Height);
        long shortest = Math.Min(f.Width, f.Height);
        bool Fits(long l) => CeilDiv(l, patch) * patch <= edge
            && CeilDiv(l, patch) * CeilDiv(Follow(l, shortest, longest), patch) <= budget;
        long low = 1;
        long high = longest;
        while (low < high)
        {
            long middle = low + ((high - low + 1) / 2);
            (low, high) = Fits(middle) ? (middle, high) : (low, middle - 1);
        }

        long other = Follow(low, shortest, longest);
        (long w, long h) = f.ShownWidth >= f.ShownHeight ? (low, other) : (other, low);
        long across = CeilDiv(w, patch);
        long down = CeilDiv(h, patch);
        return new ShapeResult(
            across * down, Inv($"{Resized(f, w, h)}; {across}×{down} patches of {patch} px = {across * down}"));
    }

    /// <summary>Width times height over a number of pixels, rounded up.</summary>
    public static ShapeResult Area(MediaRule r, MediaFacts f, string detail)
    {
        if (Unsized(f))
        {
            return NoSize(f);
        }

        if (TooLong(r, f, detail) is { } refused)
        {
            return refused;
        }

        long pixels = Math.Max(1, r.Whole("pixels", detail));
        long tokens = CeilDiv(f.Width * f.Height, pixels);
        return new ShapeResult(tokens, Inv($"{f.ShownWidth}×{f.ShownHeight} / {pixels}, rounded up = {tokens}"));
    }

    /// <summary>
    /// Small pictures are one crop; others are cut into squares of ⌊min(w,h)/divisor⌋, kept within two bounds.
    /// </summary>
    public static ShapeResult Crops(MediaRule r, MediaFacts f, string detail)
    {
        if (r.Has("flat", detail))
        {
            long flat = r.Whole("flat", detail);
            return new ShapeResult(flat, Inv($"{flat} whatever the size"));
        }

        if (Unsized(f))
        {
            return NoSize(f);
        }

        long each = r.Whole("tokens", detail);
        long small = r.Whole("small", detail);
        if (f.Width <= small && f.Height <= small)
        {
            return new ShapeResult(each, Inv($"{f.ShownWidth}×{f.ShownHeight} has no side over {small} px: {each}"));
        }

        long unit = (long)decimal.Floor(Math.Min(f.Width, f.Height) / r.Number("divisor", detail));
        unit = Math.Clamp(unit, r.Whole("minUnit", detail, 1), r.Whole("maxUnit", detail, MediaLimits.MaxSide));
        long across = CeilDiv(f.ShownWidth, unit);
        long down = CeilDiv(f.ShownHeight, unit);
        long tokens = each * across * down;
        return new ShapeResult(
            tokens, Inv($"{f.ShownWidth}×{f.ShownHeight}; {across}×{down} crops of {unit} px × {each} = {tokens}"));
    }

    /// <summary>Both sides to multiples of a factor, the area within bounds: h·w/factor² tokens.</summary>
    public static ShapeResult SmartResize(MediaRule r, MediaFacts f, string detail)
    {
        if (Unsized(f))
        {
            return NoSize(f);
        }

        long factor = r.Whole("factor", detail);
        if (RatioFault(r, f, detail) is { } refused)
        {
            return refused;
        }

        (long h, long w) = Resize(
            f.ShownHeight,
            f.ShownWidth,
            factor,
            r.Whole("minTokens", detail) * factor * factor,
            r.Whole("maxTokens", detail) * factor * factor,
            r.Whole("roundUpToFactor", detail, 0) != 0,
            r.Whole("floorToFactor", detail, 0) != 0);
        long tokens = h / factor * (w / factor);
        return new ShapeResult(
            tokens, Inv($"{Resized(f, w, h)}; {w / factor}×{h / factor} cells of {factor} px = {tokens}"));
    }

    /// <summary>One number each for square, upright and wide pictures: what a generator asks for a quality.</summary>
    public static ShapeResult Sizes(MediaRule r, MediaFacts f, string detail)
    {
        if (Unsized(f))
        {
            return NoSize(f);
        }

        string shape = f.ShownWidth == f.ShownHeight ? "square"
            : f.ShownWidth < f.ShownHeight ? "portrait" : "landscape";
        long tokens = r.Whole(shape, detail);
        return new ShapeResult(tokens, Inv($"{f.ShownWidth}×{f.ShownHeight} is {shape}: {tokens}"));
    }

    /// <summary>
    /// The resize of the open Qwen-VL code, in its floating point: round is half to even, β = √(hw/max), then floors;
    /// or β = √(min/hw), then ceilings. In which versions a side is kept at one factor differs, so it is told.
    /// </summary>
    internal static (long Height, long Width) Resize(
        long height, long width, long factor, double minPixels, double maxPixels, bool roundUp, bool floorUp)
    {
        long h = (long)Math.Round((double)height / factor, MidpointRounding.ToEven) * factor;
        long w = (long)Math.Round((double)width / factor, MidpointRounding.ToEven) * factor;
        (h, w) = roundUp ? (Math.Max(factor, h), Math.Max(factor, w)) : (h, w);
        if (h * w > maxPixels)
        {
            double beta = Math.Sqrt((double)(height * width) / maxPixels);
            h = (long)Math.Floor(height / beta / factor) * factor;
            w = (long)Math.Floor(width / beta / factor) * factor;
            (h, w) = floorUp ? (Math.Max(factor, h), Math.Max(factor, w)) : (h, w);
        }
        else if (h * w < minPixels)
        {
            double beta = Math.Sqrt(minPixels / (double)(height * width));
            h = (long)Math.Ceiling(height * beta / factor) * factor;
            w = (long)Math.Ceiling(width * beta / factor) * factor;
        }

        return (h, w);
    }

    internal static ShapeResult? RatioFault(MediaRule r, MediaFacts f, string detail)
    {
        long ratio = r.Whole("maxRatio", detail, 0);
        return ratio > 0 && Math.Max(f.Width, f.Height) > ratio * Math.Min(f.Width, f.Height)
            ? ShapeResult.Refuse(Inv($"{f.ShownWidth}×{f.ShownHeight} is longer than {ratio} to 1"))
            : null;
    }

    internal static bool Unsized(MediaFacts f) => f.Width <= 0 || f.Height <= 0;

    internal static ShapeResult NoSize(MediaFacts f) =>
        ShapeResult.Bad(Inv($"the size is not known or empty: {f.Width}×{f.Height} px"));

    internal static string Resized(MediaFacts f, long w, long h) => (w, h) == (f.ShownWidth, f.ShownHeight)
        ? Inv($"{w}×{h} kept")
        : Inv($"{f.ShownWidth}×{f.ShownHeight} resized to {w}×{h}");

    internal static long CeilDiv(long a, long b) => (a + b - 1) / b;

    /// <summary>Rounds to the nearest, halves up.</summary>
    internal static long RoundDiv(long a, long b) => ((2 * a) + b) / (2 * b);

    private static ShapeResult? TooLong(MediaRule r, MediaFacts f, string detail)
    {
        long max = r.Whole("maxSide", detail, MediaLimits.MaxSide);
        return Math.Max(f.Width, f.Height) > max
            ? ShapeResult.Refuse(Inv($"{f.ShownWidth}×{f.ShownHeight} has a side over {max} px"))
            : null;
    }

    private static (long W, long H) Shrink(long w, long h, long side, long to) =>
        to == 0 || side <= to ? (w, h) : (Math.Max(1, w * to / side), Math.Max(1, h * to / side));

    /// <summary>l · shortest / longest, halves to even, at least 1.</summary>
    private static long Follow(long l, long shortest, long longest)
    {
        (long whole, long rest) = Math.DivRem(l * shortest, longest);
        long twice = 2 * rest;
        bool up = twice > longest || (twice == longest && whole % 2 == 1);
        return Math.Max(1, up ? whole + 1 : whole);
    }

    /// <summary>⌊√n⌋ for n up to 10¹⁸.</summary>
    private static long Root(long n)
    {
        long root = (long)Math.Sqrt(n);
        while (root * root > n)
        {
            root--;
        }

        while ((root + 1) * (root + 1) <= n)
        {
            root++;
        }

        return root;
    }
}
