using System.Globalization;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Render;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Period = Ciyuan.Quantities.Period;

namespace Ciyuan.Server.Console.Pages;

/// <summary>Accounts and their balances.</summary>
/// <param name="Sheet">The balances.</param>
/// <param name="Match">Which accounts.</param>
/// <param name="At">The moment as it was asked for; empty: now.</param>
internal sealed record LedgerModel(BalanceSheet Sheet, string Match, string At);

/// <summary>What moved on an account.</summary>
/// <param name="Name">The account.</param>
/// <param name="View">Its balances; null when it is known from entries alone.</param>
/// <param name="Page">Its entries.</param>
internal sealed record AccountModel(AccountName Name, AccountView? View, EntryPage Page);

/// <summary>A statement, and the choice of others.</summary>
/// <param name="Statement">The statement; null while none is chosen.</param>
/// <param name="Agreements">Agreements to choose from.</param>
/// <param name="Agreement">The one that is chosen.</param>
/// <param name="Month">The period that is chosen.</param>
internal sealed record StatementModel(
    Statement? Statement, IReadOnlyList<string> Agreements, string Agreement, string Month);

/// <summary>账本 Ledger: balances at any time, entries, holds, statements.</summary>
internal static class LedgerPages
{
    internal const string Path = "/console/ledger";
    internal const string Source = "console";

    private const int MostAccounts = 2_000;
    private const int MostCsvEntries = 10_000;

