using Ciyuan.Server.Api;
using Ciyuan.Server.Console;
using Ciyuan.Server.Console.Users;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Watch;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ciyuan.Server;

/// <summary>A running server: the shard of one data folder behind HTTP.</summary>
public sealed class ServerHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Shard _shard;

    private readonly GatewayWatch _watch;
    private readonly Desk _desk;

    private ServerHost(WebApplication app, Shard shard, GatewayWatch watch, Desk desk, Uri url)
    {
        (_app, _shard, _watch, _desk, Url) = (app, shard, watch, desk, url);
        desk.Url = url.ToString();
        desk.KeepWarm();
        FirstLink = desk.Users.HasOperator ? null : new Uri(url, $"/console/first?code={desk.Users.InviteFirst()}");
    }

    /// <summary>While nobody can sign in to the console as operator: the link, good once and for three days, by which
    /// the first one sets name and password. Null once there is an operator. Show it to who started the server
    /// alone.</summary>
    public Uri? FirstLink { get; }

    /// <summary>Where it listens, with the actual port.</summary>
    public Uri Url { get; }

    /// <summary>Every route that it answers: what the OpenAPI document must list.</summary>
    public IReadOnlyList<RouteEndpoint> Routes =>
        [.. _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    /// <summary>The shard that it serves.</summary>
    internal Shard Shard => _shard;

    /// <summary>What the console shows, and to whom.</summary>
    internal Desk Desk => _desk;

    /// <summary>Opens the shard and listens; returns when requests are answered.</summary>
    /// <exception cref="ServerRefusedException">The options are not safe or make no sense.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<ServerHost> StartAsync(ServerOptions options, CancellationToken cancel = default)
    {
        ListenAddress listen = ListenAddress.Parse(options.Listen);
        AccessToken? token = options.Token is { } secret ? new AccessToken(secret) : null;
        if (token is null && !listen.IsLoopback)
        {
            throw new ServerRefusedException(
                $"{options.Listen} can be reached from other machines, and no token is set. Set "
                + $"{AccessToken.Variable} or --token-file, or listen on 127.0.0.1.");
        }

        Shard shard = await Shard.OpenAsync(options.Shard, cancel);
        WebApplication? app = null;
        var watch = new GatewayWatch(options);
        try
        {
            await EndOpenCallsAsync(shard, options, cancel);
            app = Build(options, listen, token, shard, watch, out Desk desk);
            await app.StartAsync(cancel);
            IFeatureCollection features = app.Services.GetRequiredService<IServer>().Features;
            string url = features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new ServerHost(app, shard, watch, desk, new Uri(url));
        }
        catch
        {
            if (app is not null)
            {
                await app.DisposeAsync();
            }

            await watch.DisposeAsync();
            await shard.DisposeAsync();
            throw;
        }
    }

    private static async Task EndOpenCallsAsync(Shard shard, ServerOptions options, CancellationToken cancel)
    {
        int left = await OpenCall.RecordAllAsync(shard, options.Shard.Time, options.Calls, cancel);
        if (left > 0)
        {
            options.Shard.Log?.Invoke($"{left} calls that a former run left open are recorded as failed");
        }
    }

    /// <summary>Completes when the process is told to end (interrupt or termination signal) or the token is cancelled;
    /// then
    /// call <see cref="DisposeAsync"/>.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancel = default) => _app.WaitForShutdownAsync(cancel);

    /// <summary>Stops listening, lets the requests under way end (at most 30 s), then closes the shard.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _desk.Dispose();
        await _watch.DisposeAsync();
        await _shard.DisposeAsync();
    }

    // Nothing is taken from appsettings files or ASPNETCORE_ variables: what the server does is in the options alone.
    private static WebApplication Build(
        ServerOptions options, ListenAddress listen, AccessToken? token, Shard shard, GatewayWatch watch, out Desk desk)
    {
        options = options with { OpenId = options.OpenId ?? OpenIdOptions.Find(options.Environment) };
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, listen));
        builder.Services.Configure<HostOptions>(
            host => host.ShutdownTimeout = TimeSpan.FromSeconds(ServerLimits.DrainSeconds));
        builder.Services.AddRoutingCore();
        ApiDocument.AddTo(builder.Services, tokenNeeded: token is not null);
        AddLogging(builder.Logging, options.Logging);
        if (options.OpenId is { } openId)
        {
            OpenIdSignIn.AddTo(builder.Services, openId, options.Shard.Time);
        }

        WebApplication app = builder.Build();
        // Said to be there already, or it would come first and answer the issuer's call in the console's place.
        ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true;
        ILoggerFactory loggers = app.Services.GetRequiredService<ILoggerFactory>();
        var inFlight = new InFlight(options.Limits);
        var gate = new RequestGate(token, listen.IsLoopback, loggers);
        app.Use(gate.RunAsync);
        var gateway = new ModelGateway(shard, options, inFlight, watch, loggers.CreateLogger("Ciyuan.Gateway"));
        app.Lifetime.ApplicationStopped.Register(gateway.Dispose);
        app.Use(gateway.RunAsync);
        desk = new Desk(shard, options, new Accounts(shard, options.Shard), gateway)
        {
            Stopping = app.Lifetime.ApplicationStopping,
        };
        app.Use(new ConsoleServer(desk, listen.IsLoopback, loggers.CreateLogger("Ciyuan.Console")).RunAsync);
        app.UseRouting(); // said here, or it would come first, and calls through the gateway need none
        Endpoints.Map(app, shard, options, inFlight, gateway);
        var live = new LiveCallsApi(watch.Live, app.Lifetime.ApplicationStopping);
        app.MapGet("/v1/calls/live", (Delegate)live.GetAsync).Describe(ApiDocument.GetLiveCalls);
        return app;
    }

    private static void Limit(KestrelServerOptions kestrel, ListenAddress listen)
    {
        kestrel.AddServerHeader = false;
        // Headers of upstreams go on byte for byte, which they are read by too.
        kestrel.ResponseHeaderEncodingSelector = _ => System.Text.Encoding.Latin1;
        kestrel.Limits.MaxConcurrentConnections = ServerLimits.Connections;
        // Above our own limit, so that who sends somewhat too much can read why, and doesn't find the connection reset.
        kestrel.Limits.MaxRequestBodySize = 4L * ServerLimits.BodyBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = ServerLimits.HeaderBytes;
        kestrel.Limits.MaxRequestLineSize = ServerLimits.HeaderBytes;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(ServerLimits.HeaderSeconds);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(ServerLimits.KeepAliveSeconds);
        // A body or an answer that moves slower than this for ten seconds is given up.
        var slowest = new MinDataRate(1_024, TimeSpan.FromSeconds(ServerLimits.HeaderSeconds));
        kestrel.Limits.MinRequestBodyDataRate = slowest;
        kestrel.Limits.MinResponseDataRate = slowest;
        kestrel.Listen(listen.EndPoint, on => on.Protocols = HttpProtocols.Http1);
    }

    private static void AddLogging(ILoggingBuilder logging, Action<ILoggingBuilder>? configure)
    {
        if (configure is not null)
        {
            configure(logging);
            return;
        }

        logging.AddJsonConsole(json => json.UseUtcTimestamp = true);
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        // What fails is logged at the gate; Kestrel would tell of answers that were cut as of faults.
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Critical);
    }
}
