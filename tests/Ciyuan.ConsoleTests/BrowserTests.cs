using System.Text.RegularExpressions;
using Ciyuan.Parties;
using Ciyuan.Storage;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Xunit.Abstractions;

namespace Ciyuan.ConsoleTests;

/// <summary>
/// Every page in a real browser, as each role, in both languages, wide and narrow, light and dark, over 100 000
/// records. With <c>CIYUAN_BROWSER=full</c> all of it, else a sample; with <c>CIYUAN_SCREENSHOTS</c> pictures go to
/// that folder; with <c>CIYUAN_PAGES</c> only the addresses that hold it.
/// </summary>
[Trait("Takes", "Long")]
public sealed class BrowserTests(Stage stage, ITestOutputHelper output) : IClassFixture<Stage>
{
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("CIYUAN_SCREENSHOTS");

    private static readonly string Pages = Environment.GetEnvironmentVariable("CIYUAN_PAGES") ?? "";

    private static readonly string[] ForAll =
    [
        "/console", "/console/usage", "/console/usage?view=heat&period=14d", "/console/usage?view=share&group=model",
        "/console/usage?group=model&group=class&compare=1&measure=money", "/console/usage/records?period=30d",
        "/console/prices", "/console/prices/book?id=list&version=2&against=1",
        "/console/prices/explain?book=list&model=glm-4.6&input=1000&output=500", "/console/ledger",
        "/console/settlement", "/console/settlement/reconcile", "/console/settlement/disputes", "/console/account",
        "/console/there/is/nothing",
    ];

    private static readonly string[] ForStaff =
    [
        "/console/usage?group=party&f=model:glm-4.6&view=line&period=30d", "/console/prices/whatif",
        "/console/ledger/statement?agreement=zhipu-2026", "/console/ledger/holds",
        "/console/ledger/account?path=acme/prepaid/main&currency=CNY", "/console/parties", "/console/parties/acme",
        "/console/parties/zhipu", "/console/providers", "/console/system", "/console/system/audit",
        "/console/system/state",
    ];

    public static TheoryData<string> Users => [.. ConsoleSite.Users.Select(u => u.User)];

    [Theory]
    [MemberData(nameof(Users))]
    public async Task Page_InABrowser_HasNoErrorAndNoSeriousViolation(string user)
    {
        if (stage.Browser is not { } browser)
        {
            output.WriteLine(Stage.Skipped);
            return;
        }

        var faults = new List<string>();
        int visited = 0;
        // Two at a time: while one waits for the server, the other draws.
        await Parallel.ForEachAsync(
            Rounds(user), new ParallelOptions { MaxDegreeOfParallelism = 2 },
            async (round, _) => Interlocked.Add(ref visited, await GoThroughAsync(stage.Site, browser, round, faults)));

        output.WriteLine($"{visited} pages visited");
        Assert.True(faults.Count == 0, string.Join('\n', faults.Take(40)));
    }

    [Fact]
    public async Task Newcomer_ByVisibleLinksAlone_FindsWhoseCostRoseMostAndWhy()
    {
        if (await OpenTodayAsync("zh", 1440) is not { } page)
        {
            return;
        }

        ILocator card = page.Locator(".card", new() { HasText = "谁的费用涨得最多" });
        await Assertions.Expect(card.Locator(".answer")).ToContainTextAsync("bravo 涨得最多");
        await Assertions.Expect(card.Locator(".answer")).ToContainTextAsync("主要因为用得更多");
        await card.GetByRole(AriaRole.Link, new() { Name = "bravo" }).ClickAsync();

        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("用量");
        await Assertions.Expect(page.Locator(".chip")).ToContainTextAsync("bravo");
        await Assertions.Expect(page.Locator("thead th").Last).ToHaveTextAsync("变化");
        await Assertions.Expect(page.Locator("tbody tr")).Not.ToHaveCountAsync(0);
        await PictureAsync(page, "question-rose");
    }

    [Fact]
    public async Task Newcomer_ByVisibleLinksAlone_FindsWhichCallsWereCutAndWhatTheyCost()
    {
        if (await OpenTodayAsync("en", 390) is not { } page)
        {
            return;
        }

        ILocator card = page.Locator(".card", new() { HasText = "Calls that were cut off" });
        await Assertions.Expect(card.Locator(".answer")).ToContainTextAsync("calls in all:");
        await card.Locator(".answer a").ClickAsync();

        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Records");
        await Assertions.Expect(page.Locator("tbody .tag.bad").First).ToHaveTextAsync("Cut off");
        Assert.Equal(0, await page.Locator("tbody .tag.ok").CountAsync());
        await page.Locator("tbody a").First.ClickAsync();
        await Assertions.Expect(page.Locator(".eight > li")).ToHaveCountAsync(8);
        await PictureAsync(page, "question-cut");
    }

