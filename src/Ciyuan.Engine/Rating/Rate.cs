using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>
/// How one agreement rates one kind of record: the prices that were found, and where they come from. A charge cites its
/// rate, so that anyone can recompute the amount (<c>AmountOf</c>): Σ steps × price per step, and what a
/// <see cref="RateFormula"/> adds to that.
/// </summary>
public sealed partial record Rate
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

    /// <summary>Prices, of which the first that matches a meter is its own; for <see cref="RateMethod.Prices"/> and
    /// <see cref="RateMethod.Formula"/>.</summary>
    public MeterPrice[] Prices { get; init; } = [];

    /// <summary>What there is beyond prices; for <see cref="RateMethod.Formula"/>, else null.</summary>
    public RateFormula? Formula { get; init; }

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
        (SharePpm, Reason, Formula) = (other.SharePpm, other.Reason, other.Formula);
    }

    /// <inheritdoc/>
    public bool Equals(Rate? other) =>
        ReferenceEquals(this, other)
        || (other is not null && Agreement == other.Agreement && Method == other.Method && Side == other.Side
            && Payer == other.Payer && Payee == other.Payee && Currency == other.Currency && Book == other.Book
            && Version == other.Version && Model == other.Model && PerCall == other.PerCall && ShareOf == other.ShareOf
            && SharePpm == other.SharePpm && Reason == other.Reason && Prices.AsSpan().SequenceEqual(other.Prices)
            && Equals(Formula, other.Formula));

    /// <inheritdoc/>
    public override int GetHashCode() => _hash != 0 ? _hash : _hash = ComputeHash() | 1;

    /// <summary>Price of one step of a meter, where it is a whole number of pico and holds whatever else is counted;
    /// false when there is none. Sums of such prices need no charge to be looked at.</summary>
    public bool TryGetPrice(Meter meter, out Amount perStep)
    {
        int at = Method is RateMethod.Prices or RateMethod.Formula ? _table?[meter.Value] ?? PlaceOf(meter) : 0;
        Int128 price = at > 0 ? Prices[at - 1].PerStep.Pico : 0;
        long divisor = Formula?.Divisor ?? 1;
        bool known = at > 0 && (divisor == 1 || price % divisor == 0);
        perStep = known ? new Amount(divisor == 1 ? price : price / divisor) : default;
        return known;
    }

    private int ComputeHash()
    {
        var hash = new HashCode();
        hash.Add(HashCode.Combine(Agreement, Method, Side, Payer, Payee, Version, Model, Reason));
        foreach (MeterPrice price in Prices)
        {
            hash.Add(price);
        }

        return hash.ToHashCode();
    }
}
