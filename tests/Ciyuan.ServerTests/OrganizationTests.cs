using System.Globalization;
using System.Text.Json.Nodes;
using static Ciyuan.ServerTests.TestServer;

namespace Ciyuan.ServerTests;

/// <summary>Reads usage and costs as a dashboard made for OpenAI's endpoints does: page by page.</summary>
public sealed class OrganizationTests
{
    private const long Start = 1_793_491_200; // 2026-11-01T00:00:00Z

    [Fact]
    public async Task GetUsage_PageByPage_CountsWhatWasSent()
    {
        await using TestServer server = await StartWithSetupAsync();
        (DateTimeOffset Time, string Party, int Input, int Cached, int Output)[] sent = await SendAsync(server);
        foreach ((string width, int limit, long seconds) in
            (IEnumerable<(string, int, long)>)[("1d", 3, 86_400), ("1h", 100, 3_600), ("1m", 1_440, 60)])
        {
            long end = Start + (width == "1m" ? 86_400 * 3 : 86_400 * 10);
            List<JsonNode> buckets = await ReadAsync(server, $"/v1/organization/usage/completions?start_time={Start}"
                + $"&end_time={end}&bucket_width={width}&limit={limit}&group_by=user_id&group_by=model");
            Assert.Equal((end - Start) / seconds, buckets.Count);
            foreach (JsonNode bucket in buckets)
            {
                long from = (long)bucket["start_time"]!;
                Assert.Equal(seconds, (long)bucket["end_time"]! - from);
                foreach (JsonNode? result in bucket["results"]!.AsArray())
                {
                    var mine = sent.Where(s => s.Party == (string)result!["user_id"]!
                        && s.Time.ToUnixTimeSeconds() >= from && s.Time.ToUnixTimeSeconds() < from + seconds).ToArray();
                    Assert.Equal(mine.Length, (int)result!["num_model_requests"]!);
                    Assert.Equal(mine.Sum(s => s.Input + s.Cached), (long)result["input_tokens"]!);
                    Assert.Equal(mine.Sum(s => s.Cached), (long)result["input_cached_tokens"]!);
                    Assert.Equal(mine.Sum(s => s.Output), (long)result["output_tokens"]!);
                    Assert.Equal("glm-4.6", (string?)result["model"]);
                    Assert.Null(result["project_id"]);
                }
            }

            Assert.Equal(sent.Count(s => s.Time.ToUnixTimeSeconds() < end),
                buckets.Sum(b => b["results"]!.AsArray().Sum(r => (int)r!["num_model_requests"]!)));
        }
    }

    [Fact]
    public async Task GetUsage_WithoutGroups_IsOneResultForABucketThatHasUsage()
    {
        await using TestServer server = await StartWithSetupAsync();
        await SendAsync(server);
        List<JsonNode> buckets = await ReadAsync(
            server, $"/v1/organization/usage/completions?start_time={Start}&end_time={Start + (86_400 * 12)}&limit=31");
        Assert.All(buckets.Take(10), b => Assert.Single(b["results"]!.AsArray()));
        Assert.All(buckets.Skip(10), b => Assert.Empty(b["results"]!.AsArray()));
        List<JsonNode> filtered = await ReadAsync(server, $"/v1/organization/usage/completions?start_time={Start}"
            + $"&end_time={Start + (86_400 * 12)}&limit=31&user_ids[]=acme");
        Assert.True(filtered.Sum(Calls) > 0 && filtered.Sum(Calls) < buckets.Sum(Calls));
        List<JsonNode> images = await ReadAsync(
            server, $"/v1/organization/usage/images?start_time={Start}&end_time={Start + 86_400}");
        Assert.Empty(Assert.Single(images)["results"]!.AsArray());

        static int Calls(JsonNode bucket) => bucket["results"]!.AsArray().Sum(r => (int)r!["num_model_requests"]!);
    }

    [Fact]
    public async Task GetCosts_ByLineItem_AreWhatIsChargedToTheLastDigit()
    {
        await using TestServer server = await StartWithSetupAsync();
        var sent = await SendAsync(server);
        List<JsonNode> buckets = await ReadAsync(server, $"/v1/organization/costs?start_time={Start}"
            + $"&end_time={Start + (86_400 * 10)}&limit=4&group_by=line_item");
        JsonNode[] results = [.. buckets.SelectMany(b => b["results"]!.AsArray().Select(r => r!))];
        decimal Sum(string item) => results.Where(r => (string?)r["line_item"] == item).Sum(r => decimal.Parse(
            r["amount"]!["value"]!.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture));
        Assert.Equal(
            (sent.Sum(s => s.Input) * 2m / 1_000_000, sent.Sum(s => s.Cached) * 0.4m / 1_000_000,
                sent.Sum(s => s.Output) * 8m / 1_000_000),
            (Sum("glm-4.6, input"), Sum("glm-4.6, cached input"), Sum("glm-4.6, output")));
        Assert.All(results, r => Assert.Equal("cny", (string?)r["amount"]!["currency"]));
        Assert.All(results, r => Assert.Equal("tokens", (string?)r["quantity_unit"]));
    }

