using System.Reflection;
using System.Text.Json;
using Ciyuan.Tokens.Media;

namespace Ciyuan.Tokens.Framing;

/// <summary>How a family of models frames what it is sent: strings and numbers, all data.</summary>
public sealed class FramingRule
{
    private static readonly string[] KnownTexts =
    [
        "begin", "beginWithTools", "turn", "systemTurn", "userTurn", "assistantTurn", "reply", "defaultSystem",
        "systemBefore", "systemBeforeWithTools", "systemMode", "toolsPlace", "toolForm", "toolsIntro", "toolEach",
        "toolGap", "toolsOutro",
        "toolsSeparator", "contentGap", "callsOpen", "call", "callGap", "callsClose", "toolOpen", "toolResult",
        "toolClose", "thinking", "systemGap",
    ];

    private static readonly string[] KnownNumbers =
    [
        "trim", "callsApart", "callsReplaceContent", "toolContentQuoted", "toolIndent", "noReplyAfterTool",
        "perMessage", "perName", "perReply", "perCall", "perFunctionAnswer", "perTools", "withSystem",
        "withSystemAndTools", "perChoiceNone", "perChoiceNamed", "systemNewlineWithTools", "countRoles", "base",
        "textPercent", "errorBase", "errorPerMessage", "errorPerTool", "errorPercent",
    ];

    private readonly Dictionary<string, string> _texts = [];
    private readonly Dictionary<string, long> _numbers = [];

    internal FramingRule(JsonElement e)
    {
        Id = e.GetProperty("id").GetString()!;
        Shape = e.GetProperty("shape").GetString()!;
        Models = [.. e.GetProperty("models").EnumerateArray().Select(m => m.GetString()!)];
        Source = e.GetProperty("source").GetString()!;
        Date = e.GetProperty("date").GetString()!;
        Grade = Enum.Parse<MediaGrade>(e.GetProperty("grade").GetString()!, ignoreCase: true);
        Vocabulary = e.TryGetProperty("vocabulary", out JsonElement v) ? v.GetString()! : "";
        Note = e.TryGetProperty("note", out JsonElement n) ? n.GetString()! : "";
        Marks = e.TryGetProperty("marks", out JsonElement m) ? [.. m.EnumerateArray().Select(x => x.GetString()!)] : [];
        Roles = e.TryGetProperty("roles", out JsonElement r)
            ? r.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!)
            : [];
        foreach (JsonProperty p in e.EnumerateObject())
        {
            if (KnownTexts.Contains(p.Name))
            {
                _texts[p.Name] = p.Value.GetString()!;
            }
            else if (KnownNumbers.Contains(p.Name))
            {
                _numbers[p.Name] = p.Value.GetInt32();
            }
            else if (p.Name is not ("id" or "shape" or "models" or "source" or "date" or "grade" or "vocabulary"
                or "note" or "marks" or "roles"))
            {
                throw new MediaRuleException($"framing rule {Id}: unknown field '{p.Name}'");
            }
        }

        if (Shape is not ("turns" or "overhead"))
        {
            throw new MediaRuleException($"framing rule {Id}: no shape '{Shape}'");
        }
    }

    /// <summary>The name of the rule.</summary>
    public string Id { get; }

    /// <summary>
    /// <c>turns</c>: a known template, written out and counted. <c>overhead</c>: only numbers are known.
    /// </summary>
    public string Shape { get; }

    /// <summary>Patterns of model names; the one with most literal letters wins.</summary>
    public IReadOnlyList<string> Models { get; }

    /// <summary>Where it is from.</summary>
    public string Source { get; }

    /// <summary>When that was read.</summary>
    public string Date { get; }

    /// <summary>How much it can be relied upon.</summary>
    public MediaGrade Grade { get; }

    /// <summary>The vocabulary; empty for the one that the model rules name.</summary>
    public string Vocabulary { get; }

    /// <summary>What is hidden, and how far off a count may be; may be empty.</summary>
    public string Note { get; }

    /// <summary>The rule in a line, for notes of counts.</summary>
    internal string Summary => field ??= $"framing rule {Id}, {Grade}, {Date}, {Source}"
        + (Number("textPercent", 100) is 100 ? "" : $"; × {Number("textPercent")} %");

    /// <summary>Texts that are one token each where a template writes them.</summary>
    public IReadOnlyList<string> Marks { get; }

    internal Dictionary<string, string> Roles { get; }

    internal string Text(string name) => _texts.GetValueOrDefault(name, "");

    internal bool HasText(string name) => _texts.ContainsKey(name);

    internal long Number(string name, long otherwise = 0) => _numbers.GetValueOrDefault(name, otherwise);

    internal bool Flag(string name) => Number(name) != 0;

    internal string Role(string role) => Roles.GetValueOrDefault(role, role);
}

/// <summary>The rules of framing: those that come with the library, and an operator's own before them.</summary>
public sealed class FramingRules
{
    private const string BuiltInFile = "Ciyuan.Tokens.Framing.framing-rules.json";

    private static readonly Lazy<FramingRules> BuiltIn = new(ReadBuiltIn);

    private readonly FramingRule[][] _files;
    private readonly ModelMemo<FramingRule> _memo;

    private FramingRules(FramingRule[][] files) => (_files, _memo) = (files, new ModelMemo<FramingRule>(FindAnew));

    /// <summary>The rules that come with the library.</summary>
    public static FramingRules Default => BuiltIn.Value;

    /// <summary>All rules.</summary>
    public IEnumerable<FramingRule> Rules => _files.SelectMany(f => f);

    /// <summary>Reads rules in UTF-8 JSON.</summary>
    /// <exception cref="MediaRuleException">It cannot be read, or a field is unknown.</exception>
    public static FramingRules Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return new([
                [.. document.RootElement.GetProperty("rules").EnumerateArray().Select(e => new FramingRule(e))],
            ]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException or ArgumentException)
        {
            throw new MediaRuleException("the framing rules cannot be read: " + e.Message, e);
        }
    }

    /// <summary>These rules with others before them.</summary>
    public FramingRules OverriddenBy(FramingRules others) => new([.. others._files, .. _files]);

    /// <summary>The rule for a model; null when none names it.</summary>
    public FramingRule? Find(string model) => _memo.Find(model);

    private FramingRule? FindAnew(string model)
    {
        string name = ModelNames.Bare(model, ["anthropic.", "google.", "openai.", "qwen."]);
        foreach (FramingRule[] file in _files)
        {
            FramingRule? best = null;
            int bestWeight = -1;
            foreach (FramingRule rule in file)
            {
                foreach (string pattern in rule.Models)
                {
                    int weight = ModelNames.Weight(pattern, name);
                    (best, bestWeight) = weight > bestWeight ? (rule, weight) : (best, bestWeight);
                }
            }

            if (best is not null)
            {
                return best;
            }
        }

        return null;
    }

    private static FramingRules ReadBuiltIn()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(BuiltInFile)
            ?? throw new InvalidOperationException($"the resource {BuiltInFile} is missing");
        byte[] json = new byte[stream.Length];
        stream.ReadExactly(json);
        return Parse(json);
    }
}
