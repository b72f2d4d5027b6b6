using System.Text.Json;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Xunit;

namespace Ciyuan.Tests.Parties;

public sealed class UserSetupTests
{
    private static readonly Setup Network = new()
    {
        Parties =
        [
            new PartySetup("net", "Net", [Role.Platform]), new PartySetup("acme", "Acme", [Role.Consumer]),
        ],
    };

    [Fact]
    public void Serialize_Users_ComeBackTheSame()
    {
        var setup = new Setup
        {
            By = "a",
            Users =
            [
                new UserSetup("olga", UserRole.Operator, "Olga", Credential: 3),
                new UserSetup("eve", UserRole.Counterparty, Party: "acme", Disabled: true),
            ],
        };

        string json = JsonSerializer.Serialize(setup, SetupJson.Default.Setup);
        Setup read = JsonSerializer.Deserialize(json, SetupJson.Default.Setup)!;

        Assert.Contains("\"role\":\"operator\"", json, StringComparison.OrdinalIgnoreCase); // though it is the default
        Assert.Equal(setup.Users, read.Users);
    }

    [Theory]
    [InlineData("olga", UserRole.Operator, "", true)]
    [InlineData("olga", UserRole.Operator, "acme", false)]
    [InlineData("Olga", UserRole.Operator, "", false)]
    [InlineData("olga", (UserRole)9, "", false)]
    [InlineData("eve", UserRole.Counterparty, "acme", true)]
    [InlineData("eve", UserRole.Counterparty, "", false)]
    [InlineData("eve", UserRole.Counterparty, "net", false)]
    [InlineData("eve", UserRole.Counterparty, "nobody", false)]
    public void With_User_IsTakenOrRefused(string id, UserRole role, string party, bool taken)
    {
        (Catalog next, List<string> faults, bool changed) = Add(
            Add(Catalog.Empty, Network).Catalog, new Setup { Users = [new UserSetup(id, role, Party: party)] });

        Assert.Equal(taken, faults.Count == 0);
        Assert.True(!taken || (changed && next.Users.Find(id)!.Role == role));
    }

    [Fact]
    public void With_UserAgain_ReplacesItButNeverGoesBackInItsCredential()
    {
        Catalog first = Add(
            Catalog.Empty, new Setup { Users = [new UserSetup("olga", UserRole.Operator, Credential: 2)] }).Catalog;

        (_, _, bool same) = Add(first, new Setup { Users = [new UserSetup("olga", UserRole.Operator, Credential: 2)] });
        (Catalog next, List<string> faults, _) = Add(
            first, new Setup { Users = [new UserSetup("olga", UserRole.Auditor, Credential: 2)] });
        (_, List<string> back, _) = Add(
            first, new Setup { Users = [new UserSetup("olga", UserRole.Operator, Credential: 1)] });

        Assert.False(same);
        Assert.Empty(faults);
        Assert.Equal(UserRole.Auditor, Assert.Single(next.Users.All).Role);
        Assert.Single(back);
    }

    private static (Catalog Catalog, List<string> Faults, bool Changed) Add(Catalog catalog, Setup setup)
    {
        var faults = new List<string>();
        bool changed = false;
        var none = new BookTerms(
            new Dictionary<string, Currency>(), new Dictionary<string, (Currency From, Currency To)>());
        Catalog next = catalog.With(setup, none, faults, ref changed);
        return (next, faults, changed);
    }
}
