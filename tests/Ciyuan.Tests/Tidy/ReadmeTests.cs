using System.Diagnostics;
using Xunit;

namespace Ciyuan.Tests.Tidy;

/// <summary>The page works as written: its scripts run, in order, beside a copy of the samples.</summary>
public sealed class ReadmeTests
{
    private const string RunFromSource = "dotnet run -c Release --project src/Ciyuan.Cli --";

    /// <summary>Longest that one script may take: a hundred times what it takes on two cores.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Readme_ItsScripts_RunAndPrintWhatItSays()
    {
        string folder = Directory.CreateTempSubdirectory("ciyuan-readme-").FullName;
        try
        {
            CopySamples(folder);
            foreach (ReadmeFence fence in ReadmeFences.Of(Repository.Read("README.md")).Where(f => !f.Exempt))
            {
                string script = fence.Script.Replace(RunFromSource, Ciyuan, StringComparison.Ordinal);
                (int exit, string output) = await RunAsync(folder, script);

                Assert.True(exit == 0, $"exit code {exit} of\n{fence.Script}\n{output}");
                string printed = Squeeze(output);
                Assert.All(fence.Prints, line => Assert.Contains(Squeeze(line), printed, StringComparison.Ordinal));
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

    // Built beside this test, in the same configuration: artifacts/bin/<project>/<configuration>.
    private static string Ciyuan
    {
        get
        {
            string here = AppContext.BaseDirectory.TrimEnd('/');
            return Path.Combine(here, "../../Ciyuan.Cli", Path.GetFileName(here), "ciyuan");
        }
    }

    private static void CopySamples(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "samples"));
        foreach (string file in Repository.Files.Where(f => f.StartsWith("samples/", StringComparison.Ordinal)))
        {
            File.Copy(Path.Combine(Repository.Root, file), Path.Combine(folder, file));
        }
    }

    private static async Task<(int Exit, string Output)> RunAsync(string folder, string script)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", "exec 2>&1\n" + script])
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
