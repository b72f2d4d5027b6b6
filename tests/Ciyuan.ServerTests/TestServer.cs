using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Server;
using Ciyuan.Storage;
using Microsoft.Extensions.Logging;

namespace Ciyuan.ServerTests;

/// <summary>A server on a free port over a data folder of its own, and a client of it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    internal const string Json = "application/json";
    internal const string Lines = "application/x-ndjson";
    internal const string CloudEvent = "application/cloudevents+json";
    internal const string CloudEventBatch = "application/cloudevents-batch+json";

    private readonly DirectoryInfo _folder;

    private TestServer(ServerHost host, DirectoryInfo folder, string? token)
    {
        (Host, _folder) = (host, folder);
        Client = new HttpClient { BaseAddress = host.Url };
        if (token is not null)
        {
            Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    internal ServerHost Host { get; }

    internal HttpClient Client { get; }

    internal static async Task<TestServer> StartAsync(
        string? token = null, ServerLimits? limits = null, long journalPages = 0)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ciyuan-server-");
        var shard = new ShardOptions(folder.FullName) { JournalPages = journalPages };
        ServerHost host = await ServerHost.StartAsync(new ServerOptions(shard)
        {
            Listen = "http://127.0.0.1:0",
            Token = token,
            Limits = limits ?? new ServerLimits(),
            Logging = logging => logging.SetMinimumLevel(LogLevel.None),
        });
        return new TestServer(host, folder, token);
    }

    /// <summary>A server with a platform, two consumers with prepaid accounts, a provider, a price book and
    /// agreements.</summary>
    internal static async Task<TestServer> StartWithSetupAsync()
    {
        TestServer server = await StartAsync();
        (int status, JsonNode answer) = await server.PostAsync("/v1/setup", "application/yaml", SetupYaml);
        Assert.True(status == 200, answer.ToJsonString());
        return server;
    }

    internal const string SetupYaml = """
        parties:
          - { id: ciyuan, name: Platform, roles: [platform] }
          - { id: acme, name: Acme, roles: [consumer] }
          - { id: bravo, name: Bravo, roles: [consumer] }
          - { id: zhipu, name: Provider, roles: [provider] }
        books:
          - id: list
            version: 1
            currency: CNY
            prices:
              - model: glm-4.6
                per_million_tokens: { input.text: "2", input.text.cache_read: "0.4", output.text: "8" }
          - id: wholesale
            version: 1
            currency: CNY
            prices:
              - model: glm-4.6
                per_million_tokens: { input: "1", output: "4" }
        agreements:
          - { id: acme-2026, payer: acme, payee: ciyuan, book: list }
          - { id: bravo-2026, payer: bravo, payee: ciyuan, book: list }
          - { id: zhipu-2026, payer: ciyuan, payee: zhipu, book: wholesale, where: { provider: zhipu } }
        funding:
          - { party: acme, id: main, kind: prepaid, currency: CNY }
          - { party: bravo, id: main, kind: prepaid, currency: CNY }
        """;

    /// <summary>A usage record as it is sent.</summary>
    internal static string Event(
        string id, long input = 1_000, long output = 100, string party = "acme", string model = "glm-4.6",
        string time = "2026-11-02T08:00:00+08:00") => string.Create(CultureInfo.InvariantCulture, $$$"""
        {"source":"test","id":"{{{id}}}","time":"{{{time}}}","party":"{{{party}}}","model":"{{{model}}}",
         "provider":"zhipu","counts":{"input.text":{{{input}}},"output.text":{{{output}}}}}
        """).ReplaceLineEndings("");

    internal static string Batch(IEnumerable<string> events) => $"[{string.Join(",\n", events)}]";

    internal Task<(int Status, JsonNode Answer)> PostAsync(string path, string mediaType, string body) =>
        SendAsync(path, mediaType, Encoding.UTF8.GetBytes(body), gzip: false);

    internal async Task<(int Status, JsonNode Answer)> SendAsync(string path, string mediaType, byte[] body, bool gzip)
    {
        using var content = new ByteArrayContent(gzip ? Pack(body) : body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
        if (gzip)
        {
            content.Headers.ContentEncoding.Add("gzip");
        }

        using HttpResponseMessage response = await Client.PostAsync(path, content);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    internal async Task<(int Status, JsonNode Answer)> GetAsync(string path)
    {
        using HttpResponseMessage response = await Client.GetAsync(path);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    /// <summary>Writes a frame behind the server's back, so that it can't write its own.</summary>
    internal void TakeNextFrame()
    {
        using SqliteJournal journal = SqliteJournal.OpenWriter(_folder.FullName);
        StoredFrame last = journal.Read(journal.LastSeq())!.Value;
        journal.Append(0, last.Seq + 1, last.Time.PlusNanoseconds(1), last.Hash, new byte[32], [1]);
    }

    internal static byte[] Pack(byte[] body)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(body);
        }

        return packed.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Host.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
