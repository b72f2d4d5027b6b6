using System.Buffers;
using System.Text.Json;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Measures texts where nobody counted their tokens: for calls without usage, and for streams that broke off. It only
/// looks at what is text of the answer, never at errors or at the JSON around it.
/// </summary>
/// <param name="answer">Counts the same texts by the model's vocabulary; null when that is not known.</param>
internal sealed class TextMeter(AnswerText? answer = null)
{
    /// <summary>Names under which the protocols send text that a model wrote.</summary>
    private static readonly JsonNames TextNames = new(
        "content", "text", "delta", "refusal", "output_text",
        "thinking", "reasoning_content", "reasoning",
        "arguments", "partial_json");

    private const int FirstOfReasoning = 5;

    private const int FirstOfArguments = 8;

    /// <summary>Names of objects that tell what is told elsewhere too, or is not of the model.</summary>
    private static readonly JsonNames Others = new("error", "reasoning_details", "logprobs", "usage");

    /// <summary>Names under which arguments of a tool come as an object instead of a text.</summary>
    private static readonly JsonNames ArgumentObjects = new("input", "args");

    private long _ascii;
    private long _wide;

    /// <summary>Tokens of what was measured.</summary>
    internal long Tokens => Estimate(_ascii, _wide);

    /// <summary>Whether anything was measured.</summary>
    internal bool HasText => _ascii + _wide > 0;

    /// <summary>
    /// A token for each four bytes of ASCII and for each other character: somewhat more than common vocabularies make
    /// of English prose and of Chinese.
    /// </summary>
    internal static long Estimate(long asciiBytes, long wideCharacters) => ((asciiBytes + 3) / 4) + wideCharacters;

    /// <summary>Counts ASCII bytes, and other characters by their first byte. An escaped character (<c>\u4e2d</c>)
    /// counts as its six bytes of ASCII.</summary>
    internal static (long Ascii, long Wide) Measure(ReadOnlySpan<byte> text)
    {
        long ascii = 0;
        long wide = 0;
        foreach (byte b in text)
        {
            ascii += b < 0x80 ? 1 : 0;
            wide += b >= 0xC0 ? 1 : 0;
        }

        return (ascii, wide);
    }

    /// <summary>Measures the texts of an event or of a whole answer; what is no JSON is passed over.</summary>
    internal void Add(ReadOnlySpan<byte> data)
    {
        try
        {
            var json = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = CallFacts.Depth });
            AnswerPart? part = null;
            bool isObject = false;
            while (json.Read())
            {
                if (json.TokenType == JsonTokenType.PropertyName)
                {
                    part = FindPart(ref json);
                    isObject = part is null && ArgumentObjects.Find(ref json) >= 0;
                    if (part is null && !isObject && Others.Find(ref json) >= 0)
                    {
                        json.Skip();
                    }
                }
                else if (json.TokenType == JsonTokenType.String && part is { } of)
                {
                    Add(of, ref json);
                }
                else if (json.TokenType == JsonTokenType.StartObject && isObject)
                {
                    AddObject(data, ref json);
                    isObject = false;
                }
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Half an event, no JSON, or text that is not UTF-8: what was measured so far stands.
        }
    }

    private void Add(AnswerPart part, ref Utf8JsonReader json)
    {
        ReadOnlySpan<byte> text = json.ValueSpan;
        (long ascii, long wide) = Measure(text);
        _ascii += ascii;
        _wide += wide;
        if (answer is null || text.IsEmpty)
        {
            return;
        }

        if (!json.ValueIsEscaped)
        {
            answer.Add(part, text);
            return;
        }

        byte[] plain = ArrayPool<byte>.Shared.Rent(text.Length);
        try
        {
            answer.Add(part, plain.AsSpan(0, json.CopyString(plain)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    private void AddObject(ReadOnlySpan<byte> data, ref Utf8JsonReader json)
    {
        int start = (int)json.TokenStartIndex;
        json.Skip();
        ReadOnlySpan<byte> text = data[start..(int)json.BytesConsumed];
        if (text.Length > 2) // more than the empty object with which a stream of arguments begins
        {
            (long ascii, long wide) = Measure(text);
            _ascii += ascii;
            _wide += wide;
            answer?.Add(AnswerPart.Arguments, text);
        }
    }

    private static AnswerPart? FindPart(ref Utf8JsonReader json) => TextNames.Find(ref json) switch
    {
        < 0 => null,
        < FirstOfReasoning => AnswerPart.Text,
        < FirstOfArguments => AnswerPart.Reasoning,
        _ => AnswerPart.Arguments,
    };
}
