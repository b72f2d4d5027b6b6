using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ciyuan.Tokens.Framing;

/// <summary>JSON as chat templates write it: a space after commas and colons, letters as they are.</summary>
internal static class JsonForms
{
    /// <summary>Rewrites JSON text; text that is no JSON stays as it is.</summary>
    public static string Spaced(string json, int indent = 0)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            StringBuilder text = new();
            Write(document.RootElement, text, indent, 1);
            return text.ToString();
        }
        catch (JsonException)
        {
            return json;
        }
    }

    /// <summary>A JSON string with its quotes.</summary>
    public static string Quoted(string value)
    {
        StringBuilder text = new(value.Length + 2);
        Quote(value, text);
        return text.ToString();
    }

    private static void Write(JsonElement e, StringBuilder text, int indent, int depth)
    {
        switch (e.ValueKind)
        {
            case JsonValueKind.Object:
                WriteAll(e.EnumerateObject(), '{', '}', text, indent, depth, p =>
                {
                    Quote(p.Name, text);
                    text.Append(": ");
                    Write(p.Value, text, indent, depth + 1);
                });
                break;
            case JsonValueKind.Array:
                WriteAll(e.EnumerateArray(), '[', ']', text, indent, depth, v => Write(v, text, indent, depth + 1));
                break;
            case JsonValueKind.String:
                Quote(e.GetString()!, text);
                break;
            default:
                text.Append(e.GetRawText());
                break;
        }
    }

    private static void WriteAll<T>(
        IEnumerable<T> items, char open, char close, StringBuilder text, int indent, int depth, Action<T> write)
    {
        text.Append(open);
        bool first = true;
        foreach (T item in items)
        {
            text.Append(first ? "" : indent > 0 ? "," : ", ");
            Break(text, indent, depth);
            write(item);
            first = false;
        }

        if (!first)
        {
            Break(text, indent, depth - 1);
        }

        text.Append(close);
    }

    private static void Break(StringBuilder text, int indent, int depth)
    {
        if (indent > 0)
        {
            text.Append('\n').Append(' ', indent * depth);
        }
    }

    private static void Quote(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (char c in value)
        {
            text.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => c.ToString(),
            });
        }

        text.Append('"');
    }
}
