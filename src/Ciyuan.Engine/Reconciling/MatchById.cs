using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using Offset = NodaTime.Offset;

namespace Ciyuan.Reconciling;

/// <summary>
/// Compares a bill with our charges, call by call. The bill is gone through a part at a time, by the digest of its ids,
/// and our frames once for each part, so memory does not grow with either; see <see cref="BillTable"/>.
/// </summary>
/// <param name="question">What is compared.</param>
/// <param name="frames">Gives all frames, in order, each time anew.</param>
/// <param name="idOf">The id under which the other side knows a record; null when it has none.</param>
/// <param name="hasCorrections">Whether charges of the period were corrected.</param>
public sealed class MatchById(
    BillQuestion question, Func<IEnumerable<Frame>> frames, Func<UsageRecord, string?> idOf, bool hasCorrections)
{
    /// <summary>Most corrected records, and most of our charges near the ends of the period that the bill lacks: some
    /// 200 bytes each.</summary>
    private const int MostKept = 1_000_000;

    private const long Near = 26L * 3_600 * Timestamp.PerSecond;

    private readonly DifferenceList _differences = new();
    private readonly ClockShift _shift = new();
    private readonly List<(string Id, Timestamp Time, string Model, List<SideSum> Sums)> _nearEnds = [];
    private readonly Dictionary<FramePosition, List<CorrectedRecord>> _corrected = [];
    private BillTable _table = new();
    private Amount _here;
    private Amount _there;
    private long _matched;
    private long _lines;

    /// <summary>Compares.</summary>
    /// <param name="bill">Gives all lines of the bill, each time anew; each has an id.</param>
    /// <param name="lines">How many they are.</param>
    /// <param name="mostLines">Lines that are held at one time.</param>
    /// <exception cref="BillTooLargeException">Beyond a named limit.</exception>
    public BillComparison Run(
        Func<IEnumerable<BillLine>> bill, long lines, int mostLines = BillTable.MostLines)
    {
        _lines = lines;
        int parts = (int)((_lines + mostLines - 1) / mostLines);
        if (hasCorrections)
        {
            ReadCorrections();
        }

        for (int part = 0; part < Math.Max(parts, 1); part++)
        {
            ReadPart(bill(), part, parts);
            MatchPart(part, parts);
        }

        int quarters = _shift.Find();
        SettleEnds(quarters);
        if (quarters != 0 && !_differences.Sums.Any(s => s.Class == DifferenceClass.ZoneShift))
        {
            // Nothing crosses an end of the period: it costs nothing, and is said all the same.
            AddShift(null, "", null, BillClass.All, null, null, Amount.Zero, DifferenceRemark.None);
        }

        return new BillComparison
        {
            Question = question,
            IsById = true,
            Matched = _matched,
            LinesThere = _lines,
            AmountHere = _here,
            AmountThere = _there,
            ShiftMinutes = quarters * 15,
            Differences = _differences,
        }.Checked();
    }

    private void ReadPart(IEnumerable<BillLine> bill, int part, int parts)
    {
        _table = new BillTable();
        foreach (BillLine line in bill)
        {
            UInt128 digest = BillTable.Digest(line.Id);
            if (IsIn(digest, part, parts))
            {
                _table.Add(digest, line);
                _there += line.Amount ?? Amount.Zero;
            }
        }
    }

    private static bool IsIn(UInt128 digest, int part, int parts) =>
        parts <= 1 || (int)(digest % (UInt128)parts) == part;

    private void ReadCorrections()
    {
        foreach (Frame frame in frames())
        {
            foreach (CorrectedRecord record in frame.CorrectionResults.SelectMany(r => r.Records))
            {
                if (IsNear(record.EventTime) && record.Charges.Any(c => c.Rate.Agreement == question.Agreement))
                {
                    Require(_corrected.Count, "corrected records");
                    if (!_corrected.TryGetValue(record.Position, out List<CorrectedRecord>? all))
                    {
                        _corrected.Add(record.Position, all = []);
                    }

                    all.Add(record);
                }
            }
        }
    }

    private void MatchPart(int part, int parts)
    {
        foreach (Frame frame in frames())
        {
            for (int i = 0; i < frame.Records.Count; i++)
            {
                UsageRecord record = frame.Records[i];
                if (frame.RecordResults[i].Status == UsageStatus.Posted && IsNear(record.EventTime)
                    && idOf(record) is { } id && BillTable.Digest(id) is var digest && IsIn(digest, part, parts))
                {
                    MatchRecord(new FramePosition(frame.Seq, i), id, digest, record, frame.RecordResults[i].Charges);
                }
            }
        }

        for (int slot = 0; slot < _table.Count; slot++)
        {
            if (!_table.IsMatched(slot))
            {
                Compare(_table.IdOf(slot), _table.TimeOf(slot)?.Time, _table.ModelOf(slot), [], _table.LinesOf(slot),
                    _table.IsKnown(slot) ? DifferenceRemark.NotCharged : DifferenceRemark.None);
            }
        }
    }

    private void MatchRecord(FramePosition position, string id, UInt128 digest, UsageRecord record, Charge[] charges)
    {
        List<SideSum>? sums = SumsOf(position, record, charges);
        int slot = _table.Find(digest);
        if (sums is null)
        {
            if (slot >= 0)
            {
                _table.SetKnown(slot);
            }

            return;
        }

        bool isOurs = question.Period.Contains(record.EventTime);
        Amount charged = sums.Aggregate(Amount.Zero, (sum, s) => sum + s.Amount!.Value);
        _here += isOurs ? charged : Amount.Zero;
        if (slot < 0 || _table.IsMatched(slot))
        {
            if (isOurs)
            {
                AddMissing(id, record, sums);
            }

            return;
        }

        _table.SetMatched(slot);
        _matched++;
        NoteTimes(record.EventTime, slot);
        if (!isOurs)
        {
            AddShift(record.EventTime, id, record.Context.Model, BillClass.All, null, null, charged,
                DifferenceRemark.OtherPeriod);
        }

        Compare(id, record.EventTime, record.Context.Model, sums, _table.LinesOf(slot), DifferenceRemark.None);
    }

    // As they stand after corrections; null when the agreement never charged it.
    private List<SideSum>? SumsOf(FramePosition position, UsageRecord record, Charge[] charges)
    {
        List<SideSum>? sums = ChargedUsage.Of(record.Counts, charges, question.Agreement);
        foreach (CorrectedRecord corrected in _corrected.GetValueOrDefault(position) ?? [])
        {
            ChargedUsage.AddCorrection(sums ??= [], corrected, question.Agreement);
        }

        return sums;
    }

    private void AddMissing(string id, UsageRecord record, List<SideSum> sums)
    {
        if (sums.TrueForAll(s => s.Amount!.Value.IsZero))
        {
            return; // what costs nothing here (free, or waiting for a price) and is not billed there is no difference
        }

        Timestamp time = record.EventTime;
        bool nearEnd = Distance(time, question.Period.Start) < Near || Distance(time, question.Period.End) < Near;
        if (!nearEnd)
        {
            Compare(id, time, record.Context.Model, sums, [], DifferenceRemark.None);
            return;
        }

        Require(_nearEnds.Count, "charges near the ends of the period that the bill lacks");
        _nearEnds.Add((id, time, record.Context.Model, sums));
    }

    // What the bill lacks lies in another period of theirs when their clock shows it there.
    private void SettleEnds(int quarters)
    {
        foreach ((string id, Timestamp time, string model, List<SideSum> sums) in _nearEnds)
        {
            long shifted = time.UnixNanoseconds + (quarters * 900L * Timestamp.PerSecond);
            if (quarters == 0 || question.Period.Contains(new Timestamp(shifted)))
            {
                Compare(id, time, model, sums, [], DifferenceRemark.None);
                continue;
            }

            Amount charged = sums.Aggregate(Amount.Zero, (sum, s) => sum + s.Amount!.Value);
            AddShift(time, id, model, BillClass.All, null, null, -charged, DifferenceRemark.OtherPeriod);
        }
    }

    private void Compare(
        string id, Timestamp? time, string model, List<SideSum> ours, List<SideSum> theirs, DifferenceRemark remark)
    {
        Amount valued = Amount.Zero;
        CompareSides.Run(ours, theirs, question.Tolerance, (why, of, here, there, delta) =>
        {
            valued += delta;
            _differences.Add(new Difference(why, id, time, model, of, here, there, delta, remark));
        });
        if (theirs.Count > 0 && theirs.TrueForAll(t => t.Amount is null))
        {
            // A usage export is valued at our prices: ours, and what the differences in quantity are worth.
            _there += ours.Aggregate(valued, (sum, s) => sum + s.Amount!.Value);
        }
    }

    private void AddShift(
        Timestamp? time, string id, string? model, BillClass of, SideSum? here, SideSum? there, Amount delta,
        DifferenceRemark remark) => _differences.Add(
            new Difference(DifferenceClass.ZoneShift, id, time, model ?? "", of, here, there, delta, remark));

    private void NoteTimes(Timestamp here, int slot)
    {
        if (_table.TimeOf(slot) is { } there)
        {
            _shift.Add(Local(here), Local(there.Time), there.HasTimeOfDay);
        }
    }

    private long Local(Timestamp time)
    {
        Offset offset = question.Zone.GetUtcOffset(time.ToInstant());
        return time.UnixNanoseconds + offset.Nanoseconds;
    }

    private bool IsNear(Timestamp time) =>
        question.Period.Contains(time) || Distance(time, question.Period.Start) < Near
            || Distance(time, question.Period.End) < Near;

    private static Int128 Distance(Timestamp a, Timestamp b) =>
        Int128.Abs((Int128)a.UnixNanoseconds - b.UnixNanoseconds);

    private static void Require(int count, string what)
    {
        if (count >= MostKept)
        {
            throw new BillTooLargeException($"There are more than {MostKept} {what}: take a shorter period.");
        }
    }
}
