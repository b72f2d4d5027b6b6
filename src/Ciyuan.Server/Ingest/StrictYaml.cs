using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ciyuan.Server.Ingest;

/// <summary>A YAML file says something that is not taken; the message names line and column.</summary>
public sealed class YamlFileException(string message) : Exception(message);

/// <summary>
/// A map of a YAML file, read strictly: each key is asked for by name, and <see cref="End"/> refuses those that nobody
/// asked for. All scalars are texts, so a price never passes through floating point.
/// </summary>
internal sealed class StrictYaml
{
    /// <summary>Largest file in bytes (16 MiB): a price book with a hundred thousand prices has about a
    /// third.</summary>
    internal const int MaxBytes = 16 << 20;

    private readonly YamlMappingNode _map;
    private readonly HashSet<string> _asked = [];

    internal StrictYaml(YamlMappingNode map, string what)
    {
        _map = map;
        What = what;
        foreach (YamlNode key in map.Children.Keys)
        {
            Text(key, "a key");
        }
    }

    private string What { get; }

    /// <summary>Reads a file's one document, which must be a map.</summary>
    /// <exception cref="YamlFileException">Not YAML, or not one map.</exception>
    internal static StrictYaml Parse(string yaml, string what) => new(Load(yaml, what), what);

    /// <summary>A file's one document as nodes, for those who also want to know where each stands.</summary>
    /// <exception cref="YamlFileException">Not YAML, or not one map.</exception>
    internal static YamlMappingNode Load(string yaml, string what)
    {
        if (yaml.Length > MaxBytes)
        {
            throw new YamlFileException($"{what} has more than {MaxBytes} characters.");
        }

        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException broken)
        {
            throw new YamlFileException($"{Place(broken.Start)}: {broken.Message}");
        }

