using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>A request as a scripted upstream received it.</summary>
internal sealed record ReceivedCall(string Path, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>An upstream that sends just the bytes that its script says, in the pieces that it says.</summary>
internal sealed class ScriptedUpstream : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<ReceivedCall, Stream, CancellationToken, Task> _script;
    private readonly Task _accepting;

    internal ScriptedUpstream(Func<ReceivedCall, Stream, CancellationToken, Task> script)
    {
        _script = script;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>What was received, in order.</summary>
    internal ConcurrentQueue<ReceivedCall> Calls { get; } = new();

    /// <summary>Completes each time that a connection was closed by the gateway in the middle of an answer.</summary>
    internal TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>An upstream that always gives one whole answer.</summary>
    internal static ScriptedUpstream Whole(string body, int status = 200, string headers = "") =>
        new((_, output, cancel) => SendAsync(output, WholeAnswer(body, status, headers), cancel));

    /// <summary>An upstream that always streams these pieces, each a chunk of its own, and ends well.</summary>
    internal static ScriptedUpstream Stream(params string[] pieces) => Stream(pieces, endsWell: true);

    internal static ScriptedUpstream Stream(string[] pieces, bool endsWell) =>
        new(async (_, output, cancel) =>
        {
            await SendAsync(output, StreamHead, cancel);
            foreach (string piece in pieces)
            {
                await SendAsync(output, Chunk(Encoding.UTF8.GetBytes(piece)), cancel);
            }

            if (endsWell)
            {
                await SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
            }
            else
            {
                output.Close();
            }
        });

    internal static byte[] StreamHead { get; } = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-Vendor: kept\r\n\r\n");

    internal static byte[] Chunk(ReadOnlySpan<byte> bytes) =>
        [.. Encoding.ASCII.GetBytes(bytes.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), .. bytes,
            .. "\r\n"u8];

    internal static byte[] WholeAnswer(string body, int status, string headers) => Encoding.UTF8.GetBytes(
        $"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n{headers}"
        + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    internal static async Task SendAsync(Stream output, byte[] bytes, CancellationToken cancel)
    {
        await output.WriteAsync(bytes, cancel);
        await output.FlushAsync(cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                open.Add(ServeAsync(client));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException
            or InvalidOperationException) // stopped before it waited again
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            NetworkStream stream = client.GetStream();
            try
            {
                while (await ReadAsync(stream) is { } call)
                {
                    Calls.Enqueue(call);
                    await _script(call, stream, _stop.Token);
                    if (call.Headers.ContainsKey("x-close"))
                    {
                        return;
                    }
                }
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException
                or EndOfStreamException or ObjectDisposedException)
            {
                Left.TrySetResult();
            }
        }
    }

    private async Task<ReceivedCall?> ReadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (head.Count < 4 || !head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
            {
                return null;
            }

            head.Add(one[0]);
        }

        string[] lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).ToDictionary(
            l => l[..l.IndexOf(':')], l => l[(l.IndexOf(':') + 1)..].Trim(), StringComparer.OrdinalIgnoreCase);
        byte[] body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), null)];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new ReceivedCall(lines[0].Split(' ')[1], headers, Encoding.UTF8.GetString(body));
    }
}
