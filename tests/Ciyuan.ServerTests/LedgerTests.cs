using System.Globalization;
using System.Text.Json.Nodes;
using static Ciyuan.ServerTests.TestServer;

namespace Ciyuan.ServerTests;

public sealed class LedgerTests
{
    internal static string Deposit(string id, string party, string amount) => Group(
        id, $$"""
            {"type":"post","debit":"ciyuan/cash/bank","credit":"{{party}}/prepaid/main","currency":"CNY",
            "amount":"{{amount}}"}
            """);

    private static string Group(string id, string operations) => $$"""
        {"source":"test","id":"{{id}}","event_time":"2026-11-01T00:00:00Z","operations":[{{operations}}]}
        """;

    private static string Hold(string hold, string amount) =>
        $$"""
        {"type":"hold","hold":"{{hold}}","party":"acme","currency":"CNY","amount":"{{amount}}",
         "expires":"2200-01-01T00:00:00Z"}
        """;

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostGroup_DepositHoldSettleRelease_MovesTheMoney()
    {
        await using TestServer server = await StartWithSetupAsync();
        await Done(server, Deposit("d1", "acme", "10"));
        await Done(server, Group("h1", Hold("call-1", "4")));
        await Done(server, Group("h2", Hold("call-2", "5")));
        await Done(server, Group(
            "s1", """{"type":"settle","hold":"call-1","credit":"ciyuan/cash/bank","amount":"3"}"""));
        await Done(server, Group("r1", """{"type":"release","hold":"call-2"}"""));
        Assert.Equal("7", await BalanceOf(server, "acme/prepaid/main"));
    }

    [Fact]
    public async Task PostGroup_SentAgain_DoesNothingAndSaysSo()
    {
        await using TestServer server = await StartWithSetupAsync();
        await Done(server, Deposit("d1", "acme", "10"));
        (int status, JsonNode answer) = await server.PostAsync("/v1/ledger/groups", Json, Deposit("d1", "acme", "10"));
        Assert.Equal((200, "exists"), (status, (string)answer["status"]!));
        (int conflict, JsonNode problem) = await server.PostAsync(
            "/v1/ledger/groups", Json, Deposit("d1", "acme", "11"));
        Assert.Equal((409, "conflict"), (conflict, (string)problem["outcome"]!));
        Assert.Equal("10", await BalanceOf(server, "acme/prepaid/main"));
    }

    [Fact]
    public async Task PostGroup_NotCovered_RefusesAllOfItForGood()
    {
        await using TestServer server = await StartWithSetupAsync();
        await Done(server, Deposit("d1", "acme", "10"));
        string body = Group("h1", $"{Hold("call-1", "6")},{Hold("call-2", "6")}");
        (int status, JsonNode problem) = await server.PostAsync("/v1/ledger/groups", Json, body);
        Assert.Equal((422, "insufficient_funds"), (status, (string)problem["outcome"]!));
        Assert.Equal(1, (int)problem["failed_operation"]!);
        await Done(server, Deposit("d2", "acme", "10"));
        (int again, JsonNode same) = await server.PostAsync("/v1/ledger/groups", Json, body);
        Assert.Equal((422, "insufficient_funds"), (again, (string)same["outcome"]!));
    }

