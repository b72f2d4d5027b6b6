using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;

namespace Ciyuan.Tokens.Prose;

/// <summary>
/// Which form a file has, by its name and its first bytes: a list that comes with the library as data.
/// </summary>
public static class FileKinds
{
    private const string ListFile = "Ciyuan.Tokens.Prose.file-kinds.json";

    private static readonly Lazy<(FrozenDictionary<string, TextForm> Names, FrozenDictionary<string, TextForm> Endings)>
        Lists = new(ReadLists);

    /// <summary>
    /// The form of a file: by its whole name, such as <c>Dockerfile</c>, else by the longest ending that is listed,
    /// such as <c>d.ts</c>, else code when it starts with <c>#!</c>, else plain. Case does not count.
    /// </summary>
    /// <param name="fileName">The name, with or without folders.</param>
    /// <param name="start">The first bytes, two are enough; may be empty.</param>
    public static TextForm Of(string fileName, ReadOnlySpan<byte> start = default)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        string name = fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..].ToLowerInvariant();
        if (Lists.Value.Names.TryGetValue(name, out TextForm form))
        {
            return form;
        }

        for (int dot = name.IndexOf('.'); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            if (Lists.Value.Endings.TryGetValue(name[(dot + 1)..], out form))
            {
                return form;
            }
        }

        return start.StartsWith("#!"u8) ? TextForm.Source : TextForm.Plain;
    }

    private static (FrozenDictionary<string, TextForm> Names, FrozenDictionary<string, TextForm> Endings) ReadLists()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(ListFile)
            ?? throw new InvalidOperationException($"the resource {ListFile} is missing");
        using JsonDocument document = JsonDocument.Parse(stream);
        JsonElement root = document.RootElement;
        Dictionary<string, TextForm> names = [];
        Dictionary<string, TextForm> endings = [];
        Add(names, root.GetProperty("codeNames"), TextForm.Source);
        Add(names, root.GetProperty("proseNames"), TextForm.Plain);
        Add(endings, root.GetProperty("codeEndings"), TextForm.Source);
        Add(endings, root.GetProperty("markdownEndings"), TextForm.Markdown);
        Add(endings, root.GetProperty("proseEndings"), TextForm.Plain);
        return (names.ToFrozenDictionary(), endings.ToFrozenDictionary());
    }

    private static void Add(Dictionary<string, TextForm> list, JsonElement words, TextForm form)
    {
        foreach (string word in words.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            list.Add(word, form);
        }
    }
}
