using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Ciyuan.Server;
using static Ciyuan.ServerTests.TestServer;

namespace Ciyuan.ServerTests;

public sealed class BodyLimitTests
{
    [Fact]
    public async Task PostEvents_Gzip_IsUnpacked()
    {
        await using TestServer server = await StartWithSetupAsync();
        byte[] body = Encoding.UTF8.GetBytes(Batch(Enumerable.Range(0, 2_000).Select(i => Event($"e{i}"))));
        (int status, JsonNode answer) = await server.SendAsync("/v1/events?brief=1", Json, body, gzip: true);
        Assert.Equal((200, 2_000), (status, (int)answer["posted"]!));
    }

    [Theory]
    [InlineData(8 * 1024 * 1024)]
    [InlineData(200 * 1024 * 1024)]
    [Trait("Takes", "Long")]
    public async Task PostEvents_GzipBomb_IsRefusedEarly(int length)
    {
        await using TestServer server = await StartAsync();
        byte[] blanks = new byte[length];
        Array.Fill(blanks, (byte)' ');
        (int status, JsonNode problem) = await server.SendAsync("/v1/events", Json, blanks, gzip: true);
        Assert.Equal((413, "urn:ciyuan:problem:inflates-too-far"), (status, (string)problem["type"]!));
    }

    [Fact]
    public async Task PostEvents_GzipCutShort_TakesNothing()
    {
        await using TestServer server = await StartAsync();
        string lines = string.Join('\n', Enumerable.Range(0, 100).Select(i => Event($"e{i}")));
        byte[] packed = Pack(Encoding.UTF8.GetBytes(lines));
        foreach (int length in (int[])[packed.Length - 1, packed.Length - 9, packed.Length / 2, 10, 0])
        {
            int status = await PostPackedAsync(server, packed[..length]);
            Assert.Equal(400, status);
        }

        (_, JsonNode answer) = await server.PostAsync("/v1/events", Json, Batch([Event("e0")]));
        Assert.Equal(1, (int)answer["posted"]!);
    }

    [Fact]
    public async Task PostEvents_NotGzipAtAll_IsRefused()
    {
        await using TestServer server = await StartAsync();
        Assert.Equal(400, await PostPackedAsync(server, Encoding.UTF8.GetBytes(Batch([Event("a"), Event("b")]))));
    }

    [Fact]
    public async Task PostEvents_OtherEncoding_IsRefused()
    {
        await using TestServer server = await StartAsync();
        Assert.Equal(415, await PostPackedAsync(server, [1, 2, 3], "br"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PostEvents_BodyTooLarge_IsRefusedWhole(bool lengthIsSaid)
    {
        await using TestServer server = await StartAsync();
        byte[] body = new byte[ServerLimits.BodyBytes + 1];
        Array.Fill(body, (byte)' ');
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new(Json);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events") { Content = content };
        request.Headers.TransferEncodingChunked = lengthIsSaid ? null : true;
        request.Headers.ExpectContinue = true;
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Equal(413, (int)response.StatusCode);
        Assert.Contains("several requests", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PostEvents_TooManyEvents_TakesNone()
    {
        await using TestServer server = await StartAsync();
        string lines = string.Join('\n', Enumerable.Repeat("{}", ServerLimits.Events + 1));
        (int asLines, _) = await server.PostAsync("/v1/events", Lines, lines);
        (int asArray, _) = await server.PostAsync("/v1/events", Json, $"[{lines.Replace('\n', ',')}]");
        (int asMany, JsonNode answer) = await server.PostAsync("/v1/events?brief=1", Lines, lines[3..]);
        Assert.Equal((413, 413, 200), (asLines, asArray, asMany));
        Assert.Equal(ServerLimits.Events, (int)answer["rejected"]!);
    }

    [Fact]
    public async Task PostEvents_NestedTooDeeply_IsRefused()
    {
        await using TestServer server = await StartAsync();
        string body = new string('[', 10_000) + new string(']', 10_000);
        (int status, _) = await server.PostAsync("/v1/events", Json, body);
        Assert.Equal(400, status);
        (int group, _) = await server.PostAsync("/v1/ledger/groups", Json, body);
        Assert.Equal(400, group);
    }

    [Fact]
    public async Task PostEvents_ClientLeavesMidBody_TakesNothing()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = string.Join('\n', Enumerable.Range(0, 50).Select(i => Event($"e{i}"))) + "\n";
        string head = $"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {Lines}\r\n"
            + $"Content-Length: {body.Length + 100}\r\n\r\n";
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(server.Host.Url.Host, server.Host.Url.Port);
            await socket.SendAsync(Encoding.UTF8.GetBytes(head + body));
            socket.LingerState = new LingerOption(true, 0); // closes with a reset
        }

        (_, JsonNode answer) = await server.PostAsync("/v1/events", Lines, body);
        Assert.Equal(50, (int)answer["posted"]!);
    }

    [Fact]
    public async Task PostEvents_ClientLeavesAfterSending_IsDoneWholeOrNotAtAll()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = Batch(Enumerable.Range(0, 500).Select(i => Event($"e{i}")));
        string head = $"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {Json}\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n";
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(server.Host.Url.Host, server.Host.Url.Port);
            await socket.SendAsync(Encoding.UTF8.GetBytes(head + body));
            socket.LingerState = new LingerOption(true, 0);
        }

        (_, JsonNode answer) = await server.PostAsync("/v1/events", Json, body);
        Assert.Contains((int)answer["posted"]!, (int[])[0, 500]);
        Assert.Equal(500, (int)answer["posted"]! + (int)answer["exists"]!);
    }

    private static async Task<int> PostPackedAsync(TestServer server, byte[] packed, string encoding = "gzip")
    {
        using var content = new ByteArrayContent(packed);
        content.Headers.ContentType = new(Lines);
        content.Headers.ContentEncoding.Add(encoding);
        using HttpResponseMessage response = await server.Client.PostAsync("/v1/events", content);
        return (int)response.StatusCode;
    }
}
