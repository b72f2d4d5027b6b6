using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Ciyuan.Settlement;

/// <summary>
/// A statement as it is fixed for good: what both sides look at, sign and pay by. Its bytes stand in the journal, its
/// hash is what is signed, and every form of it (page, table, file) is made of it alone. Amounts and quantities are
/// decimals as text, exact.
/// </summary>
/// <remarks>Version 1. A field may be added at the end with a new version number; none is ever changed.</remarks>
public sealed record StatementDocument
{
    /// <summary>Version of the form.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The agreement.</summary>
    public required string Agreement { get; init; }

    /// <summary>Name of the period.</summary>
    public required string Period { get; init; }

    /// <summary>First event time of the period, RFC 3339.</summary>
    public required string From { get; init; }

    /// <summary>First event time after it.</summary>
    public required string To { get; init; }

    /// <summary>Zone of the period.</summary>
    public required string Zone { get; init; }

    /// <summary>First frame that is not in it: the one that froze the period.</summary>
    public required long FrozenSeq { get; init; }

    /// <summary>Who pays.</summary>
    public required DocumentParty Payer { get; init; }

    /// <summary>Who is paid.</summary>
    public required DocumentParty Payee { get; init; }

    /// <summary>income, cost or between, as the platform sees it.</summary>
    public required string Side { get; init; }

    /// <summary>Currency of all amounts.</summary>
    public required string Currency { get; init; }

    /// <summary>Terms that it was made under.</summary>
    public required DocumentTerms Terms { get; init; }

    /// <summary>Lines of the period, then those that correct earlier ones.</summary>
    public required IReadOnlyList<DocumentLine> Lines { get; init; }

    /// <summary>What corrects earlier periods, oldest first.</summary>
    public required IReadOnlyList<DocumentLate> Late { get; init; }

    /// <summary>What was used, by meter.</summary>
    public required IReadOnlyList<DocumentQuantity> Quantities { get; init; }

    /// <summary>The rule of the standard tokens; empty when they were not counted.</summary>
    public string StandardRule { get; init; } = "";

    /// <summary>Records in it.</summary>
    public required long Records { get; init; }

    /// <summary>Records that were charged.</summary>
    public required long CallsBilled { get; init; }

    /// <summary>Records whose charges were corrected.</summary>
    public required long Corrections { get; init; }

    /// <summary>Charges that wait for a price; not in the amounts.</summary>
    public required long SuspenseCharges { get; init; }

    /// <summary>What waits, by counted unit.</summary>
    public required IReadOnlyList<DocumentWaiting> Suspense { get; init; }

    /// <summary>Events of the period that were kept aside as conflicts, of the whole ledger.</summary>
    public required long KeptAside { get; init; }

    /// <summary>Exact sum of the lines.</summary>
    public required string Exact { get; init; }

    /// <summary>What rounding adds to make whole minor units (精度差异).</summary>
    public required string Rounding { get; init; }

    /// <summary>Sum of both: the price of the period.</summary>
    public required string Total { get; init; }

    /// <summary>Tax told apart (价税分离).</summary>
    public required DocumentTax Tax { get; init; }

    /// <summary>Who paid it, or owes it.</summary>
    public required IReadOnlyList<DocumentPaid> Paid { get; init; }

    /// <summary>Tokens drawn from packs.</summary>
    public required IReadOnlyList<DocumentPack> Packs { get; init; }

    /// <summary>What is to be paid on this statement: gross less what funding paid.</summary>
    public required string Due { get; init; }

    /// <summary>The bytes, in UTF-8: one form for one statement.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, StatementJson.Readable);

