using System.Diagnostics;
using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Usage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Bench;

/// <summary>A month of ten million records: memory of the importing process, grouped reports, and rating it all
/// again.</summary>
internal static class LargeBench
{
    private const int Rounds = 5;
    private const int RerateRounds = 4;

    public static async Task RunAsync(Room room, Figures figures, long records, bool rerate, bool report)
    {
        string folder = room["large"];
        string file = room.File("large.jsonl", () => Workload.Lines(records, 7, room.Trace));
        await (await ImportBench.OpenAsync(folder)).DisposeAsync();
        (double seconds, double gib, _) = await OwnProcess.RunAsync("import", file, "--data", folder);
        File.Delete(file);
        figures.Add($"import of {records:N0} records by the command line", records / seconds, "records/s",
            bound: "start and end of the process included");
        figures.Add($"peak memory of that process for {records:N0} records", gib, "GiB", 1, lessIsBetter: true,
            "read from VmHWM when it ended");
        figures.Add("journal", new FileInfo(Path.Combine(folder, "journal.db")).Length / (double)records, "bytes/rec");
        if (report)
        {
            Report(figures, folder, records);
        }

        if (rerate)
        {
            await RerateAsync(figures, folder, records);
        }
    }

    private static void Report(Figures figures, string folder, long records)
    {
        var zone = DateTimeZoneProviders.Tzdb["Asia/Shanghai"];
        Period.TryParse("2026-11", zone, out Period month);
        (string Name, ReportQuery Query)[] questions =
        [
            ("by party and model", Query([Dimension.Party, Dimension.Model], Bucket.None)),
            ("by day, provider and class", Query([Dimension.Provider, Dimension.Class], Bucket.Day)),
            ("by hour, scenario and site", Query([Dimension.Scenario, Dimension.Site], Bucket.Hour)),
            ("by hour, scenario, project, site, grade and agreement", Query(
                [Dimension.Scenario, Dimension.Project, Dimension.Site, Dimension.Grade, Dimension.Agreement],
                Bucket.Hour)),
        ];
        long start = Stopwatch.GetTimestamp();
        using var journal = SqliteJournal.OpenReadOnly(folder);
        using var facts = FactStore.OpenReadOnly(
            folder, seq => journal.ReadFrom(seq).Select(f => FrameDecoder.Decode(f.Shard, f.Seq, f.Time, f.Body)));
        double opening = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach ((string name, ReportQuery query) in questions)
        {
            var times = new List<double>();
            int rows = 0;
            for (int i = 0; i < Rounds; i++)
            {
                start = Stopwatch.GetTimestamp();
                rows = facts.Run(query).Rows.Count;
                times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            figures.Add(
                $"report over {records:N0} records {name}", ImportBench.Median(times), "s", 1, lessIsBetter: true,
                string.Create(CultureInfo.InvariantCulture, $"{rows:N0} rows, first time {times[0]:0.00} s, opening "
                    + $"{opening:0.00} s; every record's columns are read"));
        }

        ReportQuery Query(Dimension[] groupBy, Bucket bucket) =>
            new() { Period = month, Zone = zone, GroupBy = groupBy, Bucket = bucket };
    }

    private static async Task RerateAsync(Figures figures, string folder, long records)
    {
        await using Shard shard = await Shard.OpenAsync(new ShardOptions(folder));
        _ = shard.Facts; // opening is done
        for (int round = 1; round <= RerateRounds; round++)
        {
            await RerateAsync(
                figures, shard, records, Workload.RaisedBook(round + 1),
                $"rating and posting a month again, round {round}", 1_000_000);
        }

        await RerateAsync(
            figures, shard, records, Workload.RuledBook(RerateRounds + 2),
            "the same to prices that depend on the record", null);
    }

    private static async Task RerateAsync(
        Figures figures, Shard shard, long records, Setup book, string name, double? aim)
    {
        ImportBench.SetUp(await shard.SetUpAsync(book));
        Stopwatches clock = Stopwatches.Start();
        long corrected = (await CorrectUsage.RunAsync(
            shard, new Correction(
                "bench", $"november-{book.Books[0].Version}", CorrectionMode.RerateByRate, 1, 0, Period.Always,
                Memo: "prices raised"))).Corrected;
        double durable = clock.Seconds;
        _ = shard.Facts;
        if (corrected != records)
        {
            throw new InvalidOperationException($"{corrected} of {records} corrected");
        }

        figures.Add(name, records / clock.Seconds, "records/s", aim, bound: string.Create(
            CultureInfo.InvariantCulture,
            $"statistics included, durable after {durable:0.00} s; {clock.MicrosecondsOf(records):0.00} µs "
            + $"of processor time a record"));
    }
}
