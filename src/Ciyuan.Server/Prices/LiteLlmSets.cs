using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>
/// The prices of an entry of LiteLLM's map as a line and its rules: service tiers before lengths, the highest length
/// first, then tiered_pricing, then off-peak hours. What a rule does not price falls to what stands after it.
/// </summary>
internal sealed class LiteLlmSets(string key, List<ImportNote> notes)
{
    // With "cost" or "price" in their names, but no price of usage that a record counts.
    private static readonly string[] NoPrices = ["supports_service_tier_pricing"];

    private readonly PriceDraft _line = new();
    private readonly SortedDictionary<(string Tier, long Above), PriceDraft> _sets = new(
        Comparer<(string Tier, long Above)>.Create((a, b) => string.CompareOrdinal(a.Tier, b.Tier) switch
        {
            0 => b.Above.CompareTo(a.Above),
            int other => -other, // named tiers before the standard one
        }));

    private readonly List<RuleSetup> _more = [];

    internal (PriceDraft Line, List<RuleSetup> Rules) Read(JsonElement entry)
    {
        JsonProperty[] fields = [.. CatalogueJson.Object(entry, $"The entry '{key}'")
            .Where(f => LiteLlmField.IsPrice(f.Name) && f.Value.ValueKind != JsonValueKind.Null
                && !NoPrices.Contains(f.Name))];
        foreach (JsonProperty field in fields.OrderBy(f => LiteLlmField.Parse(f.Name).Rank))
        {
            ReadField(field);
        }

        // From the last: so a tier's own prices are whole before those above a bound are filled from them.
        foreach (((string tier, long above), PriceDraft set) in _sets.Reverse())
        {
            if (tier.Length > 0 && above > 0 && _sets.TryGetValue((tier, 0), out PriceDraft? ofTier))
            {
                set.FillFrom(ofTier);
            }

            set.FillFrom(_line);
        }

        List<RuleSetup> rules = [.. _sets.Where(set => !set.Value.IsEmpty)
            .Select(set => set.Value.ToRule(NameOf(set.Key), When(set.Key))), .. _more];
        rules.RemoveAll(rule => rule.PerMillionTokens is null && rule.PerUnit is null);
        return (_line, rules);
    }

    private void ReadField(JsonProperty field)
    {
        switch (field.Name)
        {
            case "tiered_pricing":
                ReadTiers(field.Value);
                return;
            case "off_peak_pricing":
                ReadOffPeak(field.Value);
                return;
            case "search_context_cost_per_query":
                ReadSearch(field.Value);
                return;
            default:
                ReadPrice(field);
                return;
        }
    }

    private void ReadPrice(JsonProperty field)
    {
        LiteLlmField parsed = LiteLlmField.Parse(field.Name);
        if (!CatalogueJson.TryPrice(field.Value, out ExactNumber price))
        {
            LeftOut(field.Name, $"is no price: {field.Value.GetRawText()}");
            return;
        }

        price = Plain(field.Name, price);
        PriceDraft draft = Set(parsed);
        if (!parsed.TrySetTokens(draft, price) && !TrySetUnit(parsed, draft, field.Name, price))
        {
            LeftOut(field.Name, $"nothing here is counted so: {field.Value.GetRawText()}");
        }
    }

    private bool TrySetUnit(LiteLlmField field, PriceDraft draft, string name, ExactNumber price)
    {
        if (!field.TryUnit(out string? unit))
        {
            return false;
        }

        // In and out are one count here: the map often gives one of the two as 0.
        if (draft.Units.TryGetValue(unit, out string? other) && other != price.ToString())
        {
            if (other != "0" && !price.IsZero)
            {
                LeftOut(name, $"another price of a {unit}, {other}, is there already");
                return true;
            }

            price = price.IsZero && ExactNumber.TryParse(other, out ExactNumber kept) ? kept : price;
        }

        draft.Units[unit] = price.ToString();
        return true;
    }

    private PriceDraft Set(LiteLlmField field)
    {
        (string Tier, long Above) at = (field.Tier, field.Above);
        if (at == ("", 0L))
        {
            return _line;
        }

        if (!_sets.TryGetValue(at, out PriceDraft? set))
        {
            _sets.Add(at, set = new PriceDraft());
        }

        return set;
    }

