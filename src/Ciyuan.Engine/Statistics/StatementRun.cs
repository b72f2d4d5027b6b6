using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>Adds an agreement's charges up over segments, one after the other; see <see
/// cref="StatementBuilder"/>.</summary>
/// <param name="query">The question.</param>
public sealed class StatementRun(StatementQuery query)
{
    private readonly StatementBuilder _builder = new();
    private readonly SegmentScan _scan = new();
    private readonly LocalKeys<LocalKey> _locals = new();
    private FactHeader _header = null!;
    private bool[] _ours = [];
    private Int128 _charged;

    /// <summary>The statement of several runs over different segments.</summary>
    /// <param name="query">The question.</param>
    /// <param name="runs">Runs of that question that together have seen each segment once.</param>
    /// <param name="dataToSeq">Last frame of the segments; 0 when there is none.</param>
    /// <param name="dataToTime">Its time.</param>
    public static Statement Finish(
        StatementQuery query, IReadOnlyList<StatementRun> runs, long dataToSeq, Timestamp dataToTime)
    {
        var whole = new StatementBuilder();
        foreach (StatementRun run in runs)
        {
            whole.Merge(run._builder);
        }

        return whole.Build(query, dataToSeq, dataToTime);
    }

    /// <summary>Takes a segment in.</summary>
    /// <exception cref="InvalidDataException">The columns do not add up to the charges in the frames.</exception>
    public void Add(FactHeader header, ColumnReader read)
    {
        _header = header;
        _ours = [.. header.Rates.Select(rate => rate.Agreement == query.Agreement)];
        bool any = _ours.Contains(true);
        _builder.Found |= any;
        bool late = query.Booking.UntilAt(header.LastSeq) > header.MinTime;
        if ((!late && !header.Meets(query.Period)) || header.Rows == 0
            || (!any && header.Types.All(type => type.Kind != FactKind.Conflict)))
        {
            return;
        }

        int[] localOfType = _locals.Number(header.Types, KeyOf);
        _scan.BeginBooked(header, read, query.Period, query.Booking, localOfType, _locals.Count);
        _charged = 0;
        FoldCells();
        for (int column = 3; any && column < header.Columns.Count; column++)
        {
            FoldColumn(column);
        }

        Int128 expected = 0;
        for (int rate = 0; rate < _ours.Length; rate++)
        {
            expected += _ours[rate] ? header.ChargeSums[rate].Pico : 0;
        }

        if (!late && header.IsWithin(query.Period) && _charged != expected)
        {
            throw new InvalidDataException(
                $"Facts of frames {header.FirstSeq} to {header.LastSeq}: charges of {query.Agreement} add up to "
                + $"{new Amount(_charged)} instead of {new Amount(expected)}. Delete stats.db, it is made anew.");
        }

        _builder.AddCharged(_charged);
    }

    private LocalKey KeyOf(FactType type)
    {
        bool ours = _header.Plans[type.Plan].Any(slot => _ours[slot.Rate]);
        string model = ours ? _header.Contexts[type.Context].Model : "";
        return new LocalKey(model, type.Kind, ours ? type.Plan : -1);
    }

