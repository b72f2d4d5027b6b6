using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Usage;
using DateTimeZone = NodaTime.DateTimeZone;

namespace Ciyuan.Statistics;

/// <summary>Asks what was charged, line by line: what a statement asks of one agreement, of many at a time, and cut by
/// time and by who and what.</summary>
public sealed record ChargeQuery
{
    /// <summary>Event times that count.</summary>
    public Period Period { get; init; } = Period.Always;

    /// <summary>Zone of the time buckets.</summary>
    public DateTimeZone Zone { get; init; } = DateTimeZone.Utc;

    /// <summary>How time is cut.</summary>
    public Bucket Bucket { get; init; }

    /// <summary>Agreements whose charges count; null: all.</summary>
    public IReadOnlySet<string>? Agreements { get; init; }

    /// <summary>What lines are kept apart by, of the record: party to source. The model is the one that answered, else
    /// the one asked for.</summary>
    public IReadOnlySet<Dimension> Keep { get; init; } = new HashSet<Dimension>();
}

/// <summary>The terms that a line was charged by.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Side">Income, cost or between others.</param>
/// <param name="Payer">Who pays.</param>
/// <param name="Payee">Who is paid.</param>
/// <param name="Currency">Currency of the amount.</param>
/// <param name="Book">Price book; empty without one.</param>
/// <param name="Version">Version of the book; 0 without one.</param>
/// <param name="ShareOf">For shares: the agreement whose charges are shared; else empty.</param>
/// <param name="SharePpm">For shares: the share in millionths.</param>
public readonly record struct ChargeTerms(
    string Agreement, Side Side, string Payer, string Payee, Currency Currency, string Book, int Version,
    string ShareOf, int SharePpm);

/// <summary>Charges that share all that tells lines apart.</summary>
public sealed record ChargeLine
{
    /// <summary>First moment of its time bucket.</summary>
    public required Timestamp Start { get; init; }

    /// <summary>First moment after it.</summary>
    public required Timestamp End { get; init; }

    /// <summary>Who and what, with the parts that the query keeps; the others are empty.</summary>
    public required UsageContext Context { get; init; }

    /// <summary>What it was charged by.</summary>
    public required ChargeTerms Terms { get; init; }

    /// <summary>What it is for. Corrections of a record stand at the record's event time.</summary>
    public required StatementLineKind Kind { get; init; }

    /// <summary>What was counted; null for amounts that no single meter explains.</summary>
    public Meter? Meter { get; init; }

    /// <summary>Price of one step, or of one call; null where the amount depends on more than that. Then the steps
    /// stand here, and their amount in the line of the same terms without a meter.</summary>
    public Amount? UnitPrice { get; init; }

    /// <summary>Steps, token packs included; below zero for what is taken back.</summary>
    public Int128 Steps { get; init; }

    /// <summary>Steps of these that token packs paid for.</summary>
    public Int128 CoveredSteps { get; init; }

    /// <summary>Calls, for amounts per call; charges, for amounts as they are.</summary>
    public long Calls { get; init; }

    /// <summary>Exact amount; with a unit price (<see cref="Steps"/> − <see cref="CoveredSteps"/>) × that, or calls ×
    /// that.</summary>
    public Amount Amount { get; init; }
}

/// <summary>The answer to a <see cref="ChargeQuery"/>.</summary>
public sealed record ChargeSheet
{
    /// <summary>Most lines.</summary>
    public const int MaxLines = 1_000_000;

    /// <summary>The question.</summary>
    public required ChargeQuery Query { get; init; }

    /// <summary>The lines, by time, then terms, then who and what; they add up to the charges to the last
    /// digit.</summary>
    public required IReadOnlyList<ChargeLine> Lines { get; init; }

    /// <summary>Charges that wait for a price: not in the lines.</summary>
    public required long SuspenseCharges { get; init; }

    /// <summary>Last frame of the journal that is included; 0 when there is none.</summary>
    public required long DataToSeq { get; init; }

    /// <summary>Time of recording of that frame.</summary>
    public required Timestamp DataToTime { get; init; }
}
