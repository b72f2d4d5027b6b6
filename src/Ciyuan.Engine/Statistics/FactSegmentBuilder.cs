using System.Buffers;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>
/// Takes frames in and makes a segment of them. Memory is bounded by the rows that its owner lets it take; it is not
/// safe for several threads. Its arrays, of up to a megabyte each, are rented from the shared pool until it is
/// disposed: left to the collector, they would set off a full collection for every segment.
/// </summary>
public sealed class FactSegmentBuilder : IDisposable
{
    /// <summary>Rows at which a segment is sealed, at the end of a frame: large enough that a query's cost for a
    /// segment
    /// (headers, seeks) is below 1 ns a row, small enough that a worker's buffers stay in the CPU's second-level
    /// cache.</summary>
    public const int SealRows = 65_536;

    private const int Grades = 8; // more than EvidenceGrade has, a power of two

    private static readonly Currency[] CountedUnits =
        [Currency.Tok, .. Meter.OtherUnits.Select(unit => unit.Currency)];

    private readonly FactTypes _types = new();
    private readonly Entries?[] _quantities = new Entries?[(256 + CountedUnits.Length) * Grades];
    private readonly Dictionary<int, Entries> _rests = [];
    private readonly Dictionary<(int Slot, Meter Meter, EvidenceGrade Grade), Entries> _covered = [];
    private readonly Entries _times = new(1024);
    private readonly Entries _typeOfRow = new(1024);
    private readonly Entries _frameOfRow = new(1024);
    private readonly Dictionary<FactDraw, Entries> _draws = [];
    private readonly Dictionary<(int Slot, Meter Meter), Entries> _beyond = [];
    private AccountName?[] _from = new AccountName?[8];
    private int _records;
    private long _minTime = long.MaxValue;
    private long _maxTime = long.MinValue;

    /// <summary>Rows so far.</summary>
    public int Rows { get; private set; }

    /// <summary>First frame taken in; 0 before it.</summary>
    public long FirstSeq { get; private set; }

    /// <summary>Last frame taken in; 0 before the first.</summary>
    public long LastSeq { get; private set; }

    /// <summary>Time of recording of the last frame.</summary>
    public Timestamp LastTime { get; private set; }

    /// <summary>Takes a frame in; frames come in order.</summary>
    public void Add(Frame frame)
    {
        FirstSeq = FirstSeq == 0 ? frame.Seq : FirstSeq;
        LastSeq = frame.Seq;
        LastTime = frame.Time;
        foreach (CorrectionResult result in frame.CorrectionResults)
        {
            foreach (CorrectedRecord record in result.Singles)
            {
                AddCorrected(record);
            }

            foreach (CorrectedGroup group in result.Groups)
            {
                AddGroup(group);
            }
        }

        for (int i = 0; i < frame.Records.Count; i++)
        {
            AddRecord(frame.Records[i], frame.RecordResults[i]);
        }
    }

    /// <summary>The segment of all frames so far.</summary>
    public FactSegment Build()
    {
        var columns = new List<FactColumn>();
        var data = new List<byte[]>();
        void Append(FactColumnKind kind, int slot, Meter meter, EvidenceGrade grade, Entries entries)
        {
            ColumnShape shape = ColumnCodec.Encode(entries.Rows, entries.Values, Rows, out byte[] bytes);
            ulong checksum = System.IO.Hashing.XxHash3.HashToUInt64(bytes);
            columns.Add(new FactColumn(kind, slot, meter, grade, shape, checksum));
            data.Add(bytes);
        }

        Append(FactColumnKind.Time, 0, default, default, _times);
        Append(FactColumnKind.Type, 0, default, default, _typeOfRow);
        Append(FactColumnKind.Frame, 0, default, default, _frameOfRow);
        for (int i = 0; i < _quantities.Length; i++)
        {
            if (_quantities[i] is { IsEmpty: false } entries && Meter.TryFromValue(i / Grades, out Meter meter))
            {
                Append(FactColumnKind.Quantity, 0, meter, (EvidenceGrade)(i % Grades), entries);
            }
        }

        foreach ((int slot, Entries entries) in _rests.OrderBy(pair => pair.Key).Where(pair => !pair.Value.IsEmpty))
        {
            Append(FactColumnKind.Rest, slot, default, default, entries);
        }

        foreach (((int slot, Meter meter, EvidenceGrade grade), Entries entries) in _covered.OrderBy(pair => pair.Key))
        {
            Append(FactColumnKind.Covered, slot, meter, grade, entries);
        }

        FactDraw[] draws = AppendDraws(Append);
        return new FactSegment(MakeHeader(columns, draws), data);
    }

