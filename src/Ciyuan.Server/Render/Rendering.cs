using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ciyuan.Quantities;

namespace Ciyuan.Server.Render;

/// <summary>A result that can be written in each format. Shared by the command line and the API.</summary>
/// <param name="ToTable">Makes the table.</param>
/// <param name="WriteJson">Writes the JSON object.</param>
public sealed record Rendering(Func<Table> ToTable, Action<Utf8JsonWriter> WriteJson)
{
    private static readonly JsonWriterOptions Indented =
        new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the result in UTF-8.</summary>
    public void Write(Stream output, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            using (var json = new Utf8JsonWriter(output, Indented))
            {
                WriteJson(json);
            }

            output.WriteByte((byte)'\n');
            return;
        }

        using var text = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true);
        if (format == OutputFormat.Csv)
        {
            ToTable().WriteCsv(text);
        }
        else
        {
            ToTable().WriteText(text);
        }
    }

    /// <summary>A bound of a period in JSON: null where it is open.</summary>
    internal static void WriteBound(Utf8JsonWriter json, string name, Timestamp bound)
    {
        if (bound == Timestamp.MinValue || bound == Timestamp.MaxValue)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, bound.ToString());
        }
    }
}
