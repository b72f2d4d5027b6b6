using System.Text.Json;
using Ciyuan.Counting;
using Ciyuan.Usage;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>What an answer used, for the place that the caller's protocol has for it. It comes from the same reading of
/// the upstream's own words as the record.</summary>
/// <param name="Fresh">Tokens in that no cache had.</param>
/// <param name="CacheRead">Tokens in that a cache had.</param>
/// <param name="CacheWrite">Tokens in that went into a cache.</param>
/// <param name="Written">Tokens out but for thinking.</param>
/// <param name="Thought">Tokens of thinking.</param>
internal readonly record struct AnswerUsage(long Fresh, long CacheRead, long CacheWrite, long Written, long Thought)
{
    internal long Input => Fresh + CacheRead + CacheWrite;

    internal long Output => Written + Thought;

    /// <summary>Sums up a reading; null when it says nothing.</summary>
    internal static AnswerUsage? From(UsageReading? reading)
    {
        if (reading is not { Refusal: null })
        {
            return null;
        }

        var sums = new long[5];
        foreach (Count count in reading.Counts)
        {
            if (count.Meter.IsTokens)
            {
                sums[PlaceOf(count.Meter.TokenClass)] += count.Steps;
            }
        }

        return new AnswerUsage(sums[0], sums[1], sums[2], sums[3], sums[4]);
    }

    private static int PlaceOf(TokenClass tokens) => (tokens.Direction, tokens.Kind) switch
    {
        (Direction.Input, TokenKind.CacheRead) => 1,
        (Direction.Input, TokenKind.CacheWrite or TokenKind.CacheWrite5M or TokenKind.CacheWrite1H) => 2,
        (Direction.Input, _) => 0,
        (_, TokenKind.Reasoning) => 4,
        _ => 3,
    };

    /// <summary>Writes it as OpenAI does: cached tokens within those in, thinking within those out.</summary>
    internal void WriteOpenAI(Utf8JsonWriter json)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", Input);
        json.WriteNumber("completion_tokens", Output);
        json.WriteNumber("total_tokens", Input + Output);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", CacheRead);
        if (CacheWrite > 0)
        {
            json.WriteNumber("cache_write_tokens", CacheWrite);
        }

        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", Thought);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Writes it as OpenAI's responses do.</summary>
    internal void WriteResponses(Utf8JsonWriter json)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", Input);
        json.WriteStartObject("input_tokens_details");
        json.WriteNumber("cached_tokens", CacheRead);
        json.WriteNumber("cache_write_tokens", CacheWrite);
        json.WriteEndObject();
        json.WriteNumber("output_tokens", Output);
        json.WriteStartObject("output_tokens_details");
        json.WriteNumber("reasoning_tokens", Thought);
        json.WriteEndObject();
        json.WriteNumber("total_tokens", Input + Output);
        json.WriteEndObject();
    }

    /// <summary>Writes it as Anthropic does: cached tokens beside those in, thinking within those out.</summary>
    internal void WriteAnthropic(Utf8JsonWriter json)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", Fresh);
        json.WriteNumber("cache_creation_input_tokens", CacheWrite);
        json.WriteNumber("cache_read_input_tokens", CacheRead);
        json.WriteNumber("output_tokens", Output);
        if (Thought > 0)
        {
            json.WriteStartObject("output_tokens_details");
            json.WriteNumber("thinking_tokens", Thought);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Writes it as Gemini does: cached tokens within those in, thinking beside those out.</summary>
    internal void WriteGemini(Utf8JsonWriter json)
    {
        json.WriteStartObject("usageMetadata");
        json.WriteNumber("promptTokenCount", Input);
        if (CacheRead > 0)
        {
            json.WriteNumber("cachedContentTokenCount", CacheRead);
        }

        json.WriteNumber("candidatesTokenCount", Written);
        if (Thought > 0)
        {
            json.WriteNumber("thoughtsTokenCount", Thought);
        }

        json.WriteNumber("totalTokenCount", Input + Output);
        json.WriteEndObject();
    }
}
