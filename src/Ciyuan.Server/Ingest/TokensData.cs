using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>The short form in the data of an event: <c>tokens</c> with a <c>type</c>, or <c>prompt_tokens</c> and
/// <c>completion_tokens</c> as OpenAI's usage names them.</summary>
internal sealed class TokensData
{
    private long? _tokens;
    private long? _prompt;
    private long? _completion;
    private long? _total;
    private string _type = "";

    internal bool IsGiven => _tokens is not null || _prompt is not null || _completion is not null || _total is not null
        || _type.Length > 0;

    internal void Reset()
    {
        _tokens = _prompt = _completion = _total = null;
        _type = "";
    }

    internal bool TryTake(UsageField field, ref Utf8JsonReader reader, RecordBuilder builder)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return true;
        }

        if (field == UsageField.Type)
        {
            _type = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
            return _type.Length > 0 || builder.Refuse(IngestCode.BadValue, "type", TypesTaken);
        }

        long steps = 0;
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String) || reader.ValueIsEscaped
            || !Utf8Decimal.TryParseSteps(reader.ValueSpan, 0, out steps))
        {
            return builder.Refuse(
                IngestCode.BadValue, field.Name(), $"must be a whole number from 0 to {UsageRecord.MaxSteps}");
        }

        switch (field)
        {
            case UsageField.Tokens:
                _tokens = steps;
                break;
            case UsageField.PromptTokens:
                _prompt = steps;
                break;
            case UsageField.CompletionTokens:
                _completion = steps;
                break;
            default:
                _total = steps;
                break;
        }

        return true;
    }

    /// <summary>Turns what was taken into counts.</summary>
    internal bool TryAddCounts(RecordBuilder builder)
    {
        if (_tokens is { } tokens)
        {
            bool alone = _prompt is null && _completion is null && _total is null;
            return alone
                ? TryAddTyped(builder, tokens)
                : builder.Refuse(
                    IngestCode.Contradiction, "tokens", "stands for one class: leave out prompt_tokens and the like");
        }

        if (_type.Length > 0 || (_total is not null && _prompt is null && _completion is null))
        {
            return builder.Refuse(IngestCode.Missing, "tokens", "is missing: a type or a total alone counts nothing");
        }

        if (_total is { } total && total != (_prompt ?? 0) + (_completion ?? 0))
        {
            return builder.Refuse(IngestCode.Contradiction, "total_tokens", "is not prompt_tokens + completion_tokens");
        }

        return (_prompt is not { } prompt || builder.TryAddCount(TokenClass.InputText, prompt))
            && (_completion is not { } completion || builder.TryAddCount(TokenClass.OutputText, completion));
    }

    private const string TypesTaken =
        "must be input, prompt, system, output, completion, reasoning, cached or cache_read; "
        + "other classes go under counts";

    private bool TryAddTyped(RecordBuilder builder, long tokens)
    {
        (Direction Direction, TokenKind Kind)? known = _type switch
        {
            "input" or "prompt" or "system" => (Direction.Input, TokenKind.Fresh),
            "output" or "completion" => (Direction.Output, TokenKind.Fresh),
            "reasoning" => (Direction.Output, TokenKind.Reasoning),
            "cached" or "cache_read" => (Direction.Input, TokenKind.CacheRead),
            _ => null,
        };
        return known is { } tokenClass
            ? builder.TryAddCount(new TokenClass(tokenClass.Direction, Modality.Text, tokenClass.Kind), tokens)
            : builder.Refuse(IngestCode.BadValue, "type", TypesTaken);
    }
}
