using System.Buffers;
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
    private readonly Lock _building = new();
    private readonly PieceScanner? _scanner;
    private readonly TextNormalizer _normalizer;
    private readonly EarlyCounter? _early;
    private FastPath? _fast;
    private bool _isDisposed;

    private Tokenizer(Vocabulary vocabulary)
    {
        Vocabulary = vocabulary;
        _normalizer = new TextNormalizer(vocabulary.Normalization, vocabulary.Split == SplitRule.MarkedWords);
        _scanner = vocabulary.Split == SplitRule.None ? null : PieceScanner.For(vocabulary.Split);
        _early = EarlyCounter.For(vocabulary, _scanner);
    }

    /// <summary>The vocabulary.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>The model, for tests.</summary>
    internal PieceMerger Merger => Fast().Merger;

    /// <summary>Bytes that this tokenizer holds outside of the managed heap, beside the vocabulary.</summary>
    public long NativeBytes => Volatile.Read(ref _fast)?.NativeBytes ?? 0;

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
        if (IsEarly(specials) && _early!.TryCount(utf8, out int early))
        {
            return Bounded(early, limit);
        }

        FastPath fast = Fast();
        TextFeed feed = fast.Pool.Take();
        fast.Walk(specials).Count(utf8, feed, limit);
        return End(fast, feed, limit);
    }

    /// <inheritdoc cref="CountUpTo(ReadOnlySpan{byte}, int, SpecialTokens?)"/>
    public int CountUpTo(ReadOnlySpan<char> text, int limit, SpecialTokens? specials = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        if (IsEarly(specials) && TryCountEarly(text, out int early))
        {
            return Bounded(early, limit);
        }

        FastPath fast = Fast();
        TextWalk walk = fast.Walk(specials);
        TextFeed feed = fast.Pool.Take();
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

        return End(fast, feed, limit);
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
        if (threads == 1)
        {
            return Count(utf8, specials);
        }

        FastPath fast = Fast();
        TextWalk walk = fast.Walk(specials);
        return walk.IsLocal ? new ParallelCount(walk, fast.Pool).Run(utf8, threads) : Count(utf8, specials);
    }

    /// <summary>
    /// Whether a text may be cut at <see cref="LastCut"/> and counted part by part; false for vocabularies that do not
    /// cut text, or change all of it.
    /// </summary>
    public bool CanCut => Fast().Walk(null).IsLocal;

    /// <summary>
    /// The last place in a text where it may be cut: the tokens of both parts are those of the whole, if
    /// <see cref="CanCut"/>.
    /// </summary>
    /// <returns>Where the second part begins; -1 when there is no such place.</returns>
    public static int LastCut(ReadOnlySpan<byte> utf8) => SafeCuts.Last(utf8);

    /// <summary>Adds the ids of the tokens of a text to a list.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="ids">Where they go.</param>
    /// <param name="specials">What becomes of special tokens; null for <see cref="SpecialTokens.AsText"/>.</param>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids, SpecialTokens? specials = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        FastPath fast = Fast();
        TextFeed feed = fast.Pool.Take();
        fast.Walk(specials).Run(Utf8Repair.Valid(utf8), feed, ids, long.MaxValue);
        fast.Pool.Return(feed);
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
    /// the text is still there. Between words of WordPiece, which does not keep what was there, stands one space.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An id stands for nothing.</exception>
    public void Decode(ReadOnlySpan<int> ids, IBufferWriter<byte> utf8)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        bool isFirst = true;
        foreach (int id in ids)
        {
            EntryKind kind = Vocabulary.KindOf(id);
            ArgumentOutOfRangeException.ThrowIfEqual((int)kind, (int)EntryKind.None, nameof(ids));
            ReadOnlySpan<byte> bytes = Vocabulary.BytesOf(id);
            if (Vocabulary.Model == TokenModel.WordPiece && !isFirst)
            {
                utf8.Write(bytes.StartsWith("##"u8) ? default : " "u8);
                bytes = bytes.StartsWith("##"u8) ? bytes[2..] : bytes;
            }

            isFirst = false;
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
    public RunningCount Begin(SpecialTokens? specials = null) => new(Fast().Pool, Fast().Walk(specials));

    /// <summary>Gives back what is held outside of the managed heap. No call may run any more.</summary>
    public void Dispose()
    {
        lock (_building)
        {
            _isDisposed = true;
            _fast?.Dispose();
        }
    }

    private static int Bounded(long count, int limit) => checked((int)Math.Min(count, limit + 1L));

    private static int End(FastPath fast, TextFeed feed, int limit)
    {
        long count = feed.Count;
        fast.Pool.Return(feed);
        return Bounded(count, limit);
    }

    private bool IsEarly(SpecialTokens? specials) => Volatile.Read(ref _fast) is null && _early is not null
        && (specials is null || ReferenceEquals(specials, SpecialTokens.AsText));

    private bool TryCountEarly(ReadOnlySpan<char> text, out int count)
    {
        Span<byte> utf8 = stackalloc byte[EarlyCounter.MaxTextBytes];
        count = 0;
        return Encoding.UTF8.TryGetBytes(text, utf8, out int written) && _early!.TryCount(utf8[..written], out count);
    }

    private FastPath Fast() => Volatile.Read(ref _fast) ?? Build();

    /// <summary>Builds the tables, once.</summary>
    private FastPath Build()
    {
        lock (_building)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            FastPath fast = _fast ?? new FastPath(Vocabulary, _scanner, _normalizer);
            Volatile.Write(ref _fast, fast);
            return fast;
        }
    }
}