    private void FoldCells()
    {
        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            LocalKey local = LocalOf(cell);
            long rows = _scan.RowsOf(cell);
            _builder.KeptAside += local.Kind == FactKind.Conflict ? rows : 0;
            if (rows == 0 || local.Plan < 0)
            {
                continue;
            }

            FactSlot[] slots = [.. _header.Plans[local.Plan].Where(slot => _ours[slot.Rate])];
            FoldLate(cell, local, rows);
            bool isRecord = local.Kind == FactKind.Record;
            bool isCharged = slots.Any(slot => RateOf(slot).Method != RateMethod.Suspense);
            _builder.Records += isRecord ? rows : 0;
            _builder.CallsBilled += isRecord && isCharged ? rows : 0;
            _builder.Corrections += isRecord ? 0 : rows;
            foreach (FactSlot slot in slots)
            {
                _builder.SuspenseCharges += rows * slot.SuspenseCharges;
                FoldCharges(local, slot, rows);
            }
        }
    }

    /// <summary>What the rows of a cell are; the builder is told what they correct.</summary>
    private LocalKey LocalOf(int cell)
    {
        int bucket = _scan.ClosedEnds.Count == 0 ? 0 : _scan.BucketOf(cell);
        _builder.Corrects = bucket == 0 ? null : _scan.ClosedEnds[bucket - 1];
        return _locals[_scan.LocalOf(cell)];
    }

    private void FoldLate(int cell, LocalKey local, long rows)
    {
        if (_builder.Corrects is { } corrects)
        {
            (long first, long last) = _scan.FramesOf(cell);
            bool isRecord = local.Kind == FactKind.Record;
            _builder.AddLate(corrects, isRecord ? rows : 0, isRecord ? 0 : rows, first, last);
        }
    }

    private void Charge(FactSlot slot, Int128 amount)
    {
        _charged += amount;
        if (slot.Account != FactSlot.NoAccount)
        {
            _builder.AddDrawn(_header.Accounts[slot.Account], amount);
        }
    }

    private void FoldCharges(LocalKey local, FactSlot slot, long rows)
    {
        Rate rate = RateOf(slot);
        if (rate.Method == RateMethod.Suspense)
        {
            return;
        }

        if (FactHeader.IsCorrection(local.Kind) || rate.Method == RateMethod.Share)
        {
            bool perCall = local.Kind == FactKind.CountedCorrection && rate.Method == RateMethod.PerCall;
            Int128 amount = perCall ? rate.PerCall.Pico * (slot.TakenBack ? -rows : rows) : 0;
            _builder.AddAmount(rate, local.Model, KindOf(local, slot), rows, amount);
            Charge(slot, amount);
        }
        else if (rate.Method == RateMethod.PerCall)
        {
            _builder.AddCalls(rate, local.Model, rows);
            Charge(slot, rate.PerCall.Pico * rows);
        }
    }

    private void FoldColumn(int column)
    {
        FactColumn c = _header.Columns[column];
        if (c.Kind == FactColumnKind.Drawn && !_ours[_header.Draws[c.Slot].Rate])
        {
            return;
        }

        _scan.Sum(column);
        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            LocalKey local = LocalOf(cell);
            Int128 sum = local.Plan < 0 || _scan.RowsOf(cell) == 0 ? 0 : _scan.Sums[cell, _scan.RowsOf(cell)];
            if (sum == 0)
            {
                continue;
            }

            if (c.Kind == FactColumnKind.Drawn)
            {
                _builder.AddDrawn(_header.Accounts[_header.Draws[c.Slot].Account], sum);
                continue;
            }

            FoldQuantity(local, c, sum);
            FoldSlots(local, c, sum);
        }
    }

    private void FoldSlots(LocalKey local, FactColumn c, Int128 sum)
    {
        FactSlot[] slots = _header.Plans[local.Plan];
        for (int s = 0; s < slots.Length; s++)
        {
            if (!_ours[slots[s].Rate])
            {
                continue;
            }

            if (c.Kind == FactColumnKind.Quantity)
            {
                FoldSteps(local, slots[s], c.Meter, sum, covered: 0);
            }
            else if (c.Slot == s && c.Kind == FactColumnKind.Covered)
            {
                FoldSteps(local, slots[s], c.Meter, 0, covered: sum);
            }
            else if (c.Slot == s && c.Kind == FactColumnKind.Rest)
            {
                FoldRest(local, slots[s], sum);
            }
        }
    }

    // What was counted stands once for a record, however many of the agreement's charges it has.
    private void FoldQuantity(LocalKey local, FactColumn c, Int128 sum)
    {
        if (local.Kind != FactKind.Record)
        {
            return;
        }

        FactSlot[] slots = _header.Plans[local.Plan];
        if (c.Kind == FactColumnKind.Quantity)
        {
            _builder.AddRaw(local.Model, c.Meter, sum);
            bool charged = Array.Exists(slots, s => _ours[s.Rate] && RateOf(s).Method != RateMethod.Suspense);
            _builder.AddBillable(local.Model, c.Meter, charged ? sum : 0, 0);
        }
        else if (c.Kind == FactColumnKind.BilledBeyond && _ours[slots[c.Slot].Rate])
        {
            _builder.AddBillable(local.Model, c.Meter, sum, 0);
        }
        else if (c.Kind == FactColumnKind.Covered && _ours[slots[c.Slot].Rate])
        {
            _builder.AddBillable(local.Model, c.Meter, 0, sum);
        }
    }

    private void FoldSteps(LocalKey local, FactSlot slot, Meter meter, Int128 steps, Int128 covered)
    {
        Rate rate = RateOf(slot);
        Int128 perStep = FactHeader.Derive(rate, slot.Unit, meter).Pico;
        Int128 sign = slot.TakenBack ? -1 : 1;
        if (local.Kind == FactKind.Correction)
        {
            _builder.AddAmount(rate, local.Model, KindOf(local, slot), 0, 0, meter.IsTokens ? covered : 0);
        }
        else if (local.Kind == FactKind.CountedCorrection && rate.Method != RateMethod.Suspense)
        {
            // What packs covered has its sign already.
            Int128 amount = perStep * ((steps * sign) - covered);
            _builder.AddAmount(rate, local.Model, KindOf(local, slot), 0, amount, meter.IsTokens ? covered : 0);
            Charge(slot, amount);
        }
        else if (rate.Method is RateMethod.Prices or RateMethod.Formula)
        {
            _builder.AddUsage(rate, local.Model, meter, steps, covered);
            Charge(slot, perStep * (steps - covered));
        }
        else if (rate.Method == RateMethod.Suspense && perStep != 0)
        {
            _builder.AddWaiting(rate, slot.Unit, perStep * steps * sign);
        }
    }

    private void FoldRest(LocalKey local, FactSlot slot, Int128 sum)
    {
        Rate rate = RateOf(slot);
        if (rate.Method == RateMethod.Suspense)
        {
            _builder.AddWaiting(rate, slot.Unit, sum);
            return;
        }

        _builder.AddAmount(rate, local.Model, KindOf(local, slot), 0, sum);
        Charge(slot, sum);
    }

    private Rate RateOf(FactSlot slot) => _header.Rates[slot.Rate];

    private StatementLineKind KindOf(LocalKey local, FactSlot slot) => FactHeader.IsCorrection(local.Kind)
        ? slot.TakenBack ? StatementLineKind.TakenBack : StatementLineKind.MadeAnew
        : RateOf(slot).Method == RateMethod.Share ? StatementLineKind.Share : StatementLineKind.Usage;

    private readonly record struct LocalKey(string Model, FactKind Kind, int Plan);
}
