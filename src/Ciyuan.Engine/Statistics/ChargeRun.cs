using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>Adds charges up to the lines of a <see cref="ChargeSheet"/>, segment by segment.</summary>
/// <param name="query">The question.</param>
/// <param name="buckets">Its time buckets; null when time is not cut.</param>
public sealed class ChargeRun(ChargeQuery query, TimeBuckets? buckets)
{
    private readonly ChargeLines _lines = new();
    private readonly SegmentScan _scan = new();
    private readonly LocalKeys<LocalKey> _locals = new();
    private readonly UsageContexts _contexts = new();
    private FactHeader _header = null!;
    private bool[] _ours = [];
    private long _suspense;
    private Int128 _charged;

    /// <summary>The sheet of several runs over different segments.</summary>
    /// <param name="query">The question.</param>
    /// <param name="buckets">The buckets of the runs.</param>
    /// <param name="runs">Runs of that question that together have seen each segment once.</param>
    /// <param name="dataToSeq">Last frame of the segments; 0 when there is none.</param>
    /// <param name="dataToTime">Its time.</param>
    /// <exception cref="ReportTooLargeException">There are too many lines.</exception>
    public static ChargeSheet Finish(
        ChargeQuery query, TimeBuckets? buckets, IReadOnlyList<ChargeRun> runs, long dataToSeq, Timestamp dataToTime)
    {
        var whole = new ChargeLines();
        foreach (ChargeRun run in runs)
        {
            whole.Merge(run._lines);
        }

        return new ChargeSheet
        {
            Query = query,
            Lines = whole.ToLines(buckets, query.Period),
            SuspenseCharges = runs.Sum(run => run._suspense),
            DataToSeq = dataToSeq,
            DataToTime = dataToTime,
        };
    }

    /// <summary>Takes a segment in.</summary>
    /// <exception cref="InvalidDataException">The columns do not add up to the charges in the frames.</exception>
    public void Add(FactHeader header, ColumnReader read)
    {
        _header = header;
        _ours = [.. header.Rates.Select(rate => query.Agreements?.Contains(rate.Agreement) ?? true)];
        if (!header.Meets(query.Period) || !_ours.Contains(true))
        {
            return;
        }

        _scan.Begin(header, read, query.Period, buckets, _locals.Number(header.Types, KeyOf), _locals.Count);
        _charged = 0;
        FoldCells();
        for (int column = 2; column < header.Columns.Count; column++)
        {
            FoldColumn(column);
        }

        Int128 expected = 0;
        for (int rate = 0; rate < _ours.Length; rate++)
        {
            expected += _ours[rate] && _header.Rates[rate].Method != RateMethod.Suspense
                ? header.ChargeSums[rate].Pico : 0;
        }

        if (header.IsWithin(query.Period) && _charged != expected)
        {
            throw new InvalidDataException(
                $"Facts of frames {header.FirstSeq} to {header.LastSeq}: charges add up to {new Amount(_charged)} "
                + $"instead of {new Amount(expected)}. Delete stats.db, it is made anew.");
        }
    }

    private LocalKey KeyOf(FactType type)
    {
        bool ours = _header.Plans[type.Plan].Any(slot => _ours[slot.Rate]);
        UsageContext context = ours ? Kept(_header.Contexts[type.Context]) : new UsageContext("");
        return new LocalKey(context, type.Kind, ours ? type.Plan : -1);
    }

    private UsageContext Kept(UsageContext c)
    {
        string Of(Dimension dimension, string value) => query.Keep.Contains(dimension) ? value : "";
        return _contexts.Intern(new UsageContext(
            Of(Dimension.Source, c.Source), Of(Dimension.Party, c.Party), Of(Dimension.Project, c.Project),
            Of(Dimension.Key, c.Key), Of(Dimension.Scenario, c.Scenario), Of(Dimension.ModelAsked, c.ModelAsked),
            Of(Dimension.Model, c.Model), Of(Dimension.Provider, c.Provider), Of(Dimension.Site, c.Site),
            Of(Dimension.Operation, c.Operation)));
    }

