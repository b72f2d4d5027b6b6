using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using Ciyuan.Usage;
using static Ciyuan.ServerTests.Gateway.GatewayServer;

namespace Ciyuan.ServerTests.Gateway;

/// <summary>The program is killed in the middle of calls, as often as it takes to meet it at work.</summary>
public sealed class KillTests
{
    private const string Sandbox = "  - { id: box, protocol: sandbox, models: [{ model: m, max_output: 100 }] }";
    private const int Rounds = 3;

    /// <summary>Calls that are answered before the kill; the rounds meet different moments.</summary>
    private const int AnsweredBefore = 40;

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Server_KilledUnderLoad_LosesNoAnsweredCallAndLeavesNoHold()
    {
        GatewayServer first = await StartAsync(Sandbox);
        DirectoryInfo folder = await first.StopAsync();
        var answered = new ConcurrentBag<string>();
        for (int round = 0; round < Rounds; round++)
        {
            int before = answered.Count;
            await RunAndKillAsync(folder.FullName, answered, before + AnsweredBefore + (7 * round));
        }

        await using GatewayServer last = await OpenAsync(folder);

        await last.AssertNoHoldAsync();
        var records = await last.RecordsAsync(answered.Count);
        Dictionary<string, Outcome> outcomes = records.ToDictionary(r => r.Record.Id, r => r.Record.Outcome);
        Assert.All(answered, id => Assert.True(outcomes.ContainsKey(id), $"{id} was answered and is not on record"));
        // A call whose record was lost is on record all the same, by its hold, and costs nothing.
        Assert.All(
            records.Where(r => r.Record.Tags.Contains(new Tag("end", "server_stopped"))),
            r => Assert.Empty(r.Result.Postings));
        Assert.Equal(200, (await last.ChatAsync()).Status);
    }

    private static async Task RunAndKillAsync(string folder, ConcurrentBag<string> answered, int until)
    {
        using Process server = Start(folder, out Task<Uri> listening);
        Uri url = await listening.WaitAsync(TimeSpan.FromMinutes(1));
        using var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Secret);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(
            i => CallAsync(client, answered, until, server, i % 2 == 0)));
        await server.WaitForExitAsync();
    }

    private static async Task CallAsync(
        HttpClient client, ConcurrentBag<string> answered, int until, Process server, bool streams)
    {
        while (true)
        {
            try
            {
                using HttpRequestMessage request = Request("/v1/chat/completions", Chat(streams));
                using HttpResponseMessage answer = await client.SendAsync(request);
                if (answer.IsSuccessStatusCode)
                {
                    answered.Add(answer.Headers.GetValues("x-ciyuan-record").Single());
                }
            }
            catch (Exception dead) when (dead is HttpRequestException or IOException)
            {
                return;
            }

            if (answered.Count >= until)
            {
                server.Kill();
            }
        }
    }

    private static Process Start(string folder, out Task<Uri> listening)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ciyuan.dll");
        var start = new ProcessStartInfo(
            "dotnet", [program, "serve", "--data", folder, "--listen", "http://127.0.0.1:0"])
        {
            RedirectStandardError = true,
        };
        Process process = Process.Start(start)!;
        var found = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            int at = line.Data?.IndexOf(" on http://", StringComparison.Ordinal) ?? -1;
            if (at >= 0)
            {
                found.TrySetResult(new Uri(line.Data![(at + 4)..]));
            }
        };
        process.BeginErrorReadLine();
        listening = found.Task;
        return process;
    }
}
