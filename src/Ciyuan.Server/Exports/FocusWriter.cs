using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ciyuan.Server.Exports;

/// <summary>Writes rows as CSV (RFC 4180, lines ended by CR LF, null as an empty field) or as JSON lines.</summary>
internal static class FocusWriter
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static void WriteCsv(Stream output, IReadOnlyList<FocusColumn> columns, IEnumerable<FocusRow> rows)
    {
        using var text = new StreamWriter(output, new UTF8Encoding(false), 1 << 16, leaveOpen: true);
        WriteLine(text, columns.Select(column => (string?)column.Id));
        foreach (FocusRow row in rows)
        {
            WriteLine(text, columns.Select(column => column.Of(row)));
        }
    }

    internal static void WriteJsonLines(Stream output, IReadOnlyList<FocusColumn> columns, IEnumerable<FocusRow> rows)
    {
        using var json = new Utf8JsonWriter(output, Relaxed);
        foreach (FocusRow row in rows)
        {
            json.WriteStartObject();
            foreach (FocusColumn column in columns)
            {
                json.WritePropertyName(column.Id);
                string? value = column.Of(row);
                if (value is null)
                {
                    json.WriteNullValue();
                }
                else if (column.Kind == FocusKind.Text)
                {
                    json.WriteStringValue(value);
                }
                else
                {
                    json.WriteRawValue(value); // plain decimals, and objects written by ourselves
                }
            }

            json.WriteEndObject();
            json.Flush();
            json.Reset();
            output.WriteByte((byte)'\n');
        }
    }

    private static void WriteLine(TextWriter output, IEnumerable<string?> cells)
    {
        string between = "";
        foreach (string? cell in cells)
        {
            output.Write(between);
            between = ",";
            output.Write(cell.AsSpan().ContainsAny(",\"\r\n")
                ? $"\"{cell!.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell);
        }

        output.Write("\r\n");
    }
}
