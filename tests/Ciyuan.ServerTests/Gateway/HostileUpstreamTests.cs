using System.IO.Compression;
using System.Net;
using System.Text;
using Ciyuan.Server.Gateway;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Upstreams that misbehave, are away, or must not be reached: memory and time stay bounded.</summary>
public sealed class HostileUpstreamTests
{
    private const string Answer = "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":"
        + "\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}";

    /// <summary>A call in each protocol: the upstream's protocol, the path, the body without its last brace, and what
    /// asks for a stream.</summary>
    public static TheoryData<string, string, string, string> EachProtocol => new()
    {
        { "openai", "/v1/chat/completions", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]",
            ",\"stream\":true" },
        { "openai", "/v1/responses", "{\"model\":\"m\",\"input\":\"Hi\"", ",\"stream\":true" },
        { "openai", "/v1/completions", "{\"model\":\"m\",\"prompt\":\"Hi\"", ",\"stream\":true" },
        { "anthropic", "/v1/messages",
            "{\"model\":\"m\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]",
            ",\"stream\":true" },
        { "gemini", "/v1beta/models/m:streamGenerateContent?alt=sse",
            "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]", "" },
    };

    // 100 MB in one line without an end, in a chunk of its own each 64 KiB.
    [Theory]
    [MemberData(nameof(EachProtocol))]
    [Trait("Takes", "Long")]
    public async Task Stream_OneLineOf100Megabytes_PassesInBoundedMemory(
        string protocol, string path, string call, string stream)
    {
        const int Pieces = 1_600;
        byte[] piece = ScriptedUpstream.Chunk(Encoding.ASCII.GetBytes(new string('x', 64 * 1024)));
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            await output.WriteAsync(ScriptedUpstream.Chunk("data: "u8), cancel);
            for (int i = 0; i < Pieces; i++)
            {
                await output.WriteAsync(piece, cancel);
            }

            await ScriptedUpstream.SendAsync(output, "0\r\n\r\n"u8.ToArray(), cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: protocol));
        using HttpRequestMessage request = Request(path, call + stream + "}");
        using HttpResponseMessage answer = await server.Client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var buffer = new byte[256 * 1024];
        long total = 0;
        long most = 0;
        for (int read; (read = await body.ReadAsync(buffer)) > 0; total += read)
        {
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false) - before);
        }

        Assert.Equal(6 + (Pieces * 64L * 1024), total);
        Assert.True(most < 64 << 20, $"{most >> 20} MB more were in use");
        Assert.Equal(Outcome.Cut, (await server.RecordAsync()).Outcome);
    }

    [Theory]
    [MemberData(nameof(EachProtocol))]
    [Trait("Takes", "Long")]
    public async Task WholeAnswer_ThatUnpacksWithoutEnd_PassesPackedAndIsEstimated(
        string protocol, string path, string call, string stream)
    {
        _ = stream;
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (int i = 0; i < 100; i++)
            {
                gzip.Write(new byte[1 << 20]);
            }
        }

        byte[] bomb = packed.ToArray();
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                + $"Content-Length: {bomb.Length}\r\n\r\n";
            await ScriptedUpstream.SendAsync(output, [.. Encoding.ASCII.GetBytes(head), .. bomb], cancel);
        });
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url, protocol: protocol));
        string whole = path.Split('?')[0].Replace("streamG", "g", StringComparison.Ordinal);
        using HttpRequestMessage request = Request(whole, call + "}");
        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        Assert.Equal(bomb, await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(EvidenceGrade.Estimated, Count(await server.RecordAsync(), "input.text").Grade);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Stream_WithoutEnd_IsCutWhenTheCallsTimeIsOver()
    {
        await using var upstream = new ScriptedUpstream(async (_, output, cancel) =>
        {
            await ScriptedUpstream.SendAsync(output, ScriptedUpstream.StreamHead, cancel);
            while (true)
            {
                await ScriptedUpstream.SendAsync(output, ScriptedUpstream.Chunk(": still here\n\n"u8), cancel);
            }
        });
        await using GatewayServer server = await StartAsync(
            Upstream(upstream.Url), limits: new GatewayLimits { CallTime = TimeSpan.FromMilliseconds(300) });

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.ChatAsync(stream: true));

        UsageRecord record = await server.RecordAsync();
        Assert.Equal(Outcome.Cut, record.Outcome);
        Assert.Contains(new Tag("end", "out_of_time"), record.Tags);
        await server.AssertNoHoldAsync();
    }

    [Fact]
    public async Task Upstream_Silent_IsATimeoutAndIsAskedOnce()
    {
        await using var upstream = new ScriptedUpstream(
            (_, _, cancel) => Task.Delay(Timeout.Infinite, cancel));
        await using ScriptedUpstream second = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(
            Upstream(upstream.Url, more: ", priority: 1") + "\n" + Upstream(second.Url, "u2"),
            limits: new GatewayLimits { FirstByteTime = TimeSpan.FromMilliseconds(200) });

        (int status, string body, _) = await server.ChatAsync();

        Assert.Equal(504, status);
        Assert.Contains("upstream_timeout", body);
        Assert.Equal((1, 0), (upstream.Calls.Count, second.Calls.Count));
        UsageRecord record = await server.RecordAsync();
        Assert.Equal((Outcome.Failed, EvidenceGrade.Estimated), (record.Outcome, Count(record, "input.text").Grade));
        await server.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(529)]
    [Trait("Takes", "Long")]
    public async Task Upstream_BusyOrBroken_NextOneAnswers(int broken)
    {
        await using ScriptedUpstream first = ScriptedUpstream.Whole("{\"error\":{}}", broken);
        await using ScriptedUpstream second = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(
            Upstream(first.Url, more: ", priority: 1") + "\n" + Upstream(second.Url, "u2"));

        (int status, string body, _) = await server.ChatAsync();

        Assert.Equal((200, Answer), (status, body));
        UsageRecord record = await server.RecordAsync();
        Assert.Contains(new Tag("attempts", "2"), record.Tags);
        Assert.Contains(new Tag("upstream", "u2"), record.Tags);
        Assert.Equal(1, Count(record, "output.text").Steps);
    }

    [Fact]
    public async Task Upstream_NotThere_NextOneAnswersAndItIsPassedOverAfterFiveFailures()
    {
        var away = ScriptedUpstream.Whole(Answer);
        string url = away.Url;
        await away.DisposeAsync();
        await using ScriptedUpstream second = ScriptedUpstream.Whole(Answer);
        await using GatewayServer server = await StartAsync(
            Upstream(url, more: ", priority: 1") + "\n" + Upstream(second.Url, "u2"));

        for (int i = 0; i < 7; i++)
        {
            Assert.Equal(200, (await server.ChatAsync()).Status);
        }

        var records = await server.RecordsAsync(7);
        Assert.Equal(5, records.Count(r => r.Record.Tags.Contains(new Tag("attempts", "2"))));
        Assert.Equal(7, second.Calls.Count);
    }

    [Fact]
    public async Task Upstream_AllAway_IsBadGatewayAndCostsNothing()
    {
        var away = ScriptedUpstream.Whole(Answer);
        string url = away.Url;
        await away.DisposeAsync();
        await using GatewayServer server = await StartAsync(Upstream(url));

        (int status, string body, _) = await server.ChatAsync();

        Assert.Equal(502, status);
        Assert.Contains("server_error", body);
        Assert.Empty((await server.RecordAsync()).Counts);
        await server.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData(401)]
    [InlineData(402)] // DeepSeek's "Insufficient Balance" is the gateway's, not the caller's
    public async Task Upstream_RefusesTheGatewaysKeyOrMoney_IsNotTheClientsToRead(int refusal)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole("{\"error\":\"sk-1...9 is no key\"}", refusal);
        await using GatewayServer server = await StartAsync(Upstream(upstream.Url));

        (int status, string body, _) = await server.ChatAsync();

        Assert.Equal(502, status);
        Assert.DoesNotContain("sk-1", body);
        Assert.Equal(Outcome.Failed, (await server.RecordAsync()).Outcome);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::1]")]
    [InlineData("169.254.169.254")]
    [InlineData("[::ffff:10.0.0.1]")]
    public async Task Upstream_InsideAddress_IsNotConnectedTo(string host)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Whole(Answer);
        string url = $"http://{host}:{new Uri(upstream.Url).Port}";
        await using GatewayServer server = await StartAsync(
            Upstream(url).Replace("allow_inside: true", "allow_inside: false", StringComparison.Ordinal));

        (int status, _, _) = await server.ChatAsync();

        Assert.Equal((502, 0), (status, upstream.Calls.Count));
        await server.AssertNoHoldAsync();
    }

    [Theory]
    [InlineData("8.8.8.8", false)]
    [InlineData("2606:4700::1111", false)]
    [InlineData("10.1.2.3", true)]
    [InlineData("172.31.0.1", true)]
    [InlineData("100.64.0.1", true)]
    [InlineData("::", true)]
    [InlineData("::ffff:192.168.0.1", true)]
    [InlineData("64:ff9b::a00:1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("0.0.0.0", true)]
    public void Contains_Address_IsInsideUnlessGloballyReachable(string address, bool inside) =>
        Assert.Equal(inside, InsideAddresses.Contains(IPAddress.Parse(address)));
}
