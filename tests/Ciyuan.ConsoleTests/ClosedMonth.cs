using System.Net;
using System.Text.RegularExpressions;

namespace Ciyuan.ConsoleTests;

/// <summary>The month before this one, closed by people in the console: frozen, split, signed and disputed; and a bill
/// of the provider that asks for more, which one person disputes.</summary>
internal static partial class ClosedMonth
{
    internal static async Task MakeAsync(ConsoleSite site)
    {
        string month = Network.Month(site.Now, -1);
        using HttpClient finance = site.SignedIn("finn");
        await CloseAsync(finance, "freeze", month);
        await CloseAsync(finance, "split", month);
        await SignAsync(finance, "acme-2026", month, "Payee");
        await SignAsync(finance, "zhipu-2026", month, "Payer");
        using HttpClient provider = site.SignedIn("zhipu-user");
        await PostAsync(provider, "dispute", ("agreement", "zhipu-2026"), ("period", month), ("side", "Payee"),
            ("dispute", "D-1"), ("amount", "0.1"), ("memo", "二十八日的用量比我们记录的少"));
        string page = await BringAsync(finance, site, "zhipu.csv", Bill(site));
        await PostAsync(finance, "reconcile/sign", ("id", IdOf().Match(page).Groups[1].Value),
            ("result", ResultOf().Match(page).Groups[1].Value), ("decision", "dispute"));
    }

    internal static Task CloseAsync(HttpClient client, string action, string month, string agreement = "") =>
        PostAsync(
            client, "close", ("action", action), ("period", month), ("agreement", agreement), ("accept", "1"));

    internal static async Task SignAsync(HttpClient client, string agreement, string month, string side)
    {
        string page = await client.GetStringAsync($"/console/settlement/period?agreement={agreement}&period={month}");
        await PostAsync(client, "sign", ("agreement", agreement), ("period", month), ("side", side),
            ("hash", HashOf().Match(page).Groups[1].Value));
    }

    /// <summary>Uploads a bill; gives the page that compares it.</summary>
    internal static async Task<string> BringAsync(HttpClient client, ConsoleSite site, string name, string bill)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(await ConsoleSite.FormTokenAsync(client, "/console/account")), "form" },
            { new StringContent("zhipu-2026"), "agreement" },
            { new StringContent(Network.Month(site.Now, -1)), "period" },
            { new StringContent("ciyuan"), "as" },
            { new StringContent("Auto"), "match" },
            { new StringContent(bill), "bill", name },
        };
        using HttpResponseMessage answer = await client.PostAsync("/console/settlement/reconcile", form);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return await client.GetStringAsync(answer.Headers.Location);
    }

    /// <summary>A line that is not recorded here; all that is recorded is missing there.</summary>
    internal static string Bill(ConsoleSite site) => "id,time,model,class,quantity,amount\r\n"
        + $"x-1,{Network.Month(site.Now, -1)}-28T04:00:00Z,glm-4.6,output.text,1000000,4.5\r\n";

    /// <summary>Sends a form; it must be taken.</summary>
    internal static async Task PostAsync(HttpClient client, string path, params (string Name, string Value)[] fields)
    {
        using HttpResponseMessage answer = await TryAsync(client, path, fields);
        Assert.True(
            answer.StatusCode == HttpStatusCode.SeeOther,
            $"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>Sends a form.</summary>
    internal static async Task<HttpResponseMessage> TryAsync(
        HttpClient client, string path, params (string Name, string Value)[] fields)
    {
        string token = await ConsoleSite.FormTokenAsync(client, "/console/account");
        return await client.PostAsync(
            "/console/settlement/" + path, ConsoleSite.Form([("form", token), .. fields]));
    }

    [GeneratedRegex("name=\"hash\" value=\"([0-9a-f]{64})\"")]
    private static partial Regex HashOf();

    [GeneratedRegex("name=\"result\" value=\"([0-9a-f]{64})\"")]
    internal static partial Regex ResultOf();

    [GeneratedRegex("name=\"id\" value=\"([0-9a-f]{16})\"")]
    internal static partial Regex IdOf();
}
