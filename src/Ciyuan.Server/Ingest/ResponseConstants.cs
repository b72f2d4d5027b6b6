using System.Text;
using Ciyuan.Counting;

namespace Ciyuan.Server.Ingest;

/// <summary>Fields that are the same for each response of an import: what the responses themselves don't say.
/// Immutable.</summary>
public sealed class ResponseConstants
{
    private static readonly UsageField[] Fields =
    [
        UsageField.Source, UsageField.Party, UsageField.Project, UsageField.Key, UsageField.Scenario, UsageField.Model,
        UsageField.Provider, UsageField.Site, UsageField.Operation, UsageField.Time, UsageField.Outcome,
    ];

    private const string TagPrefix = "tags.";

    private ResponseConstants()
    {
    }

    /// <summary>None: each line says all.</summary>
    public static ResponseConstants None { get; } = new();

    internal Dictionary<UsageField, byte[]> Texts { get; } = [];

    internal List<(byte[] Name, byte[] Value)> Tags { get; } = [];

    internal string Flavour { get; private set; } = "";

    internal string Api { get; private set; } = "";

    internal CachePlace Cache { get; private set; }

    /// <summary>Whether responses may come without an envelope.</summary>
    internal bool AllowsBare => Texts.ContainsKey(UsageField.Provider) || Api.Length > 0;

    /// <summary>Makes constants.</summary>
    /// <param name="pairs">Fields and values: those of a usage record that are texts, <c>tags.NAME</c>,
    /// <c>flavour</c>, <c>api</c> (<c>provider/flavour</c>, or <c>detect</c>) and <c>cache</c> (<c>within</c>,
    /// <c>beside</c>).</param>
    /// <param name="constants">The constants.</param>
    /// <param name="fault">Why not; null when they were made.</param>
    public static bool TryMake(
        IEnumerable<KeyValuePair<string, string>> pairs, out ResponseConstants constants, out string? fault)
    {
        constants = new ResponseConstants();
        fault = null;
        foreach ((string name, string value) in pairs)
        {
            fault ??= constants.Take(name, value);
        }

        return fault is null;
    }

    private string? Take(string name, string value)
    {
        UsageField field = UsageNames.FindField(Encoding.UTF8.GetBytes(name));
        if (Array.IndexOf(Fields, field) >= 0)
        {
            return Texts.TryAdd(field, Encoding.UTF8.GetBytes(value)) ? null : $"'{name}' is set twice";
        }

        if (name.StartsWith(TagPrefix, StringComparison.Ordinal))
        {
            Tags.Add((Encoding.UTF8.GetBytes(name[TagPrefix.Length..]), Encoding.UTF8.GetBytes(value)));
            return null;
        }

        switch (name)
        {
            case "flavour":
                Flavour = value;
                return null;
            case "api":
                Api = value;
                return null;
            case "cache":
                Cache = ResponseJson.FindCachePlace(value) ?? CachePlace.ByConvention;
                return Cache == CachePlace.ByConvention ? "'cache' must be within or beside" : null;
            default:
                return $"'{name}' can't be set for responses: "
                    + $"{string.Join(", ", Fields.Select(f => f.Name()))}, tags.NAME, flavour, api, cache";
        }
    }
}
