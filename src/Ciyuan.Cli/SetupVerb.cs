using System.CommandLine;
using System.Text.Json;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Render;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan setup FILE</c>: applies parties, agreements, prices and funding from a YAML file.</summary>
internal static class SetupVerb
{
    internal static Command Make()
    {
        var file = new Argument<string>("FILE") { Description = "YAML file; see samples/setup.yaml" };
        var by = new Option<string>("--by")
        {
            Description = "Who makes the change, where the file does not say",
            DefaultValueFactory = _ => Environment.UserName,
            HelpName = "NAME",
        };
        var command = new Command(
            "setup", "Apply parties, agreements, prices and funding; again changes nothing") { file, by };
        return command.Runs((parsed, context, cancel) =>
            RunAsync(context, parsed.GetValue(file)!, parsed.GetValue(by)!, cancel));
    }

    internal static async Task<int> RunAsync(VerbContext context, string file, string by, CancellationToken cancel)
    {
        Setup setup = Parse(file, by);
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        SetupResult result = await shard.SetUpAsync(setup, cancel);
        if (result.Status == SetupStatus.Refused)
        {
            throw new RefusedException($"{file} was refused, and nothing of it applied:{Environment.NewLine}  "
                + string.Join(Environment.NewLine + "  ", result.Faults));
        }

        context.Write(Render(setup, result));
        return Verb.Done;
    }

    private static Setup Parse(string file, string by)
    {
        try
        {
            return SetupYaml.Parse(Verb.ReadFile(file), by);
        }
        catch (YamlFileException fault)
        {
            throw new RefusedException($"{file}: {fault.Message}");
        }
    }

    private static Rendering Render(Setup setup, SetupResult result)
    {
        string status = result.Status == SetupStatus.Done ? "done" : "exists";
        (string Name, int Count)[] counts =
        [
            ("parties", setup.Parties.Count), ("projects", setup.Projects.Count), ("keys", setup.Keys.Count),
            ("sites", setup.Sites.Count), ("books", setup.Books.Count), ("agreements", setup.Agreements.Count),
            ("funding", setup.Funding.Count),
            .. new[]
            {
                ("upstreams", setup.Upstreams?.Count ?? 0), ("routes", setup.Routes?.Count ?? 0),
                ("access", setup.Access?.Count ?? 0), ("budgets", setup.Budgets?.Count ?? 0),
            }.Where(c => c.Item2 > 0),
        ];
        return new Rendering(
            () =>
            {
                var table = new Table([new("setup"), new("entries", IsNumber: true)])
                {
                    Scope = [status == "done" ? "Applied; entries of the file:"
                        : "All of it was there already; entries of the file:"],
                };
                foreach ((string name, int count) in counts)
                {
                    table.Add(name, $"{count}");
                }

                return table;
            },
            json => WriteJson(json, status, counts));
    }

    private static void WriteJson(Utf8JsonWriter json, string status, (string Name, int Count)[] counts)
    {
        json.WriteStartObject();
        json.WriteString("status", status);
        foreach ((string name, int count) in counts)
        {
            json.WriteNumber(name, count);
        }

        json.WriteEndObject();
    }
}