    [Theory]
    [InlineData("""{"source":"test","id":"x","event_time":"yesterday","operations":[]}""", "event_time")]
    [InlineData("""{"source":"test","id":"x","operations":[]}""", "event_time")]
    [InlineData("""{"source":null,"id":"x","event_time":"2026-11-01","operations":[]}""", "null")]
    [InlineData("""{"source":"test","id":"x","event_time":"2026-11-01","operations":[],"hidden":1}""", "hidden")]
    public async Task PostGroup_BadField_IsNamed(string body, string field)
    {
        await using TestServer server = await StartAsync();
        (int status, JsonNode problem) = await server.PostAsync("/v1/ledger/groups", Json, body);
        Assert.Equal(400, status);
        Assert.Contains(field, (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"post","debit":"a","credit":"b","currency":"CNY","amount":"1,5"}""", "operations[0].amount")]
    [InlineData("""{"type":"post","debit":"a","credit":"b","currency":"yuan","amount":"1"}""", "currency")]
    [InlineData("""{"type":"gift"}""", "operations")]
    [InlineData("null", "null")]
    public async Task PostGroup_BadOperation_IsNamed(string operation, string field)
    {
        await using TestServer server = await StartAsync();
        (int status, JsonNode problem) = await server.PostAsync("/v1/ledger/groups", Json, Group("x", operation));
        Assert.Equal(400, status);
        Assert.Contains(field, (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostSetup_Twice_SaysThatItIsThere()
    {
        await using TestServer server = await StartWithSetupAsync();
        (int status, JsonNode answer) = await server.PostAsync("/v1/setup", "application/yaml", SetupYaml);
        Assert.Equal((200, "exists"), (status, (string)answer["status"]!));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostSetup_AsJson_IsTheSame()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = """
            {"parties":[{"id":"acme","name":"Acme","roles":["consumer"]},TAB
             {"id":"new","name":"\u8bcd\ud83d\ude00 \"x\"","roles":["data"]}]}
            """.Replace("TAB", "\t", StringComparison.Ordinal);
        (int status, JsonNode answer) = await server.PostAsync("/v1/setup", Json, body);
        Assert.True(status == 200 && (string)answer["status"]! == "done", answer.ToJsonString());
        (_, answer) = await server.PostAsync("/v1/setup", Json, body);
        Assert.Equal("exists", (string)answer["status"]!);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostSetup_Unsound_IsRefusedWithItsFaults()
    {
        await using TestServer server = await StartWithSetupAsync();
        string body = "agreements:\n  - { id: x, payer: nobody, payee: ciyuan, book: nowhere }\n";
        (int status, JsonNode problem) = await server.PostAsync("/v1/setup", "application/yaml", body);
        Assert.Equal(422, status);
        Assert.NotEmpty(problem["faults"]!.AsArray());
        (int broken, JsonNode malformed) = await server.PostAsync("/v1/setup", "application/yaml", "parties: [\n");
        Assert.True(broken == 400, malformed.ToJsonString());
        (int foreign, _) = await server.PostAsync("/v1/setup", "text/plain", body);
        Assert.Equal(415, foreign);
    }

    [Fact]
    public async Task GetBalances_AfterUsage_SumToZeroInEachCurrency()
    {
        await using TestServer server = await StartWithSetupAsync();
        await Done(server, Deposit("d1", "acme", "1"));
        string[] events =
            [Event("a", 500_000, 70_000), Event("b", 12_345, 678, "bravo"), Event("c", model: "unheard-of")];
        await server.PostAsync("/v1/events", Json, Batch(events));
        (_, JsonNode answer) = await server.GetAsync("/v1/balances");
        var sums = answer["accounts"]!.AsArray().GroupBy(a => (string)a!["currency"]!)
            .ToDictionary(
                g => g.Key, g => g.Sum(a => decimal.Parse((string)a!["balance"]!, CultureInfo.InvariantCulture)));
        Assert.Contains("CNY", sums.Keys);
        Assert.Contains("TOK", sums.Keys);
        Assert.All(sums.Values, sum => Assert.Equal(0m, sum));
    }

    [Fact]
    public async Task GetBalances_WithAnOpenHold_ShowsPendingAndAvailable()
    {
        await using TestServer server = await StartWithSetupAsync();
        await Done(server, Deposit("d1", "acme", "10"));
        await Done(server, Group("h1", Hold("call-1", "4")));
        (_, JsonNode answer) = await server.GetAsync("/v1/balances?match=acme/prepaid/main");
        JsonNode account = answer["accounts"]!.AsArray().Single()!;
        Assert.Equal(
            ("10", "4", "6"),
            ((string)account["balance"]!, (string)account["pending"]!, (string)account["available"]!));
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task GetBalances_AtAMoment_LeavesOutWhatCameLater()
    {
        await using TestServer server = await StartWithSetupAsync();
        await Done(server, Deposit("d1", "acme", "10"));
        Assert.Equal("10", await BalanceOf(server, "acme/prepaid/main", "&at=2026-11-01T00:00:00Z&by=event"));
        (_, JsonNode before) = await server.GetAsync("/v1/balances?at=2026-10-31T00:00:00Z&by=event");
        Assert.Empty(before["accounts"]!.AsArray());
        (int status, _) = await server.GetAsync("/v1/balances?at=now");
        Assert.Equal(400, status);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task PostCorrection_Rerate_FindsNothingToChangeAtFirst()
    {
        await using TestServer server = await StartWithSetupAsync();
        await server.PostAsync("/v1/events", Json, Batch([Event("a")]));
        string body = """{"source":"test","id":"c1","mode":"rerate","to_seq":2}""";
        (int status, JsonNode answer) = await server.PostAsync("/v1/corrections", Json, body);
        Assert.Equal((200, "done", 0), (status, (string)answer["status"]!, (int)answer["records"]!));
        (_, answer) = await server.PostAsync("/v1/corrections", Json, body);
        Assert.Equal("exists", (string)answer["status"]!);
        string byNumber = body.Replace("rerate", "1", StringComparison.Ordinal);
        (int bad, _) = await server.PostAsync("/v1/corrections", Json, byNumber);
        Assert.Equal(400, bad);
        string later = body.Replace(":2", ":9", StringComparison.Ordinal);
        (bad, answer) = await server.PostAsync("/v1/corrections", Json, later);
        Assert.Equal((400, "to_seq: 9 is after the last frame, 3"), (bad, (string)answer["detail"]!));
    }

    private static async Task Done(TestServer server, string group)
    {
        (int status, JsonNode answer) = await server.PostAsync("/v1/ledger/groups", Json, group);
        Assert.True(status == 200 && (string)answer["status"]! == "done", answer.ToJsonString());
    }

    private static async Task<string> BalanceOf(TestServer server, string account, string more = "")
    {
        string path = $"/v1/balances?match={Uri.EscapeDataString(account)}{more}";
        (int status, JsonNode answer) = await server.GetAsync(path);
        Assert.Equal(200, status);
        return (string)Assert.Single(answer["accounts"]!.AsArray())!["balance"]!;
    }
}