    [Fact]
    public async Task Newcomer_ByVisibleLinksAlone_FindsWhatWeOweAProviderForLastMonth()
    {
        if (await OpenTodayAsync("zh", 1440) is not { } page)
        {
            return;
        }

        ILocator row = page.Locator("#owed tr", new() { HasText = "我们应付 智谱" });
        string owed = await row.Locator("td.n").InnerTextAsync();
        await row.GetByRole(AriaRole.Link).ClickAsync();

        await Assertions.Expect(page.Locator(".big")).ToContainTextAsync("net 应付 zhipu");
        await Assertions.Expect(page.Locator(".big .num")).ToHaveTextAsync(owed);
        await PictureAsync(page, "question-owed");
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        Assert.False(await page.Locator(".side").IsVisibleAsync());
        await PictureAsync(page, "print-statement");
    }

    [Fact]
    public async Task WhatIf_WhileItIsChosen_IsNotSent()
    {
        if (await OpenTodayAsync("zh", 1440) is not { } page)
        {
            return;
        }

        await page.GetByRole(AriaRole.Link, new() { Name = "计价", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "假如", Exact = true }).ClickAsync();
        await page.EvaluateAsync("window.stays = true");
        await page.SelectOptionAsync("select[name=agreement]", "bravo-2026");
        await page.SelectOptionAsync("select[name=book]", "wholesale");
        await page.EvaluateAsync("fetch('/console/account').then(answer => answer.text())"); // time to go elsewhere
        Assert.True(await page.EvaluateAsync<bool>("window.stays === true"));

        await page.ClickAsync("form.choose button");
        await Assertions.Expect(page.Locator(".big")).ToContainTextAsync("→");
        await Assertions.Expect(page.Locator("h2").First).ToContainTextAsync("bravo-2026");
        await PictureAsync(page, "whatif-done");
    }

    [Fact]
    public async Task Usage_ChosenOtherwise_ShowsItAtAnAddressOfItsOwn()
    {
        if (await OpenTodayAsync("en", 1440) is not { } page)
        {
            return;
        }

        await page.GotoAsync(new Uri(stage.Site.Url, "/console/usage").ToString());
        await page.SelectOptionAsync("select[name=view]", "share");
        await ArriveAsync(page, new Regex(@"/usage\?.*view=share"));
        await page.SelectOptionAsync("select[name=group]", "model");
        await ArriveAsync(page, new Regex(@"/usage\?.*group=model.*view=share"));
        await Assertions.Expect(page.Locator("thead th").First).ToHaveTextAsync("Model");
    }

