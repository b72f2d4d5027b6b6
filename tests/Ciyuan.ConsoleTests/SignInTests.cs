using System.Net;
using Ciyuan.Parties;

namespace Ciyuan.ConsoleTests;

public sealed class SignInTests
{
    private const string SignIn = "/console/sign-in";

    [Fact]
    public async Task FirstLink_Used_MakesAnOperatorOnce()
    {
        await using ConsoleSite site = await ConsoleSite.StartEmptyAsync();
        string link = site.Host.FirstLink!.PathAndQuery;
        using HttpClient client = site.NewClient(out CookieContainer cookies);

        using HttpResponseMessage weak = await SetPasswordAsync(client, link, "root", "password1234");
        using HttpResponseMessage done = await SetPasswordAsync(client, link, "root", ConsoleSite.Password);
        using HttpResponseMessage home = await client.GetAsync("/console");
        using HttpClient other = site.NewClient(out _);
        using HttpResponseMessage again = await other.GetAsync(link);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, weak.StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, done.StatusCode);
        Assert.Equal(HttpStatusCode.OK, home.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        UserSetup root = Assert.Single(site.Desk.Catalog.Users.All);
        Assert.Equal((UserRole.Operator, 1), (root.Role, root.Credential));
        Assert.True(cookies.GetCookies(site.Url)["ciyuan"]!.HttpOnly);
        string file = await File.ReadAllTextAsync(Path.Combine(site.Folder, "console.json"));
        Assert.DoesNotContain(ConsoleSite.Password, file, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(site.Folder, "console.json")));
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task SignIn_WrongThenRight_SaysTheSameOfAnyReasonAndGivesANewSession()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(0);
        await InviteAsync(site, "ada");
        using HttpClient client = site.NewClient(out CookieContainer cookies);
        cookies.Add(site.Url, new Cookie("ciyuan", "a-session-that-somebody-else-has-chosen-before"));

