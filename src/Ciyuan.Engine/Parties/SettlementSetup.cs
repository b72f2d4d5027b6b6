using System.Text.Json.Serialization;

namespace Ciyuan.Parties;

/// <summary>How often an agreement is settled. Numbers are stored: never change or reuse one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SettlementCycle>))]
public enum SettlementCycle : byte
{
    /// <summary>Each calendar month (月结); frozen from the second day of the next one on.</summary>
    Monthly = 0,

    /// <summary>Each day (日结); frozen as soon as it is over.</summary>
    Daily = 1,

    /// <summary>Each day, frozen from the end of the next one on (T+1).</summary>
    T1 = 2,
}

/// <summary>What prices have to do with tax. Numbers are stored: never change or reuse one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TaxMode>))]
public enum TaxMode : byte
{
    /// <summary>Prices include tax (含税): the amount agreed is taken apart into net and tax.</summary>
    Included = 0,

    /// <summary>Prices are net (不含税): tax is added to the amount agreed.</summary>
    Added = 1,
}

/// <summary>
/// How an agreement is settled, from a period on. Entries never change; a later one takes over with its first period,
/// which must not be frozen yet. Cycle and zone of an agreement stay what the first entry says.
/// </summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Start">First period: a month (<c>2026-10</c>), or a day for daily cycles.</param>
/// <param name="Cycle">How often.</param>
/// <param name="Zone">IANA zone in which days and months begin; left out: Asia/Shanghai.</param>
/// <param name="FreezeAfterDays">Days after the end of a period before which it is not frozen; left out: 1 for monthly
/// and T+1, 0 for daily. At most 60.</param>
/// <param name="DisputeDays">Days after the split, that of the split not counted, in which it may be disputed; left
/// out:
/// 10. At most 366.</param>
/// <param name="PaymentDays">Days after it is final within which it is paid; left out: 30. At most 366.</param>
/// <param name="MinimumPayout">Amounts below this are carried over; left out: none.</param>
/// <param name="TaxPercent">Rate of tax in percent with at most 4 decimals, such as 6; left out: no tax is told
/// apart.</param>
/// <param name="TaxMode">Whether prices include it.</param>
/// <param name="InvoiceItem">What an invoice calls the service, with its code in stars as tax authorities want
/// it.</param>
public sealed record SettlementSetup(
    string Agreement,
    string Start,
    SettlementCycle Cycle = SettlementCycle.Monthly,
    string? Zone = null,
    int? FreezeAfterDays = null,
    int? DisputeDays = null,
    int? PaymentDays = null,
    string? MinimumPayout = null,
    string? TaxPercent = null,
    TaxMode TaxMode = TaxMode.Included,
    string? InvoiceItem = null);

/// <summary>What statements, invoices and payments say of a party. A later entry replaces an earlier one; statements
/// that were made keep what they say.</summary>
/// <param name="Party">The party.</param>
/// <param name="Title">Name on invoices (发票抬头); left out: the party's name.</param>
/// <param name="TaxId">统一社会信用代码, 18 characters with its check character; or the id of another country, of another
/// length.</param>
/// <param name="Address">Address.</param>
/// <param name="Phone">Telephone.</param>
/// <param name="Bank">Bank (开户行).</param>
/// <param name="Account">Account at the bank.</param>
public sealed record BillingSetup(
    string Party,
    string? Title = null,
    string? TaxId = null,
    string? Address = null,
    string? Phone = null,
    string? Bank = null,
    string? Account = null)
{
    private const string IdCharacters = "0123456789ABCDEFGHJKLMNPQRTUWXY";

    /// <summary>Whether a text is a 统一社会信用代码 with the right check character (GB 32100-2015): the sum over the
    /// first 17 characters of value × 3^place mod 31, and the check character, are together a multiple of 31.</summary>
    public static bool IsSocialCreditCode(string text)
    {
        int sum = 0;
        int weight = 1;
        for (int i = 0; i < text.Length; i++, weight = weight * 3 % 31)
        {
            int value = IdCharacters.IndexOf(text[i], StringComparison.Ordinal);
            if (value < 0 || i > 17)
            {
                return false;
            }

            sum += i < 17 ? value * weight : value;
        }

        return text.Length == 18 && sum % 31 == 0;
    }
}
