using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Ciyuan.Tokens.Counting;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Normalizing;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens;

/// <summary>
/// Counts and makes the tokens of text under one vocabulary, exactly. Safe to use from several threads: what a call
/// remembers to be faster belongs to that call while it runs. Counts depend on the text only, never on what was counted
/// before. Bytes that are no UTF-8 count as U+FFFD, one for each longest beginning of a character, as
/// <see cref="Encoding.UTF8"/> reads them; so do halves of surrogate pairs. What looks like a special token is ordinary
/// text unless <see cref="SpecialTokens"/> says otherwise.
/// </summary>
public sealed class Tokenizer : IDisposable
{
    private readonly PieceScanner _scanner;
    private readonly PieceMerger _merger;
    private readonly TextNormalizer _normalizer;
    private readonly CounterPool _pool;
    private readonly TextWalk _asText;
    private readonly ConditionalWeakTable<SpecialTokens, TextWalk> _walks = [];

    private Tokenizer(Vocabulary vocabulary)
    {
        Vocabulary = vocabulary;
        _normalizer = new TextNormalizer(vocabulary.Normalization);
        _merger = MakeMerger(vocabulary, new TokenIndex(vocabulary));
        _scanner = vocabulary.Split == SplitRule.None
            ? new SeamScanner(_merger.Seams, cuts: !new UnknownCharacters(vocabulary).Fuse)
            : PieceScanner.For(vocabulary.Split);
        _pool = new CounterPool(MakeFeed);
        _asText = new TextWalk(vocabulary, _normalizer, SpecialTokens.AsText);
    }

    /// <summary>The vocabulary.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>The model, for tests.</summary>
    internal PieceMerger Merger => _merger;

    /// <summary>Bytes that this tokenizer holds outside of the managed heap, beside the vocabulary.</summary>
    public long NativeBytes => _merger.NativeBytes + _pool.NativeBytes();

    /// <summary>A tokenizer for a vocabulary. Make one for each vocabulary and keep it.</summary>
    /// <exception cref="NotSupportedException">The vocabulary has a form or a rule that is not known here.</exception>
    public static Tokenizer For(Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        return new Tokenizer(vocabulary);
    }

    /// <summary>The number of tokens of a text.</summary>
    public int Count(ReadOnlySpan<byte> utf8, SpecialTokens? specials = null) =>
        CountUpTo(utf8, int.MaxValue, specials);

    /// <inheritdoc cref="Count(ReadOnlySpan{byte}, SpecialTokens?)"/>
    public int Count(ReadOnlySpan<char> text, SpecialTokens? specials = null) =>
        CountUpTo(text, int.MaxValue, specials);

    /// <summary>The number of tokens of a text, but no further than a limit.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="limit">From 0 on.</param>
    /// <param name="specials">What becomes of special tokens; null for <see cref="SpecialTokens.AsText"/>.</param>
    /// <returns>The number, when it is at most <paramref name="limit"/>; else <paramref name="limit"/> + 1.</returns>
    public int CountUpTo(ReadOnlySpan<byte> utf8, int limit, SpecialTokens? specials = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        TextFeed feed = _pool.Take();
        Walk(specials).Count(utf8, feed, limit);
        return End(feed, limit);
    }

