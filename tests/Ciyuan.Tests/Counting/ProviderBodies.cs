using System.Text.Json;
using Ciyuan.Counting;
using Ciyuan.Tests.Tidy;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Counting;

/// <summary>What an independent library extracts from a body, for some interfaces.</summary>
/// <param name="Entry">Number of the body in its file.</param>
/// <param name="Provider">The library's name of the provider.</param>
/// <param name="Flavour">The library's name of the interface.</param>
/// <param name="Model">The model that it was priced as.</param>
/// <param name="Body">The body.</param>
/// <param name="Usage">Its own names and numbers.</param>
/// <param name="InputPrice">What it charges for the input, USD; null when it knows no price.</param>
/// <param name="OutputPrice">What it charges for the output.</param>
internal sealed record Extraction(
    int Entry, string Provider, string Flavour, string Model, JsonElement Body, IReadOnlyDictionary<string, long> Usage,
    string? InputPrice, string? OutputPrice)
{
    internal string Name => $"{Provider}/{Flavour}";
}

/// <summary>Bodies of real providers, each with what the library genai-prices extracts: the whole file beside the
/// repository, and an excerpt in it.</summary>
internal static class ProviderBodies
{
    internal static string WholeFile =>
        Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "data", "provider-usage-bodies.json"));

    internal static string Excerpt => Path.Combine(Repository.Root,
        "tests/Ciyuan.Tests/Counting/provider-usage-excerpt.json");

    internal static List<Extraction> Load(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        List<Extraction> all = [];
        int entry = 0;
        foreach (JsonElement item in document.RootElement.EnumerateArray())
        {
            int number = item.TryGetProperty("entry", out JsonElement stated) ? stated.GetInt32() : entry;
            JsonElement body = item.GetProperty("body").Clone();
            foreach (JsonElement extracted in item.GetProperty("extracted").EnumerateArray())
            {
                Dictionary<string, long> usage = extracted.GetProperty("usage").EnumerateObject()
                    .ToDictionary(p => p.Name, p => p.Value.GetInt64());
                all.AddRange(extracted.GetProperty("extractors").EnumerateArray().Select(e => new Extraction(
                    number, Text(e, "provider_id")!, Text(e, "api_flavor")!, Text(item, "model") ?? "", body, usage,
                        Text(e, "input_price"),
                    Text(e, "output_price"))));
            }

            entry++;
        }

        return all;
    }

    /// <summary>Our reading in the library's names: its input and output are wholes, its documents are
    /// images.</summary>
    internal static Dictionary<string, long> InTheirNames(UsageReading reading)
    {
        var named = new Dictionary<string, long>
        {
            ["input_tokens"] = reading.Tokens(Direction.Input),
            ["output_tokens"] = reading.Tokens(Direction.Output),
            ["cache_read_tokens"] = Sum(reading, c => c.Kind == TokenKind.CacheRead),
            ["cache_write_tokens"] = Sum(reading, c => c.Kind is TokenKind.CacheWrite or TokenKind.CacheWrite5M
                or TokenKind.CacheWrite1H),
            ["cache_write_5m_tokens"] = Sum(reading, c => c.Kind == TokenKind.CacheWrite5M),
            ["cache_write_1h_tokens"] = Sum(reading, c => c.Kind == TokenKind.CacheWrite1H),
            ["output_reasoning_tokens"] = Sum(reading, c => c.Kind == TokenKind.Reasoning),
            ["input_tool_tokens"] = Sum(reading, c => c.Kind == TokenKind.ToolUse),
            ["web_searches"] = reading[Meter.Request],
        };
        foreach ((string name, Modality[] modalities) in Modalities)
        {
            named[$"input_{name}_tokens"] = Sum(reading, c => c.Direction == Direction.Input
                && modalities.Contains(c.Modality));
            named[$"output_{name}_tokens"] = Sum(reading, c => c.Direction == Direction.Output
                && modalities.Contains(c.Modality));
            named[$"cache_{name}_read_tokens"] = Sum(reading, c => c.Kind == TokenKind.CacheRead
                && modalities.Contains(c.Modality));
        }

        return named;
    }

    private static readonly (string Name, Modality[] Modalities)[] Modalities =
    [
        ("image", [Modality.Image, Modality.Document]), ("audio", [Modality.Audio]), ("video", [Modality.Video]),
    ];

    private static long Sum(UsageReading reading, Func<TokenClass, bool> where) =>
        reading.Counts.Where(c => c.Meter.IsTokens && where(c.Meter.TokenClass)).Sum(c => c.Steps);

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
