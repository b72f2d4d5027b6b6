using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Statistics;
using Ciyuan.Usage;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Console.Data;

/// <summary>A time rated again under another book, without posting anything. Runs by itself; pages look at how far it
/// is.</summary>
internal sealed class WhatIf(Agreement agreement, string book, Period period, string periodName)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (long Calls, Int128 Was, Int128 Would)> _models =
        new(StringComparer.Ordinal);

    private readonly Dictionary<SuspenseReason, long> _without = [];
    private long _done;

    internal Agreement Agreement { get; } = agreement;

    internal string Book { get; } = book;

    internal string PeriodName { get; } = periodName;

    internal Currency BookCurrency { get; private set; }

    /// <summary>Frames to look at.</summary>
    internal long Of { get; private set; } = 1;

    /// <summary>Frames looked at.</summary>
    internal long Done => Interlocked.Read(ref _done);

    internal bool IsOver { get; private set; }

    /// <summary>Why it ended early; empty when it did not.</summary>
    internal string Fault { get; private set; } = "";

    /// <summary>Calls by model, what they were charged and what they would be.</summary>
    internal (string Model, long Calls, Int128 Was, Int128 Would)[] Models
    {
        get
        {
            lock (_lock)
            {
                return [.. _models.Select(m => (m.Key, m.Value.Calls, m.Value.Was, m.Value.Would))
                    .OrderByDescending(m => Int128.Abs(m.Would - m.Was))];
            }
        }
    }

    /// <summary>Calls that the book has no price for, by reason.</summary>
    internal (SuspenseReason Reason, long Calls)[] Without
    {
        get
        {
            lock (_lock)
            {
                return [.. _without.Select(w => (w.Key, w.Value))];
            }
        }
    }

    internal void Run(Desk desk)
    {
        try
        {
            var rate = new RateAsIf(desk.Books, Book);
            BookCurrency = rate.Currency;
            var filter = new Filter(Dimension.Agreement, [Agreement.Id]);
            (long First, long Last)[] ranges = [.. desk.Shard.Facts.FindFrames(
                period, long.MaxValue, (header, type) => header.Plans[type.Plan].Any(
                    slot => filter.Matches(ReportNames.Of(header.Rates[slot.Rate], Dimension.Agreement)))).Reverse()];
            Of = Math.Max(1, ranges.Sum(r => r.Last - r.First + 1));
            foreach ((long first, long last) in ranges)
            {
                for (long seq = first; seq <= last && !desk.Stopping.IsCancellationRequested; seq++)
                {
                    Add(desk.Journal.Read(seq), rate);
                    Interlocked.Increment(ref _done);
                }
            }
        }
        catch (Exception fault)
        {
            Fault = fault.Message;
        }

        IsOver = true;
    }

    // Charges as they were first made; corrections since then are not looked for.
    private void Add(Frame? frame, RateAsIf rate)
    {
        for (int i = 0; i < (frame?.Records.Count ?? 0); i++)
        {
            UsageRecord record = frame!.Records[i];
            if (!period.Contains(record.EventTime))
            {
                continue;
            }

            foreach (Charge charge in frame.RecordResults[i].Charges)
            {
                if (charge.Rate.Agreement == Agreement.Id)
                {
                    Add(record, charge, rate);
                }
            }
        }
    }

    private void Add(UsageRecord record, Charge charge, RateAsIf rate)
    {
        SuspenseReason reason = rate.AmountOf(record, out Amount amount);
        lock (_lock)
        {
            if (reason != SuspenseReason.None)
            {
                _without[reason] = _without.GetValueOrDefault(reason) + 1;
            }

            (long calls, Int128 was, Int128 would) = _models.GetValueOrDefault(record.Context.Model);
            _models[record.Context.Model] = (calls + 1, was + charge.Amount.Pico, would + amount.Pico);
        }
    }
}

/// <summary>The what-ifs that were asked lately.</summary>
internal sealed class WhatIfs(Desk desk)
{
    private const int Kept = 16;

    private readonly Lock _lock = new();
    private readonly List<(string Id, WhatIf Run)> _all = [];

    /// <summary>Starts one.</summary>
    internal string Start(Agreement agreement, string book, Period period, string name)
    {
        string id = Users.Accounts.NewSecret();
        var run = new WhatIf(agreement, book, period, name);
        lock (_lock)
        {
            _all.Add((id, run));
            if (_all.Count > Kept)
            {
                _all.RemoveAt(0);
            }
        }

        _ = desk.WorkAsync(
            () =>
            {
                run.Run(desk);
                return true;
            },
            desk.Stopping);
        return id;
    }

    internal WhatIf? Find(string id)
    {
        lock (_lock)
        {
            return _all.Find(w => w.Id == id).Run;
        }
    }
}

/// <summary>The page of a what-if.</summary>
/// <param name="Agreements">Agreements to choose from.</param>
/// <param name="Books">Books to choose from.</param>
/// <param name="Month">The month before this one.</param>
/// <param name="Run">The one that is looked at; null: none.</param>
internal sealed record WhatIfModel(
    IReadOnlyList<string> Agreements, IReadOnlyList<string> Books, string Month, WhatIf? Run)
{
    internal static WhatIfModel Of(Visit visit)
    {
        NodaTime.LocalDate today = NodaTime.LocalDate.FromDateTime(
            visit.Now.ToInstant().InZone(visit.Zone).ToDateTimeUnspecified());
        return new WhatIfModel(
            [.. visit.Desk.Catalog.Agreements.Where(a => a.Setup.ShareOf.Length == 0).Select(a => a.Id)],
            [.. visit.Desk.Books.Names],
            today.PlusMonths(-1).ToString("uuuu-MM", System.Globalization.CultureInfo.InvariantCulture),
            visit.Desk.WhatIfs.Find(visit.Query("id")));
    }
}