    /// <inheritdoc cref="CountUpTo(ReadOnlySpan{byte}, int, SpecialTokens?)"/>
    public int CountUpTo(ReadOnlySpan<char> text, int limit, SpecialTokens? specials = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        TextWalk walk = Walk(specials);
        TextFeed feed = _pool.Take();
        if (walk.IsPlain)
        {
            feed.Append(text, true, limit);
            feed.Finish(limit);
        }
        else
        {
            byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
            walk.Run(utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8)), feed, null, limit);
            ArrayPool<byte>.Shared.Return(utf8);
        }

        return End(feed, limit);
    }

    /// <summary>
    /// The number of tokens of a large text, counted on several cores: what
    /// <see cref="Count(ReadOnlySpan{byte}, SpecialTokens?)"/> says. Vocabularies that do not cut text, or change all
    /// of it, are counted on one.
    /// </summary>
    /// <param name="utf8">The text.</param>
    /// <param name="threads">At most so many at once, from 1 on.</param>
    /// <param name="specials">What becomes of special tokens; null for <see cref="SpecialTokens.AsText"/>.</param>
    public int CountParallel(ReadOnlySpan<byte> utf8, int threads, SpecialTokens? specials = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        TextWalk walk = Walk(specials);
        return threads == 1 || !walk.IsLocal
            ? Count(utf8, specials) : new ParallelCount(walk, _pool).Run(utf8, threads);
    }

    /// <summary>Adds the ids of the tokens of a text to a list.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="ids">Where they go.</param>
    /// <param name="specials">What becomes of special tokens; null for <see cref="SpecialTokens.AsText"/>.</param>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids, SpecialTokens? specials = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        TextFeed feed = _pool.Take();
        Walk(specials).Run(Utf8Repair.Valid(utf8), feed, ids, long.MaxValue);
        _pool.Return(feed);
    }

    /// <inheritdoc cref="Encode(ReadOnlySpan{byte}, List{int}, SpecialTokens?)"/>
    public void Encode(ReadOnlySpan<char> text, List<int> ids, SpecialTokens? specials = null)
    {
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        Encode(utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8)), ids, specials);
        ArrayPool<byte>.Shared.Return(utf8);
    }

    /// <summary>The ids of the tokens of a text.</summary>
    public int[] Encode(ReadOnlySpan<char> text, SpecialTokens? specials = null)
    {
        List<int> ids = [];
        Encode(text, ids, specials);
        return [.. ids];
    }

    /// <summary>
    /// Adds the bytes that ids stand for. Where spaces were escaped they are spaces again; a space that was put before
    /// the text is still there.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An id stands for nothing.</exception>
    public void Decode(ReadOnlySpan<int> ids, IBufferWriter<byte> utf8)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        foreach (int id in ids)
        {
            EntryKind kind = Vocabulary.KindOf(id);
            ArgumentOutOfRangeException.ThrowIfEqual((int)kind, (int)EntryKind.None, nameof(ids));
            ReadOnlySpan<byte> bytes = Vocabulary.BytesOf(id);
            while (Vocabulary.Normalization.EscapeSpaces && bytes.IndexOf("▁"u8) is int space and >= 0)
            {
                utf8.Write(bytes[..space]);
                utf8.Write(" "u8);
                bytes = bytes[(space + 3)..];
            }

            utf8.Write(bytes);
        }
    }

    /// <summary>The text that ids stand for; bytes that are no UTF-8 are U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id stands for nothing.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        ArrayBufferWriter<byte> utf8 = new();
        Decode(ids, utf8);
        return Encoding.UTF8.GetString(utf8.WrittenSpan);
    }

    /// <summary>Begins to count a text that comes bit by bit.</summary>
    public RunningCount Begin(SpecialTokens? specials = null) => new(_pool, Walk(specials));

    /// <summary>Gives back what is held outside of the managed heap. No call may run any more.</summary>
    public void Dispose()
    {
        _pool.Dispose();
        _merger.Dispose();
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
            default:
                PairTable table = new(vocabulary.Merges);
                return new BytePairMerger<ListedPairs>(vocabulary, index, new ListedPairs(table), table);
        }
    }

    private TextWalk Walk(SpecialTokens? specials) =>
        specials is null || ReferenceEquals(specials, SpecialTokens.AsText) ? _asText
            : _walks.GetValue(specials, policy => new TextWalk(Vocabulary, _normalizer, policy));

    private int End(TextFeed feed, int limit)
    {
        long count = feed.Count;
        _pool.Return(feed);
        return checked((int)Math.Min(count, limit + 1L));
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
