using System.Collections.Frozen;
using System.Globalization;

namespace Ciyuan.Server.Console;

/// <summary>The languages that the console speaks.</summary>
internal enum Language
{
    /// <summary>Chinese, the first.</summary>
    Chinese,

    /// <summary>English.</summary>
    English,
}

/// <summary>Every sentence that the console shows, in both languages: <c>Resources/texts.txt</c>, a line for
/// each: name, Chinese, English.</summary>
internal static class Texts
{
    private const string Resource = "Ciyuan.Server.Console.texts.txt";

    private static readonly FrozenDictionary<string, (string Chinese, string English)> All = Load();

    /// <summary>Names of all texts.</summary>
    internal static IEnumerable<string> Names => All.Keys;

    /// <summary>A text; its name in brackets when there is none, which a test looks for.</summary>
    internal static string Get(Language language, string name) => !All.TryGetValue(name, out var text) ? $"[{name}]"
        : language == Language.Chinese ? text.Chinese : text.English;

    /// <summary>Whether there is such a text.</summary>
    internal static bool Has(string name) => All.ContainsKey(name);

    /// <summary>A text with figures in it.</summary>
    internal static string Get(Language language, string name, params object[] values) =>
        string.Format(CultureInfo.InvariantCulture, Get(language, name), values);

    private static FrozenDictionary<string, (string Chinese, string English)> Load()
    {
        var texts = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
        using Stream stream = typeof(Texts).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            string[] parts = line.Split('|', StringSplitOptions.TrimEntries);
            if (parts.Length != 3)
            {
                throw new InvalidDataException($"{Resource}: '{line}' is not NAME | 中文 | English.");
            }

            texts.Add(parts[0], (parts[1], parts[2]));
        }

        return texts.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
