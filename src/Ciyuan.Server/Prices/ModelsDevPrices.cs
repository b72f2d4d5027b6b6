using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>
/// Makes a book of models.dev's api.json: US dollars per million tokens by provider and model, with tiers by context
/// length, and modes (fast) that a field of the request chooses.
/// </summary>
internal sealed class ModelsDevPrices(ImportTarget target)
{
    private const string Old200K = "context_over_200k";

    private readonly List<ImportNote> _notes = [];

    internal ImportedBook Read(JsonElement root)
    {
        JsonProperty[] providers = [.. CatalogueJson.Object(root, "The api.json of models.dev")];
        string[] known = [.. providers.Select(p => p.Name)];
        target.Check(known);

        var lines = new List<PriceSetup>();
        foreach (JsonProperty provider in providers)
        {
            if (!target.Takes(provider.Name, out string? name))
            {
                continue;
            }

            string source = CatalogueJson.TryText(provider.Value, "doc", out string? doc) ? $"models.dev, citing {doc}"
                : "models.dev";
            JsonElement models = provider.Value.TryGetProperty("models", out JsonElement found) ? found : default;
            foreach (JsonProperty model in CatalogueJson.Object(models, $"'models' of {provider.Name}"))
            {
                lines.AddRange(ReadModel(provider.Name, name, model, source));
            }
        }

        Note(ImportNoteKind.Differs, "catalogue", "one price for writing to a cache: here for every lifetime");
        return new ImportedBook(
            new BookSetup(target.Id, target.Version, "USD", target.From, "", target.Source, lines), _notes);
    }

    private IEnumerable<PriceSetup> ReadModel(string provider, string? name, JsonProperty model, string source)
    {
        string where = $"{provider}/{model.Name}";
        if (!model.Value.TryGetProperty("cost", out JsonElement cost) || cost.ValueKind != JsonValueKind.Object)
        {
            Note(ImportNoteKind.LeftOut, where, "the catalogue has no price for it");
            yield break;
        }

        PriceDraft line = Draft(where, cost);
        List<RuleSetup> rules = [.. Modes(where, model.Value), .. Tiers(where, cost, line)];
        yield return new PriceSetup(
            model.Name, line.Tokens, null, name, Source: source,
            AsOf: CatalogueJson.TryText(model.Value, "last_updated", out string? date) && date.Length == 10 ? date
                : null,
            Rules: rules.Count == 0 ? null : rules);
    }

    private IEnumerable<RuleSetup> Tiers(string where, JsonElement cost, PriceDraft line)
    {
        var tiers = new SortedDictionary<long, PriceDraft>(Comparer<long>.Create((a, b) => b.CompareTo(a)));
        JsonElement[] listed = cost.TryGetProperty("tiers", out JsonElement list)
            ? [.. CatalogueJson.Array(list, $"'tiers' of {where}")] : [];
        if (listed.Length == 0 && cost.TryGetProperty(Old200K, out JsonElement over))
        {
            tiers[200_000] = Draft(where, over); // beside tiers it repeats one of them, whatever its bound
        }

        foreach (JsonElement tier in listed)
        {
            if (tier.TryGetProperty("tier", out JsonElement bound) && bound.TryGetProperty("size", out JsonElement size)
                && size.TryGetInt64(out long above)
                && (!CatalogueJson.TryText(bound, "type", out string? type) || type == "context"))
            {
                tiers[above] = Draft(where, tier);
                continue;
            }

            Note(ImportNoteKind.LeftOut, $"{where}: tiers", $"a tier that is not by context: {tier.GetRawText()}");
        }

        foreach ((long above, PriceDraft draft) in tiers)
        {
            draft.FillFrom(line);
            if (draft.IsEmpty)
            {
                continue;
            }

            yield return draft.ToRule(
                string.Create(CultureInfo.InvariantCulture, $"over {above} input tokens"),
                new WhenSetup(InputOver: above));
        }
    }

    // A mode's prices hold for requests with certain fields; records carry those as labels of the same names.
    private IEnumerable<RuleSetup> Modes(string where, JsonElement model)
    {
        JsonElement modes = model.TryGetProperty("experimental", out JsonElement experimental)
            && experimental.ValueKind == JsonValueKind.Object
            && experimental.TryGetProperty("modes", out JsonElement found) ? found : default;
        foreach (JsonProperty mode in modes.ValueKind == JsonValueKind.Object ? modes.EnumerateObject() : [])
        {
            if (!mode.Value.TryGetProperty("cost", out JsonElement cost))
            {
                continue;
            }

            Dictionary<string, IReadOnlyList<string>> tags = BodyFields(mode.Value);
            if (tags.Count == 0)
            {
                Note(ImportNoteKind.LeftOut, $"{where}: mode {mode.Name}", "no field of the request tells it");
                continue;
            }

            PriceDraft draft = Draft(where, cost);
            if (!draft.IsEmpty)
            {
                yield return draft.ToRule(mode.Name, new WhenSetup(Tags: tags));
            }
        }
    }

    private static Dictionary<string, IReadOnlyList<string>> BodyFields(JsonElement mode) =>
        mode.TryGetProperty("provider", out JsonElement provider)
            && provider.TryGetProperty("body", out JsonElement body)
            && body.ValueKind == JsonValueKind.Object
            ? body.EnumerateObject().Where(field => field.Value.ValueKind == JsonValueKind.String).ToDictionary(
                field => field.Name, field => (IReadOnlyList<string>)[field.Value.GetString()!], StringComparer.Ordinal)
            : [];

    private PriceDraft Draft(string where, JsonElement cost)
    {
        var draft = new PriceDraft();
        foreach (JsonProperty field in CatalogueJson.Object(cost, $"'cost' of {where}"))
        {
            if (field.Name is "tiers" or "tier" or Old200K || field.Value.ValueKind == JsonValueKind.Null)
            {
                continue;
            }

            if (!CatalogueJson.TryPrice(field.Value, out ExactNumber price)
                || !TrySet(
                    draft, field.Name, CatalogueJson.Plain(price, $"{where}: {field.Name}", _notes).ToString()))
            {
                Note(ImportNoteKind.LeftOut, $"{where}: {field.Name}",
                    $"nothing here is counted so, or it is no price: {field.Value.GetRawText()}");
            }
        }

        return draft;
    }

    private static bool TrySet(PriceDraft draft, string field, string price)
    {
        switch (field)
        {
            case "input" or "output":
                draft.Direction(field, "", price);
                return true;
            case "input_audio" or "output_audio":
                draft.Direction(field[..^6], "audio", price);
                return true;
            case "reasoning":
                draft.Kind("output", "", "reasoning", price);
                return true;
            case "cache_read":
                draft.CacheRead("", price);
                return true;
            case "cache_write":
                draft.CacheWrite("", price);
                return true;
            default:
                return false;
        }
    }

    private void Note(ImportNoteKind kind, string where, string reason)
    {
        var note = new ImportNote(kind, where, reason);
        if (!_notes.Contains(note))
        {
            _notes.Add(note);
        }
    }
}
