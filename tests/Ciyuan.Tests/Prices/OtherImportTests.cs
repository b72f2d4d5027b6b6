using System.Text;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Prices;

namespace Ciyuan.Tests.Prices;

/// <summary>LiteLLM's map and models.dev, on small samples of their shapes made by hand.</summary>
public sealed class OtherImportTests
{
    private const string Time = "2026-11-20T12:00:00Z";

    private const string LiteLlm = """
        {
          "sample_spec": { "input_cost_per_token": 0.0, "litellm_provider": "one of the providers" },
          "lab/chat-1": {
            "litellm_provider": "lab", "mode": "chat", "source": "https://example.org/prices", "max_tokens": 1,
            "input_cost_per_token": 3e-06, "input_cost_per_token_above_200k_tokens": 6e-06,
            "input_cost_per_token_batches": 1.5e-06, "input_cost_per_token_priority": 6.0e-06,
            "output_cost_per_token": 1.5e-05, "output_cost_per_token_above_200k_tokens": 2.25e-05,
            "output_cost_per_token_batches": 7.5e-06, "output_cost_per_token_priority": 3e-05,
            "cache_read_input_token_cost": 3e-07, "cache_creation_input_token_cost": 3.7500000000000005e-06,
            "cache_creation_input_token_cost_above_1hr": 6e-06, "output_cost_per_reasoning_token": 2e-05,
            "input_cost_per_audio_token": 4e-05, "supports_vision": true, "file_search_cost_per_1k_calls": 0.0025,
            "search_context_cost_per_query": { "search_context_size_low": 0.03, "search_context_size_high": 0.05 }
          },
          "chat-1": { "litellm_provider": "lab", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05 },
          "lab/tiers": {
            "litellm_provider": "lab",
            "tiered_pricing": [
              { "range": [0, 32e3], "input_cost_per_token": 3e-07, "output_cost_per_token": 1.5e-06 },
              { "range": [32e3, 128000.0], "input_cost_per_token": 5e-07, "output_cost_per_token": 2.5e-06 }]
          },
          "lab/night": {
            "litellm_provider": "lab", "input_cost_per_token": 2.7e-07, "output_cost_per_token": 1.1e-06,
            "off_peak_pricing": { "hours_utc": "16:30-00:30", "input_cost_per_token": 1.35e-7 }
          },
          "whisper": { "litellm_provider": "lab", "mode": "audio_transcription", "input_cost_per_second": 0.0001,
            "output_cost_per_second": 0.0 },
          "painter": { "litellm_provider": "lab", "mode": "image_generation", "output_cost_per_image": 0.04,
            "input_cost_per_pixel": 1.9e-08 },
          "speaker": { "litellm_provider": "lab", "input_cost_per_character": 1.5e-05 },
          "reader": { "litellm_provider": "lab", "ocr_cost_per_page": 0.001 },
          "ranker": { "litellm_provider": "lab", "input_cost_per_query": 0.002 },
          "broken": { "litellm_provider": "lab", "input_cost_per_token": "soon" }
        }
        """;

    private const string ModelsDev = """
        {
          "lab": { "id": "lab", "name": "Lab", "doc": "https://example.org/docs", "models": {
            "chat-2": { "id": "chat-2", "last_updated": "2026-06-01",
              "cost": { "input": 2.5, "output": 15, "cache_read": 0.25, "cache_write": 3.125, "reasoning": 20,
                "input_audio": 32, "training": 8,
                "tiers": [{ "tier": { "type": "context", "size": 272000 }, "input": 5, "output": 22.5,
                  "cache_read": 0.5 }],
                "context_over_200k": { "input": 4, "output": 20 } },
              "experimental": { "modes": {
                "fast": { "cost": { "input": 5, "output": 30 },
                  "provider": { "body": { "service_tier": "priority" } } },
                "odd": { "cost": { "input": 1, "output": 1 } } } } },
            "free-1": { "id": "free-1", "cost": { "input": 0, "output": 0 } },
            "nothing": { "id": "nothing" } } }
        }
        """;

    private static ImportedBook Import(PriceCatalogue catalogue, string json) =>
        ImportPrices.Run(catalogue, Encoding.UTF8.GetBytes(json), new ImportTarget("list", 1, "test"));

    private static string Price(ImportedBook imported, string model, string counts, string tags, string time = Time)
    {
        PriceBooks books = SampleBooks.With(new Setup { Books = [imported.Book] });
        return SampleBooks.Outcome(SampleBooks.Explain(books, "list", model, time, counts, tags, "lab"));
    }

