using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Ingest;
using Ciyuan.Storage;
using Ciyuan.Usage;
using Microsoft.Extensions.Logging;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>A server with a consumer, its key and some upstreams, and what it recorded.</summary>
internal sealed class GatewayServer : IAsyncDisposable
{
    internal const string Secret = "cy-0123456789abcdef0123456789abcdef";

    private readonly DirectoryInfo _folder;

    private GatewayServer(ServerHost host, DirectoryInfo folder)
    {
        (Host, _folder) = (host, folder);
        Client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 2_000 })
        {
            BaseAddress = host.Url,
            Timeout = TimeSpan.FromMinutes(2),
        };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Secret);
    }

    internal ServerHost Host { get; }

    /// <summary>The data folder.</summary>
    internal string Folder => _folder.FullName;

    internal HttpClient Client { get; }

    /// <summary>Parties, a price of 1 CNY for a million tokens in and 10 for a million out, and 1 000 CNY of
    /// credit.</summary>
    internal const string Network = """
        parties:
          - { id: net, name: Platform, roles: [platform] }
          - { id: acme, name: Acme, roles: [consumer] }
          - { id: vendor, name: Vendor, roles: [provider] }
        projects: [{ party: acme, id: chat }]
        keys: [{ party: acme, project: chat, id: k1 }]
        books:
          - id: list
            version: 1
            currency: CNY
            prices: [{ model: "m*", per_million_tokens: { input: "1", output: "10" } }]
        agreements:
          - { id: acme-net, payer: acme, payee: net, book: list }
          - { id: net-vendor, payer: net, payee: vendor, book: list }
        """;

    /// <summary>Starts a server.</summary>
    /// <param name="upstreams">YAML of the upstreams; one named m is the model that tests call.</param>
    /// <param name="access">Further fields of the key's access.</param>
    /// <param name="credit">What the consumer may owe.</param>
    /// <param name="limits">Limits of calls.</param>
    /// <param name="more">Further YAML of the setup.</param>
    /// <param name="options">Changes the server's options.</param>
    internal static async Task<GatewayServer> StartAsync(
        string upstreams, string access = "", string credit = "1000", GatewayLimits? limits = null, string more = "",
        Func<ServerOptions, ServerOptions>? options = null)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ciyuan-gateway-");
        GatewayServer server = await OpenAsync(folder, limits, options);
        await server.SetUpAsync($"""
            {Network}
            funding: [{"{"} party: acme, id: main, kind: credit, currency: CNY, limit: "{credit}" {"}"}]
            access: [{"{"} key: k1, hash: {Secrets.Hash(Secret)}{access} {"}"}]
            upstreams:
            {upstreams}
            {more}
            """);
        return server;
    }

    /// <summary>An upstream in YAML.</summary>
    internal static string Upstream(string url, string id = "u1", string protocol = "openai", string more = "") =>
        $"  - {{ id: {id}, provider: vendor, protocol: {protocol}, base_url: \"{url}\", allow_inside: true{more},"
        + " models: [{ model: m, max_output: 100 }] }";

    internal static async Task<GatewayServer> OpenAsync(
        DirectoryInfo folder, GatewayLimits? limits = null, Func<ServerOptions, ServerOptions>? change = null)
    {
        var options = new ServerOptions(new ShardOptions(folder.FullName))
        {
            Listen = "http://127.0.0.1:0",
            Calls = limits ?? new GatewayLimits(),
            Environment = name => name == "VENDOR_KEY" ? "vendor-secret" : null,
            Logging = logging => logging.SetMinimumLevel(LogLevel.None),
        };
        return new GatewayServer(await ServerHost.StartAsync(change?.Invoke(options) ?? options), folder);
    }

    internal async Task SetUpAsync(string yaml)
    {
        SetupResult result = await Host.Shard.SetUpAsync(SetupYaml.Parse(yaml, "test"));
        Assert.True(result.Status == SetupStatus.Done, string.Join('\n', result.Faults));
    }

    /// <summary>A chat call.</summary>
    internal static string Chat(bool stream = false, string more = "") =>
        $$"""{"model":"m","messages":[{"role":"user","content":"Say it."}]{{(stream ? ",\"stream\":true" : "")}}{{more}}}""";

    internal static HttpRequestMessage Request(string path, string body) => new(HttpMethod.Post, path)
    {
        Content = new StringContent(body, Encoding.UTF8, "application/json"),
    };

    internal async Task<(int Status, string Body, HttpResponseMessage Answer)> PostAsync(string path, string body)
    {
        using HttpRequestMessage request = Request(path, body);
        HttpResponseMessage answer = await Client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    internal Task<(int Status, string Body, HttpResponseMessage Answer)> ChatAsync(
        bool stream = false, string more = "") => PostAsync("/v1/chat/completions", Chat(stream, more));

    /// <summary>All records, once there are so many.</summary>
    internal async Task<List<(UsageRecord Record, UsageResult Result)>> RecordsAsync(int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            List<(UsageRecord, UsageResult)> records = Read();
            if (records.Count >= count)
            {
                return records;
            }

            // Whatever was sent to the shard before is durable when it answers.
            patience.Token.ThrowIfCancellationRequested();
            await Host.Shard.CatalogAsync(patience.Token);
        }
    }

    internal async Task<UsageRecord> RecordAsync() => Assert.Single(await RecordsAsync(1)).Record;

    /// <summary>Steps of a class in a record, and their grade.</summary>
    internal static (long Steps, EvidenceGrade Grade) Count(UsageRecord record, string name)
    {
        Assert.True(Meter.TryParse(name, out Meter meter));
        Count count = record.Counts.SingleOrDefault(c => c.Meter == meter);
        return (count.Steps, count.Grade);
    }

    /// <summary>Holds end with the records of their calls, which follow the answers shortly.</summary>
    internal async Task AssertNoHoldAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!patience.IsCancellationRequested
            && (await Host.Shard.OpenHoldsAsync("gateway", Timestamp.MinValue)).Count > 0)
        {
            await Task.Yield();
        }

        Assert.Empty(await Host.Shard.OpenHoldsAsync("gateway", Timestamp.MinValue));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Stops, and leaves the folder.</summary>
    internal async Task<DirectoryInfo> StopAsync()
    {
        Client.Dispose();
        await Host.DisposeAsync();
        return _folder;
    }

    private List<(UsageRecord, UsageResult)> Read()
    {
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(_folder.FullName);
        var records = new List<(UsageRecord, UsageResult)>();
        for (long seq = 1; seq <= journal.LastSeq(); seq++)
        {
            StoredFrame stored = journal.Read(seq)!.Value;
            Frame frame = FrameDecoder.Decode(0, seq, stored.Time, stored.Body);
            records.AddRange(frame.Records.Zip(frame.RecordResults));
        }

        return records;
    }
}
