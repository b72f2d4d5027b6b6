using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

namespace Ciyuan.Tokens.Tests.Api;

/// <summary>What goes to NuGet.</summary>
public sealed class PackageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ciyuan-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Pack_Library_CarriesWhatItsUsersNeedAndDependsOnNothing()
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Name; // artifacts/bin/PROJECT/release
        var start = new ProcessStartInfo(
            "dotnet",
            ["pack", PublicApiTests.Project(), "--no-build", "-c", configuration, "-o", _folder, "-v", "quiet"])
        {
            RedirectStandardOutput = true,
        };
        using Process pack = Process.Start(start)!;
        string said = await pack.StandardOutput.ReadToEndAsync();
        await pack.WaitForExitAsync();
        Assert.True(pack.ExitCode == 0, said);

        using ZipArchive package = ZipFile.OpenRead(Directory.GetFiles(_folder, "*.nupkg").Single());
        Assert.Superset(
            new HashSet<string>
            {
                "lib/net10.0/Ciyuan.Tokens.dll", "lib/net10.0/Ciyuan.Tokens.xml", "LICENSE", "NOTICE", "PublicApi.txt",
                "README.md",
            },
            package.Entries.Select(entry => entry.FullName).ToHashSet());
        using Stream nuspec = package.GetEntry("Ciyuan.Tokens.nuspec")!.Open();
        XElement[] facts = [.. XDocument.Load(nuspec).Descendants()];
        Assert.Equal("Apache-2.0", Fact("license"));
        Assert.Equal("README.md", Fact("readme"));
        Assert.DoesNotContain(facts, fact => fact.Name.LocalName == "dependency");

        string? Fact(string name) => facts.SingleOrDefault(fact => fact.Name.LocalName == name)?.Value;
    }
}
