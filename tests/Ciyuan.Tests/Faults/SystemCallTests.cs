using System.Globalization;
using System.Text.RegularExpressions;

namespace Ciyuan.Tests.Faults;

/// <summary>
/// Each write, sync and open of the journal's files made to fail in turn, with strace: the import stops without
/// acknowledging, says why, and goes on when run again. Where strace is missing the tests say so and do nothing else.
/// </summary>
[Collection("faults")]
public sealed partial class SystemCallTests(Xunit.Abstractions.ITestOutputHelper log)
{
    private const int Lines = 600;

    [Theory]
    [InlineData("pwrite64", "EIO")]
    [InlineData("pwrite64", "ENOSPC")]
    [InlineData("fdatasync", "EIO")]
    [InlineData("fsync", "EIO")]
    [InlineData("openat", "EIO")]
    [InlineData("ftruncate", "EIO")]
    [Trait("Takes", "Long")]
    public async Task Import_CallOnTheJournalFails_StopsWithoutAcknowledgingAndRecovers(string call, string error)
    {
        if (!File.Exists("/usr/bin/strace"))
        {
            log.WriteLine("SKIPPED: strace is not installed, so no system call was made to fail");
            return;
        }

        long expected = Enumerable.Range(0, Lines).Sum(FaultRoom.InputOf);
        int calls = await CountAsync(call);
        int step = FaultRoom.Full ? 1 : Math.Max(1, calls / 3);
        int stopped = 0;
        for (int when = 1; when <= calls; when += step)
        {
            using var room = new FaultRoom();
            await room.SetUpAsync();
            string file = room.WriteLines("usage.jsonl", "call", Lines);
            string[] command = ["import", file, "--format", "json"];
            string place = $"{call} {when} of {calls} fails with {error}";
            var (exit, output, errors) = await room.RunAsync(
                command, Under(room, $"inject={call}:error={error}:when={when}", room["strace.out"]));
            Assert.True(exit is 0 or 1, $"{place}: exit {exit}: {errors}");
            if (exit == 0)
            {
                // A file that is only derived, or the last tidying up: then everything that was claimed is there.
                Assert.Equal(Lines, FaultRoom.Number(output, "posted"));
            }
            else
            {
                stopped++;
                Assert.False(string.IsNullOrWhiteSpace(errors), $"{place}: says nothing");
                Assert.DoesNotContain("   at Ciyuan.", errors, StringComparison.Ordinal);
            }

            room.AssertClean(place);
            (exit, output, errors) = await room.RunAsync(command);
            Assert.True(exit == 0, $"{place}, run again: {errors}");
            Assert.Equal(Lines, FaultRoom.Number(output, "posted") + FaultRoom.Number(output, "already_there"));
            Assert.Equal(expected, await room.InputTokensAsync());
        }

        log.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{call}: {calls} calls, every {step}. failed with {error}, {stopped} stopped the import"));
        Assert.True(
            calls == 0 || stopped > 0 || call is "ftruncate" or "fsync", $"{call}: no failure stopped the import");
    }

    /// <summary>How often a call is made on the journal's files in an import without faults.</summary>
    private static async Task<int> CountAsync(string call)
    {
        using var room = new FaultRoom();
        await room.SetUpAsync();
        string file = room.WriteLines("usage.jsonl", "call", Lines);
        var (exit, _, errors) = await room.RunAsync(["import", file], Under(room, $"trace={call}", room["strace.out"]));
        Assert.True(exit == 0, errors);
        return File.ReadLines(room["strace.out"]).Count(l => Call().IsMatch(l));
    }

    // With -P, only calls on these files are seen and made to fail.
    private static string[] Under(FaultRoom room, string what, string output) =>
    [
        "strace", "-f", "-qq", "-o", output, "-e", what,
        "-P", Path.Combine(room.Data, "journal.db"), "-P", Path.Combine(room.Data, "journal.db-wal"),
    ];

    [GeneratedRegex(@"^\d+\s+\w+\(")]
    private static partial Regex Call();
}
