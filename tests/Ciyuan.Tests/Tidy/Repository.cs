namespace Ciyuan.Tests.Tidy;

/// <summary>The files of the repository that this test was built from.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs =
        ["artifacts", "bin", "obj", "node_modules", "ciyuan-data", "ciyuan-demo", "TestResults"];

    /// <summary>The folder of the solution, above the folder that the test runs in.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>All files that people write, relative to the root, with '/', sorted.</summary>
    internal static IReadOnlyList<string> Files { get; } =
        [.. Walk(Root).Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    /// <summary>Those that are C#.</summary>
    internal static IEnumerable<string> Sources => Files.Where(f => f.EndsWith(".cs", StringComparison.Ordinal));

    /// <summary>Those that are prose.</summary>
    internal static IEnumerable<string> Pages => Files.Where(f => f.EndsWith(".md", StringComparison.Ordinal));

    internal static IEnumerable<string> SourcesUnder(string folder) =>
        Sources.Where(f => f.StartsWith(folder, StringComparison.Ordinal));

    internal static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    internal static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Ciyuan.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("Run the tests from below the folder of Ciyuan.slnx.");
    }

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            yield return file;
        }

        foreach (string below in Directory.EnumerateDirectories(folder))
        {
            string name = Path.GetFileName(below);
            bool hidden = name.StartsWith('.') && name != ".ci";
            if (!hidden && !NotOurs.Contains(name))
            {
                foreach (string file in Walk(below))
                {
                    yield return file;
                }
            }
        }
    }
}
