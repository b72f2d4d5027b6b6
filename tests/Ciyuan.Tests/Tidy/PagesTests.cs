using System.Text.RegularExpressions;
using Xunit;

namespace Ciyuan.Tests.Tidy;

/// <summary>The written pages: what they name is there.</summary>
public sealed partial class PagesTests
{
    private static readonly string[] TopFolders = ["src/", "tests/", "docs/", "samples/", "bench/", ".ci/"];

    [Fact]
    public void Path_NamedOnAPage_Exists()
    {
        List<string> faults = [];
        foreach (string page in Repository.Pages)
        {
            string text = Repository.Read(page);
            IEnumerable<string> links = Link().Matches(text).Select(m => m.Groups[1].Value);
            IEnumerable<string> quoted = Quoted().Matches(WithoutFences(text)).Select(m => m.Groups[1].Value);
            IEnumerable<string> paths = links.Concat(quoted.Where(IsPath)).Distinct();
            faults.AddRange(paths.Where(path => !Exists(page, path)).Select(path => $"{page}: {path}"));
        }

        Assert.True(faults.Count == 0, "named, but not there:\n" + string.Join('\n', faults));
    }

    [Fact]
    public void Page_UnderDocs_HasOneTitle()
    {
        foreach (string page in Repository.Pages)
        {
            string prose = WithoutFences(Repository.Read(page));
            int titles = prose.Split('\n').Count(l => l.StartsWith("# ", StringComparison.Ordinal));
            Assert.True(titles == 1, $"{page}: has {titles} lines that start with '# '");
        }
    }

    [Fact]
    public void Pages_InTwoLanguages_ShowTheSameCommands() =>
        Assert.Equal(Fences("README.md"), Fences("README.zh-CN.md"));

    private static string Fences(string page) =>
        string.Join('\n', ReadmeFences.Of(Repository.Read(page)).Select(f => f.Script));

    private static bool IsPath(string quoted) =>
        TopFolders.Any(f => quoted.StartsWith(f, StringComparison.Ordinal)) || SourcePath().IsMatch(quoted);

    private static bool Exists(string page, string path)
    {
        string clean = path.Split('#')[0].TrimEnd('/');
        string[] bases = ["", Path.GetDirectoryName(page)!, "src/Ciyuan.Engine", "src", "docs"];
        bool byPath = bases.Select(b => Path.Combine(Repository.Root, b, clean)).Any(Path.Exists);
        bool byName = !clean.Contains('/') && Repository.Files.Any(f => Path.GetFileName(f) == clean);
        return byPath || byName || clean.Length == 0;
    }

    private static string WithoutFences(string text) => Fence().Replace(text, "");

    [GeneratedRegex(@"\]\((?!https?:|mailto:)([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([^`\s*…<>]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^[\w./-]+\.(cs|csproj|md|props|slnx|svg)$|^[A-Z]\w+/$")]
    private static partial Regex SourcePath();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
