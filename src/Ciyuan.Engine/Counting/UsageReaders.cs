using System.Text.Json;

namespace Ciyuan.Counting;

/// <summary>
/// All readers, found by the names of provider and interface. The list is made by the build from the files in the
/// folder Readers: a file X.cs has a class X with a list <c>Readers</c>. Adding a provider means adding one file and
/// its
/// vectors.
/// </summary>
public static partial class UsageReaders
{
    /// <summary>All readers, by file and in the order of the file.</summary>
    public static IReadOnlyList<UsageReader> All { get; } =
        [.. FromFiles().SelectMany(readers => readers)];

    private static readonly Dictionary<(string Provider, string Flavour), UsageReader> ByName = Index();

    private static readonly UsageReader[] ByShape =
        [.. All.Where(r => r.Shape is not null).OrderBy(r => r.ShapeOrder).ThenBy(r => r.ToString(),
            StringComparer.Ordinal)];

    /// <summary>All names of providers, sorted.</summary>
    public static IReadOnlyList<string> Providers { get; } =
        [.. ByName.Keys.Select(k => k.Provider).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Finds a reader by exact names; case does not matter. Without a flavour it is the provider's
    /// first.</summary>
    /// <param name="provider">A name of the provider.</param>
    /// <param name="flavour">A name of its interface; empty for the first one.</param>
    /// <returns>Null when there is none.</returns>
    public static UsageReader? Find(string provider, string flavour) =>
        ByName.GetValueOrDefault((provider.ToLowerInvariant(), flavour.ToLowerInvariant()));

    /// <summary>Names of the interfaces of a provider; empty when there is no such provider.</summary>
    public static IReadOnlyList<string> FlavoursOf(string provider) =>
        [.. ByName.Keys.Where(k => k.Provider.Equals(provider, StringComparison.OrdinalIgnoreCase)
            && k.Flavour.Length > 0)
            .Select(k => k.Flavour).Order(StringComparer.Ordinal)];

    /// <summary>
    /// Finds a reader by the shape of a response, for those who say that they don't know it. The shapes are asked in a
    /// fixed order, those that say most first; <see cref="Shapes"/> tells it.
    /// </summary>
    /// <returns>Null when no shape fits.</returns>
    public static UsageReader? Detect(JsonElement body)
    {
        JsonElement response = BatchLine.Unwrap(body, out _);
        return Array.Find(ByShape, reader => reader.Shape!(response));
    }

    /// <summary>The readers that can be found by shape, in the order in which they are asked.</summary>
    public static IReadOnlyList<UsageReader> Shapes => ByShape;

    internal static UsageReading Refuse(FindingCode code, string text)
    {
        var draft = new ReadingDraft(default);
        draft.Refuse(code, "", text);
        return draft.Finish();
    }

    private static Dictionary<(string Provider, string Flavour), UsageReader> Index()
    {
        var index = new Dictionary<(string Provider, string Flavour), UsageReader>();
        foreach (UsageReader reader in All)
        {
            foreach (string provider in (string[])[reader.Provider, .. reader.AlsoProviders])
            {
                index.TryAdd((provider, ""), reader);
                foreach (string flavour in (string[])[reader.Flavour, .. reader.AlsoFlavours])
                {
                    // Two readers under one name would be found by accident.
                    index.Add((provider, flavour), reader);
                }
            }
        }

        return index;
    }
}
