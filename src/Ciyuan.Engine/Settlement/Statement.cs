using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;
using DateTimeZone = NodaTime.DateTimeZone;

namespace Ciyuan.Settlement;

/// <summary>Asks for the statement of an agreement.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Period">Event times that it covers.</param>
/// <param name="Zone">Zone in which people read the period.</param>
public sealed record StatementQuery(string Agreement, Period Period, DateTimeZone Zone)
{
    /// <summary>When charges are booked; left out, all at their event times.</summary>
    public BookingTimes Booking { get; init; } = BookingTimes.Open;
}

/// <summary>What a line of a statement is for.</summary>
public enum StatementLineKind : byte
{
    /// <summary>Usage at a unit price.</summary>
    Usage = 0,

    /// <summary>Calls at a fixed amount.</summary>
    PerCall = 1,

    /// <summary>A share of another agreement's charges.</summary>
    Share = 2,

    /// <summary>Charges taken back by corrections.</summary>
    TakenBack = 3,

    /// <summary>Charges made anew by corrections.</summary>
    MadeAnew = 4,
}

/// <summary>One line. Lines are sorted by what they correct, kind, model, meter, book, version and price.</summary>
public sealed record StatementLine
{
    /// <summary>The end of the closed time that the line corrects, where its event times were closed before it was
    /// recorded; null for the period itself.</summary>
    public Timestamp? Corrects { get; init; }

    /// <summary>What it is for.</summary>
    public required StatementLineKind Kind { get; init; }

    /// <summary>The model as answered, else as asked; may be empty.</summary>
    public required string Model { get; init; }

    /// <summary>What was counted; only for <see cref="StatementLineKind.Usage"/>.</summary>
    public Meter? Meter { get; init; }

    /// <summary>Price book; empty without one.</summary>
    public string Book { get; init; } = "";

    /// <summary>Version of the book; 0 without one.</summary>
    public int Version { get; init; }

    /// <summary>Price of one step of the meter, or of one call; null where it depends on more than that (tiers of a
    /// period, prices finer than 10⁻¹² a step): then the amount stands in the line of the same book without a
    /// meter.</summary>
    public Amount? UnitPrice { get; init; }

    /// <summary>The steps of the curves that make the amount, in words; empty without any.</summary>
    public string Tiers { get; init; } = "";

    /// <summary>For shares: the agreement whose charges are shared.</summary>
    public string ShareOf { get; init; } = "";

    /// <summary>For shares: the share in millionths.</summary>
    public int SharePpm { get; init; }

    /// <summary>Steps of the meter that were used, token packs included.</summary>
    public Int128 Steps { get; init; }

    /// <summary>Steps of these that token packs paid for.</summary>
    public Int128 CoveredSteps { get; init; }

    /// <summary>Calls (or corrected records) in this line.</summary>
    public long Calls { get; init; }

    /// <summary>Exact amount: (<see cref="Steps"/> − <see cref="CoveredSteps"/>) × <see cref="UnitPrice"/> for
    /// usage with a unit price.</summary>
    public Amount Amount { get; init; }

    /// <summary>Price of a million tokens, or of one unit of another meter, or of one call.</summary>
    public Amount? PrintedPrice => Meter is { } meter && UnitPrice is { } price
        ? price * (meter.IsTokens ? 1_000_000 : meter.StepsPerUnit)
        : UnitPrice;
}

/// <summary>What is booked in this period and happened in one that had been closed.</summary>
/// <param name="Corrects">End of that closed time.</param>
/// <param name="Records">Records that came late.</param>
/// <param name="Corrections">Records whose charges were corrected.</param>
/// <param name="Exact">Their amount.</param>
/// <param name="FirstSeq">First frame that recorded one.</param>
/// <param name="LastSeq">Last frame that recorded one.</param>
public sealed record LateCharges(
    Timestamp Corrects, long Records, long Corrections, Amount Exact, long FirstSeq, long LastSeq);

