using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using static Ciyuan.ServerTests.TestServer;

namespace Ciyuan.ServerTests;

public sealed class RoutesTests
{
    [Fact]
    [Trait("Takes", "Long")]
    public async Task OpenApi_ListsEveryRouteAndMethod()
    {
        await using TestServer server = await StartAsync();
        (int status, JsonNode document) = await server.GetAsync("/openapi/v1.json");
        Assert.Equal(200, status);
        string[] listed = [.. document["paths"]!.AsObject().SelectMany(
            path => path.Value!.AsObject().Select(o => $"{o.Key.ToUpperInvariant()} {path.Key}")).Order()];
        string[] routed = [.. server.Host.Routes
            .Where(route => !route.RoutePattern.RawText!.StartsWith("/openapi/", StringComparison.Ordinal))
            .SelectMany(route => route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods
                .Select(method => $"{method} {route.RoutePattern.RawText}")).Order()];
        Assert.Equal(routed, listed);
        Assert.Equal(25, listed.Length);
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task OpenApi_EachOperationIsDescribedAndEachReferenceLeadsSomewhere()
    {
        await using TestServer server = await StartAsync();
        (_, JsonNode document) = await server.GetAsync("/openapi/v1.json");
        IEnumerable<JsonNode> operations = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => operation.Value!));
        foreach (JsonNode operation in operations)
        {
            Assert.NotNull((string?)operation["operationId"]);
            Assert.NotNull((string?)operation["summary"]);
            Assert.NotNull((string?)operation["description"]);
            Assert.NotNull(operation["responses"]!["200"]!["content"]);
            Assert.All(operation["parameters"]?.AsArray() ?? [], p => Assert.NotNull((string?)p!["description"]));
        }

        foreach (string reference in References(document).Distinct())
        {
            JsonNode? target = reference.TrimStart('#', '/').Split('/')
                .Aggregate((JsonNode?)document, (node, name) => node?[name]);
            Assert.True(target is not null, reference + " leads nowhere");
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public async Task OpenApi_ExamplesOfBodies_AreTaken()
    {
        await using TestServer server = await StartWithSetupAsync();
        (_, JsonNode document) = await server.GetAsync("/openapi/v1.json");
        JsonObject bodies = document["paths"]!["/v1/events"]!["post"]!["requestBody"]!["content"]!.AsObject();
        Assert.Equal(6, bodies.Count);
        foreach ((string mediaType, JsonNode? body) in bodies)
        {
            JsonNode example = body!["example"]!;
            string text = example is JsonValue value ? (string)value! : example.ToJsonString();
            (int status, JsonNode answer) = await server.PostAsync("/v1/events", mediaType, text);
            Assert.True(status == 200 && (int?)answer["rejected"] is null or 0, answer.ToJsonString());
        }
    }

    [Theory]
    [InlineData("GET", "/v1/events", "POST")]
    [InlineData("DELETE", "/v1/balances", "GET")]
    [InlineData("PUT", "/v1/setup", "POST")]
    [InlineData("POST", "/healthz", "GET")]
    public async Task Send_ForeignMethod_SaysWhichAreTaken(string method, string path, string allowed)
    {
        await using TestServer server = await StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Equal(405, (int)response.StatusCode);
        Assert.Contains(allowed, response.Content.Headers.Allow);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task GetHealth_AfterTheJournalFailed_IsUnavailable()
    {
        await using TestServer server = await StartWithSetupAsync();
        server.TakeNextFrame();
        (int lost, _) = await server.PostAsync("/v1/events", Json, Event("a"));
        Assert.Equal(503, lost);
        (int status, JsonNode problem) = await server.GetAsync("/healthz");
        Assert.Equal((503, "urn:ciyuan:problem:journal-faulted"), (status, (string)problem["type"]!));
    }

    [Fact]
    public async Task Get_UnknownPath_IsAProblem()
    {
        await using TestServer server = await StartAsync();
        (int status, JsonNode problem) = await server.GetAsync("/v1/nowhere");
        Assert.Equal((404, 404), (status, (int)problem["status"]!));
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(p => p.Key == "$ref" ? [(string)p.Value!] : References(p.Value)),
        JsonArray a => a.SelectMany(References),
        _ => [],
    };
}
