using System.Globalization;
using Ciyuan.Quantities;
using Ciyuan.Rating;

namespace Ciyuan.Settlement;

/// <summary>The curves of a rate in a few words, for a statement's line: which steps there are, and at which
/// prices.</summary>
internal static class TierText
{
    /// <summary>The curves of a rate; empty when it has none.</summary>
    public static string Of(Rate rate) => rate.Formula is not { Curves.Length: > 0 } formula
        ? ""
        : string.Join("; ", formula.Curves.Select(curve => Of(curve, formula.Divisor)));

    private static string Of(RateCurve curve, long divisor)
    {
        bool tokens = curve.Meters[0].Value < 256;
        IEnumerable<string> steps = curve.Steps.Select(step =>
        {
            long of = step.Size > 0 ? 1 : tokens ? 1_000_000 : 1;
            var price = new Amount(Rounding.Divide(step.Price * of, divisor));
            string unit = step.Size > 0 ? Plain(step.Size) : tokens ? "1M" : "1";
            return $"{(step.UpTo == 0 ? "∞" : "≤" + Plain(step.UpTo))}: {price}/{unit}";
        });
        return $"{curve.Name} {curve.Kind.ToString().ToLowerInvariant()}/{curve.Per.ToString().ToLowerInvariant()} "
            + string.Join(", ", steps);
    }

    private static string Plain(long value) => value.ToString(CultureInfo.InvariantCulture);
}
