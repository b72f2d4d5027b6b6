using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// The vocabularies inside this library: compact files, each named after what it holds, and the recipe by which they
/// are made from the packages that they come from.
/// </summary>
public static class ShippedVocabularies
{
    private const string Folder = "Ciyuan.Tokens.Vocabularies.Shipped.";
    private const string Recipe = Folder + "recipe.json";

    private static readonly Assembly Holder = typeof(ShippedVocabularies).Assembly;

    /// <summary>The resource of each name; a file's name is those of its vocabularies, joined by plus signs.</summary>
    private static readonly Dictionary<string, string> Resources = FindResources();

    /// <summary>Their names, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names => field ??= SortedNames();

    /// <summary>The packages that <see cref="Rebuild"/> asks for, as name@version.</summary>
    public static IReadOnlyList<string> Packages
    {
        get
        {
            using JsonDocument recipe = ReadRecipe();
            return [.. recipe.RootElement.EnumerateArray()
                .SelectMany(file => file.GetProperty("vocabularies").EnumerateArray())
                .Select(vocabulary => vocabulary.GetProperty("package").GetString()!)
                .Distinct()];
        }
    }

    /// <summary>Opens one, anew with each call: see <see cref="VocabularyCatalog"/>. Null when there is none.</summary>
    public static Vocabulary? Open(string name) => Resources.TryGetValue(name, out string? resource)
        ? Vocabulary.OpenOurs(ImageOf(resource), name)
        : null;

    /// <summary>The compact files as they are in this library, by name.</summary>
    public static IEnumerable<(string FileName, ReadOnlyMemory<byte> Image)> Files() =>
        from resource in Resources.Values.Distinct().Order(StringComparer.Ordinal)
        select (resource[Folder.Length..], ImageOf(resource));

    /// <summary>Makes the compact files again from their origins; the same origins give the same bytes.</summary>
    /// <param name="read">Reads a file of a package, given as name@version.</param>
    /// <exception cref="VocabularyException">A file is not the one that the recipe names by its SHA-256.</exception>
    public static IEnumerable<(string FileName, byte[] Image)> Rebuild(Func<string, string, ReadOnlyMemory<byte>> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using JsonDocument recipe = ReadRecipe();
        foreach (JsonElement file in recipe.RootElement.EnumerateArray())
        {
            List<VocabularyDraft> drafts = [];
            List<VocabularyProfile> profiles = [];
            foreach (JsonElement vocabulary in file.GetProperty("vocabularies").EnumerateArray())
            {
                VocabularyDraft draft = ReadDraft(vocabulary, file, read, out VocabularySource source);
                drafts.Add(draft);
                profiles.Add(new VocabularyProfile(draft.Name, draft.Entries.Count, source, draft.AddedTokens));
            }

            drafts.ForEach(draft => DemandPrefix(draft, drafts[0]));
            string name = string.Join('+', profiles.Select(profile => profile.Name));
            yield return (name + VocabularyFile.Extension, ImageWriter.Write(drafts[0], profiles));
        }
    }

    /// <summary>Plain loops: this runs before the first count of every process.</summary>
    private static Dictionary<string, string> FindResources()
    {
        Dictionary<string, string> found = new(StringComparer.Ordinal);
        foreach (string resource in Holder.GetManifestResourceNames())
        {
            if (resource.StartsWith(Folder, StringComparison.Ordinal)
                && resource.EndsWith(VocabularyFile.Extension, StringComparison.Ordinal))
            {
                foreach (string name in resource[Folder.Length..^VocabularyFile.Extension.Length].Split('+'))
                {
                    found.Add(name, resource);
                }
            }
        }

        return found;
    }

    private static string[] SortedNames()
    {
        string[] names = new string[Resources.Count];
        Resources.Keys.CopyTo(names, 0);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    private static VocabularyDraft ReadDraft(
        JsonElement vocabulary, JsonElement file, Func<string, string, ReadOnlyMemory<byte>> read,
        out VocabularySource source)
    {
        source = new VocabularySource(
            Text(vocabulary, "package"), Text(vocabulary, "file"), Text(vocabulary, "sha256"),
            Text(vocabulary, "licence"));
        ReadOnlyMemory<byte> bytes = read(source.Package, source.File);
        string digest = Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
        if (digest != source.Sha256)
        {
            throw new VocabularyException(
                $"{source.File} of {source.Package} has the SHA-256 {digest}, not {source.Sha256} as the recipe says.");
        }

        SplitRule? split = file.TryGetProperty("split", out JsonElement rule)
            ? Enum.Parse<SplitRule>(rule.GetString()!, ignoreCase: true)
            : null;
        VocabularyFormat format = VocabularyFile.Detect(bytes.Span);
        return VocabularyFile.ReadDraft(format, bytes, Text(vocabulary, "name"), split, Added(vocabulary));
    }

    private static IEnumerable<AddedToken> Added(JsonElement vocabulary)
    {
        if (vocabulary.TryGetProperty("added", out JsonElement added))
        {
            foreach (JsonProperty token in added.EnumerateObject())
            {
                yield return AddedToken.Control(token.Name, token.Value.GetInt32());
            }
        }

        if (vocabulary.TryGetProperty("reserved", out JsonElement reserved))
        {
            int last = reserved.GetProperty("last").GetInt32();
            for (int id = reserved.GetProperty("first").GetInt32(); id <= last; id++)
            {
                yield return AddedToken.Control(
                    string.Format(CultureInfo.InvariantCulture, Text(reserved, "content"), id), id);
            }
        }
    }

    /// <summary>Vocabularies of one file have the same entries and merges, as far as they go.</summary>
    private static void DemandPrefix(VocabularyDraft part, VocabularyDraft whole)
    {
        int count = part.Entries.Count;
        bool same = count <= whole.Entries.Count && part.Model == whole.Model && part.Split == whole.Split
            && part.IgnoreMerges == whole.IgnoreMerges && part.Normalization == whole.Normalization
            && part.Merges.SequenceEqual(whole.Merges.Where(merge => merge.Result < count))
            && part.Entries.Zip(whole.Entries).All(pair => (pair.First ?? []).SequenceEqual(pair.Second ?? []));
        if (!same)
        {
            throw new VocabularyException($"{part.Name} is no part of {whole.Name}, and can't share its file.");
        }
    }

    private static string Text(JsonElement parent, string name) => parent.GetProperty(name).GetString()!;

    private static JsonDocument ReadRecipe() => JsonDocument.Parse(Holder.GetManifestResourceStream(Recipe)!);

    private static ReadOnlyMemory<byte> ImageOf(string resource) =>
        NativeBytes.OfResource((UnmanagedMemoryStream)Holder.GetManifestResourceStream(resource)!);
}
