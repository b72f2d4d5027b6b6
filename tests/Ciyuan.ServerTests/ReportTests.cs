using System.Globalization;
using System.Text.Json.Nodes;
using static Ciyuan.ServerTests.TestServer;

namespace Ciyuan.ServerTests;

public sealed class ReportTests
{
    internal static string Total(JsonNode report, string column) => (string)report["total"]![column]!;

    [Fact]
    [Trait("Takes", "Long")]
    public async Task GetReport_AfterIngest_EqualsWhatWasSent()
    {
        await using TestServer server = await StartWithSetupAsync();
        var random = new Random(20261123);
        (string Party, long Input, long Output)[] sent = [.. Enumerable.Range(0, 3_000).Select(_ =>
            (random.Next(2) == 0 ? "acme" : "bravo", random.NextInt64(100_000), random.NextInt64(10_000)))];
        foreach ((string, long, long)[] chunk in sent.Chunk(700))
        {
            int start = Array.IndexOf(sent, chunk[0]);
            await server.PostAsync("/v1/events", Json, Batch(chunk.Select(
                (e, i) => Event($"{start + i}-{e.Item2}-{e.Item3}", e.Item2, e.Item3, e.Item1))));
        }

        (int status, JsonNode report) = await server.GetAsync("/v1/report?group=party");
        Assert.Equal(200, status);
        Assert.Equal("3000", Total(report, "calls"));
        Assert.Equal(Text(sent.Sum(e => e.Input)), Total(report, "tokens_input"));
        Assert.Equal(Text(sent.Sum(e => e.Output)), Total(report, "tokens_output"));
        foreach (JsonNode? row in report["rows"]!.AsArray())
        {
            string party = (string)row!["key"]!["party"]!;
            long input = sent.Where(e => e.Party == party).Sum(e => e.Input);
            Assert.Equal(Text(input), (string)row["values"]!["tokens_input"]!);
            // 2 per million in, 8 per million out.
            decimal income = sent.Where(e => e.Party == party).Sum(e => (2m * e.Input) + (8m * e.Output)) / 1_000_000;
            Assert.Equal(income, decimal.Parse((string)row["values"]!["income_CNY"]!, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task GetReport_FilterBucketAndPeriod_AreInTheScope()
    {
        await using TestServer server = await StartWithSetupAsync();
        string[] events =
        [
            Event("a", 10, time: "2026-11-01T23:00:00+08:00"), Event("b", 20, time: "2026-11-02T01:00:00+08:00"),
            Event("c", 40, party: "bravo", time: "2026-11-02T01:00:00+08:00"),
            Event("d", 80, time: "2026-12-01T00:00:00+08:00"),
        ];
        await server.PostAsync("/v1/events", Json, Batch(events));
        (int status, JsonNode report) = await server.GetAsync(
            "/v1/report?bucket=day&period=2026-11&zone=Asia/Shanghai&filter=party%3Dac*&filter=model%3Dglm-4.6,other");
        Assert.True(status == 200, report.ToJsonString());
        Assert.Equal(["10", "20"], report["rows"]!.AsArray().Select(r => (string)r!["values"]!["tokens_input"]!));
        Assert.Equal((2, 1, 1), ((int)report["scope"]!["records_in"]!, (int)report["scope"]!["records_filtered_out"]!,
            (int)report["scope"]!["records_outside_period"]!));
    }

    [Fact]
    public async Task GetReport_AsCsv_HasARowForEachGroup()
    {
        await using TestServer server = await StartWithSetupAsync();
        await server.PostAsync("/v1/events", Json, Batch([Event("a"), Event("b", party: "bravo")]));
        using HttpResponseMessage response = await server.Client.GetAsync("/v1/report?group=party&format=csv");
        Assert.Equal("text/csv", response.Content.Headers.ContentType!.MediaType);
        string[] lines = (await response.Content.ReadAsStringAsync()).Split('\n');
        Assert.Contains(lines, line => line.StartsWith("acme,", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("bravo,", StringComparison.Ordinal));
        string scope = Assert.Single(response.Headers.GetValues("X-Ciyuan-Scope"));
        Assert.StartsWith("Scope: ", scope, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetReport_AsCsvWithTextBeyondAscii_HasTheScopeEncoded()
    {
        await using TestServer server = await StartWithSetupAsync();
        using HttpResponseMessage response =
            await server.Client.GetAsync("/v1/report?format=csv&filter=party%3D%E4%B8%AD");
        string scope = Assert.Single(response.Headers.GetValues("X-Ciyuan-Scope"));
        Assert.Contains("中", Uri.UnescapeDataString(scope), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetStatement_UnknownOrUnused_SaysWhich()
    {
        await using TestServer server = await StartWithSetupAsync();
        (int status, JsonNode problem) = await server.GetAsync("/v1/agreements/acme-2025/statement?period=2026-11");
        Assert.Equal(404, status);
        Assert.Contains("acme-2026", (string)problem["detail"]!, StringComparison.Ordinal);
        (status, JsonNode unused) = await server.GetAsync("/v1/agreements/acme-2026/statement?period=2026-11");
        Assert.Equal((200, "0", "acme"), (status, (string)unused["exact"]!, (string)unused["payer"]!));
    }

    [Theory]
    [InlineData("group=colour", "colour")]
    [InlineData("group=party,party", "once")]
    [InlineData("filter=party", "DIMENSION=VALUE")]
    [InlineData("bucket=3", "bucket")]
    [InlineData("bucket=fortnight", "bucket")]
    [InlineData("zone=Nowhere/City", "zone")]
    [InlineData("period=2026-13", "period")]
    [InlineData("period=2026-11&from=2026-11-02", "period")]
    [InlineData("from=2026-12&to=2026-11", "from")]
    [InlineData("format=xml", "format")]
    public async Task GetReport_BadParameter_IsNamed(string query, string named)
    {
        await using TestServer server = await StartAsync();
        (int status, JsonNode problem) = await server.GetAsync("/v1/report?" + query);
        Assert.Equal(400, status);
        Assert.Contains(named, (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetStatement_OfAMonth_AddsUpToTheCharges()
    {
        await using TestServer server = await StartWithSetupAsync();
        string[] events =
        [
            Event("a", 1_000_000, 500_000), Event("b", 333, 77),
            Event("c", 1_000_000, time: "2026-12-01T00:00:00+08:00"), Event("d", party: "bravo"),
        ];
        await server.PostAsync("/v1/events", Json, Batch(events));
        (int status, JsonNode statement) = await server.GetAsync(
            "/v1/agreements/acme-2026/statement?period=2026-11&zone=Asia/Shanghai");
        Assert.Equal(200, status);
        Assert.Equal(("acme", "ciyuan", "CNY"),
            ((string)statement["payer"]!, (string)statement["payee"]!, (string)statement["currency"]!));
        Assert.Equal("6.001282", (string)statement["exact"]!);
        Assert.Equal("6", (string)statement["total"]!);
        Assert.Equal(6.001282m, statement["lines"]!.AsArray().Sum(
            l => decimal.Parse((string)l!["amount"]!, CultureInfo.InvariantCulture)));
        (int without, _) = await server.GetAsync("/v1/agreements/acme-2026/statement");
        Assert.Equal(400, without);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
