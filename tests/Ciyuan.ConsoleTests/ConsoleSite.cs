using System.Net;
using System.Text.RegularExpressions;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server;
using Ciyuan.Server.Console;
using Ciyuan.Server.Ingest;
using Ciyuan.Storage;
using Microsoft.Extensions.Logging;

namespace Ciyuan.ConsoleTests;

/// <summary>A real server with a network in it: a platform, three consumers, two providers, a compute operator; books
/// of which one has two versions; keys, budgets, a pack that expires; and a user of each role.</summary>
public sealed partial class ConsoleSite : IAsyncDisposable
{
    internal const string Password = "correct horse battery";

    /// <summary>A user of each kind: two counterparties see the same network from both ends.</summary>
    internal static readonly (string User, UserRole Role, string Party)[] Users =
    [
        ("olga", UserRole.Operator, ""), ("finn", UserRole.Finance, ""), ("ada", UserRole.Auditor, ""),
        ("acme-user", UserRole.Counterparty, "acme"), ("zhipu-user", UserRole.Counterparty, "zhipu"),
    ];

    private readonly DirectoryInfo _folder;

    private readonly ServerOptions _options;

    private ConsoleSite(ServerHost host, DirectoryInfo folder, ServerOptions options) =>
        (Host, _folder, _options) = (host, folder, options);

    internal ServerHost Host { get; private set; }

    internal Desk Desk => Host.Desk;

    internal Uri Url => Host.Url;

    internal string Folder => _folder.FullName;

    internal static async Task<ConsoleSite> StartEmptyAsync(
        TimeProvider? time = null, string? token = null, OpenIdOptions? openId = null)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ciyuan-console-");
        time ??= new RunningTime(ManualTime.Start);
        ServerOptions options = new(new ShardOptions(folder.FullName) { Time = time })
        {
            Listen = "http://127.0.0.1:0",
            Token = token,
            OpenId = openId,
            Logging = logging => logging.SetMinimumLevel(LogLevel.None),
        };
        return new ConsoleSite(await ServerHost.StartAsync(options), folder, options);
    }

    /// <summary>Stops the server and starts it again over the same data.</summary>
    internal async Task RestartAsync()
    {
        await Host.DisposeAsync();
        Host = await ServerHost.StartAsync(_options);
    }

    /// <summary>With the network, and so many records of the last 40 days.</summary>
    internal static async Task<ConsoleSite> StartAsync(int records, TimeProvider? time = null)
    {
        ConsoleSite site = await StartEmptyAsync(time);
        SetupResult result = await site.Host.Shard.SetUpAsync(SetupYaml.Parse(Network.Setup(site.Now), "test"));
        Assert.True(result.Status == SetupStatus.Done, string.Join('\n', result.Faults));
        result = await site.Host.Shard.SetUpAsync(new Setup
        {
            By = "test",
            Users = [.. Users.Select(u => new UserSetup(u.User, u.Role, Party: u.Party))],
        });
        Assert.True(result.Status == SetupStatus.Done, string.Join('\n', result.Faults));
        await Network.DepositAsync(site.Host.Shard, site.Now);
        await Network.FillAsync(site.Host.Shard, site.Now, records);
        return site;
    }

    internal DateTimeOffset Now => Desk.Time.GetUtcNow();

    /// <summary>A browser without a window.</summary>
    internal HttpClient NewClient(out CookieContainer cookies)
    {
        cookies = new CookieContainer();
        return new HttpClient(new HttpClientHandler { CookieContainer = cookies, AllowAutoRedirect = false })
        {
            BaseAddress = Url,
        };
    }

    /// <summary>A client that is signed in; the session begins without a password, so that tests are not held up by
    /// hashing.</summary>
    internal HttpClient SignedIn(string user)
    {
        HttpClient client = NewClient(out CookieContainer cookies);
        string secret = Desk.Users.Begin(Desk.Catalog.Users.Find(user)!);
        cookies.Add(Url, new Cookie("ciyuan", secret));
        return client;
    }

    /// <summary>What a form of a page sends back.</summary>
    internal static async Task<string> FormTokenAsync(HttpClient client, string path)
    {
        string page = await client.GetStringAsync(path);
        Match token = FormField().Match(page);
        Assert.True(token.Success, $"{path} has no form");
        return token.Groups[1].Value;
    }

    internal static FormUrlEncodedContent Form(params (string Name, string Value)[] fields) =>
        new(fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value)));

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [GeneratedRegex("name=\"form\" value=\"([^\"]+)\"")]
    private static partial Regex FormField();
}

/// <summary>A clock that runs, and began at the same moment in every run: what a page shows must not depend on the
/// day on which the tests run.</summary>
internal sealed class RunningTime(DateTimeOffset start) : TimeProvider
{
    private readonly long _began = System.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => start + System.GetElapsedTime(_began);
}

/// <summary>A clock that tests move.</summary>
internal sealed class ManualTime : TimeProvider
{
    /// <summary>A Friday, past noon in Shanghai.</summary>
    internal static readonly DateTimeOffset Start = new(2026, 11, 20, 4, 30, 0, TimeSpan.Zero);

    private DateTimeOffset _now = Start;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    internal void Move(TimeSpan by) => _now += by;
}
