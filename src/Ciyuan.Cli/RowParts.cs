using System.Buffers;

namespace Ciyuan.Cli;

/// <summary>Whole rows, in a buffer that goes back to the pool.</summary>
internal sealed class RowPart(byte[] buffer, int length)
{
    internal int Length { get; } = length;

    internal ReadOnlySpan<byte> Span => buffer.AsSpan(0, Length);

    /// <summary>Gives the buffer back; nothing may read it afterwards.</summary>
    internal void Return() => ArrayPool<byte>.Shared.Return(buffer);
}

/// <summary>
/// Cuts a stream into parts that end with a row. In CSV a line end within quotes ends no row; quotes are doubled inside of
/// quotes, so it is outside of them after an even number of quotes.
/// </summary>
internal sealed class RowParts(Stream stream, bool isCsv, int partBytes, int maxRowBytes)
{
    private byte[] _held = []; // what was read beyond the last row
    private bool _isStarted;
    private bool _isEnded;

    /// <summary>The next part; null at the end.</summary>
    /// <exception cref="RefusedException">A row is too long.</exception>
    internal async Task<RowPart?> NextAsync(CancellationToken cancel)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(partBytes, _held.Length * 2));
        _held.CopyTo(buffer, 0);
        int length = _held.Length;
        _held = [];
        while (true)
        {
            length = await FillAsync(buffer, length, cancel);
            int end = _isEnded ? length : RowsEnd(buffer.AsSpan(0, length));
            if (end > 0 || _isEnded)
            {
                _held = buffer[end..length];
                if (end > 0)
                {
                    return new RowPart(buffer, end);
                }

                ArrayPool<byte>.Shared.Return(buffer);
                return null;
            }

            if (length > maxRowBytes)
            {
                throw new RefusedException($"a row has more than {maxRowBytes} bytes. Is it the right file?");
            }

            byte[] larger = ArrayPool<byte>.Shared.Rent(checked(buffer.Length * 2));
            buffer.AsSpan(0, length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
    }

    private async Task<int> FillAsync(byte[] buffer, int length, CancellationToken cancel)
    {
        while (length < buffer.Length && !_isEnded)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length), cancel);
            _isEnded = read == 0;
            length += read;
        }

        if (!_isStarted && buffer.AsSpan(0, length).StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            buffer.AsSpan(3, length - 3).CopyTo(buffer);
            length -= 3;
        }

        _isStarted = true;
        return length;
    }

    private int RowsEnd(ReadOnlySpan<byte> text)
    {
        if (!isCsv)
        {
            return text.LastIndexOf((byte)'\n') + 1;
        }

        int end = 0;
        bool isQuoted = false;
        for (int at = 0; at < text.Length; at++)
        {
            int next = text[at..].IndexOfAny((byte)'"', (byte)'\n');
            if (next < 0)
            {
                break;
            }

            at += next;
            isQuoted ^= text[at] == '"';
            end = text[at] == '\n' && !isQuoted ? at + 1 : end;
        }

        return end;
    }
}
