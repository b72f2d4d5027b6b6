using System.Diagnostics;
using System.Numerics;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Bench;

/// <summary>
/// A month of calls among 20 consumers, 6 providers, 3 operators, 5 suppliers and the platform is closed: frozen and
/// split, every statement fixed and posted. Then what an operator fears: late, duplicate and altered events, and a book
/// found wrong. Each statement is compared with sums made from the records by other arithmetic, to the last pico.
/// </summary>
internal static class SettleBench
{
    private const string First = "2026-11";
    private const string Second = "2026-12";

    public static async Task RunAsync(Room room, Figures figures, long records)
    {
        var clock = new BenchClock(new DateTimeOffset(2026, 12, 2, 0, 0, 0, TimeSpan.FromHours(8)));
        var options = new ShardOptions(room["settle"]) { Time = clock };
        await using (Shard shard = await Shard.OpenAsync(options))
        {
            await CloseTwiceAsync(room, figures, shard, clock, records);
        }

        await ReplayAsync(room, figures, clock);
    }

    private static async Task CloseTwiceAsync(
        Room room, Figures figures, Shard shard, BenchClock clock, long records)
    {
        string file = room.File("settle.jsonl", () => Workload.Lines(records, 11, room.Trace));
        ImportBench.SetUp(await shard.SetUpAsync(Workload.Setup with { Settlement = Terms() }));
        await shard.PostAsync(Workload.Deposits);
        await ImportBench.ImportAsync(shard, file, records);
        _ = shard.Facts.LastSeq;

        (double close, StatementDocument[] first) = await CloseAsync(shard, First);
        figures.Add($"close of {records:N0} calls, {first.Length} statements", close, "s", 10, lessIsBetter: true,
            "freeze, statements, postings, durable");
        long differ = Compare(first, First, ReadSums(room["settle"]));
        figures.Add("statements that differ from sums of the records", differ, "", 0, lessIsBetter: true);
        figures.Add("parties' positions, sum", (double)SumOfParties(first), "CNY", 0, lessIsBetter: true);
        figures.Add("clearing accounts that are not zero", await OpenClearingAsync(shard), "", 0, lessIsBetter: true);

        await DisturbAsync(shard, file);
        clock.Now = new DateTimeOffset(2027, 1, 2, 0, 0, 0, TimeSpan.FromHours(8));
        int changed = first.Count(s => !Again(shard, s).AsSpan().SequenceEqual(s.ToBytes()));
        figures.Add("frozen statements that changed since", changed, "", 0, lessIsBetter: true,
            "after 1 000 late, 500 duplicate, 300 altered events and a rerate");
        (double next, StatementDocument[] second) = await CloseAsync(shard, Second);
        figures.Add("close of the month after", next, "s");
        figures.Add("its statements that differ", Compare(second, Second, ReadSums(room["settle"])), "", 0,
            lessIsBetter: true);
        figures.Add("late records found", second.Where(s => s.Side == "income").Sum(s => s.Late.Sum(l => l.Records)),
            "", 1_000, bound: "planted: 1 000");
        figures.Add("lines that correct anything but the first month",
            second.Sum(s => s.Late.Count(l => l.Period != First)), "", 0, lessIsBetter: true);
    }

