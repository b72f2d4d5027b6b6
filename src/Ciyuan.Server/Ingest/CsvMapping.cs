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
    private static readonly YamlPresets s_presets = new("Ciyuan.Server.Ingest.Presets.");

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
    public static IReadOnlyList<string> Presets => s_presets.Names;

    /// <summary>A preset.</summary>
    /// <exception cref="YamlFileException">There is none of that name.</exception>
    public static CsvMapping FromPreset(string name) => FromYaml(s_presets.Read(name));

    /// <summary>Reads a mapping file.</summary>
    /// <exception cref="YamlFileException">Names line and column.</exception>
    public static CsvMapping FromYaml(string yaml)
    {
        StrictYaml file = StrictYaml.Parse(yaml, "a CSV mapping");
        (CsvTimeFormat format, LocalDateTimePattern? pattern) = CsvYaml.ReadTimeFormat(file);
        var mapping = new CsvMapping
        {
            Map = file.Pairs("map") ?? [],
            Set = file.Pairs("set") ?? [],
            HasHeader = file.Flag("header", true),
            Separator = CsvYaml.ReadSeparator(file),
            TimeFormat = format,
            TimePattern = pattern,
            Zone = CsvYaml.ReadZone(file) ?? DateTimeZone.Utc,
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
}
