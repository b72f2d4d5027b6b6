using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>How a charge's amount is made. Numbers are stored: never change or reuse one.</summary>
public enum RateMethod : byte
{
    /// <summary>Price per class from a price book.</summary>
    Prices = 0,

    /// <summary>A fixed amount for each call.</summary>
    PerCall = 1,

    /// <summary>A share of another charge of the same record.</summary>
    Share = 2,

    /// <summary>Not rated: the quantities wait in a suspense account until there is a price.</summary>
    Suspense = 3,
}

/// <summary>Whose side of the platform a charge is on. Numbers are stored: never change or reuse one.</summary>
public enum Side : byte
{
    /// <summary>Owed to the platform: its income.</summary>
    Income = 0,

    /// <summary>Owed by the platform: its cost.</summary>
    Cost = 1,

    /// <summary>Between two other parties.</summary>
    Between = 2,
}

/// <summary>Why a charge is in suspense. Numbers are stored: never change or reuse one.</summary>
public enum SuspenseReason : byte
{
    /// <summary>Not in suspense.</summary>
    None = 0,

    /// <summary>No agreement in which the record's consumer pays covers the record.</summary>
    NoAgreement = 1,

    /// <summary>The agreement's book has no version in force at the event time.</summary>
    NoBookVersion = 2,

    /// <summary>The book has no price for the model.</summary>
    NoModelPrice = 3,

    /// <summary>The book prices the model, but not every class or unit that was counted.</summary>
    NoClassPrice = 4,

    /// <summary>The charge that this one is a share of is itself in suspense, or there is none.</summary>
    NoBase = 5,

    /// <summary>The provider named in the record has no agreement that covers it.</summary>
    NoProviderAgreement = 6,

    /// <summary>The amount is beyond what an amount can hold.</summary>
    Overflow = 7,
}

/// <summary>The price of one step (<see cref="Meter.StepsPerUnit"/>) of a meter.</summary>
/// <param name="Meter">What is priced.</param>
/// <param name="PerStep">0 or more; in the currency of the book.</param>
public readonly record struct MeterPrice(Meter Meter, Amount PerStep);

/// <summary>
/// How one agreement rates one kind of record: the prices that were found, and where they come from. A charge cites its
/// rate, so that anyone can recompute the amount: Σ steps × price per step.
/// </summary>
public sealed record Rate
{
    /// <summary>The agreement; empty when no agreement was found.</summary>
    public required string Agreement { get; init; }

    /// <summary>How the amount is made.</summary>
    public required RateMethod Method { get; init; }

    /// <summary>Income, cost or between others.</summary>
    public required Side Side { get; init; }

    /// <summary>Who pays; may be empty in suspense.</summary>
    public required string Payer { get; init; }

    /// <summary>Who is paid; may be empty in suspense.</summary>
    public required string Payee { get; init; }

    /// <summary>Currency of the amount; none in suspense without an agreement.</summary>
    public required Currency Currency { get; init; }

    /// <summary>Price book, where prices were looked up.</summary>
    public string Book { get; init; } = "";

    /// <summary>Version of the book; 0 without one.</summary>
    public int Version { get; init; }

    /// <summary>The model name or pattern of the book that matched.</summary>
    public string Model { get; init; } = "";

    /// <summary>Prices by meter, sorted by meter; for <see cref="RateMethod.Prices"/>.</summary>
    public MeterPrice[] Prices { get; init; } = [];

    /// <summary>The fixed amount; for <see cref="RateMethod.PerCall"/>.</summary>
    public Amount PerCall { get; init; }

    /// <summary>The agreement whose charge is shared; for <see cref="RateMethod.Share"/>.</summary>
    public string ShareOf { get; init; } = "";

    /// <summary>The share in millionths; for <see cref="RateMethod.Share"/>.</summary>
    public int SharePpm { get; init; }

    /// <summary>Why it is in suspense; for <see cref="RateMethod.Suspense"/>.</summary>
    public SuspenseReason Reason { get; init; }

    /// <summary>Price of one step of a meter; false when there is none.</summary>
    public bool TryGetPrice(Meter meter, out Amount perStep)
    {
        foreach (MeterPrice price in Prices)
        {
            if (price.Meter == meter)
            {
                perStep = price.PerStep;
                return true;
            }
        }

        perStep = default;
        return false;
    }
}
