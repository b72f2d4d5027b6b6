using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>What a reader found to be odd in a provider's usage. Names (in snake case) are stored as tags: never change
/// one.</summary>
public enum FindingCode
{
    /// <summary>Nothing in the response counts anything.</summary>
    NoUsage,

    /// <summary>The response is not JSON, or not the object that was expected.</summary>
    NotJson,

    /// <summary>A field is given twice in one object.</summary>
    Duplicate,

    /// <summary>A count that the convention needs is missing or null.</summary>
    MissingCount,

    /// <summary>Where a number belongs there is something else.</summary>
    NotANumber,

    /// <summary>A count is below zero.</summary>
    Negative,

    /// <summary>A count is not whole.</summary>
    Fractional,

    /// <summary>A count is above <see cref="UsageRecord.MaxSteps"/>.</summary>
    TooLarge,

    /// <summary>A number came as text; it was taken as the number that it shows.</summary>
    NumberAsText,

    /// <summary>The stated total is not the sum of the parts, under no placing of them.</summary>
    TotalDiffers,

    /// <summary>A detail is greater than what it is a detail of.</summary>
    DetailsExceedWhole,

    /// <summary>The details leave a rest about which nothing is said.</summary>
    DetailsFallShort,

    /// <summary>The same thing is stated twice, differently.</summary>
    StatedTwice,

    /// <summary>Against the convention, the cache is not within the input: somebody has subtracted it.</summary>
    CacheBeside,

    /// <summary>Against the convention, the cache is within the input.</summary>
    CacheWithin,

    /// <summary>Against the convention, reasoning is not within the output.</summary>
    ReasoningBeside,

    /// <summary>Against the convention, reasoning is within the output.</summary>
    ReasoningWithin,

    /// <summary>Against the convention, input of tools is within or beside the prompt.</summary>
    ToolUsePlaced,

    /// <summary>A part came without its modality, though there are several: text was assumed.</summary>
    ModalityAssumed,

    /// <summary>A modality that is not known here; counted as text.</summary>
    ModalityUnknown,

    /// <summary>A field that looks like a count is not part of the convention, and was not read.</summary>
    UnreadCount,

    /// <summary>A quantity had more decimals than its meter; the nearest step was taken.</summary>
    Rounded,

    /// <summary>The response has usage beyond its own totals, which the provider charges too; it was added.</summary>
    BeyondTotals,

    /// <summary>The stream ended before its end.</summary>
    StreamCut,

    /// <summary>A cumulative count went down during a stream; the last value was taken.</summary>
    Shrank,

    /// <summary>The events belong to several responses.</summary>
    SeveralResponses,

    /// <summary>Nobody said which convention this is; it was found by the shape.</summary>
    Detected,

    /// <summary>A text was too long or had control characters, and was left out.</summary>
    TextLeftOut,
}

/// <summary>What follows from a finding.</summary>
public enum FindingWeight
{
    /// <summary>Nothing: worth knowing.</summary>
    Remark,

    /// <summary>The counts are taken, but graded <see cref="EvidenceGrade.Bounded"/> or lower.</summary>
    LowersGrade,

    /// <summary>No count is taken.</summary>
    Refuses,
}

/// <summary>Something odd in a provider's usage: what contradicts what, by how much, and what was decided.</summary>
/// <param name="Code">What.</param>
/// <param name="Weight">What follows.</param>
/// <param name="Path">Where in the response, such as <c>usage.prompt_tokens</c>.</param>
/// <param name="Text">In words.</param>
public sealed record Finding(FindingCode Code, FindingWeight Weight, string Path, string Text)
{
    /// <summary>The name of the code as it is stored.</summary>
    public string CodeName => SnakeCase(Code.ToString());

    /// <inheritdoc/>
    public override string ToString() => Path.Length == 0 ? Text : $"{Path} {Text}";

    private static string SnakeCase(string name)
    {
        var text = new System.Text.StringBuilder(name.Length + 4);
        foreach (char c in name)
        {
            _ = char.IsAsciiLetterUpper(c) && text.Length > 0 ? text.Append('_') : text;
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
