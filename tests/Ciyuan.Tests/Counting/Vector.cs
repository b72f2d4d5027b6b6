using System.Globalization;
using System.Text.Json;
using Ciyuan.Counting;
using Ciyuan.Quantities;
using Ciyuan.Tests.Tidy;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Counting;

/// <summary>One worked example: a response (or the events of one) and what has to be read from it.</summary>
internal sealed class Vector
{
    private const string Folder = "tests/Ciyuan.Tests/Counting/Vectors/";

    private readonly JsonElement _line;

    private Vector(string file, JsonElement line) => (File, _line) = (file, line);

    internal string File { get; }

    internal string Name => $"{File}: {_line.GetProperty("name").GetString()}";

    internal string Reader => _line.GetProperty("reader").GetString()!;

    internal JsonElement? Body => Part("body");

    internal JsonElement? Events => Part("events");

    internal bool IsRefused => Part("refused") is not null;

    /// <summary>All vectors, by file.</summary>
    internal static IReadOnlyList<Vector> All { get; } =
        [.. from file in Repository.Files
            where file.StartsWith(Folder, StringComparison.Ordinal)
            from line in Repository.Read(file).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            select new Vector(Path.GetFileNameWithoutExtension(file), JsonDocument.Parse(line).RootElement)];

    /// <summary>Reads it.</summary>
    internal UsageReading Read()
    {
        string[] name = Reader.Split('/');
        UsageReader reader = UsageReaders.Find(name[0], name[1])
            ?? throw new InvalidOperationException($"{Name}: there is no reader {Reader}");
        var options = new ReadingOptions(Part("cache")?.GetString() switch
        {
            "within" => CachePlace.Within,
            "beside" => CachePlace.Beside,
            _ => CachePlace.ByConvention,
        });
        if (Body is { } body)
        {
            return reader.Read(body, options);
        }

        StreamReading stream = reader.OpenStream(options);
        foreach (JsonElement data in Events!.Value.EnumerateArray())
        {
            stream.Add(data);
        }

        return stream.Finish();
    }

    /// <summary>What differs from what is expected, in words; empty when nothing does.</summary>
    internal IEnumerable<string> Differences(UsageReading reading)
    {
        string expected = Counts(Part("counts"));
        string actual = Counts(reading);
        yield return expected == actual ? "" : $"counts {expected} expected, {actual} read";
        string findings = string.Join(' ', (Part("findings")?.EnumerateArray() ?? default)
            .Select(f => f.GetString()!).Order(StringComparer.Ordinal));
        string found = string.Join(' ', reading.Findings.Select(f => f.CodeName).Order(StringComparer.Ordinal));
        yield return findings == found
            ? ""
            : $"findings '{findings}' expected, '{found}': {string.Join("; ", reading.Findings)}";
        yield return Compare("grade", Part("grade")?.GetString() ?? (IsRefused ? null : "reported"),
            reading.Grade.ToString());
        yield return Compare("outcome", Part("outcome")?.GetString() ?? (IsRefused ? null : "ok"),
            reading.Outcome.ToString());
        yield return IsRefused == reading.Refusal is not null ? "" : $"refused: {reading.Refusal}";
        yield return Compare("model", Part("model")?.GetString(), reading.Model);
        yield return Compare("id", Part("id")?.GetString(), reading.ResponseId);
        yield return Compare("created", Part("created")?.GetString(), reading.Created?.ToString() ?? "none");
        yield return Compare("cost", Part("cost")?.GetString(),
            reading.StatedCost is { } cost ? $"{cost.Amount} {cost.Currency}" : "none");
        foreach (JsonProperty tag in Part("tags")?.EnumerateObject() ?? default)
        {
            yield return Compare($"tag {tag.Name}", tag.Value.GetString(),
                reading.Tags.FirstOrDefault(t => t.Name == tag.Name).Value ?? "none");
        }

        JsonElement[] others = [.. Part("others")?.EnumerateArray() ?? default];
        yield return others.Length == reading.Others.Count ? "" : $"{reading.Others.Count} others";
        for (int i = 0; i < Math.Min(others.Length, reading.Others.Count); i++)
        {
            yield return Compare("other",
                $"{others[i].GetProperty("model").GetString()} {Counts(others[i].GetProperty("counts"))}",
                $"{reading.Others[i].Model} {Counts(reading.Others[i])}");
        }
    }

    private static string Compare(string what, string? expected, string actual) =>
        expected is null || expected.Equals(actual, StringComparison.OrdinalIgnoreCase)
            ? ""
            : $"{what} {expected} expected, {actual} read";

    // In the smallest steps of each meter, by its full name.
    private static string Counts(JsonElement? counts) => string.Join(' ',
        (counts?.EnumerateObject() ?? default)
        .Select(c => (Meter: Meter.TryParse(c.Name, out Meter meter) ? meter
            : throw new InvalidOperationException(c.Name), c.Value))
        .OrderBy(c => c.Meter)
        .Select(c => string.Create(CultureInfo.InvariantCulture,
            $"{c.Meter}={(long)(c.Value.GetDecimal() * c.Meter.StepsPerUnit)}")));

    private static string Counts(UsageReading reading) =>
        string.Join(' ', reading.Counts.Select(c => string.Create(CultureInfo.InvariantCulture,
            $"{c.Meter}={c.Steps}")));

    private JsonElement? Part(string name) =>
        _line.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
