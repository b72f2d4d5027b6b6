using System.Net;
using Ciyuan.Quantities;
using Ciyuan.Settlement;

namespace Ciyuan.ConsoleTests;

public sealed class SettlementPageTests : IAsyncLifetime
{
    private ConsoleSite _site = null!;

    private string Month => Network.Month(_site.Now, -1);

    public async Task InitializeAsync()
    {
        _site = await ConsoleSite.StartAsync(2_000);
        await ClosedMonth.MakeAsync(_site);
    }

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task Period_SignedByBothSides_BecomesFinalInTheNamesOfThoseWhoDidIt()
    {
        using HttpClient finance = _site.SignedIn("finn");
        using HttpClient provider = _site.SignedIn("zhipu-user");
        using HttpResponseMessage early = await ClosedMonth.TryAsync(
            finance, "close", ("action", "finish"), ("period", Month), ("agreement", "zhipu-2026"));
        await ClosedMonth.SignAsync(provider, "zhipu-2026", Month, "Payee");
        await ClosedMonth.PostAsync(finance, "resolve", ("agreement", "zhipu-2026"), ("period", Month),
            ("dispute", "D-1"), ("amount", "0.05"));
        await ClosedMonth.CloseAsync(finance, "finish", Month, "zhipu-2026");

        SettledPeriod period = (await _site.Host.Shard.SettlementAsync()).Calendar.Find("zhipu-2026", Month)!;
        Assert.Equal(HttpStatusCode.UnprocessableEntity, early.StatusCode);
        Assert.Equal(PeriodState.Final, period.State);
        Assert.Equal(["finn Payer", "zhipu-user Payee"], period.Signatures.Select(s => $"{s.By} {s.Side}"));
        Assert.Equal(("zhipu-user", "finn"), (period.Disputes[0].By, period.Disputes[0].Resolved!.By));
        Assert.Equal(Amount.Parse("0.05"), period.Due - period.Payable);
    }

    [Theory]
    [InlineData("acme-user", "acme-2026", "Payee")] // its own agreement, for the other side
    [InlineData("acme-user", "bravo-2026", "Payer")]
    [InlineData("finn", "acme-2026", "Payer")] // the platform does not sign for its consumer
    public async Task Sign_ForASideThatIsNotOnesOwn_IsRefused(string user, string agreement, string side)
    {
        using HttpClient client = _site.SignedIn(user);
        string hash = (await _site.Host.Shard.SettlementAsync()).Calendar.Find(agreement, Month)!.Hash;
        long before = _site.Host.Shard.DurableSeq;
        using HttpResponseMessage answer = await ClosedMonth.TryAsync(client, "sign", ("agreement", agreement),
            ("period", Month), ("side", side), ("hash", hash));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(before, _site.Host.Shard.DurableSeq);
    }

    [Fact]
    public async Task Bill_DisputedByTwo_HoldsTheDifferenceUntilItIsWithdrawn()
    {
        using HttpClient finance = _site.SignedIn("finn");
        using HttpClient olga = _site.SignedIn("olga");
        string page = await ClosedMonth.BringAsync(olga, _site, "zhipu.csv", ClosedMonth.Bill(_site));
        Amount due = await BalanceAsync("zhipu/due/zhipu-2026");
        Amount before = await BalanceAsync("zhipu/held/zhipu-2026");
        await SignAsync(olga, page, "dispute");
        Amount held = await BalanceAsync("zhipu/held/zhipu-2026");
        Assert.Equal(Amount.Parse("4.5") + (due - await BalanceAsync("zhipu/due/zhipu-2026")), held - before);
        Assert.True(held - before > Amount.Parse("4.5"));

        await SignAsync(finance, page, "withdraw");
        Assert.Equal(held, await BalanceAsync("zhipu/held/zhipu-2026"));
        await SignAsync(olga, page, "withdraw");
        Assert.Equal(before, await BalanceAsync("zhipu/held/zhipu-2026"));
        Assert.Equal(due, await BalanceAsync("zhipu/due/zhipu-2026"));
        string list = await olga.GetStringAsync("/console/settlement/reconcile?lang=en");
        Assert.Contains("withdrawn", list, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bill_ThatCannotBeRead_SaysWhichRow()
    {
        using HttpClient finance = _site.SignedIn("finn");
        using var form = new MultipartFormDataContent
        {
            { new StringContent(await ConsoleSite.FormTokenAsync(finance, "/console/account")), "form" },
            { new StringContent("zhipu-2026"), "agreement" },
            { new StringContent(Month), "period" },
            { new StringContent("ciyuan"), "as" },
            { new StringContent("id,time,model,class,quantity,amount\na,yesterday,m,input,1,1\n"), "bill", "b.csv" },
        };
        using HttpResponseMessage answer = await finance.PostAsync("/console/settlement/reconcile", form);
        using HttpResponseMessage shown = await finance.GetAsync(answer.Headers.Location);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, shown.StatusCode);
        Assert.Contains("row 2", await shown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("html", "text/html", "对账单")]
    [InlineData("csv", "text/csv", "价税合计")]
    [InlineData("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK")]
    [InlineData("json", "application/json", "\"due\"")]
    public async Task Statement_InAForm_IsThatOfTheHash(string form, string mediaType, string holds)
    {
        using HttpClient acme = _site.SignedIn("acme-user");
        using HttpResponseMessage answer = await acme.GetAsync(
            $"/console/settlement/statement?agreement=acme-2026&period={Month}&form={form}");
        byte[] file = await answer.Content.ReadAsByteArrayAsync();

        Assert.Equal(mediaType, answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains(holds, System.Text.Encoding.UTF8.GetString(file), StringComparison.Ordinal);
        if (form == "json")
        {
            string hash = (await _site.Host.Shard.SettlementAsync()).Calendar.Find("acme-2026", Month)!.Hash;
            Assert.Equal(hash, StatementDocument.HashOf(file));
        }
    }

    private static async Task SignAsync(HttpClient client, string page, string decision)
    {
        string id = ClosedMonth.IdOf().Match(page).Groups[1].Value;
        await ClosedMonth.PostAsync(client, "reconcile/sign", ("id", id),
            ("result", ClosedMonth.ResultOf().Match(page).Groups[1].Value), ("decision", decision));
    }

    private async Task<Amount> BalanceAsync(string path) =>
        (await _site.Host.Shard.BalancesAsync()).SingleOrDefault(a => a.Name.Path == path)?.Balance ?? Amount.Zero;
}
