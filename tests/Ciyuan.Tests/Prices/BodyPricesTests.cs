using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Prices;
using Ciyuan.Tests.Tidy;
using Xunit.Abstractions;

namespace Ciyuan.Tests.Prices;

/// <summary>
/// The usage that an independent library extracts from real bodies, priced with the imported catalogue, costs what that
/// library charges for each provider and interface. Its input contains what was cached; here the classes are taken apart.
/// </summary>
public sealed class BodyPricesTests(ITestOutputHelper output)
{
    // The library took its own day; in July 2026 all dated prices were those.
    private const string Day = "2026-07-15T12:00:00Z";

    private static string Shared(string file) =>
        Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "data", file));

    [Fact]
    public void Usage_OfEveryBodyWithAPrice_CostsWhatTheLibraryCharges()
    {
        if (!File.Exists(Shared("provider-usage-bodies.json")) || !File.Exists(Shared("genai-prices.json")))
        {
            output.WriteLine($"SKIPPED: {Shared("")} is not there.");
            return;
        }

        ImportedBook imported = ImportPrices.Run(
            PriceCatalogue.GenaiPrices, File.ReadAllBytes(Shared("genai-prices.json")), new ImportTarget("genai", 1, "t"));
        PriceBooks books = SampleBooks.With(new Setup { Books = [imported.Book] });
        using JsonDocument bodies = JsonDocument.Parse(File.ReadAllBytes(Shared("provider-usage-bodies.json")));
        int compared = 0;
        var differences = new List<string>();
        foreach (JsonElement item in bodies.RootElement.EnumerateArray())
        {
            foreach (JsonElement extracted in item.GetProperty("extracted").EnumerateArray())
            {
                foreach (JsonElement by in extracted.GetProperty("extractors").EnumerateArray())
                {
                    if (by.TryGetProperty("input_price", out JsonElement inputPrice))
                    {
                        decimal expected = Number(inputPrice) + Number(by.GetProperty("output_price"));
                        Compare(books, item.GetProperty("model").GetString()!, extracted.GetProperty("usage"),
                            by.GetProperty("provider_id").GetString()!, expected, differences);
                        compared++;
                    }
                }
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{compared} prices compared"));
        Assert.Equal([], differences);
        Assert.Equal(1_069, compared);
    }

    private static void Compare(
        PriceBooks books, string model, JsonElement usage, string provider, decimal expected, List<string> differences)
    {
        string counts = Classes(usage);
        PriceExplanation why = SampleBooks.Explain(books, "genai", model.ToLowerInvariant(), Day, counts, provider: provider);
        string got = SampleBooks.Outcome(why);
        if (got != SampleBooks.Plain(decimal.Round(expected, 12)))
        {
            differences.Add($"{provider}/{model} {counts}: {expected} expected, {got} by {why.Line}");
        }
    }

    private static string Classes(JsonElement usage)
    {
        long Of(string name) => usage.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;
        long audioRead = Of("cache_audio_read_tokens");
        var counts = new Dictionary<string, long>
        {
            ["input.audio.cache_read"] = audioRead,
            ["input.text.cache_read"] = Of("cache_read_tokens") - audioRead,
            ["input.text.cache_write"] = Of("cache_write_tokens"),
            ["input.audio"] = Of("input_audio_tokens") - audioRead,
            ["input.image"] = Of("input_image_tokens"),
            ["input.video"] = Of("input_video_tokens"),
            ["output.audio"] = Of("output_audio_tokens"),
            ["output.image"] = Of("output_image_tokens"),
            ["output.text.reasoning"] = Of("output_reasoning_tokens"),
        };
        counts["input.text"] = Of("input_tokens") - Sum(counts, "input");
        counts["output.text"] = Of("output_tokens") - Sum(counts, "output");
        return string.Join(',', counts.Where(c => c.Value != 0).Select(c => $"{c.Key}={c.Value}"));
    }

    private static long Sum(Dictionary<string, long> counts, string direction) =>
        counts.Where(c => c.Key.StartsWith(direction, StringComparison.Ordinal)).Sum(c => c.Value);

    private static decimal Number(JsonElement text) => decimal.Parse(text.GetString()!, CultureInfo.InvariantCulture);
}
