using System.Text.Json;

namespace Ciyuan.Server.Gateway;

/// <summary>
/// Measures texts where nobody counted their tokens: for calls without usage, and for streams that broke off. It only
/// looks at what is text of the answer, never at errors or at the JSON around it.
/// </summary>
internal sealed class TextMeter
{
    /// <summary>Names under which the protocols send text that a model wrote.</summary>
    private static readonly string[] TextNames =
    [
        "content", "text", "delta", "thinking", "reasoning_content", "reasoning", "arguments", "partial_json",
        "refusal", "output_text",
    ];

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
            bool isText = false;
            while (json.Read())
            {
                if (json.TokenType == JsonTokenType.PropertyName)
                {
                    isText = IsTextName(ref json);
                    if (!isText && json.ValueTextEquals("error"u8))
                    {
                        json.Skip();
                    }
                }
                else if (json.TokenType == JsonTokenType.String && isText)
                {
                    (long ascii, long wide) = Measure(json.ValueSpan);
                    _ascii += ascii;
                    _wide += wide;
                }
            }
        }
        catch (JsonException)
        {
            // Half an event, or no JSON: what was measured so far stands.
        }
    }

    private static bool IsTextName(ref Utf8JsonReader json)
    {
        foreach (string name in TextNames)
        {
            if (json.ValueTextEquals(name))
            {
                return true;
            }
        }

        return false;
    }
}