        return stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode map
            ? map
            : throw new YamlFileException($"{what} must be one YAML document with a map at the top.");
    }

    /// <summary>The text under a key; the fallback when it is not there.</summary>
    internal string Text(string key, string fallback = "") => Find(key) is { } node ? Text(node, key) : fallback;

    /// <summary>The text under a key; null when it is not there or empty.</summary>
    internal string? TextOrNull(string key) => Text(key) is { Length: > 0 } text ? text : null;

    /// <summary>The text under a key that must be there.</summary>
    internal string Needed(string key) => Find(key) is { } node && Text(node, key) is { Length: > 0 } text
        ? text
        : throw Fault(_map, $"{What} needs '{key}'");

    internal int Whole(string key, int fallback) => Find(key) is not { } node ? fallback
        : int.TryParse(Text(node, key), System.Globalization.NumberStyles.None, null, out int value) ? value
        : throw Fault(node, $"'{key}' must be a whole number, not '{Text(node, key)}'");

    internal int? WholeIfAny(string key) => Find(key) is null ? null : Whole(key, 0);

    internal long? WholeOrNull(string key) => Find(key) is not { } node ? null
        : long.TryParse(Text(node, key), System.Globalization.NumberStyles.None, null, out long value) ? value
        : throw Fault(node, $"'{key}' must be a whole number such as 32000, not '{Text(node, key)}'");

    internal int[] Wholes(string key) => [.. Items(key).Select(node =>
        int.TryParse(Text(node, key), System.Globalization.NumberStyles.None, null, out int value) ? value
            : throw Fault(node, $"'{key}' must be a list of whole numbers"))];

    internal bool Flag(string key, bool fallback) => Find(key) is not { } node ? fallback
        : Text(node, key) switch
        {
            "true" => true,
            "false" => false,
            _ => throw Fault(node, $"'{key}' must be true or false"),
        };

    /// <summary>One of the names of an enum, in lower case.</summary>
    internal T Choice<T>(string key)
        where T : struct, Enum => ParseChoice<T>(Find(key) ?? throw Fault(_map, $"{What} needs '{key}'"), key);

    internal T[] Choices<T>(string key)
        where T : struct, Enum => [.. Items(key).Select(node => ParseChoice<T>(node, key))];

    internal string[]? Texts(string key) => Find(key) is null ? null : [.. Items(key).Select(node => Text(node, key))];

    /// <summary>A map of texts; null when it is not there.</summary>
    internal Dictionary<string, string>? Pairs(string key)
    {
        if (Find(key) is not { } node)
        {
            return null;
        }

        YamlMappingNode map = node as YamlMappingNode ?? throw Fault(node, $"'{key}' must be a map");
        return map.Children.ToDictionary(pair => Text(pair.Key, "a key"), pair => Text(pair.Value, key));
    }

    /// <summary>A map whose values are texts or maps, each read by one of two functions; null when it is not
    /// there.</summary>
    internal Dictionary<string, T>? Entries<T>(
        string key, string what, Func<string, T>? fromText, Func<StrictYaml, T> fromMap)
    {
        YamlMappingNode? map = Find(key) is not { } node ? null
            : node as YamlMappingNode ?? throw Fault(node, $"'{key}' must be a map");
        return map?.Children.ToDictionary(pair => Text(pair.Key, "a key"), pair =>
        {
            if (fromText is not null && pair.Value is YamlScalarNode scalar)
            {
                return fromText(Text(scalar, key));
            }

            var entry = new StrictYaml(
                pair.Value as YamlMappingNode ?? throw Fault(pair.Value, $"{what} must be a map"), what);
            T value = fromMap(entry);
            entry.End();
            return value;
        });
    }

    /// <summary>A map whose values are a text or a list of texts; null when it is not there.</summary>
    internal Dictionary<string, IReadOnlyList<string>>? TextLists(string key)
    {
        YamlMappingNode? map = Find(key) is not { } node ? null
            : node as YamlMappingNode ?? throw Fault(node, $"'{key}' must be a map");
        return map?.Children.ToDictionary(
            pair => Text(pair.Key, "a key"),
            pair => (IReadOnlyList<string>)(pair.Value is YamlSequenceNode list
                ? [.. list.Children.Select(value => Text(value, key))]
                : [Text(pair.Value, key)]));
    }

    internal StrictYaml? Map(string key) => Find(key) is not { } node ? null
        : node is YamlMappingNode map ? new StrictYaml(map, key) : throw Fault(node, $"'{key}' must be a map");

    /// <summary>Reads each map of a list, and sees to it that nothing in them is left over.</summary>
    internal List<T> List<T>(string key, string what, Func<StrictYaml, T> read)
    {
        var list = new List<T>();
        foreach (YamlNode node in Items(key))
        {
            var entry = new StrictYaml(node as YamlMappingNode ?? throw Fault(node, $"{what} must be a map"), what);
            list.Add(read(entry));
            entry.End();
        }

        return list;
    }

    /// <summary>As <see cref="List"/>; null when the list is not there.</summary>
    internal List<T>? ListIfAny<T>(string key, string what, Func<StrictYaml, T> read) =>
        Find(key) is null ? null : List(key, what, read);

    /// <summary>Refuses keys that nobody asked for.</summary>
    internal void End()
    {
        foreach (YamlNode key in _map.Children.Keys)
        {
            if (!_asked.Contains(Text(key, "a key")))
            {
                throw Fault(key, $"'{Text(key, "a key")}' is not a field of {What} "
                    + $"({string.Join(", ", _asked.Order(StringComparer.Ordinal))})");
            }
        }
    }

    internal YamlFileException Refuse(string key, string reason) => Fault(Find(key) ?? _map, reason);

    private IEnumerable<YamlNode> Items(string key) => Find(key) is not { } node ? []
        : node is YamlSequenceNode list ? list.Children : throw Fault(node, $"'{key}' must be a list");

    private YamlNode? Find(string key)
    {
        _asked.Add(key);
        return _map.Children.TryGetValue(new YamlScalarNode(key), out YamlNode? node)
            && node is not YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" }
                ? node
                : null;
    }

    private static T ParseChoice<T>(YamlNode node, string key)
        where T : struct, Enum
    {
        string text = Text(node, key);
        string[] names = [.. Enum.GetNames<T>().Select(name => name.ToLowerInvariant())];
        int at = Array.IndexOf(names, text);
        return at >= 0 ? Enum.GetValues<T>()[at]
            : throw Fault(node, $"'{key}' must be one of {string.Join(", ", names)}, not '{text}'");
    }

    private static string Text(YamlNode node, string what) => node is YamlScalarNode { Value: { } value }
        ? value
        : throw Fault(node, $"'{what}' must be a text or number");

    private static YamlFileException Fault(YamlNode node, string reason) => new($"{Place(node.Start)}: {reason}.");

    private static string Place(Mark mark) => $"line {mark.Line}, column {mark.Column}";
}
