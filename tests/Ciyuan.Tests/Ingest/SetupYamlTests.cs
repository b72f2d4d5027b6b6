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

    [Fact]
    public void Parse_EveryPartOfABook_IsTakenAndStored()
    {
        Setup setup = SetupYaml.Parse(
            """
            calendars: [{id: cn, version: 2, source: s, years: [2026], holidays: [2026-01-01..2026-01-03],
                workdays: [2026-01-04], weekend: [sun]}]
            exchange: [{id: fx, from: USD, to: CNY, source: s, rates: [{at: 2026-01-01T00:00:00Z, rate: 7.1}]}]
            closings: [{until: 2026-01-01T00:00:00Z, agreement: a}]
            agreements: [{id: a, payer: p, payee: q, currency: CNY, book: b, exchange: fx}]
            books:
              - id: b
                currency: USD
                zone: Asia/Shanghai
                calendar: cn
                on: {book: c, factor: 0.85, exchange: fx}
                prices:
                  - model: m
                    provider: p
                    aliases: [n]
                    patterns: ["m-*"]
                    dated: true
                    source: s
                    as_of: 2026-11-01
                    per_unit: {second: {price: 0.36, units: 3600}, image: 0.04}
                    rules:
                      - name: r
                        when: {from: f, to: t, days: [mon], day_kinds: [holiday], times: ["09:00-12:00"], input_over: 0,
                            input_up_to: 2, output_over: 3, output_up_to: 4, tags: {a: x, b: [y, ""]},
                            any_tokens_of: output}
                        per_million_tokens: {input: 1}
                    factors: [{name: f, factor: 0.5, meters: [input]}]
                    curves: [{name: c, meters: [second], kind: volume, per: day,
                        steps: [{up_to: 9, price: 1, units: 60}, {price: 2, size: 5}]}]
                    minimum_per_call: 0.1
                    billable: {second: {step: 60, minimum: 15}}
            """, "me");
        string stored = System.Text.Json.JsonSerializer.Serialize(setup, SetupJson.Default.Setup);
        Assert.Equal(
            """
            {"by":"me","parties":[],"projects":[],"keys":[],"sites":[],"books":[{"id":"b","version":1,"currency":"USD",
            "from":"","to":"","source":"","prices":[{"model":"m","per_million_tokens":{},
            "per_unit":{"second":"0.36/3600","image":"0.04"},"provider":"p","aliases":["n"],"patterns":["m-*"],"dated":true,"source":"s",
            "as_of":"2026-11-01","rules":[{"name":"r","when":{"from":"f","to":"t","days":["mon"],
            "day_kinds":["holiday"],"times":["09:00-12:00"],"input_over":0,"input_up_to":2,"output_over":3,"output_up_to":4,
            "tags":{"a":["x"],"b":["y",""]},"any_tokens_of":"output"},"per_million_tokens":{"input":"1"}}],
            "factors":[{"name":"f","when":{},"factor":"0.5","meters":["input"]}],"curves":[{"name":"c",
            "meters":["second"],"kind":"volume","per":"day","steps":[{"price":"1/60","up_to":9},{"price":"2","size":5}]}],
            "minimum_per_call":"0.1","billable":{"second":{"step":"60","minimum":"15"}}}],"zone":"Asia/Shanghai",
            "calendar":"cn","on":{"book":"c","factor":"0.85","exchange":"fx"}}],"agreements":[{"id":"a","payer":"p",
            "payee":"q","currency":"CNY","from":"","to":"","book":"b","per_call":"","share_of":"","share_percent":"",
            "exchange":"fx"}],"funding":[],"calendars":[{"id":"cn","version":2,"years":[2026],
            "holidays":["2026-01-01..2026-01-03"],"workdays":["2026-01-04"],"source":"s","weekend":["sun"]}],
            "exchange":[{"id":"fx","from":"USD","to":"CNY","rates":[{"at":"2026-01-01T00:00:00Z","rate":"7.1"}],
            "source":"s"}],"closings":[{"until":"2026-01-01T00:00:00Z","agreement":"a"}]}
            """.ReplaceLineEndings(""), stored);
        Assert.Null(setup.FindNull());
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
