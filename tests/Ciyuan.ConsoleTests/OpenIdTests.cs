using System.Net;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server;

namespace Ciyuan.ConsoleTests;

public sealed class OpenIdTests
{
    [Fact]
    public async Task SignIn_ConfirmedByTheIssuer_GivesASessionOfTheUserAndGoesOn()
    {
        await using ScriptedIssuer issuer = await ScriptedIssuer.StartAsync();
        await using ConsoleSite site = await StartAsync(issuer);
        using HttpClient client = site.NewClient(out CookieContainer cookies);

        string door = await client.GetStringAsync("/console/sign-in?next=%2Fconsole%2Fusage");
        using HttpResponseMessage end = await WalkAsync(site, issuer, client, "/console/usage");
        using HttpResponseMessage page = await client.GetAsync("/console/usage");

        Assert.Contains("用 Example 登录", door, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.SeeOther, "/console/usage"), (end.StatusCode, end.Headers.Location!.ToString()));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.True(cookies.GetCookies(site.Url)["ciyuan"]!.HttpOnly);
    }

    [Theory]
    [InlineData("audience")]
    [InlineData("nonce")]
    [InlineData("signature")]
    [InlineData("nobody")]
    [InlineData("disabled")]
    [Trait("Takes", "Long")]
    public async Task SignIn_NotConfirmed_GivesNoSession(string wrong)
    {
        await using ScriptedIssuer issuer = await ScriptedIssuer.StartAsync();
        await using ConsoleSite site = await StartAsync(issuer);
        issuer.Audience = wrong == "audience" ? "another-client" : issuer.Audience;
        (issuer.IsReplayed, issuer.IsForged) = (wrong == "nonce", wrong == "signature");
        issuer.User = wrong is "nobody" or "disabled" ? wrong : issuer.User;
        using HttpClient client = site.NewClient(out CookieContainer cookies);

        using HttpResponseMessage end = await WalkAsync(site, issuer, client, "/console");

        Assert.Equal(HttpStatusCode.Forbidden, end.StatusCode);
        Assert.Null(cookies.GetCookies(site.Url)["ciyuan"]);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task SignIn_AnswerInAnotherBrowser_GivesNoSession()
    {
        await using ScriptedIssuer issuer = await ScriptedIssuer.StartAsync();
        await using ConsoleSite site = await StartAsync(issuer);
        using HttpClient client = site.NewClient(out _);
        using HttpClient other = site.NewClient(out CookieContainer cookies);

        string answer = await AnswerOfAsync(site, issuer, client, "/console");
        using HttpResponseMessage end = await other.GetAsync(answer);

        Assert.Equal(HttpStatusCode.Forbidden, end.StatusCode);
        Assert.Null(cookies.GetCookies(site.Url)["ciyuan"]);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task SignIn_NextIsElsewhere_StaysHere()
    {
        await using ScriptedIssuer issuer = await ScriptedIssuer.StartAsync();
        await using ConsoleSite site = await StartAsync(issuer);
        using HttpClient client = site.NewClient(out _);

        using HttpResponseMessage end = await WalkAsync(site, issuer, client, "https://evil.example.com/console");

        Assert.Equal("/console", end.Headers.Location!.ToString());
    }

    [Fact]
    public void Find_Environment_IsReadAndWhatIsNotSafeRefused()
    {
        static Func<string, string?> Of(params (string Name, string Value)[] values) =>
            name => values.FirstOrDefault(v => "CIYUAN_OPENID_" + v.Name == name).Value;

        OpenIdOptions found = OpenIdOptions.Find(Of(
            ("ISSUER", "https://login.example.com/realm"), ("CLIENT_ID", "c"), ("CLAIM", "employee")))!;

        Assert.Null(OpenIdOptions.Find(Of()));
        Assert.Equal(
            ("c", "employee", "login.example.com", null), (found.ClientId, found.Claim, found.Name, found.Secret));
        Assert.Throws<ServerRefusedException>(() => OpenIdOptions.Find(Of(("ISSUER", "https://login.example.com"))));
        Assert.Throws<ServerRefusedException>(
            () => OpenIdOptions.Find(Of(("ISSUER", "http://login.example.com"), ("CLIENT_ID", "c"))));
    }

    private static async Task<ConsoleSite> StartAsync(ScriptedIssuer issuer)
    {
        ConsoleSite site = await ConsoleSite.StartEmptyAsync(TimeProvider.System, openId: new OpenIdOptions(
            issuer.Url, ScriptedIssuer.Client, ScriptedIssuer.Secret, "preferred_username", "Example"));
        SetupResult result = await site.Host.Shard.SetUpAsync(new Setup
        {
            By = "test",
            Users =
            [
                new UserSetup("olga", UserRole.Operator), new UserSetup("disabled", UserRole.Operator, Disabled: true),
            ],
        });
        Assert.Equal(SetupStatus.Done, result.Status);
        return site;
    }

    // From the button through the issuer and back, as a browser goes.
    private static async Task<HttpResponseMessage> WalkAsync(
        ConsoleSite site, ScriptedIssuer issuer, HttpClient client, string next) =>
        await client.GetAsync(await AnswerOfAsync(site, issuer, client, next));

    private static async Task<string> AnswerOfAsync(
        ConsoleSite site, ScriptedIssuer issuer, HttpClient client, string next)
    {
        using HttpResponseMessage begun = await client.GetAsync(
            "/console/sign-in/openid?next=" + Uri.EscapeDataString(next));
        Assert.Equal(HttpStatusCode.Redirect, begun.StatusCode);
        Assert.StartsWith(issuer.Url.ToString(), begun.Headers.Location!.ToString(), StringComparison.Ordinal);
        using var elsewhere = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using HttpResponseMessage asked = await elsewhere.GetAsync(begun.Headers.Location);
        Assert.StartsWith(site.Url.ToString(), asked.Headers.Location!.ToString(), StringComparison.Ordinal);
        return asked.Headers.Location!.PathAndQuery;
    }
}
