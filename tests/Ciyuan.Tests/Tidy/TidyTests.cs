using System.Text.RegularExpressions;
using Xunit;

namespace Ciyuan.Tests.Tidy;

/// <summary>Style as a test: what a reader may rely on everywhere in this repository.</summary>
public sealed partial class TidyTests
{
    private const int MaxColumns = 120;

    /// <summary>A method longer than this does not fit on a screen with its comments.</summary>
    private const int MaxMethodLines = 70;

    /// <summary>Methods longer than this are listed in long-methods.txt, which may only get shorter.</summary>
    private const int SoftMethodLines = 40;

    private const string LongMethods = "tests/Ciyuan.Tests/Tidy/long-methods.txt";

    private static readonly string[] Drawers =
        ["Utils", "Util", "Helpers", "Common", "Services", "Models", "Misc", "Shared"];

    private static readonly string[] TextEndings =
    [
        ".cs", ".md", ".csproj", ".props", ".slnx", ".json", ".jsonl", ".yaml", ".yml", ".txt", ".svg", "/run", ".sh",
        ".html", ".css", ".js",
    ];

    private static IEnumerable<string> TextFiles =>
        Repository.Files.Where(f => TextEndings.Any(e => f.EndsWith(e, StringComparison.Ordinal)) && !IsAboutWords(f));

    [Fact]
    public void Line_OfCode_HasAtMost120Columns() => AssertNoLine(
        f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".yaml", StringComparison.Ordinal)
            || f.EndsWith(".props", StringComparison.Ordinal) || f == ".ci/run",
        line => line.Length > MaxColumns && !line.Contains("\"\"\"", StringComparison.Ordinal), // data can't be broken
        $"longer than {MaxColumns} columns");

    [Fact]
    public void Line_Anywhere_HasNoSpaceAtItsEndAndNoTab() => AssertNoLine(
        f => !f.StartsWith("samples/azure", StringComparison.Ordinal),
        line => line.Contains('\t') || (line.Length > 0 && char.IsWhiteSpace(line[^1])),
        "a tab, or a space at the end");

    [Fact]
    public void Line_Anywhere_LeavesNothingForLater() => AssertNoLine(
        _ => true, line => LeftForLater().IsMatch(line), "left for later: do it, or open an issue");

    [Fact]
    public void Line_OfCode_HidesNothing() => AssertNoLine(
        f => f.EndsWith(".cs", StringComparison.Ordinal),
        line => Hiding().IsMatch(line),
        "a region, or a warning switched off without naming it");

    [Fact]
    public void Line_Anywhere_NamesNoMachine() => AssertNoLine(
        _ => true, line => MachinePath().IsMatch(line), "a path or a host of one machine");

    [Fact]
    public void Folder_Anywhere_NamesAConcept()
    {
        foreach (string file in Repository.Files)
        {
            string[] folders = file.Split('/')[..^1];
            Assert.True(!folders.Any(Drawers.Contains), $"{file}: a thing lives with the concept that it serves");
            Assert.False(file.EndsWith(".tmp.cs", StringComparison.Ordinal), $"{file}: a stand-in is still there");
        }
    }

    [Fact]
    public void Source_Namespace_IsFileScopedAndNamedByItsFolderOrProject()
    {
        List<string> faults = [];
        foreach (string file in Repository.Sources)
        {
            string[] folders = file.Split('/')[1..^1];
            folders[0] = folders[0] == "Ciyuan.Engine" ? "Ciyuan" : folders[0];
            string code = CSharpText.CodeOnly(Repository.Read(file));
            bool topLevel = Path.GetFileName(file) is "Program.cs" or "AssemblyInfo.cs" or "GlobalUsings.cs";
            string[] expected = [$"namespace {string.Join('.', folders)};", $"namespace {folders[0]};"];
            if (!topLevel && !code.Split('\n').Any(expected.Contains))
            {
                faults.Add($"{file}: has no line '{expected[0]}'");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public void Method_Anywhere_StaysShort()
    {
        string[] all =
        [
            .. from file in Repository.Sources
               from method in MethodLengths.Measure(Repository.Read(file))
               where method.Lines > SoftMethodLines
               orderby file, method.Name, method.Lines
               select $"{method.Lines} {file} {method.Name}",
        ];
        string[] tooLong = [.. all.Where(m => int.Parse(m.Split(' ')[0], null) > MaxMethodLines)];
        string[] listed = [.. Repository.Lines(LongMethods).Where(line => line.Length > 0 && line[0] != '#')];

        Assert.True(tooLong.Length == 0, $"longer than {MaxMethodLines} lines:\n{string.Join('\n', tooLong)}");
        Assert.True(
            all.SequenceEqual(listed),
            $"{LongMethods} lists what is over {SoftMethodLines} lines, and only gets shorter. Split what is "
            + $"new; write down what shrank. It should be:\n{string.Join('\n', all)}");
    }

    private static void AssertNoLine(Func<string, bool> where, Func<string, bool> isFault, string fault)
    {
        List<string> faults = [];
        foreach (string file in TextFiles.Where(where))
        {
            string[] lines = Repository.Lines(file);
            IEnumerable<int> at = Enumerable.Range(0, lines.Length).Where(i => isFault(lines[i]));
            faults.AddRange(at.Select(i => $"{file}:{i + 1}"));
        }

        Assert.True(faults.Count == 0, $"{fault}:\n{string.Join('\n', faults)}");
    }

    // This file has to spell what it looks for.
    private static bool IsAboutWords(string file) => file == "tests/Ciyuan.Tests/Tidy/TidyTests.cs";

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex LeftForLater();

    [GeneratedRegex(@"^\s*#(region|endregion)|#pragma warning disable\s*$|SuppressMessage")]
    private static partial Regex Hiding();

    [GeneratedRegex(
        @"(?<![\w.}>*])/(work|home|tmp|root|mnt|Users)/|[A-Z]:\\\\|nuget\.org/v3|registry\.npmjs|/simple/")]
    private static partial Regex MachinePath();
}
