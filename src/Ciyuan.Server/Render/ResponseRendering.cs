using System.Globalization;
using System.Text.Json;
using Ciyuan.Counting;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Usage;

namespace Ciyuan.Server.Render;

/// <summary>A response that was looked at.</summary>
/// <param name="Number">Which of the file, from 1.</param>
/// <param name="Response">What it says; null when it could not be read.</param>
/// <param name="Fault">Why not.</param>
/// <param name="Prices">What its usage costs, then that of each other model in it; empty when no book was
/// asked.</param>
public sealed record ResponseLine(
    int Number, RatedResponse? Response, IngestFault Fault, IReadOnlyList<PriceExplanation> Prices);

/// <summary>Writes what responses use, without recording it. In JSON quantities are decimal strings.</summary>
public static class ResponseRendering
{
    /// <summary>The classes of responses in each format.</summary>
    public static Rendering Render(IReadOnlyList<ResponseLine> lines) => new(() => ToTable(lines), json =>
        WriteJson(json, lines));

    /// <summary>A quantity in its unit.</summary>
    internal static string Quantity(Count count) =>
        (count.Steps / (decimal)count.Meter.StepsPerUnit).ToString("0.######", CultureInfo.InvariantCulture);

    private static Table ToTable(IReadOnlyList<ResponseLine> lines)
    {
        bool isPriced = lines.Any(line => line.Prices.Count > 0);
        TableColumn[] charges =
            [new("price"), new("from"), new("amount", IsNumber: true), new("currency")];
        var table = new Table([
            new("response", IsNumber: true), new("model"), new("class"), new("quantity", IsNumber: true), new("grade"),
            .. isPriced ? charges : [], new("findings"),
        ])
        {
            Scope = ["Scope: the responses of this file; nothing was recorded. A token is in one class only"],
            Notes = [.. lines.SelectMany(Sentences)],
        };
        foreach (ResponseLine line in lines)
        {
            foreach (string[] row in Rows(line))
            {
                table.Add(isPriced ? row : [.. row[..5], row[^1]]);
            }
        }

        return table;
    }

    // Response, model, class, quantity, grade, price, from, amount, currency, findings.
    private static IEnumerable<string[]> Rows(ResponseLine line)
    {
        string number = line.Number.ToString(CultureInfo.InvariantCulture);
        if (line.Response?.Reading is not { } first)
        {
            yield return [number, "", "", "", "refused", "", "", "", "", line.Fault.Message];
            yield break;
        }

        UsageReading[] readings = [first, .. first.Others];
        for (int i = 0; i < readings.Length; i++)
        {
            UsageReading reading = readings[i];
            if (reading.Refusal is { } refusal)
            {
                yield return [number, reading.Model, "", "", "refused", "", "", "", "", refusal.ToString()];
                continue;
            }

            PriceExplanation? price = i < line.Prices.Count ? line.Prices[i] : null;
            string findings = string.Join(' ', reading.Findings.Select(f => f.CodeName).Distinct());
            foreach (Count count in reading.Counts)
            {
                ExplainedCount? cost = price?.Counts.FirstOrDefault(c => c.Meter == count.Meter);
                yield return [number, reading.Model, count.Meter.ToString(), Quantity(count), Word(count.Grade),
                    cost?.Price ?? "", cost?.From ?? "", cost?.Amount ?? "", cost is null ? ""
                        : price!.Currency.ToString(),
                    findings];
            }

            if (price is not null)
            {
                bool isCharged = price.Reason == SuspenseReason.None;
                yield return [number, reading.Model, "charge", "", "", "", price.MatchedName,
                    isCharged ? price.Amount.ToString() : "", price.Currency.ToString(),
                    isCharged ? "" : $"suspense: {Word(price.Reason)}"];
            }
        }
    }

    private static IEnumerable<string> Sentences(ResponseLine line) =>
        line.Response?.Reading.Findings.Select(f => $"Response {line.Number}: {f}") ?? [];

    private static void WriteJson(Utf8JsonWriter json, IReadOnlyList<ResponseLine> lines)
    {
        json.WriteStartObject();
        json.WriteStartArray("responses");
        foreach (ResponseLine line in lines)
        {
            json.WriteStartObject();
            json.WriteNumber("response", line.Number);
            if (line.Response is { } response)
            {
                json.WriteString("time", response.Time?.ToString());
                json.WriteString("provider", response.Provider);
                WriteReading(json, response.Reading, line.Prices, 0);
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

    private static void WriteReading(
        Utf8JsonWriter json, UsageReading reading, IReadOnlyList<PriceExplanation> prices, int index)
    {
        json.WriteString("id", reading.ResponseId);
        json.WriteString("model", reading.Model);
        json.WriteString("outcome", Word(reading.Outcome));
        json.WriteString("grade", Word(reading.Grade));
        if (reading.Refusal is { } refusal)
        {
            json.WriteString("refused", refusal.ToString());
        }

        WriteMap(json, "counts", reading.Counts.Select(c => (c.Meter.ToString(), Quantity(c))));
        WriteMap(json, "tags", reading.Tags.Select(t => (t.Name, t.Value)));
        json.WriteString("stated_cost", reading.StatedCost is { } cost ? $"{cost.Amount} {cost.Currency}" : null);
        WriteFindings(json, reading.Findings);
        if (index < prices.Count)
        {
            WritePrice(json, prices[index]);
        }

        json.WriteStartArray("others");
        foreach (UsageReading other in reading.Others)
        {
            json.WriteStartObject();
            WriteReading(json, other, prices, ++index);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMap(
        Utf8JsonWriter json, string name, IEnumerable<(string Name, string Value)> entries)
    {
        json.WriteStartObject(name);
        foreach ((string key, string value) in entries)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static void WriteFindings(Utf8JsonWriter json, IReadOnlyList<Finding> findings)
    {
        json.WriteStartArray("findings");
        foreach (Finding finding in findings)
        {
            json.WriteStartObject();
            json.WriteString("code", finding.CodeName);
            json.WriteString("weight", Word(finding.Weight));
            json.WriteString("path", finding.Path);
            json.WriteString("text", finding.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePrice(Utf8JsonWriter json, PriceExplanation price)
    {
        bool isCharged = price.Reason == SuspenseReason.None;
        json.WriteStartObject("charge");
        json.WriteString("amount", isCharged ? price.Amount.ToString() : null);
        json.WriteString("currency", price.Currency.ToString());
        json.WriteString("suspense", isCharged ? null : Word(price.Reason));
        json.WriteString("line", price.Line);
        json.WriteString("matched", price.MatchedName);
        json.WriteStartArray("counts");
        foreach (ExplainedCount count in price.Counts)
        {
            json.WriteStartObject();
            json.WriteString("class", count.Meter.ToString());
            json.WriteString("price", count.Price);
            json.WriteString("from", count.From);
            json.WriteString("amount", count.Amount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

}
