using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Ciyuan.ServerTests;

public sealed class ReconcileApiTests
{
    private const string Question = "/v1/reconcile?agreement=zhipu-2026&period=2026-09&zone=UTC";

    // One call that agrees, one with half as many tokens, one that is not recorded.
    private const string Bill = """
        id,time,model,class,quantity,amount
        a,2026-09-03T00:00:00Z,glm-4.6,input.text,1000000,1
        a,2026-09-03T00:00:00Z,glm-4.6,output.text,500000,2
        b,2026-09-04T00:00:00Z,glm-4.6,input.text,500000,0.5
        x,2026-09-05T00:00:00Z,glm-4.6,input.text,10,0.25

        """;

    [Fact]
    public async Task Post_ABill_ExplainsSignsAndHolds()
    {
        await using TestServer server = await TestServer.StartWithSetupAsync();
        await server.PostAsync("/v1/events", TestServer.Json, TestServer.Batch(
        [
            TestServer.Event("a", 1_000_000, 500_000, time: "2026-09-03T00:00:00Z"),
            TestServer.Event("b", 1_000_000, 0, time: "2026-09-04T00:00:00Z"),
        ]));

        (int status, JsonNode answer) = await server.PostAsync(Question, "text/csv", Bill);
        Assert.True(status == 200, answer.ToJsonString());
        Assert.Equal("-0.25", (string)answer["difference"]!);
        Assert.Equal(
            ["missing_here 0.25", "count -0.5"],
            answer["sums"]!.AsArray().Select(s => $"{s!["class"]} {s["difference"]}"));

        Assert.Equal(200, (await server.PostAsync(Question + "&sign=dispute&by=ann", "text/csv", Bill)).Status);
        (status, answer) = await server.PostAsync(Question + "&sign=accept&by=bob", "text/csv", Bill);
        Assert.True(status == 422, answer.ToJsonString());
        Assert.Equal(200, (await server.PostAsync(Question + "&sign=dispute&by=bob", "text/csv", Bill)).Status);
        (_, answer) = await server.GetAsync("/v1/balances?match=zhipu/held/*");
        Assert.Equal("0.75", (string)answer["accounts"]![0]!["balance"]!);
        (_, answer) = await server.GetAsync("/v1/reconciliations");
        Assert.Equal(("disputed", true), ((string)answer[0]!["decision"]!, (bool)answer[0]!["complete"]!));
    }

    [Theory]
    [InlineData("&match=somehow", 400)]
    [InlineData("&tolerance=much", 400)]
    [InlineData("&sign=accept", 400)]
    [InlineData("&as=nothing", 422)]
    [InlineData("&as=openai-costs", 422)]
    public async Task Post_WhatCannotBeRead_IsAProblem(string more, int expected)
    {
        await using TestServer server = await TestServer.StartWithSetupAsync();
        (int status, JsonNode problem) = await server.PostAsync(Question + more, "text/csv", Bill);

        Assert.True(status == expected && ((string)problem["detail"]!).Length > 10, problem.ToJsonString());
    }

    [Theory]
    [InlineData("period=2026-09", "text/csv", "BilledCost,")]
    [InlineData("period=2026-09&spec=1.4&dataset=invoice-detail&side=all&format=json", "application/jsonl", "")]
    [Trait("Takes", "Long")]
    public async Task GetFocus_OfAPeriod_IsAFile(string query, string mediaType, string begins)
    {
        await using TestServer server = await TestServer.StartWithSetupAsync();
        using HttpResponseMessage answer = await server.Client.GetAsync("/v1/export/focus?" + query);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(mediaType, answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("journal up to frame", Assert.Single(answer.Headers.GetValues("X-Ciyuan-Scope")),
            StringComparison.Ordinal);
        Assert.StartsWith(begins, Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync()),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("period=2026-09&spec=1.3", 400)]
    [InlineData("period=2026-09&dataset=invoice-detail", 400)]
    [InlineData("period=2026-09&agreement=none", 404)]
    public async Task GetFocus_WhatIsNotThere_IsAProblem(string query, int expected)
    {
        await using TestServer server = await TestServer.StartWithSetupAsync();

        Assert.Equal(expected, (await server.GetAsync("/v1/export/focus?" + query)).Status);
    }
}
