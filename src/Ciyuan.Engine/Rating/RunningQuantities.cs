using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>Whose quantities are counted together: those that one curve of one line prices alike, under one agreement,
/// within one period.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Book">Its book.</param>
/// <param name="Version">The version in force.</param>
/// <param name="Model">The line's model or pattern.</param>
/// <param name="Provider">The line's provider.</param>
/// <param name="Divisor">What the curve's prices are divided by, in lowest terms.</param>
/// <param name="Curve">The curve, factors multiplied in: what is priced by another factor is counted apart, since
/// otherwise a sum would depend on the order of its calls.</param>
/// <param name="Start">Start of the period.</param>
public sealed record RunningKey(
    string Agreement, string Book, int Version, string Model, string Provider, long Divisor, RateCurve Curve,
    Timestamp Start);

/// <summary>How much curves over a period have counted: a part of the engine's state.</summary>
public sealed class RunningQuantities
{
    private readonly Dictionary<RunningKey, Int128> _steps = [];

    /// <summary>All that is above zero.</summary>
    public IEnumerable<KeyValuePair<RunningKey, Int128>> All => _steps;

    /// <summary>What each of the rate's running curves has counted in the periods of a moment.</summary>
    internal static Int128[] Before(RunningQuantities? running, Rate rate, Timestamp moment) =>
    [
        .. rate.Formula!.Running.Select(curve =>
            running?._steps.GetValueOrDefault(KeyOf(rate, curve, moment)) ?? default),
    ];

    /// <summary>Counts what a charge was made for; <paramref name="sign"/> −1 takes it back.</summary>
    internal void Add(Rate rate, Timestamp moment, Count[] counts, Count[]? covered, int sign)
    {
        if (rate.Formula is not { Running.Length: > 0 } formula)
        {
            return;
        }

        Count[] rest = covered is null ? counts : Rate.Rest(counts, covered);
        foreach (int curve in formula.Running)
        {
            Int128 steps = rate.StepsOf(curve, rest);
            if (steps != 0)
            {
                Set(KeyOf(rate, curve, moment), steps, sign);
            }
        }
    }

    /// <summary>Puts back a quantity of a stored state.</summary>
    internal void Restore(RunningKey key, Int128 steps) => _steps.Add(key, steps);

    private void Set(RunningKey key, Int128 steps, int sign)
    {
        Int128 next = _steps.GetValueOrDefault(key) + (sign * steps);
        if (next < 0)
        {
            throw new InvalidOperationException($"Curve '{key.Curve.Name}' of {key.Agreement} has counted below zero.");
        }

        if (next == 0)
        {
            _steps.Remove(key);
        }
        else
        {
            _steps[key] = next;
        }
    }

    private static RunningKey KeyOf(Rate rate, int curve, Timestamp moment)
    {
        RateFormula formula = rate.Formula!;
        (RateCurve of, long divisor) = formula.InLowestTerms[curve];
        return new RunningKey(
            rate.Agreement, rate.Book, rate.Version, rate.Model, formula.Provider, divisor, of,
            of.PeriodOf(moment).Start);
    }
}
