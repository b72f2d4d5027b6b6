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
}
