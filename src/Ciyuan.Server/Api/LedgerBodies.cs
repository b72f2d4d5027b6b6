using System.ComponentModel;
using System.Text.Json.Serialization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;

namespace Ciyuan.Server.Api;

/// <summary>A ledger group as it is sent.</summary>
[Description("Ledger operations that are done all together or not at all.")]
internal sealed record GroupBody
{
    [Description("Who sends it; ids are unique within it.")]
    public required string Source { get; init; }

    [Description("1 to 256 characters. The outcome of an id, a refusal too, is fixed for good.")]
    public required string Id { get; init; }

    [Description("When it happened (RFC 3339).")]
    public required string EventTime { get; init; }

    [Description("1 to 256 operations, done in order.")]
    public required IReadOnlyList<OperationBody> Operations { get; init; }

    [Description("Why, for people.")]
    public string Memo { get; init; } = "";

    /// <summary>The group, or what is wrong with it.</summary>
    internal (LedgerGroup? Group, string? Fault) FromApi()
    {
        if (!Timestamp.TryParse(EventTime, out Timestamp time))
        {
            return (null, "event_time: write RFC 3339, such as 2026-11-01T08:00:00+08:00");
        }

        var operations = new List<LedgerOperation>(Operations.Count);
        for (int i = 0; i < Operations.Count; i++)
        {
            (LedgerOperation? operation, string? fault) = Operations[i].FromApi();
            if (operation is null)
            {
                return (null, $"operations[{i}].{fault}");
            }

            operations.Add(operation);
        }

        return (new LedgerGroup(Source, Id, time, operations, Memo), null);
    }
}

/// <summary>An operation as it is sent.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(PostBody), "post")]
[JsonDerivedType(typeof(HoldBody), "hold")]
[JsonDerivedType(typeof(SettleBody), "settle")]
[JsonDerivedType(typeof(ReleaseBody), "release")]
[JsonDerivedType(typeof(ReverseBody), "reverse")]
internal abstract record OperationBody
{
    /// <summary>The operation, or what is wrong with it.</summary>
    internal abstract (LedgerOperation? Operation, string? Fault) FromApi();

    private protected static string NoAmount(string field) =>
        $"{field}: write a decimal with at most 12 places as a "
        + "string";

    private protected static string NoCurrency => "currency: write a code of 1 to 8 characters from A-Z and 0-9";
}

[Description("Moves an amount at once.")]
internal sealed record PostBody(
    [property: Description("Path of the account debited.")] string Debit,
    [property: Description("Path of the account credited.")] string Credit,
    [property: Description("CNY, USD, TOK, …")] string Currency,
    [property: Description("Above zero, as a decimal string.")] string Amount) : OperationBody
{
    internal override (LedgerOperation? Operation, string? Fault) FromApi()
    {
        bool isAmount = Quantities.Amount.TryParse(Amount, out Amount amount);
        bool isCurrency = Quantities.Currency.TryParse(Currency, out Currency currency);
        return isAmount && isCurrency
            ? (new PostTransfer(Debit, Credit, currency, amount), null)
            : (null, isAmount ? NoCurrency : NoAmount("amount"));
    }
}

[Description("Reserves an amount of a consumer's funding.")]
internal sealed record HoldBody(
    [property: Description("Id of the hold, unique within the source.")] string Hold,
    [property: Description("The consumer.")] string Party,
    [property: Description("CNY, USD, …")] string Currency,
    [property: Description("Above zero, as a decimal string.")] string Amount,
    [property: Description("When it ends by itself (RFC 3339).")] string Expires) : OperationBody
{
    internal override (LedgerOperation? Operation, string? Fault) FromApi()
    {
        if (!Quantities.Amount.TryParse(Amount, out Amount amount))
        {
            return (null, NoAmount("amount"));
        }

        if (!Quantities.Currency.TryParse(Currency, out Currency currency))
        {
            return (null, NoCurrency);
        }

        return Timestamp.TryParse(Expires, out Timestamp expires)
            ? (new PlaceHold(Hold, Party, currency, amount, expires), null)
            : (null, "expires: write RFC 3339, such as 2026-11-01T08:00:00+08:00");
    }
}

