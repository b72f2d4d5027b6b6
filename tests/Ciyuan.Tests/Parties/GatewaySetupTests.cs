using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Xunit;

namespace Ciyuan.Tests.Parties;

public sealed class GatewaySetupTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static readonly Setup Network = new()
    {
        Parties = [new PartySetup("acme", "Acme", [Role.Consumer])],
        Projects = [new ProjectSetup("acme", "chat")],
        Keys = [new KeySetup("acme", "chat", "k1"), new KeySetup("acme", "chat", "k2")],
    };

    private static readonly UpstreamSetup Vendor =
        new("u1", "vendor", UpstreamProtocol.Anthropic, "https://vendor.example", [new ServedModelSetup("m")]);

    private static (Catalog Catalog, List<string> Faults, bool Changed) Add(Catalog catalog, Setup setup)
    {
        var faults = new List<string>();
        bool changed = false;
        var none = new BookTerms(
            new Dictionary<string, Currency>(), new Dictionary<string, (Currency From, Currency To)>());
        Catalog next = catalog.With(setup, none, faults, ref changed);
        return (next, faults, changed);
    }

    // Frames are compared byte by byte at replay: what was stored before there were gateways must not change.
    [Fact]
    public void Serialize_SetupWithoutGatewayEntries_IsAsItAlwaysWas() => Assert.Equal(
        "{\"by\":\"a\",\"parties\":[],\"projects\":[],\"keys\":[{\"party\":\"p\",\"project\":\"x\",\"id\":\"k\"}],"
        + "\"sites\":[],\"books\":[],\"agreements\":[],\"funding\":[]}",
        JsonSerializer.Serialize(
            new Setup { By = "a", Keys = [new KeySetup("p", "x", "k")] }, SetupJson.Default.Setup));

    [Fact]
    public void Serialize_GatewayEntries_ComeBackTheSame()
    {
        var setup = new Setup
        {
            Upstreams = [Vendor with { Priority = 0, Weight = 0, AllowInside = true, KeyVariable = "V" }],
            Routes = [new RouteSetup("m*", RoutePolicy.Latency, "eu")],
            Access = [new AccessSetup("k1", Hash, "cy-abc", ["chat"], ["m*"], Concurrency: 3)],
            Budgets = [new BudgetSetup("b", "acme", "CNY", "5", Period: BudgetPeriod.Day)],
        };

        string json = JsonSerializer.Serialize(setup, SetupJson.Default.Setup);
        Setup read = JsonSerializer.Deserialize(json, SetupJson.Default.Setup)!;

        Assert.Equal(json, JsonSerializer.Serialize(read, SetupJson.Default.Setup));
        Assert.Equal((0, 0, UpstreamProtocol.Anthropic),
            (read.Upstreams![0].Priority, read.Upstreams[0].Weight, read.Upstreams[0].Protocol));
    }

    [Fact]
    public void With_UpstreamAgain_ReplacesItAndTheSameChangesNothing()
    {
        (Catalog first, _, _) = Add(Catalog.Empty, new Setup { Upstreams = [Vendor] });

        (_, _, bool same) = Add(first, new Setup { Upstreams = [Vendor with { Models = [new("m")] }] });
        (Catalog next, List<string> faults, bool changed) =
            Add(first, new Setup { Upstreams = [Vendor with { Disabled = true }] });

        Assert.False(same);
        Assert.True(changed && faults.Count == 0);
        Assert.True(Assert.Single(next.Gateway.Upstreams).Disabled);
    }

    [Theory]
    [InlineData("ftp://vendor.example")]
    [InlineData("https://user:pass@vendor.example")]
    [InlineData("https://vendor.example/?key=1")]
    [InlineData("vendor.example")]
    public void With_UpstreamAtNoPlainAddress_IsRefused(string url) => Assert.Contains(
        "base_url",
        Assert.Single(Add(Catalog.Empty, new Setup { Upstreams = [Vendor with { BaseUrl = url }] }).Faults));

    [Theory]
    [InlineData("k1", "cy-the-secret-itself", "hash must be")]
    [InlineData("nobody", Hash, "no such key")]
    public void With_BadAccess_IsRefused(string key, string hash, string reason)
    {
        (Catalog network, _, _) = Add(Catalog.Empty, Network);

        Assert.Contains(reason, Assert.Single(
            Add(network, new Setup { Access = [new AccessSetup(key, hash)] }).Faults));
    }

    [Fact]
    public void With_OneSecretForTwoKeys_IsRefused()
    {
        (Catalog network, _, _) = Add(Catalog.Empty, Network);
        var setup = new Setup { Access = [new AccessSetup("k1", Hash), new AccessSetup("k2", Hash)] };

        Assert.Contains("same secret", Assert.Single(Add(network, setup).Faults));
    }
}
