using System.Security.Cryptography;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console.Pages;

/// <summary>A party in the list.</summary>
/// <param name="Party">The party.</param>
/// <param name="LastMonth">What moved under its agreements in the month before.</param>
/// <param name="Month">What has moved this month.</param>
internal sealed record PartyLine(PartySetup Party, Sums LastMonth, Sums Month);

/// <summary>What moves under an agreement.</summary>
/// <param name="Agreement">The agreement.</param>
/// <param name="Months">By month, the newest first: name and amount in its currency.</param>
internal sealed record AgreementLine(Agreement Agreement, IReadOnlyList<(string Month, Int128 Amount)> Months);

/// <summary>The page of a party.</summary>
internal sealed record PartyModel(
    PartySetup Party, IReadOnlyList<AgreementLine> Agreements, IReadOnlyList<AccountView> Accounts,
    IReadOnlyList<ProjectSetup> Projects, IReadOnlyList<(KeySetup Key, AccessSetup? Access)> Keys,
    IReadOnlyList<BudgetSetup> Budgets, IReadOnlyList<string> Months, string NewSecret);

/// <summary>主体 Parties: who takes part, and what moves between us.</summary>
internal static class PartyPages
{
    internal const string Path = "/console/parties";

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.All, ListAsync),
        new("GET", Path + ".csv", ConsoleRoute.Staff, CsvAsync),
        new("POST", Path, ConsoleRoute.Operators, AddAsync),
        new("GET", Path + "/*", ConsoleRoute.All, v => ShowAsync(v, v.Rest(Path + "/"), "")),
        new("POST", Path + "/keys", ConsoleRoute.Operators, MakeKeyAsync),
        new("POST", Path + "/revoke", ConsoleRoute.Operators, RevokeAsync),
        new("POST", Path + "/budgets", ConsoleRoute.Operators, SetBudgetAsync),
        new("POST", Path + "/agreements", ConsoleRoute.Operators, AddAgreementAsync),
        new("POST", Path + "/funding", ConsoleRoute.Operators, OpenFundingAsync),
    ];

    private static async Task ListAsync(Visit visit)
    {
        if (!visit.Scope.IsAll)
        {
            await visit.GoAsync($"{Path}/{visit.Scope.Party}");
            return;
        }

        await visit.PageAsync<PartiesSheet>(visit.T("nav.parties"), await FindAsync(visit));
    }

    private static async Task CsvAsync(Visit visit)
    {
        var table = new Table(
            [new("party"), new("name"), new("roles"), new("currency"), new("last_month", true), new("month", true)]);
        foreach (PartyLine line in await FindAsync(visit))
        {
            string roles = string.Join(' ', line.Party.Roles.Select(r => r.ToString().ToLowerInvariant()));
            foreach (string currency in line.LastMonth.Currencies.Union(line.Month.Currencies).DefaultIfEmpty(""))
            {
                table.Add(line.Party.Id, line.Party.Name, roles, currency,
                    new Amount(line.LastMonth.Moved(currency)).ToString(),
                    new Amount(line.Month.Moved(currency)).ToString());
            }
        }

        await visit.CsvAsync(table, "parties");
    }

    private static async Task<List<PartyLine>> FindAsync(Visit visit)
    {
        Report report = await MonthsAsync(visit, 2);
        string now = visit.Local(visit.Now, "uuuu-MM");
        var lines = new List<PartyLine>();
        foreach (PartySetup party in visit.Desk.Catalog.Parties.Values.OrderBy(p => p.Roles[0])
            .ThenBy(p => p.Id, StringComparer.Ordinal))
        {
            HashSet<string> own = [.. visit.Desk.Catalog.Agreements
                .Where(a => a.Setup.Payer == party.Id || a.Setup.Payee == party.Id).Select(a => a.Id)];
            ReportRow[] rows = [.. report.Rows.Where(r => own.Contains(r.Key[1]))];
            lines.Add(new PartyLine(
                party, Sums.Of(report, rows.Where(r => r.Key[0] != now)),
                Sums.Of(report, rows.Where(r => r.Key[0] == now))));
        }

        return lines;
    }

    private static Task<Report> MonthsAsync(Visit visit, int months)
    {
        NodaTime.LocalDate today = visit.Now.ToInstant().InZone(visit.Zone).Date;
        var first = new NodaTime.LocalDate(today.Year, today.Month, 1);
        Timestamp Start(NodaTime.LocalDate day) =>
            Timestamp.FromInstant(visit.Zone.AtStartOfDay(day).ToInstant());
        return visit.Desk.ReportAsync(new ReportQuery
        {
            Period = new Quantities.Period(Start(first.PlusMonths(1 - months)), Start(first.PlusMonths(1))),
            Zone = visit.Zone,
            Bucket = Bucket.Month,
            GroupBy = [Dimension.Agreement],
            Filters = visit.Scope.Filters,
        }, visit.Http.RequestAborted);
    }

    private static async Task ShowAsync(Visit visit, string id, string newSecret)
    {
        Catalog catalog = visit.Desk.Catalog;
        if (!visit.Scope.SeesParty(id) || !catalog.Parties.TryGetValue(id, out PartySetup? party))
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        const int Months = 3;
        Report report = await MonthsAsync(visit, Months);
        NodaTime.LocalDate today = visit.Now.ToInstant().InZone(visit.Zone).Date;
        string[] months = [.. Enumerable.Range(0, Months).Select(i => new NodaTime.LocalDate(today.Year, today.Month, 1)
            .PlusMonths(-i).ToString("uuuu-MM", System.Globalization.CultureInfo.InvariantCulture))];
        AgreementLine[] agreements = [.. catalog.Agreements
            .Where(a => (a.Setup.Payer == id || a.Setup.Payee == id) && visit.Scope.Sees(a.Id))
            .Select(a => new AgreementLine(a, [.. months.Select(month => (month, Sums.Of(report, report.Rows.Where(
                r => r.Key[0] == month && r.Key[1] == a.Id)).Moved(a.Currency.ToString())))]))];
        IReadOnlyList<AccountView> accounts = await visit.Desk.BalancesAsync(visit.Http.RequestAborted);
        await visit.PageAsync<PartySheet>(party.Name, new PartyModel(
            party, agreements,
            [.. accounts.Where(a => a.Name.Path.StartsWith(id + "/", StringComparison.Ordinal)
                && visit.Scope.SeesAccount(a.Name.Path))],
            [.. catalog.Projects.Where(p => p.Party == id)],
            [.. catalog.Keys.Where(k => k.Party == id).Select(k =>
                (k, catalog.Gateway.Access.FirstOrDefault(a => a.Key == k.Id)))],
            [.. catalog.Gateway.Budgets.Where(b => b.Party == id)], months, newSecret));
    }

    private static Task AddAsync(Visit visit)
    {
        string id = visit.Field("id").Trim();
        Role[] roles = [.. visit.Http.Request.Form["role"].Select(r => Enum.TryParse(r, out Role role) ? role : default)
            .Distinct()];
        string name = visit.Field("name").Trim();
        return visit.ApplyAsync(
            new Setup { Parties = [new PartySetup(id, name.Length > 0 ? name : id, roles)] }, $"{Path}/{id}");
    }

    private static async Task MakeKeyAsync(Visit visit)
    {
        string party = visit.Field("party");
        string project = visit.Field("project").Trim();
        string id = visit.Field("id").Trim();
        Catalog catalog = visit.Desk.Catalog;
        if (catalog.Gateway.Access.Any(a => a.Key == id))
        {
            await visit.FailAsync(422, "keys.taken");
            return;
        }

        string secret = Secrets.Make(RandomNumberGenerator.GetBytes(32));
        var access = new AccessSetup(
            id, Secrets.Hash(secret), secret[..Secrets.ShownLength], Models: visit.List("models"),
            Expires: ReadDay(visit, "expires"), RequestsPerMinute: visit.Whole("requests", 0),
            TokensPerMinute: visit.Whole("tokens", 0), Concurrency: visit.Whole("concurrency", 0));
        bool known = catalog.FindProject(party, project) is not null;
        if (await visit.TryApplyAsync(new Setup
        {
            Projects = known ? [] : [new ProjectSetup(party, project)],
            Keys = [new KeySetup(party, project, id)],
            Access = [access],
        }))
        {
            await ShowAsync(visit, party, secret); // in the answer alone: it is kept nowhere
        }
    }

    // A day of the zone, as its first moment.
    private static string ReadDay(Visit visit, string name) =>
        Quantities.Period.TryParseBound(visit.Field(name), visit.Zone, out Timestamp moment)
            ? moment.ToString()
            : visit.Field(name);

    private static async Task RevokeAsync(Visit visit)
    {
        string id = visit.Field("id");
        if (visit.Desk.Catalog.Gateway.Access.FirstOrDefault(a => a.Key == id) is not { } access)
        {
            await visit.FailAsync(404, "error.id");
            return;
        }

        await visit.ApplyAsync(
            new Setup { Access = [access with { Revoked = true }] }, $"{Path}/{visit.Field("party")}#keys");
    }

    private static Task SetBudgetAsync(Visit visit) => visit.ApplyAsync(
        new Setup
        {
            Budgets =
            [
                new BudgetSetup(
                    visit.Field("id").Trim(), visit.Field("party"), visit.Field("currency").Trim(),
                    visit.Field("amount").Trim(), visit.Field("project").Trim(), visit.Field("key").Trim(),
                    Enum.TryParse(visit.Field("period"), out BudgetPeriod period) ? period : BudgetPeriod.Month,
                    visit.Zone.Id),
            ],
        },
        $"{Path}/{visit.Field("party")}#budgets");

    private static Task AddAgreementAsync(Visit visit) => visit.ApplyAsync(
        new Setup
        {
            Agreements =
            [
                new AgreementSetup(
                    visit.Field("id").Trim(), visit.Field("payer"), visit.Field("payee"), From: ReadDay(visit, "from"),
                    To: ReadDay(visit, "to"), Book: visit.Field("book")),
            ],
        },
        $"{Path}/{visit.Field("party")}#agreements");

    private static Task OpenFundingAsync(Visit visit) => visit.ApplyAsync(
        new Setup
        {
            Funding =
            [
                new FundingSetup(
                    visit.Field("party"), visit.Field("id").Trim(),
                    Enum.TryParse(visit.Field("kind"), out FundingKind kind) ? kind : FundingKind.Prepaid,
                    visit.Field("currency").Trim(), Expires: ReadDay(visit, "expires"),
                    Limit: visit.Field("limit").Trim()),
            ],
        },
        $"{Path}/{visit.Field("party")}#accounts");
}
