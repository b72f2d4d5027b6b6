using System.Buffers;
using Ciyuan.Tokens.Normalizing;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// From text to tokens: 1 tokens that stand as a whole in the text as given, 2 the form of what is between them, 3
/// tokens that stand as a whole in that form, 4 the model. Immutable. Text is valid UTF-8.
/// </summary>
internal sealed class TextWalk(Vocabulary vocabulary, TextNormalizer normalizer, SpecialTokens policy)
{
    /// <summary>Longer stretches are brought into form and counted by so many bytes, which stay in the cache.</summary>
    private const int Window = 64 << 10;

    private readonly AddedTokenFinder? _given = AddedTokenFinder.For(vocabulary, policy, normalized: false);
    private readonly AddedTokenFinder? _formed = AddedTokenFinder.For(vocabulary, policy, normalized: true);

    /// <summary>True when only step 4 does anything.</summary>
    internal bool IsPlain => _given is null && _formed is null && normalizer.IsIdentity;

    /// <summary>True when text can be cut at <see cref="SafeCuts"/> and counted part by part.</summary>
    internal bool IsLocal { get; } = SafeCuts.Has(vocabulary.Split) && !normalizer.IsWholeText
        && vocabulary.AddedTokens.All(token => !policy.Finds(token)
            || (!token.LeftStrip && !token.RightStrip && !token.SingleWord
                && token.Content.AsSpan().IndexOfAny(SafeCuts.Characters) < 0));

    /// <summary>Counts.</summary>
    internal void Count(ReadOnlySpan<byte> text, TextFeed feed, long limit)
    {
        if (IsPlain)
        {
            feed.CountWhole(text, limit);
        }
        else
        {
            Run(Utf8Repair.Valid(text), feed, null, limit);
        }
    }

    /// <summary>Counts, or makes ids.</summary>
    /// <param name="text">The text, or a part of it.</param>
    /// <param name="feed">Counts, and knows the count.</param>
    /// <param name="ids">Where ids go; null for counting.</param>
    /// <param name="limit">Counting may stop when more than so many tokens are found.</param>
    internal void Run(ReadOnlySpan<byte> text, TextFeed feed, List<int>? ids, long limit)
    {
        int at = 0;
        while (feed.Count <= limit)
        {
            AddedToken? token = Next(_given, text, at, out int start, out int end);
            Form(text[at..start], at == 0, feed, ids, limit);
            if (token is null)
            {
                return;
            }

            Take(token, feed, ids);
            at = end;
        }
    }

    private static AddedToken? Next(
        AddedTokenFinder? finder, ReadOnlySpan<byte> text, int from, out int start, out int end)
    {
        start = end = text.Length;
        return finder?.Next(text, from, out start, out end);
    }

    private static void Take(AddedToken token, TextFeed feed, List<int>? ids)
    {
        feed.AddOne();
        ids?.Add(token.Id);
    }

    private void Form(ReadOnlySpan<byte> stretch, bool first, TextFeed feed, List<int>? ids, long limit)
    {
        if (stretch.Length > Window && ids is null && _formed is null && !normalizer.IsIdentity && normalizer.IsLocal)
        {
            CountByWindows(stretch, feed, limit);
            return;
        }

        stretch = InForm(stretch, first, feed);
        int at = 0;
        while (feed.Count <= limit)
        {
            AddedToken? token = Next(_formed, stretch, at, out int start, out int end);
            if (ids is null)
            {
                feed.CountWhole(stretch[at..start], limit);
            }
            else
            {
                feed.Counter.Encode(stretch[at..start], ids);
            }

            if (token is null)
            {
                return;
            }

            Take(token, feed, ids);
            at = end;
        }
    }

    private ReadOnlySpan<byte> InForm(ReadOnlySpan<byte> stretch, bool first, TextFeed feed)
    {
        if (normalizer.IsNormal(stretch))
        {
            return stretch;
        }

        feed.Formed.ResetWrittenCount();
        normalizer.Write(stretch, first, feed.Formed);
        return feed.Formed.WrittenSpan;
    }

    private void CountByWindows(ReadOnlySpan<byte> stretch, TextFeed feed, long limit)
    {
        int size = Window;
        while (!stretch.IsEmpty && feed.Count <= limit)
        {
            int end = size < stretch.Length ? normalizer.LastSettled(stretch[..size]) : stretch.Length;
            if (end == 0)
            {
                size *= 2; // marks and nothing else
                continue;
            }

            feed.Append(InForm(stretch[..end], false, feed), limit);
            stretch = stretch[end..];
            size = Window;
        }

        feed.Finish(limit);
    }
}
