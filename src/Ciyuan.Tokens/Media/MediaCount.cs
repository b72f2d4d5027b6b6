namespace Ciyuan.Tokens.Media;

/// <summary>How much a count by a rule can be relied upon. The numbers are stored by others: never reuse one.</summary>
public enum MediaGrade
{
    /// <summary>
    /// The vendor's published code defines it (self-hosted models), or it was measured on the vendor's API.
    /// </summary>
    Exact = 1,

    /// <summary>The vendor documents a rule that reproduces the vendor's own examples.</summary>
    Documented = 2,

    /// <summary>The vendor calls it approximate, or somebody else measured it.</summary>
    Approximate = 3,
}

/// <summary>Which way the thing goes.</summary>
public enum MediaDirection
{
    /// <summary>To the model.</summary>
    Input = 0,

    /// <summary>From the model.</summary>
    Output = 1,
}

/// <summary>How a count ended. Checked in this order; the numbers are never reused.</summary>
public enum MediaStatus
{
    /// <summary>Counted.</summary>
    Counted = 0,

    /// <summary>
    /// A size, duration or number of pages is missing, zero, negative or beyond <see cref="MediaLimits"/>.
    /// </summary>
    BadFacts = 1,

    /// <summary>No rule names the model for this kind and direction.</summary>
    NoRule = 2,

    /// <summary>The rule has details (such as low and high), and not the one that was asked for.</summary>
    UnknownDetail = 3,

    /// <summary>The vendor refuses a thing of this size or shape.</summary>
    RefusedByVendor = 4,
}

/// <summary>The tokens of one thing, and why.</summary>
/// <param name="Status">How it ended; all else but the explanation is zero unless counted.</param>
/// <param name="Tokens">The tokens of the thing itself, never negative.</param>
/// <param name="FrameTokens">
/// Tokens that the prompt puts around it, such as a start and an end mark; not in Tokens.
/// </param>
/// <param name="ErrorTokens">How far off the count may be, as far as anybody said; 0 where nobody did.</param>
/// <param name="Grade">How much it can be relied upon.</param>
/// <param name="RuleId">The rule.</param>
/// <param name="Explanation">What was resized to what, and what was multiplied: one line to check by hand.</param>
public readonly record struct MediaCount(
    MediaStatus Status,
    long Tokens,
    long FrameTokens,
    long ErrorTokens,
    MediaGrade Grade,
    string RuleId,
    string Explanation)
{
    internal static MediaCount Fail(MediaStatus status, string explanation) =>
        new(status, 0, 0, 0, MediaGrade.Approximate, "", explanation);
}
