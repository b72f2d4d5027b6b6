using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Tests.Journal;
using Xunit;

namespace Ciyuan.Tests.Parties;

public sealed class SetupTests
{
    public static TheoryData<string, Setup> WithNulls => new()
    {
        { "parties", new Setup { Parties = null! } },
        { "parties", new Setup { Parties = [null!] } },
        { "parties", new Setup { Parties = [new PartySetup("x", null!, [Role.Data])] } },
        { "books", new Setup { Books = [new BookSetup("b", 1, "CNY", "", "", "", [null!])] } },
        { "books", WithPrice(new PriceSetup("m", new Dictionary<string, string>(), Rules: [new("r", null!)])) },
        { "books", WithPrice(new PriceSetup("m", new Dictionary<string, string>(), Aliases: [null!])) },
        { "books", WithPrice(new PriceSetup("m", new Dictionary<string, string>(),
            Curves: [new("c", ["input"], "volume", "day", [null!])])) },
        { "calendars", new Setup { Calendars = [new CalendarSetup("c", 1, null!, [])] } },
        { "exchange", new Setup { Exchange = [new ExchangeSetup("e", "USD", "CNY", [null!])] } },
        { "closings", new Setup { Closings = [new ClosingSetup(null!)] } },
        { "agreements", new Setup { Agreements = [new AgreementSetup("a", "acme", null!)] } },
        { "agreements", new Setup { Agreements = [new AgreementSetup("a", "acme", "plat", BilledOutcomes: [null!])] } },
        { "funding", new Setup { Funding = [new FundingSetup("acme", "f", FundingKind.Pack, Models: [null!])] } },
    };

    [Theory]
    [MemberData(nameof(WithNulls))]
    public void SetUp_WithANull_IsRefusedAndNamesTheList(string list, Setup setup)
    {
        TestNetwork net = TestNetwork.Usual();
        Applied applied = net.Engine.Apply(new FrameProposal { Time = net.Now, Setups = [setup] });
        SetupResult result = Assert.Single(applied.Setups);
        Assert.Equal(SetupStatus.Refused, result.Status);
        Assert.StartsWith(list + ":", Assert.Single(result.Faults), StringComparison.Ordinal);
        Assert.Null(applied.Frame);
    }

    private static Setup WithPrice(PriceSetup price) => new()
    {
        Books = [new BookSetup("b", 1, "CNY", "", "", "", [price])],
    };
}
