using System.Diagnostics.CodeAnalysis;
using System.Text;
using Ciyuan.Tokens.Counting;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens;

/// <summary>
/// Counts and makes the tokens of text under one vocabulary, exactly. Safe to use from several threads: what a call
/// remembers to be faster belongs to that call while it runs. Counts depend on the text only, never on what was counted
/// before. Bytes that are no UTF-8, and halves of surrogate pairs, count as U+FFFD.
/// </summary>
public sealed class Tokenizer : IDisposable
{
    private readonly PieceScanner _scanner;
    private readonly PieceMerger _merger;
    private readonly CounterPool _pool;

    private Tokenizer(Vocabulary vocabulary)
    {
        Vocabulary = vocabulary;
        _scanner = PieceScanner.For(vocabulary.Split);
        _merger = Merger(vocabulary);
        _pool = new CounterPool(MakeFeed);
    }

    /// <summary>The vocabulary.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>Bytes that this tokenizer holds outside of the managed heap, beside the vocabulary.</summary>
    public long NativeBytes => _merger.NativeBytes + _pool.NativeBytes();

    /// <summary>A tokenizer for a vocabulary. Make one for each vocabulary and keep it.</summary>
    /// <exception cref="NotSupportedException">The vocabulary has a model or a rule that is not known here.</exception>
    public static Tokenizer For(Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        return new Tokenizer(vocabulary);
    }

    /// <summary>The number of tokens of a text. What looks like a special token is ordinary text.</summary>
    public int Count(ReadOnlySpan<byte> utf8) => CountUpTo(utf8, int.MaxValue);

    /// <inheritdoc cref="Count(ReadOnlySpan{byte})"/>
    public int Count(ReadOnlySpan<char> text) => CountUpTo(text, int.MaxValue);

    /// <summary>The number of tokens of a text, but no further than a limit.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="limit">From 0 on.</param>
    /// <returns>The number, when it is at most <paramref name="limit"/>; else <paramref name="limit"/> + 1.</returns>
    public int CountUpTo(ReadOnlySpan<byte> utf8, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        TextFeed feed = _pool.Take();
        long count = feed.CountWhole(utf8, limit);
        _pool.Return(feed);
        return (int)Math.Min(count, limit + 1L);
    }

    /// <inheritdoc cref="CountUpTo(ReadOnlySpan{byte}, int)"/>
    public int CountUpTo(ReadOnlySpan<char> text, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        TextFeed feed = _pool.Take();
        feed.Append(text, true, limit);
        feed.Finish(limit);
        long count = feed.Count;
        _pool.Return(feed);
        return (int)Math.Min(count, limit + 1L);
    }

    /// <summary>Gives back what is held outside of the managed heap. No call may run any more.</summary>
    public void Dispose()
    {
        _pool.Dispose();
        _merger.Dispose();
    }

    private static PieceMerger Merger(Vocabulary vocabulary)
    {
        TokenIndex index = new(vocabulary);
        if (vocabulary.Model == TokenModel.RankBpe)
        {
            return new BytePairMerger<RankedPairs>(vocabulary, index, new RankedPairs(index), null);
        }

        PairTable table = new(vocabulary.Merges);
        return new BytePairMerger<ListedPairs>(vocabulary, index, new ListedPairs(table), table);
    }

    private TextFeed MakeFeed() => new(Vocabulary.Split switch
    {
        SplitRule.O200k => new RuleCounter<O200kRule>(_scanner, _merger),
        SplitRule.Cl100k or SplitRule.Llama3 => new RuleCounter<Cl100kRule>(_scanner, _merger),
        SplitRule.Qwen2 or SplitRule.Qwen35 => new RuleCounter<QwenRule>(_scanner, _merger),
        SplitRule.Tekken => new RuleCounter<TekkenRule>(_scanner, _merger),
        SplitRule.Kimi => new RuleCounter<KimiRule>(_scanner, _merger),
        _ => new RuleCounter<ScalarRule>(_scanner, _merger),
    });
}
