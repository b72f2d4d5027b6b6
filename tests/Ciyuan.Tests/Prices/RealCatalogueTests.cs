using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Prices;
using Ciyuan.Tests.Tidy;

namespace Ciyuan.Tests.Prices;

/// <summary>Entries of LiteLLM's map and of models.dev as they were published in July 2026 (NOTICE says where from and
/// under which licence): each row is a call and its amount by hand from the entry's own numbers.</summary>
public sealed class RealCatalogueTests
{
    private static readonly ImportedBook LiteLlm = Import(PriceCatalogue.LiteLlm, "litellm");

    private static readonly ImportedBook ModelsDev = Import(PriceCatalogue.ModelsDev, "models-dev");

    private static ImportedBook Import(PriceCatalogue catalogue, string name) => ImportPrices.Run(
        catalogue, File.ReadAllBytes(Path.Combine(Repository.Root, $"tests/Ciyuan.Tests/Prices/{name}-excerpt.json")),
        new ImportTarget("list", 1, "test"));

    private static string Price(ImportedBook imported, string provider, string model, string counts, string tags)
    {
        PriceBooks books = SampleBooks.With(new Setup { Books = [imported.Book] });
        return SampleBooks.Outcome(
            SampleBooks.Explain(books, "list", model, "2026-07-30T12:00:00Z", counts, tags, provider));
    }

    [Theory]
    [InlineData("openai", "gpt-5.5", "input.text=272000,output.text=1000", "", "1.39")] // 272 × 0.005 + 0.03
    [InlineData("openai", "gpt-5.5", "input.text=272001,output.text=1000", "", "2.76501")] // 272.001 × 0.01 + 0.045
    [InlineData("openai", "gpt-5.5", "input.text=1000,output.text=1000", "service_tier=priority", "0.07")]
    [InlineData("openai", "gpt-5.5", "input.text.cache_read=1000000", "service_tier=flex", "0.25")]
    [InlineData("anthropic", "claude-sonnet-4-5-20250929", "input.text.cache_write_1h=100000", "", "0.6")]
    [InlineData("anthropic", "claude-sonnet-4-5-20250929", "input.text.cache_write_1h=200001", "", "2.400012")]
    [InlineData("anthropic", "claude-sonnet-4-5-20250929", "request=3", "tool=web_search", "0.03")]
    [InlineData("gemini", "gemini-2.5-pro", "input.text=200001", "service_tier=priority", "0.5000025")]
    [InlineData("dashscope", "dashscope/qwen-plus", "input.text=1000000,output.text=1000000", "", "1.6")]
    [InlineData("deepseek", "deepseek-chat", "input.image.cache_read=1000000", "", "0.028")]
    [InlineData("bedrock", "bedrock/us-east-1/1-month-commitment/cohere.command-text-v14", "second=2", "", "0.022")]
    [InlineData("openai", "gpt-4o-transcribe", "input.audio=14000,output.text=300", "", "0.038")]
    [InlineData("mistral", "mistral-ocr-latest", "page=29", "", "0.116")]
    [InlineData("cohere", "rerank-v3.5", "request=2", "", "0.004")]
    [InlineData("openai", "dall-e-3", "image=2", "", "0.08")]
    [InlineData("perplexity", "sonar", "input.text=1000,request=1", "", "0.009")] // medium where nobody says
    [InlineData("perplexity", "sonar", "input.text=1000,request=1", "search_context_size=high", "0.013")]
    [InlineData("openai", "whisper-1", "second=61.5", "", "0.00615")]
    public void LiteLlm_Entry_CostsWhatItSays(
        string provider, string model, string counts, string tags, string amount) =>
        Assert.Equal(amount, Price(LiteLlm, provider, model, counts, tags));

    [Theory]
    [InlineData("openai", "gpt-5.5", "input.text=272000,output.text=1000", "", "1.39")]
    [InlineData("openai", "gpt-5.5", "input.text=272001,output.text=1000", "", "2.76501")]
    [InlineData("openai", "gpt-5.5", "input.text=1000,output.text=1000", "service_tier=priority", "0.0875")]
    [InlineData("google", "gemini-2.5-pro", "input.text=199000,input.text.cache_read=1001", "", "0.49775025")]
    [InlineData("anthropic", "claude-opus-4-8", "input.text.cache_write_1h=1000000", "speed=fast", "12.5")]
    [InlineData("alibaba", "qwen3.6-plus", "input.text=256000,output.text=1000", "", "0.131")]
    [InlineData("alibaba", "qwen3.6-plus", "input.text=256001,output.text=1000", "", "0.518002")]
    public void ModelsDev_Entry_CostsWhatItSays(
        string provider, string model, string counts, string tags, string amount) =>
        Assert.Equal(amount, Price(ModelsDev, provider, model, counts, tags));

    [Fact]
    public void Entries_WhatABookCannotSay_IsListed()
    {
        Assert.Equal(
            [
                "LeftOut _origin", "LeftOut mistral/mistral-ocr-latest: annotation_cost_per_page",
                "LeftOut 1024-x-1024/dall-e-2: input_cost_per_pixel",
                "LeftOut 1024-x-1024/dall-e-2: output_cost_per_pixel", "LeftOut 1024-x-1024/dall-e-2",
            ],
            LiteLlm.Notes.Select(n => $"{n.Kind} {n.Where}"));
        Assert.Contains(ModelsDev.Notes, n => n.Where.EndsWith(": cache_input", StringComparison.Ordinal)
            || n.Where.EndsWith(": cached_input", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_OfAnImportedBook_IsReadBackTheSame()
    {
        foreach (ImportedBook imported in (ImportedBook[])[LiteLlm, ModelsDev])
        {
            Setup read = Server.Ingest.SetupYaml.Parse(BookWriter.Write(imported, "test"), "test");

            Assert.Equal(Text(imported.Book), Text(read.Books[0]));
        }
    }

    private static string Text(BookSetup book) =>
        System.Text.Json.JsonSerializer.Serialize(new Setup { Books = [book] }, SetupJson.Default.Setup);
}
