using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// Takes one text bit by bit and counts its tokens as pieces become certain. Bytes that are no UTF-8 count as U+FFFD,
/// one for each longest beginning of a character, as <see cref="Encoding.UTF8"/> reads them; so do halves of surrogate
/// pairs. For one thread at a time.
/// </summary>
internal sealed unsafe class TextFeed(Counter counter) : IDisposable
{
    /// <summary>
    /// How much is checked, or turned into UTF-8, before it is counted: it stays in the second cache.
    /// </summary>
    private const int Window = 64 << 10;
    private const int Kept = 4 * Window;
    private HugeMemory _buffer = new(2 * Window);
    private int _length;
    private int _worthwhile;
    private int _broken;
    private readonly byte[] _partial = new byte[4];

    /// <summary>Tokens so far: those of pieces that are certain.</summary>
    internal long Count { get; private set; }

    /// <summary>Bytes outside of the managed heap.</summary>
    internal long NativeBytes => (long)_buffer.Bytes + counter.NativeBytes;

    /// <summary>Room for text in the form of a vocabulary.</summary>
    internal ArrayBufferWriter<byte> Formed { get; private set; } = new();

    /// <summary>Counts one token that is known already.</summary>
    internal void AddOne() => Count++;

    /// <summary>The counter that is fed.</summary>
    internal Counter Counter => counter;

    public void Dispose()
    {
        _buffer.Dispose();
        counter.Dispose();
    }

    /// <summary>Forgets the text.</summary>
    internal void Reset()
    {
        Count = 0;
        _length = _worthwhile = _broken = 0;
        if (Formed.Capacity > Kept)
        {
            Formed = new ArrayBufferWriter<byte>();
        }

        if (_buffer.Bytes > Kept)
        {
            _buffer.Dispose();
            _buffer = new HugeMemory(2 * Window);
        }
    }

    /// <summary>Counts a whole text where it lies.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="limit">Counting stops when more than so many tokens are found.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal long CountWhole(ReadOnlySpan<byte> utf8, long limit)
    {
        fixed (byte* text = utf8)
        {
            byte* at = text;
            byte* end = text + utf8.Length;
            byte* known = text;
            long window = Window;
            while (at < end && Count <= limit)
            {
                byte* next = CharacterEnd(known, known + Math.Min(end - known, window), end);
                if (!Utf8Check.IsValid(known, next))
                {
                    Append(new ReadOnlySpan<byte>(at, (int)(end - at)), limit);
                    Finish(limit);
                    return Count;
                }

                byte* before = at;
                Count += counter.Count(ref at, next, next == end, limit - Count);
                window = at == before ? window * 2 : Window;
                known = next;
            }
        }

        return Count;
    }

    /// <summary>Adds UTF-8, cut anywhere.</summary>
    internal void Append(ReadOnlySpan<byte> utf8, long limit)
    {
        while (!utf8.IsEmpty && Count <= limit)
        {
            // a window, too, may end inside of a character
            utf8 = _broken > 0 ? Mend(utf8, limit) : utf8[Check(utf8[..Math.Min(utf8.Length, Window)], limit)..];
        }
    }

    /// <summary>Adds UTF-16. The halves of a pair must not be in two parts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Append(ReadOnlySpan<char> text, bool final, long limit)
    {
        while (!text.IsEmpty && Count <= limit)
        {
            ReadOnlySpan<char> part = text[..Math.Min(text.Length, Window / 3)];
            Reserve(Window);
            Utf8.FromUtf16(
                part, new Span<byte>(_buffer.Pointer + _length, Window), out int read, out int written, true,
                final && part.Length == text.Length);
            _length += written;
            text = text[read..];
            Advance(false, limit);
            if (read == 0)
            {
                return;
            }
        }
    }

    /// <summary>Says that the text ends here.</summary>
    internal void Finish(long limit)
    {
        if (_broken > 0)
        {
            _broken = 0;
            Write("\uFFFD"u8, limit);
        }

        Advance(true, limit);
    }

    /// <summary>Where the last character that begins in a window ends, or the end of the text.</summary>
    private static byte* CharacterEnd(byte* start, byte* at, byte* end)
    {
        byte* back = at;
        while (at < end && back > start && at - back < 3 && (*back & 0xC0) == 0x80)
        {
            back--;
        }

        return at < end && (*back & 0xC0) != 0x80 && back > start ? back : at;
    }

    /// <summary>Takes what is valid at the beginning, and what is broken after it.</summary>
    /// <returns>How many bytes were taken: all, unless some were broken.</returns>
    private int Check(ReadOnlySpan<byte> utf8, long limit)
    {
        if (Utf8.IsValid(utf8))
        {
            Write(utf8, limit);
            return utf8.Length;
        }

        int at = 0;
        while (at < utf8.Length)
        {
            OperationStatus status = Rune.DecodeFromUtf8(utf8[at..], out _, out int size);
            if (status != OperationStatus.Done)
            {
                Write(utf8[..at], limit);
                if (status == OperationStatus.NeedMoreData)
                {
                    utf8[at..].CopyTo(_partial);
                    _broken = utf8.Length - at;
                    return utf8.Length;
                }

                Write("\uFFFD"u8, limit);
                return at + size;
            }

            at += size;
        }

        Write(utf8, limit);
        return at;
    }

    /// <summary>Takes a byte more of the character whose beginning is kept.</summary>
    /// <returns>What is left: all, when the byte begins something else.</returns>
    private ReadOnlySpan<byte> Mend(ReadOnlySpan<byte> utf8, long limit)
    {
        _partial[_broken] = utf8[0];
        OperationStatus status = Rune.DecodeFromUtf8(_partial.AsSpan(0, _broken + 1), out _, out _);
        if (status == OperationStatus.InvalidData)
        {
            _broken = 0;
            Write("\uFFFD"u8, limit);
            return utf8;
        }

        _broken++;
        if (status == OperationStatus.Done)
        {
            Write(_partial.AsSpan(0, _broken), limit);
            _broken = 0;
        }

        return utf8[1..];
    }

    private void Write(ReadOnlySpan<byte> valid, long limit)
    {
        Reserve(valid.Length);
        valid.CopyTo(new Span<byte>(_buffer.Pointer + _length, valid.Length));
        _length += valid.Length;
        Advance(false, limit);
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Bytes >= (nuint)_length + (nuint)bytes)
        {
            return;
        }

        HugeMemory larger = new(((nuint)_length + (nuint)bytes) * 2);
        Buffer.MemoryCopy(_buffer.Pointer, larger.Pointer, (long)larger.Bytes, _length);
        _buffer.Dispose();
        _buffer = larger;
    }

    /// <summary>
    /// Counts what is certain. While one piece goes on and on, only when there is twice as much of it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Advance(bool final, long limit)
    {
        if (!final && _length < _worthwhile)
        {
            return;
        }

        byte* at = _buffer.Pointer;
        byte* end = at + _length;
        Count += counter.Count(ref at, end, final, limit - Count);
        _length = (int)(end - at);
        _worthwhile = Math.Max(_length * 2, Window / 16);
        Buffer.MemoryCopy(at, _buffer.Pointer, (long)_buffer.Bytes, _length);
    }
}
