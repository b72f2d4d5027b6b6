using System.Text;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Rating;
using Ciyuan.Server.Prices;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;
using static Ciyuan.Tests.Journal.TestNetwork;

namespace Ciyuan.Tests.Prices;

/// <summary>Wrong prices of other systems that cost somebody money, each named after the public issue that tells of it.
/// Numbers are those of the issue where it gives some.</summary>
public sealed class PublicPriceIssueTests
{
    private const string Book = """
        books:
          - id: list
            version: 1
            currency: USD
            prices:
              - { model: claude-opus-4, per_million_tokens: { input: "15", output: "75" } }
              - { model: claude-*, provider: anthropic, per_million_tokens: { input: "0.1", output: "0.5" } }
          - id: list
            version: 2
            currency: USD
            from: "2026-07-01T00:00:00Z"
            prices:
              - { model: claude-opus-4, per_million_tokens: { input: "5", output: "25" } }

        """;

    private static ImportedBook Map(string prices) => ImportPrices.Run(
        PriceCatalogue.LiteLlm, Encoding.UTF8.GetBytes($"{{\"m\":{{\"litellm_provider\":\"p\",{prices}}}}}"),
        new ImportTarget("list", 1, "test"));

    // 5.5 dollars a million is 0.0000055 a token: not a hundredth of it.
    [Fact]
    public void Bifrost_5243_PricePerToken_IsTakenAsItIsWritten()
    {
        PriceBooks books = SampleBooks.With(new Setup
        {
            Books = [Map("\"input_cost_per_token\":0.0000055,\"output_cost_per_token\":0.000033").Book],
        });

        Assert.Equal("0.047575", SampleBooks.Outcome(SampleBooks.Explain(
            books, "list", "m", "2026-07-15T00:00:00Z", "input.text=8650", provider: "p")));
    }

    [Fact]
    public void Bifrost_3559_PricePerMillionWrittenPerToken_IsFoundByTheCheck()
    {
        string yaml = BookWriter.Write(
            Map("\"input_cost_per_token\":8,\"output_cost_per_token\":28,\"cache_read_input_token_cost\":2"), "test");

        PriceCheck check = CheckPrices.Run(
            [new PriceFile("b.yaml", yaml)], new DateTimeOffset(2026, 11, 25, 0, 0, 0, TimeSpan.Zero));

        Assert.Contains(check.Findings, f => f.IsWrong && f.Text.Contains(
            "a million times too high", StringComparison.Ordinal));
    }

    // A model that no line names is not charged by another one's line, nor at zero: it waits.
    [Theory]
    [InlineData("claude-opus-4", "2026-06-30T23:59:59Z", "anthropic", "15")]
    [InlineData("claude-opus-4", "2026-07-01T00:00:00Z", "anthropic", "5")]
    [InlineData("claude-opus-4-5", "2026-07-01T00:00:00Z", "anthropic", "NoModelPrice")]
    [InlineData("claude-opus-4-5", "2026-06-30T00:00:00Z", "relay", "NoModelPrice")]
    public void Litellm_35913_42467_37110_37972_Headroom_3732_StaleOrMissingPrice_IsNeverGuessed(
        string model, string time, string provider, string amount) =>
        Assert.Equal(amount, SampleBooks.Outcome(SampleBooks.Explain(
            SampleBooks.Read(Book), "list", model, time, "input.text=1000000", provider: provider)));

    // By a retry, and twice in one batch.
    [Fact]
    public void Higress_1080_SameResponseTwice_IsChargedOnce()
    {
        TestNetwork net = new TestNetwork().SetUp(new Setup
        {
            Parties = [Party("plat", Role.Platform), Party("acme", Role.Consumer)],
            Books = [new BookSetup("list", 1, "USD", "", "", "", [new PriceSetup(
                "m", new Dictionary<string, string> { ["input"] = "1", ["output"] = "2" })])],
            Agreements = [new("sell", "acme", "plat", Book: "list")],
        });
        UsageRecord record = new()
        {
            Id = "chatcmpl-1",
            Context = new UsageContext("gw", "acme", ModelAnswered: "m"),
            EventTime = net.Now,
            Counts = [new Count(TokenClass.InputText, EvidenceGrade.Reported, 1_000_000)],
        };

        net.Apply(records: [record]);
        string once = net.Balances();
        Applied again = net.Apply(records: [record, record]);

        Assert.All(again.Records, reply => Assert.Equal(UsageStatus.Exists, reply.Status));
        Assert.Equal(once, net.Balances());
    }
}