    [Theory]
    [InlineData("/v1/organization/usage/completions", 400)]
    [InlineData("/v1/organization/usage/completions?start_time=1&limit=32", 400)]
    [InlineData("/v1/organization/usage/completions?start_time=1&group_by=colour", 400)]
    [InlineData("/v1/organization/usage/completions?start_time=1793491200&end_time=1793491300&page=page_7", 400)]
    [InlineData("/v1/organization/usage/completions?start_time=5&end_time=4", 400)]
    [InlineData("/v1/organization/usage/nothing?start_time=1", 404)]
    [InlineData("/v1/organization/costs?start_time=1&bucket_width=1h", 400)]
    [InlineData("/v1/forecast/balances?days=0", 400)]
    public async Task Get_Nonsense_IsRefused(string path, int expected)
    {
        await using TestServer server = await StartWithSetupAsync();
        (int status, JsonNode problem) = await server.GetAsync(path);
        Assert.Equal(expected, status);
        Assert.NotNull((string?)problem["detail"]);
    }

    [Fact]
    public async Task Get_WithoutTheToken_IsRefused()
    {
        await using TestServer server = await StartAsync(token: "sixteen-characters-and-more");
        server.Client.DefaultRequestHeaders.Authorization = null;
        (int status, _) = await server.GetAsync($"/v1/organization/costs?start_time={Start}");
        Assert.Equal(401, status);
    }

    [Fact]
    public async Task GetMarginAndForecasts_AfterUse_Answer()
    {
        await using TestServer server = await StartWithSetupAsync();
        await SendAsync(server);
        (int status, JsonNode margin) = await server.GetAsync("/v1/report/margin?group=model&period=2026-11");
        Assert.Equal(200, status);
        JsonNode row = Assert.Single(margin["rows"]!.AsArray())!;
        Assert.Equal("glm-4.6", (string?)row["model"]);
        Assert.Equal((string?)row["margin"], (string?)margin["totals"]![0]!["margin"]);
        (status, JsonNode balances) = await server.GetAsync("/v1/forecast/balances?days=7");
        Assert.Equal(200, status);
        Assert.NotEmpty(balances["balances"]!.AsArray());
        (status, _) = await server.GetAsync("/v1/forecast/budgets");
        Assert.Equal(200, status);
    }

    private static async Task<(DateTimeOffset Time, string Party, int Input, int Cached, int Output)[]> SendAsync(
        TestServer server)
    {
        var random = new Random(5);
        var sent = Enumerable.Range(0, 400).Select(_ => (
            Time: DateTimeOffset.FromUnixTimeSeconds(Start + random.Next(86_400 * 10)),
            Party: random.Next(3) == 0 ? "acme" : "bravo", Input: random.Next(1, 5_000), Cached: random.Next(1, 900),
            Output: random.Next(1, 700))).ToArray();
        IEnumerable<string> events = sent.Select((s, i) => new JsonObject
        {
            ["source"] = "gw",
            ["id"] = $"o-{i}",
            ["time"] = s.Time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["party"] = s.Party,
            ["model"] = "glm-4.6",
            ["operation"] = i % 2 == 0 ? "chat" : "responses",
            ["counts"] = new JsonObject
            {
                ["input.text"] = s.Input,
                ["input.text.cache_read"] = s.Cached,
                ["output.text"] = s.Output,
            },
        }.ToJsonString());
        (int status, JsonNode answer) = await server.PostAsync("/v1/events", Json, Batch(events));
        Assert.True(status == 200 && (int?)answer["rejected"] is null or 0, answer.ToJsonString());
        return sent;
    }

    private static async Task<List<JsonNode>> ReadAsync(TestServer server, string path)
    {
        var buckets = new List<JsonNode>();
        string page = "";
        while (true)
        {
            (int status, JsonNode answer) = await server.GetAsync(path + page);
            Assert.True(status == 200, answer.ToJsonString());
            Assert.Equal("page", (string?)answer["object"]);
            buckets.AddRange(answer["data"]!.AsArray().Select(b => b!));
            if (!(bool)answer["has_more"]!)
            {
                Assert.Null(answer["next_page"]);
                return buckets;
            }

            page = $"&page={(string)answer["next_page"]!}";
        }
    }
}
