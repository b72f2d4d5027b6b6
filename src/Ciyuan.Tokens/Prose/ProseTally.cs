using System.Buffers;
using Ciyuan.Tokens.Counting;
using Ciyuan.Tokens.Normalizing;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Prose;

/// <summary>
/// Divides the tokens of a whole text between prose and code. The text is counted once, as a whole; a token belongs to
/// the range in which its first byte lies. So the two parts always add up to the count of the whole, and a token that
/// reaches from one range into the next is counted once, for the first.
/// </summary>
public sealed class ProseTally
{
    private readonly IReadOnlyList<ProseRange> _ranges;
    private int _range;
    private long _position;
    private long _prose;
    private long _code;

    /// <summary>Makes a tally for the ranges of a text, in order.</summary>
    public ProseTally(IReadOnlyList<ProseRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        _ranges = ranges;
    }

    /// <summary>The count so far.</summary>
    public ProseCount Count => new(_prose, _code);

    /// <summary>
    /// Counts a text in UTF-8, prose and code apart. A vocabulary that composes characters sees the composed text;
    /// where one rewrites the text in another way (spaces as marks), places are scaled to the length that it sees.
    /// </summary>
    public static ProseCount Of(Tokenizer tokenizer, ReadOnlySpan<byte> utf8, TextForm form)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        IReadOnlyList<ProseRange> ranges = ProseSplitter.Split(utf8, form);
        if (ranges.Count <= 1)
        {
            long all = tokenizer.Count(utf8);
            bool code = ranges.Count == 1 && ranges[0].Kind == TextKind.Code;
            return code ? new ProseCount(0, all) : new ProseCount(all, 0);
        }

        List<int> ids = [];
        tokenizer.Encode(utf8, ids);
        int[] lengths = [.. ids.Select(id => tokenizer.Vocabulary.BytesOf(id).Length)];
        long seen = lengths.Sum(l => (long)l);
        if (seen != utf8.Length)
        {
            // By this library's own table, which no setting of the runtime changes.
            ArrayBufferWriter<byte> composed = new(utf8.Length);
            new TextNormalizer(Normalization.Nfc).Write(Utf8Repair.Valid(utf8), first: true, composed);
            ranges = composed.WrittenCount == seen
                ? ProseSplitter.Split(composed.WrittenSpan, form) : Scaled(ranges, utf8.Length, seen);
        }

        return Divide(ranges, lengths);
    }

    /// <summary>Divides the tokens of a text, given the length of each in bytes.</summary>
    public static ProseCount Divide(IReadOnlyList<ProseRange> ranges, ReadOnlySpan<int> tokenBytes)
    {
        ProseTally tally = new(ranges);
        tally.Add(tokenBytes);
        return tally.Count;
    }

    /// <summary>
    /// Adds the next tokens, by their lengths in bytes. Tokens behind the last range count to that range's kind.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A length is negative.</exception>
    public void Add(ReadOnlySpan<int> tokenBytes)
    {
        foreach (int length in tokenBytes)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(tokenBytes));
            while (_range < _ranges.Count - 1 && _position >= _ranges[_range].End)
            {
                _range++;
            }

            bool code = _ranges.Count > 0 && _ranges[_range].Kind == TextKind.Code;
            (_prose, _code) = code ? (_prose, _code + 1) : (_prose + 1, _code);
            _position += length;
        }
    }

    private static ProseRange[] Scaled(IReadOnlyList<ProseRange> ranges, long length, long seen) =>
        [.. ranges.Select(r => new ProseRange(At(r.Start, length, seen), At(r.End, length, seen), r.Kind))];

    private static long At(long place, long length, long seen) => (long)((Int128)place * seen / length);
}
