using System.Collections.Concurrent;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Server.Console.Data;

/// <summary>Something that needs a hand.</summary>
/// <param name="Text">Name of the text that says what.</param>
/// <param name="Values">What stands in it, in the language of who looks: people of two languages share it.</param>
/// <param name="Link">Where to look.</param>
/// <param name="IsUrgent">Something goes wrong already.</param>
internal sealed record Concern(string Text, Func<Visit, object[]> Values, string Link, bool IsUrgent);

/// <summary>How long calls took lately, in milliseconds.</summary>
/// <param name="Calls">How many were looked at.</param>
/// <param name="Median">Half took no longer.</param>
/// <param name="P95">95 % took no longer.</param>
internal sealed record Latency(int Calls, int Median, int P95);

/// <summary>What an agreement moved last month.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Currency">Currency.</param>
/// <param name="Amount">What its payer owes its payee.</param>
internal sealed record Owed(Agreement Agreement, string Currency, Int128 Amount);

/// <summary>What a morning's look shows.</summary>
internal sealed record TodayModel
{
    internal required Sums Today { get; init; }

    /// <summary>Yesterday up to the same quarter of an hour.</summary>
    internal required Sums Same { get; init; }

    internal required Sums Yesterday { get; init; }

    /// <summary>Tokens that consumers' agreements charge, today and yesterday.</summary>
    internal required (Int128 Today, Int128 Yesterday) Billable { get; init; }

    /// <summary>By hour, 48 of them: yesterday, then today.</summary>
    internal required IReadOnlyList<Sums> Hours { get; init; }

    internal required IReadOnlyList<Mover> Movers { get; init; }

    /// <summary>Calls of the last seven days that broke off, by consumer and model, dearest first.</summary>
    internal required IReadOnlyList<(string Party, string Model, Sums Sums)> Cuts { get; init; }

    /// <summary>Calls of that time that broke off, together.</summary>
    internal required Sums CutsTotal { get; init; }

    /// <summary>What was charged last month, by agreement: first what we owe, then what is owed to us.</summary>
    internal required IReadOnlyList<Owed> Owed { get; init; }

    /// <summary>Last month, as an address names it.</summary>
    internal required string LastMonth { get; init; }

    internal required Latency? Latency { get; init; }

    internal required IReadOnlyList<Concern> Concerns { get; init; }

    internal required long DataToSeq { get; init; }

    internal required Timestamp DataToTime { get; init; }

    internal required bool IsEmpty { get; init; }

    /// <summary>How it looks, by language.</summary>
    internal ConcurrentDictionary<Language, Lazy<Task<byte[]>>> Parts { get; } = new();
}

/// <summary>Works today's page out; people with the same scope share it.</summary>
internal sealed class Today(Desk desk)
{
    private const int Shown = 6;

