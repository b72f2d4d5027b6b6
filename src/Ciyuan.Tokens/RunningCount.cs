using System.Buffers;
using System.Text;
using Ciyuan.Tokens.Counting;

namespace Ciyuan.Tokens;

/// <summary>
/// Counts the tokens of one text that comes bit by bit, cut anywhere, also inside a character or between the halves of
/// a surrogate pair; the same as counting the whole. For one thread at a time. Dispose it to give its memory back.
/// </summary>
public sealed class RunningCount : IDisposable
{
    /// <summary>So much is gathered before a place is looked for where the text can be cut.</summary>
    private const int Gathered = 64 << 10;
    private readonly CounterPool _pool;
    private readonly TextWalk _walk;
    private ArrayBufferWriter<byte> _held = new();
    private int _wanted = Gathered;
    private TextFeed? _feed;
    private char _half;
    private bool _finished;

    internal RunningCount(CounterPool pool, TextWalk walk)
    {
        _pool = pool;
        _walk = walk;
        _feed = pool.Take();
    }

    /// <summary>
    /// The tokens of pieces that cannot change any more; after <see cref="Finish"/> those of the text. Never falls.
    /// </summary>
    public long Count { get; private set; }

    /// <summary>Adds a part of the text, in UTF-8.</summary>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    /// <exception cref="InvalidOperationException">The text has been finished.</exception>
    public void Append(ReadOnlySpan<byte> utf8)
    {
        TextFeed feed = Open();
        if (_walk.IsPlain)
        {
            feed.Append(utf8, long.MaxValue);
            Count = feed.Count;
        }
        else
        {
            _held.Write(utf8);
            Advance(feed);
        }
    }

    /// <summary>Adds a part of the text, in UTF-16. Do not mix with UTF-8 inside of a character.</summary>
    /// <inheritdoc cref="Append(ReadOnlySpan{byte})" path="/exception"/>
    public void Append(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return;
        }

        if (_half != 0)
        {
            ReadOnlySpan<char> pair = [_half, text[0]];
            bool whole = char.IsLowSurrogate(text[0]);
            _half = '\0';
            AppendWhole(whole ? pair : pair[..1]);
            text = whole ? text[1..] : text;
        }

        if (!text.IsEmpty && char.IsHighSurrogate(text[^1]))
        {
            _half = text[^1];
            text = text[..^1];
        }

        AppendWhole(text);
    }

    /// <summary>Says that the text is at its end.</summary>
    /// <returns>The number of its tokens.</returns>
    /// <inheritdoc cref="Append(ReadOnlySpan{byte})" path="/exception"/>
    public long Finish()
    {
        TextFeed feed = Open();
        if (_half != 0)
        {
            ReadOnlySpan<char> half = [_half];
            _half = '\0';
            AppendWhole(half);
        }

        if (!_walk.IsPlain)
        {
            _walk.Run(Utf8Repair.Valid(_held.WrittenSpan), feed, null, long.MaxValue);
        }
        else
        {
            feed.Finish(long.MaxValue);
        }

        _finished = true;
        return Count = feed.Count;
    }

    /// <summary>Gives back what the stream holds.</summary>
    public void Dispose()
    {
        if (_feed is { } feed)
        {
            _feed = null;
            _pool.Return(feed);
        }
    }

    /// <summary>Counts what is gathered up to a safe cut; without one it gathers twice as much.</summary>
    private void Advance(TextFeed feed)
    {
        ReadOnlySpan<byte> text = _held.WrittenSpan;
        if (!_walk.IsLocal || text.Length < _wanted)
        {
            return;
        }

        int cut = SafeCuts.Last(text);
        _wanted = cut > 0 ? Gathered : text.Length * 2;
        if (cut > 0)
        {
            _walk.Run(Utf8Repair.Valid(text[..cut]), feed, null, long.MaxValue);
            Count = feed.Count;
            ArrayBufferWriter<byte> rest = new();
            rest.Write(text[cut..]);
            _held = rest;
        }
    }

    private TextFeed Open()
    {
        ObjectDisposedException.ThrowIf(_feed is null, this);
        return _finished ? throw new InvalidOperationException("The text has been finished.") : _feed;
    }

    private void AppendWhole(ReadOnlySpan<char> text)
    {
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        Append(utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8)));
        ArrayPool<byte>.Shared.Return(utf8);
    }
}