    private FactDraw[] AppendDraws(Action<FactColumnKind, int, Meter, EvidenceGrade, Entries> append)
    {
        FactDraw[] draws = [.. _draws.Keys];
        for (int i = 0; i < draws.Length; i++)
        {
            append(FactColumnKind.Drawn, i, default, default, _draws[draws[i]]);
        }

        foreach (((int slot, Meter meter), Entries entries) in _beyond.OrderBy(pair => pair.Key))
        {
            append(FactColumnKind.BilledBeyond, slot, meter, default, entries);
        }

        return draws;
    }

    /// <summary>Gives the arrays back; nothing may be added or built afterwards.</summary>
    public void Dispose()
    {
        foreach (Entries? entries in (IEnumerable<Entries?>)
            [_times, _typeOfRow, _frameOfRow, .. _quantities, .. _rests.Values, .. _covered.Values, .. _draws.Values,
                .. _beyond.Values])
        {
            entries?.Dispose();
        }
    }

    private FactHeader MakeHeader(List<FactColumn> columns, FactDraw[] draws) => new()
    {
        FirstSeq = FirstSeq,
        LastSeq = LastSeq,
        LastTime = LastTime,
        Rows = Rows,
        Records = _records,
        MinTime = new Timestamp(_minTime),
        MaxTime = new Timestamp(_maxTime),
        Contexts = [.. _types.Contexts],
        Rates = [.. _types.Rates],
        ChargeSums = [.. _types.ChargeSums],
        Plans = [.. _types.Plans],
        Types = [.. _types.Types],
        Accounts = [.. _types.Accounts],
        Draws = draws,
        Columns = columns,
    };

    private void AddRecord(UsageRecord record, UsageResult result)
    {
        if (result.Status != UsageStatus.Posted)
        {
            AddRow(record.EventTime, _types.Find(record.Context, FactKind.Conflict, record.Outcome, [], [], 0));
            return;
        }

        ReadOnlySpan<AccountName?> from = FindPayers(result.Charges, result.Postings);
        int type = _types.Find(record.Context, FactKind.Record, record.Outcome, result.Charges, from, 0);
        int row = AddRow(record.EventTime, type);
        _records++;
        AddCounts(row, record.Counts);
        AddCharges(row, type, result.Charges, result.Postings, record.Counts, 0);
    }

    private void AddCorrected(CorrectedRecord record)
    {
        FactKind kind = record.Counts is null ? FactKind.Correction : FactKind.CountedCorrection;
        ReadOnlySpan<AccountName?> from = FindPayers(record.Charges, record.Postings);
        int type = _types.Find(record.Context, kind, default, record.Charges, from, record.Reversed);
        int row = AddRow(record.EventTime, type);
        AddCounts(row, record.Counts ?? []);
        AddCharges(row, type, record.Charges, record.Postings, record.Counts ?? [], record.Reversed);
    }

    private static Int128 SumOf(Int128[] perStep, ReadOnlySpan<long> steps)
    {
        Int128 sum = 0;
        for (int q = 0; q < perStep.Length; q++)
        {
            sum += perStep[q] * steps[q];
        }

        return sum;
    }

    private void AddGroup(CorrectedGroup group)
    {
        if (group.Records == 0)
        {
            return;
        }

        Charge[] charges = Array.ConvertAll(group.Charges, c => new Charge(c.Rate, default, 0));
        Entries[] quantities = Array.ConvertAll(group.Counted, QuantityOf);
        (Entries Rests, Int128[] PerStep)[] listed = [.. Enumerable.Range(0, charges.Length)
            .Where(i => group.Charges[i].Listed).Select(i => (RestOf(i), DerivedPerStep(group, i)))];
        AccountName?[] from = [.. group.Charges.Select((c, i) => i < group.Reversed ? c.Credit : c.Debit)];
        int plan = _types.FindPlan(charges, from, group.Reversed);
        for (int i = 0, step = 0, amount = 0; i < group.Records; i++)
        {
            int row = AddRow(new Timestamp(group.Times[i]), _types.FindCorrected(group.Contexts[i], plan));
            ReadOnlySpan<long> steps = group.Steps.AsSpan(step, quantities.Length);
            step += steps.Length;
            for (int q = 0; q < steps.Length; q++)
            {
                quantities[q].AddUnlessZero(row, steps[q]);
            }

            foreach ((Entries rests, Int128[] perStep) in listed)
            {
                rests.AddUnlessZero(row, group.Amounts[amount++] - SumOf(perStep, steps));
            }
        }

        FactSlot[] slots = _types.Plans[plan]; // nothing in suspense, so a slot for each charge
        for (int i = 0; i < charges.Length; i++)
        {
            _types.AddToSum(slots[i].Rate, group.Charges[i].Total);
        }
    }

