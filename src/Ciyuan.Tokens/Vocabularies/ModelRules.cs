using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>What is known of a model's vocabulary.</summary>
/// <param name="Vocabulary">The vocabulary's name; null when it is known that there is none to count with.</param>
/// <param name="Rule">The name or pattern of the rule that says so.</param>
/// <param name="Remark">Why there is none; else how to get it when it is not there; may be empty.</param>
/// <param name="Source">Who says so.</param>
public sealed record ModelVocabulary(string? Vocabulary, string Rule, string Remark, string Source);

/// <summary>
/// Which vocabulary a model uses, as data: <c>models.json</c>. A name is tried as it is, then without what providers
/// put around it (vendor/, :tag, @version, ft:…), then without a date or "-latest". Each of these is looked for among
/// the exact names first and the patterns next, of which the longest wins. A name that nothing fits stays unknown.
/// </summary>
public sealed partial class ModelRules
{
    private const string Resource = "Ciyuan.Tokens.Vocabularies.models.json";

    private readonly Dictionary<string, ModelVocabulary> _exact = new(StringComparer.Ordinal);
    private readonly List<(string Start, ModelVocabulary Answer)> _patterns = [];
    private readonly ModelMemo<ModelVocabulary> _memo;

    private ModelRules(IEnumerable<ReadOnlyMemory<byte>> files)
    {
        _memo = new ModelMemo<ModelVocabulary>(FindAnew);
        foreach (ReadOnlyMemory<byte> file in files)
        {
            Read(file);
        }

        _patterns = [.. _patterns.OrderByDescending(pattern => pattern.Start.Length)]; // stable: files keep their order
    }

    /// <summary>The rules inside this library.</summary>
    public static ModelRules Shipped { get; } = new([ShippedFile()]);

    /// <summary>The library's rules after those of a file, which go before them.</summary>
    /// <exception cref="VocabularyException">The file is not as docs/VOCABULARIES.md says.</exception>
    public static ModelRules With(ReadOnlyMemory<byte> file) => new([file, ShippedFile()]);

    /// <summary>Finds the vocabulary of a model; null for a model that is not known.</summary>
    public ModelVocabulary? Find(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return _memo.Find(model);
    }

    private ModelVocabulary? FindAnew(string model)
    {
        List<string> names = Variants(model.Trim().ToLowerInvariant());
        return names.Select(name => _exact.GetValueOrDefault(name)).FirstOrDefault(answer => answer is not null)
            ?? names.Select(FindPattern).FirstOrDefault(answer => answer is not null);
    }

    private ModelVocabulary? FindPattern(string name) =>
        _patterns.FirstOrDefault(pattern => name.StartsWith(pattern.Start, StringComparison.Ordinal)).Answer;

    private static List<string> Variants(string name)
    {
        List<string> names = [name];
        string bare = name[(name.LastIndexOf('/') + 1)..];
        if (bare.StartsWith("ft:", StringComparison.Ordinal))
        {
            bare = bare[3..];
        }

        int end = bare.AsSpan().IndexOfAny(':', '@');
        bare = end > 0 ? bare[..end] : bare;
        names.Add(bare);
        names.Add(DateAtEnd().Replace(bare, ""));
        return names;
    }

    private void Read(ReadOnlyMemory<byte> file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(file);
            Dictionary<string, string> get = new(StringComparer.Ordinal);
            if (document.RootElement.TryGetProperty("get", out JsonElement hints))
            {
                foreach (JsonProperty hint in hints.EnumerateObject())
                {
                    get[hint.Name] = hint.Value.GetString() ?? "";
                }
            }

            foreach (JsonElement rule in document.RootElement.Need("rules", JsonValueKind.Array, "").EnumerateArray())
            {
                ReadRule(rule, get);
            }
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException)
        {
            throw new VocabularyException($"The rules of models can't be read: {damage.Message}", damage);
        }
    }

    private void ReadRule(JsonElement rule, Dictionary<string, string> get)
    {
        string? vocabulary = rule.Text("vocabulary");
        string? none = rule.Text("none");
        if (vocabulary is null == none is null)
        {
            throw new VocabularyException("A rule of models has either 'vocabulary' or 'none', which says why not.");
        }

        string remark = none ?? get.GetValueOrDefault(vocabulary!, "");
        foreach (JsonElement item in rule.Need("models", JsonValueKind.Array, "rules[]").EnumerateArray())
        {
            string name = item.GetString() ?? "";
            ModelVocabulary answer = new(vocabulary, name, remark, rule.Text("source") ?? "");
            if (name.EndsWith('*'))
            {
                _patterns.Add((name[..^1].ToLowerInvariant(), answer));
            }
            else
            {
                _exact.TryAdd(name.ToLowerInvariant(), answer);
            }
        }
    }

    private static ReadOnlyMemory<byte> ShippedFile() => NativeBytes.OfResource(
        (UnmanagedMemoryStream)typeof(ModelRules).Assembly.GetManifestResourceStream(Resource)!);

    [GeneratedRegex(@"(-latest|-\d{4}-\d{2}-\d{2}|-\d{8}|-\d{4})$")]
    private static partial Regex DateAtEnd();
}
