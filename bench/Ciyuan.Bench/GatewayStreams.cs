using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ciyuan.Bench;

/// <summary>
/// Many open streams at once: an upstream that sends each of them 20 events a second, and a client that notes the
/// largest pause between two events of any. Both use sockets alone, since they share the cores with what is measured.
/// </summary>
internal static class GatewayStreams
{
    private const int EventsPerSecond = 20;

    private static readonly byte[] Head = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");

    private static readonly byte[] Event = MakeChunk(
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":"
        + "\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,"
        + "\"finish_reason\":null}],\"usage\":null}\n\n");

    /// <summary>The upstream: to each call a stream that ends when its connection does.</summary>
    internal static int Serve(int port)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(4_096);
        List<Socket>[] slots = [.. Enumerable.Range(0, 1_000 / EventsPerSecond).Select(_ => new List<Socket>())];
        new Thread(() => Send(slots)) { IsBackground = true }.Start();
        int next = 0;
        while (true)
        {
            Socket client = listener.Accept();
            client.NoDelay = true;
            _ = Task.Run(() => TakeAsync(client, slots[Interlocked.Increment(ref next) % slots.Length]));
        }
    }

    // The body of the call is read so far as it is in the first pieces; it is small.
    private static async Task TakeAsync(Socket client, List<Socket> slot)
    {
        byte[] buffer = new byte[16 * 1024];
        int read = await client.ReceiveAsync(buffer);
        if (read == 0 || !Encoding.ASCII.GetString(buffer, 0, read).StartsWith("POST", StringComparison.Ordinal))
        {
            client.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8);
            client.Dispose();
            return;
        }

        client.Send(Head);
        client.Blocking = false;
        lock (slot)
        {
            slot.Add(client);
        }
    }

    // A slot each millisecond, so that the load is even.
    private static void Send(List<Socket>[] slots)
    {
        long start = Stopwatch.GetTimestamp();
        for (long tick = 0; ; tick++)
        {
            while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < tick)
            {
                Thread.Sleep(1);
            }

            List<Socket> slot = slots[tick % slots.Length];
            lock (slot)
            {
                slot.RemoveAll(client =>
                {
                    _ = client.Send(Event, SocketFlags.None, out SocketError error);
                    bool gone = error is not (SocketError.Success or SocketError.WouldBlock);
                    if (gone)
                    {
                        client.Dispose();
                    }

                    return gone;
                });
            }
        }
    }

    /// <summary>The client.</summary>
    internal static async Task<int> RunAsync(Uri url, int streams, int seconds, string secret, int server)
    {
        const string Body = "{\"model\":\"gpt-4o-mini\",\"stream\":true,\"messages\":[{\"role\":\"user\","
            + "\"content\":\"Count.\"}],\"max_tokens\":1000}";
        byte[] request = Encoding.ASCII.GetBytes(
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {secret}\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}");
        using var stop = new CancellationTokenSource();
        var readings = new Reading[streams];
        Task[] running = [.. readings.Select((_, i) => ReadAsync(url.Port, request, readings[i] = new(), stop.Token))];
        await Task.Delay(TimeSpan.FromSeconds(5)); // all are open, and compiled
        long before = readings.Sum(r => r.Events);
        Array.ForEach(readings, r => r.LargestGap = 0);
        long largest = 0;
        long start = Stopwatch.GetTimestamp();
        TimeSpan processor = Processor(server);
        for (int i = 0; i < seconds * 2; i++)
        {
            await Task.Delay(500);
            largest = Math.Max(largest, Memory(server));
        }

        double took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long events = readings.Sum(r => r.Events) - before;
        double cores = (Processor(server) - processor).TotalSeconds / took;
        double[] gaps = [.. readings.Select(r => r.LargestGap * 1000.0 / Stopwatch.Frequency).Order()];
        await stop.CancelAsync();
        await Task.WhenAll(running);
        string met = largest < 300_000_000 ? "met" : "NOT MET";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{streams} streams, {readings.Count(r => r.Events > 0)} open, {events / took:0} events/s of "
            + $"{streams * EventsPerSecond}\n"
            + $"memory of the gateway, largest    {largest / 1024.0 / 1024:0.0} MiB (aim 300 MB {met}), "
            + $"{cores:0.00} cores\n"
            + $"largest gap between two events    {gaps[^1]:0} ms (median of streams {gaps[gaps.Length / 2]:0} ms, "
            + $"sent every 50 ms)"));
        return 0;
    }

    private sealed class Reading
    {
        internal long Events;
        internal long LargestGap;
    }

    private static async Task ReadAsync(int port, byte[] request, Reading reading, CancellationToken stop)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        byte[] buffer = new byte[4_096];
        long last = 0;
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, stop);
            _ = await socket.SendAsync(request, stop);
            while (await socket.ReceiveAsync(buffer, stop) is > 0 and int read)
            {
                int events = buffer.AsSpan(0, read).Count("\n\n"u8);
                if (events > 0)
                {
                    long now = Stopwatch.GetTimestamp();
                    reading.LargestGap = last == 0 ? 0 : Math.Max(reading.LargestGap, now - last);
                    last = now;
                    reading.Events += events;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
        catch (SocketException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static long Memory(int process)
    {
        string line = File.ReadLines($"/proc/{process}/status")
            .First(l => l.StartsWith("VmRSS", StringComparison.Ordinal));
        return 1024 * long.Parse(line.AsSpan(6, line.Length - 8), NumberStyles.AllowLeadingWhite
            | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }

    private static TimeSpan Processor(int process) => Process.GetProcessById(process).TotalProcessorTime;

    private static byte[] MakeChunk(string text) => Encoding.ASCII.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{text.Length:x}\r\n{text}\r\n"));
}
