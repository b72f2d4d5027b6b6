using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>
/// Runs a query over segments, one after the other; several runs over different segments are put together by
/// <see cref="ReportWriter"/>. Within a segment all names are looked up once for each type, rate and column; the rows
/// themselves are only added up by cell. Amounts that follow from counts are made from the sums of the counts.
/// </summary>
public sealed class ReportRun
{
    // Beyond it (8 MB to be cleared for each segment) groups are looked up each time.
    private const int MaxTargets = 1 << 20;

    private readonly ReportQuery _query;
    private readonly TimeBuckets? _buckets;
    private readonly ReportKeys _keys;
    private readonly SegmentScan _scan = new();
    private readonly LocalKeys<LocalKey> _locals = new();
    private readonly Dictionary<string, int> _ratioCodes = new(StringComparer.Ordinal);
    private readonly List<(long Millionths, long ErrorPermille)> _ratios = [default];
    private byte[] _marks = [];
    private byte[] _anyMarks = [];
    private byte[] _allMarks = [];
    private FactHeader _header = null!;
    private int[][] _planGroups = [];
    private int[] _rateGroups = [];
    private int[][] _slotMeasures = [];
    private Group?[] _targets = [];
    private int _targetCount;
    private int _mostCharges;
    private int _countGroups;

    /// <summary>A run over some segments.</summary>
    /// <param name="query">The question; has no fault.</param>
    /// <param name="buckets">The buckets that cover all data of the period; null when time is not cut.</param>
    public ReportRun(ReportQuery query, TimeBuckets? buckets)
    {
        _query = query;
        _buckets = buckets;
        _keys = new ReportKeys(query);
    }

    internal Dictionary<GroupKey, Group> Groups { get; } = [];

    /// <summary>Rows so far: what it keeps in memory.</summary>
    public int GroupCount => Groups.Count;

    internal Group Total { get; } = new();

    internal Measures Measures { get; } = new();

    internal ReportKeys Keys => _keys;

    internal Int128[] GradeTokens { get; } = new Int128[5];

    internal long RecordsSeen { get; private set; }

    internal long RecordsInPeriod { get; private set; }

    internal long Corrections { get; private set; }

    internal long KeptAside { get; private set; }

    /// <summary>Takes a segment in.</summary>
    /// <exception cref="ReportTooLargeException">There are more than <see cref="Report.MaxRows"/> rows.</exception>
    public void Add(FactHeader header, ColumnReader read)
    {
        RecordsSeen += header.Records;
        if (!header.Meets(_query.Period))
        {
            return;
        }

        _header = header;
        MapRates();
        int[] localOfType = _locals.Number(header.Types, KeyOf);
        _scan.Begin(header, read, _query.Period, _buckets, localOfType, _locals.Count);
        PrepareTargets();
        FoldCells();
        FoldQuantities();
        for (int column = 2; column < header.Columns.Count; column++)
        {
            FoldSlotColumn(column);
        }
    }

    // Room for the groups of a cell, by what charges it and what is counted, so that each is looked up once a segment.
    private void PrepareTargets()
    {
        foreach (FactColumn column in _header.Columns)
        {
            _ = column.Kind is FactColumnKind.Quantity or FactColumnKind.Covered
                ? _keys.OfCount(column.Meter, column.Grade)
                : 0;
        }

        _countGroups = _keys.Counts;
        _mostCharges = _planGroups.Select(groups => groups.Length).DefaultIfEmpty().Max();
        long targets = (long)_scan.CellCount * _mostCharges * _countGroups;
        _targetCount = targets <= MaxTargets ? (int)targets : 0;
        _targets = _targets.Length < _targetCount ? new Group?[_targetCount] : _targets;
        _targets.AsSpan(0, _targetCount).Clear();
    }

    private void MapRates()
    {
        _rateGroups = [.. _header.Rates.Select(rate => _keys.OfRate(rate))];
        _slotMeasures = new int[_header.Plans.Count][];
        _planGroups = new int[_header.Plans.Count][];
        for (int p = 0; p < _planGroups.Length; p++)
        {
            FactSlot[] slots = _header.Plans[p];
            IEnumerable<int> groups = slots.Length == 0 ? [_keys.NoCharge]
                : slots.Select(slot => _rateGroups[slot.Rate]);
            _planGroups[p] = [.. groups.Where(group => group >= 0).Distinct()];
            _slotMeasures[p] = [.. slots.Select(slot => Measures.Of(_header.Rates[slot.Rate], slot.Unit))];
        }
    }