        (HttpStatusCode wrong, string wrongPage) = await SignInAsync(client, "ada", "not the password 1");
        (HttpStatusCode nobody, string nobodyPage) = await SignInAsync(client, "nobody", "not the password 1");
        (HttpStatusCode done, _) = await SignInAsync(client, "ada", ConsoleSite.Password);
        string first = cookies.GetCookies(site.Url)["ciyuan"]!.Value;
        (HttpStatusCode again, _) = await SignInAsync(
            client, "ada", ConsoleSite.Password, fromScratch: true, site: site);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (wrong, nobody));
        Assert.Contains("用户名、密码或动态码不对", wrongPage, StringComparison.Ordinal);
        Assert.Contains("用户名、密码或动态码不对", nobodyPage, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.SeeOther), (done, again));
        Assert.NotEqual("a-session-that-somebody-else-has-chosen-before", first);
        Assert.True(first.Length >= 43); // 256 bits
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task SignIn_Guessed_HasToWait()
    {
        var time = new ManualTime();
        await using ConsoleSite site = await ConsoleSite.StartAsync(0, time);
        await InviteAsync(site, "ada");
        using HttpClient client = site.NewClient(out _);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await SignInAsync(client, "ada", "guess number " + i)).Status);
        }

        (HttpStatusCode early, _) = await SignInAsync(client, "ada", ConsoleSite.Password);
        time.Move(TimeSpan.FromSeconds(6));
        (HttpStatusCode later, _) = await SignInAsync(client, "ada", ConsoleSite.Password);

        Assert.Equal(HttpStatusCode.TooManyRequests, early);
        Assert.Equal(HttpStatusCode.SeeOther, later);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task SignIn_ToAForeignPlace_GoesHome()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(0);
        await InviteAsync(site, "ada");
        string[] places = ["https://evil.example", "//evil.example", "/console//evil", "/console\\evil"];
        foreach (string next in places)
        {
            using HttpClient client = site.NewClient(out _);
            string token = await ConsoleSite.FormTokenAsync(client, SignIn);
            using HttpResponseMessage answer = await client.PostAsync(SignIn, ConsoleSite.Form(
                ("form", token), ("user", "ada"), ("password", ConsoleSite.Password), ("next", next)));

            Assert.Equal("/console", answer.Headers.Location!.OriginalString);
        }
    }

    [Fact]
    public async Task Change_WithoutTheFormsToken_IsRefused()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(0);
        using HttpClient client = site.SignedIn("olga");
        string token = await ConsoleSite.FormTokenAsync(client, "/console/parties");
        using HttpClient other = site.SignedIn("olga");
        string othersToken = await ConsoleSite.FormTokenAsync(other, "/console/parties");
        (string, string)[] party = [("id", "dora"), ("name", "Dora"), ("role", "Consumer")];

        using HttpResponseMessage without = await client.PostAsync("/console/parties", ConsoleSite.Form(party));
        using HttpResponseMessage anothers = await client.PostAsync(
            "/console/parties", ConsoleSite.Form([("form", othersToken), .. party]));
        using var foreign = new HttpRequestMessage(HttpMethod.Post, "/console/parties")
        {
            Content = ConsoleSite.Form([("form", token), .. party]),
        };
        foreign.Headers.Add("Origin", "https://evil.example");
        using HttpResponseMessage fromElsewhere = await client.SendAsync(foreign);
        using HttpResponseMessage right = await client.PostAsync(
            "/console/parties", ConsoleSite.Form([("form", token), .. party]));

        Assert.Equal(HttpStatusCode.Forbidden, without.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, anothers.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, fromElsewhere.StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, right.StatusCode);
        Assert.True(site.Desk.Catalog.Parties.ContainsKey("dora"));
    }

    [Fact]
    public async Task Session_Idle_OrOfAUserThatChanged_IsOver()
    {
        var time = new ManualTime();
        await using ConsoleSite site = await ConsoleSite.StartAsync(0, time);
        using HttpClient idle = site.SignedIn("ada");
        using HttpClient disabled = site.SignedIn("finn");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(idle, "/console"));
        time.Move(TimeSpan.FromMinutes(29));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(idle, "/console"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(disabled, "/console"));
        time.Move(TimeSpan.FromMinutes(31));
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(idle, "/console"));

        using HttpClient role = site.SignedIn("finn");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(role, "/console/system"));
        await site.Host.Shard.SetUpAsync(new Setup
        {
            By = "olga",
            Users = [site.Desk.Catalog.Users.Find("finn")! with { Disabled = true }],
        });
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(role, "/console/system"));
    }

    [Fact]
    public async Task SignOut_WithALivePageOpen_EndsItsFeed()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(0);
        using HttpClient client = site.SignedIn("ada");
        string token = await ConsoleSite.FormTokenAsync(client, "/console/account");
        using Stream feed = await client.GetStreamAsync("/console/live");

        using HttpResponseMessage _ = await client.PostAsync("/console/sign-out", ConsoleSite.Form(("form", token)));

        using var reader = new StreamReader(feed);
        await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(1)); // a feed that goes on would never end
    }

    [Fact]
    public async Task SignOut_Done_EndsTheSessionOnTheServer()
    {
        await using ConsoleSite site = await ConsoleSite.StartAsync(0);
        using HttpClient client = site.NewClient(out CookieContainer cookies);
        string secret = site.Desk.Users.Begin(site.Desk.Catalog.Users.Find("ada")!);
        cookies.Add(site.Url, new Cookie("ciyuan", secret));
        string token = await ConsoleSite.FormTokenAsync(client, "/console/account");
        using HttpResponseMessage _ = await client.PostAsync("/console/sign-out", ConsoleSite.Form(("form", token)));

        Assert.Null(site.Desk.Users.Find(secret, byPerson: true));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task SecondFactor_SetUp_IsAskedForAndGoodOnce()
    {
        var time = new ManualTime();
        await using ConsoleSite site = await ConsoleSite.StartAsync(0, time);
        await InviteAsync(site, "ada");
        UserSetup user = site.Desk.Catalog.Users.Find("ada")!;
        byte[] secret = [.. "12345678901234567890"u8];
        await site.Desk.Users.SetCredentialAsync(user, null, Convert.ToBase64String(secret), "ada");
        string code = Server.Console.Users.Totp.CodeAt(secret, time.GetUtcNow().ToUnixTimeSeconds() / 30);
        using HttpClient client = site.NewClient(out _);

        Assert.Equal(HttpStatusCode.Unauthorized, (await SignInAsync(client, "ada", ConsoleSite.Password)).Status);
        Assert.Equal(
            HttpStatusCode.SeeOther, (await SignInAsync(client, "ada", ConsoleSite.Password, code: code)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SignInAsync(
            client, "ada", ConsoleSite.Password, code: code, fromScratch: true, site: site)).Status);
    }

    [Fact]
    public async Task Headers_OfAPage_AreStrict()
    {
        await using ConsoleSite site = await ConsoleSite.StartEmptyAsync();
        using HttpClient client = site.NewClient(out _);
        using HttpResponseMessage page = await client.GetAsync(SignIn);
        string policy = page.Headers.GetValues("Content-Security-Policy").Single();

        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", page.Headers.CacheControl!.ToString());
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("DENY", page.Headers.GetValues("X-Frame-Options").Single());
        Assert.Equal("same-origin", page.Headers.GetValues("Referrer-Policy").Single());
        using var behindTls = new HttpRequestMessage(HttpMethod.Get, SignIn);
        behindTls.Headers.Add("X-Forwarded-Proto", "https");
        using HttpClient behind = site.NewClient(out _);
        using HttpResponseMessage secure = await behind.SendAsync(behindTls);
        Assert.True(secure.Headers.Contains("Strict-Transport-Security"));
        Assert.All(secure.Headers.GetValues("Set-Cookie"), cookie =>
        {
            Assert.Contains("secure", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite", cookie, StringComparison.OrdinalIgnoreCase);
        });
    }

    [Fact]
    public async Task Api_WithAToken_TakesNoSessionForIt()
    {
        await using ConsoleSite site = await ConsoleSite.StartEmptyAsync(token: "0123456789abcdef");
        await site.Host.Shard.SetUpAsync(new Setup { By = "test", Users = [new UserSetup("olga", UserRole.Operator)] });
        using HttpClient client = site.SignedIn("olga");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "/console"));
        foreach (string path in (string[])["/v1/report", "/v1/balances", "/v1/agreements/x/statement?period=2026"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, path));
        }
    }

    [Fact]
    public async Task Setup_WithUsersOverHttp_IsRefused()
    {
        await using ConsoleSite site = await ConsoleSite.StartEmptyAsync();
        using HttpClient client = site.NewClient(out _);
        using var body = new StringContent("users: [{ id: eve, role: operator }]");
        body.Headers.ContentType = new("application/yaml");
        using HttpResponseMessage answer = await client.PostAsync("/v1/setup", body);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Empty(site.Desk.Catalog.Users.All);
    }

    private static async Task InviteAsync(ConsoleSite site, string user)
    {
        using HttpClient client = site.NewClient(out _);
        string link = "/console/first?code=" + site.Desk.Users.Invite(user);
        using HttpResponseMessage done = await SetPasswordAsync(client, link, user, ConsoleSite.Password);
        Assert.Equal(HttpStatusCode.SeeOther, done.StatusCode);
    }

    private static async Task<HttpResponseMessage> SetPasswordAsync(
        HttpClient client, string link, string user, string password)
    {
        string token = await ConsoleSite.FormTokenAsync(client, link);
        return await client.PostAsync("/console/first", ConsoleSite.Form(
            ("form", token), ("code", link.Split("code=")[1]), ("user", user), ("password", password),
            ("again", password)));
    }

    private static async Task<(HttpStatusCode Status, string Page)> SignInAsync(
        HttpClient client, string user, string password, string code = "", bool fromScratch = false,
        ConsoleSite? site = null)
    {
        HttpClient asks = fromScratch ? site!.NewClient(out _) : client;
        string token = await ConsoleSite.FormTokenAsync(asks, SignIn);
        using HttpResponseMessage answer = await asks.PostAsync(SignIn, ConsoleSite.Form(
            ("form", token), ("user", user), ("password", password), ("code", code)));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using HttpResponseMessage answer = await client.GetAsync(path);
        return answer.StatusCode;
    }
}