/// <summary>What was used, of a model and a meter.</summary>
/// <param name="Model">The model as answered, else as asked; may be empty.</param>
/// <param name="Meter">The meter.</param>
/// <param name="Raw">Steps counted, of all records that the agreement charged or that wait in its suspense.</param>
/// <param name="Billable">Steps that were charged, taken up to what is billable; with those that packs paid
/// for.</param>
/// <param name="Covered">Steps of these that packs paid for.</param>
public sealed record StatementQuantity(string Model, Meter Meter, Int128 Raw, Int128 Billable, Int128 Covered);

/// <summary>What was drawn from an account, or given back to it when below zero.</summary>
/// <param name="Account">The account: funding, a receivable, the overrun; of a cost, the cost account. Packs are in
/// tokens.</param>
/// <param name="Amount">Exact amount.</param>
public sealed record DrawnAmount(AccountName Account, Amount Amount);

/// <summary>What an agreement owes for a period: the lines add up to <see cref="Exact"/> to the last digit, and
/// <see cref="Total"/> = <see cref="Exact"/> + <see cref="RoundingDifference"/>.</summary>
public sealed record Statement
{
    /// <summary>The question.</summary>
    public required StatementQuery Query { get; init; }

    /// <summary>True when the agreement has charged or held anything in suspense at all, in any period.</summary>
    public required bool Found { get; init; }

    /// <summary>Who pays; empty when nothing was charged.</summary>
    public required string Payer { get; init; }

    /// <summary>Who is paid; empty when nothing was charged.</summary>
    public required string Payee { get; init; }

    /// <summary>Income, cost or between others.</summary>
    public required Side Side { get; init; }

    /// <summary>Currency of all amounts; none when nothing was charged.</summary>
    public required Currency Currency { get; init; }

    /// <summary>The lines.</summary>
    public required IReadOnlyList<StatementLine> Lines { get; init; }

    /// <summary>Exact sum of the lines, which is the sum of the charges.</summary>
    public required Amount Exact { get; init; }

    /// <summary>What rounding adds.</summary>
    public required Amount RoundingDifference { get; init; }

    /// <summary>To be paid: whole minor units (fen, cents).</summary>
    public required Amount Total { get; init; }

    /// <summary>What corrects closed times, oldest first; its lines are among <see cref="Lines"/>.</summary>
    public required IReadOnlyList<LateCharges> Late { get; init; }

    /// <summary>What was used, by model and meter.</summary>
    public required IReadOnlyList<StatementQuantity> Quantities { get; init; }

    /// <summary>Accounts that paid, by name; in the statement's currency they add up to <see cref="Exact"/>.</summary>
    public required IReadOnlyList<DrawnAmount> Drawn { get; init; }

    /// <summary>Records that this agreement charged or that wait in its suspense.</summary>
    public required long Records { get; init; }

    /// <summary>Records that it charged.</summary>
    public required long CallsBilled { get; init; }

    /// <summary>Corrected records.</summary>
    public required long Corrections { get; init; }

    /// <summary>Charges under this agreement that still wait for a price; not in the total.</summary>
    public required long SuspenseCharges { get; init; }

    /// <summary>Quantities that wait, by counted unit (<c>TOK</c>, <c>IMG</c>, …).</summary>
    public required IReadOnlyList<(Currency Unit, Amount Quantity)> Suspense { get; init; }

    /// <summary>Events of the period kept aside as conflicts, of the whole ledger; not charged.</summary>
    public required long KeptAside { get; init; }

    /// <summary>Last frame of the journal that is included; 0 when there is none.</summary>
    public required long DataToSeq { get; init; }

    /// <summary>Time of recording of that frame.</summary>
    public required Timestamp DataToTime { get; init; }

    /// <summary>The statement with the parties of its agreement, which charges alone don't tell while there are
    /// none.</summary>
    public Statement Of(AgreementSetup agreement) =>
        Payer.Length > 0 ? this : this with { Payer = agreement.Payer, Payee = agreement.Payee };
}
