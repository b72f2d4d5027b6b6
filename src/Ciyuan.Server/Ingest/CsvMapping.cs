using System.Text;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Server.Ingest;

/// <summary>How times are written in a CSV file.</summary>
public enum CsvTimeFormat
{
    /// <summary>RFC 3339 with a zone.</summary>
    Rfc3339,

    /// <summary><c>yyyy-MM-dd HH:mm:ss</c> with up to nine decimals and a blank or <c>T</c> between; in the mapping's
    /// zone.</summary>
    Local,

    /// <summary>Whole seconds since 1970-01-01T00:00:00Z.</summary>
    UnixSeconds,

    /// <summary>Whole milliseconds since 1970-01-01T00:00:00Z.</summary>
    UnixMilliseconds,

    /// <summary>A NodaTime pattern, such as <c>dd/MM/yyyy HH:mm</c>; in the mapping's zone.</summary>
    Pattern,
}

/// <summary>How the columns of a CSV file become the fields of usage records: a preset or a YAML file, and pairs from
/// the command line on top. Immutable.</summary>
public sealed record CsvMapping
{
    private const string PresetPrefix = "Ciyuan.Server.Ingest.Presets.";

    /// <summary>Field → column: its name in the header, or its number from 1 where there is no header. Fields as in
    /// JSON, with <c>counts.input.text</c>, <c>units.second</c>, <c>tags.env</c> and <c>grades.input.text</c> for the
    /// maps.</summary>
    public IReadOnlyDictionary<string, string> Map { get; init; } = new Dictionary<string, string>();

    /// <summary>Field → the same value for each row.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>False when the first row is data already.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>Between fields: one ASCII character.</summary>
    public char Separator { get; init; } = ',';

    /// <summary>How times are written.</summary>
    public CsvTimeFormat TimeFormat { get; init; }

    /// <summary>The pattern, for <see cref="CsvTimeFormat.Pattern"/>.</summary>
    public LocalDateTimePattern? TimePattern { get; init; }

    /// <summary>Zone of times that say none.</summary>
    public DateTimeZone Zone { get; init; } = DateTimeZone.Utc;

    /// <summary>Names of the presets.</summary>
    public static IReadOnlyList<string> Presets { get; } =
        [.. typeof(CsvMapping).Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(PresetPrefix, StringComparison.Ordinal))
            .Select(n => n[PresetPrefix.Length..^".yaml".Length]).Order(StringComparer.Ordinal)];

    /// <summary>A preset.</summary>
    /// <exception cref="YamlFileException">There is none of that name.</exception>
    public static CsvMapping FromPreset(string name)
    {
        using Stream? stream = typeof(CsvMapping).Assembly.GetManifestResourceStream($"{PresetPrefix}{name}.yaml");
        if (stream is null)
        {
            throw new YamlFileException($"There is no preset '{name}': {string.Join(", ", Presets)}.");
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return FromYaml(reader.ReadToEnd());
    }

    /// <summary>Reads a mapping file.</summary>
    /// <exception cref="YamlFileException">Names line and column.</exception>
    public static CsvMapping FromYaml(string yaml)
    {
        StrictYaml file = StrictYaml.Parse(yaml, "a CSV mapping");
        string separator = file.Text("separator", ",");
        if (separator.Length != 1 || separator[0] is '"' or '\r' or '\n' || !char.IsAscii(separator[0]))
        {
            throw file.Refuse("separator", "'separator' must be one ASCII character");
        }

        (CsvTimeFormat format, LocalDateTimePattern? pattern) = ReadTimeFormat(file);
        string zone = file.Text("time_zone", "UTC");
        var mapping = new CsvMapping
        {
            Map = file.Pairs("map") ?? [],
            Set = file.Pairs("set") ?? [],
            HasHeader = file.Flag("header", true),
            Separator = separator[0],
            TimeFormat = format,
            TimePattern = pattern,
            Zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone)
                ?? throw file.Refuse("time_zone", $"'{zone}' is not a time zone, such as UTC or Asia/Shanghai"),
        };
        file.End();
        return mapping;
    }

    /// <summary>The same with further columns and constants; a field that is given again replaces what it
    /// was.</summary>
    public CsvMapping With(IEnumerable<KeyValuePair<string, string>> map, IEnumerable<KeyValuePair<string, string>> set)
    {
        var maps = new Dictionary<string, string>(Map);
        var sets = new Dictionary<string, string>(Set);
        foreach ((string field, string column) in map)
        {
            maps[field] = column;
            sets.Remove(field);
        }

        foreach ((string field, string value) in set)
        {
            sets[field] = value;
            maps.Remove(field);
        }

        return this with { Map = maps, Set = sets };
    }

    private static (CsvTimeFormat Format, LocalDateTimePattern? Pattern) ReadTimeFormat(StrictYaml file)
    {
        string text = file.Text("time_format", "rfc3339");
        switch (text)
        {
            case "rfc3339":
                return (CsvTimeFormat.Rfc3339, null);
            case "local":
                return (CsvTimeFormat.Local, null);
            case "unix_s":
                return (CsvTimeFormat.UnixSeconds, null);
            case "unix_ms":
                return (CsvTimeFormat.UnixMilliseconds, null);
            default:
                try
                {
                    return (CsvTimeFormat.Pattern, LocalDateTimePattern.CreateWithInvariantCulture(text));
                }
                catch (InvalidPatternException)
                {
                    throw file.Refuse("time_format",
                        $"'{text}' is neither rfc3339, local, unix_s, unix_ms nor a pattern such as dd/MM/yyyy HH:mm");
                }
        }
    }
}