    internal static int ShownAccounts => MostAccounts;

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.All, ShowAsync),
        new("GET", Path + ".csv", ConsoleRoute.All, CsvAsync),
        new("GET", Path + "/account", ConsoleRoute.All, AccountAsync),
        new("GET", Path + "/account.csv", ConsoleRoute.All, AccountCsvAsync),
        new("GET", Path + "/holds", ConsoleRoute.Staff, HoldsAsync),
        new("GET", Path + "/holds.csv", ConsoleRoute.Staff, HoldsCsvAsync),
        new("GET", Path + "/statement", ConsoleRoute.All, StatementAsync),
        new("GET", Path + "/statement.csv", ConsoleRoute.All, StatementCsvAsync),
        new("POST", Path + "/deposit", ConsoleRoute.Money, DepositAsync),
    ];

    private static async Task<LedgerModel?> FindAsync(Visit visit)
    {
        string match = visit.Query("match") is { Length: > 0 and <= 256 } given ? given : "*";
        string at = visit.Query("at");
        bool Matches(string path) => visit.Scope.SeesAccount(path)
            && new Filter(Dimension.Party, [match]).Matches(path);
        if (at.Length == 0)
        {
            IReadOnlyList<AccountView> accounts = await visit.Desk.BalancesAsync(visit.Http.RequestAborted);
            return new LedgerModel(BalanceSheet.Now(accounts, match, Matches, visit.Desk.Shard.DurableSeq), match, at);
        }

        if (!Period.TryParseBound(at, visit.Zone, out Timestamp moment))
        {
            return null;
        }

        BalanceSheet sheet = await visit.Desk.WorkAsync(() =>
        {
            (long seq, IReadOnlyDictionary<AccountName, AccountTotals> totals) = Balances.At(
                visit.Desk.Options.Folder, moment, TimeBasis.Recorded, visit.Desk.Options.Shard,
                visit.Http.RequestAborted);
            return BalanceSheet.Then(moment, TimeBasis.Recorded, totals, match, Matches, seq);
        }, visit.Http.RequestAborted);
        return new LedgerModel(sheet, match, at);
    }

    private static async Task ShowAsync(Visit visit)
    {
        if (await FindAsync(visit) is not { } model)
        {
            await FaultAsync(visit, "at=" + visit.Query("at"));
            return;
        }

        await visit.PageAsync<LedgerSheet>(visit.T("nav.ledger"), model);
    }

    private static async Task CsvAsync(Visit visit)
    {
        if (await FindAsync(visit) is not { } model)
        {
            await FaultAsync(visit, "at=" + visit.Query("at"));
            return;
        }

        await visit.CsvAsync(BalanceRendering.Render(model.Sheet).ToTable(), "balances");
    }

    private static async Task AccountAsync(Visit visit)
    {
        if (await FindAccountAsync(visit) is not { } account)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        EntryPage page = await visit.Desk.WorkAsync(
            () => EntrySearch.Find(visit.Desk.Journal, account.Name, LastFrame(visit)), visit.Http.RequestAborted);
        await visit.PageAsync<AccountSheet>(account.Name.Path, new AccountModel(account.Name, account, page));
    }

    private static async Task AccountCsvAsync(Visit visit)
    {
        if (await FindAccountAsync(visit) is not { } account)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        var table = new Table([
            new("recorded"), new("kind"), new("place"), new("text"), new("other_account"), new("debit", true),
            new("credit", true), new("currency")]);
        CancellationToken left = visit.Http.RequestAborted;
        EntryPage page = await visit.Desk.WorkAsync(() => FindEntries(visit, account.Name, left), left);
        foreach (AccountEntry entry in page.Entries)
        {
            string amount = (entry.Amount.IsNegative ? -entry.Amount : entry.Amount).ToString();
            table.Add(
                entry.Recorded.ToString(), entry.Kind.ToString().ToLowerInvariant(),
                string.Create(CultureInfo.InvariantCulture, $"{entry.Position.Seq}.{entry.Position.Index}"), entry.Text,
                entry.Other.Path, entry.Amount.IsNegative ? amount : "", entry.Amount.IsNegative ? "" : amount,
                account.Name.Currency.ToString());
        }

        await visit.CsvAsync(table, "entries");
    }

    private static EntryPage FindEntries(Visit visit, AccountName account, CancellationToken left)
    {
        var entries = new List<AccountEntry>();
        long last = LastFrame(visit);
        while (last > 0 && entries.Count < MostCsvEntries && !left.IsCancellationRequested)
        {
            EntryPage page = EntrySearch.Find(visit.Desk.Journal, account, last);
            entries.AddRange(page.Entries);
            last = page.Next;
        }

        return new EntryPage(entries, last);
    }

    private static long LastFrame(Visit visit) =>
        long.TryParse(visit.Query("before"), NumberStyles.None, CultureInfo.InvariantCulture, out long before)
            ? before
            : visit.Desk.Shard.DurableSeq;

    // An account that the visitor sees; null: there is none.
    private static async Task<AccountView?> FindAccountAsync(Visit visit)
    {
        string path = visit.Query("path");
        if (!Currency.TryParse(visit.Query("currency"), out Currency currency) || !visit.Scope.SeesAccount(path))
        {
            return null;
        }

        var name = new AccountName(path, currency);
        IReadOnlyList<AccountView> accounts = await visit.Desk.BalancesAsync(visit.Http.RequestAborted);
        return accounts.FirstOrDefault(a => a.Name == name);
    }

    private static async Task HoldsAsync(Visit visit) =>
        await visit.PageAsync<HoldsSheet>(visit.T("holds.title"), await FindHoldsAsync(visit));

    private static async Task HoldsCsvAsync(Visit visit)
    {
        var table = new Table(
        [
            new("time"), new("party"), new("hold"), new("memo"), new("amount", true), new("currency"), new("expires"),
        ]);
        foreach (LedgerGroup group in await FindHoldsAsync(visit))
        {
            foreach (PlaceHold hold in group.Operations.OfType<PlaceHold>())
            {
                table.Add(group.EventTime.ToString(), hold.Party, hold.Hold, group.Memo, hold.Amount.ToString(),
                    hold.Currency.ToString(), hold.Expires.ToString());
            }
        }

        await visit.CsvAsync(table, "holds");
    }

    private static async Task<IReadOnlyList<LedgerGroup>> FindHoldsAsync(Visit visit) =>
        await visit.Desk.Shard.OpenHoldsAsync(
            GatewayRecorder.Source, visit.Now.PlusNanoseconds(-24L * 3600 * Timestamp.PerSecond),
            visit.Http.RequestAborted);

    private static async Task<(StatementModel? Model, bool IsForeign)> FindStatementAsync(Visit visit)
    {
        string[] agreements = [.. visit.Desk.Catalog.Agreements.Select(a => a.Id).Where(visit.Scope.Sees)];
        string id = visit.Query("agreement");
        NodaTime.LocalDate today = NodaTime.LocalDate.FromDateTime(visit.Now.ToInstant().InZone(visit.Zone)
            .ToDateTimeUnspecified());
        string month = visit.Query("period") is { Length: > 0 } given
            ? given
            : today.PlusMonths(-1).ToString("uuuu-MM", CultureInfo.InvariantCulture);
        if (id.Length == 0)
        {
            return (new StatementModel(null, agreements, "", month), false);
        }

        if (Array.IndexOf(agreements, id) < 0)
        {
            return (null, true);
        }

        if (!Period.TryParse(month, visit.Zone, out Period period))
        {
            return (null, false);
        }

        var query = new StatementQuery(id, period, visit.Zone);
        Statement statement = await visit.Desk.WorkAsync(
            () => visit.Desk.Shard.Facts.RunStatement(query), visit.Http.RequestAborted);
        return (new StatementModel(
            statement.Of(visit.Desk.Catalog.FindAgreement(id)!.Setup), agreements, id, month), false);
    }

    private static async Task StatementAsync(Visit visit)
    {
        (StatementModel? model, bool foreign) = await FindStatementAsync(visit);
        if (model is null)
        {
            await (foreign ? visit.FailAsync(404, "error.id") : FaultAsync(visit, "period=" + visit.Query("period")));
            return;
        }

        await visit.PageAsync<StatementSheet>(visit.T("statement.title"), model);
    }

    private static async Task StatementCsvAsync(Visit visit)
    {
        (StatementModel? model, bool foreign) = await FindStatementAsync(visit);
        if (model?.Statement is not { } statement)
        {
            await (foreign ? visit.FailAsync(404, "error.id") : FaultAsync(visit, "period=" + visit.Query("period")));
            return;
        }

        await visit.CsvAsync(StatementRendering.Render(statement).ToTable(), "statement");
    }

    // The form's own secret is the id: the same form sent twice is one deposit.
    private static async Task DepositAsync(Visit visit)
    {
        string[] account = visit.Field("account").Split(' ');
        string party = visit.Field("party");
        bool own = account.Length == 2 && account[0].StartsWith(party + "/", StringComparison.Ordinal)
            && account[0].Split('/') is [_, "prepaid" or "voucher" or "pack", _];
        if (!own || !Currency.TryParse(account[1], out Currency currency)
            || !Amount.TryParse(visit.Field("amount").Trim(), out Amount amount) || amount <= Amount.Zero)
        {
            await visit.FailAsync(422, "deposit.fault");
            return;
        }

        string once = visit.Field("once");
        string memo = visit.Field("memo").Trim();
        var group = new LedgerGroup(
            Source, once.Length is > 20 and < 100 ? once : Users.Accounts.NewSecret(), visit.Now,
            [new PostTransfer($"{visit.Desk.Catalog.Platform}/cash/main", account[0], currency, amount)],
            $"by {visit.User!.Id}" + (memo.Length > 0 ? ": " + memo[..Math.Min(memo.Length, 200)] : ""));
        GroupReply reply = await visit.Desk.Shard.PostAsync(group);
        visit.Desk.ForgetBalances();
        LedgerStatus status = reply.Status == LedgerStatus.Exists ? reply.Earlier : reply.Status;
        if (status is LedgerStatus.Done or LedgerStatus.Conflict)
        {
            await visit.GoAsync($"{PartyPages.Path}/{party}#accounts"); // a conflict is the same form, sent again later
            return;
        }

        await visit.FailAsync(422, "error.refused", status.ToString());
    }

    private static Task FaultAsync(Visit visit, string fault) => visit.PageAsync<Failure>(
        visit.T("error.title"), new FailureModel(400, "error.conditions", [fault]), 400);
}
