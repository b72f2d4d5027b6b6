using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Reconciling;

/// <summary>A sum of our charges over a quarter of an hour.</summary>
/// <param name="Start">Its first moment.</param>
/// <param name="Model">The model.</param>
/// <param name="Sum">Quantity and amount of a class.</param>
public readonly record struct ChargedQuarter(Timestamp Start, string Model, SideSum Sum);

/// <summary>
/// Compares a bill without ids with our charges, by day and model, class by class. Memory grows with days × models ×
/// classes and not with calls. Quarters of an hour let our days begin where those of any zone do.
/// </summary>
public sealed class MatchByDay
{
    private const long Quarter = 900 * Timestamp.PerSecond;
    private const long Day = 96 * Quarter;
    private const long WholePeriod = long.MinValue;

    private readonly BillQuestion _question;
    private readonly Dictionary<(long Day, string Model, BillClass Class), SideSum> _theirs = [];
    private readonly DifferenceList _differences = new();
    private List<(long Local, string Model, SideSum Sum)> _ours = [];
    private bool _hasDays;
    private bool _hasModels;
    private long _lines;
    private Amount _there;

    /// <summary>A comparison.</summary>
    public MatchByDay(BillQuestion question) => _question = question;

    /// <summary>Compares.</summary>
    /// <param name="bill">The lines of the bill.</param>
    /// <param name="charged">Our charges, from 26 hours before the period to 26 hours after it.</param>
    public BillComparison Run(IEnumerable<BillLine> bill, IEnumerable<ChargedQuarter> charged)
    {
        ReadBill(bill);
        _ours = [.. charged.Select(q => (Local(q.Start), _hasModels ? q.Model : "", q.Sum))];
        int quarters = _hasDays ? FindShift() : 0;
        var ours = Units(quarters);
        if (quarters != 0)
        {
            AddShifts(Units(0), ours);
        }

        var theirs = _theirs.GroupBy(t => (t.Key.Day, t.Key.Model))
            .ToDictionary(g => g.Key, g => g.Select(t => t.Value).ToList());
        long matched = 0;
        foreach ((long Day, string Model) unit in ours.Keys.Union(theirs.Keys).Order())
        {
            List<SideSum> here = ours.GetValueOrDefault(unit) ?? [];
            List<SideSum> there = theirs.GetValueOrDefault(unit) ?? [];
            matched += here.Count > 0 && there.Count > 0 ? 1 : 0;
            Compare(unit, here, there);
        }

        return new BillComparison
        {
            Question = _question,
            IsById = false,
            Matched = matched,
            LinesThere = _lines,
            AmountHere = AmountOf(Units(0)),
            AmountThere = _there,
            ShiftMinutes = quarters * 15,
            Differences = _differences,
        }.Checked();
    }

    private void ReadBill(IEnumerable<BillLine> bill)
    {
        foreach (BillLine line in bill)
        {
            _lines++;
            _hasDays |= line.Time is not null;
            _hasModels |= line.Model.Length > 0;
            long day = line.Time is { } time ? ClockShift.Floor(Local(time), Day) : WholePeriod;
            (long, string, BillClass) key = (day, line.Model, line.Class);
            SideSum old = _theirs.GetValueOrDefault(key, new SideSum(line.Class, null, null, 0));
            _theirs[key] = new SideSum(line.Class,
                line.Steps is null ? old.Steps : (old.Steps ?? 0) + line.Steps,
                line.Amount is null ? old.Amount : (old.Amount ?? Amount.Zero) + line.Amount.Value, old.Lines + 1);
            _there += line.Amount ?? Amount.Zero;
        }
    }

    private void Compare((long Day, string Model) unit, List<SideSum> here, List<SideSum> there)
    {
        Amount valued = Amount.Zero;
        Timestamp? day = unit.Day == WholePeriod ? null : StartOf(unit.Day);
        CompareSides.Run(here, there, _question.Tolerance, (why, of, ours, theirs, delta) =>
        {
            valued += delta;
            _differences.Add(new Difference(why, "", day, unit.Model, of, ours, theirs, delta));
        });
        if (there.Count > 0 && there.TrueForAll(t => t.Amount is null))
        {
            _there += here.Aggregate(valued, (sum, s) => sum + s.Amount!.Value);
        }
    }

