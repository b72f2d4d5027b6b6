using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;

namespace Ciyuan.Server.Console.Data;

/// <summary>What needs a hand, the urgent first.</summary>
internal static class Concerns
{
    /// <summary>Ends are told so many days before.</summary>
    private const int DaysAhead = 30;

    private const int MostOfAKind = 8;

    /// <summary>Looks through balances, what waits for a price, disputes, differences, agreements and keys.</summary>
    internal static List<Concern> Find(
        Visit visit, IReadOnlyList<AccountView> accounts, ReportScope days, SettlementState settlement)
    {
        var all = new List<Concern>();
        AccountView[] own = [.. accounts.Where(a => visit.Scope.SeesAccount(a.Name.Path))];
        AddLedger(visit, own, days, all);
        AddFunding(visit, own, all);
        all.AddRange(SettlementConcerns.Find(visit, settlement));
        AddEnds(visit, all);
        return [.. all.OrderByDescending(c => c.IsUrgent)];
    }

    private static void AddLedger(Visit visit, AccountView[] accounts, ReportScope days, List<Concern> all)
    {
        foreach (AccountView account in accounts.Where(a => visit.Scope.IsAll
            && a.Name.Path.StartsWith("ledger/suspense/", StringComparison.Ordinal) && !a.Balance.IsZero))
        {
            all.Add(new Concern(
                "concern.suspense." + PartOf(account, 2),
                v => [Text(v, new Amount(Int128.Abs(account.Balance.Pico)), account.Name.Currency)],
                LinkOf(account), true));
        }

        if (visit.Scope.IsAll && days.KeptAside > 0)
        {
            string kept = Figures.Exact(days.KeptAside);
            all.Add(new Concern("concern.conflict", _ => [kept], "/console/usage/records?period=2d&kept=1", true));
        }

        foreach (AccountView account in accounts.Where(a => PartOf(a, 1) == "overrun" && a.Balance.IsNegative)
            .OrderBy(a => a.Balance.Pico).Take(MostOfAKind))
        {
            all.Add(new Concern(
                "concern.overrun", v => [PartOf(account, 0), Text(v, -account.Balance, account.Name.Currency)],
                LinkOf(account), true));
        }
    }

    private static void AddFunding(Visit visit, AccountView[] accounts, List<Concern> all)
    {
        foreach (AccountView account in accounts.Where(IsLow).Take(MostOfAKind))
        {
            all.Add(new Concern(
                "concern.low",
                v => [PartOf(account, 0), NameOf(v, account),
                    Text(v, account.Available!.Value, account.Name.Currency)],
                LinkOf(account), account.Available!.Value.Pico <= 0));
        }

        Timestamp until = visit.Day(DaysAhead);
        foreach (AccountView account in accounts.Where(a => a.Expires is { } end && end > visit.Now && end < until
            && a.Balance > Amount.Zero).OrderBy(a => a.Expires!.Value).Take(MostOfAKind))
        {
            all.Add(new Concern(
                "concern.pack",
                v => [PartOf(account, 0), NameOf(v, account), v.Local(account.Expires!.Value, "uuuu-MM-dd"),
                    Text(v, account.Balance, account.Name.Currency)],
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
                "concern.agreement", v => [agreement.Id, v.Local(agreement.Valid.End, "uuuu-MM-dd")],
                $"/console/parties/{PartyOf(agreement, catalog)}#agreements", false));
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
                    "concern.key", v => [access.Key, key.Party, v.Local(end, "uuuu-MM-dd")],
                    $"/console/parties/{key.Party}#keys", false));
            }
        }
    }

    // A tenth is left, or less: of what came in, or of what may be owed.
    private static bool IsLow(AccountView account) => PartOf(account, 1) is "prepaid" or "pack" or "credit"
        && account is { Available: { } left, MayOwe: { } mayOwe }
        && left.Pico * 10 < (PartOf(account, 1) == "credit" ? mayOwe : account.CreditsPosted).Pico;

    // Whoever is not the platform: its page has the agreement.
    private static string PartyOf(Agreement agreement, Catalog catalog) =>
        agreement.Setup.Payer == catalog.Platform ? agreement.Setup.Payee : agreement.Setup.Payer;

    // "token pack main", as its page calls it.
    private static string NameOf(Visit visit, AccountView account)
    {
        string kind = PartOf(account, 1);
        return $"{visit.T("funding." + char.ToUpperInvariant(kind[0]) + kind[1..])} {PartOf(account, 2)}";
    }

    private static string PartOf(AccountView account, int part) =>
        account.Name.Path.Split('/').ElementAtOrDefault(part) ?? "";

    private static string Text(Visit visit, Amount amount, Currency currency) =>
        Figures.WithUnit(visit.Language, amount.Pico, currency.ToString());

    private static string LinkOf(AccountView account) => Visit.Link(
        "/console/ledger/account", ("path", account.Name.Path), ("currency", account.Name.Currency.ToString()));
}
