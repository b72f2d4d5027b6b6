using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Ingest;

/// <summary>Random usage records, and a writer of the JSON form that is independent of the reader.</summary>
internal static class RandomRecords
{
    private static readonly string[] Alphabet = ["a", "b", "-", "/", "\"", "\\", "é", "词", "元", "😀", " ", "{", "."];

    internal static UsageRecord Make(Random random) => new()
    {
        Id = Name(random, 1),
        Context = UsageContext.FromParts(
            [.. Enumerable.Range(0, UsageContext.Parts).Select(part => Name(random, part == 0 ? 1 : 0))]),
        EventTime = new Timestamp(
            random.NextInt64(long.MinValue, long.MaxValue) / (random.Next(3) == 0 ? 1_000_000_000 : 1)),
        Outcome = (Outcome)random.Next(3),
        LatencyMs = random.Next(2) == 0 ? null : random.Next(),
        Counts = [.. Enumerable.Range(0, 300).Where(_ => random.Next(60) == 0)
            .Select(value => Meter.TryFromValue(value, out Meter meter) ? meter : Meter.Image).Distinct().Order()
            .Select(meter =>
                new Count(meter, (EvidenceGrade)random.Next(5), random.NextInt64(UsageRecord.MaxSteps + 1)))],
        Tags = [.. Enumerable.Range(0, random.Next(4)).Select(_ => Name(random, 1)).Distinct()
            .Order(StringComparer.Ordinal)
            .Select(name => new Tag(name, Name(random, 0)))],
        Hold = Name(random, 0),
    };

    internal static byte[] ToJson(UsageRecord record, Random random)
    {
        var fields = new List<Action<Utf8JsonWriter>>
        {
            w => w.WriteString("id", record.Id),
            w => w.WriteString("time", record.EventTime.ToString()),
            w => w.WriteString("outcome", record.Outcome.ToString().ToLowerInvariant()),
            w => w.WriteString("hold", record.Hold),
            w => WriteMap(w, "counts", record.Counts.Where(c => c.Meter.IsTokens), c => $"{c.Steps}"),
            w => WriteMap(w, "units", record.Counts.Where(c => !c.Meter.IsTokens), c =>
                ((decimal)c.Steps / c.Meter.StepsPerUnit).ToString(CultureInfo.InvariantCulture)),
            w => WriteMap(w, "grades", record.Counts, c => $"\"{c.Grade.ToString().ToLowerInvariant()}\""),
            w =>
            {
                w.WriteStartObject("tags");
                foreach (Tag tag in record.Tags.OrderBy(_ => random.Next()))
                {
                    w.WriteString(tag.Name, tag.Value);
                }

                w.WriteEndObject();
            },
        };
        if (record.LatencyMs is { } ms)
        {
            fields.Add(w => w.WriteNumber("latency_ms", ms));
        }

        string[] parts =
            ["source", "party", "project", "key", "scenario", "model", "model_answered", "provider", "site",
                "operation"];
        for (int i = 0; i < parts.Length; i++)
        {
            (string name, string value) = (parts[i], record.Context[i]);
            fields.Add(w => w.WriteString(name, value));
        }

        var output = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = random.Next(2) == 0 });
        writer.WriteStartObject();
        foreach (Action<Utf8JsonWriter> field in fields.OrderBy(_ => random.Next()))
        {
            field(writer);
        }

        writer.WriteEndObject();
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static void WriteMap(
        Utf8JsonWriter writer, string name, IEnumerable<Count> counts, Func<Count, string> value)
    {
        writer.WriteStartObject(name);
        foreach (Count count in counts.Reverse())
        {
            writer.WritePropertyName(count.Meter.ToString());
            writer.WriteRawValue(value(count));
        }

        writer.WriteEndObject();
    }

    private static string Name(Random random, int least) =>
        string.Concat(Enumerable.Range(0, random.Next(least, 12)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
}
