using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Ciyuan.ConsoleTests;

/// <summary>How fast pages are over many records. Runs with <c>CIYUAN_CONSOLE_SPEED</c> set to a number of records
/// (10000000); else it is a small one that checks the measuring alone.</summary>
public sealed class SpeedTests(ITestOutputHelper output)
{
    private static readonly string[] Paths =
    [
        "/console", "/console/usage", "/console/usage?period=30d&group=model", "/console/usage?period=30d&view=heat",
        "/console/usage?period=30d&group=party&group=model&compare=1", "/console/usage?period=all&group=class",
        "/console/usage/records?period=30d&f=outcome:cut",
    ];

    [Fact]
    public async Task Page_OverManyRecords_IsMeasured()
    {
        bool asked = int.TryParse(
            Environment.GetEnvironmentVariable("CIYUAN_CONSOLE_SPEED"), NumberStyles.None,
            CultureInfo.InvariantCulture, out int records);
        records = asked ? records : 5_000;
        await using ConsoleSite site = await ConsoleSite.StartAsync(records);
        using HttpClient client = site.SignedIn("olga");
        _ = site.Host.Shard.Facts; // what was recorded is in the statistics
        await client.GetStringAsync("/console/account"); // compiled before the clock starts
        foreach (string path in Paths)
        {
            string first = await MeasureAsync(client, path);
            await Network.FillAsync(site.Host.Shard, site.Now, records + 100, from: records);
            records += 100;
            string second = await MeasureAsync(client, path);
            string third = await MeasureAsync(client, path);
            output.WriteLine($"{path}: {first} ms, then {second}, {third}");
        }

        await MeasureLiveAsync(site, asked ? 5 : 0.2);
    }

    // The same load with and without people who look on.
    private async Task MeasureLiveAsync(ConsoleSite site, double seconds)
    {
        const int Lookers = 20;
        long alone = await LoadAsync(site, seconds, "a");
        using var stop = new CancellationTokenSource();
        Task[] lookers = [.. Enumerable.Range(0, Lookers).Select(_ => LookAsync(site, stop.Token))];
        long watched = await LoadAsync(site, seconds, "b");
        await stop.CancelAsync();
        await Task.WhenAll(lookers);
        output.WriteLine($"records in {seconds} s from 8 callers: {alone} alone, {watched} with {Lookers} live pages");
        Assert.True(watched > 0);
    }

    private static async Task<long> LoadAsync(ConsoleSite site, double seconds, string run)
    {
        long begun = Stopwatch.GetTimestamp();
        long[] done = await Task.WhenAll(Enumerable.Range(0, 8).Select(async caller =>
        {
            long count = 0;
            var contexts = new Usage.UsageContexts();
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
            {
                await site.Host.Shard.RecordAsync([Network.One(contexts, site.Now, $"{run}-{caller}-{count++}")]);
            }

            return count;
        }));
        return done.Sum();
    }

    // As a browser does: told of news, it asks for the page's part.
    private static async Task LookAsync(ConsoleSite site, CancellationToken stop)
    {
        using HttpClient client = site.SignedIn("olga");
        try
        {
            using Stream feed = await client.GetStreamAsync("/console/live", stop);
            using var reader = new StreamReader(feed);
            while (await reader.ReadLineAsync(stop) is { } line)
            {
                if (line.StartsWith("data", StringComparison.Ordinal))
                {
                    await client.GetStringAsync("/console?part=1", stop);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The page was closed.
        }
    }

    private static async Task<string> MeasureAsync(HttpClient client, string path)
    {
        long begun = Stopwatch.GetTimestamp();
        using HttpResponseMessage answer = await client.GetAsync(path);
        Assert.True(answer.IsSuccessStatusCode, path);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
    }
}
