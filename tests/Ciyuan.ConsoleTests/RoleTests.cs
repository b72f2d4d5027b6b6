using System.Net;
using System.Text.RegularExpressions;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Console;
using Ciyuan.Statistics;
using Ciyuan.Storage;

namespace Ciyuan.ConsoleTests;

/// <summary>Every address of the console, as every role, with ids that are one's own and ids that are not.</summary>
public sealed class RoleTests : IAsyncLifetime
{
    private ConsoleSite _site = null!;

    public async Task InitializeAsync() => _site = await ConsoleSite.StartAsync(2_000);

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task Page_AskedByEachRole_AnswersThoseOfItsListAlone()
    {
        foreach ((string user, UserRole role, _) in ConsoleSite.Users)
        {
            using HttpClient client = _site.SignedIn(user);
            foreach (ConsoleRoute route in RoutesOf("GET").Where(r => r.Roles.Length > 0 && r.Path != "/console/live"))
            {
                HttpStatusCode status = await StatusAsync(client, AddressOf(route));
                bool may = route.Roles.Contains(role);
                Assert.True(
                    may ? (int)status < 500 && status != HttpStatusCode.Forbidden : status == HttpStatusCode.Forbidden,
                    $"{user} {route.Path}: {status}");
            }
        }
    }

    [Fact]
    public async Task Page_AskedByNobody_AsksToSignIn()
    {
        using HttpClient client = _site.NewClient(out _);
        foreach (ConsoleRoute route in RoutesOf("GET").Where(r => r.Roles.Length > 0))
        {
            HttpStatusCode status = await StatusAsync(client, AddressOf(route));
            Assert.True(
                status is HttpStatusCode.Redirect or HttpStatusCode.Unauthorized, $"{route.Path}: {status}");
        }

        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(client, "/console/there/is/nothing"));
    }

    [Fact]
    public async Task Change_AskedByARoleThatMayNot_ChangesNothing()
    {
        foreach ((string user, UserRole role, _) in ConsoleSite.Users)
        {
            using HttpClient client = _site.SignedIn(user);
            string token = await ConsoleSite.FormTokenAsync(client, "/console/account");
            long before = _site.Host.Shard.DurableSeq;
            foreach (ConsoleRoute route in RoutesOf("POST").Where(r => r.Roles.Length > 0 && !r.Roles.Contains(role)))
            {
                using HttpResponseMessage answer = await client.PostAsync(
                    route.Path, ConsoleSite.Form(("form", token), ("id", "eve"), ("role", "Operator"),
                        ("party", "acme"), ("account", "acme/prepaid/main CNY"), ("amount", "1000")));
                Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"{user} {route.Path}");
            }

            Assert.Equal(before, _site.Host.Shard.DurableSeq);
        }
    }

    // What names the others: their parties, keys, agreements, providers.
    [Theory]
    [InlineData("acme-user", "bravo|cedar|zhipu|deepseek|gpuco|wholesale|Bravo|智谱")]
    [InlineData("zhipu-user", "acme|bravo|cedar|deepseek|gpuco|Acme|bank")]
    public async Task Counterparty_OnEveryPageAndExport_FindsNoNameOfAnother(string user, string foreign)
    {
        using HttpClient client = _site.SignedIn(user);
        string own = user.Split('-')[0];
        FoundRecord mine = Records(own, isOwn: true)[0];
        string record = $"/console/usage/record/{mine.Position.Seq}.{mine.Position.Index}";
        string[] more =
        [
            "/console/usage?period=all&group=model&group=class&compare=1", "/console/usage?period=30d&view=heat",
            "/console/usage/records?period=all", "/console/usage.csv?period=all&group=model",
            "/console/usage/records.csv?period=all", record, $"/console/parties/{own}",
            $"/console/ledger/statement?agreement={own}-2026&period=2026",
            $"/console/ledger/statement.csv?agreement={own}-2026&period=2026", "/console/ledger?match=*",
            PeriodOf($"{own}-2026"), $"/console/settlement/agreement?agreement={own}-2026",
            PeriodOf($"{own}-2026").Replace("period?", "statement?form=html&"),
            PeriodOf($"{own}-2026").Replace("period?", "statement?form=csv&"),
        ];
        IEnumerable<string> pages = RoutesOf("GET")
            .Where(r => r.Roles.Contains(UserRole.Counterparty) && r.Path != "/console/live" && !r.Path.EndsWith('*'))
            .Select(r => r.Path);
        foreach (string path in pages.Concat(more))
        {
            string page = await (await client.GetAsync(path)).Content.ReadAsStringAsync();
            // Its own agreements name the platform alone; in a supplier's list of accounts only its own paths stand.
            Match found = Regex.Match(page.Replace("acme-user", "").Replace("zhipu-user", ""), foreign);
            string around = page[Math.Max(0, found.Index - 80)..Math.Min(page.Length, found.Index + 120)];
            Assert.False(found.Success, $"{user} finds '{found.Value}' on {path}: {around}");
        }
    }

    [Fact]
    public async Task Counterparty_WithForeignIds_FindsNothing()
    {
        using HttpClient acme = _site.SignedIn("acme-user");
        using HttpClient zhipu = _site.SignedIn("zhipu-user");
        foreach (string path in (string[])
        [
            "/console/parties/bravo", "/console/parties/net", "/console/ledger/statement?agreement=bravo-2026",
            "/console/ledger/statement.csv?agreement=zhipu-2026", "/console/ledger/statement?agreement=nothing",
            PeriodOf("bravo-2026"), PeriodOf("zhipu-2026"),
            PeriodOf("bravo-2026").Replace("period?", "statement?form=csv&"),
            "/console/settlement/agreement?agreement=gpuco-2026", "/console/settlement/period?agreement=acme-2026",
            "/console/ledger/account?path=bravo/credit/line&currency=CNY",
            "/console/ledger/account.csv?path=bravo/credit/line&currency=CNY", "/console/prices/book.csv?id=wholesale",
            "/console/ledger/account?path=net/revenue/acme-2026&currency=CNY", "/console/prices/book?id=wholesale",
            "/console/prices/explain?book=wholesale&model=glm-4.6", "/console/find?q=bravo",
            "/console/find?q=zhipu-2026", "/console/find?q=bravo-1", "/console/find?q=wholesale",
            "/console/find?q=智谱", "/console/find?q=Bravo",
        ])
        {
            Assert.True(await StatusAsync(acme, path) == HttpStatusCode.NotFound, path);
        }

        foreach (FoundRecord foreign in Records("acme", isOwn: false).Take(20))
        {
            string path = $"/console/usage/record/{foreign.Position.Seq}.{foreign.Position.Index}";
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(acme, path));
        }

        FoundRecord deepseek = Records("zhipu", isOwn: false)[0];
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(
            zhipu, $"/console/usage/record/{deepseek.Position.Seq}.{deepseek.Position.Index}"));
        foreach (string filter in (string[])["f=party:bravo", "f=agreement:bravo-2026", "f=agreement:*", "group=party"])
        {
            using HttpResponseMessage answer = await acme.GetAsync("/console/usage?period=all&" + filter);
            string page = await answer.Content.ReadAsStringAsync();
            Assert.DoesNotContain("bravo-1", page, StringComparison.Ordinal);
            Assert.DoesNotContain("Bravo", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Counterparty_UsageTotal_IsThatOfItsOwnAgreement()
    {
        using HttpClient client = _site.SignedIn("acme-user");
        Report own = _site.Host.Shard.Facts.Run(new ReportQuery
        {
            GroupBy = [Dimension.Model],
            Bucket = Bucket.Month,
            Zone = NodaTime.DateTimeZoneProviders.Tzdb["Asia/Shanghai"],
            Filters = [new Filter(Dimension.Agreement, ["acme-2026"]), new Filter(Dimension.Party, ["acme"])],
        });
        string csv = await client.GetStringAsync("/console/usage.csv?period=all&group=model");

        Assert.Equal(own.Rows.Count, csv.Trim().Split('\n').Length - 1);
        Assert.DoesNotContain("cost_", csv, StringComparison.Ordinal);
        Assert.DoesNotContain("margin_", csv, StringComparison.Ordinal);
        Assert.Contains("amount_CNY", csv, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Finance_Deposits_OnceForEachFormAndByName()
    {
        using HttpClient client = _site.SignedIn("finn");
        string token = await ConsoleSite.FormTokenAsync(client, "/console/parties/acme");
        FormUrlEncodedContent Form() => ConsoleSite.Form(
            ("form", token), ("party", "acme"), ("account", "acme/prepaid/main CNY"), ("amount", "12.5"),
            ("once", "a-form-secret-of-enough-letters"), ("memo", "test"));
        Amount before = await BalanceAsync("acme/prepaid/main");
        using HttpResponseMessage first = await client.PostAsync("/console/ledger/deposit", Form());
        using HttpResponseMessage second = await client.PostAsync("/console/ledger/deposit", Form());

        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.SeeOther), (first.StatusCode, second.StatusCode));
        Assert.Equal(Amount.Parse("12.5"), await BalanceAsync("acme/prepaid/main") - before);
        string audit = await client.GetStringAsync("/console/system/audit");
        Assert.Contains("by finn: test", audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Operator_MakesAUserAndAKey_ShowsEachSecretOnceAndNamesTheOperator()
    {
        using HttpClient client = _site.SignedIn("olga");
        string token = await ConsoleSite.FormTokenAsync(client, "/console/system");
        string user = await PostAsync(client, "/console/system/users",
            ("form", token), ("id", "newbie"), ("role", "Auditor"), ("name", "New"));
        string key = await PostAsync(client, "/console/parties/keys",
            ("form", token), ("party", "acme"), ("project", "chat"), ("id", "acme-2"));
        string keyAgain = await client.GetStringAsync("/console/parties/acme");
        string audit = await client.GetStringAsync("/console/system/audit");
        Match link = Regex.Match(user, "/console/first\\?code=[A-Za-z0-9_-]{43}");
        Match secret = Regex.Match(key, "<pre class=\"secret\"[^>]*>([^<]+)</pre>");

        Assert.True(link.Success && secret.Success);
        Assert.DoesNotContain(secret.Groups[1].Value, keyAgain, StringComparison.Ordinal);
        Assert.DoesNotContain(secret.Groups[1].Value, audit, StringComparison.Ordinal);
        Assert.Contains("users: newbie", audit, StringComparison.Ordinal);
        Assert.Contains("<td>olga</td>", audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Api_WithoutAToken_AnswersNobodyWhoComesThroughAProxy()
    {
        using HttpClient direct = _site.NewClient(out _);
        using HttpClient proxied = _site.SignedIn("acme-user");
        proxied.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");

        foreach (string path in (string[])
            ["/v1/balances", "/v1/report?group=party", "/v1/statement?agreement=bravo-2026"])
        {
            Assert.Equal(HttpStatusCode.MisdirectedRequest, await StatusAsync(proxied, path));
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(direct, "/v1/balances"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxied, "/console"));
    }

    private IEnumerable<ConsoleRoute> RoutesOf(string method) =>
        new ConsoleServer(_site.Desk, true, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance)
            .Routes.Where(r => r.Method == method);

    private string AddressOf(ConsoleRoute route) => route.Path switch
    {
        "/console/usage/record/*" => "/console/usage/record/4.0",
        "/console/parties/*" => "/console/parties/acme",
        "/console/prices/book" or "/console/prices/book.csv" => route.Path + "?id=list",
        "/console/settlement/agreement" => "/console/settlement/agreement?agreement=acme-2026",
        "/console/settlement/period" => PeriodOf("acme-2026"),
        "/console/settlement/statement" => PeriodOf("acme-2026").Replace("period?", "statement?form=html&"),
        "/console/ledger/account" or "/console/ledger/account.csv" =>
            route.Path + "?path=acme/prepaid/main&currency=CNY",
        "/console/find" => "/console/find?q=acme",
        _ => route.Path,
    };

    private string PeriodOf(string agreement) =>
        $"/console/settlement/period?agreement={agreement}&period={Network.Month(_site.Now, -1)}";

    private List<FoundRecord> Records(string party, bool isOwn)
    {
        RecordPage page = RecordSearch.Find(
            _site.Host.Shard.Facts, _site.Desk.Journal, new RecordQuery(Period.Always, []) { Most = 1_000 });
        return [.. page.Records.Where(r =>
            (r.Record.Context.Party == party || r.Record.Context.Provider == party) == isOwn)];
    }

    private async Task<Amount> BalanceAsync(string path) =>
        (await _site.Host.Shard.BalancesAsync()).Single(a => a.Name.Path == path).Balance;

    private static async Task<string> PostAsync(
        HttpClient client, string path, params (string Name, string Value)[] fields)
    {
        using HttpResponseMessage answer = await client.PostAsync(path, ConsoleSite.Form(fields));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using HttpResponseMessage answer = await client.GetAsync(path);
        return answer.StatusCode;
    }
}
