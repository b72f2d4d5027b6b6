using System.Reflection;

namespace Ciyuan.Tokens.Tests.Vocabularies;

/// <summary>
/// Vectors made by others. Those that may be passed on lie beside this file. Others, and vocabularies that may not be
/// passed on, are looked for in the folder that CIYUAN_VECTORS names, and in <c>../shared/data/vectors</c>.
/// </summary>
internal static class VectorFiles
{
    /// <summary>The file of a name below one of the folders; null, and a line that says so, when it is not there.</summary>
    internal static string? Find(string name, Xunit.Abstractions.ITestOutputHelper output)
    {
        string? found = Folders().Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (found is null)
        {
            output.WriteLine($"SKIPPED: {name} is not there (CIYUAN_VECTORS, or ../shared/data/vectors).");
        }

        return found;
    }

    /// <summary>A file of <c>../shared/data</c>.</summary>
    internal static string? FindShared(string name, Xunit.Abstractions.ITestOutputHelper output)
    {
        string? found = Shared().Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (found is null)
        {
            output.WriteLine($"SKIPPED: {name} is not there (../shared/data or CIYUAN_SHARED).");
        }

        return found;
    }

    /// <summary>A vector file of this assembly, without its lines of origin and licence, which begin with ##.</summary>
    internal static string[] Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Vectors.{name}")!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith("##", StringComparison.Ordinal))];
    }

    private static IEnumerable<string> Folders() =>
        new[] { Environment.GetEnvironmentVariable("CIYUAN_VECTORS") ?? "" }
            .Concat(Shared().Select(folder => Path.Combine(folder, "vectors")));

    private static IEnumerable<string> Shared()
    {
        if (Environment.GetEnvironmentVariable("CIYUAN_SHARED") is { Length: > 0 } named)
        {
            yield return Path.Combine(named, "data");
        }

        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Ciyuan.slnx")))
            {
                yield return Path.Combine(at.Parent?.FullName ?? "", "shared", "data");
            }
        }
    }
}
