using System.Text;
using System.Text.Json;

namespace Ciyuan.Tokens.Framing;

/// <summary>
/// Tools as some models are shown them: a namespace of TypeScript types made from the JSON schemas. Documented for
/// gpt-oss; for the hosted models found by others, by comparing with the counts of the API.
/// </summary>
internal static class TypeScriptTools
{
    private const int MaxDepth = 32;

    /// <summary>The text for some tools.</summary>
    /// <param name="tools">The tools.</param>
    /// <param name="withDefaults">Whether a default value is said behind its property.</param>
    public static string Render(IReadOnlyList<ChatTool> tools, bool withDefaults)
    {
        StringBuilder text = new("namespace functions {\n\n");
        foreach (ChatTool tool in tools)
        {
            Remark(text, tool.Description, 0);
            using JsonDocument? schema = Parse(tool.Parameters);
            bool any = schema is not null && Properties(schema.RootElement) is { } p && p.EnumerateObject().Any();
            if (any)
            {
                text.Append("type ").Append(tool.Name).Append(" = (_: {\n");
                Members(text, schema!.RootElement, 0, withDefaults, 0);
                text.Append("}) => any;\n\n");
            }
            else
            {
                text.Append("type ").Append(tool.Name).Append(" = () => any;\n\n");
            }
        }

        return text.Append("} // namespace functions").ToString();
    }

    private static void Members(StringBuilder text, JsonElement schema, int indent, bool withDefaults, int depth)
    {
        HashSet<string?> required =
            schema.TryGetProperty("required", out JsonElement r) && r.ValueKind == JsonValueKind.Array
                ? [.. r.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString())]
                : [];
        foreach (JsonProperty p in Properties(schema)!.Value.EnumerateObject())
        {
            Remark(text, Word(p.Value, "description"), indent);
            text.Append(' ', indent).Append(p.Name).Append(required.Contains(p.Name) ? ": " : "?: ");
            Type(text, p.Value, indent, withDefaults, depth + 1);
            text.Append(',');
            if (withDefaults && p.Value.ValueKind == JsonValueKind.Object
                && p.Value.TryGetProperty("default", out JsonElement value))
            {
                text.Append(" // default: ").Append(value.ToString());
            }

            text.Append('\n');
        }
    }

    private static void Type(StringBuilder text, JsonElement schema, int indent, bool withDefaults, int depth)
    {
        if (depth > MaxDepth || schema.ValueKind != JsonValueKind.Object)
        {
            text.Append("any");
            return;
        }

        if (schema.TryGetProperty("enum", out JsonElement values) && values.ValueKind == JsonValueKind.Array)
        {
            text.AppendJoin(" | ", values.EnumerateArray().Select(
                v => v.ValueKind == JsonValueKind.String ? $"\"{v.GetString()}\"" : v.GetRawText()));
            return;
        }

        string type = Word(schema, "type");
        if (type == "object" && Properties(schema) is not null)
        {
            text.Append("{\n");
            Members(text, schema, indent + 2, withDefaults, depth);
            text.Append('}');
        }
        else if (type == "array")
        {
            if (schema.TryGetProperty("items", out JsonElement items))
            {
                Type(text, items, indent, withDefaults, depth + 1);
            }
            else
            {
                text.Append("any");
            }

            text.Append("[]");
        }
        else
        {
            text.Append(type.Length == 0 ? "any" : type == "integer" ? "number" : type);
        }
    }

    private static void Remark(StringBuilder text, string remark, int indent)
    {
        if (remark.Length > 0)
        {
            text.Append(' ', indent).Append("// ").Append(remark).Append('\n');
        }
    }

    private static JsonElement? Properties(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out JsonElement p)
        && p.ValueKind == JsonValueKind.Object ? p : null;

    private static string Word(JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out JsonElement v)
        && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";

    private static JsonDocument? Parse(string json)
    {
        try
        {
            return JsonDocument.Parse(json.Length == 0 ? "{}" : json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
