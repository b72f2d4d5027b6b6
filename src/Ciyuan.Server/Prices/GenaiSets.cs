using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>
/// The price sets of a model of genai-prices as a line and its rules. The catalogue takes the last set whose constraint
/// holds, else the first; a book the first rule that holds. A set is whole: what it does not price falls to no other.
/// </summary>
internal sealed class GenaiSets(string where, List<ImportNote> notes)
{
    internal (PriceDraft Line, List<RuleSetup> Rules) Read(List<(JsonElement? Constraint, JsonElement Prices)> sets)
    {
        var rules = new List<RuleSetup>();
        for (int i = sets.Count - 1; i > 0; i--)
        {
            if (When(sets[i].Constraint) is { } when)
            {
                AddTiers(rules, when, sets[i].Prices);
                PriceDraft set = Draft(sets[i].Prices, 0, tells: true);
                if (!set.IsEmpty)
                {
                    rules.Add(set.ToRule(NameOf(when), when));
                }
            }
        }

        AddTiers(rules, new WhenSetup(), sets[0].Prices);
        PriceDraft line = Draft(sets[0].Prices, 0, tells: true);
        if (line.IsEmpty)
        {
            notes.Add(new ImportNote(ImportNoteKind.LeftOut, where, "the catalogue has no price for it"));
        }

        return (line, rules);
    }

    // The highest tier first: it holds above its start, which is not in it.
    private void AddTiers(List<RuleSetup> rules, WhenSetup when, JsonElement prices)
    {
        IEnumerable<long> starts = Fields(prices)
            .Where(price => price.Value.ValueKind == JsonValueKind.Object)
            .SelectMany(price => Tiers(price.Value).Select(tier => tier.Start));
        foreach (long start in starts.Distinct().OrderDescending())
        {
            WhenSetup above = when with { InputOver = start };
            rules.Add(Draft(prices, start + 1).ToRule(NameOf(above), above));
        }
    }

    /// <summary>The prices at so many input tokens.</summary>
    private PriceDraft Draft(JsonElement prices, long inputTokens, bool tells = false)
    {
        var draft = new PriceDraft();
        // Wide fields first, so that narrow ones override.
        foreach (JsonProperty field in Fields(prices).OrderBy(f => f.Name.Count(c => c == '_')))
        {
            if (!CatalogueJson.TryPrice(At(field.Value, inputTokens), out ExactNumber price)
                || !TrySet(draft, field.Name, CatalogueJson.Plain(price, $"{where}: {field.Name}", notes)))
            {
                Lost(tells, field);
            }
        }

        return draft;
    }

    private void Lost(bool tells, JsonProperty field)
    {
        if (tells)
        {
            notes.Add(new ImportNote(ImportNoteKind.LeftOut, $"{where}: {field.Name}",
                $"nothing here is counted so, or it is no price: {field.Value.GetRawText()}"));
        }
    }

    private bool TrySet(PriceDraft draft, string field, ExactNumber number)
    {
        string price = number.ToString();
        string[] parts = field.EndsWith("_mtok", StringComparison.Ordinal) ? field[..^5].Split('_') : [field];
        string modality = parts.Length > 1 && parts[1] is "text" or "image" or "audio" or "video" ? parts[1] : "";
        switch (parts)
        {
            case ["input" or "output"]:
            case ["input" or "output", "text" or "image" or "audio" or "video"]:
                draft.Direction(parts[0], modality, price);
                return true;
            case ["output", "reasoning"]:
                draft.Kind("output", "", "reasoning", price);
                return true;
            case ["cache", "read"]:
            case ["cache", "text" or "image" or "audio" or "video", "read"]:
                draft.CacheRead(modality, price);
                return true;
            case ["cache", "write"]:
            case ["cache", "text" or "image" or "audio" or "video", "write"]:
                draft.CacheWrite(modality, price);
                return true;
            case ["requests_kcount"]:
                draft.Units["request"] = $"{price}/1000";
                NotePerCall();
                return true;
            default:
                return false;
        }
    }

    private void NotePerCall()
    {
        var note = new ImportNote(ImportNoteKind.Differs, $"{where}: requests_kcount",
            "charged for each call there; here for what is counted as request");
        if (!notes.Contains(note))
        {
            notes.Add(note);
        }
    }

    private WhenSetup? When(JsonElement? constraint)
    {
        if (constraint is not { } given || given.ValueKind == JsonValueKind.Null)
        {
            return new WhenSetup();
        }

        if (CatalogueJson.TryText(given, "start_date", out string? date)
            && DateOnly.TryParseExact(date, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
        {
            return new WhenSetup(From: $"{date}T00:00:00Z");
        }

        if (CatalogueJson.TryText(given, "start_time", out string? start) && IsMinute(start)
            && CatalogueJson.TryText(given, "end_time", out string? end) && IsMinute(end)
            && string.CompareOrdinal(start, end) < 0)
        {
            return new WhenSetup(Times: [$"{start[..5]}-{end[..5]}"]);
        }

        notes.Add(new ImportNote(ImportNoteKind.LeftOut, where,
            $"prices under a constraint that is neither a day nor whole minutes of UTC in order: {given.GetRawText()}"));
        return null;
    }

    // 00:30:00Z: whole minutes of UTC, the book's zone.
    private static bool IsMinute(string time) =>
        time.Length == 9 && time.EndsWith(":00Z", StringComparison.Ordinal)
        && TimeOnly.TryParseExact(time[..5], "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static string NameOf(WhenSetup when)
    {
        List<string> parts = [];
        parts.AddRange(when.From is null ? [] : [$"since {when.From[..10]}"]);
        parts.AddRange(when.Times is null ? [] : [$"{when.Times[0]} UTC"]);
        parts.AddRange(when.InputOver is null ? []
            : [string.Create(CultureInfo.InvariantCulture, $"over {when.InputOver} input tokens")]);
        return parts.Count == 0 ? "later prices" : string.Join(", ", parts);
    }

    private static JsonElement At(JsonElement price, long inputTokens)
    {
        if (price.ValueKind != JsonValueKind.Object)
        {
            return price;
        }

        JsonElement at = price.TryGetProperty("base", out JsonElement first) ? first : default;
        foreach ((long start, JsonElement tier) in Tiers(price).OrderBy(tier => tier.Start))
        {
            at = inputTokens > start ? tier : at;
        }

        return at;
    }

    private static List<(long Start, JsonElement Price)> Tiers(JsonElement price) =>
    [
        .. CatalogueJson.Array(price.TryGetProperty("tiers", out JsonElement tiers) ? tiers : default, "'tiers'")
            .Select(tier => (
                tier.TryGetProperty("start", out JsonElement start) && start.TryGetInt64(out long at) && at >= 0 ? at
                    : throw new PriceImportException("A tier needs a whole 'start'."),
                tier.TryGetProperty("price", out JsonElement value) ? value
                    : throw new PriceImportException("A tier needs 'price'."))),
    ];

    private static IEnumerable<JsonProperty> Fields(JsonElement prices) =>
        CatalogueJson.Object(prices, "'prices'").Where(field => field.Value.ValueKind != JsonValueKind.Null);
}
