using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Ciyuan.Server.Api;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Watch;

/// <summary><c>GET /v1/calls/live</c>: calls through the gateway as server-sent events, one as each ends.</summary>
internal sealed class LiveCallsApi(LiveCalls calls, CancellationToken stopping)
{
    /// <summary>A comment is sent as often, so that each side notices when the other is gone.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    internal async Task GetAsync(HttpContext http)
    {
        (CallFilter? filter, string fault) = CallFilter.Read(http.Request.Query);
        if (filter is null)
        {
            await Problems.Malformed(fault).ExecuteAsync(http);
            return;
        }

        if (calls.Watch(filter) is not { } watcher)
        {
            await Problems.TooManyWatchers.ExecuteAsync(http);
            return;
        }

        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            http.Response.ContentType = "text/event-stream";
            await WriteAsync(http.Response.BodyWriter, ": watching\n\n"u8, ends.Token);
            while (true)
            {
                await TellAsync(http.Response.BodyWriter, watcher, ends.Token);
            }
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // The watcher left, or the server stops.
        }
        finally
        {
            calls.Leave(watcher);
        }
    }

    private static async Task TellAsync(PipeWriter output, Watcher watcher, CancellationToken cancel)
    {
        using var beat = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        beat.CancelAfter(Beat);
        try
        {
            _ = await watcher.Lines.WaitToReadAsync(beat.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            await WriteAsync(output, ": on\n\n"u8, cancel);
            return;
        }

        if (watcher.TakeLost() is > 0 and long lost)
        {
            output.Write(Encoding.ASCII.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"event: lost\ndata: {lost}\n\n")));
        }

        while (watcher.Lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            output.Write("data: "u8);
            output.Write(line.Span);
            output.Write("\n\n"u8);
        }

        _ = await output.FlushAsync(cancel);
    }

    private static async ValueTask WriteAsync(PipeWriter output, byte[] bytes, CancellationToken cancel) =>
        _ = await output.WriteAsync(bytes, cancel);

    private static ValueTask WriteAsync(PipeWriter output, ReadOnlySpan<byte> bytes, CancellationToken cancel) =>
        WriteAsync(output, bytes.ToArray(), cancel);
}
