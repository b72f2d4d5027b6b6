using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Ciyuan.Server.Prices;

/// <summary>What the catalogues have in common: JSON whose numbers are taken as they are written.</summary>
internal static class CatalogueJson
{
    /// <summary>A price with more digits than this is a product of floating point, and is rounded to it.</summary>
    private const int MostDigits = 12;

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

    /// <summary>The price that was meant: of more digits than anybody publishes, the first ones; and that is
    /// noted.</summary>
    internal static ExactNumber Plain(ExactNumber price, string where, List<ImportNote> notes)
    {
        ExactNumber plain = price.Rounded(MostDigits);
        var note = new ImportNote(ImportNoteKind.Differs, where,
            $"{price} has the digits of floating point; taken as {plain}");
        if (plain != price && !notes.Contains(note))
        {
            notes.Add(note);
        }

        return plain;
    }
}
