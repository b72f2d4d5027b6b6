using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Ciyuan.Server;
using Ciyuan.Storage;

namespace Ciyuan.Bench;

/// <summary>HTTP ingest of CloudEvents batches, client and server in one process on the same cores.</summary>
internal static class HttpBench
{
    private const int EventsEach = 1_000;
    private const int Connections = 4;
    private const int Rounds = 3;

    public static async Task RunAsync(Room room, Figures figures, long records)
    {
        var rates = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            byte[][] bodies = [.. Workload.Lines(records, 100 + round, room.Trace).Chunk(EventsEach).Select(ToBatch)];
            (await ImportBench.OpenAsync(room[$"http-{round}"]).ConfigureAwait(false)).DisposeAsync().AsTask().Wait();
            await using ServerHost host = await ServerHost.StartAsync(
                new ServerOptions(new ShardOptions(room[$"http-{round}"])) { Listen = "http://127.0.0.1:0" });
            rates.Add(records / await SendAsync(host.Url, bodies));
        }

        figures.Add(
            $"HTTP, CloudEvents in batches of {EventsEach:N0}, {Connections} connections",
            ImportBench.Median(rates), "events/s", 80_000,
            bound: "client, parsing, engine and statistics share the cores");
    }

    private static async Task<double> SendAsync(Uri server, byte[][] bodies)
    {
        using var client = new HttpClient { BaseAddress = server };
        int next = -1;
        long posted = 0;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            for (int i = Interlocked.Increment(ref next); i < bodies.Length; i = Interlocked.Increment(ref next))
            {
                using var content = new ByteArrayContent(bodies[i]);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/cloudevents-batch+json");
                using HttpResponseMessage response =
                    await client.PostAsync(new Uri("/v1/events", UriKind.Relative), content);
                string answer = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
                int at = answer.LastIndexOf("\"posted\":", StringComparison.Ordinal) + 9;
                Interlocked.Add(ref posted, int.Parse(
                    answer.AsSpan(at, answer.AsSpan(at).IndexOfAny(',', '}')), CultureInfo.InvariantCulture));
            }
        })));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return posted == bodies.Length * (long)EventsEach
            ? seconds
            : throw new InvalidOperationException($"{posted} posted");
    }

    /// <summary>Usage lines as CloudEvents: the envelope's fields outside, the rest in data.</summary>
    private static byte[] ToBatch(string[] lines)
    {
        var batch = new StringBuilder("[");
        foreach (string line in lines)
        {
            using var record = System.Text.Json.JsonDocument.Parse(line);
            string id = record.RootElement.GetProperty("id").GetString()!;
            string time = record.RootElement.GetProperty("time").GetString()!;
            int data = line.IndexOf("\"party\"", StringComparison.Ordinal);
            batch.Append(batch.Length > 1 ? "," : "").Append(CultureInfo.InvariantCulture,
                $"{{\"specversion\":\"1.0\",\"type\":\"usage\",\"source\":\"gateway-1\",\"id\":\"{id}\","
                + $"\"time\":\"{time}\",\"data\":{{{line[data..]}}}");
        }

        return Encoding.UTF8.GetBytes(batch.Append(']').ToString());
    }
}