[Description("Ends a hold: some of it moves to an account, the rest is released.")]
internal sealed record SettleBody(
    [property: Description("Id of the hold.")] string Hold,
    [property: Description("Path of the account that receives.")] string Credit,
    [property: Description("0 or more, as a decimal string.")] string Amount,
    [property: Description("How much above the hold may be drawn; none when left out.")] string OverrunLimit = "0")
    : OperationBody
{
    internal override (LedgerOperation? Operation, string? Fault) FromApi()
    {
        bool isAmount = Quantities.Amount.TryParse(Amount, out Amount amount);
        bool isLimit = Quantities.Amount.TryParse(OverrunLimit, out Amount limit);
        return isAmount && isLimit
            ? (new SettleHold(Hold, Credit, amount, limit), null)
            : (null, NoAmount(isAmount ? "overrun_limit" : "amount"));
    }
}

[Description("Ends a hold and releases all of it.")]
internal sealed record ReleaseBody([property: Description("Id of the hold.")] string Hold) : OperationBody
{
    internal override (LedgerOperation? Operation, string? Fault) FromApi() => (new ReleaseHold(Hold), null);
}

[Description("Posts the opposite of a group's transfers; at most once.")]
internal sealed record ReverseBody(
    [property: Description("Id of the group, of the same source.")] string Group) : OperationBody
{
    internal override (LedgerOperation? Operation, string? Fault) FromApi() => (new ReverseGroup(Group), null);
}

/// <summary>The modes of a correction that can be asked for; those record by record are only read.</summary>
internal enum CorrectionBodyMode
{
    Rerate = CorrectionMode.RerateByRate,
    Reverse = CorrectionMode.ReverseByRate,
}

/// <summary>A correction as it is sent.</summary>
[Description("Corrects the charges of recorded usage by reversing entries; the records stay as they are.")]
internal sealed record CorrectionBody
{
    [Description("Who asks; ids are unique within it.")]
    public required string Source { get; init; }

    [Description("1 to 256 characters.")]
    public required string Id { get; init; }

    [Description("rerate: takes the charges back and makes them anew under today's books. reverse: takes them back. "
        + "Both do so a frame at a time, all of it back before anything anew.")]
    public required CorrectionBodyMode Mode { get; init; }

    [Description("First frame whose records are looked at.")]
    public long FromSeq { get; init; } = 1;

    [Description("Last frame whose records are looked at.")]
    public required long ToSeq { get; init; }

    [Description("Only event times in this year, month or day, such as 2026-11; all when left out.")]
    public string Period { get; init; } = "";

    [Description("IANA zone of the period.")]
    public string Zone { get; init; } = "UTC";

    [Description("Only charges under this agreement and in suspense; all when left out.")]
    public string Agreement { get; init; } = "";

    [Description("Only the record at this place of the one frame; -1: all.")]
    public int Index { get; init; } = -1;

    [Description("Why, for people.")]
    public string Memo { get; init; } = "";

    /// <summary>The correction, or what is wrong with it.</summary>
    internal (Correction? Correction, string? Fault) FromApi()
    {
        Period period = Quantities.Period.Always;
        if (Period.Length > 0 || Zone.Length > 0)
        {
            (period, string? fault) = ApiTime.ParsePeriod(Period, from: "", to: "", Zone);
            if (fault is not null)
            {
                return (null, fault);
            }
        }

        bool inRange = FromSeq >= 1 && ToSeq >= FromSeq && Index >= -1 && (Index == -1 || FromSeq == ToSeq);
        return inRange
            ? (new Correction(Source, Id, (CorrectionMode)Mode, FromSeq, ToSeq, period, Agreement, Index, Memo), null)
            : (null, "from_seq, to_seq: frames from 1, in order; index goes with one frame");
    }
}
