using System.Globalization;

namespace Ciyuan.Tokens.Media;

/// <summary>
/// One vendor's rule for one kind of thing: a formula shape (code, see <see cref="ImageShapes"/> and
/// <see cref="TimeShapes"/>) and the numbers that go into it (data).
/// </summary>
public sealed class MediaRule
{
    private readonly Dictionary<string, decimal> _numbers;
    private readonly Dictionary<string, Dictionary<string, decimal>> _details;
    private readonly Dictionary<string, string> _aliases;

    internal MediaRule(
        Dictionary<string, decimal> numbers,
        Dictionary<string, Dictionary<string, decimal>> details,
        Dictionary<string, string> aliases)
    {
        _numbers = numbers;
        _details = details;
        _aliases = aliases;
    }

    /// <summary>The name of the rule, unique in its file.</summary>
    public required string Id { get; init; }

    /// <summary>The formula.</summary>
    public required string Shape { get; init; }

    /// <summary>What it counts.</summary>
    public required MediaKind Kind { get; init; }

    /// <summary>Which way.</summary>
    public required MediaDirection Direction { get; init; }

    /// <summary>The models: patterns with <c>*</c>; the one with most literal letters wins.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>How much it can be relied upon.</summary>
    public required MediaGrade Grade { get; init; }

    /// <summary>Where it is from: an address.</summary>
    public required string Source { get; init; }

    /// <summary>When that was read or measured: a year, a month or a day.</summary>
    public required string Date { get; init; }

    /// <summary>What a reader should know besides; may be empty.</summary>
    public string Note { get; init; } = "";

    /// <summary>The detail that is meant when none is asked for; empty when the rule has no details.</summary>
    public string DefaultDetail { get; init; } = "";

    /// <summary>Which file it came from: rules of one file compete by pattern, files by order.</summary>
    internal object? File { get; init; }

    /// <summary>The numbers that the rule has, whatever the detail.</summary>
    internal IEnumerable<string> NumberNames =>
        _numbers.Keys.Concat(_details.Values.SelectMany(d => d.Keys)).Distinct();

    /// <summary>The names of the details that have numbers of their own; one empty name when there are none.</summary>
    internal IEnumerable<string> NumberedDetails => _details.Count == 0 ? [""] : _details.Keys;

    /// <summary>The details that can be asked for, such as <c>low</c>.</summary>
    public IEnumerable<string> Details => _details.Keys.Concat(_aliases.Keys);

    /// <summary>Resolves what was asked for to a detail with numbers; null when the rule does not have it.</summary>
    internal string? ResolveDetail(string asked)
    {
        if (_details.Count == 0)
        {
            return "";
        }

        string name = asked.Length == 0 ? DefaultDetail : asked;
        name = _aliases.GetValueOrDefault(name, name);
        return _details.ContainsKey(name) ? name : null;
    }

    internal bool Has(string name, string detail) => Find(name, detail) is not null;

    internal decimal Number(string name, string detail) =>
        Find(name, detail) ?? throw new MediaRuleException($"rule {Id}: the shape {Shape} needs a number '{name}'");

    internal decimal Number(string name, string detail, decimal otherwise) => Find(name, detail) ?? otherwise;

    internal long Whole(string name, string detail)
    {
        decimal value = Number(name, detail);
        return decimal.IsInteger(value) && value is >= 0 and <= 1_000_000_000_000
            ? (long)value
            : throw new MediaRuleException(string.Create(
                CultureInfo.InvariantCulture,
                $"rule {Id}: '{name}' must be a whole number of at most 10^12, not {value}"));
    }

    internal long Whole(string name, string detail, long otherwise) =>
        Has(name, detail) ? Whole(name, detail) : otherwise;

    private decimal? Find(string name, string detail)
    {
        if (_details.TryGetValue(detail, out Dictionary<string, decimal>? own)
            && own.TryGetValue(name, out decimal value))
        {
            return value;
        }

        return _numbers.TryGetValue(name, out value) ? value : null;
    }
}

/// <summary>A file of rules that cannot be used; the message names the rule and the field.</summary>
public sealed class MediaRuleException : Exception
{
    /// <summary>Makes one without words.</summary>
    public MediaRuleException()
    {
    }

    /// <summary>Makes one.</summary>
    public MediaRuleException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with its cause.</summary>
    public MediaRuleException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
