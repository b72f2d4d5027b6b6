using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Server;
using Ciyuan.Server.Watch;
using Ciyuan.Storage;
using Microsoft.Extensions.Logging;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>What can be seen of calls from outside, and what can't.</summary>
public sealed class WatchTests
{
    private const string Words = "words that nobody else should read";

    private const string Answer = "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"" + Words + "\"},"
        + "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}";

    private static readonly string Call =
        $"{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"{Words}\"}}]}}";

    [Fact]
    public async Task LiveCalls_Watched_TellEachCallWithoutContentOrSecret()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url), access: ", prefix: cy-012345");
        using var lines = await WatchAsync(server, "");
        using var others = await WatchAsync(server, "?model=another*");
        (_, _, HttpResponseMessage answer) = await server.PostAsync("/v1/chat/completions", Call);
        _ = await server.PostAsync("/v1/chat/completions", Call.Replace("\"m\"", "\"another-model\""));

        JsonNode call = await NextAsync(lines);
        Assert.Equal(answer.Headers.GetValues("x-ciyuan-record").Single(), (string?)call["record"]);
        Assert.Equal(("cy-012345", "m", "ok", "reported"), ((string?)call["key_prefix"], (string?)call["model"],
            (string?)call["outcome"], (string?)call["grade"]));
        Assert.Equal((3, 1, "0.000013"),
            ((int?)call["input_tokens"], (int?)call["output_tokens"], (string?)call["cost"]));
        JsonNode refused = await NextAsync(lines);
        Assert.Equal(("refused", 404), ((string?)refused["outcome"], (int?)refused["status"]));
        Assert.Equal("another-model", (string?)(await NextAsync(others))["model"]);
        string all = call.ToJsonString() + refused.ToJsonString();
        Assert.DoesNotContain(Words, all);
        Assert.DoesNotContain(Secret, all);
    }

    [Fact]
    public async Task LiveCalls_UnknownFilter_IsRefused()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        using HttpResponseMessage answer = await server.Client.GetAsync("/v1/calls/live?colour=red");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    // A collector of OTLP over HTTP, as far as names in the bodies tell.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Takes", "Long")]
    public async Task Telemetry_CollectorNamed_GetsTracesAndMetricsUnderTheUsualNames(bool byVariable)
    {
        var traces = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var metrics = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var collector = new ScriptedUpstream(async (call, output, cancel) =>
        {
            (call.Path == "/v1/traces" ? traces : metrics).TrySetResult(call.Body);
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.WholeAnswer("", 200, ""), cancel);
        });
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        await using (GatewayServer server = await StartAsync(
            Upstream(upstream.Url), options: o => o with
            {
                Otlp = byVariable ? null : new Uri(collector.Url),
                Environment = name => byVariable && name == OtlpExport.Variable ? collector.Url : null,
                Logging = l => l.SetMinimumLevel(LogLevel.Information), // as served: the host then has a trace too
            }))
        {
            (int status, _, _) = await server.PostAsync("/v1/chat/completions", Call);
            Assert.Equal(200, status);
        }

        string trace = await traces.Task.WaitAsync(TimeSpan.FromSeconds(30));
        string[] names =
        [
            "chat m", "gen_ai.operation.name", "gen_ai.provider.name", "vendor", "gen_ai.request.model",
            "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "ciyuan.record",
        ];
        Assert.All(names, name => Assert.Contains(name, trace));
        Assert.DoesNotContain(Words, trace);
        Assert.DoesNotContain(Secret, trace);
        string metric = await metrics.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.All(
            ["gen_ai.client.token.usage", "gen_ai.client.operation.duration", "gen_ai.server.time_to_first_token",
                "gen_ai.token.type", "{token}"],
            name => Assert.Contains(name, metric));
    }

    [Fact]
    public async Task Logs_AtTheFinestLevel_HaveNeitherSecretsNorContent()
    {
        var lines = new LineLog();
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(
            Upstream(upstream.Url, more: ", key_variable: VENDOR_KEY"),
            options: o => o with { Logging = l => l.SetMinimumLevel(LogLevel.Debug).AddProvider(lines) });

        _ = await server.PostAsync("/v1/chat/completions", Call);
        _ = await server.PostAsync("/v1/chat/completions?key=" + Secret, "{\"model\":" + Words);

        string all = string.Join('\n', lines.Lines.Where(l => !l.StartsWith("Microsoft.", StringComparison.Ordinal)));
        Assert.Contains("Ciyuan", all);
        Assert.DoesNotContain(Words, all);
        Assert.DoesNotContain(Secret, all);
        Assert.DoesNotContain("vendor-secret", all);
    }

    [Fact]
    public async Task Content_OfANamedScenario_IsKeptAndOfNoOther()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        GatewayServer server = await StartAsync(
            Upstream(upstream.Url), options: o => o with { Content = new ContentOptions(["debug"], 3) });
        foreach (string scenario in (string[])["debug", "other"])
        {
            using HttpRequestMessage request = Request("/v1/chat/completions", Call);
            request.Headers.Add("x-ciyuan-scenario", scenario);
            using HttpResponseMessage _ = await server.Client.SendAsync(request);
        }

        DirectoryInfo folder = await server.StopAsync();
        string file = Assert.Single(Directory.GetFiles(Path.Combine(folder.FullName, "content")));
        string text = Assert.Single(await File.ReadAllLinesAsync(file));
        Assert.DoesNotContain("\\u0022", text); // people read it
        JsonNode line = JsonNode.Parse(text)!;
        Assert.Equal(("debug", Call, Answer),
            ((string?)line["scenario"], (string?)line["call"], (string?)line["answer"]));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Content_Old_IsDeletedByWholeDays()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        GatewayServer server = await StartAsync(
            Upstream(upstream.Url), options: o => o with { Content = new ContentOptions(["debug"], 1) });
        DirectoryInfo content = Directory.CreateDirectory(Path.Combine(server.Folder, "content"));
        await File.WriteAllTextAsync(Path.Combine(content.FullName, "2020-01-01.jsonl"), "{}");
        using HttpRequestMessage request = Request("/v1/chat/completions", Call);
        request.Headers.Add("x-ciyuan-scenario", "debug");
        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        DirectoryInfo folder = await server.StopAsync();
        Assert.False(File.Exists(Path.Combine(content.FullName, "2020-01-01.jsonl")));
        Assert.Single(content.GetFiles());
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Health_UpstreamPassedOver_IsDegraded()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole("{}", 503);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));
        Assert.Equal("ok", (string?)JsonNode.Parse(await server.Client.GetStringAsync("/healthz"))!["status"]);
        for (int i = 0; i < 5; i++)
        {
            _ = await server.ChatAsync();
        }

        JsonNode health = JsonNode.Parse(await server.Client.GetStringAsync("/healthz"))!;

        Assert.Equal("degraded", (string?)health["status"]);
        Assert.Contains("passed over", (string?)health["degraded"]![0]);
    }

    private static async Task<StreamReader> WatchAsync(GatewayServer server, string query)
    {
        HttpResponseMessage answer = await server.Client.GetAsync(
            "/v1/calls/live" + query, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal(": watching", await lines.ReadLineAsync());
        return lines;
    }

    private static async Task<JsonNode> NextAsync(StreamReader lines)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            string line = (await lines.ReadLineAsync(patience.Token))!;
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return JsonNode.Parse(line[6..])!;
            }
        }
    }

    private sealed class LineLog : ILoggerProvider
    {
        internal System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Lines);

        public void Dispose()
        {
        }

        private sealed class Logger(string category, System.Collections.Concurrent.ConcurrentQueue<string> lines)
            : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception,
                Func<TState, Exception?, string> formatter) =>
                lines.Enqueue($"{category} {formatter(state, exception)} {exception}");
        }
    }
}
