using System.Buffers;
using System.IO.Pipelines;
using Ciyuan.Server.Gateway.Translation;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Step 2, Forward 转发, from the first byte on: each piece goes to the client as it comes and is flushed at once, then
/// Step 3 looks at it. Memory is one buffer, whatever the length of the answer.
/// </summary>
internal static class Relay
{
    /// <summary>Sends the headers, and what was read before of an answer that turned out large.</summary>
    internal static async Task BeginAsync(Call call, CallCounter counter, long? length)
    {
        HttpResponse response = call.Http.Response;
        response.ContentLength = call.ChangesBytes ? null : length;
        try
        {
            await response.StartAsync(call.Http.RequestAborted);
            _ = await response.BodyWriter.FlushAsync(call.Http.RequestAborted);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            call.End = CallEnd.ClientLeft;
        }

        await WriteAsync(call, response.BodyWriter, counter.Whole);
    }

    /// <summary>Relays an answer to its end; how it ended is on the call.</summary>
    internal static async Task RunAsync(
        Call call, Stream answer, CallCounter counter, Patience patience, GatewayLimits limits)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(
            counter.Streams ? GatewayLimits.ReadBytesOfStream : GatewayLimits.ReadBytes);
        using TranslatedAnswer? translated =
            counter.Streams && call.Spoken.IsForeign ? new TranslatedAnswer(call, counter) : null;
        IEventPass? filter = counter.Streams && call.TakesUsageOut && !counter.IsPacked ? new SseFilter() : translated;
        PipeWriter client = call.Http.Response.BodyWriter;
        try
        {
            while (true)
            {
                int read = await ReadAsync(call, answer, buffer, patience, limits);
                if (read <= 0)
                {
                    break;
                }

                await PassAsync(call, client, buffer.AsMemory(0, read), filter, counter);
                if (call.End == CallEnd.ClientLeft && counter.Streams)
                {
                    break;
                }
            }

            if (filter is not null)
            {
                await WriteAsync(call, client, filter.Rest());
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask PassAsync(
        Call call, PipeWriter client, ReadOnlyMemory<byte> bytes, IEventPass? filter, CallCounter counter)
    {
        if (filter is not null)
        {
            // Step 3: Count, in the same pass that changes events.
            await WriteAsync(call, client, filter.Pass(bytes.Span, counter.Events, counter));
            return;
        }

        await WriteAsync(call, client, bytes);
        // Step 3: Count.
        counter.Add(bytes.Span);
    }

    /// <summary>Reads a piece; 0 or less when there is no more, and why is on the call.</summary>
    internal static async ValueTask<int> ReadAsync(
        Call call, Stream answer, Memory<byte> buffer, Patience patience, GatewayLimits limits)
    {
        try
        {
            patience.Begin(limits.PauseTime);
            int read = await answer.ReadAsync(buffer, patience.Token);
            if (read == 0)
            {
                call.AnswerIsWhole = true;
                call.End = call.End == CallEnd.NoAnswer ? CallEnd.Whole : call.End;
            }

            return read;
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            call.End = patience.ClientLeft ? CallEnd.ClientLeft : CallEnd.OutOfTime;
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or InvalidDataException
            or OperationCanceledException)
        {
            call.End = call.End == CallEnd.ClientLeft ? call.End : CallEnd.UpstreamBroke;
        }

        return -1;
    }

    /// <summary>Writes a piece and flushes it, as a pipe does with each write. A client that is gone is noted, and is
    /// no fault.</summary>
    internal static async ValueTask WriteAsync(Call call, PipeWriter client, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty || call.End == CallEnd.ClientLeft)
        {
            return;
        }

        try
        {
            FlushResult written = await client.WriteAsync(bytes, call.Http.RequestAborted);
            if (written.IsCompleted || written.IsCanceled)
            {
                call.End = CallEnd.ClientLeft;
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or InvalidOperationException)
        {
            call.End = CallEnd.ClientLeft;
        }
    }
}
