using Ciyuan.Statistics;
using Ciyuan.Tokens.Standard;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Server.Console.Data;

/// <summary>Standard tokens beside the tokens that are charged, by the current rule: docs/STANDARD-TOKEN.md.</summary>
internal static class StandardColumn
{
    /// <summary>The ratios of models; of one whose vocabulary is not published, what the rule has for those.</summary>
    internal static StandardRatios Ratios { get; } = new(StandardRule.Current.Id, Of);

    private static (long Millionths, long ErrorPermille) Of(string model)
    {
        string vocabulary = VocabularyCatalog.Shipped.Rules.Find(model)?.Vocabulary ?? "";
        StandardRatio ratio = StandardRule.Current.RatioOf(vocabulary, TextMix.Any);
        return (ratio.RatioMillionths, ratio.ErrorPermille);
    }
}
