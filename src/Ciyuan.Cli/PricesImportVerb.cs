using System.CommandLine;
using System.Security.Cryptography;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Prices;
using Ciyuan.Server.Render;
using Ciyuan.Storage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan prices import FILE</c>: makes a version of a book of a published catalogue.</summary>
internal static class PricesImportVerb
{
    private static readonly (string Name, PriceCatalogue Catalogue)[] Catalogues =
    [
        ("genai-prices", PriceCatalogue.GenaiPrices), ("litellm", PriceCatalogue.LiteLlm),
        ("models.dev", PriceCatalogue.ModelsDev),
    ];

    private sealed record Request(
        string File, PriceCatalogue Catalogue, string Id, int Version, string Since, string? Providers, string? Out,
        string By);

    internal static Command Make()
    {
        var file = new Argument<string>("FILE") { Description = "The catalogue: a JSON file" };
        Option<string> from = GlobalOptions.Words(
            "--from", "Whose catalogue it is", [.. Catalogues.Select(c => c.Name)]);
        var id = new Option<string>("--id") { Description = "The book", HelpName = "BOOK", Required = true };
        var version = new Option<int>("--version")
        {
            Description = "Its version, above those that are there",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        Option<string?> since = Text("--since", "First moment at which the version is in force; else always", "TIME");
        Option<string?> providers = Text(
            "--providers", "Only these providers of the catalogue, with commas; NAME=OURS gives the name that records "
                + "have, NAME=* takes records of any", "LIST");
        Option<string?> output = Text("--out", "Write a setup file instead of adding it to the data folder", "FILE");
        Option<string?> by = Text("--by", "Who makes the change", "NAME");
        var command = new Command("import", "Make a book of a catalogue; what it can't say is listed")
        {
            file, from, id, version, since, providers, output, by,
        };
        return command.Runs((parsed, context, cancel) => RunAsync(
            context,
            new Request(
                parsed.GetValue(file)!,
                Array.Find(Catalogues, c => c.Name == parsed.GetValue(from)).Catalogue,
                parsed.GetValue(id)!,
                parsed.GetValue(version),
                parsed.GetValue(since) is { } text ? GlobalOptions.ReadTime("--since", text, context).ToString() : "",
                parsed.GetValue(providers),
                parsed.GetValue(output),
                parsed.GetValue(by) ?? Environment.UserName),
            cancel));
    }

    private static async Task<int> RunAsync(VerbContext context, Request request, CancellationToken cancel)
    {
        if (request.Version < 1)
        {
            throw new WrongUsageException("--version: a version is 1 or more");
        }

        byte[] json = await Verb.ReadBytesAsync(request.File, cancel);
        // The same bytes make the same book: so the source names them, not the day.
        string source = $"{Path.GetFileName(request.File)}, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(json))}";
        ImportedBook imported;
        try
        {
            imported = ImportPrices.Run(request.Catalogue, json, new ImportTarget(
                request.Id, request.Version, source, request.Since, ReadProviders(request.Providers)));
        }
        catch (PriceImportException fault)
        {
            throw new RefusedException($"{request.File}: {fault.Message}");
        }

        if (request.Out is { } path)
        {
            await File.WriteAllTextAsync(path, BookWriter.Write(imported, request.By), cancel);
        }
        else
        {
            await ApplyAsync(context, imported.Book, request, cancel);
        }

        context.Write(PricesRendering.Render(
            imported, request.Out is null ? $"added to {context.Data}" : $"written to {request.Out}"));
        return Verb.Done;
    }

    private static async Task ApplyAsync(
        VerbContext context, BookSetup book, Request request, CancellationToken cancel)
    {
        await using Shard shard = await Verb.OpenAsync(context, cancel);
        SetupResult result = await shard.SetUpAsync(new Setup { By = request.By, Books = [book] }, cancel);
        if (result.Status == SetupStatus.Refused)
        {
            throw new RefusedException($"the book was refused:{Environment.NewLine}  "
                + string.Join(Environment.NewLine + "  ", result.Faults));
        }
    }

    private static Dictionary<string, string>? ReadProviders(string? list)
    {
        if (list is null)
        {
            return null;
        }

        var providers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string entry in list.Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = entry.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? entry : entry[..equals];
            if (!providers.TryAdd(name, equals < 0 ? entry : entry[(equals + 1)..]) || name.Length == 0
                || equals == entry.Length - 1)
            {
                throw new WrongUsageException($"--providers: '{entry}' is not NAME or NAME=OURS, each name once");
            }
        }

        return providers;
    }

    private static Option<string?> Text(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };
}
