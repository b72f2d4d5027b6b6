using System.Diagnostics;
using System.Net;
using System.Text;

namespace Ciyuan.Tests.Faults;

/// <summary>A disk that is full for a while: refused with a sentence that says so, and it goes on once there is
/// space.</summary>
[Collection("faults")]
public sealed class FullDiskTests(Xunit.Abstractions.ITestOutputHelper log)
{
    [Fact]
    [Trait("Takes", "Long")]
    public async Task Import_DiskFull_IsRefusedThenGoesOn()
    {
        using var room = new FaultRoom();
        if (!await MountAsync(room))
        {
            return;
        }

        try
        {
            const int Lines = 30_000;
            await room.SetUpAsync();
            string file = room.WriteLines("usage.jsonl", "disk", Lines);
            Fill(room, leave: 700_000);
            var (exit, _, errors) = await room.RunAsync(["import", file, "--format", "json"]);
            Assert.Equal(1, exit);
            Assert.Contains("space", errors, StringComparison.OrdinalIgnoreCase);
            File.Delete(Path.Combine(room.Data, "filler"));
            room.AssertClean("after the disk was full");
            (exit, string output, errors) = await room.RunAsync(["import", file, "--format", "json"]);
            Assert.True(exit == 0, errors);
            Assert.Equal(Lines, FaultRoom.Number(output, "posted") + FaultRoom.Number(output, "already_there"));
            Assert.Equal(Enumerable.Range(0, Lines).Sum(FaultRoom.InputOf), await room.InputTokensAsync());
        }
        finally
        {
            await RunAsync("umount", "-l", room.Data);
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task HttpIngest_DiskFull_AnswersInsufficientStorageThenGoesOn()
    {
        using var room = new FaultRoom();
        if (!await MountAsync(room))
        {
            return;
        }

        try
        {
            await room.SetUpAsync();
            await using var host = await Ciyuan.Server.ServerHost.StartAsync(
                new Ciyuan.Server.ServerOptions(new Ciyuan.Storage.ShardOptions(room.Data))
                {
                    Listen = "http://127.0.0.1:0",
                });
            using var client = new HttpClient { BaseAddress = host.Url };
            int sent = 0;
            Assert.Equal(HttpStatusCode.OK, await SendAsync(client, sent));
            Fill(room, leave: 100_000);
            HttpStatusCode status;
            do
            {
                status = await SendAsync(client, ++sent);
            }
            while (status == HttpStatusCode.OK && sent < 2_000);
            Assert.Equal(HttpStatusCode.InsufficientStorage, status);
            File.Delete(Path.Combine(room.Data, "filler"));
            Assert.Equal(HttpStatusCode.OK, await SendAsync(client, sent)); // the refused batch, sent again
            await host.DisposeAsync();
            room.AssertClean("after the disk was full");
            long expected = Enumerable.Range(0, (sent + 1) * 100).Sum(FaultRoom.InputOf);
            Assert.Equal(expected, await room.InputTokensAsync());
        }
        finally
        {
            await RunAsync("umount", "-l", room.Data);
        }
    }

    private static async Task<HttpStatusCode> SendAsync(HttpClient client, int batch)
    {
        string lines = string.Join(',', Enumerable.Range(batch * 100, 100).Select(i => FaultRoom.Line("disk", i)));
        using var content = new StringContent($"[{lines}]", Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await client.PostAsync(new Uri("/v1/events", UriKind.Relative), content);
        return response.StatusCode;
    }

    private async Task<bool> MountAsync(FaultRoom room)
    {
        Directory.CreateDirectory(room.Data);
        bool mounted = await RunAsync("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", room.Data) == 0;
        if (!mounted)
        {
            log.WriteLine("SKIPPED: a small file system can't be mounted here, so no disk was full");
        }

        return mounted;
    }

    /// <summary>Fills the disk but for some bytes.</summary>
    private static void Fill(FaultRoom room, long leave)
    {
        long free = new DriveInfo(room.Data).AvailableFreeSpace;
        File.WriteAllBytes(Path.Combine(room.Data, "filler"), new byte[free - leave]);
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using Process process =
                Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
