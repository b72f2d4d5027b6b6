using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ciyuan.Tests.Prices;

/// <summary>What the genai-prices catalogue charges, read straight from its JSON: slow and obvious. It shares nothing
/// with the importer.</summary>
internal sealed class DirectGenaiPrice(JsonElement catalogue)
{
    internal IEnumerable<string> Providers => catalogue.EnumerateArray().Select(p => p.GetProperty("id").GetString()!);

    /// <summary>Ids of the provider's models and every name that a clause gives as equal to, own ones and those of
    /// the providers that it falls back to.</summary>
    internal IEnumerable<string> NamesOf(string provider) =>
        Models(provider).SelectMany(model => Equals(model.GetProperty("match"))
            .Append(model.GetProperty("id").GetString()!)).Distinct();

    /// <summary>The first model whose clause matches; undefined without one.</summary>
    internal JsonElement Find(string provider, string name) =>
        Models(provider).FirstOrDefault(model => Match(model.GetProperty("match"), name.ToLowerInvariant()));

    /// <summary>US dollars for so many tokens of each class; null when the catalogue has no price for one.</summary>
    internal static decimal? Price(JsonElement model, DateTime utc, Dictionary<string, long> tokens)
    {
        JsonElement prices = At(model.GetProperty("prices"), utc);
        long input = tokens.Where(t => t.Key.StartsWith("input", StringComparison.Ordinal)).Sum(t => t.Value);
        decimal sum = 0;
        foreach ((string name, long count) in tokens)
        {
            string[] keys = name switch
            {
                "input.text" => ["input_mtok"],
                "input.text.cache_read" => ["cache_read_mtok", "input_mtok"],
                "input.text.cache_write" => ["cache_write_mtok", "input_mtok"],
                "input.audio" => ["input_audio_mtok", "input_mtok"],
                "input.audio.cache_read" => ["cache_audio_read_mtok", "cache_read_mtok", "input_audio_mtok", "input_mtok"],
                "output.text" => ["output_mtok"],
                _ => ["output_audio_mtok", "output_mtok"],
            };
            string? key = keys.FirstOrDefault(k => prices.TryGetProperty(k, out _));
            if (key is null)
            {
                return null;
            }

            sum += count * Value(prices.GetProperty(key), input) / 1_000_000;
        }

        return sum;
    }

    private IEnumerable<JsonElement> Models(string provider)
    {
        JsonElement entry = catalogue.EnumerateArray().First(p => p.GetProperty("id").GetString() == provider);
        foreach (JsonElement model in entry.GetProperty("models").EnumerateArray())
        {
            yield return model;
        }

        if (!entry.TryGetProperty("fallback_model_providers", out JsonElement others))
        {
            yield break;
        }

        foreach (JsonElement other in others.EnumerateArray())
        {
            foreach (JsonElement model in catalogue.EnumerateArray()
                .Where(p => p.GetProperty("id").GetString() == other.GetString())
                .SelectMany(p => p.GetProperty("models").EnumerateArray()))
            {
                yield return model;
            }
        }
    }

    private static bool Match(JsonElement clause, string name)
    {
        JsonProperty only = clause.EnumerateObject().Single();
        string text = only.Value.ValueKind == JsonValueKind.String ? only.Value.GetString()! : "";
        string lower = text.ToLowerInvariant();
        return only.Name switch
        {
            "equals" => name == lower,
            "starts_with" => name.StartsWith(lower, StringComparison.Ordinal),
            "ends_with" => name.EndsWith(lower, StringComparison.Ordinal),
            "contains" => name.Contains(lower, StringComparison.Ordinal),
            "regex" => Regex.IsMatch(name, text),
            "or" => only.Value.EnumerateArray().Any(part => Match(part, name)),
            "and" => only.Value.EnumerateArray().All(part => Match(part, name)),
            _ => throw new InvalidOperationException(only.Name),
        };
    }

    private static IEnumerable<string> Equals(JsonElement clause)
    {
        JsonProperty only = clause.EnumerateObject().Single();
        return only.Value.ValueKind == JsonValueKind.Array ? only.Value.EnumerateArray().SelectMany(Equals)
            : only.Name == "equals" ? [only.Value.GetString()!]
            : [];
    }

    // The last set whose constraint holds; when none does, the first.
    private static JsonElement At(JsonElement prices, DateTime utc)
    {
        if (prices.ValueKind == JsonValueKind.Object)
        {
            return prices;
        }

        foreach (JsonElement set in prices.EnumerateArray().Reverse())
        {
            if (!set.TryGetProperty("constraint", out JsonElement constraint) || Holds(constraint, utc))
            {
                return set.GetProperty("prices");
            }
        }

        return prices[0].GetProperty("prices");
    }

    private static bool Holds(JsonElement constraint, DateTime utc)
    {
        if (constraint.TryGetProperty("start_date", out JsonElement day))
        {
            return utc >= DateTime.ParseExact(day.GetString()!, "yyyy-MM-dd", CultureInfo.InvariantCulture);
        }

        TimeSpan start = Clock(constraint.GetProperty("start_time").GetString()!);
        TimeSpan end = Clock(constraint.GetProperty("end_time").GetString()!);
        return utc.TimeOfDay >= start && utc.TimeOfDay < end;
    }

    private static TimeSpan Clock(string time) =>
        TimeSpan.ParseExact(time.TrimEnd('Z'), @"hh\:mm\:ss", CultureInfo.InvariantCulture);

    private static decimal Value(JsonElement price, long input)
    {
        if (price.ValueKind == JsonValueKind.Number)
        {
            return price.GetDecimal();
        }

        decimal value = price.GetProperty("base").GetDecimal();
        foreach (JsonElement tier in price.GetProperty("tiers").EnumerateArray().OrderBy(t => t.GetProperty("start").GetInt64()))
        {
            value = input > tier.GetProperty("start").GetInt64() ? tier.GetProperty("price").GetDecimal() : value;
        }

        return value;
    }
}
