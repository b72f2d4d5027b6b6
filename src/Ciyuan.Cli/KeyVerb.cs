using System.CommandLine;
using System.Security.Cryptography;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Gateway;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan key new|revoke</c>: keys for calls through the gateway.</summary>
internal static class KeyVerb
{
    private static readonly Argument<string> Id = new("ID")
    {
        Description = "Short name of the key, as reports show it",
    };

    internal static Command Make() => new("key", "Make or revoke keys for calls through the gateway")
    {
        MakeNew(), MakeRevoke(),
    };

    private static Command MakeNew()
    {
        var party = Needed("--party", "The consumer that pays", "PARTY");
        var project = Needed("--project", "Its project; made when it is not there", "PROJECT");
        var models = Many("--model", "A model that it may use, or a pattern with *; all when left out", "MODEL");
        var scopes = Many("--scope", "What it may ask for: chat, embeddings, …; all when left out", "OPERATION");
        var expires = new Option<string>("--expires")
        {
            Description = "First moment at which it is no longer good (RFC 3339)",
            DefaultValueFactory = _ => "",
            HelpName = "TIME",
        };
        Option<int> requests = Number("--requests-per-minute", "Most calls in a minute");
        Option<int> tokens = Number("--tokens-per-minute", "Most tokens in a minute");
        Option<int> concurrency = Number("--concurrency", "Most calls at one time");
        var command = new Command("new", "Make a key and print its secret, once: only its hash is kept")
        {
            Id, party, project, models, scopes, expires, requests, tokens, concurrency,
        };
        return command.Runs((parsed, context, cancel) =>
        {
            string secret = Secrets.Make(RandomNumberGenerator.GetBytes(32));
            var access = new AccessSetup(
                parsed.GetValue(Id)!, Secrets.Hash(secret), secret[..Secrets.ShownLength],
                AllWhenEmpty(parsed.GetValue(scopes)), AllWhenEmpty(parsed.GetValue(models)),
                parsed.GetValue(expires)!, RequestsPerMinute: parsed.GetValue(requests),
                TokensPerMinute: parsed.GetValue(tokens), Concurrency: parsed.GetValue(concurrency));
            return NewAsync(context, parsed.GetValue(party)!, parsed.GetValue(project)!, access, secret, cancel);
        });
    }

    private static Command MakeRevoke()
    {
        var command = new Command("revoke", "Take a key out of use, for good") { Id };
        return command.Runs((parsed, context, cancel) => RevokeAsync(context, parsed.GetValue(Id)!, cancel));
    }

    private static async Task<int> NewAsync(
        VerbContext context, string party, string project, AccessSetup access, string secret, CancellationToken cancel)
    {
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        Catalog catalog = await shard.CatalogAsync(cancel);
        if (catalog.Gateway.Access.Any(a => a.Key == access.Key))
        {
            throw new RefusedException(
                $"key '{access.Key}' has a secret already. Take another name, or revoke that one first.");
        }

        bool known = catalog.FindProject(party, project) is not null;
        await ApplyAsync(shard, new Setup
        {
            By = Environment.UserName,
            Projects = known ? [] : [new ProjectSetup(party, project)],
            Keys = [new KeySetup(party, project, access.Key)],
            Access = [access],
        }, cancel);
        VerbContext.Say($"key '{access.Key}' of {party}/{project}; this secret is not kept and not shown again:");
        Console.Out.WriteLine(secret);
        return Verb.Done;
    }

    private static async Task<int> RevokeAsync(VerbContext context, string id, CancellationToken cancel)
    {
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        Catalog catalog = await shard.CatalogAsync(cancel);
        AccessSetup access = catalog.Gateway.Access.FirstOrDefault(a => a.Key == id)
            ?? throw new RefusedException($"there is no key '{id}' with a secret.");
        await ApplyAsync(
            shard, new Setup { By = Environment.UserName, Access = [access with { Revoked = true }] }, cancel);
        VerbContext.Say($"key '{id}' is revoked.");
        return Verb.Done;
    }

    private static async Task ApplyAsync(Shard shard, Setup setup, CancellationToken cancel)
    {
        SetupResult result = await shard.SetUpAsync(setup, cancel);
        if (result.Status == SetupStatus.Refused)
        {
            throw new RefusedException(string.Join(Environment.NewLine, result.Faults));
        }
    }

    private static string[]? AllWhenEmpty(string[]? given) => given is { Length: > 0 } ? given : null;

    private static Option<string> Needed(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help, Required = true };

    private static Option<string[]> Many(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };

    private static Option<int> Number(string name, string description) =>
        new(name) { Description = description + "; no limit when left out", HelpName = "NUMBER" };
}
