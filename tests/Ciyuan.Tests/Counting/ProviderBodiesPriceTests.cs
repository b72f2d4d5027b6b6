using System.Globalization;
using Ciyuan.Counting;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Prices;
using Ciyuan.Tests.Tidy;
using Ciyuan.Usage;
using Xunit;
using Xunit.Abstractions;

namespace Ciyuan.Tests.Counting;

/// <summary>Every body of the file that the independent library has a price for costs the same here under the book
/// imported from its catalogue, or the difference is listed with the reason.</summary>
public sealed class ProviderBodiesPriceTests(ITestOutputHelper output)
{
    private const string Listed = "tests/Ciyuan.Tests/Counting/provider-price-differences.txt";

    // The library took its own day; in July 2026 all dated prices were those.
    private static readonly Timestamp Moment = Timestamp.TryParse("2026-07-15T12:00:00Z", out Timestamp t) ? t
        : default;

    [Fact]
    [Trait("Takes", "Long")]
    public void Bodies_AllOfTheFile_CostTheSameOrAreListed()
    {
        string catalogue = Path.Combine(Path.GetDirectoryName(ProviderBodies.WholeFile)!, "genai-prices.json");
        if (!File.Exists(ProviderBodies.WholeFile) || !File.Exists(catalogue))
        {
            output.WriteLine($"SKIPPED: {ProviderBodies.WholeFile} or {catalogue} is not there.");
            return;
        }

        BookSetup book = ImportPrices.Run(
            PriceCatalogue.GenaiPrices, File.ReadAllBytes(catalogue), new ImportTarget("list", 1, "test")).Book;
        bool changed = false;
        List<string> faults = [];
        PriceBooks books = PriceBooks.Empty.With(new Setup { Books = [book] }, faults, ref changed);
        Assert.Empty(faults);
        List<Extraction> priced = [.. ProviderBodies.Load(ProviderBodies.WholeFile).Where(e =>
            e.InputPrice is not null)];
        Assert.Equal(1069, priced.Count);

        List<string> differences = Differences(books, priced);
        if (Environment.GetEnvironmentVariable("CIYUAN_WRITE_DIFFERENCES") is { Length: > 0 } path)
        {
            File.WriteAllLines(path + ".prices", differences);
        }

        Assert.Equal(Repository.Read(Listed).Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => l[2..]),
            differences);
    }

    // One line for each interface and model, with ENTRY:THEIRS>OURS.
    private static List<string> Differences(PriceBooks books, List<Extraction> priced)
    {
        var found = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (Extraction extraction in priced)
        {
            UsageReading reading = UsageReaders.Find(extraction.Provider, extraction.Flavour)!.Read(extraction.Body);
            decimal theirs = decimal.Round(Number(extraction.InputPrice!) + Number(extraction.OutputPrice!), 12);
            PriceExplanation price = ExplainPrice.Explain(books, new PriceQuestion("list", new UsageRecord
            {
                Id = "1",
                Context = new UsageContext("test", ModelAnswered: extraction.Model.ToLowerInvariant(),
                    Provider: extraction.Provider),
                EventTime = Moment,
                Counts = [.. reading.Counts.Where(c => c.Meter.IsTokens)], // the two prices are those of tokens
                Tags = [], // the library does not know tiers
            }));
            string ours = price.Reason == SuspenseReason.None ? price.Amount.ToString() : price.Reason.ToString();
            if (ours != Text(theirs))
            {
                string key = $"{extraction.Name} {extraction.Model.ToLowerInvariant()}";
                found.TryAdd(key, []);
                found[key].Add(string.Create(CultureInfo.InvariantCulture,
                    $"{extraction.Entry}:{Text(theirs)}>{ours}"));
            }
        }

        return [.. found.Select(f => $"{f.Key} {string.Join(' ', f.Value)}")];
    }

    private static decimal Number(string text) => decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static string Text(decimal number) => number.ToString("0.############################",
        CultureInfo.InvariantCulture);
}
