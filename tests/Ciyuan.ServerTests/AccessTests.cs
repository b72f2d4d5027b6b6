using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Ciyuan.Server;
using Ciyuan.Storage;
using static Ciyuan.ServerTests.TestServer;

namespace Ciyuan.ServerTests;

public sealed class AccessTests
{
    private const string Token = "correct-horse-battery-staple";

    [Theory]
    [InlineData("/v1/report")]
    [InlineData("/v1/balances")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/nowhere")]
    public async Task Get_WithoutTheToken_IsRefusedEverywhere(string path)
    {
        await using TestServer server = await StartAsync(Token);
        string?[] wrong = [null, "", "correct-horse-battery-stapl", Token + "x", "Correct-horse-battery-staple"];
        foreach (string? given in wrong)
        {
            server.Client.DefaultRequestHeaders.Authorization =
                given is null ? null : new AuthenticationHeaderValue("Bearer", given);
            using HttpResponseMessage response = await server.Client.GetAsync(path);
            Assert.Equal(401, (int)response.StatusCode);
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        }

        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Token);
        Assert.Equal(401, (int)(await server.Client.GetAsync(path)).StatusCode);
        Assert.Equal(200, (int)(await server.Client.GetAsync("/healthz")).StatusCode);
    }

    [Fact]
    public async Task PostEvents_WithTheToken_IsTaken()
    {
        await using TestServer server = await StartAsync(Token);
        (int status, _) = await server.PostAsync("/v1/events", Json, Batch([Event("a")]));
        Assert.Equal(200, status);
        server.Client.DefaultRequestHeaders.Authorization = null;
        (int refused, JsonNode problem) = await server.PostAsync("/v1/events", Json, Batch([Event("b")]));
        Assert.Equal((401, "urn:ciyuan:problem:token-required"), (refused, (string)problem["type"]!));
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://*:0")]
    [InlineData("http://[::]:0")]
    public async Task Start_ReachableWithoutToken_RefusesToStart(string listen)
    {
        var options = new ServerOptions(new ShardOptions("never-opened")) { Listen = listen };
        ServerRefusedException refusal =
            await Assert.ThrowsAsync<ServerRefusedException>(() => ServerHost.StartAsync(options));
        Assert.Contains(AccessToken.Variable, refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists("never-opened"));
    }

    [Theory]
    [InlineData("https://127.0.0.1:0")]
    [InlineData("http://example.com:80")]
    [InlineData("127.0.0.1:80")]
    [InlineData("http://127.0.0.1:80/path")]
    public async Task Start_AddressThatCannotBe_RefusesToStart(string listen)
    {
        var options = new ServerOptions(new ShardOptions("never-opened")) { Listen = listen, Token = Token };
        await Assert.ThrowsAsync<ServerRefusedException>(() => ServerHost.StartAsync(options));
    }

    [Fact]
    public void Find_TokenFileAndEnvironment_FileGoesFirst()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, " from-the-file-0123 \n");
            Assert.Equal("from-the-file-0123", AccessToken.Find(file, _ => "from-the-environment"));
            Assert.Equal("from-outside", AccessToken.Find(null, v => v == "CIYUAN_TOKEN" ? "from-outside" : null));
            Assert.Null(AccessToken.Find("", _ => null));
            File.WriteAllText(file, "\n");
            Assert.Throws<ServerRefusedException>(() => AccessToken.Find(file, _ => null));
            Assert.Throws<ServerRefusedException>(() => AccessToken.Find(file + ".missing", _ => null));
            Assert.Throws<ServerRefusedException>(() => new AccessToken("short"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Get_UnderAForeignName_IsRefusedWhereNoTokenIsSet()
    {
        await using TestServer server = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/balances");
        request.Headers.Host = "evil.example";
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Equal(421, (int)response.StatusCode);
    }

    [Fact]
    public async Task Get_Anything_CarriesSafetyHeadersAndNoServerName()
    {
        await using TestServer server = await StartAsync();
        foreach (string path in (string[])["/healthz", "/nowhere", "/v1/report?zone=Nowhere"])
        {
            using HttpResponseMessage response = await server.Client.GetAsync(path);
            Assert.False(response.Headers.Contains("Server"));
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
            string policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        }
    }
}
