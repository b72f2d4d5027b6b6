using System.Text;
using NodaTime;
using NodaTime.Text;

namespace Ciyuan.Server.Ingest;

/// <summary>What mapping files of CSV have in common, whether of usage or of bills.</summary>
internal static class CsvYaml
{
    /// <summary>What stands between fields; a comma if nothing is said.</summary>
    internal static char ReadSeparator(StrictYaml file)
    {
        string separator = file.Text("separator", ",");
        return separator.Length == 1 && char.IsAscii(separator[0]) && separator[0] is not ('"' or '\r' or '\n')
            ? separator[0]
            : throw file.Refuse("separator", "'separator' must be one ASCII character");
    }

    /// <summary>The zone of times that say none; null if none is named.</summary>
    internal static DateTimeZone? ReadZone(StrictYaml file) => file.Text("time_zone") is { Length: > 0 } zone
        ? DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone)
            ?? throw file.Refuse("time_zone", $"'{zone}' is not a time zone, such as UTC or Asia/Shanghai")
        : null;

    /// <summary>How times are written, and the pattern if it is one.</summary>
    internal static (CsvTimeFormat Format, LocalDateTimePattern? Pattern) ReadTimeFormat(StrictYaml file)
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

/// <summary>Mapping files that come with the program.</summary>
/// <param name="prefix">Of their names among the assembly's resources.</param>
internal sealed class YamlPresets(string prefix)
{
    private const string Ending = ".yaml";

    /// <summary>Their names, in order.</summary>
    internal IReadOnlyList<string> Names { get; } =
        [.. typeof(YamlPresets).Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(prefix, StringComparison.Ordinal))
            .Select(n => n[prefix.Length..^Ending.Length]).Order(StringComparer.Ordinal)];

    /// <summary>The text of one.</summary>
    /// <exception cref="YamlFileException">There is none of that name.</exception>
    internal string Read(string name)
    {
        using Stream stream = typeof(YamlPresets).Assembly.GetManifestResourceStream($"{prefix}{name}{Ending}")
            ?? throw new YamlFileException($"There is no preset '{name}': {string.Join(", ", Names)}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
