using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Ledger;

/// <summary>
/// Ledger operations that are done all together or not at all. The group's id makes it safe to send again: the outcome
/// of an id, a refusal too, is fixed for good.
/// </summary>
/// <param name="Source">Who sends it; ids are unique within it.</param>
/// <param name="Id">1 to 256 characters.</param>
/// <param name="EventTime">When it happened in the world; the time of recording is the frame's.</param>
/// <param name="Operations">1 to <see cref="MaxOperations"/> operations, done in order.</param>
/// <param name="Memo">Why, for people.</param>
public sealed record LedgerGroup(
    string Source, string Id, Timestamp EventTime, IReadOnlyList<LedgerOperation> Operations, string Memo = "")
{
    /// <summary>Most operations in a group.</summary>
    public const int MaxOperations = 256;

    /// <summary>Most characters in a memo.</summary>
    public const int MaxMemoLength = 4_096;

    /// <summary>No operation or too many, an id or a text that is missing, too long or no text, or no
    /// currency.</summary>
    internal bool IsMalformed =>
        !StoredText.IsName(Source) || !StoredText.IsName(Id) || !StoredText.IsText(Memo) || Memo.Length > MaxMemoLength
        || Operations.Count is 0 or > MaxOperations || Operations.Any(o => o.IsMalformed);

    /// <summary>Hash of the content; another content under the same id is a conflict.</summary>
    /// <remarks>Of a text, which is written without making strings of it: each call through the gateway has a hold.
    /// </remarks>
    public ulong Fingerprint()
    {
        char[] text = ArrayPool<char>.Shared.Rent(1_024);
        int length;
        while (!TryWrite(text, out length))
        {
            int longer = 2 * text.Length;
            ArrayPool<char>.Shared.Return(text);
            text = ArrayPool<char>.Shared.Rent(longer);
        }

        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(length));
        int count = Encoding.UTF8.GetBytes(text.AsSpan(0, length), bytes);
        ulong hash = XxHash3.HashToUInt64(bytes.AsSpan(0, count));
        ArrayPool<char>.Shared.Return(text);
        ArrayPool<byte>.Shared.Return(bytes);
        return hash;
    }

    private bool TryWrite(Span<char> text, out int length)
    {
        bool fits = text.TryWrite(CultureInfo.InvariantCulture, $"{EventTime.UnixNanoseconds}|{Memo}", out length);
        for (int i = 0; fits && i < Operations.Count; i++)
        {
            fits = TryWrite(Operations[i], text[length..], out int more);
            length += more;
        }

        return fits;
    }

    // As a record writes itself.
    private static bool TryWrite(LedgerOperation operation, Span<char> text, out int length) => operation switch
    {
        PostTransfer o => text.TryWrite($"|PostTransfer {{ Debit = {o.Debit}, Credit = {o.Credit}, "
            + $"Currency = {o.Currency}, Amount = {o.Amount} }}", out length),
        PlaceHold o => text.TryWrite($"|PlaceHold {{ Hold = {o.Hold}, Party = {o.Party}, "
            + $"Currency = {o.Currency}, Amount = {o.Amount}, Expires = {o.Expires} }}", out length),
        SettleHold o => text.TryWrite($"|SettleHold {{ Hold = {o.Hold}, Credit = {o.Credit}, "
            + $"Amount = {o.Amount}, OverrunLimit = {o.OverrunLimit} }}", out length),
        _ => text.TryWrite($"|{operation}", out length),
    };
}

/// <summary>One operation of a group.</summary>
public abstract record LedgerOperation
{
    /// <summary>A name that is missing, too long or no text, or no currency.</summary>
    internal abstract bool IsMalformed { get; }
}

/// <summary>Moves an amount at once.</summary>
/// <param name="Debit">Path of the account debited.</param>
/// <param name="Credit">Path of the account credited.</param>
/// <param name="Currency">Currency of both.</param>
/// <param name="Amount">Above zero.</param>
public sealed record PostTransfer(string Debit, string Credit, Currency Currency, Amount Amount) : LedgerOperation
{
    internal override bool IsMalformed => !StoredText.IsName(Debit) || !StoredText.IsName(Credit) || Currency.IsNone;
}

