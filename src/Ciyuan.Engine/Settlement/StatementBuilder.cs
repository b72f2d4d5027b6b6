using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Settlement;

/// <summary>Adds an agreement's charges up to the lines of a statement. Not safe for several threads.</summary>
public sealed class StatementBuilder
{
    private static readonly Amount NoPrice = new(-1);

    private readonly Dictionary<LineKey, Sums> _lines = [];
    private readonly SortedDictionary<Currency, Int128> _waiting = [];
    private readonly SortedDictionary<Timestamp, LateSums> _late = [];
    private readonly Dictionary<(string Model, Meter Meter), Quantities> _quantities = [];
    private readonly Dictionary<AccountName, Int128> _drawn = [];
    private Rate? _rate;
    private Int128 _charged;

    /// <summary>What is added from now on corrects closed times that end here; null for the period itself.</summary>
    public Timestamp? Corrects { get; set; }

    /// <summary>True when the agreement was seen in any period.</summary>
    public bool Found { get; set; }

    /// <summary>Records that the agreement charged or that wait in its suspense.</summary>
    public long Records { get; set; }

    /// <summary>Records that the agreement charged.</summary>
    public long CallsBilled { get; set; }

    /// <summary>Corrected records.</summary>
    public long Corrections { get; set; }

    /// <summary>Charges in suspense.</summary>
    public long SuspenseCharges { get; set; }

    /// <summary>Events kept aside.</summary>
    public long KeptAside { get; set; }

    /// <summary>Steps of a meter at the rate's price.</summary>
    /// <param name="rate">The rate; priced per class.</param>
    /// <param name="model">The model of the records.</param>
    /// <param name="meter">The meter.</param>
    /// <param name="steps">Steps used.</param>
    /// <param name="covered">Steps of these that token packs paid for.</param>
    public void AddUsage(Rate rate, string model, Meter meter, Int128 steps, Int128 covered)
    {
        Take(rate);
        if (!rate.TryGetPrice(meter, out Amount perStep))
        {
            if (rate.Formula is null)
            {
                return; // what has no price is not charged: the rate was found to price all that it charges
            }

            perStep = NoPrice; // what it costs depends on more than itself, and stands in a line without a meter
        }

        Sums sums = Line(KeyOf(StatementLineKind.Usage, model, rate, perStep) with { Meter = (meter.Value, 1) });
        sums.Meter = meter;
        sums.Steps += steps;
        sums.Covered += covered;
        sums.Amount += perStep == NoPrice ? 0 : perStep.Pico * (steps - covered);
    }

    /// <summary>Calls at the rate's fixed amount.</summary>
    public void AddCalls(Rate rate, string model, long calls)
    {
        Take(rate);
        Sums sums = Line(KeyOf(StatementLineKind.PerCall, model, rate, rate.PerCall));
        sums.Calls += calls;
        sums.Amount += rate.PerCall.Pico * calls;
    }

    /// <summary>Amounts as they are: shares, corrections, or what a rate's method does not tell.</summary>
    /// <param name="rate">The rate.</param>
    /// <param name="model">The model of the records.</param>
    /// <param name="kind">The line's kind.</param>
    /// <param name="calls">Records with such an amount.</param>
    /// <param name="amount">Their sum.</param>
    /// <param name="covered">Token steps that packs paid for, for corrections; signed.</param>
    public void AddAmount(Rate rate, string model, StatementLineKind kind, long calls, Int128 amount,
        Int128 covered = default)
    {
        Take(rate);
        Amount price = kind == StatementLineKind.Usage ? NoPrice : default;
        Sums sums = Line(KeyOf(kind, model, rate, price));
        sums.Calls += calls;
        sums.Covered += covered;
        sums.Amount += amount;
    }

    /// <summary>Records and corrections of closed times, and the frames that recorded them.</summary>
    public void AddLate(Timestamp corrects, long records, long corrections, long firstSeq, long lastSeq)
    {
        LateSums sums = LateOf(corrects);
        sums.Records += records;
        sums.Corrections += corrections;
        sums.FirstSeq = Math.Min(sums.FirstSeq, firstSeq);
        sums.LastSeq = Math.Max(sums.LastSeq, lastSeq);
    }

    /// <summary>Steps of a meter that records counted, whatever became of them.</summary>
    public void AddRaw(string model, Meter meter, Int128 steps) => QuantityOf(model, meter).Raw += steps;

    /// <summary>Steps of a meter that were charged, as they are billed; and those of them that packs paid
    /// for.</summary>
    public void AddBillable(string model, Meter meter, Int128 steps, Int128 covered)
    {
        Quantities quantities = QuantityOf(model, meter);
        quantities.Billable += steps;
        quantities.Covered += covered;
    }

    /// <summary>What an account paid.</summary>
    public void AddDrawn(AccountName account, Int128 amount) =>
        _drawn[account] = checked(_drawn.GetValueOrDefault(account) + amount);