    /// <summary>What each step adds to a charge of a group before its rest; below zero when it is taken back. None
    /// where it is not by prices.</summary>
    private static Int128[] DerivedPerStep(CorrectedGroup group, int charge)
    {
        Rate rate = group.Charges[charge].Rate;
        int sign = charge < group.Reversed ? -1 : 1;
        return rate.Method != RateMethod.Formula ? [] : Array.ConvertAll(
            group.Counted, c => rate.TryGetPrice(c.Meter, out Amount perStep) ? sign * perStep.Pico : 0);
    }

    private void AddCounts(int row, Count[] counts)
    {
        foreach (Count count in counts)
        {
            AddCount(row, count, count.Steps);
        }
    }

    private void AddCount(int row, in Count count, long steps)
    {
        if (steps != 0)
        {
            QuantityOf(count).Add(row, steps);
        }
    }

    private Entries QuantityOf(Count count) =>
        _quantities[(count.Meter.Value * Grades) + (int)count.Grade] ??= new Entries(256);

    private Entries RestOf(int slot)
    {
        if (!_rests.TryGetValue(slot, out Entries? entries))
        {
            _rests.Add(slot, entries = new Entries(256));
        }

        return entries;
    }

    private int AddRow(Timestamp eventTime, int type)
    {
        long time = eventTime.UnixNanoseconds;
        _times.Add(Rows, time);
        _typeOfRow.Add(Rows, type);
        _frameOfRow.Add(Rows, LastSeq);
        _minTime = Math.Min(_minTime, time);
        _maxTime = Math.Max(_maxTime, time);
        return Rows++;
    }

    /// <summary>For each charge the account that paid all of it, or to which all of it went back; null where that is
    /// not one.</summary>
    private ReadOnlySpan<AccountName?> FindPayers(Charge[] charges, Posting[] postings)
    {
        _from = _from.Length < charges.Length ? new AccountName?[charges.Length * 2] : _from;
        int next = 0;
        for (int i = 0; i < charges.Length; i++)
        {
            ref readonly Charge charge = ref charges[i];
            bool whole = charge.PostingCount == 1 && charge.Rate.Method != RateMethod.Suspense
                && postings[next].Amount.Pico == Int128.Abs(charge.Amount.Pico)
                && postings[next].Debit.Currency == charge.Rate.Currency;
            _from[i] = whole ? PayerOf(charge, postings[next]) : null;
            next += charge.PostingCount;
        }

        return _from.AsSpan(0, charges.Length);
    }

    private static AccountName PayerOf(in Charge charge, in Posting posting) =>
        charge.Amount.IsNegative ? posting.Credit : posting.Debit;

    // Who paid how much, where it was not one account: parts of a charge, and packs, whose tokens are beside its
    // amount.
    private void AddDraws(int row, int rate, in Charge charge, ReadOnlySpan<Posting> postings, bool takenBack)
    {
        foreach (ref readonly Posting posting in postings)
        {
            bool money = posting.Debit.Currency == charge.Rate.Currency;
            bool back = money ? charge.Amount.IsNegative : takenBack;
            var draw = new FactDraw(rate, _types.FindAccount(back ? posting.Credit : posting.Debit));
            if (!_draws.TryGetValue(draw, out Entries? entries))
            {
                _draws.Add(draw, entries = new Entries(256));
            }

            entries.AddTo(row, back ? -posting.Amount.Pico : posting.Amount.Pico);
        }
    }

    private void AddBeyond(int row, int slot, in Charge charge, Count[] counts)
    {
        if (charge.Rate.Formula is not { Billable.Length: > 0 } formula)
        {
            return;
        }

        foreach (Count count in charge.Covered is null ? counts : Rate.Rest(counts, charge.Covered))
        {
            long beyond = formula.BillableSteps(count.Meter, count.Steps) - count.Steps;
            if (beyond > 0)
            {
                if (!_beyond.TryGetValue((slot, count.Meter), out Entries? entries))
                {
                    _beyond.Add((slot, count.Meter), entries = new Entries(256));
                }

                entries.AddTo(row, beyond);
            }
        }
    }

