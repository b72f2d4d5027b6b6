using System.Collections.Concurrent;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>One vocabulary that a catalog has.</summary>
/// <param name="Name">Its name.</param>
/// <param name="File">The compact file; empty for those inside the library.</param>
public sealed record VocabularyListing(string Name, string File);

/// <summary>
/// The vocabularies inside this library, and those in folders of compact files, by name. Each is opened once, when it
/// is first asked for. In names, case and the difference between <c>-</c>, <c>.</c> and <c>_</c> do not matter. Safe to
/// use from several threads.
/// </summary>
public sealed class VocabularyCatalog
{
    /// <summary>The file in a folder whose rules go before the library's: <see cref="ModelRules"/>.</summary>
    public const string RulesFile = "models.json";

    /// <summary>The most files of a folder that are looked at.</summary>
    private const int MaxFiles = 1000;

    private readonly SortedDictionary<string, VocabularyListing> _listings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Vocabulary>> _open = new(StringComparer.Ordinal);
    private readonly ModelRules? _ownRules;

    /// <summary>Looks into folders, of which the first goes first; those that are not there are left out.</summary>
    /// <exception cref="VocabularyException">A file with rules for models is not as it should be.</exception>
    public VocabularyCatalog(params IEnumerable<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        foreach (string name in ShippedVocabularies.Names)
        {
            _listings.Add(Key(name), new VocabularyListing(name, ""));
        }

        foreach (string folder in folders.Where(Directory.Exists))
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*" + VocabularyFile.Extension).Take(MaxFiles))
            {
                string name = Path.GetFileNameWithoutExtension(file);
                _listings.TryAdd(Key(name), new VocabularyListing(name, file));
            }

            string rules = Path.Combine(folder, RulesFile);
            if (_ownRules is null && File.Exists(rules))
            {
                _ownRules = ModelRules.With(File.ReadAllBytes(rules));
            }
        }
    }

    /// <summary>The vocabularies inside this library only.</summary>
    public static VocabularyCatalog Shipped { get; } = new();

    /// <summary>Which vocabulary a model uses.</summary>
    public ModelRules Rules => _ownRules ?? ModelRules.Shipped;

    /// <summary>What there is, in order of names.</summary>
    public IReadOnlyList<VocabularyListing> List() => [.. _listings.Values];

    /// <summary>True when there is a vocabulary of that name.</summary>
    public bool Has(string name) => _listings.ContainsKey(Key(name));

    /// <summary>The vocabulary of a name.</summary>
    /// <exception cref="VocabularyException">There is none, or its file is damaged.</exception>
    public Vocabulary Get(string name)
    {
        if (!_listings.TryGetValue(Key(name), out VocabularyListing? listing))
        {
            throw new VocabularyException(
                $"There is no vocabulary '{name}', but {string.Join(", ", _listings.Values.Select(l => l.Name))}; "
                + "'ciyuan vocab add FILE' adds one.");
        }

        return _open.GetOrAdd(Key(name), _ => new Lazy<Vocabulary>(() => Open(listing))).Value;
    }

    /// <summary>The vocabulary of a model.</summary>
    /// <exception cref="VocabularyException">
    /// The model is not known, or there is no vocabulary for it, or it is not here; the message says which, and what to
    /// do.
    /// </exception>
    public Vocabulary GetForModel(string model)
    {
        ModelVocabulary answer = Rules.Find(model) ?? throw new VocabularyException(
            $"It is not known which vocabulary the model '{model}' uses. Name the vocabulary instead, or add a rule.");
        return answer.Vocabulary is null
            ? throw new VocabularyException($"'{model}' can't be counted exactly. {answer.Remark}")
            : Has(answer.Vocabulary)
                ? Get(answer.Vocabulary)
                : throw new VocabularyException(
                    $"'{model}' uses the vocabulary {answer.Vocabulary}, which is not here. {answer.Remark}");
    }

    private static Vocabulary Open(VocabularyListing listing) => listing.File.Length == 0
        ? ShippedVocabularies.Open(listing.Name)!
        : Vocabulary.Open(listing.File);

    private static string Key(string name) => name.ToLowerInvariant().Replace('-', '_').Replace('.', '_');
}