    /// <summary>Reads the bytes; null when they are no statement of this version.</summary>
    public static StatementDocument? TryRead(ReadOnlySpan<byte> bytes)
    {
        try
        {
            StatementDocument? document = JsonSerializer.Deserialize(bytes, StatementJson.Readable);
            return document is { Version: 1 } && document.ToBytes().AsSpan().SequenceEqual(bytes) ? document : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>SHA-256 of the bytes in hexadecimal: what is signed.</summary>
    public static string HashOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

/// <summary>A party as the statement names it.</summary>
/// <param name="Id">Short name.</param>
/// <param name="Name">Name.</param>
/// <param name="Title">Name on invoices.</param>
/// <param name="TaxId">统一社会信用代码 or another country's; may be empty, as may what follows.</param>
/// <param name="Address">Address.</param>
/// <param name="Phone">Telephone.</param>
/// <param name="Bank">Bank.</param>
/// <param name="Account">Account.</param>
public sealed record DocumentParty(
    string Id, string Name, string Title, string TaxId, string Address, string Phone, string Bank, string Account);

/// <summary>Terms of settlement.</summary>
/// <param name="Cycle">monthly, daily or t1.</param>
/// <param name="DisputeDays">Days of the dispute window.</param>
/// <param name="PaymentDays">Days of the payment term.</param>
/// <param name="MinimumPayout">Amounts below it are carried over; empty: none.</param>
/// <param name="InvoiceItem">What an invoice calls the service.</param>
public sealed record DocumentTerms(
    string Cycle, int DisputeDays, int PaymentDays, string MinimumPayout, string InvoiceItem);

/// <summary>A line.</summary>
/// <param name="Corrects">Name of the period that it corrects; empty for lines of the period itself.</param>
/// <param name="Kind">usage, per_call, share, taken_back or made_anew.</param>
/// <param name="Model">Model.</param>
/// <param name="Meter">What was counted.</param>
/// <param name="Book">Price book.</param>
/// <param name="BookVersion">Its version; 0 without one.</param>
/// <param name="Price">Unit price; empty where the amount depends on more.</param>
/// <param name="Per">What it is the price of: 1M tokens, a unit, call, or % of an agreement.</param>
/// <param name="Tiers">Steps of the curves used.</param>
/// <param name="Quantity">Quantity used.</param>
/// <param name="ByPack">Of it, what packs paid for.</param>
/// <param name="Calls">Calls or corrected records.</param>
/// <param name="Amount">Exact amount.</param>
public sealed record DocumentLine(
    string Corrects, string Kind, string Model, string Meter, string Book, int BookVersion, string Price, string Per,
    string Tiers, string Quantity, string ByPack, long Calls, string Amount);

/// <summary>What corrects an earlier period.</summary>
/// <param name="Period">The period, or the end of the closed time where it is none of the calendar.</param>
/// <param name="Records">Records that came late.</param>
/// <param name="Corrections">Records whose charges were corrected.</param>
/// <param name="FirstSeq">First frame that recorded one.</param>
/// <param name="LastSeq">Last frame that recorded one.</param>
/// <param name="Amount">Exact amount.</param>
public sealed record DocumentLate(
    string Period, long Records, long Corrections, long FirstSeq, long LastSeq, string Amount);

/// <summary>What was used of a meter.</summary>
/// <param name="Meter">The meter.</param>
/// <param name="Raw">As counted (原始).</param>
/// <param name="Billable">As billed (计费).</param>
/// <param name="ByPack">Of it, what packs paid for.</param>
/// <param name="Standard">In standard tokens (标准词元); empty where there is no rule.</param>
/// <param name="StandardError">How far the standard may be off.</param>
public sealed record DocumentQuantity(
    string Meter, string Raw, string Billable, string ByPack, string Standard, string StandardError);

/// <summary>What waits for a price.</summary>
/// <param name="Unit">TOK, IMG, ….</param>
/// <param name="Quantity">How much.</param>
public sealed record DocumentWaiting(string Unit, string Quantity);

/// <summary>Tax.</summary>
/// <param name="Percent">Rate in percent; empty when none is told apart.</param>
/// <param name="Mode">included or added.</param>
/// <param name="Net">Without tax.</param>
/// <param name="Tax">Tax.</param>
/// <param name="Gross">With tax; always net + tax.</param>
public sealed record DocumentTax(string Percent, string Mode, string Net, string Tax, string Gross);

/// <summary>What an account paid or owes.</summary>
/// <param name="Account">Path of the account.</param>
/// <param name="Kind">prepaid, voucher, credit, overrun, receivable or cost.</param>
/// <param name="Exact">Exact amount of the charges.</param>
/// <param name="Amount">In whole minor units, with tax and rounding: these add up to the gross.</param>
public sealed record DocumentPaid(string Account, string Kind, string Exact, string Amount);

/// <summary>Tokens drawn from a pack.</summary>
/// <param name="Account">Path of the account.</param>
/// <param name="Tokens">Tokens.</param>
public sealed record DocumentPack(string Account, string Tokens);

/// <summary>The form of statements: JSON, in the order of the declarations, nothing left out.</summary>
[JsonSerializable(typeof(StatementDocument))]
internal sealed partial class StatementJson : JsonSerializerContext
{
    /// <summary>Chinese is written as it is read, not as escapes.</summary>
    internal static JsonTypeInfo<StatementDocument> Readable { get; } =
        new StatementJson(new JsonSerializerOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
        }).StatementDocument;
}
