using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>The name of an account: a path of owner, purpose and agreement or funding (<c>acme/prepaid/main</c>), and
/// the currency that it is kept in. docs/LEDGER.md lists the paths.</summary>
/// <param name="Path">Parts joined by '/'.</param>
/// <param name="Currency">Currency.</param>
public sealed record AccountName(string Path, Currency Currency)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Path} {Currency}";
}

/// <summary>One transfer: a debit and a credit of the same amount in the accounts' common currency — two
/// legs.</summary>
/// <param name="Debit">Account debited.</param>
/// <param name="Credit">Account credited.</param>
/// <param name="Amount">Above zero, except that the opposite posting of a correction swaps the accounts
/// instead.</param>
public readonly record struct Posting(AccountName Debit, AccountName Credit, Amount Amount);

/// <summary>What one agreement charges for one record.</summary>
/// <param name="Rate">How.</param>
/// <param name="Amount">How much, in the rate's currency; zero in suspense; below zero where a correction takes back,
/// and
/// where a quantity reaches a step of a volume price that makes all before it cheaper.</param>
/// <param name="PostingCount">How many postings of the result belong to this charge; they follow those of the charge
/// before.</param>
/// <param name="Covered">Counts that token packs paid for instead of money; null when none.</param>
/// <param name="Before">What each of the rate's curves over a period had counted before; null without any.</param>
public readonly record struct Charge(
    Rate Rate, Amount Amount, int PostingCount, Count[]? Covered = null, Int128[]? Before = null);

/// <summary>What became of a usage record. Checked in this order; numbers are stored: never change or reuse
/// one.</summary>
public enum UsageStatus : byte
{
    /// <summary>Recorded, rated and posted now.</summary>
    Posted = 1,

    /// <summary>The same event was recorded before; nothing was done.</summary>
    Exists = 2,

    /// <summary>Another event was recorded under this id; this one is kept aside and not posted.</summary>
    Conflict = 3,

    /// <summary>This conflicting event was kept aside before; nothing was done.</summary>
    ConflictExists = 4,
}

/// <summary>What is worth knowing about a posted record. Bits are stored: never change or reuse one.</summary>
[Flags]
public enum UsageRemarks : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Funding did not suffice: the rest went to the consumer's overrun account.</summary>
    Overrun = 1,

    /// <summary>A charge could not be rated and is in suspense.</summary>
    Suspense = 2,

    /// <summary>The charge was larger than the hold placed for it.</summary>
    OverHold = 4,

    /// <summary>The record names a hold that is not open (never placed, settled, released or expired).</summary>
    HoldNotOpen = 8,

    /// <summary>It came after its event time had been closed for an agreement that it touches.</summary>
    Late = 16,
}

/// <summary>The stored outcome of a usage record.</summary>
/// <param name="Status">What became of it: <see cref="UsageStatus.Posted"/> or
/// <see cref="UsageStatus.Conflict"/>.</param>
/// <param name="Remarks">Remarks.</param>
/// <param name="Charges">Charges: income, cost, between, each by agreement id; then suspense without an
/// agreement.</param>
/// <param name="Postings">Postings, charge by charge.</param>
public sealed record UsageResult(UsageStatus Status, UsageRemarks Remarks, Charge[] Charges, Posting[] Postings);

/// <summary>What ended by itself when a frame's time had passed its end.</summary>
/// <param name="Hold">Digest of the hold that expired; zero when a funding account did.</param>
/// <param name="Account">The funding account that expired; null when a hold did.</param>
/// <param name="Postings">What was taken back from the funding account.</param>
public sealed record Expiry(UInt128 Hold, AccountName? Account, Posting[] Postings);