    // Our charges of the period, as a clock that is ahead by some quarters of an hour puts them into days.
    private Dictionary<(long Day, string Model), List<SideSum>> Units(int quarters)
    {
        var units = new Dictionary<(long, string), List<SideSum>>();
        long first = Local(_question.Period.Start);
        long end = Local(_question.Period.End);
        foreach ((long local, string model, SideSum sum) in _ours)
        {
            long shifted = local + (quarters * Quarter);
            if (shifted < first || shifted >= end)
            {
                continue;
            }

            (long, string) unit = (_hasDays ? ClockShift.Floor(shifted, Day) : WholePeriod, model);
            if (!units.TryGetValue(unit, out List<SideSum>? sums))
            {
                units.Add(unit, sums = []);
            }

            ChargedUsage.AddTo(sums, sum.Class, sum.Steps ?? 0, sum.Amount ?? Amount.Zero);
        }

        return units;
    }

    private int FindShift()
    {
        int best = 0;
        int declared = Wrong(0);
        int fewest = declared;
        for (int size = 2; size <= ClockShift.MostQuarters && fewest > 0; size += 2)
        {
            foreach (int quarters in (int[])[size, -size])
            {
                int wrong = Wrong(quarters);
                (best, fewest) = wrong < fewest ? (quarters, wrong) : (best, fewest);
            }
        }

        return fewest * 2 < declared ? best : 0;
    }

    // Days × models whose quantities in all (amounts, where the bill has none) differ.
    private int Wrong(int quarters)
    {
        var sums = new Dictionary<(long, string), Int128>();
        bool byAmount = _theirs.Values.All(t => t.Steps is null);
        foreach (((long day, string model, _), SideSum sum) in _theirs)
        {
            Int128 value = byAmount ? sum.Amount?.Pico ?? 0 : sum.Steps ?? 0;
            sums[(day, model)] = sums.GetValueOrDefault((day, model)) + value;
        }

        long first = Local(_question.Period.Start);
        long end = Local(_question.Period.End);
        foreach ((long local, string model, SideSum sum) in _ours)
        {
            long shifted = local + (quarters * Quarter);
            if (shifted >= first && shifted < end)
            {
                (long, string) unit = (ClockShift.Floor(shifted, Day), model);
                sums[unit] = sums.GetValueOrDefault(unit) - (byAmount ? sum.Amount?.Pico ?? 0 : sum.Steps ?? 0);
            }
        }

        Int128 tolerance = byAmount ? Math.Max((long)_question.Tolerance.PerLine.Pico, 1) * 64 : 0;
        return sums.Values.Count(value => Int128.Abs(value) > tolerance);
    }

    private void AddShifts(
        Dictionary<(long Day, string Model), List<SideSum>> declared,
        Dictionary<(long Day, string Model), List<SideSum>> shifted)
    {
        foreach ((long Day, string Model) unit in declared.Keys.Union(shifted.Keys).Order())
        {
            List<SideSum> before = declared.GetValueOrDefault(unit) ?? [];
            List<SideSum> after = shifted.GetValueOrDefault(unit) ?? [];
            foreach (BillClass of in before.Concat(after).Select(s => s.Class).Distinct().Order())
            {
                SideSum? old = before.Where(s => s.Class == of).Cast<SideSum?>().FirstOrDefault();
                SideSum? now = after.Where(s => s.Class == of).Cast<SideSum?>().FirstOrDefault();
                Amount delta = (now?.Amount ?? Amount.Zero) - (old?.Amount ?? Amount.Zero);
                if (!delta.IsZero || old?.Steps != now?.Steps)
                {
                    _differences.Add(new Difference(DifferenceClass.ZoneShift, "", StartOf(unit.Day), unit.Model, of,
                        old, now, delta));
                }
            }
        }
    }

    private static Amount AmountOf(Dictionary<(long Day, string Model), List<SideSum>> units) =>
        units.Values.SelectMany(u => u).Aggregate(Amount.Zero, (sum, s) => sum + (s.Amount ?? Amount.Zero));

    private long Local(Timestamp time) =>
        time.UnixNanoseconds + _question.Zone.GetUtcOffset(time.ToInstant()).Nanoseconds;

    private Timestamp StartOf(long day)
    {
        NodaTime.LocalDate date = new NodaTime.LocalDate(1970, 1, 1).PlusDays((int)day);
        return Timestamp.FromInstant(_question.Zone.AtStartOfDay(date).ToInstant());
    }
}
