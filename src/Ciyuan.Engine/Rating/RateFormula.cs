using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>A version of a book that stands between an agreement's book and the line that was found.</summary>
/// <param name="Book">The book.</param>
/// <param name="Version">Its version.</param>
public readonly record struct RateSource(string Book, int Version);

/// <summary>What a quantity is taken up to before it is priced.</summary>
/// <param name="Meter">Of this meter.</param>
/// <param name="Multiple">A multiple of so many steps; 1 or more.</param>
/// <param name="Least">At least so many steps, when there are any.</param>
public readonly record struct BillableQuantity(Meter Meter, long Multiple, long Least);

/// <summary>What a rate has beyond prices per step.</summary>
public sealed record RateFormula
{
    /// <summary>What all numbers of the rate are divided by: its prices, those of the curves, the minimum. 1 to
    /// <see cref="Rate.MaxDivisor"/>.</summary>
    public long Divisor { get; init; } = 1;

    /// <summary>The provider that the line of the book is for; empty for any.</summary>
    public string Provider { get; init; } = "";

    /// <summary>The books that the agreement's book refers to, the last with the line; empty when that has
    /// it.</summary>
    public RateSource[] On { get; init; } = [];

    /// <summary>How many of the rate's prices, from the first, go before the curves.</summary>
    public int RulePrices { get; init; }

    /// <summary>Prices that depend on how much is used.</summary>
    public RateCurve[] Curves { get; init; } = [];

    /// <summary>The smallest charge, times the divisor, in pico; 0 without one.</summary>
    public Int128 Minimum { get; init; }

    /// <summary>What quantities are taken up to.</summary>
    public BillableQuantity[] Billable { get; init; } = [];

    /// <summary>The curves that count over a period, by their place in <see cref="Curves"/>.</summary>
    public int[] Running => _running ??= [.. Enumerable.Range(0, Curves.Length).Where(i => Curves[i].IsRunning)];

    private int[]? _running;

    /// <summary>The curves with the smallest divisor that each can have: the same function always looks the
    /// same.</summary>
    internal (RateCurve Curve, long Divisor)[] InLowestTerms =>
        _inLowestTerms ??= Array.ConvertAll(Curves, c => c.InLowestTerms(Divisor));

    private (RateCurve Curve, long Divisor)[]? _inLowestTerms;

    /// <inheritdoc/>
    public bool Equals(RateFormula? other) => ReferenceEquals(this, other)
        || (other is not null && Divisor == other.Divisor && Provider == other.Provider
            && RulePrices == other.RulePrices && Minimum == other.Minimum && On.AsSpan().SequenceEqual(other.On)
            && Curves.AsSpan().SequenceEqual(other.Curves) && Billable.AsSpan().SequenceEqual(other.Billable));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Divisor, Provider, Minimum, Curves.Length);

    /// <summary>A quantity as it is billed; nothing stays nothing.</summary>
    public long BillableSteps(Meter meter, long steps)
    {
        foreach (ref readonly BillableQuantity b in Billable.AsSpan())
        {
            if (b.Meter == meter && steps > 0)
            {
                long least = Math.Max(steps, b.Least);
                return (least + b.Multiple - 1) / b.Multiple * b.Multiple;
            }
        }

        return steps;
    }

    /// <summary>Takes the sum of the flat prices' numerators to the amount: adds the curves, divides, and looks to the
    /// minimum.</summary>
    internal SuspenseReason Finish(
        Rate rate, ReadOnlySpan<Count> counts, ReadOnlySpan<Int128> before, ref Int128 sum)
    {
        Int128 running = 0;
        int next = 0;
        for (int i = 0; i < Curves.Length; i++)
        {
            Int128 from = Curves[i].IsRunning ? before[next++] : 0;
            Int128 to = from + rate.StepsOf(i, counts);
            if (to > RateCurve.MostCounted)
            {
                return SuspenseReason.Overflow;
            }

            if (!Curves[i].IsRunning)
            {
                sum += Curves[i].NumeratorOf(to);
            }
            else if (to != from)
            {
                // Rounded at both ends, so that the parts of a period add up to the whole to the last pico.
                running += Rounding.Divide(Curves[i].NumeratorOf(to), Divisor)
                    - Rounding.Divide(Curves[i].NumeratorOf(from), Divisor);
            }
        }

        sum = Rounding.Divide(sum, Divisor) + running;
        sum = Minimum == 0 ? sum : Int128.Max(sum, Rounding.Divide(Minimum, Divisor));
        return SuspenseReason.None;
    }
}