    /// <summary>The sum of the charges themselves, taken another way than the lines; the two must agree.</summary>
    public void AddCharged(Int128 amount) => _charged = checked(_charged + amount);

    /// <summary>Quantity in suspense.</summary>
    public void AddWaiting(Rate rate, Currency unit, Int128 amount)
    {
        Take(rate);
        _waiting[unit] = checked(_waiting.GetValueOrDefault(unit) + amount);
    }

    /// <summary>Adds what another builder has seen of other records.</summary>
    public void Merge(StatementBuilder other)
    {
        Found |= other.Found;
        Records += other.Records;
        CallsBilled += other.CallsBilled;
        Corrections += other.Corrections;
        SuspenseCharges += other.SuspenseCharges;
        KeptAside += other.KeptAside;
        AddCharged(other._charged);
        foreach ((LineKey key, Sums sums) in other._lines)
        {
            Sums line = Line(key);
            line.Meter = sums.Meter;
            line.Calls += sums.Calls;
            line.Steps += sums.Steps;
            line.Covered += sums.Covered;
            line.Amount += sums.Amount;
        }

        foreach ((Currency unit, Int128 amount) in other._waiting)
        {
            _waiting[unit] = checked(_waiting.GetValueOrDefault(unit) + amount);
        }

        MergeBesideLines(other);
        if (other._rate is { } rate)
        {
            Take(rate);
        }
    }

    private void MergeBesideLines(StatementBuilder other)
    {
        foreach ((Timestamp corrects, LateSums late) in other._late)
        {
            AddLate(corrects, late.Records, late.Corrections, late.FirstSeq, late.LastSeq);
        }

        foreach (((string model, Meter meter), Quantities quantities) in other._quantities)
        {
            AddRaw(model, meter, quantities.Raw);
            AddBillable(model, meter, quantities.Billable, quantities.Covered);
        }

        foreach ((AccountName account, Int128 amount) in other._drawn)
        {
            AddDrawn(account, amount);
        }
    }

    /// <summary>The statement.</summary>
    /// <exception cref="InvalidOperationException">The lines do not add up to the charges: a broken
    /// invariant.</exception>
    public Statement Build(StatementQuery query, long dataToSeq, Timestamp dataToTime)
    {
        StatementLine[] lines = [.. _lines
            .Where(pair => !pair.Value.AreZero)
            .OrderBy(pair => pair.Key, Comparer<LineKey>.Create(Compare))
            .Select(pair => pair.Value.ToLine(pair.Key))];
        var exact = new Amount(lines.Aggregate(default(Int128), (sum, line) => checked(sum + line.Amount.Pico)));
        if (exact.Pico != _charged)
        {
            throw new InvalidOperationException(
                $"The lines of {query.Agreement} add up to {exact}, its charges to {new Amount(_charged)}.");
        }

        Currency currency = _rate?.Currency ?? default;
        (Amount total, Amount difference) = Rounding.ToMinorUnit(exact, currency);
        return new Statement
        {
            Query = query,
            Found = Found,
            Payer = _rate?.Payer ?? "",
            Payee = _rate?.Payee ?? "",
            Side = _rate?.Side ?? Side.Between,
            Currency = currency,
            Lines = lines,
            Exact = exact,
            RoundingDifference = difference,
            Total = total,
            Late = MakeLate(lines),
            Quantities = MakeQuantities(),
            Drawn = MakeDrawn(query.Agreement, currency),
            Records = Records,
            CallsBilled = CallsBilled,
            Corrections = Corrections,
            SuspenseCharges = SuspenseCharges,
            Suspense = [.. _waiting.Where(pair => pair.Value != 0).Select(pair => (pair.Key, new Amount(pair.Value)))],
            KeptAside = KeptAside,
            DataToSeq = dataToSeq,
            DataToTime = dataToTime,
        };
    }

    /// <summary>What the accounts paid, which must be what was charged: two sums taken in two ways.</summary>
    private DrawnAmount[] MakeDrawn(string agreement, Currency currency)
    {
        DrawnAmount[] drawn = [.. _drawn.Where(pair => pair.Value != 0)
            .OrderBy(pair => pair.Key.Path, StringComparer.Ordinal).ThenBy(pair => pair.Key.Currency)
            .Select(pair => new DrawnAmount(pair.Key, new Amount(pair.Value)))];
        Amount paid = drawn.Where(d => d.Account.Currency == currency)
            .Aggregate(Amount.Zero, (sum, d) => sum + d.Amount);
        return paid.Pico == _charged ? drawn : throw new InvalidOperationException(
            $"The charges of {agreement} are {new Amount(_charged)}, the accounts paid {paid}.");
    }

