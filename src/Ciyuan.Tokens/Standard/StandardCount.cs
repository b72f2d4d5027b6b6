namespace Ciyuan.Tokens.Standard;

/// <summary>What a text mostly is, for conversions. The numbers are stored: never reuse one.</summary>
public enum TextMix
{
    /// <summary>Not known, or of all kinds.</summary>
    Any = 0,

    /// <summary>English prose, and languages written alike.</summary>
    English = 1,

    /// <summary>Chinese prose.</summary>
    Chinese = 2,

    /// <summary>Source code.</summary>
    Code = 3,
}

/// <summary>How standard tokens came about. The numbers are stored: never reuse one.</summary>
public enum StandardMethod
{
    /// <summary>The text itself was counted under the reference vocabulary: exact.</summary>
    Recounted = 1,

    /// <summary>A provider's number was converted by a measured ratio: with an error.</summary>
    Converted = 2,

    /// <summary>A picture, sound, film or document was counted by the stated rule: exact by definition.</summary>
    Defined = 3,
}

/// <summary>Standard tokens (标准词元) of something.</summary>
/// <param name="Tokens">The standard tokens, never negative.</param>
/// <param name="ErrorTokens">
/// How far off they may be, to either side: nine blocks of text of 4 KB in ten lie within. 0 unless converted.
/// </param>
/// <param name="Method">How they came about.</param>
/// <param name="RuleId">The rule, such as <c>std-1</c>; to be kept beside the number.</param>
public readonly record struct StandardCount(long Tokens, long ErrorTokens, StandardMethod Method, string RuleId);
