using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Ciyuan.Server.Api;

/// <summary>What every request passes: safety headers, the token, and a log line; and what it ends in when it
/// fails.</summary>
internal sealed partial class RequestGate(AccessToken? token, bool loopback, ILoggerFactory loggers)
{
    /// <summary>The one path that needs neither token nor key.</summary>
    internal const string HealthPath = "/healthz";

    private readonly ILogger _log = loggers.CreateLogger("Ciyuan.Server");

    /// <summary>The middleware.</summary>
    internal async Task RunAsync(HttpContext http, RequestDelegate next)
    {
        long start = Stopwatch.GetTimestamp();
        SetSafetyHeaders(http.Response.Headers);
        try
        {
            if (FindRefusal(http.Request) is { } refusal)
            {
                await RefuseAsync(http, refusal);
            }
            else
            {
                await next(http);
                await ExplainBareStatusAsync(http);
            }
        }
        catch (Exception e) when (http.RequestAborted.IsCancellationRequested && Problems.ForException(e) is null
            && e is OperationCanceledException or IOException)
        {
            ClientLeft(_log, http.Request.Method, RouteOf(http));
            return;
        }
        catch (Exception e) when (e is not Gateway.AnswerCutException)
        {
            await AnswerFailureAsync(http, e);
        }

        long micros = Stopwatch.GetElapsedTime(start).Ticks / TimeSpan.TicksPerMicrosecond;
        Answered(_log, http.Request.Method, RouteOf(http), http.Response.StatusCode, micros);
    }

    private Problem? FindRefusal(HttpRequest request)
    {
        if (token is not null)
        {
            return token.Matches(request.Headers.Authorization) || IsOpen(request) ? null : Problems.TokenRequired;
        }

        // A page in a browser on this machine could reach a server without a token under a name of its own.
        string host = request.Host.Host;
        bool isAddress = IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address);
        bool local = host == "localhost" || (isAddress && IPAddress.IsLoopback(address!));
        // Through a proxy on this machine anybody could be asking, whatever name it asks by.
        bool proxied = request.Headers.ContainsKey("Forwarded") || request.Headers.ContainsKey("X-Forwarded-For")
            || request.Headers.ContainsKey("X-Forwarded-Proto");
        return (local || !loopback) && (!proxied || IsOpen(request)) ? null : Problems.ForeignHost;
    }

    // Calls to models carry keys of their own, which the gateway knows; to the console people sign in.
    private static bool IsOpen(HttpRequest request) => request.Path == HealthPath
        || Gateway.ModelGateway.Answers(request) || Console.ConsoleServer.Answers(request);

    private static Task RefuseAsync(HttpContext http, Problem refusal)
    {
        if (refusal.Status == StatusCodes.Status401Unauthorized)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return refusal.ExecuteAsync(http);
    }

    private static Task ExplainBareStatusAsync(HttpContext http)
    {
        HttpResponse response = http.Response;
        bool bare = response.StatusCode >= 400 && !response.HasStarted && response.ContentType is null;
        return bare ? Problems.ForStatus(response.StatusCode).ExecuteAsync(http) : Task.CompletedTask;
    }

    private Task AnswerFailureAsync(HttpContext http, Exception failure)
    {
        Problem? expected = Problems.ForException(failure);
        if (expected is null || expected.Status >= 500)
        {
            Failed(_log, failure, http.Request.Method, RouteOf(http));
        }

        if (http.Response.HasStarted)
        {
            http.Abort(); // an answer cut short must not look whole
            return Task.CompletedTask;
        }

        http.Response.Clear();
        SetSafetyHeaders(http.Response.Headers);
        return (expected ?? Problems.Internal).ExecuteAsync(http);
    }

    private static void SetSafetyHeaders(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
    }

    // The pattern, never the path: a path may hold names.
    private static string RouteOf(HttpContext http) =>
        (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "(no route)";

    [LoggerMessage(1, LogLevel.Debug, "{Method} {Route} {Status} in {Micros} us")]
    private static partial void Answered(ILogger log, string method, string route, int status, long micros);

    [LoggerMessage(2, LogLevel.Information, "{Method} {Route}: the client left before the answer")]
    private static partial void ClientLeft(ILogger log, string method, string route);

    [LoggerMessage(3, LogLevel.Error, "{Method} {Route} failed")]
    private static partial void Failed(ILogger log, Exception failure, string method, string route);
}
