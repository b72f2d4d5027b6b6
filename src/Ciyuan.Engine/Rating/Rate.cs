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

    /// <summary>The charge that this one is a share of is itself in suspense.</summary>
    NoBase = 5,

    /// <summary>The provider named in the record has no agreement that covers it.</summary>
    NoProviderAgreement = 6,

    /// <summary>The amount is beyond the largest that a charge may have (<see cref="Amount.Most"/>).</summary>
    Overflow = 7,

    /// <summary>The agreements that share one amount ask for more than all of it.</summary>
    SharesExceedBase = 8,

    /// <summary>A rule asks for the kind of a day in a year that its calendar does not cover.</summary>
    CalendarUnknown = 9,

    /// <summary>There is no exchange rate at or before the moment.</summary>
    ExchangeUnknown = 10,

    /// <summary>The price, with its factors and exchange rates, is a fraction too fine to be kept exactly
    /// (<see cref="Rate.MaxDivisor"/>).</summary>
    PriceTooFine = 11,
}

/// <summary>
/// The meters that one line of a price book prices: a unit such as <c>image</c>, one token class, or all classes below
/// a front part of the name (<c>input.text</c>, <c>output</c>).
/// </summary>
/// <remarks>Number, frozen: that of <see cref="Meter"/>; for a front part, modality 7 and kind 15 stand for
/// any.</remarks>
public readonly record struct MeterPattern(ushort Value)
{
    private const int AnyKind = 15;
    private const int AnyModality = 7;

    /// <summary>How narrow it is: 2 for a unit or a whole class name, 1 for direction and modality, 0 for a
    /// direction.</summary>
    public int Specificity => Value >= 256 || (Value & 15) != AnyKind ? 2 : ((Value >> 4) & 7) != AnyModality ? 1 : 0;

    /// <summary>Whether a meter is priced by it.</summary>
    public bool Matches(Meter meter) => Specificity switch
    {
        2 => meter.Value == Value,
        1 => meter.Value < 256 && meter.Value >> 4 == Value >> 4,
        _ => meter.Value < 256 && meter.Value >> 7 == Value >> 7,
    };

    /// <summary>Reads a name: three, two or one part of a class name, or a unit.</summary>
    public static bool TryParse(string name, out MeterPattern pattern)
    {
        string[] parts = name.Split('.');
        bool direction = parts[0] is "input" or "output";
        int modality = parts.Length == 2 ? TokenClass.Modalities.IndexOf(parts[1]) : AnyModality;
        if (direction && parts.Length < 3 && modality >= 0)
        {
            pattern = new MeterPattern((ushort)((parts[0] == "output" ? 128 : 0) | (modality << 4) | AnyKind));
            return true;
        }

        bool exact = Meter.TryParse(name, out Meter meter);
        pattern = new MeterPattern(meter.Value);
        return exact;
    }

    /// <summary>The name.</summary>
    public override string ToString()
    {
        string direction = (Value & 128) == 0 ? "input" : "output";
        return Specificity switch
        {
            2 => Meter.TryFromValue(Value, out Meter meter) ? meter.ToString() : $"meter {Value}",
            1 => $"{direction}.{TokenClass.Modalities[(Value >> 4) & 7]}",
            _ => direction,
        };
    }
}

/// <summary>The price of one step (<see cref="Meter.StepsPerUnit"/>) of some meters.</summary>
/// <param name="Meters">What is priced.</param>
/// <param name="PerStep">0 or more; in the currency of the book.</param>
public readonly record struct MeterPrice(MeterPattern Meters, Amount PerStep);

/// <summary>
/// How one agreement rates one kind of record: the prices that were found, and where they come from. A charge cites its
/// rate, so that anyone can recompute the amount: Σ steps × price per step.
/// </summary>
public sealed record Rate
{
    /// <summary>Largest divisor of a rate's prices: 10¹⁵. Prices are then as fine as 10⁻²⁷ of a unit a step.</summary>
    public const long MaxDivisor = 1_000_000_000_000_000;

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

    /// <summary>Prices, the narrowest pattern first; for <see cref="RateMethod.Prices"/>.</summary>
    public MeterPrice[] Prices { get; init; } = [];

    /// <summary>The fixed amount; for <see cref="RateMethod.PerCall"/>.</summary>
    public Amount PerCall { get; init; }

    /// <summary>The agreement whose charge is shared; for <see cref="RateMethod.Share"/>.</summary>
    public string ShareOf { get; init; } = "";

    /// <summary>The share in millionths; for <see cref="RateMethod.Share"/>.</summary>
    public int SharePpm { get; init; }

    /// <summary>Why it is in suspense; for <see cref="RateMethod.Suspense"/>.</summary>
    public SuspenseReason Reason { get; init; }

    private int _hash;

    /// <summary>A rate with nothing in it yet.</summary>
    public Rate()
    {
    }

    // What `with` starts from: everything but the hash, which is that of other content.
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    private Rate(Rate other)
    {
        (Agreement, Method, Side, Payer, Payee) = (other.Agreement, other.Method, other.Side, other.Payer, other.Payee);
        (Currency, Book, Version, Model) = (other.Currency, other.Book, other.Version, other.Model);
        (Prices, PerCall, ShareOf) = (other.Prices, other.PerCall, other.ShareOf);
        (SharePpm, Reason) = (other.SharePpm, other.Reason);
    }

    /// <inheritdoc/>
    public bool Equals(Rate? other) =>
        ReferenceEquals(this, other)
        || (other is not null && Agreement == other.Agreement && Method == other.Method && Side == other.Side
            && Payer == other.Payer && Payee == other.Payee && Currency == other.Currency && Book == other.Book
            && Version == other.Version && Model == other.Model && PerCall == other.PerCall && ShareOf == other.ShareOf
            && SharePpm == other.SharePpm && Reason == other.Reason && Prices.AsSpan().SequenceEqual(other.Prices));

    /// <inheritdoc/>
    public override int GetHashCode() =>
        _hash != 0
            ? _hash
            : _hash = HashCode.Combine(Agreement, Method, Side, Payer, Payee, Version, Model, Reason) | 1;

    /// <summary>Price of one step of a meter, by the narrowest pattern that matches; false when there is
    /// none.</summary>
    public bool TryGetPrice(Meter meter, out Amount perStep)
    {
        foreach (MeterPrice price in Prices)
        {
            if (price.Meters.Matches(meter))
            {
                perStep = price.PerStep;
                return true;
            }
        }

        perStep = default;
        return false;
    }
}
