using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>What a row of a segment is. Numbers are stored in the projection.</summary>
public enum FactKind : byte
{
    /// <summary>A posted record: one call, its counts, its charges.</summary>
    Record = 0,

    /// <summary>Corrected charges of a record whose counts the correction does not tell: no call, no counts, signed
    /// amounts.</summary>
    Correction = 1,

    /// <summary>An event kept aside: it counts as nothing but that.</summary>
    Conflict = 2,

    /// <summary>Corrected charges of a record with what it counted: amounts by class follow from it, of charges taken
    /// back with the opposite sign. The counts themselves count as nothing: they are the record's.</summary>
    CountedCorrection = 3,
}

/// <summary>One amount of a row: a charge's, or for a charge in suspense what waits of one counted unit.</summary>
/// <param name="Rate">Place of the rate in <see cref="FactHeader.Rates"/>.</param>
/// <param name="Unit">Currency, or counted unit, of the amount.</param>
/// <param name="TakenBack">True for a charge that a correction takes back.</param>
/// <param name="SuspenseCharges">+1 for a charge in suspense, -1 for one taken back; 0 in its further slots.</param>
/// <param name="Account">Place in <see cref="FactHeader.Accounts"/> of the account that paid all of it;
/// <see cref="NoAccount"/> where nothing was paid, or by several: then these are in columns.</param>
public readonly record struct FactSlot(int Rate, Currency Unit, bool TakenBack, int SuspenseCharges, int Account)
{
    /// <summary>Stands for no single account.</summary>
    public const int NoAccount = -1;
}

/// <summary>What an account paid towards charges under a rate.</summary>
/// <param name="Rate">Place of the rate in <see cref="FactHeader.Rates"/>.</param>
/// <param name="Account">Place of the account in <see cref="FactHeader.Accounts"/>.</param>
public readonly record struct FactDraw(int Rate, int Account);

/// <summary>What all rows with the same type share.</summary>
/// <param name="Context">Place of the context in <see cref="FactHeader.Contexts"/>.</param>
/// <param name="Kind">What the rows are.</param>
/// <param name="Outcome">How the calls ended; without meaning for corrections.</param>
/// <param name="Plan">Place of the list of slots in <see cref="FactHeader.Plans"/>.</param>
public readonly record struct FactType(int Context, FactKind Kind, Outcome Outcome, int Plan);

/// <summary>What a column holds. Numbers are stored in the projection.</summary>
public enum FactColumnKind : byte
{
    /// <summary>Event time in nanoseconds; the first column.</summary>
    Time = 0,

    /// <summary>Place in <see cref="FactHeader.Types"/>; the second column.</summary>
    Type = 1,

    /// <summary>Steps of a meter under a grade.</summary>
    Quantity = 2,

    /// <summary>What a slot's amount is beyond <see cref="FactHeader.Derive"/>: shares, corrections.</summary>
    Rest = 3,

    /// <summary>Steps of a meter that token packs paid for, of a slot; signed for corrections.</summary>
    Covered = 4,

    /// <summary>The frame that recorded the row; the third column.</summary>
    Frame = 5,

    /// <summary>What an account paid, where a charge was paid by several: of a place in
    /// <see cref="FactHeader.Draws"/>, which stands in <see cref="FactColumn.Slot"/>. Signed.</summary>
    Drawn = 6,

    /// <summary>How many steps of a meter are billed beyond those counted, of a slot of a record.</summary>
    BilledBeyond = 7,
}

/// <summary>A column.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Slot">The slot, for <see cref="FactColumnKind.Rest"/> and <see cref="FactColumnKind.Covered"/>.</param>
/// <param name="Meter">The meter, for quantities and <see cref="FactColumnKind.Covered"/>.</param>
/// <param name="Grade">The grade, likewise.</param>
/// <param name="Shape">How it is packed.</param>
/// <param name="Checksum">XxHash3 of its bytes.</param>
public readonly record struct FactColumn(
    FactColumnKind Kind, int Slot, Meter Meter, EvidenceGrade Grade, ColumnShape Shape, ulong Checksum);

/// <summary>
/// What a segment of facts is made of, beside the bytes of its columns. Rows that share context, outcome and rates have
/// one type, so everything but time and counts is looked up once for a segment, not once for a row.
/// </summary>
public sealed class FactHeader
{
    /// <summary>First frame that the segment covers.</summary>
    public required long FirstSeq { get; init; }

    /// <summary>Last frame that the segment covers.</summary>
    public required long LastSeq { get; init; }

    /// <summary>Time of recording of the last frame.</summary>
    public required Timestamp LastTime { get; init; }

    /// <summary>Rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows that are records.</summary>
    public required int Records { get; init; }

    /// <summary>Earliest event time; without rows the latest possible.</summary>
    public required Timestamp MinTime { get; init; }

    /// <summary>Latest event time; without rows the earliest possible.</summary>
    public required Timestamp MaxTime { get; init; }

    /// <summary>Contexts.</summary>
    public required IReadOnlyList<UsageContext> Contexts { get; init; }

    /// <summary>Rates.</summary>
    public required IReadOnlyList<Rate> Rates { get; init; }

    /// <summary>Exact sum of the charges by rate, taken from the frames: what the columns must add up to.</summary>
    public required IReadOnlyList<Amount> ChargeSums { get; init; }

    /// <summary>Lists of slots.</summary>
    public required IReadOnlyList<FactSlot[]> Plans { get; init; }

    /// <summary>Types.</summary>
    public required IReadOnlyList<FactType> Types { get; init; }

    /// <summary>Accounts that paid.</summary>
    public required IReadOnlyList<AccountName> Accounts { get; init; }

    /// <summary>Accounts that paid a part, by rate.</summary>
    public required IReadOnlyList<FactDraw> Draws { get; init; }

    /// <summary>Columns: time, type, frame, then the others.</summary>
    public required IReadOnlyList<FactColumn> Columns { get; init; }

    /// <summary>True when some row may be inside the period.</summary>
    public bool Meets(Period period) => Rows > 0
        && MaxTime >= period.Start && (MinTime < period.End || period.End == Timestamp.MaxValue);

    /// <summary>True when all rows are inside the period.</summary>
    public bool IsWithin(Period period) => period.Contains(MinTime) && period.Contains(MaxTime);

    /// <summary>True for both kinds of corrections.</summary>
    public static bool IsCorrection(FactKind kind) => kind is FactKind.Correction or FactKind.CountedCorrection;

    /// <summary>
    /// What one step of a meter adds to a slot of a record: its price under the rate, where it has one that holds
    /// whatever
    /// else was counted; in suspense, itself in its unit.
    /// Amounts that follow from the counts are not stored: sums of them follow from the sums of the counts.
    /// </summary>
    public static Amount Derive(Rate rate, Currency unit, Meter meter) => rate.Method switch
    {
        RateMethod.Prices or RateMethod.Formula => rate.TryGetPrice(meter, out Amount perStep) ? perStep : default,
        RateMethod.Suspense when meter.Currency == unit => new Amount(Amount.PicoPerUnit / meter.StepsPerUnit),
        _ => default,
    };
}

/// <summary>A segment in memory.</summary>
/// <param name="Header">What it is made of.</param>
/// <param name="Columns">Bytes of each column.</param>
public sealed record FactSegment(FactHeader Header, IReadOnlyList<byte[]> Columns);
