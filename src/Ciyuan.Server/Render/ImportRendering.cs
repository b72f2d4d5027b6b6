using System.Globalization;
using System.Text.Json;
using Ciyuan.Server.Ingest;

namespace Ciyuan.Server.Render;

/// <summary>Writes what an import did.</summary>
public static class ImportRendering
{
    /// <summary>A summary in each format.</summary>
    /// <param name="tally">What was done.</param>
    /// <param name="elapsed">How long it took.</param>
    public static Rendering Render(ImportTally tally, TimeSpan elapsed) =>
        new(() => ToTable(tally, elapsed), json => WriteJson(json, tally, elapsed));

    private static Table ToTable(ImportTally tally, TimeSpan elapsed)
    {
        var table = new Table([new("import"), new("count", IsNumber: true)])
        {
            Scope = ["Scope: the lines of the files of this run; tokens are those of the records posted now"],
            Notes = [.. tally.RejectFiles.Select(file => $"Refused lines, with reasons: {file}")],
        };
        foreach ((string name, long value) in Figures(tally, elapsed))
        {
            table.Add(name, value.ToString(CultureInfo.InvariantCulture));
        }

        return table;
    }

    private static void WriteJson(Utf8JsonWriter json, ImportTally tally, TimeSpan elapsed)
    {
        json.WriteStartObject();
        foreach ((string name, long value) in Figures(tally, elapsed))
        {
            if (name.EndsWith("tokens", StringComparison.Ordinal))
            {
                json.WriteString(name, value.ToString(CultureInfo.InvariantCulture));
            }
            else
            {
                json.WriteNumber(name, value);
            }
        }

        json.WriteStartArray("reject_files");
        foreach (string file in tally.RejectFiles)
        {
            json.WriteStringValue(file);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static IEnumerable<(string Name, long Value)> Figures(ImportTally tally, TimeSpan elapsed)
    {
        long milliseconds = Math.Max(1, (long)elapsed.TotalMilliseconds);
        return
        [
            ("read", tally.Read),
            ("posted", tally.Posted),
            ("already_there", tally.Existing),
            ("conflicts", tally.Conflicts),
            ("rejected", tally.Rejected),
            ("in_suspense", tally.InSuspense),
            ("overrun", tally.Overrun),
            ("over_hold", tally.OverHold),
            ("hold_not_open", tally.HoldNotOpen),
            ("input_tokens", tally.InputTokens),
            ("output_tokens", tally.OutputTokens),
            ("milliseconds", milliseconds),
            ("records_per_second", tally.Read * 1000 / milliseconds),
        ];
    }
}
