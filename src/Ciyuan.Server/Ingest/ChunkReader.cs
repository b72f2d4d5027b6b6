using System.Buffers;

namespace Ciyuan.Server.Ingest;

/// <summary>
/// Cuts a stream into chunks of whole lines (rows, in CSV, where quoted fields may hold line breaks). Memory is bounded
/// whatever the stream holds: of a line that does not fit, the first part goes out as a chunk of its own, long enough
/// to be refused as too long, and the rest of the line is dropped.
/// </summary>
/// <param name="stream">Read to its end; not disposed.</param>
/// <param name="isCsv">Whether quotes protect line breaks.</param>
internal sealed class ChunkReader(Stream stream, bool isCsv)
{
    /// <summary>Size of a chunk: twice the longest record, so that one always fits.</summary>
    internal const int ChunkBytes = 2 * UsageJson.MaxBytes;

    private byte[] _carried = []; // the begun line at the end of the last chunk
    private int _carriedLength;
    private long _line = 1;
    private bool _skipping;
    private bool _ended;

    /// <summary>The next chunk; null at the end. Its buffer is to be returned to <see
    /// cref="ArrayPool{T}.Shared"/>.</summary>
    internal async ValueTask<FileChunk?> ReadAsync(CancellationToken cancel)
    {
        while (!_ended)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
            int length = await FillAsync(buffer, cancel);
            int start = SkipRest(buffer.AsSpan(0, length));
            int end = FindEnd(buffer.AsSpan(start, length - start)) + start;
            if (end == 0 && length == ChunkBytes)
            {
                end = length; // a line longer than a chunk
                _skipping = true;
            }

            Carry(buffer.AsSpan(end, length - end));
            if (end > start)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                var chunk = new FileChunk(buffer, end - start, _line);
                _line += buffer.AsSpan(0, end - start).Count((byte)'\n');
                return chunk;
            }

            ArrayPool<byte>.Shared.Return(buffer);
        }

        return null;
    }

    private async ValueTask<int> FillAsync(byte[] buffer, CancellationToken cancel)
    {
        _carried.AsSpan(0, _carriedLength).CopyTo(buffer);
        int length = _carriedLength;
        _carriedLength = 0;
        while (length < ChunkBytes)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length, ChunkBytes - length), cancel);
            _ended = read == 0;
            length += read;
            if (_ended)
            {
                break;
            }
        }

        return length;
    }

    // The rest of a line that was too long: up to its line break.
    private int SkipRest(ReadOnlySpan<byte> text)
    {
        if (!_skipping)
        {
            return 0;
        }

        int lineBreak = text.IndexOf((byte)'\n');
        _skipping = lineBreak < 0;
        _line += _skipping ? 0 : 1;
        return _skipping ? text.Length : lineBreak + 1;
    }

    private int FindEnd(ReadOnlySpan<byte> text)
    {
        if (_ended)
        {
            return text.Length;
        }

        int end = text.LastIndexOf((byte)'\n') + 1;
        if (!isCsv)
        {
            return end;
        }

        // Back to the last line break with an even number of quotes before it.
        int quotes = text[..end].Count((byte)'"');
        while (end > 0 && quotes % 2 != 0)
        {
            int before = text[..(end - 1)].LastIndexOf((byte)'\n') + 1;
            quotes -= text[before..end].Count((byte)'"');
            end = before;
        }

        return end;
    }

    private void Carry(ReadOnlySpan<byte> text)
    {
        if (_carried.Length < text.Length)
        {
            _carried = new byte[ChunkBytes];
        }

        text.CopyTo(_carried);
        _carriedLength = text.Length;
    }
}
