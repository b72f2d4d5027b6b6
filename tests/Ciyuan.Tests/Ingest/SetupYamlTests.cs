using Ciyuan.Parties;
using Ciyuan.Server.Ingest;
using Xunit;

namespace Ciyuan.Tests.Ingest;

public sealed class SetupYamlTests
{
    [Fact]
    public void Parse_EveryEntry_IsTaken()
    {
        Setup setup = SetupYaml.Parse(
            """
            by: ops
            parties:
              - {id: acme, name: Acme, roles: [consumer]}
              - {id: net, roles: [platform, compute]}
            projects: [{party: acme, id: chat}]
            keys: [{party: acme, project: chat, id: k1}]
            sites: [{id: sh-1, operator: net, name: 上海}]
            books:
              - id: list
                version: 2
                currency: USD
                from: 2023-01-01T00:00:00Z
                source: example
                prices:
                  - model: gpt-4*
                    per_million_tokens: {input: 30, output: 0.10, input.text.cache_read: 1e-3}
                    per_unit: {image: 0.04}
            agreements:
              - id: a
                payer: acme
                payee: net
                book: list
                billed_outcomes: [ok]
                where: {model: "gpt*", tags: {env: prod}}
            funding: [{party: acme, id: pack, kind: pack, priority: 5, classes: [input], models: ["*"]}]
            """, "me");
        Assert.Equal("ops", setup.By);
        Assert.Equal(("net", "net", 2), (setup.Parties[1].Id, setup.Parties[1].Name, setup.Parties[1].Roles.Count));
        BookSetup book = Assert.Single(setup.Books);
        Assert.Equal((2, "2023-01-01T00:00:00Z", ""), (book.Version, book.From, book.To));
        // Texts as they stand: nothing has been through floating point.
        Assert.Equal(["30", "0.10", "1e-3"], book.Prices[0].PerMillionTokens.Values);
        Assert.Equal("0.04", book.Prices[0].PerUnit!["image"]);
        Assert.Equal("prod", Assert.Single(setup.Agreements).Where!.Tags!["env"]);
        Assert.Equal((FundingKind.Pack, 5), (setup.Funding[0].Kind, setup.Funding[0].Priority));
    }

    [Theory]
    [InlineData("parties:\n  - {id: a, name: A, roles: [consumer], colour: red}", "line 2, column 41: 'colour'")]
    [InlineData("partys: []", "line 1, column 1: 'partys'")]
    [InlineData("parties:\n  - {name: A, roles: [consumer]}", "line 2, column 5: a party needs 'id'")]
    [InlineData("parties:\n  - {id: a, roles: [customer]}", "line 2, column 21: 'roles' must be one of")]
    [InlineData("parties: {id: a}", "line 1, column 10: 'parties' must be a list")]
    [InlineData("parties: [a]", "line 1, column 11: a party must be a map")]
    [InlineData("books: [{id: b, currency: USD, version: one}]", "'version' must be a whole number")]
    [InlineData("parties:\n  - {id: a, id: b}", "line 2")]
    [InlineData("parties: [", "line ")]
    [InlineData("- a", "must be one YAML document with a map")]
    [InlineData("", "must be one YAML document with a map")]
    public void Parse_Wrong_NamesLineAndColumn(string yaml, string message)
    {
        var fault = Assert.Throws<YamlFileException>(() => SetupYaml.Parse(yaml, "me"));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }
}
