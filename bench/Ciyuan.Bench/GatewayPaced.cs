using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Ciyuan.Bench;

/// <summary>
/// An open-loop client: calls leave by the clock, whether or not earlier ones are answered, and are timed from when
/// they were due, so a pause counts for all that it held up. Each thread has one connection and a place in the round.
/// </summary>
internal static partial class GatewayPaced
{
    private const int Threads = 50;

    internal static int Run(string direct, string through, int rate, int seconds, string secret, string body)
    {
        // In turn, twice, so that a noise of the machine falls on all.
        var one = new List<double>();
        var two = new List<double>();
        var commits = new List<double>();
        for (int round = 0; round < 2; round++)
        {
            one.AddRange(Measure(new Uri(direct), rate, Math.Max(2, seconds / 2), secret, body));
            two.AddRange(Measure(new Uri(through), rate, Math.Max(2, seconds / 2), secret, body));
            commits.AddRange(Commit(rate));
        }

        one.Sort();
        two.Sort();
        commits.Sort();
        Print("direct", one);
        Print("gateway", two);
        Print("commits", commits);
        double median = At(two, 0.5) - At(one, 0.5);
        double p99 = At(two, 0.99) - At(one, 0.99);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"added at {rate} requests/s              median {median:0.000} ms (aim 0.5 {Met(median < 0.5)}), "
            + $"p99 {p99:0.000} ms (aim 2 {Met(p99 < 2)})"));
        return 0;

        static string Met(bool met) => met ? "met" : "NOT MET";
    }

    // What a call waits for at the least: a row of 1 KB made durable in SQLite by itself, at the same pace.
    private static List<double> Commit(int rate)
    {
        string folder = Directory.CreateTempSubdirectory("ciyuan-bench-").FullName;
        var times = new List<double>(rate);
        using (var db = new SqliteConnection($"Data Source={Path.Combine(folder, "commits.db")};Pooling=false"))
        {
            db.Open();
            using SqliteCommand setup = db.CreateCommand();
            setup.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE row(body BLOB)";
            _ = setup.ExecuteNonQuery();
            using SqliteCommand insert = db.CreateCommand();
            insert.CommandText = "INSERT INTO row VALUES(randomblob(1000))";
            insert.Prepare();
            long due = Stopwatch.GetTimestamp();
            for (int i = 0; i < rate; i++, due += Stopwatch.Frequency / rate)
            {
                SleepUntil(due);
                long start = Stopwatch.GetTimestamp();
                _ = insert.ExecuteNonQuery();
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        Directory.Delete(folder, recursive: true);
        return times[10..];
    }

    private static void Print(string name, List<double> ms) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-8} {ms.Count,8} times, ms: median {At(ms, 0.5):0.000}  p90 {At(ms, 0.9):0.000}  "
        + $"p99 {At(ms, 0.99):0.000}  p99.9 {At(ms, 0.999):0.000}  largest {ms[^1]:0.000}"));

    private static double At(List<double> sorted, double share) => sorted[(int)((sorted.Count - 1) * share)];

    private static List<double> Measure(Uri url, int rate, int seconds, string secret, string body)
    {
        byte[] request = Encoding.UTF8.GetBytes(
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {secret}\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
        var all = new List<double>();
        long start = Stopwatch.GetTimestamp() + Stopwatch.Frequency / 2;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(i => new Thread(() =>
        {
            List<double> mine = Send(url, request, start + (i * Stopwatch.Frequency / rate),
                Threads * Stopwatch.Frequency / rate, rate * seconds / Threads);
            lock (all)
            {
                all.AddRange(mine);
            }
        }, 256 * 1024))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        return all;
    }

    private static List<double> Send(Uri url, byte[] request, long due, long every, int calls)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, url.Port);
        var times = new List<double>(calls);
        byte[] buffer = new byte[64 * 1024];
        for (int i = 0; i < calls; i++, due += every)
        {
            SleepUntil(due);
            socket.Send(request);
            ReadAnswer(socket, buffer);
            times.Add((Stopwatch.GetTimestamp() - due) * 1000.0 / Stopwatch.Frequency);
        }

        // The first ones connect and warm the other side's caches.
        return times[Math.Min(5, times.Count - 1)..];
    }

    private static void ReadAnswer(Socket socket, byte[] buffer)
    {
        int length = 0;
        while (true)
        {
            int read = socket.Receive(buffer.AsSpan(length));
            length += read > 0 ? read : throw new IOException("the other side has closed");
            int head = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (head >= 0)
            {
                string headers = Encoding.ASCII.GetString(buffer, 0, head);
                if (!headers.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                {
                    throw new IOException(headers);
                }

                int at = headers.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase) + 16;
                int end = headers.IndexOf('\r', at);
                int body = int.Parse(
                    headers.AsSpan(at, (end < 0 ? headers.Length : end) - at), CultureInfo.InvariantCulture);
                if (length >= head + 4 + body)
                {
                    return;
                }
            }
        }
    }

    // The runtime's sleep counts in milliseconds; the system's is exact to some 60 µs, for both sides alike.
    private static void SleepUntil(long due)
    {
        long left = due - Stopwatch.GetTimestamp();
        if (left > 0)
        {
            var time = new TimeSpec
            {
                Seconds = left / Stopwatch.Frequency,
                Nanoseconds = left % Stopwatch.Frequency * (1_000_000_000 / Stopwatch.Frequency),
            };
            _ = NanoSleep(in time, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, nint rest);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
