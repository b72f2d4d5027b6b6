using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>Reads and checks the curves of a line.</summary>
internal static class ReadCurves
{
    private const int MaxCurves = 16;
    private const int MaxSteps = 64;

    internal static PriceCurve[] Read(IReadOnlyList<CurveSetup> setups, string what, List<string> faults)
    {
        if (setups.Count > MaxCurves || setups.Select(c => c.Name).Distinct().Count() != setups.Count)
        {
            faults.Add($"{what}: has at most {MaxCurves} curves, each with a name of its own");
        }

        PriceCurve[] curves = [.. setups.Select(c => Read(c, $"{what}, curve '{c.Name}'", faults))];
        for (int i = 0; i < curves.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (curves[i].Meters.Any(m => curves[j].Meters.Any(n => m.Intersect(n) is not null)))
                {
                    faults.Add($"{what}: curves '{curves[j].Name}' and '{curves[i].Name}' price the same meter");
                }
            }
        }

        return curves;
    }

    /// <summary>A factor must be for all of a curve's meters or for none: counted together, they have one
    /// price.</summary>
    internal static void CheckFactors(PriceCurve[] curves, PriceFactor[] factors, string what, List<string> faults)
    {
        foreach (PriceCurve curve in curves)
        {
            foreach (PriceFactor factor in factors)
            {
                int named = curve.Meters.Count(factor.Names);
                bool inside = factor.Meters is { } meters
                    && meters.Any(m => curve.Meters.Any(c => c.Intersect(m) is not null && !m.Contains(c)));
                if (inside || (named > 0 && named < curve.Meters.Length))
                {
                    faults.Add($"{what}: factor '{factor.Name}' is for some meters of curve '{curve.Name}' and not for "
                        + "others; make it a curve for each");
                }
            }
        }
    }

    private static PriceCurve Read(CurveSetup setup, string what, List<string> faults)
    {
        MeterPattern[] meters = ReadLine.ReadMeters(setup.Meters, what, faults);
        bool tokens = meters.All(m => m.Value < 256);
        if (!tokens && meters.Length > 1)
        {
            faults.Add($"{what}: meters are counted together, so they must all be token classes, or one unit");
        }

        if (!TryName(setup.Kind, out CurveKind kind) || !TryName(setup.Per, out CurvePeriod per)
            || setup.Name.Length is 0 or > 64)
        {
            faults.Add($"{what}: needs a name of 1 to 64 characters, a kind ({Names<CurveKind>()}) and per "
                + $"({Names<CurvePeriod>()})");
            return new PriceCurve(setup.Name, meters, default, default, []);
        }

        long perUnit = !tokens && meters.Length == 1 && Meter.TryFromValue(meters[0].Value, out Meter meter)
            ? meter.StepsPerUnit
            : 1;
        if (setup.Steps.Count is 0 or > MaxSteps)
        {
            faults.Add($"{what}: needs 1 to {MaxSteps} steps");
        }

        long priced = kind == CurveKind.Package ? 1 : tokens ? 1_000_000 : perUnit;
        return new PriceCurve(setup.Name, meters, kind, per, ReadSteps(setup, kind, perUnit, priced, what, faults));
    }

    private static WrittenStep[] ReadSteps(
        CurveSetup setup, CurveKind kind, long perUnit, long priced, string what, List<string> faults)
    {
        var steps = new List<WrittenStep>();
        foreach (StepSetup step in setup.Steps)
        {
            if (Math.Max(step.UpTo, step.Size) > RateCurve.MostCounted / perUnit)
            {
                faults.Add($"{what}: up_to and size are at most {RateCurve.MostCounted / perUnit}");
                continue;
            }

            CheckStep(setup, step, steps.Count, kind, what, faults);

            Fraction price = ReadLine.ReadPrice(step.Price, priced, what, $"step {steps.Count + 1}", faults);
            if (price.Numerator > (System.Numerics.BigInteger)RateCurve.MostPrice * price.Denominator)
            {
                faults.Add($"{what}: price '{step.Price}' is more than a curve can hold");
            }

            steps.Add(new WrittenStep(step.UpTo * perUnit, price, step.Size * perUnit));
        }

        return [.. steps];
    }

    private static void CheckStep(
        CurveSetup setup, StepSetup step, int at, CurveKind kind, string what, List<string> faults)
    {
        bool isLast = at == setup.Steps.Count - 1;
        long before = at == 0 ? 0 : setup.Steps[at - 1].UpTo;
        bool package = kind == CurveKind.Package;
        if ((package ? step.Size < 1 || step.UpTo != 0 || setup.Steps.Count > 1 : step.Size != 0)
            || (!package && (isLast ? step.UpTo != 0 : step.UpTo <= before)))
        {
            faults.Add(package
                ? $"{what}: packages have one step, with a size and no up_to"
                : $"{what}, step {at + 1}: each step but the last needs an up_to above that of the one before; the "
                    + "last has none, so that every quantity has a price");
        }
    }

    private static bool TryName<T>(string text, out T value)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(n => n.ToLowerInvariant())];
        int at = Array.IndexOf(names, text);
        value = at < 0 ? default : Enum.GetValues<T>()[at];
        return at >= 0;
    }

    private static string Names<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>().Select(n => n.ToLowerInvariant()));
}
