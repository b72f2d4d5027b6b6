using System.Diagnostics;
using Ciyuan.ServerTests.Gateway.Translation;
using Xunit.Abstractions;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>The official clients from npm, run by Node. Where Node is there and their packages are not
/// (<c>npm ci</c> in <c>tests/clients</c>), that is a failure: else nobody would notice that they are never
/// tried.</summary>
public sealed class NpmClientTests(ITestOutputHelper output)
{
    private const string Sandbox = "  - { id: box, protocol: sandbox, models: [{ model: m, max_output: 100 }] }";

    [Fact]
    [Trait("Takes", "Long")]
    public async Task NpmClients_AgainstTheSandbox_AllWork()
    {
        await using GatewayServer server = await StartAsync(Sandbox);
        await RunAsync(server, "clients.mjs");
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task NpmClients_AgainstModelsOfOtherProtocols_AllWork()
    {
        await using ClientTests.Chain chain = await ClientTests.Chain.StartAsync();
        await RunAsync(chain.Front, "translated.mjs");
    }

    private async Task RunAsync(GatewayServer server, string script)
    {
        if (!HasNode())
        {
            output.WriteLine("SKIPPED: there is no Node to run the clients from npm.");
            return;
        }

        string folder = FindClients();
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            Assert.True(
                Environment.GetEnvironmentVariable("CI") is null, "Node is there: run `npm ci` in tests/clients.");
            output.WriteLine("SKIPPED: `npm ci` in tests/clients brings the clients.");
            return;
        }

        var start = new ProcessStartInfo("node", [script])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        start.Environment["CIYUAN_URL"] = server.Host.Url.ToString();
        start.Environment["CIYUAN_KEY"] = Secret;
        start.Environment["NO_PROXY"] = "127.0.0.1";
        using Process process = Process.Start(start)!;
        string printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        output.WriteLine(printed);
        Assert.True(process.ExitCode == 0, printed);
        await server.AssertNoHoldAsync();
    }

    private static bool HasNode() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "node")) || File.Exists(Path.Combine(folder, "node.exe")));

    private static string FindClients()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string clients = Path.Combine(at.FullName, "tests", "clients");
            if (File.Exists(Path.Combine(clients, "clients.mjs")))
            {
                return clients;
            }
        }

        throw new DirectoryNotFoundException("tests/clients is not above the tests.");
    }
}
