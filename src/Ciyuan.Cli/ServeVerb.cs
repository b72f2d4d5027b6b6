using System.CommandLine;
using Ciyuan.Server;
using Ciyuan.Server.Watch;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan serve</c>: the same ledger over HTTP, until it is interrupted.</summary>
internal static class ServeVerb
{
    internal static Command Make()
    {
        var listen = new Option<string>("--listen")
        {
            Description = "Where to listen; an address that other machines reach needs a token",
            DefaultValueFactory = _ => ServerOptions.DefaultListen,
            HelpName = "URL",
        };
        var tokenFile = new Option<string?>("--token-file")
        {
            Description = $"File with the token that requests must carry; or the variable {AccessToken.Variable}",
            HelpName = "FILE",
        };
        var otlp = new Option<Uri?>("--otlp")
        {
            Description = "A collector for traces and metrics, OTLP over HTTP; or OTEL_EXPORTER_OTLP_ENDPOINT",
            HelpName = "URL",
        };
        var content = new Option<string[]>("--keep-content")
        {
            Description = "Keep what is said in this scenario, in content/ of the data folder; may be given again",
            HelpName = "SCENARIO",
        };
        var days = new Option<int>("--content-days")
        {
            Description = "For how many days it is kept",
            DefaultValueFactory = _ => 7,
            HelpName = "DAYS",
        };
        var command = new Command("serve", "Serve the gateway, ingest, reports and the ledger over HTTP")
        {
            listen, tokenFile, otlp, content, days,
        };
        return command.Runs(async (parsed, context, cancel) =>
        {
            var options = new ServerOptions(new ShardOptions(context.Data) { Log = VerbContext.Say })
            {
                Listen = parsed.GetValue(listen)!,
                Token = AccessToken.Find(parsed.GetValue(tokenFile), Environment.GetEnvironmentVariable),
                Otlp = parsed.GetValue(otlp),
                Content = parsed.GetValue(content) is { Length: > 0 } scenarios
                    ? new ContentOptions(scenarios, Math.Max(1, parsed.GetValue(days)))
                    : null,
            };
            await using ServerHost host = await ServerHost.StartAsync(options, cancel);
            VerbContext.Say($"serving {context.Data} on {host.Url}");
            VerbContext.Say(host.FirstLink is { } first
                ? $"console: nobody can sign in yet; open this link, good once, to become its operator: {first}"
                : $"console: {new Uri(host.Url, "/console")}");
            await host.WaitForShutdownAsync(cancel);
            VerbContext.Say("stopping: requests under way end first");
            return Verb.Done;
        });
    }
}