/// <summary>Reserves an amount of a consumer's funding, in the order in which it is drawn.</summary>
/// <param name="Hold">Id of the hold, unique within the group's source.</param>
/// <param name="Party">The consumer.</param>
/// <param name="Currency">Currency.</param>
/// <param name="Amount">Above zero.</param>
/// <param name="Expires">When it ends by itself; must be after the frame's time.</param>
public sealed record PlaceHold(string Hold, string Party, Currency Currency, Amount Amount, Timestamp Expires)
    : LedgerOperation
{
    internal override bool IsMalformed => !StoredText.IsName(Hold) || !StoredText.IsName(Party) || Currency.IsNone;
}

/// <summary>Ends a hold: some of it moves to an account, the rest is released.</summary>
/// <param name="Hold">Id of the hold.</param>
/// <param name="Credit">Path of the account that receives.</param>
/// <param name="Amount">0 or more; above the held amount only by <paramref name="OverrunLimit"/>.</param>
/// <param name="OverrunLimit">How much above the hold may be drawn, first from funding, then from the overrun
/// account.</param>
public sealed record SettleHold(string Hold, string Credit, Amount Amount, Amount OverrunLimit) : LedgerOperation
{
    internal override bool IsMalformed => !StoredText.IsName(Hold) || !StoredText.IsName(Credit);
}

/// <summary>Ends a hold and releases all of it.</summary>
/// <param name="Hold">Id of the hold.</param>
public sealed record ReleaseHold(string Hold) : LedgerOperation
{
    internal override bool IsMalformed => !StoredText.IsName(Hold);
}

/// <summary>Posts the opposite of a posted group's transfers. A group is reversed at most once.</summary>
/// <param name="Group">Id of the group, of the same source.</param>
public sealed record ReverseGroup(string Group) : LedgerOperation
{
    internal override bool IsMalformed => !StoredText.IsName(Group);
}

/// <summary>What became of a group or of one of its operations. The checks are made in this order, the first that
/// applies is the answer (docs/LEDGER.md). Numbers are stored: never change or reuse one.</summary>
public enum LedgerStatus : byte
{
    /// <summary>Done now.</summary>
    Done = 1,

    /// <summary>The same group was done, or refused, before: see the reply's earlier status.</summary>
    Exists = 2,

    /// <summary>Another group was sent under this id.</summary>
    Conflict = 3,

    /// <summary>No operation, too many, an id too long, or a field missing.</summary>
    Malformed = 4,

    /// <summary>The amount must be above zero (or not below zero, where an operation says so).</summary>
    AmountOutOfRange = 5,

    /// <summary>There is no such account in that currency.</summary>
    AccountNotFound = 6,

    /// <summary>Debit and credit are the same account.</summary>
    AccountsAreSame = 7,

    /// <summary>The account takes no postings by hand: it is kept by the engine.</summary>
    AccountIsKept = 8,

    /// <summary>The funding account has expired.</summary>
    AccountExpired = 9,

    /// <summary>There is no such party.</summary>
    PartyNotFound = 10,

    /// <summary>The hold's end is not after the frame's time.</summary>
    HoldExpiresTooSoon = 11,

    /// <summary>A hold with this id was placed before.</summary>
    HoldExists = 12,

    /// <summary>There is no open hold with this id: never placed, or it has ended.</summary>
    HoldNotOpen = 13,

    /// <summary>More is to be settled than was held, beyond the overrun limit.</summary>
    ExceedsHold = 14,

    /// <summary>The account, or the party's funding, does not cover the amount.</summary>
    InsufficientFunds = 15,

    /// <summary>There is no such posted group to reverse.</summary>
    GroupNotFound = 16,

    /// <summary>The group has been reversed already.</summary>
    AlreadyReversed = 17,

    // 18 is not used: it was for a balance beyond what an amount can hold, which docs/LEDGER.md rules out.

    /// <summary>Too many holds are open (<see cref="LedgerState.MaxOpenHolds"/>).</summary>
    TooManyHolds = 19,
}

/// <summary>The stored outcome of a group.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="FailedOperation">Index of the operation that was refused; -1 when none.</param>
/// <param name="Postings">What was posted, in order.</param>
public sealed record GroupResult(LedgerStatus Status, int FailedOperation, Posting[] Postings);