    private LateCharges[] MakeLate(StatementLine[] lines) =>
    [
        .. _late.Select(pair => new LateCharges(
            pair.Key, pair.Value.Records, pair.Value.Corrections,
            lines.Where(l => l.Corrects == pair.Key).Aggregate(Amount.Zero, (sum, line) => sum + line.Amount),
            pair.Value.FirstSeq, pair.Value.LastSeq)),
    ];

    private StatementQuantity[] MakeQuantities() =>
    [
        .. _quantities.Where(pair => pair.Value.Raw != 0 || pair.Value.Billable != 0)
            .OrderBy(pair => pair.Key.Model, StringComparer.Ordinal).ThenBy(pair => pair.Key.Meter)
            .Select(pair => new StatementQuantity(
                pair.Key.Model, pair.Key.Meter, pair.Value.Raw, pair.Value.Billable, pair.Value.Covered)),
    ];

    private LateSums LateOf(Timestamp corrects)
    {
        if (!_late.TryGetValue(corrects, out LateSums? sums))
        {
            _late.Add(corrects, sums = new LateSums());
        }

        return sums;
    }

    private Quantities QuantityOf(string model, Meter meter)
    {
        if (!_quantities.TryGetValue((model, meter), out Quantities? quantities))
        {
            _quantities.Add((model, meter), quantities = new Quantities());
        }

        return quantities;
    }

    private LineKey KeyOf(StatementLineKind kind, string model, Rate rate, Amount price)
    {
        bool perCall = kind == StatementLineKind.PerCall;
        bool tiered = kind == StatementLineKind.Usage && price == NoPrice && rate.Formula is not null;
        return new LineKey(
            Corrects, kind, model, default, perCall ? "" : rate.Book, perCall ? 0 : rate.Version, price,
            perCall ? "" : rate.ShareOf, perCall ? 0 : rate.SharePpm, tiered ? TiersOf(rate) : "");
    }

    private string TiersOf(Rate rate)
    {
        if (!_tiers.TryGetValue(rate, out string? tiers))
        {
            _tiers.Add(rate, tiers = TierText.Of(rate));
        }

        return tiers;
    }

    private readonly Dictionary<Rate, string> _tiers = [];

    // The parties and the currency of an agreement never change; a rate in suspense may lack them.
    private void Take(Rate rate) => _rate = _rate is null || _rate.Currency.IsNone ? rate : _rate;

    private Sums Line(LineKey key)
    {
        if (!_lines.TryGetValue(key, out Sums? sums))
        {
            _lines.Add(key, sums = new Sums());
        }

        return sums;
    }

    private static int Compare(LineKey x, LineKey y)
    {
        int order = Nullable.Compare(x.Corrects, y.Corrects);
        order = order != 0 ? order : x.Kind.CompareTo(y.Kind);
        order = order != 0 ? order : string.CompareOrdinal(x.Model, y.Model);
        order = order != 0 ? order : x.Meter.CompareTo(y.Meter);
        order = order != 0 ? order : string.CompareOrdinal(x.Book, y.Book);
        order = order != 0 ? order : x.Version.CompareTo(y.Version);
        order = order != 0 ? order : x.Price.CompareTo(y.Price);
        order = order != 0 ? order : string.CompareOrdinal(x.ShareOf, y.ShareOf);
        order = order != 0 ? order : x.SharePpm.CompareTo(y.SharePpm);
        return order != 0 ? order : string.CompareOrdinal(x.Tiers, y.Tiers);
    }

    private readonly record struct LineKey(
        Timestamp? Corrects, StatementLineKind Kind, string Model, (ushort Value, byte Present) Meter, string Book,
        int Version, Amount Price, string ShareOf, int SharePpm, string Tiers);

    private sealed class LateSums
    {
        public long Records { get; set; }

        public long Corrections { get; set; }

        public long FirstSeq { get; set; } = long.MaxValue;

        public long LastSeq { get; set; }
    }

    private sealed class Quantities
    {
        public Int128 Raw { get; set; }

        public Int128 Billable { get; set; }

        public Int128 Covered { get; set; }
    }

    private sealed class Sums
    {
        public Meter? Meter { get; set; }

        public long Calls { get; set; }

        public Int128 Steps { get; set; }

        public Int128 Covered { get; set; }

        public Int128 Amount { get; set; }

        public bool AreZero => Calls == 0 && Steps == 0 && Covered == 0 && Amount == 0;

        public StatementLine ToLine(LineKey key) => new()
        {
            Corrects = key.Corrects,
            Tiers = key.Tiers,
            Kind = key.Kind,
            Model = key.Model,
            Meter = Meter,
            Book = key.Book,
            Version = key.Version,
            UnitPrice = key.Price == NoPrice ? null : key.Price,
            ShareOf = key.ShareOf,
            SharePpm = key.SharePpm,
            Steps = Steps,
            CoveredSteps = Covered,
            Calls = Calls,
            Amount = new Amount(Amount),
        };
    }
}
