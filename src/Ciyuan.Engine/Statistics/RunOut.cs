namespace Ciyuan.Statistics;

/// <summary>
/// When something that is used up day by day runs out. The rule: the n days before are a sample of the days to come,
/// each independent of the others. With mean m and standard deviation s of a day (n − 1 in the divisor), what d days
/// use is d·m, give or take 1.645·s·√(d + d²/n) in nine cases of ten: the days themselves vary, and so does a mean of n
/// days. It runs out when that reaches what is left. An estimate, in floating point: no money is made of it.
/// </summary>
/// <param name="MeanPerDay">m.</param>
/// <param name="SpreadPerDay">s; 0 with fewer than two days.</param>
/// <param name="Days">Days until it runs out; null when nothing is used.</param>
/// <param name="Earliest">The same if more is used: one case in twenty is earlier.</param>
/// <param name="Latest">The same if less is used: one case in twenty is later; null when the days differ so much that
/// there is no such day.</param>
public sealed record RunOut(double MeanPerDay, double SpreadPerDay, double? Days, double? Earliest, double? Latest)
{
    /// <summary>Where 5 % of a normal distribution lie beyond.</summary>
    public const double Quantile = 1.6449;

    /// <summary>Estimates.</summary>
    /// <param name="left">What is left; not below 0.</param>
    /// <param name="days">What each of the last days used, days without use included.</param>
    public static RunOut Estimate(double left, IReadOnlyList<double> days)
    {
        double mean = days.Count == 0 ? 0 : days.Sum() / days.Count;
        double spread = days.Count < 2 ? 0 : Math.Sqrt(days.Sum(d => (d - mean) * (d - mean)) / (days.Count - 1));
        if (mean <= 0)
        {
            return new RunOut(mean, spread, null, null, null);
        }

        // Both ends solve (left − d·m)² = k·(d + d²/n), which is quadratic in d.
        double most = Math.Max(left, 0);
        double k = Quantile * Quantile * spread * spread;
        double middle = (2 * most * mean) + k;
        double root = Math.Sqrt((k * k) + (4 * most * mean * k) + (4 * most * most * k / days.Count));
        double? latest = mean * mean > k / days.Count && middle > root ? 2 * most * most / (middle - root) : null;
        return new RunOut(
            mean, spread, most / mean, middle > 0 ? 2 * most * most / (middle + root) : 0, most > 0 ? latest : 0);
    }
}
