using System.Text.Json;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Render;

/// <summary>Balances of accounts, and what they cover.</summary>
/// <param name="At">The moment; null: as of the last frame.</param>
/// <param name="Basis">Which time places a posting before or after the moment.</param>
/// <param name="Pattern">Accounts that are shown: a path with <c>*</c>.</param>
/// <param name="DataToSeq">Last frame that was read.</param>
/// <param name="Accounts">Sorted by path, then currency.</param>
public sealed record BalanceSheet(
    Timestamp? At, TimeBasis Basis, string Pattern, long DataToSeq, IReadOnlyList<BalanceLine> Accounts)
{
    /// <summary>The accounts after the last frame, with what is held and what is available.</summary>
    /// <param name="accounts">All accounts.</param>
    /// <param name="pattern">Shown in the scope.</param>
    /// <param name="matches">Which paths are shown.</param>
    /// <param name="seq">The last frame.</param>
    public static BalanceSheet Now(
        IEnumerable<AccountView> accounts, string pattern, Func<string, bool> matches, long seq) =>
        new(null, TimeBasis.Recorded, pattern, seq,
        [
            .. accounts.Where(a => matches(a.Name.Path))
                .OrderBy(a => a.Name.Path, StringComparer.Ordinal).ThenBy(a => a.Name.Currency)
                .Select(a => new BalanceLine(
                    a.Name, new AccountTotals(a.DebitsPosted, a.CreditsPosted), a.DebitsPending, a.Available)),
        ]);

    /// <summary>The accounts at a moment: what was posted, as what was held can't be told from frames.</summary>
    /// <param name="at">The moment.</param>
    /// <param name="basis">Which time counts.</param>
    /// <param name="sums">All accounts.</param>
    /// <param name="pattern">Shown in the scope.</param>
    /// <param name="matches">Which paths are shown.</param>
    /// <param name="seq">The last frame that was read.</param>
    public static BalanceSheet Then(
        Timestamp at, TimeBasis basis, IReadOnlyDictionary<AccountName, AccountTotals> sums, string pattern,
        Func<string, bool> matches, long seq) =>
        new(at, basis, pattern, seq,
        [
            .. sums.Where(a => matches(a.Key.Path))
                .OrderBy(a => a.Key.Path, StringComparer.Ordinal).ThenBy(a => a.Key.Currency)
                .Select(a => new BalanceLine(a.Key, a.Value, null, null)),
        ]);
}

/// <summary>One account.</summary>
/// <param name="Name">Path and currency.</param>
/// <param name="Totals">What was posted.</param>
/// <param name="Pending">Sum of the open holds; null at a moment in the past.</param>
/// <param name="Available">What can still be drawn; null without a limit, and at a moment in the past.</param>
public readonly record struct BalanceLine(AccountName Name, AccountTotals Totals, Amount? Pending, Amount? Available);

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
            new("balance", IsNumber: true), .. sheet.At is null
                ? new TableColumn[] { new("pending", IsNumber: true), new("available", IsNumber: true) }
                : [],
        ])
        {
            Scope =
            [
                $"Scope: accounts {sheet.Pattern}, {at}; journal up to frame {sheet.DataToSeq}. "
                    + "Balance is credits less debits",
            ],
            Notes = SumSentences(sheet),
        };
        foreach ((AccountName name, AccountTotals totals, Amount? pending, Amount? available) in sheet.Accounts)
        {
            string[] now = sheet.At is null ? [pending.ToString() ?? "", available?.ToString() ?? ""] : [];
            table.Add([name.Path, name.Currency.ToString(), totals.Debits.ToString(), totals.Credits.ToString(),
                totals.Balance.ToString(), .. now]);
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
        foreach ((AccountName name, AccountTotals totals, Amount? pending, Amount? available) in sheet.Accounts)
        {
            json.WriteStartObject();
            json.WriteString("account", name.Path);
            json.WriteString("currency", name.Currency.ToString());
            json.WriteString("debits", totals.Debits.ToString());
            json.WriteString("credits", totals.Credits.ToString());
            json.WriteString("balance", totals.Balance.ToString());
            if (sheet.At is null)
            {
                json.WriteString("pending", pending.ToString());
                json.WriteString("available", available?.ToString());
            }

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
