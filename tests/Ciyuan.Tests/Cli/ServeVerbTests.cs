using System.Diagnostics;
using System.Net.Sockets;
using Ciyuan.Tests.Faults;

namespace Ciyuan.Tests.Cli;

/// <summary><c>ciyuan serve</c> as a process.</summary>
public sealed class ServeVerbTests
{
    [Fact]
    public async Task Serve_ProcessReplacesItself_SettingsHoldAndNothingElseChanges()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // only there does the process replace itself
        }

        using var room = new FaultRoom();
        string odd = "a name, \"quoted\" and 词元";
        using Process server = room.Start(
            ["serve", "--listen", "http://127.0.0.1:0", "--keep-content", odd, "--otlp", "http://127.0.0.1:4318"]);
        try
        {
            string? said;
            do
            {
                said = await server.StandardError.ReadLineAsync();
                Assert.NotNull(said);
            }
            while (!said.Contains("serving", StringComparison.Ordinal));

            Dictionary<string, string> environment = (await File.ReadAllTextAsync($"/proc/{server.Id}/environ"))
                .Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=', 2))
                .ToDictionary(v => v[0], v => v[1], StringComparer.Ordinal);
            Assert.Equal("0x1000000", environment["DOTNET_GCgen0size"]);
            Assert.Equal("1", environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"]);
            Assert.Equal("0", environment["DOTNET_TieredPGO"]); // as it was told from outside
            string[] arguments = (await File.ReadAllTextAsync($"/proc/{server.Id}/cmdline")).Split('\0');
            Assert.Contains(odd, arguments);
            Assert.Equal(FaultRoom.Program, arguments[1]);
            string port = Assert.Single(
                Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{server.Id}-*-socket"));
            using var tool = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await tool.ConnectAsync(new UnixDomainSocketEndPoint(port)); // so tools can look into the process
        }
        finally
        {
            server.Kill();
        }
    }
}