    [Theory]
    [InlineData("chat-1", "input.text=200000,output.text=1000", "", "0.615")] // 0.6 + 0.015
    [InlineData("chat-1", "input.text=200001,output.text=1000", "", "1.222506")] // 1.200006 + 0.0225
    [InlineData("lab/chat-1", "input.text=1000000", "service_tier=batch", "1.5")]
    [InlineData("chat-1", "input.text=1000,output.text=1000", "service_tier=priority", "0.036")]
    [InlineData("chat-1", "input.text.cache_read=1000000", "", "0.3")]
    [InlineData("chat-1", "input.text.cache_read=1000000", "service_tier=batch", "0.3")]
    [InlineData("chat-1", "input.text.cache_write_5m=200000", "", "0.75")]
    [InlineData("chat-1", "input.text.cache_write_1h=200000", "", "1.2")]
    [InlineData("chat-1", "input.text.cache_write_1h=1000000", "", "6")]
    [InlineData("chat-1", "output.text.reasoning=1000000", "", "20")]
    [InlineData("chat-1", "input.audio=100000", "", "4")]
    [InlineData("chat-1", "request=2", "search_context_size=low", "0.06")]
    [InlineData("tiers", "input.text=32000", "", "0.0096")]
    [InlineData("tiers", "input.text=32001", "", "0.0160005")]
    [InlineData("tiers", "input.text=128001", "", "NoClassPrice")]
    [InlineData("whisper", "second=60", "", "0.006")]
    [InlineData("painter", "image=2", "", "0.08")]
    [InlineData("speaker", "character=1000", "", "0.015")]
    [InlineData("reader", "page=3", "", "0.003")]
    [InlineData("ranker", "request=1", "", "0.002")]
    [InlineData("broken", "input.text=1", "", "NoModelPrice")]
    public void LiteLlm_Prices_AreThoseOfTheMap(string model, string counts, string tags, string amount) =>
        Assert.Equal(amount, Price(Import(PriceCatalogue.LiteLlm, LiteLlm), model, counts, tags));

    [Theory]
    [InlineData("2026-11-20T16:29:59Z", "0.27")]
    [InlineData("2026-11-20T16:30:00Z", "0.135")]
    [InlineData("2026-11-20T00:29:59Z", "0.135")]
    [InlineData("2026-11-20T00:30:00Z", "0.27")]
    public void LiteLlm_OffPeakHours_AreRules(string time, string amount) => Assert.Equal(
        amount, Price(Import(PriceCatalogue.LiteLlm, LiteLlm), "night", "input.text=1000000", "", time));

    [Fact]
    public void LiteLlm_WhatABookCannotSay_IsListed()
    {
        string[] notes = [.. Import(PriceCatalogue.LiteLlm, LiteLlm).Notes.Select(n => $"{n.Kind} {n.Where}")];
        Assert.Equal(
            [
                "Differs lab/chat-1: cache_creation_input_token_cost",
                "LeftOut lab/chat-1: file_search_cost_per_1k_calls",
                "LeftOut chat-1", "LeftOut painter: input_cost_per_pixel", "LeftOut broken: input_cost_per_token",
                "LeftOut broken",
            ],
            notes);
    }

    [Theory]
    [InlineData("chat-2", "input.text=200000,output.text=1000", "", "0.515")]
    [InlineData("chat-2", "input.text=200001,output.text=1000", "", "0.5150025")] // 272 000 is the bound
    [InlineData("chat-2", "input.text=272000,output.text=1000", "", "0.695")]
    [InlineData("chat-2", "input.text=272001,output.text=1000", "", "1.382505")]
    [InlineData("chat-2", "input.text=1000,output.text=1000", "service_tier=priority", "0.035")]
    [InlineData("chat-2", "input.text.cache_read=100000,input.text.cache_write_1h=100000", "", "0.3375")]
    [InlineData("chat-2", "output.text.reasoning=1000,input.audio=1000", "", "0.052")]
    [InlineData("free-1", "input.text=5", "", "0")]
    [InlineData("nothing", "input.text=5", "", "NoModelPrice")]
    public void ModelsDev_Prices_AreThoseOfTheFile(string model, string counts, string tags, string amount) =>
        Assert.Equal(amount, Price(Import(PriceCatalogue.ModelsDev, ModelsDev), model, counts, tags));

    [Fact]
    public void ModelsDev_WhatABookCannotSay_IsListed()
    {
        string[] notes = [.. Import(PriceCatalogue.ModelsDev, ModelsDev).Notes.Select(n => $"{n.Kind} {n.Where}")];
        Assert.Equal(
            [
                "LeftOut lab/chat-2: training", "LeftOut lab/chat-2: mode odd", "LeftOut lab/nothing",
                "Differs catalogue",
            ],
            notes);
    }
}
