using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Ciyuan.Server.Prices;

/// <summary>What the catalogues have in common: JSON whose numbers are taken as they are written.</summary>
internal static class CatalogueJson
{
    internal static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException broken)
        {
            throw new PriceImportException($"The catalogue is not JSON: {broken.Message}");
        }
    }

    internal static IEnumerable<JsonElement> Array(JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.Array
            ? element.EnumerateArray()
            : throw new PriceImportException($"{what} must be an array.");

    internal static IEnumerable<JsonProperty> Object(JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.Object
            ? element.EnumerateObject()
            : throw new PriceImportException($"{what} must be an object.");

    internal static string Text(JsonElement element, string name, string what) => TryText(element, name, out string? text)
        ? text
        : throw new PriceImportException($"{what} needs the text '{name}'.");

    internal static bool TryText(JsonElement element, string name, [NotNullWhen(true)] out string? text)
    {
        text = element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value)
            && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return text is { Length: > 0 };
    }

    /// <summary>A price: a number of 0 or more, or a text of one.</summary>
    internal static bool TryPrice(JsonElement value, out ExactNumber price)
    {
        string text = value.ValueKind switch
        {
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String => value.GetString()!,
            _ => "",
        };
        return ExactNumber.TryParse(text, out price) && !price.IsNegative;
    }
}
