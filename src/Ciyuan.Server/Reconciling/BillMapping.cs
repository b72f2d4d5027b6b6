using Ciyuan.Reconciling;
using Ciyuan.Server.Ingest;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Server.Reconciling;

/// <summary>
/// How the columns of a bill become its lines: a preset or a YAML file, and pairs from the command line on top. A
/// column may be written <c>NAME#3</c>, the third of its parts between <see cref="PartSeparator"/>; several names with
/// <c>|</c> between, of which the first that the header has is taken. Immutable.
/// </summary>
public sealed record BillMapping
{
    private static readonly YamlPresets s_presets = new("Ciyuan.Server.Reconciling.Presets.");

    /// <summary>The fields that can be mapped, beside <c>quantity.CLASS</c> and <c>amount.CLASS</c> for files with a
    /// column for each class.</summary>
    public static IReadOnlyList<string> Fields { get; } =
        ["id", "time", "day", "model", "class", "quantity", "unit", "amount", "currency"];

    /// <summary>Field → column.</summary>
    public IReadOnlyDictionary<string, string> Map { get; init; } = new Dictionary<string, string>();

    /// <summary>Field → the same value for each row.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>What their class names mean: a meter, <c>input</c>, <c>output</c>, <c>tokens</c> or <c>all</c>; names
    /// are patterns with <c>*</c>, the first that fits counts.</summary>
    public IReadOnlyDictionary<string, string> Classes { get; init; } = new Dictionary<string, string>();

    /// <summary>What their model names are here; patterns likewise. Others stay as they are.</summary>
    public IReadOnlyDictionary<string, string> Models { get; init; } = new Dictionary<string, string>();

    /// <summary>How many of our units (tokens, seconds, …) one of their units is.</summary>
    public IReadOnlyDictionary<string, string> Units { get; init; } = new Dictionary<string, string>();

    /// <summary>Rows that count: column → pattern; all must fit.</summary>
    public IReadOnlyDictionary<string, string> Only { get; init; } = new Dictionary<string, string>();

    /// <summary>Between fields: one ASCII character.</summary>
    public char Separator { get; init; } = ',';

    /// <summary>Between the parts of a column.</summary>
    public string PartSeparator { get; init; } = ";";

    /// <summary>How <c>time</c> is written.</summary>
    public CsvTimeFormat TimeFormat { get; init; }

    /// <summary>The pattern, for <see cref="CsvTimeFormat.Pattern"/>.</summary>
    public LocalDateTimePattern? TimePattern { get; init; }

    /// <summary>Zone of times and days that say none; null: that of the comparison.</summary>
    public DateTimeZone? Zone { get; init; }

    /// <summary>Names of the presets.</summary>
    public static IReadOnlyList<string> Presets => s_presets.Names;

    /// <summary>A preset.</summary>
    /// <exception cref="YamlFileException">There is none of that name.</exception>
    public static BillMapping FromPreset(string name) => FromYaml(s_presets.Read(name));

    /// <summary>Reads a mapping file.</summary>
    /// <exception cref="YamlFileException">Names line and column.</exception>
    public static BillMapping FromYaml(string yaml)
    {
        StrictYaml file = StrictYaml.Parse(yaml, "a mapping of a bill");
        (CsvTimeFormat format, LocalDateTimePattern? pattern) = CsvYaml.ReadTimeFormat(file);
        var mapping = new BillMapping
        {
            Map = file.Pairs("map") ?? [],
            Set = file.Pairs("set") ?? [],
            Classes = file.Pairs("classes") ?? [],
            Models = file.Pairs("models") ?? [],
            Units = file.Pairs("units") ?? [],
            Only = file.Pairs("only") ?? [],
            Separator = CsvYaml.ReadSeparator(file),
            PartSeparator = file.Text("part_separator", ";"),
            TimeFormat = format,
            TimePattern = pattern,
            Zone = CsvYaml.ReadZone(file),
        };
        file.End();
        return mapping.FindFault() is { } fault ? throw new YamlFileException(fault) : mapping;
    }

    /// <summary>The same with further columns and constants.</summary>
    /// <exception cref="YamlFileException">There is no such field.</exception>
    public BillMapping With(
        IEnumerable<KeyValuePair<string, string>> map, IEnumerable<KeyValuePair<string, string>> set)
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

        BillMapping next = this with { Map = maps, Set = sets };
        return next.FindFault() is { } fault ? throw new YamlFileException(fault) : next;
    }

    private string? FindFault()
    {
        foreach (string field in Map.Keys.Concat(Set.Keys))
        {
            string[] parts = field.Split('.', 2);
            bool isOfClass = parts is ["quantity" or "amount", var name] && BillClass.TryParse(name, out _);
            if (!isOfClass && !Fields.Contains(field))
            {
                return $"there is no field '{field}' of a bill: {string.Join(", ", Fields)}, quantity.CLASS, "
                    + "amount.CLASS";
            }
        }

        string? bad = Classes.Values.FirstOrDefault(c => !BillClass.TryParse(c, out _) && c != "-");
        return bad is null ? null : $"classes: '{bad}' is no meter, and none of input, output, tokens, all, -";
    }

}
