using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ciyuan.Server.Gateway;
using Ciyuan.Usage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>Upstreams over TLS, where HTTP/2 is agreed on: many calls share a connection, and a call that is given up
/// ends its stream, not the connection.</summary>
public sealed class Http2Tests
{
    private const string Answer = "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":"
        + "\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}";

    private const string Event = "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},"
        + "\"finish_reason\":null}]}\n\n";

    [Fact]
    public async Task Upstream_OverTls_IsCalledByHttp2OnOneConnection()
    {
        var seen = new ConcurrentBag<(string Protocol, string Connection)>();
        using X509Certificate2 certificate = MakeCertificate();
        await using WebApplication upstream = await StartUpstreamAsync(certificate, async http =>
        {
            seen.Add((http.Request.Protocol, http.Connection.Id));
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(Answer);
        });
        await using GatewayServer server = await StartGatewayAsync(upstream, certificate);
        (int first, string body, _) = await server.ChatAsync();
        Assert.True(first == 200, body);

        (int Status, string, HttpResponseMessage)[] answers = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(_ => server.ChatAsync()));

        Assert.All(answers, a => Assert.Equal(200, a.Status));
        Assert.All(seen, s => Assert.Equal("HTTP/2", s.Protocol));
        Assert.Single(seen.Select(s => s.Connection).Distinct());
        Assert.Equal(41, (await server.RecordsAsync(41)).Count);
        await server.AssertNoHoldAsync();
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Stream_ClientLeaves_EndsTheStreamAndNotTheConnection()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var connections = new ConcurrentBag<string>();
        using X509Certificate2 certificate = MakeCertificate();
        await using WebApplication upstream = await StartUpstreamAsync(certificate, async http =>
        {
            connections.Add(http.Connection.Id);
            bool streams = (await new StreamReader(http.Request.Body).ReadToEndAsync()).Contains("\"stream\":true");
            http.Response.ContentType = streams ? "text/event-stream" : "application/json";
            await http.Response.WriteAsync(streams ? Event : Answer);
            if (streams)
            {
                await http.Response.Body.FlushAsync();
                http.RequestAborted.Register(() => left.TrySetResult());
                await left.Task;
            }
        });
        await using GatewayServer server = await StartGatewayAsync(upstream, certificate);
        using (HttpRequestMessage request = Request("/v1/chat/completions", Chat(true)))
        using (HttpResponseMessage answer = await server.Client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead))
        {
            await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[Event.Length]);
        }

        await left.Task.WaitAsync(TimeSpan.FromSeconds(30));
        (int status, _, _) = await server.ChatAsync();

        Assert.Equal(200, status);
        Assert.Single(connections.Distinct());
        List<(UsageRecord Record, Ledger.UsageResult)> records = await server.RecordsAsync(2);
        Assert.Contains(records, r => r.Record.Tags.Contains(new Tag("end", "client_left")));
        await server.AssertNoHoldAsync();
    }

    private static Task<GatewayServer> StartGatewayAsync(WebApplication upstream, X509Certificate2 certificate)
    {
        string url = upstream.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses.First();
        var roots = new X509Certificate2Collection { X509CertificateLoader.LoadCertificate(certificate.RawData) };
        return StartAsync(
            Upstream(url.Replace("127.0.0.1", "localhost")), limits: new GatewayLimits { TrustedRoots = roots });
    }

    private static async Task<WebApplication> StartUpstreamAsync(
        X509Certificate2 certificate, RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, on =>
        {
            on.Protocols = HttpProtocols.Http1AndHttp2;
            on.UseHttps(certificate);
        }));
        WebApplication app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}
