using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Normalizing;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// What a tokenizer counts with once it is worth its building: tables in memory, and counters that remember. Safe to
/// use from several threads.
/// </summary>
internal sealed class FastPath : IDisposable
{
    private readonly Vocabulary _vocabulary;
    private readonly PieceScanner _scanner;
    private readonly TextNormalizer _normalizer;
    private readonly TextWalk _asText;
    private readonly ConditionalWeakTable<SpecialTokens, TextWalk> _walks = [];

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="scanner">What cuts text; null for vocabularies that do not cut.</param>
    /// <param name="normalizer">What brings text into form.</param>
    internal FastPath(Vocabulary vocabulary, PieceScanner? scanner, TextNormalizer normalizer)
    {
        _vocabulary = vocabulary;
        _normalizer = normalizer;
        Merger = MakeMerger(vocabulary, new TokenIndex(vocabulary));
        _scanner = scanner ?? new SeamScanner(Merger.Seams, cuts: !Merger.JoinsUnknown);
        Pool = new CounterPool(MakeFeed);
        _asText = new TextWalk(vocabulary, normalizer, SpecialTokens.AsText);
    }

    /// <summary>The model.</summary>
    internal PieceMerger Merger { get; }

    /// <summary>Counters that are idle.</summary>
    internal CounterPool Pool { get; }

    /// <summary>Bytes outside of the managed heap.</summary>
    internal long NativeBytes => Merger.NativeBytes + Pool.NativeBytes();

    /// <summary>The way of a text under a policy; null is <see cref="SpecialTokens.AsText"/>.</summary>
    internal TextWalk Walk(SpecialTokens? specials) =>
        specials is null || ReferenceEquals(specials, SpecialTokens.AsText) ? _asText
            : _walks.GetValue(specials, policy => new TextWalk(_vocabulary, _normalizer, policy));

    public void Dispose()
    {
        Pool.Dispose();
        Merger.Dispose();
    }

    private static PieceMerger MakeMerger(Vocabulary vocabulary, TokenIndex index)
    {
        switch (vocabulary.Model)
        {
            case TokenModel.RankBpe:
                return new BytePairMerger<RankedPairs>(vocabulary, index, new RankedPairs(index), null);
            case TokenModel.ScoredBpe:
                return new BytePairMerger<ScoredPairs>(vocabulary, index, new ScoredPairs(index, vocabulary), null);
            case TokenModel.Unigram:
                return new UnigramMerger(vocabulary, index);
            case TokenModel.WordPiece:
                return new WordPieceMerger(vocabulary, index);
            default:
                PairTable table = new(vocabulary.Merges);
                PieceMerger merger = new BytePairMerger<ListedPairs>(vocabulary, index, new ListedPairs(table), table);
                if (vocabulary.Model == TokenModel.MergeBpe)
                {
                    merger = KnownBytesMerger.Around(merger, vocabulary);
                }

                return vocabulary.Split == SplitRule.Falcon ? new DigitMerger(merger) : merger;
        }
    }

    private TextFeed MakeFeed() => new(_vocabulary.Split switch
    {
        SplitRule.Gpt2 => new RuleCounter<Gpt2Rule>(_scanner, Merger),
        SplitRule.O200k => new RuleCounter<O200kRule>(_scanner, Merger),
        SplitRule.Cl100k or SplitRule.Llama3 => new RuleCounter<Cl100kRule>(_scanner, Merger),
        SplitRule.Qwen2 or SplitRule.Qwen35 => new RuleCounter<QwenRule>(_scanner, Merger),
        SplitRule.Tekken => new RuleCounter<TekkenRule>(_scanner, Merger),
        SplitRule.Kimi => new RuleCounter<KimiRule>(_scanner, Merger),
        SplitRule.DeepSeekV3 => new RuleCounter<DeepSeekRule>(_scanner, Merger),
        _ => new RuleCounter<ScalarRule>(_scanner, Merger),
    });
}
