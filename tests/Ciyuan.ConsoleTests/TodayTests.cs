using System.Net;
using System.Text.RegularExpressions;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.ConsoleTests;

/// <summary>What needs a hand, each with its way to the records.</summary>
public sealed partial class TodayTests
{
    private static int s_zones;

    [Theory]
    [InlineData("zh", "词元挂账（收入侧）", "acme 的资金不够", "acme 的预付款 main 只剩", "cedar 的词元包 pack 将于",
        "合约 acme-2026 将于", "acme 的密钥 acme-1 将于", "1 条同号不同内容的记录")]
    [InlineData("en", "of income in suspense", "acme has overrun", "acme: prepaid main is down to",
        "cedar: token pack pack expires", "Agreement acme-2026 ends", "Key acme-1 of acme expires",
        "1 records of yesterday and today kept aside")]
    public async Task Today_WithTroubleOfEachKind_NamesItAndLinksToIt(string language, params string[] expected)
    {
        await using ConsoleSite site = await TroubledAsync();
        using HttpClient client = site.SignedIn("olga");

        string page = await client.GetStringAsync("/console?lang=" + language);

        string list = WebUtility.HtmlDecode(Concerns().Match(page).Value).Replace('\u00a0', ' ');
        Assert.All(expected, text => Assert.Contains(text, list, StringComparison.Ordinal));
        string[] links = [.. Links().Matches(list).Select(m => m.Groups[1].Value)];
        Assert.True(links.Length >= expected.Length);
        foreach (string link in links)
        {
            string there = await client.GetStringAsync(link);
            Assert.Contains("<tbody>", there, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Today_AsAPart_IsSharedByThoseAloneWhoSeeTheSame()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(2_000);
        using HttpClient operators = site.SignedIn("olga");
        using HttpClient finance = site.SignedIn("finn");
        using HttpClient consumer = site.SignedIn("acme-user");

        string chinese = await operators.GetStringAsync("/console?part=1&lang=zh");
        Assert.StartsWith("<div id=\"overview\"", chinese, StringComparison.Ordinal);
        Assert.Equal(chinese, await finance.GetStringAsync("/console?part=1&lang=zh"));
        Assert.NotEqual(chinese, await finance.GetStringAsync("/console?part=1&lang=en"));
        string own = await consumer.GetStringAsync("/console?part=1&lang=zh");
        Assert.StartsWith("<div id=\"overview\"", own, StringComparison.Ordinal);
        Assert.DoesNotContain("zhipu-2026", own, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Today_WithDisputesAndDifferences_NamesThemUntilTheyAreEnded()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(2_000);
        await ClosedMonth.MakeAsync(site);
        string month = Network.Month(site.Now, -1);
        using HttpClient operators = site.SignedIn("olga");

        Assert.Contains($"zhipu-2026 {month} 账期有未处理的异议 D-1，暂扣 0.10 CNY", await ConcernsAsync(operators));
        Assert.Contains("zhipu-2026 的对账差额", await ConcernsAsync(operators));
        Assert.Contains("等待第二人签署", await ConcernsAsync(operators));
        await SignBillAsync(operators, site, "dispute");
        Assert.Contains("有异议，暂扣中", await ConcernsAsync(operators));
        using HttpClient provider = site.SignedIn("zhipu-user");
        Assert.Contains("有异议，暂扣中", await ConcernsAsync(provider));
        using HttpClient consumer = site.SignedIn("acme-user");
        Assert.DoesNotContain("zhipu", await ConcernsAsync(consumer));

        using HttpClient finance = site.SignedIn("finn");
        await SignBillAsync(finance, site, "withdraw");
        await SignBillAsync(operators, site, "withdraw");
        await ClosedMonth.PostAsync(finance, "resolve", ("agreement", "zhipu-2026"), ("period", month),
            ("dispute", "D-1"), ("amount", "0"));
        string ended = await ConcernsAsync(operators);
        Assert.DoesNotContain("账单", ended);
        Assert.DoesNotContain("异议", ended);
    }

    [Fact]
    public async Task Today_WithABillThatNobodySigned_SaysHowFarItIsOff()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(2_000);
        using HttpClient finance = site.SignedIn("finn");
        await ClosedMonth.BringAsync(finance, site, "zhipu.csv", ClosedMonth.Bill(site));
        await site.RestartAsync();
        using HttpClient client = site.SignedIn("olga");

        string concerns = await ConcernsAsync(client);

        string month = Network.Month(site.Now, -1);
        BillFinding found = site.Desk.Bills.All[0].Found!;
        Assert.True(found.Differences > 1);
        Assert.Contains($"账单 zhipu.csv（zhipu-2026，{month}）与我方有 {found.Differences:N0} 处差异，净差 ", concerns);
    }

    [Fact]
    public async Task Records_KeptAside_AreThoseAlone()
    {
        await using ConsoleSite site = await TroubledAsync();
        using HttpClient client = site.SignedIn("olga");

        string page = await client.GetStringAsync("/console/usage/records?period=2d&kept=1");

        Assert.Single(Rows().Matches(page));
        Assert.Contains("同号冲突", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Today_ForPeopleOfTwoLanguages_SpeaksToEachInItsOwn()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(2_000);
        using HttpClient client = site.SignedIn("olga");

        string chinese = await client.GetStringAsync("/console?lang=zh");
        string english = await client.GetStringAsync("/console?lang=en");

        Assert.Contains("挂账", Concerns().Match(chinese).Value, StringComparison.Ordinal);
        Assert.DoesNotMatch("[\u4e00-\u9fff]", Concerns().Match(english).Value);
    }

    // Today is shared for two seconds, so it is asked for in a zone that nobody has asked in.
    private static async Task<string> ConcernsAsync(HttpClient client)
    {
        string zone = $"Etc/GMT-{Interlocked.Increment(ref s_zones) % 14}";
        string page = await client.GetStringAsync("/console?lang=zh&zone=" + zone);
        string list = WebUtility.HtmlDecode(Concerns().Match(page).Value).Replace('\u00a0', ' ');
        foreach (Match link in Links().Matches(list))
        {
            using HttpResponseMessage there = await client.GetAsync(link.Groups[1].Value);
            Assert.Equal(HttpStatusCode.OK, there.StatusCode);
        }

        return list;
    }

    private static async Task SignBillAsync(HttpClient client, ConsoleSite site, string decision)
    {
        string page = await client.GetStringAsync(ReconcilePages.LinkOf(site.Desk.Bills.All[0].Id));
        await ClosedMonth.PostAsync(client, "reconcile/sign", ("id", site.Desk.Bills.All[0].Id),
            ("result", ClosedMonth.ResultOf().Match(page).Groups[1].Value), ("decision", decision));
    }

    // acme has next to nothing left, and one id came twice with different content.
    private static async Task<ConsoleSite> TroubledAsync()
    {
        ConsoleSite site = await ConsoleSite.StartAsync(0);
        var group = new LedgerGroup(
            "bank", "payback", Timestamp.FromDateTimeOffset(site.Now),
            [new PostTransfer("acme/prepaid/main", "net/cash/main", Currency.Parse("CNY"), Amount.Parse("29.99"))], "");
        Assert.Equal(LedgerStatus.Done, (await site.Host.Shard.PostAsync(group)).Status);
        await Network.FillAsync(site.Host.Shard, site.Now, 2_000);
        UsageRecord one = Network.One(new UsageContexts(), site.Now, "twice");
        await site.Host.Shard.RecordAsync([one]);
        await site.Host.Shard.RecordAsync([new UsageRecord
        {
            Id = one.Id,
            Context = one.Context,
            EventTime = one.EventTime,
            LatencyMs = one.LatencyMs + 1,
            Counts = one.Counts,
        }]);
        return site;
    }

    [GeneratedRegex("<ul class=\"concerns\">.*?</ul>", RegexOptions.Singleline)]
    private static partial Regex Concerns();

    [GeneratedRegex("href=\"([^\"]+)\"")]
    private static partial Regex Links();

    [GeneratedRegex("<td class=\"time\">")]
    private static partial Regex Rows();
}
