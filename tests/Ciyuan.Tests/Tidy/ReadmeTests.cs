using System.Diagnostics;
using Xunit;

namespace Ciyuan.Tests.Tidy;

/// <summary>The page works as written: its scripts run, in order, beside a copy of the samples.</summary>
public sealed class ReadmeTests
{
    private const string RunFromSource = "dotnet run -c Release --project src/Ciyuan.Cli --";

    private const string EndOfScript = "---- end of script ----";

    /// <summary>Longest that all scripts may take: many times what they take on two cores.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Readme_ItsScripts_RunAndPrintWhatItSays()
    {
        ReadmeFence[] fences = [.. ReadmeFences.Of(Repository.Read("README.md")).Where(f => !f.Exempt)];
        string folder = Directory.CreateTempSubdirectory("ciyuan-readme-").FullName;
        try
        {
            CopySamples(folder);
            LinkProgram(folder);
            (int exit, string output) = await RunAsync(folder, Join(fences));

            Assert.True(exit == 0, $"exit code {exit} after\n{output}");
            string[] outputs = output.Split(EndOfScript);
            for (int i = 0; i < fences.Length; i++)
            {
                string printed = Squeeze(outputs[i]);
                Assert.All(fences[i].Prints, l => Assert.Contains(Squeeze(l), printed, StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Readme_SetUp_TakesTwoCommands()
    {
        List<ReadmeFence> fences = ReadmeFences.Of(Repository.Read("README.md"));

        Assert.Equal(RunFromSource + " demo\n", fences[0].Script);
        Assert.Equal("dotnet test -c Release\n", fences[1].Script);
        Assert.True(fences[1].Exempt && fences.Count(f => f.Exempt) == 1);
    }

    // One shell runs them all, as a reader's does; the program stands for building it from source.
    private static string Join(IEnumerable<ReadmeFence> fences)
    {
        IEnumerable<string> scripts = fences.Select(f =>
            $"{f.Script.Replace(RunFromSource, "artifacts/bin/Ciyuan.Cli/release/ciyuan", StringComparison.Ordinal)}"
            + $"echo '{EndOfScript}'\n");
        return "exec 2>&1\n" + string.Concat(scripts);
    }

    // The program built beside this test, in the same configuration: artifacts/bin/<project>/<configuration>.
    private static void LinkProgram(string folder)
    {
        string here = AppContext.BaseDirectory.TrimEnd('/');
        string built = Path.GetFullPath(Path.Combine(here, "../../Ciyuan.Cli", Path.GetFileName(here)));
        string bin = Path.Combine(folder, "artifacts/bin/Ciyuan.Cli");
        Directory.CreateDirectory(bin);
        Directory.CreateSymbolicLink(Path.Combine(bin, "release"), built);
    }

    private static void CopySamples(string folder)
    {
        foreach (string file in Repository.Files.Where(f => f.StartsWith("samples/", StringComparison.Ordinal)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
            File.Copy(Path.Combine(Repository.Root, file), Path.Combine(folder, file));
        }
    }

    private static async Task<(int Exit, string Output)> RunAsync(string folder, string script)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            string output = await process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, output);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return (-1, $"no end after {Patience}");
        }
    }

    private static string Squeeze(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
