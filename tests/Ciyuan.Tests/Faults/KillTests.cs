using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ciyuan.Storage;

namespace Ciyuan.Tests.Faults;

/// <summary>
/// <c>kill -9</c> at random moments of an import and of HTTP ingest. After each kill every invariant holds, and
/// whatever was acknowledged is there once. With CIYUAN_FAULTS=full, 520 kills.
/// </summary>
[Collection("faults")]
public sealed class KillTests
{
    private const int Seed = 20261123;
    private static readonly int ImportKills = FaultRoom.Full ? 260 : 5;
    private static readonly int ServerKills = FaultRoom.Full ? 260 : 5;

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Import_KilledAtRandomMoments_LosesNothingAndAddsNothingTwice()
    {
        const int Lines = 60_000;
        var random = new Random(Seed);
        long expected = Enumerable.Range(0, Lines).Sum(FaultRoom.InputOf);
        int kills = 0;
        int killedInTheMiddle = 0;
        for (int round = 0; kills < ImportKills; round++)
        {
            using var room = new FaultRoom();
            await room.SetUpAsync();
            string file = room.WriteLines("usage.jsonl", "import", Lines);
            string[] command = ["import", file, "--format", "json"];
            long before = 0;
            bool ended = false;
            while (!ended && kills < ImportKills)
            {
                using Process process = room.Start(command);
                if (kills % 3 < 2)
                {
                    await WaitForFrameAsync(room, process); // every third is killed while it starts
                }

                await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(random.Next(300)));
                ended = process.HasExited;
                process.Kill();
                await process.WaitForExitAsync();
                kills += ended ? 0 : 1;
                room.AssertClean($"after kill {kills} (seed {Seed})");
                long tokens = await room.InputTokensAsync();
                Assert.InRange(tokens, before, expected);
                killedInTheMiddle += tokens > before && tokens < expected ? 1 : 0;
                before = tokens;
            }

            var (exit, output, errors) = await room.RunAsync(command);
            Assert.True(exit == 0, errors);
            Assert.Equal(Lines, FaultRoom.Number(output, "posted") + FaultRoom.Number(output, "already_there"));
            Assert.Equal(expected, await room.InputTokensAsync());
            room.AssertClean($"at the end of round {round}");
        }

        Assert.True(killedInTheMiddle > 0, "no kill met the import at work");
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task HttpIngest_KilledAtRandomMoments_KeepsEveryAcknowledgedEventOnce()
    {
        var random = new Random(Seed);
        using var room = new FaultRoom();
        await room.SetUpAsync();
        var acknowledged = new List<int>();
        var sent = new List<int>();
        for (int kill = 1; kill <= ServerKills; kill++)
        {
            int wait = random.Next(20, 500);
            await ServeUntilKilledAsync(room, sent, acknowledged, TimeSpan.FromMilliseconds(wait), kill % 3 > 0);
            room.AssertClean($"after kill {kill} (seed {Seed})");
        }

        // Acknowledged means recorded: sent again, every one is there. What was sent and not acknowledged is there or
        // not.
        var (exit, output, errors) = await room.ImportAsync([.. acknowledged.Select(i => FaultRoom.Line("http", i))]);
        Assert.True(exit == 0, errors);
        Assert.NotEmpty(acknowledged);
        Assert.Equal(acknowledged.Count, FaultRoom.Number(output, "already_there"));
        (exit, output, errors) = await room.ImportAsync([.. sent.Select(i => FaultRoom.Line("http", i))]);
        Assert.True(exit == 0, errors);
        Assert.Equal(sent.Count, FaultRoom.Number(output, "already_there") + FaultRoom.Number(output, "posted"));
        Assert.Equal(sent.Sum(FaultRoom.InputOf), await room.InputTokensAsync());
    }

    /// <summary>Returns when the program has written a frame, or has ended: how long it takes to start depends on the
    /// machine.</summary>
    private static async Task WaitForFrameAsync(FaultRoom room, Process process)
    {
        using var journal = SqliteJournal.OpenReadOnly(room.Data);
        long before = journal.LastSeq();
        while (!process.HasExited && journal.LastSeq() == before)
        {
            await Task.Delay(5);
        }
    }

    private static async Task ServeUntilKilledAsync(
        FaultRoom room, List<int> sent, List<int> acknowledged, TimeSpan wait, bool atWork)
    {
        using Process server = room.Start(["serve", "--listen", "http://127.0.0.1:0"]);
        _ = server.StandardOutput.ReadToEndAsync();
        Uri url = await UrlOfAsync(server);
        _ = server.StandardError.ReadToEndAsync();
        using var client = new HttpClient { BaseAddress = url };
        var answered = new TaskCompletionSource();
        Task killed = Task.Run(async () =>
        {
            await (atWork ? Task.WhenAny(answered.Task, Task.Delay(FaultRoom.Patience)) : Task.CompletedTask);
            await Task.Delay(wait);
            server.Kill();
        });
        try
        {
            while (!server.HasExited)
            {
                int[] batch = [.. Enumerable.Range(sent.Count, 20)];
                sent.AddRange(batch);
                string lines = string.Join(',', batch.Select(i => FaultRoom.Line("http", i)));
                using var content = new StringContent($"[{lines}]", Encoding.UTF8, "application/json");
                using HttpResponseMessage response =
                    await client.PostAsync(new Uri("/v1/events", UriKind.Relative), content);
                string answer = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
                Assert.Equal(batch.Length, FaultRoom.Number(answer, "posted"));
                acknowledged.AddRange(batch);
                answered.TrySetResult();
            }
        }
        catch (HttpRequestException)
        {
            // The server was killed with this request under way: not acknowledged.
        }

        await killed;
        await server.WaitForExitAsync();
    }

    private static async Task<Uri> UrlOfAsync(Process server)
    {
        var said = new StringBuilder();
        while (await server.StandardError.ReadLineAsync() is { } line)
        {
            said.AppendLine(CultureInfo.InvariantCulture, $"{line}");
            int at = line.IndexOf("http://", StringComparison.Ordinal);
            if (at >= 0)
            {
                return new Uri(line[at..].Trim());
            }
        }

        throw new InvalidOperationException($"The server did not start: {said}");
    }
}
