using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>
/// Makes a book of LiteLLM's model_prices_and_context_window.json (BerriAI/litellm, MIT): US dollars per token and per
/// other units, by model; without dates. Its numbers are taken as they are written: 1.5e-07 a token is 0.15 a million.
/// </summary>
internal sealed class LiteLlmPrices(ImportTarget target)
{
    private readonly List<ImportNote> _notes = [];
    private readonly Dictionary<(string? Provider, string Name), int> _taken = [];
    private readonly List<PriceSetup> _lines = [];

    internal ImportedBook Read(JsonElement root)
    {
        JsonProperty[] all = [.. CatalogueJson.Object(root, "LiteLLM's price map")
            .Where(entry => entry.Name != "sample_spec")];
        JsonProperty[] entries = [.. all.Where(entry => entry.Value.ValueKind == JsonValueKind.Object)];
        _notes.AddRange(all.Except(entries).Select(entry => new ImportNote(
            ImportNoteKind.LeftOut, entry.Name, "is no model: it is not an object")));
        string[] known = [.. entries.Select(e => ProviderOf(e.Value)).Distinct(StringComparer.Ordinal)];
        target.Check(known);

        foreach (JsonProperty entry in entries)
        {
            string provider = ProviderOf(entry.Value);
            if (target.Takes(provider, out string? name))
            {
                ReadModel(entry.Name, provider, name is { Length: > 0 } ? name : null, entry.Value);
            }
        }

        return new ImportedBook(
            new BookSetup(target.Id, target.Version, "USD", target.From, "", target.Source, _lines), _notes);
    }

    private static string ProviderOf(JsonElement entry) =>
        CatalogueJson.TryText(entry, "litellm_provider", out string? provider) ? provider : "";

    private void ReadModel(string key, string provider, string? name, JsonElement entry)
    {
        var sets = new LiteLlmSets(key, _notes);
        (PriceDraft line, List<RuleSetup> rules) = sets.Read(entry);
        if (line.IsEmpty && rules.Count == 0)
        {
            _notes.Add(new ImportNote(ImportNoteKind.LeftOut, key, "the map has no price for it that can be taken"));
            return;
        }

        // The front part of a key names the provider, which a line does by itself; the whole key stays a name too.
        string front = key.Split('/')[0];
        bool isFront = key.Length > front.Length + 1
            && (front == provider || provider.StartsWith(front, StringComparison.Ordinal));
        string model = isFront ? key[(front.Length + 1)..] : key;
        if (!_taken.TryAdd((name, model), _lines.Count))
        {
            Again(key, name, model, line, rules);
            return;
        }

        // A star in a key stands for any region, as it does here in a pattern.
        bool more = isFront && _taken.TryAdd((name, key), _lines.Count);
        bool isPattern = key.Contains('*', StringComparison.Ordinal);
        _lines.Add(new PriceSetup(
            model, line.Tokens, line.Units.Count == 0 ? null : line.Units, name, more && !isPattern ? [key] : null,
            more && isPattern ? [key] : null,
            Source: CatalogueJson.TryText(entry, "source", out string? source) ? source : null,
            Rules: rules.Count == 0 ? null : rules));
    }

    // Two keys for one name: another name of the same line where they agree, else a line under its whole key.
    private void Again(string key, string? name, string model, PriceDraft line, List<RuleSetup> rules)
    {
        int at = _taken[(name, model)];
        if (key == model || !_taken.TryAdd((name, key), _lines.Count))
        {
            _notes.Add(new ImportNote(ImportNoteKind.LeftOut, key, $"'{model}' of this provider is there already"));
            return;
        }

        var again = new PriceSetup(
            key, line.Tokens, line.Units.Count == 0 ? null : line.Units, name, Rules: rules.Count == 0 ? null : rules);
        if (SamePrices(_lines[at], again))
        {
            _taken[(name, key)] = at;
            _lines[at] = key.Contains('*', StringComparison.Ordinal)
                ? _lines[at] with { Patterns = [.. _lines[at].Patterns ?? [], key] }
                : _lines[at] with { Aliases = [.. _lines[at].Aliases ?? [], key] };
            return;
        }

        _notes.Add(new ImportNote(ImportNoteKind.Differs, key,
            $"'{model}' of this provider has other prices under another key: this one is found by its whole key only"));
        _lines.Add(again);
    }

    private static bool SamePrices(PriceSetup a, PriceSetup b) => Text(a) == Text(b);

    private static string Text(PriceSetup line) => JsonSerializer.Serialize(
        new Setup
        {
            Books = [new BookSetup("", 1, "", "", "", "", [
                line with { Model = "", Aliases = null, Patterns = null, Source = null }])],
        },
        SetupJson.Default.Setup);
}