    [Fact]
    public async Task Keys_Alone_ReachTheContentASearchAndARecord()
    {
        if (await OpenTodayAsync("en", 1440) is not { } page)
        {
            return;
        }

        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.Locator(".skip")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        Assert.True(await page.EvaluateAsync<bool>("document.activeElement.closest('main') !== null"));
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("acme");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Acme 化工");
        await page.GotoAsync(new Uri(stage.Site.Url, "/console/usage/records?period=30d").ToString());
        await page.Locator("main a.btn").First.FocusAsync();
        while (!await page.EvaluateAsync<bool>("document.activeElement.matches('tbody a')"))
        {
            await page.Keyboard.PressAsync("Tab");
        }

        Assert.Equal("solid", await page.EvaluateAsync<string>(
            "getComputedStyle(document.activeElement).outlineStyle"));
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator(".eight > li")).ToHaveCountAsync(8);
    }

    [Fact]
    public async Task Today_WhenACallIsRecorded_ShowsItWithoutAReload()
    {
        if (stage.Browser is not { } browser)
        {
            output.WriteLine(Stage.Skipped);
            return;
        }

        await using ConsoleSite site = await ConsoleSite.StartAsync(500);
        await using IBrowserContext context = await OpenAsync(site, browser, new Round("olga", "en", 1440, "light", 0));
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(site.Url, "/console").ToString());
        ILocator calls = page.Locator(".tile").Nth(2).Locator(".big .num");
        string before = (await calls.GetAttributeAsync("title"))!;

        await Network.FillAsync(site.Host.Shard, site.Now, 600, from: 500);

        await Assertions.Expect(calls).Not.ToHaveAttributeAsync("title", before);
    }

    [Fact]
    public async Task FirstStart_InABrowser_LeadsToAFirstCallThatArrives()
    {
        if (stage.Browser is not { } browser)
        {
            output.WriteLine(Stage.Skipped);
            return;
        }

        await using ConsoleSite site = await ConsoleSite.StartEmptyAsync();
        IPage page = await browser.NewPageAsync();
        var faults = new List<string>();
        page.Console += (_, message) => Note(faults, message.Type == "error", $"{page.Url}: {message.Text}");
        await page.GotoAsync(site.Host.FirstLink!.ToString());
        await page.FillAsync("input[name=user]", "root");
        await page.FillAsync("input[name=password]", ConsoleSite.Password);
        await page.FillAsync("input[name=again]", ConsoleSite.Password);
        await page.ClickAsync("main button");
        await PictureAsync(page, "first-guide");
        await page.ClickAsync(".stages button");
        await PictureAsync(page, "first-party");
        await page.ClickAsync("#keys button.btn-primary");
        string key = await page.Locator("pre.secret").InnerTextAsync();
        await PictureAsync(page, "first-key");
        await page.GotoAsync(new Uri(site.Url, "/console").ToString());
        Assert.Equal(2, await page.Locator(".stages li.done").CountAsync());

        string record = await CallAsync(site, key.Trim());

        await Assertions.Expect(page.Locator("#overview .tile")).ToHaveCountAsync(4);
        await PictureAsync(page, "first-today");
        await page.FillAsync(".find input", record);
        await page.PressAsync(".find input", "Enter");
        await Assertions.Expect(page.Locator(".eight > li")).ToHaveCountAsync(8);
        await PictureAsync(page, "first-record");
        Assert.Empty(faults);
    }

    // Every page of a round; gives how many there were.
    private static async Task<int> GoThroughAsync(
        ConsoleSite site, IBrowser browser, Round round, List<string> faults)
    {
        await using IBrowserContext context = await OpenAsync(site, browser, round);
        IPage page = await context.NewPageAsync();
        // Of a page that is not there, the browser reports its own request.
        page.Console += (_, message) => Note(
            faults, message.Type == "error" && !message.Location.Contains("/nothing", StringComparison.Ordinal),
            $"{round} {page.Url}: {message.Text}");
        page.PageError += (_, error) => Note(faults, true, $"{round} {page.Url}: {error}");
        string[] paths = [.. PathsOf(site, round).Where(path => path.Contains(Pages, StringComparison.Ordinal))];
        foreach ((int place, string path) in paths.Index())
        {
            await VisitAsync(page, new Uri(site.Url, path), round, faults);
            if (place < round.AxePages && Pictures is null)
            {
                await LookForViolationsAsync(page, round, faults);
            }
        }

        return paths.Length;
    }

    // A call through the gateway, as any client makes it; the id of its record.
    private static async Task<string> CallAsync(ConsoleSite site, string key)
    {
        using HttpClient caller = site.NewClient(out _);
        caller.DefaultRequestHeaders.Authorization = new("Bearer", key);
        using var call = new StringContent(
            """{"model":"sandbox-chat","messages":[{"role":"user","content":"你好，词元"}]}""", null, "application/json");
        using HttpResponseMessage answer = await caller.PostAsync("/v1/chat/completions", call);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return answer.Headers.GetValues("x-ciyuan-record").Single();
    }

    /// <summary>Waits until the page that a choice leads to is there. The address is asked for again and again: waiting
    /// for the event of its arrival misses one that comes before the waiting has begun.</summary>
    private static async Task ArriveAsync(IPage page, Regex address)
    {
        await Assertions.Expect(page).ToHaveURLAsync(address);
        await page.WaitForLoadStateAsync();
    }

    private static async Task PictureAsync(IPage page, string name)
    {
        if (Pictures is not null)
        {
            await page.ScreenshotAsync(
                new PageScreenshotOptions { Path = Path.Combine(Pictures, name + ".png"), FullPage = true });
        }
    }

    // Axe takes seconds for a page, so it looks at each page in light and in dark, and not in every round.
    private static IEnumerable<Round> Rounds(string user)
    {
        if (!Stage.IsFull)
        {
            Round[] sample =
            [
                new("olga", "zh", 1440, "light", 6), new("acme-user", "en", 390, "dark", 3),
                new("finn", "en", 1440, "dark", 0), new("ada", "zh", 390, "light", 0),
                new("zhipu-user", "zh", 1440, "light", 0),
            ];
            return sample.Where(round => round.User == user);
        }

        (int light, int dark) = user switch
        {
            "olga" => (int.MaxValue, 8),
            "acme-user" => (0, int.MaxValue),
            _ => (0, 0),
        };
        return
        [
            new Round(user, "zh", 1440, "light", light), new Round(user, "en", 1440, "dark", dark),
            new Round(user, "zh", 390, "dark", 0), new Round(user, "en", 390, "light", 0),
        ];
    }

    private async Task<IPage?> OpenTodayAsync(string language, int width)
    {
        if (stage.Browser is not { } browser)
        {
            output.WriteLine(Stage.Skipped);
            return null;
        }

        IBrowserContext context = await OpenAsync(
            stage.Site, browser, new Round("olga", language, width, "light", 0));
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(stage.Site.Url, "/console").ToString());
        return page;
    }

    private static IEnumerable<string> PathsOf(ConsoleSite site, Round round)
    {
        UserRole role = ConsoleSite.Users.Single(u => u.User == round.User).Role;
        string party = ConsoleSite.Users.Single(u => u.User == round.User).Party;
        foreach (string path in ForAll)
        {
            // A supplier sees its own book.
            yield return party == "zhipu" ? path.Replace("id=list&version=2&against=1", "id=wholesale")
                .Replace("book=list", "book=wholesale") : path;
        }

        foreach (string path in role == UserRole.Counterparty ? [] : ForStaff)
        {
            yield return path;
        }

        if (role == UserRole.Operator)
        {
            yield return "/console/system/setup";
        }

        if (role == UserRole.Counterparty)
        {
            yield return $"/console/parties/{party}";
            yield return $"/console/ledger/statement?agreement={party}-2026";
        }

        foreach (string path in SettlementPathsOf(site, party))
        {
            yield return path;
        }

        RecordPage page = RecordSearch.Find(
            site.Host.Shard.Facts, site.Desk.Journal,
            new RecordQuery(Quantities.Period.Always, party.Length == 0
                ? []
                : [new Statistics.Filter(Statistics.Dimension.Agreement, [party + "-2026"])])
            { Most = 1 });
        yield return $"/console/usage/record/{page.Records[0].Position.Seq}.{page.Records[0].Position.Index}";
    }

    private static IEnumerable<string> SettlementPathsOf(ConsoleSite site, string party)
    {
        string agreement = party.Length > 0 ? party + "-2026" : "zhipu-2026";
        string month = Network.Month(site.Now, -1);
        yield return $"/console/settlement/period?agreement={agreement}&period={month}";
        yield return $"/console/settlement/agreement?agreement={(party.Length > 0 ? agreement : "gpuco-2026")}";
        foreach (Server.Console.Settlement.ShelvedBill bill in party.Length > 0 ? [] : site.Desk.Bills.All)
        {
            yield return $"/console/settlement/reconcile/bill?id={bill.Id}";
        }
    }

    private static async Task<IBrowserContext> OpenAsync(ConsoleSite site, IBrowser browser, Round round)
    {
        IBrowserContext context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = round.Width, Height = round.Width > 500 ? 900 : 800 },
        });
        string secret = site.Desk.Users.Begin(site.Desk.Catalog.Users.Find(round.User)!);
        await context.AddCookiesAsync(
        [
            new Cookie { Name = "ciyuan", Value = secret, Url = site.Url.ToString() },
            new Cookie { Name = "ciyuan-lang", Value = round.Language, Url = site.Url.ToString() },
            new Cookie { Name = "ciyuan-theme", Value = round.Theme, Url = site.Url.ToString() },
        ]);
        return context;
    }

    private static async Task VisitAsync(IPage page, Uri url, Round round, List<string> faults)
    {
        string path = url.PathAndQuery;
        IResponse? answer = await page.GotoAsync(
            url.ToString(), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
        bool missing = path.EndsWith("/nothing", StringComparison.Ordinal);
        Note(faults, answer!.Status != (missing ? 404 : 200), $"{round} {path}: {answer.Status}");
        bool wide = await page.EvaluateAsync<bool>(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1");
        Note(faults, wide, $"{round} {path}: is wider than the window");
        string unnamed = await page.EvaluateAsync<string>(
            "(document.body.innerText.match(/\\[[a-z]+\\.[a-z.]+\\]/i) || [''])[0]");
        Note(faults, unnamed.Length > 0, $"{round} {path}: there is no text {unnamed}");
        if (Pictures is not null)
        {
            string name = string.Concat(path.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
            await page.ScreenshotAsync(new PageScreenshotOptions
            {
                Path = Path.Combine(Pictures, $"{round.User}-{round.Language}-{round.Width}-{round.Theme}{name}.png"),
                FullPage = true,
            });
        }
    }

    private static async Task LookForViolationsAsync(IPage page, Round round, List<string> faults)
    {
        AxeResult axe = await page.RunAxe();
        foreach (AxeResultItem item in axe.Violations.Where(v => v.Impact is "serious" or "critical"))
        {
            Note(faults, true, $"{round} {page.Url}: {item.Id}: {item.Help}: {item.Nodes[0].Html}");
        }
    }

    private static void Note(List<string> faults, bool isFault, string text)
    {
        if (isFault)
        {
            lock (faults)
            {
                faults.Add(text);
            }
        }
    }

    private sealed record Round(string User, string Language, int Width, string Theme, int AxePages);
}
