using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>
/// Makes a book of the genai-prices catalogue (pydantic/genai-prices, MIT): US dollars per million tokens, by provider
/// and model, with tiers by all input tokens, dated prices and prices by the time of day in UTC.
/// </summary>
internal sealed class GenaiPrices(ImportTarget target)
{
    private readonly List<ImportNote> _notes = [];
    private readonly List<PriceSetup> _lines = [];

    internal ImportedBook Read(JsonElement root)
    {
        JsonElement[] providers = [.. CatalogueJson.Array(root, "The catalogue of genai-prices")];
        string[] known = [.. providers.Select(p => CatalogueJson.Text(p, "id", "A provider"))];
        target.Check(known);

        foreach ((string id, JsonElement provider) in known.Zip(providers))
        {
            if (target.Takes(id, out string? name))
            {
                ReadProvider(id, name, provider, providers);
            }
        }

        General(providers.Length);
        var book = new BookSetup(
            target.Id, target.Version, "USD", target.From, "", target.Source, _lines, Zone: null);
        return new ImportedBook(book, _notes);
    }

    private void General(int providers)
    {
        Note(ImportNoteKind.Differs, "catalogue", "upper and lower case are told apart in a book: names stand in it as "
            + "the catalogue writes them and in small letters");
        Note(ImportNoteKind.Differs, "catalogue", "what a model has no price for is free there; here it waits in "
            + "suspense");
        if (target.Providers is not null && target.Providers.Count < providers)
        {
            Note(ImportNoteKind.LeftOut, "catalogue",
                string.Create(CultureInfo.InvariantCulture, $"{providers - target.Providers.Count} providers that were ")
                + "not asked for");
        }
    }

    private void ReadProvider(string id, string? name, JsonElement provider, JsonElement[] providers)
    {
        foreach (string field in (string[])["model_match", "provider_match"])
        {
            if (provider.TryGetProperty(field, out JsonElement clause))
            {
                Note(ImportNoteKind.LeftOut, $"{id}: {field}", $"a record names its provider; the clause that guesses "
                    + $"one, {clause.GetRawText()}, is not in the book");
            }
        }

        if (CatalogueJson.TryText(provider, "price_comments", out string? comments))
        {
            Note(ImportNoteKind.Remark, id, comments);
        }

        List<GenaiModel> models = ModelsOf(id, provider);
        int own = models.Count;
        foreach (string other in Fallbacks(provider))
        {
            JsonElement found = Array.Find(providers, p => CatalogueJson.Text(p, "id", "A provider") == other);
            List<GenaiModel> more = found.ValueKind == JsonValueKind.Object ? ModelsOf(other, found) : [];
            Note(ImportNoteKind.Remark, id, string.Create(CultureInfo.InvariantCulture,
                $"falls back to the {more.Count} models of {other}: they are lines here too, under names that no ")
                + "model before them takes");
            models.AddRange(more);
        }

        new GenaiNames(id, own, _notes).PutInOrder(models);
        string source = SourceOf(provider);
        for (int i = 0; i < models.Count; i++)
        {
            GenaiModel model = models[i];
            bool named = model.Names.Exact.Count + model.Names.Patterns.Count > 0;
            if (named && (HasPrices(model) || MustStand(model, models)))
            {
                WriteLine(id, name, model, source);
            }
            else if (i < own)
            {
                Note(ImportNoteKind.LeftOut, $"{id}/{model.Id}",
                    named ? "the catalogue has no price for it" : "no name reaches it");
            }
        }
    }

    private static List<GenaiModel> ModelsOf(string provider, JsonElement entry) =>
    [
        .. CatalogueJson.Array(
                entry.TryGetProperty("models", out JsonElement models) ? models : default, $"'models' of {provider}")
            .Select(model => new GenaiModel(
                CatalogueJson.Text(model, "id", $"A model of {provider}"), model,
                GenaiClause.Names(model.TryGetProperty("match", out JsonElement match) ? match
                    : throw new PriceImportException($"A model of {provider} needs 'match'.")))),
    ];

    private static IEnumerable<string> Fallbacks(JsonElement provider) =>
        provider.TryGetProperty("fallback_model_providers", out JsonElement list)
            ? CatalogueJson.Array(list, "'fallback_model_providers'").Select(other => other.GetString() ?? "")
            : [];

    private static string SourceOf(JsonElement provider) =>
        provider.TryGetProperty("pricing_urls", out JsonElement urls) && urls.ValueKind == JsonValueKind.Array
            ? string.Join(' ', urls.EnumerateArray().Select(url => url.GetString()))
            : "";

    private static bool HasPrices(GenaiModel model) => Sets(model).Any(
        set => set.Prices.ValueKind == JsonValueKind.Object && set.Prices.EnumerateObject().Any());

    // A model without prices keeps its names from falling to another model's pattern.
    private static bool MustStand(GenaiModel model, List<GenaiModel> models) => model.Names.Exact
        .Concat(model.Names.Patterns)
        .Any(name => models.Exists(other => other != model
            && other.Names.Patterns.Exists(p => NamePatterns.Intersect(p, name) is null or { Count: > 0 })));

    private void WriteLine(string provider, string? name, GenaiModel model, string source)
    {
        string where = $"{provider}/{model.Id}";
        foreach (string lost in model.Names.Lost)
        {
            Note(ImportNoteKind.LeftOut, where, lost);
        }

        if (CatalogueJson.TryText(model.Entry, "price_comments", out string? comments))
        {
            Note(ImportNoteKind.Remark, where, comments);
        }

        bool dated = Dated(model, where);
        List<string> exact = model.Names.Exact;
        List<string> patterns = model.Names.Patterns;
        (PriceDraft line, List<RuleSetup> rules) = new GenaiSets(where, _notes).Read(Sets(model));
        _lines.Add(new PriceSetup(
            exact.Count > 0 ? exact[0] : patterns[0],
            line.Tokens,
            line.Units.Count == 0 ? null : line.Units,
            name,
            exact.Count > 1 ? [.. exact.Skip(1)] : null,
            exact.Count == 0 ? (patterns.Count > 1 ? [.. patterns.Skip(1)] : null) : patterns.Count > 0 ? patterns : null,
            dated,
            source.Length == 0 ? null : source,
            Rules: rules.Count == 0 ? null : rules));
    }

    private bool Dated(GenaiModel model, string where)
    {
        foreach (string name in model.Names.DatedOf)
        {
            if (model.Names.Exact.Contains(name))
            {
                Note(ImportNoteKind.Differs, where, $"'{name}-' and eight digits: here any of its exact names may have "
                    + "a date at its end, in four forms");
                continue;
            }

            Note(ImportNoteKind.LeftOut, where, $"'{name}-' and eight digits: '{name}' itself is no name of it");
        }

        return model.Names.DatedOf.Exists(model.Names.Exact.Contains);
    }

    private static List<(JsonElement? Constraint, JsonElement Prices)> Sets(GenaiModel model)
    {
        JsonElement prices = model.Entry.TryGetProperty("prices", out JsonElement found) ? found
            : throw new PriceImportException($"The model {model.Id} needs 'prices'.");
        return prices.ValueKind != JsonValueKind.Array
            ? [(null, prices)]
            : [.. prices.EnumerateArray().Select(set => (
                set.TryGetProperty("constraint", out JsonElement constraint) ? constraint : (JsonElement?)null,
                set.TryGetProperty("prices", out JsonElement p) ? p
                    : throw new PriceImportException($"A dated price of {model.Id} needs 'prices'.")))];
    }

    private void Note(ImportNoteKind kind, string where, string reason) =>
        _notes.Add(new ImportNote(kind, where, reason));
}