    /// <summary>The journal alone, replayed in another folder: every statement is made anew, and its bytes are
    /// compared with those that were stored.</summary>
    private static async Task ReplayAsync(Room room, Figures figures, BenchClock clock)
    {
        Directory.CreateDirectory(room["replay"]);
        foreach (string file in Directory.EnumerateFiles(room["settle"], "journal.db*"))
        {
            File.Copy(file, Path.Combine(room["replay"], Path.GetFileName(file)));
        }

        long start = Stopwatch.GetTimestamp();
        await using Shard shard = await Shard.OpenAsync(new ShardOptions(room["replay"]) { Time = clock });
        SettlementState state = await shard.SettlementAsync();
        var options = new CloseOptions("bench", "bench");
        SettledPeriod[] periods = [.. state.Calendar.Periods.Where(p => p.Split is not null)];
        int differ = periods.Count(p => !ClosePeriods.MakeDocument(shard.Facts, state, p, options).ToBytes().AsSpan()
            .SequenceEqual(SettlementState.FindStatement(p, shard.ReadFrame)));
        figures.Add($"replayed statements of {periods.Length:N0} with other bytes", differ, "", 0, lessIsBetter: true,
            $"journal replayed and statements made anew in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
    }

    private static SettlementSetup[] Terms() =>
    [
        .. Workload.Setup.Agreements.Select(a => new SettlementSetup(
            a.Id, First, TaxPercent: "6", MinimumPayout: "100", InvoiceItem: "*信息技术服务*大模型词元服务")),
    ];

    private static async Task<(double Seconds, StatementDocument[] Statements)> CloseAsync(Shard shard, string period)
    {
        var options = new CloseOptions("bench", "bench");
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<ClosedPeriod> frozen = await ClosePeriods.FreezeAsync(shard, "", period, options);
        IReadOnlyList<ClosedPeriod> split = await ClosePeriods.SplitAsync(shard, "", period, options);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (split.Count != frozen.Count || split.Any(s => s.Result.Status != SettlementStatus.Done))
        {
            throw new InvalidOperationException(
                $"{period}: {string.Join(", ", split.Select(s => s.Result.Status).Distinct())}");
        }

        return (seconds, [.. split.Select(s => s.Document!)]);
    }

    private static byte[] Again(Shard shard, StatementDocument statement)
    {
        SettlementState state = shard.SettlementAsync().AsTask().GetAwaiter().GetResult();
        SettledPeriod period = state.Calendar.Find(statement.Agreement, statement.Period)!;
        return ClosePeriods.MakeDocument(shard.Facts, state, period, new CloseOptions("bench", "bench")).ToBytes();
    }

    /// <summary>Late, duplicate and altered events, and a price of one book found wrong.</summary>
    private static async Task DisturbAsync(Shard shard, string file)
    {
        string[] lines = [.. File.ReadLines(file).Take(2_000)];
        await RecordAsync(shard, lines.Take(500));
        await RecordAsync(shard, lines.Skip(500).Take(300)
            .Select(l => l.Replace("\"output.text\":", "\"output.text\":1", StringComparison.Ordinal)));
        await RecordAsync(shard, lines.Take(1_000)
            .Select(l => l.Replace("\"id\":\"", "\"id\":\"late-", StringComparison.Ordinal)));
        ImportBench.SetUp(await shard.SetUpAsync(Workload.RaisedBook(2)));
        await CorrectUsage.RunAsync(shard, new Correction(
            "bench", "wrong-book", CorrectionMode.RerateByRate, 1, 0, Period.Always, "retail-3"));
    }

    private static async Task RecordAsync(Shard shard, IEnumerable<string> lines)
    {
        var parser = new Ciyuan.Server.Ingest.UsageJson();
        var records = new List<UsageRecord>();
        foreach (string line in lines)
        {
            records.Add(parser.TryParse(System.Text.Encoding.UTF8.GetBytes(line), out UsageRecord? record, out _)
                ? record! : throw new InvalidOperationException(line));
        }

        await shard.RecordAsync(records);
    }

    private static long Compare(
        StatementDocument[] statements, string period, Dictionary<(string, string), BigInteger> sums) =>
        statements.Count(s =>
            (BigInteger)Amount.Parse(s.Exact).Pico != sums.GetValueOrDefault((s.Agreement, period)));

    private static decimal SumOfParties(StatementDocument[] statements)
    {
        var positions = new Dictionary<string, decimal>();
        foreach (StatementDocument s in statements)
        {
            var gross = (decimal)Amount.Parse(s.Tax.Gross).Pico / 1_000_000_000_000m;
            positions[s.Payer.Id] = positions.GetValueOrDefault(s.Payer.Id) - gross;
            positions[s.Payee.Id] = positions.GetValueOrDefault(s.Payee.Id) + gross;
        }

        return positions.Values.Sum();
    }

    private static async Task<long> OpenClearingAsync(Shard shard)
    {
        IReadOnlyList<AccountView> accounts = await shard.BalancesAsync();
        return accounts.Count(a =>
            a.Name.Path.StartsWith("ledger/clearing/", StringComparison.Ordinal) && !a.Balance.IsZero);
    }

    /// <summary>
    /// What each agreement owes for each month, from the records alone: prices as in the workload, first version or
    /// second, shares by hand, and the month in which each is booked by whether it came before the first freeze.
    /// Nothing of the engine's rating, facts or calendars is used but the decoder.
    /// </summary>
    private static Dictionary<(string Agreement, string Month), BigInteger> ReadSums(string folder)
    {
        var sums = new Dictionary<(string, string), BigInteger>();
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(folder);
        long frozenAt = long.MaxValue;
        bool raised = false;
        foreach (StoredFrame stored in journal.ReadFrom(1))
        {
            Frame frame = FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body);
            frozenAt = frame.Settlements.Any(s => s.Action == SettlementAction.Freeze && s.Period == First)
                ? Math.Min(frozenAt, frame.Seq) : frozenAt;
            raised |= frame.Setups.Any(s => s.Books.Any(b => b.Version == 2));
            string booked = frame.Seq >= frozenAt ? Second : First;
            for (int i = 0; i < frame.Records.Count; i++)
            {
                if (frame.RecordResults[i].Status == UsageStatus.Posted)
                {
                    Add(sums, frame.Records[i], booked, raised);
                }
            }
        }

        if (raised)
        {
            AddRerate(sums, folder);
        }

        return sums;
    }

