using System.Diagnostics;
using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Gateway;
using Xunit.Abstractions;

namespace Ciyuan.ConsoleTests;

/// <summary>How fast pages are over many records, and what people who look on cost the gateway. Runs with
/// <c>CIYUAN_CONSOLE_SPEED</c> set to a number of records (10000000); else it is a small one that checks the measuring
/// alone.</summary>
public sealed class SpeedTests(ITestOutputHelper output)
{
    private const int Callers = 8;
    private const int Lookers = 20;

    // With a zone of their own, the sums that are kept are of no use: a first look with compiled code.
    private static readonly string[] Paths =
    [
        "/console", "/console?zone=Asia/Tokyo", "/console/usage", "/console/usage?zone=Asia/Tokyo",
        "/console/usage?period=30d&group=model", "/console/usage?period=30d&view=heat",
        "/console/usage?period=30d&group=party&group=model&compare=1", "/console/usage?period=all&group=class",
        "/console/usage/records?period=30d&f=outcome:cut",
    ];

    private static readonly bool IsAsked = int.TryParse(
        Environment.GetEnvironmentVariable("CIYUAN_CONSOLE_SPEED"), NumberStyles.None, CultureInfo.InvariantCulture,
        out int _);

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Page_OverManyRecords_IsMeasured()
    {
        int records = IsAsked
            ? int.Parse(Environment.GetEnvironmentVariable("CIYUAN_CONSOLE_SPEED")!, CultureInfo.InvariantCulture)
            : 5_000;
        await using ConsoleSite site = await ConsoleSite.StartAsync(records);
        long begun = Stopwatch.GetTimestamp();
        await site.RestartAsync();
        TimeSpan opened = Stopwatch.GetElapsedTime(begun);
        await site.Desk.Warmed;
        output.WriteLine($"opened in {opened.TotalMilliseconds:F0} ms, warm after "
            + $"{Stopwatch.GetElapsedTime(begun).TotalMilliseconds:F0} ms");
        using HttpClient client = site.SignedIn("olga");
        foreach (string path in Paths)
        {
            string first = await MeasureAsync(client, path);
            await Network.FillAsync(site.Host.Shard, site.Now, records + 100, from: records);
            records += 100;
            string second = await MeasureAsync(client, path);
            string third = await MeasureAsync(client, path);
            output.WriteLine($"{path}: {first} ms, then {second}, {third}");
        }
    }

    // The same load with and without people who look on, in turns, so that what warms up meanwhile favours neither.
    [Fact]
    [Trait("Takes", "Long")]
    public async Task LivePages_BesideTheGateway_AreMeasured()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(IsAsked ? 1_000_000 : 1_000);
        double seconds = IsAsked ? 5 : 0.2;
        string key = await MakeKeyAsync(site);
        (string, Func<string, Task<long>>)[] loads =
        [
            ("records straight to the writer", run => LoadAsync(site, seconds, run)),
            ("calls through the gateway", _ => CallAsync(site, seconds, key)),
        ];
        foreach ((string what, Func<string, Task<long>> load) in loads)
        {
            await load("warm");
            var alone = new List<long>();
            var watched = new List<long>();
            for (int round = 0; round < (IsAsked ? 3 : 1); round++)
            {
                alone.Add(await load($"alone{round}"));
                watched.Add(await WatchedAsync(site, () => load($"watched{round}")));
            }

            output.WriteLine($"{what}, {Callers} callers, {seconds} s: {string.Join(", ", alone)} alone; "
                + $"{string.Join(", ", watched)} with {Lookers} live pages");
            Assert.All(alone.Concat(watched), count => Assert.True(count > 0));
        }
    }

    private static async Task<long> WatchedAsync(ConsoleSite site, Func<Task<long>> load)
    {
        using var stop = new CancellationTokenSource();
        Task[] lookers = [.. Enumerable.Range(0, Lookers).Select(_ => LookAsync(site, stop.Token))];
        long count = await load();
        await stop.CancelAsync();
        await Task.WhenAll(lookers);
        return count;
    }

    private static async Task<long> LoadAsync(ConsoleSite site, double seconds, string run)
    {
        long begun = Stopwatch.GetTimestamp();
        long[] done = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
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

    private static async Task<string> MakeKeyAsync(ConsoleSite site)
    {
        string secret = Secrets.Make(new byte[32]);
        SetupResult result = await site.Host.Shard.SetUpAsync(new Setup
        {
            By = "test",
            Keys = [new KeySetup("bravo", "desk", "bravo-2")],
            Access = [new AccessSetup("bravo-2", Secrets.Hash(secret), secret[..Secrets.ShownLength])],
        });
        Assert.True(result.Status == SetupStatus.Done, string.Join('\n', result.Faults));
        return secret;
    }

    private static async Task<long> CallAsync(ConsoleSite site, double seconds, string key)
    {
        long begun = Stopwatch.GetTimestamp();
        long[] done = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
        {
            using HttpClient caller = site.NewClient(out System.Net.CookieContainer _);
            caller.DefaultRequestHeaders.Authorization = new("Bearer", key);
            long count = 0;
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
            {
                using var call = new StringContent(
                    """{"model":"sandbox-chat","max_tokens":16,"messages":[{"role":"user","content":"你好"}]}""",
                    null, "application/json");
                using HttpResponseMessage answer = await caller.PostAsync("/v1/chat/completions", call);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
                count++;
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
