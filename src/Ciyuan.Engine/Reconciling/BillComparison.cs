using Ciyuan.Quantities;
using DateTimeZone = NodaTime.DateTimeZone;

namespace Ciyuan.Reconciling;

/// <summary>A comparison would be larger than a named limit; the message says what to do.</summary>
public sealed class BillTooLargeException(string message) : Exception(message);

/// <summary>What is compared.</summary>
/// <param name="Agreement">Our agreement.</param>
/// <param name="Period">The period that the bill is for.</param>
/// <param name="Zone">The zone in which the bill's days and months are meant.</param>
/// <param name="Tolerance">How the bill is rounded.</param>
public sealed record BillQuestion(string Agreement, Period Period, DateTimeZone Zone, BillTolerance Tolerance);

/// <summary>
/// What came of it. <see cref="AmountThere"/> − <see cref="AmountHere"/> is the sum of the differences, to the last
/// digit.
/// </summary>
public sealed record BillComparison
{
    /// <summary>The question.</summary>
    public required BillQuestion Question { get; init; }

    /// <summary>True when calls were matched by id, false when by day and model.</summary>
    public required bool IsById { get; init; }

    /// <summary>Calls, or days × models, that are on both sides.</summary>
    public required long Matched { get; init; }

    /// <summary>Lines of the bill.</summary>
    public required long LinesThere { get; init; }

    /// <summary>Our charges.</summary>
    public required Amount AmountHere { get; init; }

    /// <summary>Their lines; of a usage export, valued at our prices.</summary>
    public required Amount AmountThere { get; init; }

    /// <summary>How far their clock is ahead of the zone that was said, in minutes; 0 when it is not.</summary>
    public required int ShiftMinutes { get; init; }

    /// <summary>The differences.</summary>
    public required DifferenceList Differences { get; init; }

    /// <summary>Checks the sum.</summary>
    /// <exception cref="InvalidOperationException">The differences do not add up: a broken invariant.</exception>
    internal BillComparison Checked() => Differences.Delta == AmountThere - AmountHere ? this
        : throw new InvalidOperationException(
            $"The differences add up to {Differences.Delta}, the sides differ by {AmountThere - AmountHere}.");
}