    private void AddCharges(int row, int type, Charge[] charges, Posting[] postings, Count[] counts, int reversed)
    {
        FactSlot[] slots = _types.Plans[_types.Types[type].Plan];
        bool counted = _types.Types[type].Kind is FactKind.Record or FactKind.CountedCorrection;
        int slot = 0;
        int posting = 0;
        for (int i = 0; i < charges.Length; i++)
        {
            ref readonly Charge charge = ref charges[i];
            ReadOnlySpan<Posting> own = postings.AsSpan(posting, charge.PostingCount);
            posting += charge.PostingCount;
            if (charge.Rate.Method == RateMethod.Suspense)
            {
                AddWaiting(row, slot, own, counts, i < reversed);
                slot += CountedUnits.Length;
                continue;
            }

            _types.AddToSum(slots[slot].Rate, charge.Amount);
            Int128 derived = counted ? Derive(charge, counts) : 0;
            AddRest(row, slot, charge.Amount.Pico - (i < reversed ? -derived : derived));
            if (slots[slot].Account == FactSlot.NoAccount)
            {
                AddDraws(row, slots[slot].Rate, charge, own, i < reversed);
            }

            if (_types.Types[type].Kind == FactKind.Record)
            {
                AddBeyond(row, slot, charge, counts);
            }

            AddCovered(row, slot, charge.Covered ?? [], i < reversed);
            slot++;
        }
    }

    private void AddCovered(int row, int slot, Count[] covered, bool takenBack)
    {
        foreach (Count count in covered)
        {
            (int, Meter, EvidenceGrade) key = (slot, count.Meter, count.Grade);
            if (!_covered.TryGetValue(key, out Entries? entries))
            {
                _covered.Add(key, entries = new Entries(256));
            }

            entries.AddTo(row, takenBack ? -count.Steps : count.Steps);
        }
    }

    // What waits in suspense is what was posted there, in counted units; for a record that should be its counts.
    private void AddWaiting(int row, int slot, ReadOnlySpan<Posting> postings, Count[] counts, bool takenBack)
    {
        Span<Int128> waiting = stackalloc Int128[CountedUnits.Length];
        foreach (Posting posting in postings)
        {
            int unit = Array.IndexOf(CountedUnits, posting.Debit.Currency);
            if (unit >= 0)
            {
                waiting[unit] += takenBack ? -posting.Amount.Pico : posting.Amount.Pico;
            }
        }

        foreach (Count count in counts)
        {
            int unit = count.Meter.IsTokens ? 0 : count.Meter.Value - 255;
            Int128 own = (Int128)count.Steps * (Amount.PicoPerUnit / count.Meter.StepsPerUnit);
            waiting[unit] -= takenBack ? -own : own;
        }

        for (int i = 0; i < waiting.Length; i++)
        {
            AddRest(row, slot + i, waiting[i]);
        }
    }

    private void AddRest(int row, int slot, Int128 rest)
    {
        if (rest != 0)
        {
            RestOf(slot).Add(row, rest);
        }
    }

    private static Int128 Derive(in Charge charge, Count[] counts)
    {
        Rate rate = charge.Rate;
        if (rate.Method == RateMethod.PerCall)
        {
            return rate.PerCall.Pico;
        }

        if (rate.Method is not (RateMethod.Prices or RateMethod.Formula))
        {
            return 0;
        }

        Int128 sum = 0;
        foreach (Count count in counts)
        {
            sum += rate.TryGetPrice(count.Meter, out Amount perStep) ? perStep.Pico * count.Steps : 0;
        }

        foreach (Count covered in charge.Covered ?? [])
        {
            sum -= rate.TryGetPrice(covered.Meter, out Amount price) ? price.Pico * covered.Steps : 0;
        }

        return sum;
    }

    /// <summary>Rows with a value, and the values, in rented arrays.</summary>
    private sealed class Entries(int capacity) : IDisposable
    {
        private int[] _rows = ArrayPool<int>.Shared.Rent(capacity);
        private Int128[] _values = ArrayPool<Int128>.Shared.Rent(capacity);
        private int _count;

        public bool IsEmpty => _count == 0;

        public ReadOnlySpan<int> Rows => _rows.AsSpan(0, _count);

        public ReadOnlySpan<Int128> Values => _values.AsSpan(0, _count);

        public void Add(int row, Int128 value)
        {
            if (_count == _rows.Length || _count == _values.Length)
            {
                _rows = Grow(_rows);
                _values = Grow(_values);
            }

            _rows[_count] = row;
            _values[_count++] = value;
        }

        public void AddUnlessZero(int row, Int128 value)
        {
            if (value != 0)
            {
                Add(row, value);
            }
        }

        public void AddTo(int row, Int128 value)
        {
            if (_count > 0 && _rows[_count - 1] == row)
            {
                _values[_count - 1] += value;
            }
            else
            {
                Add(row, value);
            }
        }

        public void Dispose()
        {
            ArrayPool<int>.Shared.Return(_rows);
            ArrayPool<Int128>.Shared.Return(_values);
            (_rows, _values, _count) = ([], [], 0);
        }

        private T[] Grow<T>(T[] array)
        {
            T[] larger = ArrayPool<T>.Shared.Rent(_count * 2);
            array.AsSpan(0, _count).CopyTo(larger);
            ArrayPool<T>.Shared.Return(array);
            return larger;
        }
    }
}