    private static void Add(
        Dictionary<(string, string), BigInteger> sums, UsageRecord record, string month, bool raised)
    {
        string consumer = record.Context.Party["consumer-".Length..];
        BigInteger retail = Price(record, raised ? 33 : 30, 3, raised ? 66 : 60);
        void Sum(string agreement, BigInteger amount) =>
            sums[(agreement, month)] = sums.GetValueOrDefault((agreement, month)) + amount;
        Sum($"retail-{consumer}", retail);
        Sum($"data-{consumer}", Share(retail));
        Sum($"list-{record.Context.Provider["provider-".Length..]}", Price(record, 25, 3, 50));
        Sum($"compute-{record.Context.Site["site-".Length..]}", 500_000_000);
    }

    // Every record of consumer 3 was charged again under the second version: the difference is booked in the second
    // month.
    private static void AddRerate(Dictionary<(string, string), BigInteger> sums, string folder)
    {
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(folder);
        foreach (StoredFrame stored in journal.ReadFrom(1))
        {
            Frame frame = FrameDecoder.Decode(stored.Shard, stored.Seq, stored.Time, stored.Body);
            for (int i = 0; i < frame.Records.Count; i++)
            {
                UsageRecord record = frame.Records[i];
                if (frame.RecordResults[i].Status == UsageStatus.Posted && record.Context.Party == "consumer-3")
                {
                    BigInteger old = Price(record, 30, 3, 60);
                    BigInteger now = Price(record, 33, 3, 66);
                    sums[("retail-3", Second)] = sums.GetValueOrDefault(("retail-3", Second)) + now - old;
                    sums[("data-3", Second)] = sums.GetValueOrDefault(("data-3", Second)) + Share(now) - Share(old);
                }
            }
        }
    }

    private static BigInteger Price(UsageRecord record, int input, int cached, int output)
    {
        BigInteger sum = 0;
        foreach (Count count in record.Counts)
        {
            TokenClass c = count.Meter.TokenClass;
            int price = c.Direction == Direction.Output ? output : c.Kind == TokenKind.CacheRead ? cached : input;
            sum += (BigInteger)count.Steps * price * 1_000_000; // a price per million is so many 10⁻¹² · 10⁶ a token
        }

        return sum;
    }

    // 3.5 % and the rest by largest remainder: the share is rounded up when its remainder is at least the other's.
    private static BigInteger Share(BigInteger whole)
    {
        BigInteger share = BigInteger.DivRem(whole * 35_000, 1_000_000, out BigInteger rest);
        return rest != 0 && rest >= 1_000_000 - rest ? share + 1 : share;
    }

    /// <summary>A clock that stands where it is put.</summary>
    private sealed class BenchClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
