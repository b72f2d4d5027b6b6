using System.Reflection;
using System.Text.Json;

namespace Ciyuan.Tokens.Media;

/// <summary>
/// The rules by which vendors count pictures, sounds, films and documents. The rules are data: those that come with the
/// library, and files of an operator's own that go before them. Immutable, and safe for any number of threads.
/// </summary>
public sealed class MediaRules
{
    private const string BuiltInFile = "Ciyuan.Tokens.Media.media-rules.json";

    private static readonly Lazy<MediaRules> BuiltIn = new(ReadBuiltIn);

    private readonly MediaRule[] _rules; // in order of precedence: of two equally good matches the first wins
    private readonly string[] _marks;

    internal MediaRules(MediaRule[] rules, string[] marks)
    {
        _rules = rules;
        _marks = marks;
    }

    /// <summary>The rules that come with the library.</summary>
    public static MediaRules Default => BuiltIn.Value;

    /// <summary>All rules, in order of precedence.</summary>
    public IReadOnlyList<MediaRule> Rules => _rules;

    /// <summary>Reads rules in UTF-8 JSON.</summary>
    /// <exception cref="MediaRuleException">
    /// It is no JSON, a field is unknown, missing or of the wrong type, or a number that the shape needs is missing.
    /// </exception>
    public static MediaRules Parse(ReadOnlyMemory<byte> json) => MediaRulesReader.Read(json);

    /// <summary>These rules with others before them: where both name a model, the others' rule is used.</summary>
    public MediaRules OverriddenBy(MediaRules others) =>
        new([.. others._rules, .. _rules], [.. others._marks, .. _marks]);

    /// <summary>
    /// The rule for a model; null when none names it. The first file that names the model decides, and in it the
    /// pattern with the most literal letters.
    /// </summary>
    public MediaRule? Find(string model, MediaKind kind, MediaDirection direction = MediaDirection.Input)
    {
        string name = ModelNames.Bare(model, _marks);
        MediaRule? best = null;
        int bestWeight = -1;
        foreach (MediaRule rule in _rules)
        {
            if (rule.Kind != kind || rule.Direction != direction)
            {
                continue;
            }

            if (best is not null && rule.File != best.File)
            {
                break;
            }

            foreach (string pattern in rule.Models)
            {
                int weight = ModelNames.Weight(pattern, name);
                (best, bestWeight) = weight > bestWeight ? (rule, weight) : (best, bestWeight);
            }
        }

        return best;
    }

    /// <summary>The rule of a name; null when there is none.</summary>
    public MediaRule? FindById(string id) => Array.Find(_rules, r => r.Id == id);

    /// <summary>Counts a thing for a model.</summary>
    /// <param name="model">The model as the provider names it.</param>
    /// <param name="facts">What is known of the thing.</param>
    /// <param name="detail">The resolution asked for, such as <c>low</c>; empty for the provider's default.</param>
    /// <param name="direction">To or from the model.</param>
    public MediaCount Count(
        string model, MediaFacts facts, string detail = "", MediaDirection direction = MediaDirection.Input)
    {
        MediaRule? rule = Find(model, facts.Kind, direction);
        return rule is null
            ? MediaCount.Fail(MediaStatus.NoRule, $"no rule for {facts.Kind} {direction} of the model '{model}'")
            : Count(rule, facts, detail);
    }

    /// <summary>Counts a thing by a rule.</summary>
    public static MediaCount Count(MediaRule rule, MediaFacts facts, string detail = "")
    {
        string? resolved = rule.ResolveDetail(detail);
        return resolved is null
            ? MediaCount.Fail(
                MediaStatus.UnknownDetail,
                $"rule {rule.Id} has no detail '{detail}', but {string.Join(", ", rule.Details)}")
            : MediaShapes.Count(rule, facts, resolved);
    }

    private static MediaRules ReadBuiltIn()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(BuiltInFile)
            ?? throw new InvalidOperationException($"the resource {BuiltInFile} is missing");
        byte[] json = new byte[stream.Length];
        stream.ReadExactly(json);
        return Parse(json);
    }
}

/// <summary>Reads files of rules. Unknown fields are refused: a misspelt number would silently not be used.</summary>
internal static class MediaRulesReader
{
    private static readonly string[] RuleFields =
    [
        "id", "shape", "kind", "direction", "models", "grade", "source", "date", "note", "numbers", "details",
        "default",
    ];

    public static MediaRules Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            CheckFields(root, ["version", "vendorMarks", "rules", "comment"], "the file");
            object file = new();
            MediaRule[] rules = [.. root.GetProperty("rules").EnumerateArray().Select(e => ReadRule(e, file))];
            if (rules.Select(r => r.Id).Distinct().Count() != rules.Length)
            {
                throw new MediaRuleException("two rules have the same id");
            }

            string[] marks = root.TryGetProperty("vendorMarks", out JsonElement m) ? Strings(m) : [];
            return new MediaRules(rules, marks);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            throw new MediaRuleException("the rules cannot be read: " + e.Message, e);
        }
    }

    private static MediaRule ReadRule(JsonElement e, object file)
    {
        string id = e.GetProperty("id").GetString()!;
        CheckFields(e, RuleFields, $"rule {id}");
        Dictionary<string, Dictionary<string, decimal>> details = [];
        Dictionary<string, string> aliases = [];
        if (e.TryGetProperty("details", out JsonElement d))
        {
            foreach (JsonProperty detail in d.EnumerateObject())
            {
                if (detail.Value.ValueKind == JsonValueKind.String)
                {
                    aliases[detail.Name] = detail.Value.GetString()!;
                }
                else
                {
                    details[detail.Name] = Numbers(detail.Value);
                }
            }
        }

        MediaRule rule = new(e.TryGetProperty("numbers", out JsonElement n) ? Numbers(n) : [], details, aliases)
        {
            Id = id,
            Shape = e.GetProperty("shape").GetString()!,
            Kind = Choice<MediaKind>(e.GetProperty("kind"), id),
            Direction = e.TryGetProperty("direction", out JsonElement way) ? Choice<MediaDirection>(way, id) : default,
            Models = Strings(e.GetProperty("models")),
            Grade = Choice<MediaGrade>(e.GetProperty("grade"), id),
            Source = e.GetProperty("source").GetString()!,
            Date = e.GetProperty("date").GetString()!,
            Note = e.TryGetProperty("note", out JsonElement note) ? note.GetString()! : "",
            DefaultDetail = e.TryGetProperty("default", out JsonElement text) ? text.GetString()! : "",
            File = file,
        };
        MediaShapes.Check(rule);
        return rule;
    }

    private static Dictionary<string, decimal> Numbers(JsonElement e) =>
        e.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDecimal());

    private static string[] Strings(JsonElement e) => [.. e.EnumerateArray().Select(x => x.GetString()!)];

    private static T Choice<T>(JsonElement e, string id)
        where T : struct, Enum =>
        Enum.TryParse(e.GetString(), ignoreCase: true, out T value) && Enum.IsDefined(value)
            ? value
            : throw new MediaRuleException($"rule {id}: '{e.GetString()}' is no {typeof(T).Name}");

    private static void CheckFields(JsonElement e, string[] known, string where)
    {
        foreach (JsonProperty p in e.EnumerateObject())
        {
            if (!known.Contains(p.Name))
            {
                throw new MediaRuleException($"{where}: unknown field '{p.Name}'");
            }
        }
    }
}
