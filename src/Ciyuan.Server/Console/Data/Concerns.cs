using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console.Data;

/// <summary>What needs a hand, the urgent first.</summary>
internal static class Concerns
{
    /// <summary>Ends are told so many days before.</summary>
    private const int DaysAhead = 30;

    private const int MostOfAKind = 8;

    /// <summary>Looks through balances, agreements, keys and what waits for a price.</summary>
    internal static List<Concern> Find(Visit visit, IReadOnlyList<AccountView> accounts, ReportScope days)
    {
        var all = new List<Concern>();
        AccountView[] own = [.. accounts.Where(a => visit.Scope.SeesAccount(a.Name.Path))];
        AddLedger(visit, own, days, all);
        AddFunding(visit, own, all);
        AddEnds(visit, all);
        return [.. all.OrderByDescending(c => c.IsUrgent)];
    }

    private static void AddLedger(Visit visit, AccountView[] accounts, ReportScope days, List<Concern> all)
    {
        foreach (AccountView account in accounts.Where(a => visit.Scope.IsAll
            && a.Name.Path.StartsWith("ledger/suspense/", StringComparison.Ordinal) && !a.Balance.IsZero))
        {
            string quantity = Figures.Short(visit.Language, Int128.Abs(account.Balance.Pico) / Amount.PicoPerUnit);
            all.Add(new Concern(
                "concern.suspense", [$"{quantity} {account.Name.Currency}", PartOf(account, 2)], LinkOf(account),
                true));
        }

        if (visit.Scope.IsAll && days.KeptAside > 0)
        {
            all.Add(new Concern("concern.conflict", [Figures.Exact(days.KeptAside)], "/console/usage/records", true));
        }

        foreach (AccountView account in accounts.Where(a => PartOf(a, 1) == "overrun" && a.Balance.IsNegative)
            .OrderBy(a => a.Balance.Pico).Take(MostOfAKind))
        {
            all.Add(new Concern(
                "concern.overrun", [PartOf(account, 0), Text(visit, -account.Balance, account.Name.Currency)],
                LinkOf(account), true));
        }
    }

    private static void AddFunding(Visit visit, AccountView[] accounts, List<Concern> all)
    {
        foreach (AccountView account in accounts.Where(IsLow).Take(MostOfAKind))
        {
            all.Add(new Concern(
                "concern.low",
                [PartOf(account, 0), PartOf(account, 2), Text(visit, account.Available!.Value, account.Name.Currency)],
                LinkOf(account), account.Available!.Value.Pico <= 0));
        }

        Timestamp until = visit.Day(DaysAhead);
        foreach (AccountView account in accounts.Where(a => a.Expires is { } end && end > visit.Now && end < until
            && a.Balance > Amount.Zero).OrderBy(a => a.Expires!.Value).Take(MostOfAKind))
        {
            all.Add(new Concern(
                "concern.pack",
                [PartOf(account, 0), PartOf(account, 2), visit.Local(account.Expires!.Value, "uuuu-MM-dd"),
                    Text(visit, account.Balance, account.Name.Currency)],
                LinkOf(account), false));
        }
    }

    private static void AddEnds(Visit visit, List<Concern> all)
    {
        Timestamp until = visit.Day(DaysAhead);
        Catalog catalog = visit.Desk.Catalog;
        foreach (Agreement agreement in catalog.Agreements.Where(a => visit.Scope.Sees(a.Id)
            && a.Valid.End > visit.Now && a.Valid.End < until).Take(MostOfAKind))
        {
            all.Add(new Concern(
                "concern.agreement", [agreement.Id, visit.Local(agreement.Valid.End, "uuuu-MM-dd")],
                "/console/parties/" + agreement.Setup.Payer, false));
        }

        if (!visit.Scope.IsAll && !visit.Scope.IsConsumer)
        {
            return;
        }

        foreach (AccessSetup access in catalog.Gateway.Access.Where(a => !a.Revoked && a.Expires.Length > 0))
        {
            if (all.Count < 64 && Timestamp.TryParse(access.Expires, out Timestamp end) && end > visit.Now
                && end < until && catalog.FindKey(access.Key) is { } key && visit.Scope.SeesParty(key.Party))
            {
                all.Add(new Concern(
                    "concern.key", [access.Key, key.Party, visit.Local(end, "uuuu-MM-dd")],
                    "/console/parties/" + key.Party, false));
            }
        }
    }

    // A tenth of what came in is left, or less.
    private static bool IsLow(AccountView account) => PartOf(account, 1) is "prepaid" or "pack"
        && account.Available is { } left && account.CreditsPosted > Amount.Zero
        && left.Pico * 10 < account.CreditsPosted.Pico;

    private static string PartOf(AccountView account, int part) =>
        account.Name.Path.Split('/').ElementAtOrDefault(part) ?? "";

    private static string Text(Visit visit, Amount amount, Currency currency) =>
        Figures.WithUnit(visit.Language, amount.Pico, currency.ToString());

    private static string LinkOf(AccountView account) => Visit.Link(
        "/console/ledger/account", ("path", account.Name.Path), ("currency", account.Name.Currency.ToString()));
}