    // [{"range": [0, 32000], …}]: from and up to so many input tokens; the map does not say which end is in a tier.
    private void ReadTiers(JsonElement tiers)
    {
        foreach (JsonElement tier in CatalogueJson.Array(tiers, $"'tiered_pricing' of {key}"))
        {
            if (!tier.TryGetProperty("range", out JsonElement range) || range.ValueKind != JsonValueKind.Array
                || range.GetArrayLength() != 2
                || !TryWhole(range[0], out long low) || !TryWhole(range[1], out long high))
            {
                LeftOut("tiered_pricing", $"a tier without a range of whole numbers: {tier.GetRawText()}");
                continue;
            }

            PriceDraft draft = Part("tiered_pricing", tier, "range");
            var when = new WhenSetup(InputOver: low == 0 ? null : low, InputUpTo: high);
            _more.Add(draft.ToRule(string.Create(CultureInfo.InvariantCulture, $"{low} to {high} input tokens"), when));
        }
    }

    private void ReadOffPeak(JsonElement offPeak)
    {
        JsonElement hours = offPeak.ValueKind == JsonValueKind.Object
            && offPeak.TryGetProperty("hours_utc", out JsonElement found) ? found : default;
        string[] times = hours.ValueKind switch
        {
            JsonValueKind.String => [hours.GetString()!],
            JsonValueKind.Array => [.. hours.EnumerateArray().Select(h => h.ToString())],
            _ => [],
        };
        string[] others = offPeak.ValueKind != JsonValueKind.Object ? []
            : [.. offPeak.EnumerateObject().Select(f => f.Name)
                .Where(n => n != "hours_utc" && !LiteLlmField.IsPrice(n))];
        if (times.Length == 0 || others.Length > 0)
        {
            LeftOut("off_peak_pricing", times.Length == 0 ? $"without hours: {offPeak.GetRawText()}"
                : $"with {string.Join(", ", others)}, which is not read: {offPeak.GetRawText()}");
            return;
        }

        PriceDraft draft = Part("off_peak_pricing", offPeak, "hours_utc");
        draft.FillFrom(_line);
        _more.Add(draft.ToRule($"off-peak {string.Join(", ", times)} UTC", new WhenSetup(Times: times)));
    }

    private void ReadSearch(JsonElement search)
    {
        foreach (JsonProperty size in CatalogueJson.Object(search, $"'search_context_cost_per_query' of {key}"))
        {
            if (!CatalogueJson.TryPrice(size.Value, out ExactNumber price))
            {
                LeftOut($"search_context_cost_per_query: {size.Name}", $"is no price: {size.Value.GetRawText()}");
                continue;
            }

            var draft = new PriceDraft();
            draft.Units["request"] = Plain(size.Name, price).ToString();
            string word = size.Name.Split('_')[^1];
            if (word == "medium")
            {
                _line.Units.TryAdd("request", draft.Units["request"]); // what holds where nobody says a size
                continue;
            }

            _more.Add(draft.ToRule($"search with {word} context", new WhenSetup(
                Tags: new Dictionary<string, IReadOnlyList<string>> { ["search_context_size"] = [word] })));
        }
    }

    private PriceDraft Part(string name, JsonElement part, string besides)
    {
        var draft = new PriceDraft();
        foreach (JsonProperty field in part.EnumerateObject()
            .Where(f => f.Name != besides && f.Value.ValueKind != JsonValueKind.Null)
            .OrderBy(f => LiteLlmField.Parse(f.Name).Rank))
        {
            LiteLlmField parsed = LiteLlmField.Parse(field.Name);
            if (parsed.Above > 0 || parsed.Tier.Length > 0
                || !CatalogueJson.TryPrice(field.Value, out ExactNumber price)
                || !parsed.TrySetTokens(draft, Plain(field.Name, price)))
            {
                LeftOut($"{name}: {field.Name}", $"nothing here is counted so: {field.Value.GetRawText()}");
            }
        }

        return draft;
    }

    private ExactNumber Plain(string name, ExactNumber price) =>
        CatalogueJson.Plain(price, $"{key}: {name}", notes, LiteLlmField.Parse(name).TryUnit(out _) ? 12 : 18);

    private void LeftOut(string field, string reason) =>
        notes.Add(new ImportNote(ImportNoteKind.LeftOut, $"{key}: {field}", reason));

    private static bool TryWhole(JsonElement element, out long whole)
    {
        whole = 0;
        return element.ValueKind == JsonValueKind.Number
            && ExactNumber.TryParse(element.GetRawText(), out ExactNumber number)
            && long.TryParse(number.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out whole);
    }

    private static WhenSetup When((string Tier, long Above) at) => new(
        InputOver: at.Above == 0 ? null : at.Above,
        Tags: at.Tier.Length == 0 ? null
            : new Dictionary<string, IReadOnlyList<string>> { ["service_tier"] = [at.Tier] });

    private static string NameOf((string Tier, long Above) at)
    {
        string over = at.Above == 0 ? ""
            : string.Create(CultureInfo.InvariantCulture, $"over {at.Above} input tokens");
        return at.Tier.Length == 0 ? over : over.Length == 0 ? at.Tier : $"{at.Tier}, {over}";
    }
}
