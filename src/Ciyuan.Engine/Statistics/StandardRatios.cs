using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>How a model's tokens of text and code become standard tokens (标准词元), which are for comparison and never
/// for settlement. A report adds up tokens · ratio exactly; whoever shows the sum rounds it.</summary>
/// <param name="Rule">Id of the rule, such as <c>std-1</c>; two with one id give the same ratios.</param>
/// <param name="Of">Of a model: millionths of a standard token for a token, and how far off a text may be, in
/// thousandths of the result.</param>
public sealed record StandardRatios(string Rule, Func<string, (long Millionths, long ErrorPermille)> Of)
{
    /// <summary>How many of a report's integers make one standard token.</summary>
    public const long PerToken = 1_000_000;

    /// <summary>Whether there are ratios for a meter: for text and code, not for pictures, sound and film.</summary>
    public static bool Covers(Meter meter) =>
        meter.IsTokens && meter.TokenClass.Modality is Modality.Text or Modality.Code;
}
