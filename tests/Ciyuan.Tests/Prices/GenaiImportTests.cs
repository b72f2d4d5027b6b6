using System.Globalization;
using System.Text;
using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Prices;
using Ciyuan.Tests.Tidy;
using Xunit.Abstractions;

namespace Ciyuan.Tests.Prices;

/// <summary>The imported catalogue charges what the catalogue itself says, read another way.</summary>
public sealed class GenaiImportTests(ITestOutputHelper output)
{
    private static readonly string Excerpt =
        Path.Combine(Repository.Root, "tests/Ciyuan.Tests/Prices/genai-prices-excerpt.json");

    private static readonly string Whole =
        Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "data", "genai-prices.json"));

    private static readonly (string Time, Dictionary<string, long> Tokens)[] Calls =
    [
        ("2025-03-01T12:00:00Z", new() { ["input.text"] = 1_000, ["output.text"] = 7 }),
        ("2026-11-20T20:00:00Z", new()
        {
            ["input.text"] = 123_456, ["input.text.cache_read"] = 200_000, ["input.text.cache_write"] = 17,
            ["input.audio"] = 321, ["output.text"] = 4_567, ["output.audio"] = 89,
        }),
        ("2026-11-20T16:30:00Z", new() { ["input.text"] = 272_000, ["input.audio.cache_read"] = 1 }),
    ];

    private static ImportedBook Import(string file, IReadOnlyDictionary<string, string>? providers = null) =>
        ImportPrices.Run(PriceCatalogue.GenaiPrices, File.ReadAllBytes(file),
            new ImportTarget("genai", 1, "test", Providers: providers));

    [Fact]
    public void Excerpt_EveryName_CostsWhatTheCatalogueSays() => Compare(Excerpt, 1);

    [Fact]
    [Trait("Takes", "Long")]
    public void Catalogue_EveryName_CostsWhatTheCatalogueSays()
    {
        if (!File.Exists(Whole))
        {
            output.WriteLine($"SKIPPED: {Whole} is not there.");
            return;
        }

        // Names of other providers are tried too, a part of them: so that none is taken by accident.
        Compare(Whole, Environment.GetEnvironmentVariable("CIYUAN_ALL_NAMES") is { Length: > 0 } ? 1 : 23);
    }

    private void Compare(string file, int ofOthers)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        var direct = new DirectGenaiPrice(document.RootElement);
        PriceBooks books = SampleBooks.With(new Setup { Books = [Import(file).Book] });
        string[] all = [.. direct.Providers.SelectMany(direct.NamesOf).Distinct()];
        int tried = 0;
        foreach (string provider in direct.Providers)
        {
            HashSet<string> names = [.. direct.NamesOf(provider)];
            foreach (string name in names.Concat(names.Select(n => n.ToLowerInvariant()))
                .Concat(all.Where((_, i) => i % ofOthers == 0)).Distinct())
            {
                JsonElement model = direct.Find(provider, name);
                bool own = names.Contains(name) || !name.Any(char.IsUpper);
                foreach ((string time, Dictionary<string, long> tokens) in own ? Calls : [])
                {
                    Compare(books, provider, name, model, time, tokens);
                    tried++;
                }
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tried} calls of {all.Length} names compared"));
        Assert.True(tried > 100);
    }

    private static void Compare(
        PriceBooks books, string provider, string name, JsonElement model, string time, Dictionary<string, long> tokens)
    {
        string counts = string.Join(',', tokens.Select(t => $"{t.Key}={t.Value}"));
        PriceExplanation why = SampleBooks.Explain(books, "genai", name, time, counts, provider: provider);
        decimal? expected = model.ValueKind == JsonValueKind.Undefined ? null : DirectGenaiPrice.Price(
            model, DateTime.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal), tokens);
        string wanted = expected is { } amount ? SampleBooks.Plain(decimal.Round(amount, 12)) : "suspense";
        string got = why.Reason is SuspenseReason.NoModelPrice or SuspenseReason.NoClassPrice ? "suspense"
            : SampleBooks.Outcome(why);
        Assert.True(wanted == got, $"{provider}/{name} at {time} with {counts}: {wanted} expected, {got} charged "
            + $"by {why.Line}, {why.MatchedName}");
    }

    [Theory]
    [InlineData("anthropic", "claude-opus-4-6", "2026-03-12T23:59:59Z", "input.text=200001,output.text=10",
        "2.000385")] // (200 001 × 10 + 10 × 37.5) / 10⁶
    [InlineData("anthropic", "claude-opus-4-6", "2026-03-13T00:00:00Z", "input.text=200001,output.text=10",
        "1.000255")] // 200 001 × 5 + 10 × 25: no long context any more
    [InlineData("deepseek", "deepseek-chat", "2025-06-01T00:29:59Z", "input.text=1000000", "0.135")]
    [InlineData("deepseek", "deepseek-chat", "2025-06-01T00:30:00Z", "input.text=1000000", "0.27")]
    [InlineData("deepseek", "deepseek-chat", "2025-06-01T16:30:00Z", "input.text=1000000", "0.135")]
    [InlineData("openai", "o3-2025-04-16", "2025-06-09T23:59:59Z", "output.text=1000000", "40")]
    [InlineData("openai", "o3", "2025-06-10T00:00:00Z", "output.text=1000000", "8")]
    [InlineData("google", "gemini-2.0-flash", "2026-01-01T00:00:00Z", "input.audio=1000000", "0.7")]
    [InlineData("x-ai", "grok-4.3-20260101", "2026-06-01T00:00:00Z", "input.text=1000000", "1.25")]
    [InlineData("google", "gemini-3.5-flash-7b", "2026-06-01T00:00:00Z", "input.text=1000000", "1.5")] // regex …-\d
    [InlineData("perplexity", "sonar", "2026-06-01T00:00:00Z", "request=1000,input.text=1000000", "13")] // 12 + 1
    public void Excerpt_SpotPrices_AreThose(string provider, string model, string time, string counts, string amount)
    {
        PriceBooks books = SampleBooks.With(new Setup { Books = [Import(Excerpt).Book] });
        Assert.Equal(
            amount, SampleBooks.Outcome(SampleBooks.Explain(books, "genai", model, time, counts, provider: provider)));
    }

    [Fact]
    public void Import_Twice_GivesTheSameBytesAndTheYamlReadsBack()
    {
        ImportedBook imported = Import(Excerpt);
        string yaml = BookWriter.Write(imported, "test");
        Assert.Equal(yaml, BookWriter.Write(Import(Excerpt), "test"));
        Assert.All(yaml.Split('\n'), line => Assert.True(line.Length <= 120 || line.Contains("source:"), line));

        Setup read = SetupYaml.Parse(yaml, "test");
        Assert.Equal(Text(new Setup { By = "test", Books = [imported.Book] }), Text(read));
    }

    [Fact]
    public void Import_WhatABookCannotSay_IsListedWithTheReason()
    {
        IReadOnlyList<ImportNote> notes = Import(Excerpt).Notes;
        Assert.Contains(notes, n => n is { Kind: ImportNoteKind.LeftOut, Where: "anthropic: model_match" });
        Assert.Contains(notes, n => n.Kind == ImportNoteKind.Differs && n.Where == "perplexity/sonar: requests_kcount");
        Assert.Contains(notes, n => n.Kind == ImportNoteKind.LeftOut && n.Where == "openai/moderation"
            && n.Reason.Contains("no price", StringComparison.Ordinal));
        Assert.Contains(notes, n => n.Where == "x-ai/grok-4.3" && n.Reason.Contains("date", StringComparison.Ordinal));
        Assert.Contains(notes, n => n.Kind == ImportNoteKind.Remark && n.Where == "deepseek");
        Assert.All(notes, n => Assert.True(n.Where.Length > 0 && n.Reason.Length > 0));
    }

    [Fact]
    public void Import_ProvidersByOurNames_AreFoundByThoseOnly()
    {
        ImportedBook imported = Import(
            Excerpt, new Dictionary<string, string> { ["openai"] = "our-openai", ["google"] = "*" });
        PriceBooks books = SampleBooks.With(new Setup { Books = [imported.Book] });
        string Outcome(string model, string provider) => SampleBooks.Outcome(SampleBooks.Explain(
            books, "genai", model, "2026-06-01T00:00:00Z", "input.text=1000000", provider: provider));
        Assert.Equal("2.5", Outcome("gpt-4o", "our-openai"));
        Assert.Equal("NoModelPrice", Outcome("gpt-4o", "openai"));
        Assert.Equal("0.3", Outcome("gemini-2.5-flash", "whoever"));
        Assert.Equal("NoModelPrice", Outcome("deepseek-chat", "deepseek"));
        Assert.Equal("8", Outcome("claude-2", "whoever")); // google falls back to anthropic's models
        Assert.Contains(imported.Notes, n => n.Reason.Contains("5 providers", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("""[{"id":"p"}]""")]
    [InlineData("""[{"id":"p","models":[{"id":"m"}]}]""")]
    [InlineData("""[{"id":"p","models":[{"id":"m","match":{"like":"m"},"prices":{}}]}]""")]
    public void Import_AnotherFile_IsRefusedInWords(string json) =>
        Assert.Throws<PriceImportException>(() => ImportPrices.Run(
            PriceCatalogue.GenaiPrices, Encoding.UTF8.GetBytes(json), new ImportTarget("b", 1, "test")));

    [Fact]
    public void Import_OverlappingClauses_TakesTheFirstModelAsTheCatalogueDoes()
    {
        const string Json = """
            [{"id":"p","name":"P","api_pattern":"","models":[
              {"id":"mini","match":{"contains":"mini"},"prices":{"input_mtok":1}},
              {"id":"big","match":{"or":[{"starts_with":"model-big"},{"equals":"model-mini-x"}]},
               "prices":{"input_mtok":2}},
              {"id":"both","match":{"and":[{"starts_with":"model-"},{"ends_with":"-audio"}]},"prices":{"input_mtok":3}},
              {"id":"any","match":{"starts_with":"model-"},"prices":{"input_mtok":4}},
              {"id":"never","match":{"starts_with":"model-x"},"prices":{"input_mtok":5}}]}]
            """;
        ImportedBook imported = ImportPrices.Run(
            PriceCatalogue.GenaiPrices, Encoding.UTF8.GetBytes(Json), new ImportTarget("genai", 1, "test"));
        PriceBooks books = SampleBooks.With(new Setup { Books = [imported.Book] });
        foreach ((string model, string price) in (IEnumerable<(string, string)>)
        [
            ("model-mini-x", "1"), ("model-big-mini", "1"), ("model-big", "2"), ("model-big-audio", "2"),
            ("model-new-audio", "3"), ("model-x", "4"), ("MODEL-BIG", "NoModelPrice"),
        ])
        {
            Assert.Equal((model, price), (model, SampleBooks.Outcome(SampleBooks.Explain(
                books, "genai", model, "2026-06-01T00:00:00Z", "input.text=1000000", provider: "p"))));
        }

        Assert.Contains(imported.Notes, n => n.Where == "p/never"
            && n.Reason.Contains("never reaches it", StringComparison.Ordinal));
    }

    private static string Text(Setup setup) => JsonSerializer.Serialize(setup, SetupJson.Default.Setup);
}
