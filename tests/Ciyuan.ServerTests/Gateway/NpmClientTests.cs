using System.Diagnostics;
using Xunit.Abstractions;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>The official clients from npm, run by Node where it is there and their packages are installed
/// (<c>npm ci</c> in <c>tests/clients</c>).</summary>
public sealed class NpmClientTests(ITestOutputHelper output)
{
    private const string Sandbox = "  - { id: box, protocol: sandbox, models: [{ model: m, max_output: 100 }] }";

    [Fact]
    public async Task NpmClients_AgainstTheSandbox_AllWork()
    {
        string? folder = FindClients();
        if (folder is null || !Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            output.WriteLine("SKIPPED: run `npm ci` in tests/clients to try the clients from npm.");
            return;
        }

        await using GatewayServer server = await StartAsync(Sandbox);
        var start = new ProcessStartInfo("node", ["clients.mjs"])
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

    private static string? FindClients()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string clients = Path.Combine(at.FullName, "tests", "clients");
            if (File.Exists(Path.Combine(clients, "clients.mjs")))
            {
                return clients;
            }
        }

        return null;
    }
}
