namespace Ciyuan.Tokens.Media;

/// <summary>What kind of thing is counted.</summary>
public enum MediaKind
{
    /// <summary>Not known.</summary>
    Unknown = 0,

    /// <summary>A still picture (an animation counts as its first frame unless a rule says otherwise).</summary>
    Image = 1,

    /// <summary>Moving pictures, with or without sound.</summary>
    Video = 2,

    /// <summary>Sound.</summary>
    Audio = 3,

    /// <summary>A document of pages.</summary>
    Document = 4,
}

/// <summary>
/// What is known of a picture, a sound, a film or a document: read from its header by <see cref="MediaProbe"/>, or
/// told by the caller. Zero means "not known", never "none", except for <see cref="HasSound"/>.
/// </summary>
public sealed record MediaFacts
{
    /// <summary>The kind.</summary>
    public required MediaKind Kind { get; init; }

    /// <summary>The format in lower case, such as <c>png</c>; empty when the facts were told.</summary>
    public string Format { get; init; } = "";

    /// <summary>The width in pixels as stored in the file.</summary>
    public long Width { get; init; }

    /// <summary>The height in pixels as stored in the file.</summary>
    public long Height { get; init; }

    /// <summary>The EXIF orientation 1…8; from 5 on, viewers swap width and height.</summary>
    public int Orientation { get; init; } = 1;

    /// <summary>The frames of a film or an animation.</summary>
    public long Frames { get; init; }

    /// <summary>The frames per second, numerator; with <see cref="FrameRateBase"/> as denominator.</summary>
    public long FrameRate { get; init; }

    /// <summary>The denominator of <see cref="FrameRate"/>, at least 1.</summary>
    public long FrameRateBase { get; init; } = 1;

    /// <summary>The duration in microseconds, rounded down.</summary>
    public long DurationMicroseconds { get; init; }

    /// <summary>Whether a film has a sound track.</summary>
    public bool HasSound { get; init; }

    /// <summary>Sound samples per second.</summary>
    public int SampleRate { get; init; }

    /// <summary>Sound channels.</summary>
    public int Channels { get; init; }

    /// <summary>Pages of a document.</summary>
    public long Pages { get; init; }

    /// <summary>True when the duration is not stated by the file but derived from its size and bit rate.</summary>
    public bool DurationIsEstimate { get; init; }

    /// <summary>The width as a viewer shows it: swapped with the height for the orientations 5…8.</summary>
    public long ShownWidth => Orientation >= 5 ? Height : Width;

    /// <summary>The height as a viewer shows it.</summary>
    public long ShownHeight => Orientation >= 5 ? Width : Height;

    /// <summary>A picture of a size in pixels.</summary>
    public static MediaFacts Image(long width, long height) =>
        new() { Kind = MediaKind.Image, Width = width, Height = height };

    /// <summary>A sound of a length in seconds, at most 30 days.</summary>
    public static MediaFacts Audio(decimal seconds) =>
        new() { Kind = MediaKind.Audio, DurationMicroseconds = Microseconds(seconds) };

    /// <summary>A film; its frames are the frame rate times the length, rounded down.</summary>
    public static MediaFacts Video(long width, long height, decimal seconds, long frameRate) => new()
    {
        Kind = MediaKind.Video,
        Width = width,
        Height = height,
        DurationMicroseconds = Microseconds(seconds),
        FrameRate = frameRate,
        Frames = (long)decimal.Floor(decimal.Clamp(seconds * frameRate, 0, MediaLimits.MaxFrames + 1)),
    };

    /// <summary>A document of so many pages.</summary>
    public static MediaFacts Document(long pages) => new() { Kind = MediaKind.Document, Pages = pages };

    private static long Microseconds(decimal seconds) =>
        (long)decimal.Floor(decimal.Clamp(seconds, -1, MediaLimits.MaxSeconds + 1) * 1_000_000);
}

/// <summary>
/// The largest sizes that are counted. They lie far above what any vendor takes, and keep every product within 64 bits:
/// 10⁶ · 10⁶ pixels · 10⁶ = 10¹⁸.
/// </summary>
public static class MediaLimits
{
    /// <summary>The longest side in pixels.</summary>
    public const long MaxSide = 1_000_000;

    /// <summary>The longest duration in seconds: 30 days.</summary>
    public const long MaxSeconds = 30 * 86_400;

    /// <summary>The most frames: 30 days at 40 frames a second.</summary>
    public const long MaxFrames = MaxSeconds * 40;

    /// <summary>The most pages.</summary>
    public const long MaxPages = 1_000_000;
}
