using System.Buffers;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Cuts a stream of server-sent events into events, whatever pieces it comes in: lines end in <c>\n</c>, <c>\r</c> or
/// <c>\r\n</c>, also mixed and also cut in two; an event's data may be in several lines. Memory is bounded: of an event
/// beyond <see cref="GatewayLimits.EventBytes"/> nothing is kept.
/// </summary>
internal sealed class SseReader : IDisposable
{
    private byte[] _data = [];
    private int _dataLength;
    private byte[] _line = [];
    private int _lineLength;
    private bool _hasData;
    private bool _isTooLong;
    private bool _returnSeen;
    private bool _lineIsEmpty = true;
    private bool _give;
    private bool _isBetween;

    /// <summary>How many events were too long to be looked at.</summary>
    internal int TooLong { get; private set; }

    /// <summary>Whether an empty line came last, and nothing of an event since: comments end in one too.</summary>
    internal bool IsBetween => _isBetween && _lineIsEmpty && !_hasData && !_isTooLong;

    /// <summary>Whether a <c>\n</c> that comes next belongs to the line that ended.</summary>
    internal bool AwaitsLineFeed => _returnSeen;

    /// <summary>Takes bytes up to the end of the next event.</summary>
    /// <param name="input">The bytes; what was taken is cut off its front.</param>
    /// <param name="data">The event's data, until the next call; empty when it has none, or was too long.</param>
    /// <returns>True when an event ended; false when all bytes were taken without that.</returns>
    internal bool TryRead(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> data)
    {
        Forget();
        while (!input.IsEmpty)
        {
            if (_returnSeen)
            {
                _returnSeen = false;
                input = input[0] == '\n' ? input[1..] : input;
                continue;
            }

            int end = input.IndexOfAny((byte)'\n', (byte)'\r');
            TakeLine(end < 0 ? input : input[..end]);
            if (end < 0)
            {
                input = default;
                break;
            }

            _returnSeen = input[end] == '\r';
            input = input[(end + 1)..];
            if (EndLine())
            {
                data = _isTooLong ? default : _data.AsSpan(0, _dataLength);
                TooLong += _isTooLong ? 1 : 0;
                return _give = true;
            }
        }

        data = default;
        return false;
    }

    /// <summary>What has come of an event that did not end, once the stream is over.</summary>
    internal ReadOnlySpan<byte> Rest()
    {
        Forget();
        _ = EndLine();
        return _isTooLong ? default : _data.AsSpan(0, _dataLength);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Return(_data);
        Return(_line);
        (_data, _line) = ([], []);
    }

    private static void Return(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // The event that was given out before makes room.
    private void Forget()
    {
        if (_give)
        {
            (_dataLength, _hasData, _isTooLong, _give) = (0, false, false, false);
        }
    }

    private void TakeLine(ReadOnlySpan<byte> part)
    {
        _lineIsEmpty &= part.IsEmpty;
        if (_lineLength + part.Length > GatewayLimits.EventBytes)
        {
            (_isTooLong, _lineLength) = (true, 0);
            return;
        }

        if (!_isTooLong)
        {
            Append(ref _line, ref _lineLength, part);
        }
    }

    /// <summary>True when the line is the empty one that ends an event.</summary>
    private bool EndLine()
    {
        ReadOnlySpan<byte> line = _line.AsSpan(0, _lineLength);
        bool empty = _lineIsEmpty;
        (_lineLength, _lineIsEmpty, _isBetween) = (0, true, empty);
        if (empty)
        {
            return _hasData || _isTooLong;
        }

        line = line.StartsWith("\uFEFF"u8) ? line[3..] : line;
        if (line.StartsWith("data"u8) && (line.Length == 4 || line[4] == ':'))
        {
            ReadOnlySpan<byte> value = line.Length > 5 ? line[5..] : default;
            value = value.StartsWith(" "u8) ? value[1..] : value;
            if (_dataLength + value.Length + 1 > GatewayLimits.EventBytes)
            {
                (_isTooLong, _dataLength) = (true, 0);
                return false;
            }

            if (_hasData)
            {
                Append(ref _data, ref _dataLength, "\n"u8);
            }

            Append(ref _data, ref _dataLength, value);
            _hasData = true;
        }

        return false;
    }

    private static void Append(ref byte[] buffer, ref int length, ReadOnlySpan<byte> part)
    {
        if (length + part.Length > buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(
                Math.Max(length + part.Length, Math.Max(512, buffer.Length * 2)));
            buffer.AsSpan(0, length).CopyTo(larger);
            Return(buffer);
            buffer = larger;
        }

        part.CopyTo(buffer.AsSpan(length));
        length += part.Length;
    }
}
