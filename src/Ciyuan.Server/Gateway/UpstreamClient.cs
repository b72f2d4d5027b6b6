using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Ciyuan.Parties;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Ciyuan.Server.Gateway;

/// <summary>Sends calls to upstreams over connections that are kept, HTTP/2 where it is offered.</summary>
internal sealed class UpstreamClient : IDisposable
{
    /// <summary>Headers of one connection, or that say who the caller is to us: not for the other side.</summary>
    private static readonly HashSet<string> NotSent = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "Expect", "Content-Length", "Content-Encoding", "Accept-Encoding",
        "Authorization", "x-api-key", "x-goog-api-key", "Cookie", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
        "X-Forwarded-Proto", "Origin", "Referer",
    };

    private static readonly HashSet<string> NotReturned = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Trailer", "Transfer-Encoding", "Upgrade", "Set-Cookie",
        "Alt-Svc", "Strict-Transport-Security", "Server", "Date", "Content-Length",
    };

    private const string Ours = "x-ciyuan-";
    private const string AnthropicVersion = "2023-06-01";

    private readonly HttpMessageInvoker _outside;
    private readonly HttpMessageInvoker _anywhere;
    private readonly HttpMessageInvoker _sandbox;

    /// <summary>Opens the client.</summary>
    internal UpstreamClient(GatewayLimits limits)
    {
        _outside = new HttpMessageInvoker(MakeHandler(limits, outsideOnly: true));
        _anywhere = new HttpMessageInvoker(MakeHandler(limits, outsideOnly: false));
        _sandbox = new HttpMessageInvoker(new Sandbox.SandboxHandler());
    }

    /// <summary>Sends a call; returns when the answer's headers are there.</summary>
    internal Task<HttpResponseMessage> SendAsync(
        Call call, Candidate to, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        UpstreamSetup setup = to.Upstream.Setup;
        bool sandbox = setup.Protocol == UpstreamProtocol.Sandbox;
        var request = new HttpRequestMessage(HttpMethod.Post, MakeUri(call, to))
        {
            Content = new ReadOnlyMemoryContent(body),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        if (call.Spoken.IsForeign)
        {
            SetHeaders(request, setup.Protocol); // the caller's own mean nothing there
        }
        else
        {
            CopyHeaders(call.Http.Request, request);
        }

        if (!sandbox && to.Upstream.Secret is not null)
        {
            SetSecret(request, to.Upstream);
        }

        HttpMessageInvoker invoker = sandbox ? _sandbox : setup.AllowInside ? _anywhere : _outside;
        return invoker.SendAsync(request, cancel);
    }

    /// <summary>Hands the answer's headers to the caller, but for those of one connection.</summary>
    internal static void ReturnHeaders(HttpResponseMessage from, HttpResponse to)
    {
        to.StatusCode = (int)from.StatusCode;
        foreach ((string name, HeaderStringValues values) in from.Headers.NonValidated)
        {
            Return(to, name, values);
        }

        foreach ((string name, HeaderStringValues values) in from.Content.Headers.NonValidated)
        {
            Return(to, name, values);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _outside.Dispose();
        _anywhere.Dispose();
        _sandbox.Dispose();
    }

    private static SocketsHttpHandler MakeHandler(GatewayLimits limits, bool outsideOnly)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // where it leads was not looked at
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = limits.ConnectTime,
            EnableMultipleHttp2Connections = true,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // names are looked up anew now and then
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            MaxResponseHeadersLength = 64, // KiB
            SslOptions = new SslClientAuthenticationOptions
            {
                ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            },
        };
        if (limits.TrustedRoots is { } roots)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }

        if (outsideOnly)
        {
            handler.ConnectCallback = (context, cancel) => InsideAddresses.ConnectAsync(context.DnsEndPoint, cancel);
        }

        return handler;
    }

    private static Uri MakeUri(Call call, Candidate to)
    {
        CallRoute route = call.Spoken.Route;
        string path = route.Path;
        string query = call.Spoken.IsForeign ? "" : WithoutKey(call.Http.Request.QueryString.Value!);
        if (route.Protocol == UpstreamProtocol.Gemini)
        {
            string model = to.Served.As.Length > 0 ? to.Served.As : to.Served.Model;
            path = $"{route.Path}/{Uri.EscapeDataString(model)}:{route.Action}";
            query = call.Spoken.IsForeign && call.Facts.Streams ? "?alt=sse" : query;
        }

        string top = to.Upstream.Setup.Protocol == UpstreamProtocol.Sandbox
            ? $"http://sandbox/{route.Protocol}"
            : to.Upstream.Base;
        return to.Upstream.Uris.Find(top + path + query);
    }

    /// <summary>A query without the caller's key, which is ours to know.</summary>
    private static string WithoutKey(string query)
    {
        string[] fields = query.Length < 2 ? [] : [.. query[1..].Split('&').Where(f => f.Length > 0
            && !Uri.UnescapeDataString(f.Split('=')[0]).Equals("key", StringComparison.OrdinalIgnoreCase))];
        return fields.Length == 0 ? "" : "?" + string.Join('&', fields);
    }

    private static void CopyHeaders(HttpRequest from, HttpRequestMessage to)
    {
        foreach ((string name, StringValues values) in from.Headers)
        {
            if (NotSent.Contains(name) || name.StartsWith(Ours, StringComparison.OrdinalIgnoreCase)
                || name.StartsWith(':'))
            {
                continue;
            }

            bool content = name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase);
            HttpHeaders headers = content ? to.Content!.Headers : to.Headers;
            headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        // The answer is to be read on its way, so it comes plain.
        to.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
    }

    private static void SetHeaders(HttpRequestMessage request, UpstreamProtocol protocol)
    {
        request.Content!.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (protocol == UpstreamProtocol.Anthropic)
        {
            request.Headers.TryAddWithoutValidation("anthropic-version", AnthropicVersion);
        }
    }

    private static void SetSecret(HttpRequestMessage request, Upstream upstream)
    {
        HttpRequestHeaders headers = request.Headers;
        switch (upstream.Setup.Protocol)
        {
            case UpstreamProtocol.Anthropic:
                headers.TryAddWithoutValidation("x-api-key", upstream.Secret);
                if (!headers.Contains("anthropic-version"))
                {
                    headers.TryAddWithoutValidation("anthropic-version", AnthropicVersion);
                }

                break;
            case UpstreamProtocol.Gemini:
                headers.TryAddWithoutValidation("x-goog-api-key", upstream.Secret);
                break;
            default:
                headers.TryAddWithoutValidation("Authorization", "Bearer " + upstream.Secret);
                break;
        }
    }

    private static void Return(HttpResponse to, string name, HeaderStringValues values)
    {
        if (NotReturned.Contains(name) || name.StartsWith(Ours, StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        StringValues said = values.Count == 1 ? values.ToString() : new StringValues([.. values]);
        foreach (string? value in said)
        {
            if (value.AsSpan().ContainsAnyInRange('\0', '\x1F'))
            {
                return; // it can't be said again
            }
        }

        to.Headers[name] = said;
    }
}
