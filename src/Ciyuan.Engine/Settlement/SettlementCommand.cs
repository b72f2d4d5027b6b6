using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Settlement;

/// <summary>A step in the calendar of an agreement. Numbers are stored: never change or reuse one.</summary>
public enum SettlementAction : byte
{
    /// <summary>Freezes a period (冻结): what is recorded from this frame on is booked in the next one.</summary>
    Freeze = 1,

    /// <summary>Fixes the statement of a frozen period (清分): it is stored, posted and open to dispute.</summary>
    Split = 2,

    /// <summary>Signs the statement (确认).</summary>
    Sign = 3,

    /// <summary>Disputes an amount of the statement, which is held from then on (异议).</summary>
    Dispute = 4,

    /// <summary>Ends a dispute: some of its amount is granted and taken off, the rest is owed again.</summary>
    Resolve = 5,

    /// <summary>Makes the amount final: it is to be paid (结算).</summary>
    Finish = 6,
}

/// <summary>A side of an agreement. Numbers are stored: never change or reuse one.</summary>
public enum AgreementSide : byte
{
    /// <summary>Neither: the step is the platform's.</summary>
    None = 0,

    /// <summary>The one that pays.</summary>
    Payer = 1,

    /// <summary>The one that is paid.</summary>
    Payee = 2,
}

/// <summary>One step in the calendar of an agreement, with who takes it.</summary>
/// <param name="Source">Who sends it; ids are unique within it.</param>
/// <param name="Id">1 to 256 characters; sent again, it does nothing.</param>
/// <param name="Action">The step.</param>
/// <param name="Agreement">The agreement.</param>
/// <param name="Period">Name of the period.</param>
/// <param name="By">The person or system that takes it.</param>
public sealed record SettlementCommand(
    string Source, string Id, SettlementAction Action, string Agreement, string Period, string By)
{
    /// <summary>Longest statement in bytes: 8 MB, some 20 000 lines.</summary>
    public const int MaxStatement = 8 << 20;

    /// <summary>Why, for people.</summary>
    public string Memo { get; init; } = "";

    /// <summary>To split: the statement, as <see cref="StatementDocument.ToBytes"/> writes it. To sign:
    /// empty.</summary>
    public byte[] Statement { get; init; } = [];

    /// <summary>To split: goes on though usage of the period waits for a price; it will be booked when it has
    /// one.</summary>
    public bool AcceptWaiting { get; init; }

    /// <summary>To sign: the hash of the statement that was seen, in hexadecimal.</summary>
    public string Hash { get; init; } = "";

    /// <summary>To sign or dispute: for which side.</summary>
    public AgreementSide Side { get; init; }

    /// <summary>To dispute or resolve: the dispute's id, unique in the period.</summary>
    public string Dispute { get; init; } = "";

    /// <summary>To dispute: what is held. To resolve: what of it is granted.</summary>
    public Amount Amount { get; init; }

    /// <summary>Hash of the content; another content under the same id is a conflict.</summary>
    public ulong Fingerprint()
    {
        string text = $"{(int)Action}|{Agreement}|{Period}|{By}|{Memo}|{AcceptWaiting}|{Hash}|{(int)Side}|{Dispute}|"
            + $"{Amount.Pico}|{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Statement))}";
        return System.IO.Hashing.XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(text));
    }

    /// <summary>A name that is missing or too long, or a text that can't be stored.</summary>
    internal bool IsMalformed =>
        !StoredText.IsName(Source) || !StoredText.IsName(Id) || !StoredText.IsName(By) || !StoredText.IsText(Memo)
        || Memo.Length > LedgerGroup.MaxMemoLength || !StoredText.IsText(Hash) || Hash.Length > 64
        || !Enum.IsDefined(Action) || !Enum.IsDefined(Side) || Statement.Length > MaxStatement
        || !StoredText.IsText(Agreement) || !StoredText.IsText(Period)
        || (Action is SettlementAction.Dispute or SettlementAction.Resolve) != StoredText.IsName(Dispute)
        || (Action == SettlementAction.Split) != (Statement.Length > 0);
}

/// <summary>What became of a step. The checks are made in the order of the numbers, the first that applies is the
/// answer. Only what was done is stored; after a refusal the same id may be sent again. Numbers are stored: never
/// change
/// or reuse one.</summary>
public enum SettlementStatus : byte
{
    /// <summary>Done now.</summary>
    Done = 1,

    /// <summary>The same step was done before.</summary>
    Exists = 2,

    /// <summary>Another step was sent under this id.</summary>
    Conflict = 3,

    /// <summary>A name, text or statement is missing or too long.</summary>
    Malformed = 4,

    /// <summary>There is no such agreement.</summary>
    AgreementNotFound = 5,

    /// <summary>The agreement has no terms of settlement.</summary>
    NoTerms = 6,

    /// <summary>The name is no period of the agreement's calendar.</summary>
    PeriodUnknown = 7,

    /// <summary>Another period comes first: the one after the last that was frozen.</summary>
    OutOfOrder = 8,

    /// <summary>The period is not in the state that the step needs.</summary>
    WrongState = 9,

    /// <summary>It is too early: the period is not over, or the dispute window is open and not both sides have
    /// signed.</summary>
    TooEarly = 10,

    /// <summary>The dispute window is over.</summary>
    TooLate = 11,

    /// <summary>The statement is not that of this period, or does not add up.</summary>
    StatementWrong = 12,

    /// <summary>Usage of the period waits for a price.</summary>
    UsageWaits = 13,

    /// <summary>The hash is not that of the statement.</summary>
    HashDiffers = 14,

    /// <summary>A side must be named: payer or payee.</summary>
    SideMissing = 15,

    /// <summary>This person has signed already.</summary>
    SignedAlready = 16,

    /// <summary>Two persons must have signed.</summary>
    SignaturesMissing = 17,

    /// <summary>There is such a dispute already.</summary>
    DisputeExists = 18,

    /// <summary>There is no such open dispute.</summary>
    DisputeNotOpen = 19,

    /// <summary>The amount is below zero, or more than what can be disputed or granted.</summary>
    AmountOutOfRange = 20,
}

/// <summary>The stored outcome of a step that was done.</summary>
/// <param name="Status"><see cref="SettlementStatus.Done"/>; in an answer also why not.</param>
/// <param name="Postings">What was posted.</param>
public sealed record SettlementResult(SettlementStatus Status, Posting[] Postings)
{
    /// <summary>Frozen: the period's event times. Else empty.</summary>
    public Period Span { get; init; }

    /// <summary>Split: the end of the dispute window. Final: until when it is to be paid.</summary>
    public Timestamp Until { get; init; }

    /// <summary>Split: what the statement says is due. Final: what is to be paid now.</summary>
    public Amount Amount { get; init; }

    /// <summary>Final: what is carried over, as it is below the minimum.</summary>
    public Amount Carried { get; init; }

    /// <summary>In an answer only: the step's place in the journal.</summary>
    public long Seq { get; init; }
}