    /// <summary>Longest that somebody sees what another one's look worked out, while new records come in.</summary>
    private static readonly TimeSpan SharedFor = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long At, Task<TodayModel> Model)> _shared = new(StringComparer.Ordinal);

    /// <summary>Today's figures within a scope, at most two seconds old.</summary>
    internal Task<TodayModel> FindAsync(Visit visit)
    {
        string key = $"{visit.Scope.Party}|{visit.Zone.Id}|{visit.Day(0)}";
        lock (_lock)
        {
            if (_shared.TryGetValue(key, out (long At, Task<TodayModel> Model) there)
                && !there.Model.IsFaulted && desk.Time.GetElapsedTime(there.At) < SharedFor)
            {
                return there.Model;
            }

            if (_shared.Count > 1_000)
            {
                _shared.Clear();
            }

            Task<TodayModel> model = Task.Run(() => WorkOutAsync(visit));
            _shared[key] = (desk.Time.GetTimestamp(), model);
            return model;
        }
    }

    private async Task<TodayModel> WorkOutAsync(Visit visit)
    {
        Report days = await desk.ReportAsync(Query(visit, visit.Day(-1), visit.Day(1)) with
        {
            Bucket = Bucket.QuarterHour,
            Standard = StandardColumn.Ratios,
        });
        (Report before, Report now) = await WeeksAsync(visit);
        Report cuts = await CutsAsync(visit);
        IReadOnlyList<AccountView> accounts = await desk.BalancesAsync(CancellationToken.None);
        SettlementState settlement = await desk.Shard.SettlementAsync();
        (Sums today, Sums same, Sums yesterday, List<Sums> hours) = Split(visit, days);
        (string lastMonth, List<Owed> owed) = await OwedAsync(visit);
        return new TodayModel
        {
            Today = today,
            Same = same,
            Yesterday = yesterday,
            Billable = await BillableAsync(visit),
            Hours = hours,
            Movers = Movers.Find(before, now, (sums, currency) => visit.Scope.IsAll
                ? sums.Income.GetValueOrDefault(currency)
                : sums.Moved(currency)),
            Cuts = Dearest(cuts),
            CutsTotal = Sums.Of(cuts),
            Owed = owed,
            LastMonth = lastMonth,
            Latency = visit.Scope.IsAll ? FindLatency() : null,
            Concerns = Concerns.Find(visit, accounts, days.Scope, settlement),
            DataToSeq = days.Scope.DataToSeq,
            DataToTime = days.Scope.DataToTime,
            IsEmpty = days.Scope.RecordsIn + days.Scope.RecordsOutsidePeriod + days.Scope.RecordsFilteredOut == 0,
        };
    }

    private static ReportQuery Query(Visit visit, Timestamp from, Timestamp to) => new()
    {
        Period = new Quantities.Period(from, to),
        Zone = visit.Zone,
        Filters = visit.Scope.Filters,
    };

    // Whole days alone: a part of today against a whole day would look like a fall.
    private async Task<(Report Before, Report Now)> WeeksAsync(Visit visit)
    {
        Dimension[] by = [visit.Scope.IsAll || visit.Scope.IsConsumer ? Dimension.Party : Dimension.Agreement,
            Dimension.Model];
        Report before = await desk.ReportAsync(
            Query(visit, visit.Day(-14), visit.Day(-7)) with { GroupBy = by });
        Report now = await desk.ReportAsync(Query(visit, visit.Day(-7), visit.Day(0)) with { GroupBy = by });
        return (before, now);
    }

    private Task<Report> CutsAsync(Visit visit)
    {
        bool named = visit.Scope.IsAll || visit.Scope.IsConsumer;
        return desk.ReportAsync(Query(visit, visit.Day(-7), visit.Day(1)) with
        {
            GroupBy = [named ? Dimension.Party : Dimension.Agreement, Dimension.Model],
            Filters = [.. visit.Scope.Filters, new Filter(Dimension.Outcome, ["cut"])],
        });
    }

    private static List<(string Party, string Model, Sums Sums)> Dearest(Report cuts) => [.. cuts.Rows
        .Select(row => (row.Key[0], row.Key[1], Sums: Sums.Of(cuts, [row])))
        .OrderByDescending(c => c.Sums.Currencies.Select(c.Sums.Moved).DefaultIfEmpty().Max())
        .ThenByDescending(c => c.Sums.Calls)
        .Take(Shown)];

    private async Task<(Int128 Today, Int128 Yesterday)> BillableAsync(Visit visit)
    {
        Report billable = await desk.ReportAsync(Query(visit, visit.Day(-1), visit.Day(1)) with
        {
            Bucket = Bucket.Day,
            Filters = [.. visit.Scope.Filters, new Filter(Dimension.Side, [visit.Scope.IsAll ? "income" : "*"])],
        });
        string today = visit.Local(visit.Day(0), "uuuu-MM-dd");
        return (Sums.Of(billable, billable.Rows.Where(r => r.Key[0] == today)).Tokens,
            Sums.Of(billable, billable.Rows.Where(r => r.Key[0] != today)).Tokens);
    }

    // What we owe first.
    private async Task<(string Month, List<Owed> Owed)> OwedAsync(Visit visit)
    {
        Quantities.Period month = Span.Named(visit, "last-month")!.Period;
        Report report = await desk.ReportAsync(
            Query(visit, month.Start, month.End) with { GroupBy = [Dimension.Agreement] });
        var all = new List<Owed>();
        foreach (ReportRow row in report.Rows)
        {
            Sums sums = Sums.Of(report, [row]);
            if (desk.Catalog.FindAgreement(row.Key[0]) is { } agreement)
            {
                all.AddRange(sums.Currencies.Where(c => sums.Moved(c) != 0)
                    .Select(c => new Owed(agreement, c, sums.Moved(c))));
            }
        }

        return (visit.Local(month.Start, "uuuu-MM"), [.. all
            .OrderByDescending(o => o.Agreement.Setup.Payer == desk.Catalog.Platform)
            .ThenByDescending(o => o.Amount)]);
    }

    private static (Sums Today, Sums Same, Sums Yesterday, List<Sums> Hours) Split(Visit visit, Report days)
    {
        string todayName = visit.Local(visit.Day(0), "uuuu-MM-dd");
        string clock = visit.Local(visit.Now, "HH:mm");
        var today = new Sums();
        var same = new Sums();
        var yesterday = new Sums();
        List<Sums> hours = [.. Enumerable.Range(0, 48).Select(_ => new Sums())];
        foreach (ReportRow row in days.Rows)
        {
            bool isToday = row.Key[0].StartsWith(todayName, StringComparison.Ordinal);
            string at = row.Key[0].Substring(11, 5);
            int hour = int.Parse(at.AsSpan(0, 2), System.Globalization.CultureInfo.InvariantCulture);
            (isToday ? today : yesterday).Add(days, row);
            hours[hour + (isToday ? 24 : 0)].Add(days, row);
            if (!isToday && string.CompareOrdinal(at, clock) <= 0)
            {
                same.Add(days, row);
            }
        }

        return (today, same, yesterday, hours);
    }

    // From the newest frames alone: some hundred calls say how it goes now.
    private Latency? FindLatency()
    {
        const int Frames = 64;
        const int Calls = 1_000;
        var taken = new List<int>();
        for (long seq = desk.Shard.DurableSeq, least = seq - Frames; seq > least && taken.Count < Calls; seq--)
        {
            if (desk.Journal.Read(seq) is not { } frame)
            {
                break;
            }

            taken.AddRange(frame.Records.Where(r => r.LatencyMs is not null && r.Outcome != Outcome.Failed)
                .Select(r => r.LatencyMs!.Value).TakeLast(Calls));
        }

        taken.Sort();
        int last = Math.Min(taken.Count - 1, taken.Count * 95 / 100);
        return taken.Count == 0 ? null : new Latency(taken.Count, taken[taken.Count / 2], taken[last]);
    }
}
