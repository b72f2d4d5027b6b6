using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Ciyuan.ServerTests;

public sealed class SettlementTests
{
    // A month that is over, whatever the day of the test.
    private const string Terms = """
        settlement:
        - { agreement: acme-2026, start: "2026-09", zone: Asia/Shanghai, tax_percent: "6", invoice_item: "*信息技术服务*词元" }
        - { agreement: zhipu-2026, start: "2026-09", zone: Asia/Shanghai }
        billing:
        - { party: acme, title: 某某科技, tax_id: 91350100M000100Y43, bank: 甲银行, account: "62220" }
        """;

    [Fact]
    [Trait("Takes", "Long")]
    public async Task Close_AMonth_GoesFromDraftToPayment()
    {
        await using TestServer server = await TestServer.StartWithSetupAsync();
        (int status, JsonNode answer) = await server.PostAsync("/v1/setup", "application/yaml", Terms);
        Assert.True(status == 200, answer.ToJsonString());
        await server.PostAsync("/v1/events", TestServer.Json, TestServer.Batch(
            [TestServer.Event("a", 1_000_000, 500_000, time: "2026-09-03T08:00:00+08:00")]));

        (status, answer) = await server.GetAsync("/v1/settlement/zhipu-2026/2026-09/statement");
        Assert.Equal((200, "3"), (status, (string)answer["due"]!)); // a draft
        Assert.Equal(422, (await PostAsync(server, "split", """{"period":"2026-09","by":"ann"}""")).Status);
        (status, answer) = await PostAsync(server, "freeze", """{"period":"2026-09","by":"ann"}""");
        Assert.Equal((200, 2), (status, answer.AsArray().Count));
        await server.PostAsync("/v1/events", TestServer.Json, TestServer.Batch(
            [TestServer.Event("late", 1_000_000, 0, time: "2026-09-04T08:00:00+08:00")]));
        (status, answer) = await PostAsync(server, "split", """{"period":"2026-09","by":"ann"}""");
        Assert.Equal((200, "done", "done"), (status, (string)answer[0]!["status"]!, (string)answer[1]!["status"]!));

        byte[] statement = await server.Client.GetByteArrayAsync("/v1/settlement/zhipu-2026/2026-09/statement");
        string hash = Convert.ToHexStringLower(SHA256.HashData(statement));
        Assert.Equal(hash, (string)answer[1]!["hash"]!);
        Assert.Equal(
            422, (await StepAsync(server, "sign", "ann", "00", "payer")).Status);
        Assert.Equal(200, (await StepAsync(server, "sign", "ann", hash, "payer")).Status);
        (status, answer) = await StepAsync(server, "finish", "ann", "", "none");
        Assert.Equal((422, "too_early"), (status, (string)answer["outcome"]!));
        Assert.Equal(200, (await StepAsync(server, "sign", "bob", hash, "payee")).Status);
        Assert.Equal(200, (await StepAsync(server, "finish", "ann", "", "none")).Status);

        (_, answer) = await server.GetAsync("/v1/settlement/payments?period=2026-09");
        Assert.Equal("3", (string)answer["instructions"]![0]!["amount"]!);
        (_, answer) = await server.GetAsync("/v1/settlement/zhipu-2026/2026-09/invoice");
        Assert.Equal("人民币叁元整", (string)answer["gross_in_capitals"]!);
        (_, answer) = await server.GetAsync("/v1/settlement/calendar?agreement=zhipu-2026");
        Assert.Equal(("final", "2026-10"),
            ((string)answer[0]!["periods"]![0]!["state"]!, (string)answer[0]!["next"]!));
        (_, answer) = await server.GetAsync("/v1/agreements/zhipu-2026/statement?period=2026-10&zone=Asia/Shanghai");
        Assert.Equal("2026-09-30T16:00:00Z", (string)answer["lines"]![0]!["corrects_before"]!);
    }

    [Theory]
    [InlineData("html", "text/html", "对账单")]
    [InlineData("html&lang=en&kind=settlement&side=payer", "text/html", "Settlement note")]
    [InlineData("csv", "text/csv", "价税合计")]
    [InlineData("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK")]
    public async Task GetStatement_InAForm_IsThat(string form, string mediaType, string holds)
    {
        await using TestServer server = await TestServer.StartWithSetupAsync();
        await server.PostAsync("/v1/setup", "application/yaml", Terms);
        using HttpResponseMessage response =
            await server.Client.GetAsync($"/v1/settlement/acme-2026/2026-09/statement?form={form}");

        Assert.Equal(mediaType, response.Content.Headers.ContentType!.MediaType);
        Assert.Contains(holds, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/settlement/none/2026-09/statement", 404)]
    [InlineData("/v1/settlement/bravo-2026/2026-09/statement", 404)]
    [InlineData("/v1/settlement/acme-2026/2026-08/statement", 404)]
    [InlineData("/v1/settlement/acme-2026/2026-09-01/statement", 404)]
    [InlineData("/v1/settlement/acme-2026/2026-09/statement?form=docx", 400)]
    [InlineData("/v1/settlement/acme-2026/2026-09/statement?lang=fr", 400)]
    [InlineData("/v1/settlement/acme-2026/2026-09/invoice", 422)]
    public async Task Get_WhatIsNotThere_IsAProblem(string path, int expected)
    {
        await using TestServer server = await TestServer.StartWithSetupAsync();
        await server.PostAsync("/v1/setup", "application/yaml", Terms);

        (int status, JsonNode problem) = await server.GetAsync(path);
        Assert.True(status == expected && ((string)problem["detail"]!).Length > 20, problem.ToJsonString());
    }

    private static Task<(int Status, JsonNode Answer)> PostAsync(TestServer server, string step, string body) =>
        server.PostAsync($"/v1/settlement/{step}", TestServer.Json, body);

    private static Task<(int Status, JsonNode Answer)> StepAsync(
        TestServer server, string action, string by, string hash, string side) => PostAsync(server, "steps", $$"""
        {"source":"test","id":"{{action}}-{{by}}-{{hash}}","action":"{{action}}","agreement":"zhipu-2026",
         "period":"2026-09","by":"{{by}}","hash":"{{hash}}","side":"{{side}}"}
        """);
}
