using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>A price as it is written: exact, in pico for one step of the meters.</summary>
/// <param name="Meters">What is priced.</param>
/// <param name="PicoPerStep">0 or more.</param>
internal readonly record struct WrittenPrice(MeterPattern Meters, Fraction PicoPerStep);

/// <summary>A rule, read and checked.</summary>
/// <param name="Name">Its name.</param>
/// <param name="When">When it holds.</param>
/// <param name="Prices">Prices, the narrowest pattern first.</param>
internal sealed record PriceRule(string Name, Condition When, WrittenPrice[] Prices);

/// <summary>A factor, read and checked.</summary>
/// <param name="Name">Its name.</param>
/// <param name="When">When it holds.</param>
/// <param name="Factor">0 or more.</param>
/// <param name="Meters">Whose prices; null for all.</param>
internal sealed record PriceFactor(string Name, Condition When, Fraction Factor, MeterPattern[]? Meters)
{
    internal bool Names(MeterPattern pattern) =>
        Meters is null || Array.Exists(Meters, m => m.Contains(pattern));
}

/// <summary>A step of a curve as it is written.</summary>
/// <param name="UpTo">Last meter step; 0: without end.</param>
/// <param name="PicoPerStep">Pico for a meter step, or for a package.</param>
/// <param name="Size">Meter steps in a package.</param>
internal readonly record struct WrittenStep(long UpTo, Fraction PicoPerStep, long Size);

/// <summary>A curve, read and checked.</summary>
internal sealed record PriceCurve(
    string Name, MeterPattern[] Meters, CurveKind Kind, CurvePeriod Per, WrittenStep[] Steps);

/// <summary>One line of a price book version: the prices of one model or pattern. Read and checked; it knows no moment
/// and no record.</summary>
public sealed class PriceLine
{
    /// <summary>Most rules and factors of a line together: their truth fits one word.</summary>
    public const int MaxConditions = 64;

    internal PriceLine(PriceSetup setup, WrittenPrice[] prices)
    {
        Setup = setup;
        Prices = prices;
    }

    /// <summary>As it was written.</summary>
    public PriceSetup Setup { get; }

    /// <summary>The model name or pattern by which the line is known.</summary>
    public string Model => Setup.Model;

    /// <summary>The only provider whose records it prices; empty for any.</summary>
    public string Provider => Setup.Provider ?? "";

    internal WrittenPrice[] Prices { get; }

    internal PriceRule[] Rules { get; init; } = [];

    internal PriceFactor[] Factors { get; init; } = [];

    /// <summary>Whether a condition asks for the local date or clock time.</summary>
    internal bool AsksClock { get; init; }

    /// <summary>Whether a condition asks how many tokens there are.</summary>
    internal bool AsksLengths { get; init; }

    internal PriceCurve[] Curves { get; init; } = [];

    /// <summary>In pico; null without one.</summary>
    internal Fraction? Minimum { get; init; }

    internal BillableQuantity[] Billable { get; init; } = [];

    /// <summary>Rules and factors.</summary>
    internal int Conditions => Rules.Length + Factors.Length;

    internal Condition ConditionAt(int i) => i < Rules.Length ? Rules[i].When : Factors[i - Rules.Length].When;

    /// <summary>Whether a rate of this line needs nothing but prices.</summary>
    internal bool IsPlain => Curves.Length == 0 && Minimum is null && Billable.Length == 0;
}
