using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// Gemini's schemas in the words of JSON Schema: types in small letters, and <c>nullable</c> as one more type. The
/// other way needs no words: Gemini takes JSON Schema in a field of its own.
/// </summary>
internal static class GeminiSchema
{
    /// <summary>The schema as JSON.</summary>
    internal static string ToJsonSchema(Node schema)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (Utf8JsonWriter json = JsonText.Open(buffer))
        {
            Write(json, schema);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, Node schema)
    {
        bool nullable = schema.Find("nullable") is { Truth: true };
        json.WriteStartObject();
        foreach (Node field in schema.Fields)
        {
            switch (field.Name)
            {
                case "nullable":
                    break;
                case "type" when field.IsText:
                    WriteType(json, field.Text.ToLowerInvariant(), nullable);
                    break;
                case "properties" or "anyOf" or "any_of":
                    WriteSchemas(json, field);
                    break;
                case "items" when field.IsObject:
                    json.WritePropertyName(field.Name);
                    Write(json, field);
                    break;
                // Numbers that go over 32 bits come as texts.
                case "minItems" or "maxItems" or "minLength" or "maxLength" or "minProperties" or "maxProperties"
                    when field.IsText:
                    json.WriteNumber(
                        field.Name,
                        long.TryParse(field.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                            ? number
                            : throw field.Fault("must be a whole number"));
                    break;
                default:
                    json.WritePropertyName(field.Name);
                    field.At.WriteTo(json);
                    break;
            }
        }

        json.WriteEndObject();
    }

    private static void WriteSchemas(Utf8JsonWriter json, Node field)
    {
        if (field.Name == "properties")
        {
            json.WriteStartObject(field.Name);
            foreach (Node property in field.Fields)
            {
                json.WritePropertyName(property.Name);
                Write(json, property);
            }

            json.WriteEndObject();
            return;
        }

        json.WriteStartArray("anyOf");
        foreach (Node one in field.Items)
        {
            Write(json, one);
        }

        json.WriteEndArray();
    }

    private static void WriteType(Utf8JsonWriter json, string type, bool nullable)
    {
        if (!nullable || type.Length == 0)
        {
            json.WriteString("type", type);
            return;
        }

        JsonText.Write(json, "type", [type, "null"]);
    }
}
