using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>A request's whole body in one pooled buffer, unpacked. Dispose gives the buffer back.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>What is reserved at once on the word of a Content-Length; beyond it memory is taken only as bytes come,
    /// so
    /// that a slow sender holds no more than twice what it sent.</summary>
    private const int TrustedLength = 1024 * 1024;

    /// <summary>What is reserved where no Content-Length says how much comes. One that does is believed, also when it
    /// is small: a buffer is held as long as its call, and of open streams there may be thousands.</summary>
    private const int UnknownLength = 16 * 1024;

    private readonly InFlight _inFlight;
    private readonly int _most;
    private byte[] _buffer = [];
    private int _length;

    private RequestBody(InFlight inFlight, int most) => (_inFlight, _most) = (inFlight, most);

    /// <summary>The bytes.</summary>
    internal ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Why the body could not be taken; null when it was.</summary>
    internal Problem? Problem { get; private set; }

    /// <summary>Reads the body to its end. A client that leaves meanwhile ends it with an exception, and nothing is
    /// done.</summary>
    internal static async ValueTask<RequestBody> ReadAsync(HttpContext http, InFlight inFlight, int most)
    {
        var body = new RequestBody(inFlight, most);
        try
        {
            string encoding = http.Request.Headers.ContentEncoding.ToString();
            bool gzip = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase);
            if (!gzip && encoding is not ("" or "identity"))
            {
                body.Problem = Problems.Encoding(encoding);
                return body;
            }

            await body.FillAsync(http.Request, http.RequestAborted);
            if (gzip && body.Problem is null)
            {
                body.Inflate();
            }

            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Give(_buffer);
        _buffer = [];
        _length = 0;
    }

    private async ValueTask FillAsync(HttpRequest request, CancellationToken cancel)
    {
        if (request.ContentLength > _most)
        {
            Problem = Problems.TooManyBytes(_most);
            return;
        }

        int expected = (int)Math.Min(request.ContentLength ?? UnknownLength, TrustedLength);
        PipeReader pipe = request.BodyReader;
        while (true)
        {
            ReadResult read = await pipe.ReadAsync(cancel);
            long length = _length + read.Buffer.Length;
            Problem = length > _most ? Problems.TooManyBytes(_most) : Reserve((int)Math.Max(length, expected));
            if (Problem is not null)
            {
                pipe.AdvanceTo(read.Buffer.End);
                return;
            }

            read.Buffer.CopyTo(_buffer.AsSpan(_length));
            _length = (int)length;
            pipe.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    private void Inflate()
    {
        byte[] packed = _buffer;
        int packedLength = _length;
        (_buffer, _length) = ([], 0);
        long allowed = Math.Max(ServerLimits.InflatedAlways, (long)packedLength * ServerLimits.InflatedRatio);
        allowed = Math.Min(allowed, ServerLimits.InflatedBytes);
        try
        {
            using var gzip = new GZipStream(new MemoryStream(packed, 0, packedLength), CompressionMode.Decompress);
            while (true)
            {
                Problem = _length > allowed ? Problems.InflatesTooFar : Reserve(_length + UnknownLength);
                int read = Problem is null ? gzip.Read(_buffer, _length, _buffer.Length - _length) : 0;
                if (read == 0)
                {
                    break;
                }

                _length += read;
            }

            // An unpacker stops quietly where a body was cut: the size in the last four bytes (RFC 1952) tells.
            if (Problem is null
                && (packedLength < 18 || BitConverter.ToUInt32(packed, packedLength - 4) != (uint)_length))
            {
                Problem = Problems.Malformed("The gzip body is cut short, or has several members. Nothing was taken.");
            }
        }
        catch (InvalidDataException)
        {
            Problem = Problems.Malformed("The body is not sound gzip. Nothing was taken.");
        }
        finally
        {
            Give(packed);
        }
    }

    private Problem? Reserve(int length)
    {
        if (length <= _buffer.Length)
        {
            return null;
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(length, 2 * _length));
        if (!_inFlight.TryHold(larger.Length))
        {
            ArrayPool<byte>.Shared.Return(larger);
            return Problems.Busy("The server holds as many bytes of requests as it may.");
        }

        _buffer.AsSpan(0, _length).CopyTo(larger);
        Give(_buffer);
        _buffer = larger;
        return null;
    }

    private void Give(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            _inFlight.Release(buffer.Length);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
