using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Server.Ingest;

namespace Ciyuan.Tests.Prices;

/// <summary>The book of the main models says what the vendors' books say, and prices in yuan what is listed in
/// dollars.</summary>
public sealed class MainModelsTests
{
    // No book of their own: three vendors with one model each.
    private static readonly string[] OfNoVendorBook = ["grok-4.3", "mistral-large-latest", "command-a-03-2025"];

    [Fact]
    public void Lines_OfTheMainModels_AreThoseOfTheVendorsNewestBooks()
    {
        BookSetup[] all = [.. SampleBooks.Files.SelectMany(f => SetupYaml.Parse(File.ReadAllText(f), "test").Books)];
        int compared = 0;
        foreach (BookSetup main in all.Where(b => b.Id.StartsWith("main-models", StringComparison.Ordinal)))
        {
            string[] vendors = [.. all.Where(b => b.Id != main.Id && b.Currency == main.Currency)
                .GroupBy(b => b.Id).SelectMany(b => b.MaxBy(v => v.Version)!.Prices).Select(Text)];
            foreach (PriceSetup line in main.Prices.Where(line => !OfNoVendorBook.Contains(line.Model)))
            {
                Assert.True(vendors.Contains(Text(line)), $"{main.Id}: {line.Model} is other than its vendor's line");
                compared++;
            }
        }

        Assert.InRange(compared, 40, 60);
    }

    [Theory]
    [InlineData("deepseek-v4-pro", "9")] // in yuan, at peak
    [InlineData("claude-opus-5-5", "28.4")] // 4 dollars at 7.10
    [InlineData("gpt-5.5", "35.5")]
    public void Price_InYuan_IsTheListOrTheDollarsAtTheRate(string model, string amount) => Assert.Equal(
        amount, SampleBooks.Outcome(SampleBooks.Explain(
            SampleBooks.All, "main-models-cny", model, "2026-11-20T09:30:00+08:00",
            model == "gpt-5.5" ? "input.text=100000,input.text.cache_read=0,output.text=150000"
                : "input.text=1000000")));

    private static string Text(PriceSetup line) => JsonSerializer.Serialize(
        new Setup { Books = [new BookSetup("", 1, "", "", "", "", [line])] }, SetupJson.Default.Setup);
}
