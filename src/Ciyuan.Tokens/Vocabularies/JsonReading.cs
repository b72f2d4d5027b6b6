using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Members of tokenizer.json and tekken.json, with sentences for those that are missing or of another kind.</summary>
internal static class JsonReading
{
    /// <summary>A member that must be there.</summary>
    internal static JsonElement Need(this JsonElement parent, string name, JsonValueKind kind, string where)
    {
        string path = where.Length == 0 ? name : $"{where}.{name}";
        return parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out JsonElement value)
            ? throw new VocabularyException($"The file has no '{path}'. Is it a tokenizer file, and the right one?")
            : value.ValueKind == kind
                ? value
                : throw new VocabularyException($"'{path}' is {value.ValueKind}, not {kind}.");
    }

    /// <summary>A text, or null when it is absent or null.</summary>
    internal static string? Text(this JsonElement parent, string name) =>
        !parent.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null
            ? null
            : value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : throw new VocabularyException($"'{name}' is {value.ValueKind}, not a text.");

    /// <summary>True or false; false when it is absent or null.</summary>
    internal static bool Flag(this JsonElement parent, string name, string where, bool otherwise = false) =>
        !parent.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null
            ? otherwise
            : value.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? value.GetBoolean()
                : throw new VocabularyException($"'{where}.{name}' is {value.ValueKind}, not true or false.");
}
