using System.CommandLine;
using Ciyuan.Server;
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
        var command = new Command("serve", "Serve ingest, reports and the ledger over HTTP") { listen, tokenFile };
        return command.Runs(async (parsed, context, cancel) =>
        {
            var options = new ServerOptions(new ShardOptions(context.Data) { Log = VerbContext.Say })
            {
                Listen = parsed.GetValue(listen)!,
                Token = AccessToken.Find(parsed.GetValue(tokenFile), Environment.GetEnvironmentVariable),
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
