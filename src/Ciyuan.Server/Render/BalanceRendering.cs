using System.Text.Json;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Settlement;

namespace Ciyuan.Server.Render;

/// <summary>Balances of accounts, and what they cover.</summary>
/// <param name="At">The moment; null: as of the last frame.</param>
/// <param name="Basis">Which time places a posting before or after the moment.</param>
/// <param name="Pattern">Accounts that are shown: a path with <c>*</c>.</param>
/// <param name="DataToSeq">Last frame that was read.</param>
/// <param name="Accounts">Sorted by path, then currency.</param>
public sealed record BalanceSheet(
    Timestamp? At, TimeBasis Basis, string Pattern, long DataToSeq,
    IReadOnlyList<(AccountName Name, AccountTotals Totals)> Accounts);

/// <summary>Writes balances. In JSON amounts are decimal strings.</summary>
public static class BalanceRendering
{
    /// <summary>Balances in each format.</summary>
    public static Rendering Render(BalanceSheet sheet) => new(() => ToTable(sheet), json => WriteJson(json, sheet));

    private static Table ToTable(BalanceSheet sheet)
    {
        string at = sheet.At is { } moment
            ? $"at {moment} by time of {(sheet.Basis == TimeBasis.Event ? "event" : "recording")}"
            : "now";
        var table = new Table([
            new("account"), new("currency"), new("debits", IsNumber: true), new("credits", IsNumber: true),
            new("balance", IsNumber: true),
        ])
        {
            Scope =
            [
                $"Scope: accounts {sheet.Pattern}, {at}; journal up to frame {sheet.DataToSeq}. "
                    + "Balance is credits less debits",
            ],
            Notes = SumSentences(sheet),
        };
        foreach ((AccountName name, AccountTotals totals) in sheet.Accounts)
        {
            table.Add(name.Path, name.Currency.ToString(), totals.Debits.ToString(), totals.Credits.ToString(),
                totals.Balance.ToString());
        }

        return table;
    }

    // Over all accounts each currency sums to zero, which is worth seeing.
    private static List<string> SumSentences(BalanceSheet sheet) =>
    [
        .. Sums(sheet)
            .Select(sum => $"Sum of the balances above in {sum.Currency}: {Table.Group(sum.Balance.ToString())}"),
    ];

    private static IEnumerable<(Currency Currency, Amount Balance)> Sums(BalanceSheet sheet) => sheet.Accounts
        .GroupBy(account => account.Name.Currency).OrderBy(group => group.Key)
        .Select(group => (group.Key, group.Aggregate(Amount.Zero, (sum, account) => sum + account.Totals.Balance)));

    private static void WriteJson(Utf8JsonWriter json, BalanceSheet sheet)
    {
        json.WriteStartObject();
        json.WriteString("at", sheet.At?.ToString());
        json.WriteString("by", sheet.Basis == TimeBasis.Event ? "event" : "recorded");
        json.WriteString("pattern", sheet.Pattern);
        json.WriteNumber("data_to_seq", sheet.DataToSeq);
        json.WriteStartArray("accounts");
        foreach ((AccountName name, AccountTotals totals) in sheet.Accounts)
        {
            json.WriteStartObject();
            json.WriteString("account", name.Path);
            json.WriteString("currency", name.Currency.ToString());
            json.WriteString("debits", totals.Debits.ToString());
            json.WriteString("credits", totals.Credits.ToString());
            json.WriteString("balance", totals.Balance.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("sums");
        foreach ((Currency currency, Amount balance) in Sums(sheet))
        {
            json.WriteString(currency.ToString(), balance.ToString());
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
