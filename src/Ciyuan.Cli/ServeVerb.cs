using System.CommandLine;
using System.CommandLine.Parsing;
using Ciyuan.Server;
using Ciyuan.Server.Watch;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan serve</c>: the same ledger over HTTP, until it is interrupted.</summary>
internal static class ServeVerb
{
    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "Where to listen; an address that other machines reach needs a token",
        DefaultValueFactory = _ => ServerOptions.DefaultListen,
        HelpName = "URL",
    };

    private static readonly Option<string?> TokenFile = new("--token-file")
    {
        Description = $"File with the token that requests must carry; or the variable {AccessToken.Variable}",
        HelpName = "FILE",
    };

    private static readonly Option<Uri?> Otlp = new("--otlp")
    {
        Description = "A collector for traces and metrics, OTLP over HTTP; or OTEL_EXPORTER_OTLP_ENDPOINT",
        CustomParser = ReadUrl,
        HelpName = "URL",
    };

    private static readonly Option<string[]> Content = new("--keep-content")
    {
        Description = "Keep what is said in this scenario, in content/ of the data folder; may be given again",
        HelpName = "SCENARIO",
    };

    private static readonly Option<int> Days = new("--content-days")
    {
        Description = "For how many days it is kept",
        DefaultValueFactory = _ => 7,
        HelpName = "DAYS",
    };

    internal static Command Make()
    {
        var command = new Command("serve", "Serve the gateway, ingest, reports and the ledger over HTTP")
        {
            Listen, TokenFile, Otlp, Content, Days,
        };
        return command.Runs(RunAsync);
    }

    private static Uri? ReadUrl(ArgumentResult said)
    {
        string text = said.Tokens[0].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https")
        {
            return url;
        }

        said.AddError($"'{text}' is no address that begins with http:// or https://.");
        return null;
    }

    private static async Task<int> RunAsync(ParseResult parsed, VerbContext context, CancellationToken cancel)
    {
        ServerRuntime.Apply();
        var options = new ServerOptions(new ShardOptions(context.Data) { Log = VerbContext.Say })
        {
            Listen = parsed.GetValue(Listen)!,
            Token = AccessToken.Find(parsed.GetValue(TokenFile), Environment.GetEnvironmentVariable),
            Otlp = parsed.GetValue(Otlp),
            Content = parsed.GetValue(Content) is { Length: > 0 } scenarios
                ? new ContentOptions(scenarios, Math.Max(1, parsed.GetValue(Days)))
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
    }
}
