using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Ciyuan.ConsoleTests;

/// <summary>An issuer of OpenID Connect on this machine, after OpenID Connect Core 1.0 and RFC 7636. Everybody is who
/// the script says; what it says can be made wrong.</summary>
internal sealed class ScriptedIssuer : IAsyncDisposable
{
    internal const string Client = "ciyuan-console";
    internal const string Secret = "what the issuer knows the console by";

    private readonly WebApplication _app;
    private readonly RSA _key = RSA.Create(2048);
    private readonly RSA _otherKey = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge)> _codes = [];

    private ScriptedIssuer(WebApplication app) => _app = app;

    /// <summary>Where it is.</summary>
    internal Uri Url { get; private set; } = null!;

    /// <summary>Who signs in.</summary>
    internal string User { get; set; } = "olga";

    /// <summary>Whom the token is for.</summary>
    internal string Audience { get; set; } = Client;

    /// <summary>The token answers another sign-in.</summary>
    internal bool IsReplayed { get; set; }

    /// <summary>The token is signed by somebody else.</summary>
    internal bool IsForged { get; set; }

    internal static async Task<ScriptedIssuer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var issuer = new ScriptedIssuer(builder.Build());
        issuer._app.Run(issuer.AnswerAsync);
        await issuer._app.StartAsync();
        issuer.Url = new Uri(issuer._app.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses.First());
        return issuer;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
        _otherKey.Dispose();
    }

    private Task AnswerAsync(HttpContext http) => http.Request.Path.Value switch
    {
        "/.well-known/openid-configuration" => SendAsync(http, new Dictionary<string, object>
        {
            ["issuer"] = Url.ToString(),
            ["authorization_endpoint"] = new Uri(Url, "/authorize").ToString(),
            ["token_endpoint"] = new Uri(Url, "/token").ToString(),
            ["jwks_uri"] = new Uri(Url, "/keys").ToString(),
        }),
        "/keys" => SendAsync(http, new { keys = new[] { Jwk() } }),
        "/authorize" => Authorize(http),
        "/token" => TokenAsync(http),
        _ => throw new InvalidOperationException(http.Request.Path),
    };

    private Task Authorize(HttpContext http)
    {
        IQueryCollection query = http.Request.Query;
        Assert.Equal(("code", "S256", Client), (
            query["response_type"].ToString(), query["code_challenge_method"].ToString(),
            query["client_id"].ToString()));
        string code = Guid.NewGuid().ToString("N");
        _codes[code] = (query["nonce"].ToString(), query["code_challenge"].ToString());
        http.Response.Redirect(
            $"{query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(query["state"].ToString())}");
        return Task.CompletedTask;
    }

    private async Task TokenAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        bool known = _codes.TryRemove(form["code"].ToString(), out (string Nonce, string Challenge) asked);
        byte[] proof = SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()));
        if (!known || form["client_secret"] != Secret || Base64Url.EncodeToString(proof) != asked.Challenge)
        {
            http.Response.StatusCode = 400;
            await SendAsync(http, new { error = "invalid_grant" });
            return;
        }

        string nonce = IsReplayed ? "of another sign-in" : asked.Nonce;
        await SendAsync(http, new { access_token = "none", token_type = "Bearer", id_token = Sign(nonce) });
    }

    private string Sign(string nonce)
    {
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        string head = Part(new { alg = "RS256", typ = "JWT", kid = "1" });
        string body = Part(new
        {
            iss = Url.ToString(),
            aud = Audience,
            sub = "subject-1",
            preferred_username = User,
            nonce,
            iat = now,
            exp = now + 60,
        });
        byte[] signature = (IsForged ? _otherKey : _key).SignData(
            Encoding.ASCII.GetBytes($"{head}.{body}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return string.Create(CultureInfo.InvariantCulture, $"{head}.{body}.{Base64Url.EncodeToString(signature)}");
    }

    private object Jwk()
    {
        RSAParameters key = _key.ExportParameters(false);
        return new
        {
            kty = "RSA",
            use = "sig",
            kid = "1",
            n = Base64Url.EncodeToString(key.Modulus),
            e = Base64Url.EncodeToString(key.Exponent),
        };
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));

    private static async Task SendAsync(HttpContext http, object value)
    {
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(value));
    }
}