    private LocalKey KeyOf(FactType type)
    {
        int group = _keys.OfType(_header.Contexts[type.Context], type);
        bool charged = type.Kind == FactKind.Conflict || _planGroups[type.Plan].Length > 0;
        return new LocalKey(charged ? group : -1, type.Plan, type.Kind, type.Outcome, RatioOf(type));
    }

    // The number of the ratio of a type's model; models of one vocabulary share it.
    private int RatioOf(FactType type)
    {
        if (_query.Standard is not { } standard || type.Kind != FactKind.Record)
        {
            return 0;
        }

        string model = ReportNames.Of(_header.Contexts[type.Context], type.Outcome, Dimension.Model);
        if (!_ratioCodes.TryGetValue(model, out int code))
        {
            (long, long) ratio = standard.Of(model);
            code = _ratios.IndexOf(ratio);
            if (code < 0)
            {
                code = _ratios.Count;
                _ratios.Add(ratio);
            }

            _ratioCodes.Add(model, code);
        }

        return code;
    }

    // What counts rows: calls, corrections, charges in suspense, fixed amounts per call.
    private void FoldCells()
    {
        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            long rows = _scan.RowsOf(cell);
            LocalKey local = Local(cell);
            RecordsInPeriod += local.Kind == FactKind.Record ? rows : 0;
            if (rows == 0 || local.Group < 0)
            {
                continue;
            }

            if (local.Kind == FactKind.Conflict)
            {
                KeptAside += rows;
                continue;
            }

            Corrections += FactHeader.IsCorrection(local.Kind) && _keys.NoCount >= 0 ? rows : 0;
            if (local.Kind == FactKind.Record && !_keys.TellsCountsApart)
            {
                AddCalls(cell, _keys.NoCount, rows);
                AddCalls(Total, local.Outcome, rows);
            }

            FoldSlots(cell, local, rows);
        }
    }

    private void FoldSlots(int cell, LocalKey local, long rows)
    {
        FactSlot[] slots = _header.Plans[local.Plan];
        for (int s = 0; s < slots.Length && _keys.NoCount >= 0; s++)
        {
            Rate rate = _header.Rates[slots[s].Rate];
            if (_rateGroups[slots[s].Rate] < 0)
            {
                continue;
            }

            if (slots[s].SuspenseCharges != 0)
            {
                AddTo(cell, _keys.NoCount, slots[s], Measures.SuspenseCharges, (Int128)rows * slots[s].SuspenseCharges);
            }

            if (rate.Method == RateMethod.PerCall && local.Kind != FactKind.Correction)
            {
                Int128 amount = rate.PerCall.Pico * (slots[s].TakenBack ? -rows : rows);
                AddTo(cell, _keys.NoCount, slots[s], _slotMeasures[local.Plan][s], amount);
            }
        }
    }

    private void FoldQuantities()
    {
        ResetMarks();
        IEnumerable<IGrouping<int, int>> byGroup = Enumerable.Range(0, _header.Columns.Count)
            .Where(column => _header.Columns[column].Kind == FactColumnKind.Quantity)
            .GroupBy(column => _keys.OfCount(_header.Columns[column].Meter, _header.Columns[column].Grade));
        Span<byte> marks = _marks.AsSpan(0, _marks.Length);
        foreach (IGrouping<int, int> columns in byGroup)
        {
            marks.Clear();
            foreach (int column in columns)
            {
                if (columns.Key >= 0)
                {
                    _scan.Sum(column);
                    FoldQuantity(column, columns.Key);
                }

                if (_keys.TellsCountsApart)
                {
                    _scan.Mark(column, marks);
                }
            }

            if (_keys.TellsCountsApart)
            {
                UseMarks(columns.Key);
            }
        }

        if (_keys.TellsCountsApart)
        {
            FinishMarks();
        }
    }

    private void FoldQuantity(int column, int countGroup)
    {
        Meter meter = _header.Columns[column].Meter;
        int grade = (int)_header.Columns[column].Grade;
        int measure = Measures.Of(meter);
        Int128[] prices = [.. _header.Plans.SelectMany(plan => plan)
            .Select(slot => FactHeader.Derive(_header.Rates[slot.Rate], slot.Unit, meter).Pico
                * (slot.TakenBack ? -1 : 1))];
        int[] firstPrice = new int[_header.Plans.Count];
        for (int p = 1; p < firstPrice.Length; p++)
        {
            firstPrice[p] = firstPrice[p - 1] + _header.Plans[p - 1].Length;
        }

        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            LocalKey local = Local(cell);
            Int128 steps = local.Group < 0 || _scan.RowsOf(cell) == 0 ? 0 : _scan.Sums[cell, _scan.RowsOf(cell)];
            if (steps == 0)
            {
                continue;
            }

            if (local.Kind == FactKind.Record)
            {
                AddCount(cell, countGroup, meter, measure, steps);
                GradeTokens[grade] += meter.IsTokens ? steps : 0;
            }

            FactSlot[] slots = _header.Plans[local.Plan];
            for (int s = 0; s < slots.Length; s++)
            {
                Int128 price = prices[firstPrice[local.Plan] + s];
                if (price != 0 && _rateGroups[slots[s].Rate] >= 0)
                {
                    AddTo(cell, countGroup, slots[s], _slotMeasures[local.Plan][s], price * steps);
                }
            }
        }
    }

    private void AddSteps(int cell, int countGroup, int measure, Int128 steps)
    {
        foreach (int charge in _planGroups[Local(cell).Plan])
        {
            Target(cell, countGroup, charge).Add(measure, steps);
        }

        Total.Add(measure, steps);
    }

    private void AddCount(int cell, int countGroup, Meter meter, int measure, Int128 steps)
    {
        AddSteps(cell, countGroup, measure, steps);
        (long millionths, long permille) = _ratios[Local(cell).Ratio];
        if (millionths > 0 && StandardRatios.Covers(meter))
        {
            Int128 standard = steps * millionths;
            AddSteps(cell, countGroup, Measures.Find(new MeasureKey(MeasureKind.Standard, default, default)), standard);
            AddSteps(
                cell, countGroup, Measures.Find(new MeasureKey(MeasureKind.StandardError, default, default)),
                standard * permille / 1_000);
        }
    }

    // Shares, corrections, and what token packs covered.
    private void FoldSlotColumn(int column)
    {
        FactColumn c = _header.Columns[column];
        bool isRest = c.Kind == FactColumnKind.Rest;
        int countGroup = isRest ? _keys.NoCount : _keys.OfCount(c.Meter, c.Grade);
        if (c.Kind is not (FactColumnKind.Rest or FactColumnKind.Covered) || countGroup < 0)
        {
            return;
        }

        _scan.Sum(column);
        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            LocalKey local = Local(cell);
            FactSlot[] slots = _header.Plans[local.Plan];
            bool counts = local.Group >= 0 && c.Slot < slots.Length && _rateGroups[slots[c.Slot].Rate] >= 0;
            Int128 sum = counts && _scan.RowsOf(cell) > 0 ? _scan.Sums[cell, _scan.RowsOf(cell)] : 0;
            if (sum == 0)
            {
                continue;
            }

            FactSlot slot = slots[c.Slot];
            if (isRest)
            {
                AddTo(cell, countGroup, slot, _slotMeasures[local.Plan][c.Slot], sum);
                continue;
            }

            AddTo(cell, countGroup, slot, c.Meter.IsTokens ? Measures.PackTokens : Measures.PackOf(c.Meter), sum);
            if (local.Kind != FactKind.Correction)
            {
                Int128 price = FactHeader.Derive(_header.Rates[slot.Rate], slot.Unit, c.Meter).Pico;
                AddTo(cell, countGroup, slot, _slotMeasures[local.Plan][c.Slot], -price * sum);
            }
        }
    }

    private void ResetMarks()
    {
        if (!_keys.TellsCountsApart)
        {
            return;
        }

        if (_marks.Length != _header.Rows)
        {
            (_marks, _anyMarks, _allMarks) = (new byte[_header.Rows], new byte[_header.Rows], new byte[_header.Rows]);
        }

        Array.Clear(_anyMarks);
        Array.Clear(_allMarks);
    }

    private void UseMarks(int countGroup)
    {
        for (int row = 0; row < _marks.Length; row++)
        {
            _allMarks[row] |= _marks[row];
            _anyMarks[row] |= countGroup >= 0 ? _marks[row] : (byte)0;
        }

        if (countGroup >= 0)
        {
            CountMarked(_marks, (cell, rows) => AddCalls(cell, countGroup, rows));
        }
    }

    private void FinishMarks()
    {
        if (_keys.NoCount >= 0)
        {
            // Records without any count: those of class "-".
            for (int row = 0; row < _marks.Length; row++)
            {
                _marks[row] = (byte)(1 - _allMarks[row]);
                _anyMarks[row] |= _marks[row];
            }

            CountMarked(_marks, (cell, rows) => AddCalls(cell, _keys.NoCount, rows));
        }

        CountMarked(_anyMarks, (cell, rows) => AddCalls(Total, Local(cell).Outcome, rows));
    }

    private void CountMarked(byte[] marks, Action<int, long> add)
    {
        var rows = new long[_scan.CellCount + 1];
        ReadOnlySpan<int> cells = _scan.Cells;
        for (int row = 0; row < cells.Length; row++)
        {
            rows[cells[row]] += marks[row];
        }

        for (int cell = 0; cell < _scan.CellCount; cell++)
        {
            if (rows[cell] > 0 && Local(cell) is { Kind: FactKind.Record, Group: >= 0 })
            {
                add(cell, rows[cell]);
            }
        }
    }

    private LocalKey Local(int cell) => _locals[_scan.LocalOf(cell)];

    private void AddCalls(int cell, int countGroup, long rows)
    {
        LocalKey local = Local(cell);
        foreach (int charge in _planGroups[local.Plan])
        {
            AddCalls(Target(cell, countGroup, charge), local.Outcome, rows);
        }
    }

    private static void AddCalls(Group group, Outcome outcome, long rows)
    {
        group.Add(Measures.Calls, rows);
        if (outcome != Outcome.Ok)
        {
            group.Add(outcome == Outcome.Failed ? Measures.Failed : Measures.Cut, rows);
        }
    }

    private void AddTo(int cell, int countGroup, FactSlot slot, int measure, Int128 value)
    {
        Target(cell, countGroup, _rateGroups[slot.Rate]).Add(measure, value);
        Total.Add(measure, value);
    }

    private Group Target(int cell, int countGroup, int chargeGroup)
    {
        if (_targetCount == 0)
        {
            return FindGroup(cell, countGroup, chargeGroup);
        }

        int charge = Array.IndexOf(_planGroups[Local(cell).Plan], chargeGroup);
        int place = (((cell * _mostCharges) + charge) * _countGroups) + countGroup;
        return _targets[place] ??= FindGroup(cell, countGroup, chargeGroup);
    }

    private Group FindGroup(int cell, int countGroup, int chargeGroup)
    {
        var key = new GroupKey(_scan.BucketOf(cell), Local(cell).Group, countGroup, chargeGroup);
        if (!Groups.TryGetValue(key, out Group? group))
        {
            if (Groups.Count == Report.MaxRows)
            {
                throw new ReportTooLargeException($"The report has more than {Report.MaxRows} rows: narrow it.");
            }

            Groups.Add(key, group = new Group());
        }

        return group;
    }

    private readonly record struct LocalKey(int Group, int Plan, FactKind Kind, Outcome Outcome, int Ratio);
}

internal readonly record struct GroupKey(int Bucket, int Type, int Count, int Charge);

// The sums of one row of the report, by measure.
internal sealed class Group
{
    public Int128[] Values { get; private set; } = new Int128[8];

    /// <summary>The sum of a measure; 0 for one that was never added, or of number -1.</summary>
    public Int128 this[int measure] => unchecked((uint)measure) < (uint)Values.Length ? Values[measure] : 0;

    /// <summary>Adds all sums to a group in which the measures have other numbers.</summary>
    public void AddTo(Group other, int[] codes)
    {
        for (int i = 0; i < codes.Length && i < Values.Length; i++)
        {
            if (Values[i] != 0)
            {
                other.Add(codes[i], Values[i]);
            }
        }
    }

    public void Add(int measure, Int128 value)
    {
        if (measure >= Values.Length)
        {
            Int128[] longer = new Int128[measure + 4];
            Values.CopyTo(longer, 0);
            Values = longer;
        }

        Values[measure] = checked(Values[measure] + value);
    }
}
