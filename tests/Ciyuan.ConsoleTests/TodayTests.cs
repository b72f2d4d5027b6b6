using System.Net;
using System.Text.RegularExpressions;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.ConsoleTests;

/// <summary>What needs a hand, each with its way to the records.</summary>
public sealed partial class TodayTests
{
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
