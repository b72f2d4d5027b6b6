using System.Numerics;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using NodaTime;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Rating;

/// <summary>How a curve's price depends on the quantity. Numbers are stored: never change or reuse one.</summary>
public enum CurveKind : byte
{
    /// <summary>Each step's part at its price.</summary>
    Graduated = 0,

    /// <summary>All at the price of the step that is reached.</summary>
    Volume = 1,

    /// <summary>By packages begun.</summary>
    Package = 2,
}

/// <summary>What a curve's quantities are added up over. Numbers are stored: never change or reuse one.</summary>
public enum CurvePeriod : byte
{
    /// <summary>One record.</summary>
    Call = 0,

    /// <summary>A day of the calendar.</summary>
    Day = 1,

    /// <summary>A month.</summary>
    Month = 2,

    /// <summary>A quarter: from January, April, July, October.</summary>
    Quarter = 3,

    /// <summary>A year.</summary>
    Year = 4,
}

/// <summary>A step of a curve.</summary>
/// <param name="UpTo">Last meter step that it prices; 0: without end.</param>
/// <param name="Price">Pico times the rate's divisor for a meter step, or for a package.</param>
/// <param name="Size">Meter steps in a package; 0 unless the curve is one of packages.</param>
public readonly record struct RateStep(long UpTo, Int128 Price, long Size);

/// <summary>A price that depends on how much is used, as a rate cites it: a function from a quantity to an amount. What
/// a
/// charge adds is the function's difference, so charges add up to the function of the whole in any order.</summary>
public sealed record RateCurve
{
    /// <summary>Most meter steps that a curve counts: 10¹⁷, ten times what all of China used in a day in 2026, each
    /// hour for a year. Times the largest price it fits 127 bits.</summary>
    public static readonly Int128 MostCounted = 100_000_000_000_000_000;

    /// <summary>Largest price numerator of a step: 10¹⁹.</summary>
    public static readonly Int128 MostPrice = 10_000_000_000_000_000_000;

    /// <summary>Its name in the line.</summary>
    public required string Name { get; init; }

    /// <summary>What it prices.</summary>
    public required MeterPattern[] Meters { get; init; }

    /// <summary>How.</summary>
    public required CurveKind Kind { get; init; }

    /// <summary>Over what.</summary>
    public required CurvePeriod Per { get; init; }

    /// <summary>IANA zone of the period.</summary>
    public required string Zone { get; init; }

    /// <summary>The steps, the smallest first; the last is without end.</summary>
    public required RateStep[] Steps { get; init; }

    /// <summary>Whether it counts over a period, and so depends on what was counted before.</summary>
    public bool IsRunning => Per != CurvePeriod.Call;

    private PeriodCache? _last;

    private sealed record PeriodCache(Period Period);

    /// <inheritdoc/>
    public bool Equals(RateCurve? other) => ReferenceEquals(this, other)
        || (other is not null && Name == other.Name && Kind == other.Kind && Per == other.Per && Zone == other.Zone
            && Meters.AsSpan().SequenceEqual(other.Meters) && Steps.AsSpan().SequenceEqual(other.Steps));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Kind, Per, Zone, Steps.Length, Steps[0]);

    /// <summary>Whether it prices a meter.</summary>
    public bool Prices(Meter meter)
    {
        foreach (MeterPattern pattern in Meters)
        {
            if (pattern.Matches(meter))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Pico times the rate's divisor for a quantity of 0 to <see cref="MostCounted"/> steps.</summary>
    public Int128 NumeratorOf(Int128 quantity)
    {
        if (Kind == CurveKind.Package)
        {
            return (quantity + Steps[0].Size - 1) / Steps[0].Size * Steps[0].Price;
        }

        Int128 sum = 0;
        long from = 0;
        foreach (ref readonly RateStep step in Steps.AsSpan())
        {
            bool isLast = step.UpTo == 0 || quantity <= step.UpTo;
            if (Kind == CurveKind.Volume && isLast)
            {
                return quantity * step.Price;
            }

            Int128 part = (isLast ? quantity : step.UpTo) - from;
            sum += part * step.Price;
            from = step.UpTo;
            if (isLast)
            {
                break;
            }
        }

        return sum;
    }

    /// <summary>The same function with the smallest divisor.</summary>
    internal (RateCurve Curve, long Divisor) InLowestTerms(long divisor)
    {
        BigInteger common = divisor;
        foreach (RateStep step in Steps)
        {
            common = BigInteger.GreatestCommonDivisor(common, step.Price);
        }

        if (common.IsOne)
        {
            return (this, divisor);
        }

        var by = (long)common;
        return (this with { Steps = [.. Steps.Select(s => s with { Price = s.Price / by })] }, divisor / by);
    }

    /// <summary>The period that a moment is in.</summary>
    public Period PeriodOf(Timestamp moment)
    {
        if (_last is not { } last || !last.Period.Contains(moment))
        {
            _last = last = new PeriodCache(FindPeriod(Per, DateTimeZoneProviders.Tzdb[Zone], moment));
        }

        return last.Period;
    }

    /// <summary>The day, month, quarter or year in a zone that a moment is in; all time for a call.</summary>
    internal static Period FindPeriod(CurvePeriod per, DateTimeZone zone, Timestamp moment)
    {
        LocalDate day = moment.ToInstant().InZone(zone).Date;
        var month = new LocalDate(day.Year, day.Month, 1);
        (LocalDate first, LocalDate next) = per switch
        {
            CurvePeriod.Day => (day, day.PlusDays(1)),
            CurvePeriod.Month => (month, month.PlusMonths(1)),
            CurvePeriod.Quarter => Quarter(day),
            _ => (new LocalDate(day.Year, 1, 1), new LocalDate(day.Year + 1, 1, 1)),
        };
        return per == CurvePeriod.Call ? Period.Always : new Period(Start(first, zone), Start(next, zone));
    }

    private static (LocalDate First, LocalDate Next) Quarter(LocalDate day)
    {
        var first = new LocalDate(day.Year, ((day.Month - 1) / 3 * 3) + 1, 1);
        return (first, first.PlusMonths(3));
    }

    private static Timestamp Start(LocalDate date, DateTimeZone zone)
    {
        Instant start = date.AtStartOfDayInZone(zone).ToInstant();
        return start <= Timestamp.MinValue.ToInstant() ? Timestamp.MinValue
            : start >= Timestamp.MaxValue.ToInstant() ? Timestamp.MaxValue
            : Timestamp.FromInstant(start);
    }
}
