using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>JSON as it goes to upstreams and clients: never part of a page, so that quotes and other letters need not
/// be written as their numbers.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Plain =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = CallFacts.Depth * 2 };

    /// <summary>How nodes are written.</summary>
    internal static JsonSerializerOptions Writing { get; } =
        new() { Encoder = Plain.Encoder, MaxDepth = Plain.MaxDepth };

    /// <summary>How bodies are read.</summary>
    internal static JsonDocumentOptions Reading { get; } = new() { MaxDepth = CallFacts.Depth };

    /// <summary>Opens a writer.</summary>
    internal static Utf8JsonWriter Open(IBufferWriter<byte> to) => new(to, Plain);

    /// <summary>Whether a text is one JSON object.</summary>
    internal static bool IsObject(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Reading);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Writes a text field if the text is not empty.</summary>
    internal static void WriteUnlessEmpty(Utf8JsonWriter json, string name, string text)
    {
        if (text.Length > 0)
        {
            json.WriteString(name, text);
        }
    }

    /// <summary>Writes a field of JSON as it stands.</summary>
    internal static void WriteRaw(Utf8JsonWriter json, string name, string raw)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(raw, skipInputValidation: true);
    }

    /// <summary>Writes a number if it was said.</summary>
    internal static void Write(Utf8JsonWriter json, string name, Said<double>? number)
    {
        if (number is { } said)
        {
            json.WriteNumber(name, said.Value);
        }
    }

    /// <summary>Writes a whole number if it was said.</summary>
    internal static void Write(Utf8JsonWriter json, string name, Said<long>? number)
    {
        if (number is { } said)
        {
            json.WriteNumber(name, said.Value);
        }
    }

    /// <summary>Writes a list of texts.</summary>
    internal static void Write(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