    private void FoldCells()
    {
        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            LocalKey local = _locals[_scan.LocalOf(cell)];
            long rows = _scan.RowsOf(cell);
            if (rows == 0 || local.Plan < 0)
            {
                continue;
            }

            foreach (FactSlot slot in _header.Plans[local.Plan])
            {
                if (_ours[slot.Rate])
                {
                    _suspense += rows * slot.SuspenseCharges;
                    FoldCharges(cell, local, slot, rows);
                }
            }
        }
    }

    private void FoldCharges(int cell, LocalKey local, FactSlot slot, long rows)
    {
        Rate rate = _header.Rates[slot.Rate];
        bool perCall = rate.Method == RateMethod.PerCall;
        if (rate.Method == RateMethod.Suspense)
        {
            return;
        }

        if (perCall && local.Kind is FactKind.Record or FactKind.CountedCorrection)
        {
            long calls = slot.TakenBack ? -rows : rows;
            Int128 amount = rate.PerCall.Pico * calls;
            Add(cell, local, slot, ChargeLineKey.None, rate.PerCall.Pico, 0, 0, calls, amount);
        }
        else if (FactHeader.IsCorrection(local.Kind) || rate.Method == RateMethod.Share)
        {
            Add(cell, local, slot, ChargeLineKey.None, ChargeLineKey.None, 0, 0, rows, 0);
        }
    }

    private void FoldColumn(int column)
    {
        FactColumn c = _header.Columns[column];
        _scan.Sum(column);
        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            LocalKey local = _locals[_scan.LocalOf(cell)];
            Int128 sum = local.Plan < 0 || _scan.RowsOf(cell) == 0 ? 0 : _scan.Sums[cell, _scan.RowsOf(cell)];
            FactSlot[] slots = sum == 0 ? [] : _header.Plans[local.Plan];
            for (int s = 0; s < slots.Length; s++)
            {
                bool counts = c.Kind == FactColumnKind.Quantity
                    || (c.Kind is FactColumnKind.Rest or FactColumnKind.Covered && c.Slot == s);
                if (_ours[slots[s].Rate] && counts && _header.Rates[slots[s].Rate].Method != RateMethod.Suspense)
                {
                    Fold(cell, local, slots[s], c, sum);
                }
            }
        }
    }

    private void Fold(int cell, LocalKey local, FactSlot slot, FactColumn column, Int128 sum)
    {
        if (column.Kind == FactColumnKind.Rest)
        {
            Add(cell, local, slot, ChargeLineKey.None, ChargeLineKey.None, 0, 0, 0, sum);
            return;
        }

        Rate rate = _header.Rates[slot.Rate];
        bool priced = rate.Method is RateMethod.Prices or RateMethod.Formula;
        bool hasPrice = rate.TryGetPrice(column.Meter, out Amount perStep);
        if (!priced || (!hasPrice && rate.Formula is null))
        {
            return; // what has no price is not charged by this agreement
        }

        // What packs covered has its sign already; of an uncounted correction it is all that is known.
        bool isCovered = column.Kind == FactColumnKind.Covered;
        Int128 steps = isCovered || local.Kind == FactKind.Correction ? 0 : slot.TakenBack ? -sum : sum;
        Int128 covered = isCovered ? sum : 0;
        bool derives = hasPrice && local.Kind != FactKind.Correction;
        Int128 price = derives ? perStep.Pico : ChargeLineKey.None;
        Add(cell, local, slot, column.Meter.Value, price, steps, covered, 0,
            derives ? perStep.Pico * (steps - covered) : 0);
    }

    private void Add(
        int cell, LocalKey local, FactSlot slot, int meter, Int128 price, Int128 steps, Int128 covered, long calls,
        Int128 amount)
    {
        Rate rate = _header.Rates[slot.Rate];
        StatementLineKind kind = FactHeader.IsCorrection(local.Kind)
            ? slot.TakenBack ? StatementLineKind.TakenBack : StatementLineKind.MadeAnew
            : rate.Method switch
            {
                RateMethod.Share => StatementLineKind.Share,
                RateMethod.PerCall => StatementLineKind.PerCall,
                _ => StatementLineKind.Usage,
            };
        var terms = new ChargeTerms(rate.Agreement, rate.Side, rate.Payer, rate.Payee, rate.Currency, rate.Book,
            rate.Version, rate.ShareOf, rate.SharePpm);
        var key = new ChargeLineKey(
            buckets is null ? 0 : _scan.BucketOf(cell), local.Context, terms, kind, meter, price);
        _lines.Add(key, steps, covered, calls, amount);
        _charged += amount;
    }

    private readonly record struct LocalKey(UsageContext Context, FactKind Kind, int Plan);
}
