using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Ciyuan.Tests.Tidy;

/// <summary>Which way the parts may look: docs/ARCHITECTURE.md, "The parts".</summary>
public sealed partial class DependencyTests
{
    /// <summary>The folders of the engine, in order: each may use only those before it.</summary>
    private static readonly string[] EngineFolders =
    [
        "Quantities", "Parties", "Usage", "Counting", "Rating", "Ledger", "Settlement", "Journal", "Statistics",
        "Reconciling",
    ];

    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["Ciyuan.Tokens"] = [],
        ["Ciyuan.Engine"] = [],
        ["Ciyuan.Storage"] = ["Ciyuan.Engine"],
        ["Ciyuan.Server"] = ["Ciyuan.Tokens", "Ciyuan.Engine", "Ciyuan.Storage"],
        ["Ciyuan.Cli"] = ["Ciyuan.Tokens", "Ciyuan.Engine", "Ciyuan.Storage", "Ciyuan.Server"],
    };

    private static IEnumerable<string> Projects =>
        Repository.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal));

    [Fact]
    public void Project_UnderSource_ReferencesOnlyThoseBelowIt()
    {
        foreach (string project in Projects.Where(p => p.StartsWith("src/", StringComparison.Ordinal)))
        {
            string name = Path.GetFileNameWithoutExtension(project);
            Assert.True(MayReference.ContainsKey(name), $"{project}: say here what it may use");
            foreach (XElement reference in XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference"))
            {
                string target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value);
                Assert.True(MayReference[name].Contains(target), $"{project}: {name} may not use {target}");
            }
        }
    }

    [Fact]
    public void Project_Anywhere_IsInTheSolution()
    {
        string solution = Repository.Read("Ciyuan.slnx");

        Assert.All(Projects, project => Assert.Contains($"\"{project}\"", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void PackageVersion_Anywhere_IsCentral()
    {
        foreach (string project in Projects)
        {
            Assert.All(
                XDocument.Parse(Repository.Read(project)).Descendants("PackageReference"),
                package => Assert.True(
                    package.Attribute("Version") is null && package.Attribute("VersionOverride") is null,
                    $"{project}: versions belong in Directory.Packages.props ({package})"));
        }
    }

    [Fact]
    public void EngineFile_InItsFolder_UsesOnlyFoldersBefore()
    {
        List<string> faults = [];
        foreach (string file in Repository.SourcesUnder("src/Ciyuan.Engine/"))
        {
            string folder = file.Split('/')[2];
            int rank = Array.IndexOf(EngineFolders, folder);
            string code = CSharpText.CodeOnly(Repository.Read(file));
            if (rank < 0 || !Regex.IsMatch(code, $@"^namespace Ciyuan\.{folder}(\.\w+)*;", RegexOptions.Multiline))
            {
                faults.Add($"{file}: belongs into a folder of the engine, with the namespace Ciyuan.<folder>");
                continue;
            }

            faults.AddRange(
                from Match match in EngineNamespace().Matches(code)
                let used = match.Groups["folder"].Value
                where Array.IndexOf(EngineFolders, used) > rank
                select $"{file}: {folder} comes before {used} and may not use it");
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults.Distinct()));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Interface_InSource_HasTwoImplementations()
    {
        string[] files = [.. Repository.Sources.Where(f => !f.StartsWith("bench/", StringComparison.Ordinal))];
        string all = string.Join('\n', files.Select(f => CSharpText.CodeOnly(Repository.Read(f))));
        IEnumerable<string> interfaces =
            from file in files
            where file.StartsWith("src/", StringComparison.Ordinal)
            from Match match in InterfaceName().Matches(CSharpText.CodeOnly(Repository.Read(file)))
            select match.Groups[1].Value;
        foreach (string name in interfaces)
        {
            string implements = $@"\b(class|record|struct)\s+\w+[^;{{]*:[^;{{]*\b{name}\b";
            int count = Regex.Count(all, implements);
            Assert.True(count >= 2, $"{name} has {count} implementation(s): use the class itself until there are two");
        }
    }

    // Full names and usings, and names that start with a folder of the engine: those resolve from inside Ciyuan.
    [GeneratedRegex(
        @"\bCiyuan\.(?<folder>[A-Z]\w+)"
        + @"|(?<![.\w])(?<folder>Settlement|Statistics|Journal|Ledger|Rating)\.[A-Z]\w+[ .(<]")]
    private static partial Regex EngineNamespace();

    [GeneratedRegex(@"\binterface\s+(I[A-Z]\w*)")]
    private static partial Regex InterfaceName();
}
