using System.Globalization;
using System.Text.Json;
using Ciyuan.Counting;
using Ciyuan.Server.Ingest;
using Ciyuan.Usage;

namespace Ciyuan.Server.Render;

/// <summary>A response that was looked at.</summary>
/// <param name="Number">Which of the file, from 1.</param>
/// <param name="Response">What it says; null when it could not be read.</param>
/// <param name="Fault">Why not.</param>
public sealed record RatedLine(int Number, RatedResponse? Response, IngestFault Fault);

/// <summary>Writes what responses use, without recording it. In JSON quantities are decimal strings.</summary>
public static class ResponseRendering
{
    /// <summary>The classes of responses in each format.</summary>
    public static Rendering Render(IReadOnlyList<RatedLine> lines) => new(() => ToTable(lines), json =>
        WriteJson(json, lines));

    /// <summary>A quantity in its unit.</summary>
    internal static string Quantity(Count count) =>
        (count.Steps / (decimal)count.Meter.StepsPerUnit).ToString("0.######", CultureInfo.InvariantCulture);

    private static Table ToTable(IReadOnlyList<RatedLine> lines)
    {
        var table = new Table([
            new("response", IsNumber: true), new("model"), new("class"), new("quantity", IsNumber: true), new("grade"),
            new("findings"),
        ])
        {
            Scope = ["Scope: the responses of this file; nothing was recorded. A token is in one class only"],
            Notes = [.. lines.SelectMany(Sentences)],
        };
        foreach ((int number, UsageReading? reading, string refusal) in lines.SelectMany(Readings))
        {
            if (reading is null || reading.Counts.Length == 0)
            {
                table.Add(Text(number), reading?.Model ?? "", "", "", "refused", refusal);
                continue;
            }

            string findings = string.Join(' ', reading.Findings.Select(f => f.CodeName).Distinct());
            foreach (Count count in reading.Counts)
            {
                table.Add(Text(number), reading.Model, count.Meter.ToString(), Quantity(count), Word(count.Grade),
                    findings);
            }
        }

        return table;
    }

    private static IEnumerable<(int Number, UsageReading? Reading, string Refusal)> Readings(RatedLine line)
    {
        if (line.Response?.Reading is not { } reading)
        {
            return [(line.Number, null, line.Fault.Message)];
        }

        return new[] { reading }.Concat(reading.Others)
            .Select(r => (line.Number, (UsageReading?)r, r.Refusal?.ToString() ?? ""));
    }

    private static IEnumerable<string> Sentences(RatedLine line) =>
        line.Response?.Reading.Findings.Select(f => $"Response {line.Number}: {f}") ?? [];

    private static void WriteJson(Utf8JsonWriter json, IReadOnlyList<RatedLine> lines)
    {
        json.WriteStartObject();
        json.WriteStartArray("responses");
        foreach (RatedLine line in lines)
        {
            json.WriteStartObject();
            json.WriteNumber("response", line.Number);
            if (line.Response is { } response)
            {
                json.WriteString("time", response.Time?.ToString());
                json.WriteString("provider", response.Provider);
                WriteReading(json, response.Reading);
            }
            else
            {
                json.WriteString("refused", line.Fault.Message);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteReading(Utf8JsonWriter json, UsageReading reading)
    {
        json.WriteString("id", reading.ResponseId);
        json.WriteString("model", reading.Model);
        json.WriteString("outcome", Word(reading.Outcome));
        json.WriteString("grade", Word(reading.Grade));
        if (reading.Refusal is { } refusal)
        {
            json.WriteString("refused", refusal.ToString());
        }

        json.WriteStartObject("counts");
        foreach (Count count in reading.Counts)
        {
            json.WriteString(count.Meter.ToString(), Quantity(count));
        }

        json.WriteEndObject();
        json.WriteStartObject("tags");
        foreach (Tag tag in reading.Tags)
        {
            json.WriteString(tag.Name, tag.Value);
        }

        json.WriteEndObject();
        json.WriteString("stated_cost", reading.StatedCost is { } cost ? $"{cost.Amount} {cost.Currency}" : null);
        json.WriteStartArray("findings");
        foreach (Finding finding in reading.Findings)
        {
            json.WriteStartObject();
            json.WriteString("code", finding.CodeName);
            json.WriteString("weight", Word(finding.Weight));
            json.WriteString("path", finding.Path);
            json.WriteString("text", finding.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("others");
        foreach (UsageReading other in reading.Others)
        {
            json.WriteStartObject();
            WriteReading(json, other);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
