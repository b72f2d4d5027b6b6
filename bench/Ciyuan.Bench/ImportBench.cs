using System.Diagnostics;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Server.Ingest;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Bench;

/// <summary>Import of JSON lines: rated, posted, durable; beside its parts and beside row-per-record stores.</summary>
internal static class ImportBench
{
    private const int Rounds = 3;
    private const int RowRecords = 200_000;

    public static async Task RunAsync(Room room, Figures figures, long records, string? postgres)
    {
        string file = room.File("usage.jsonl", () => Workload.Lines(records, 1, room.Trace));
        Console.WriteLine($"import of {records:N0} lines, {new FileInfo(file).Length / records} bytes each, median of "
            + $"{Rounds} rounds");

        double parse = Median(await Times(Rounds, () => ParseAsync(file))) / records;
        double engine =
            Median(await Times(Rounds, () => Task.FromResult(ApplyAll(file, RowRecords, _ => { })))) / RowRecords;
        var whole = new List<double>();
        for (int i = 0; i < Rounds; i++)
        {
            whole.Add(await ImportAsync(room, file, records, i) / records);
        }

        string bound =
            $"reading lines alone {1 / parse:N0}/s, engine and encoding alone {1 / engine:N0}/s, on one core each";
        figures.Add("import, durable and in the statistics", 1 / Median(whole), "records/s", 250_000, bound: bound);
        CompareRows(room, figures, file, 1 / Median(whole), postgres);
    }

    /// <summary>A shard with the workload's network and funds.</summary>
    public static async Task<Shard> OpenAsync(string folder)
    {
        Shard shard = await Shard.OpenAsync(new ShardOptions(folder));
        SetUp(await shard.SetUpAsync(Workload.Setup));
        GroupReply deposits = await shard.PostAsync(Workload.Deposits);
        return deposits.Status == LedgerStatus.Done
            ? shard
            : throw new InvalidOperationException($"deposits: {deposits.Status}");
    }

    public static void SetUp(SetupResult result)
    {
        if (result.Status != SetupStatus.Done)
        {
            throw new InvalidOperationException($"setup: {string.Join("; ", result.Faults)}");
        }
    }

    /// <summary>Imports a file whose lines are all good.</summary>
    /// <param name="shard">Where to.</param>
    /// <param name="file">Lines of usage in JSON.</param>
    /// <param name="records">How many they are.</param>
    /// <param name="priced">Whether agreements price all of it for all who take part.</param>
    public static async Task ImportAsync(Shard shard, string file, long records, bool priced = true)
    {
        var import = new UsageImport(new ImportOptions { Format = ImportFormat.Jsonl }, shard.RecordAsync);
        await import.RunAsync([file], CancellationToken.None);
        if (import.Tally.Posted != records || (priced && import.Tally.InSuspense != 0))
        {
            throw new InvalidOperationException(
                $"{import.Tally.Posted} posted, {import.Tally.InSuspense} in suspense, of {records}");
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static async Task<double> ImportAsync(Room room, string file, long records, int round)
    {
        string folder = room[$"import-{round}"];
        await using Shard shard = await OpenAsync(folder);
        TimeSpan paused = GC.GetTotalPauseDuration();
        TimeSpan worked = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        await ImportAsync(shard, file, records);
        _ = shard.Facts.LastSeq; // waits until the statistics have everything
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        double cores = (Environment.CpuUsage.TotalTime - worked) / took;
        Console.WriteLine($"  round {round + 1}: {records / took.TotalSeconds:N0}/s, {cores:0.00} cores busy, "
            + $"collector paused {(GC.GetTotalPauseDuration() - paused) / took:P0} of the time");
        return took.TotalSeconds;
    }

    private static async Task<double> ParseAsync(string file)
    {
        long start = Stopwatch.GetTimestamp();
        var import = new UsageImport(
            new ImportOptions { Format = ImportFormat.Jsonl, Workers = 1 },
            (records, _) => new ValueTask<UsageReply[]>(new UsageReply[records.Count]));
        await import.RunAsync([file], CancellationToken.None);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<List<double>> Times(int rounds, Func<Task<double>> run)
    {
        var times = new List<double>();
        for (int i = 0; i < rounds; i++)
        {
            times.Add(await run());
        }

        return times;
    }

    /// <summary>Rates and posts some lines in memory and gives each frame to a store; the time without reading the
    /// lines.</summary>
    private static double ApplyAll(string file, int records, Action<Frame> store)
    {
        var batches = new List<UsageRecord[]>();
        var parser = new UsageJson();
        foreach (string[] lines in File.ReadLines(file).Take(records).Chunk(8_192))
        {
            batches.Add([.. lines.Select(l => Parse(parser, l))]);
        }

        var engine = new Engine(0, new MemoryHistory());
        engine.Apply(new FrameProposal { Time = new Timestamp(1), IdKey = new byte[16], Setups = [Workload.Setup] });
        engine.Apply(new FrameProposal { Time = new Timestamp(2), Groups = [Workload.Deposits] });
        var encoder = new FrameEncoder();
        long start = Stopwatch.GetTimestamp();
        foreach (UsageRecord[] batch in batches)
        {
            Frame frame = engine.Apply(new FrameProposal { Time = new Timestamp(3), Records = batch }).Frame!;
            encoder.Encode(frame);
            store(frame);
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static UsageRecord Parse(UsageJson parser, string line) =>
        parser.TryParse(System.Text.Encoding.UTF8.GetBytes(line), out UsageRecord? record, out IngestFault fault)
            ? record!
            : throw new InvalidOperationException(fault.Message);

    private static void CompareRows(Room room, Figures figures, string file, double ours, string? postgres)
    {
        var stores = new List<IRowStore> { new SqliteRowStore(room["rows.db"]) };
        if (postgres is not null)
        {
            stores.Add(new PostgresRowStore(postgres));
        }

        foreach (IRowStore store in stores)
        {
            double rate = RowRecords / ApplyAll(file, RowRecords, store.Store);
            figures.Add(store.Name, rate, "records/s",
                bound: $"{ours / rate:0.0} times slower, without reading lines or statistics");
            store.Dispose();
        }
    }
}
