using Ciyuan.Rating;
using static Ciyuan.Tests.Rating.BookQuestions;

namespace Ciyuan.Tests.Rating;

/// <summary>Which line, which price, which factors: tables that can be checked by hand.</summary>
public sealed class PriceLineTests
{
    private const string Noon = "2026-11-25T12:00:00Z";

    private static PriceBooks Line(string line) => Books(
        $$"""
        books:
          - id: b
            currency: CNY
            prices:
              - {model: m, {{line.ReplaceLineEndings(" ")}}}
        """);

    [Theory]
    [InlineData("gpt-4o", "", "1 Exact gpt-4o")]
    [InlineData("gpt-4o", "azure", "2 Exact gpt-4o")] // the line of its provider first
    [InlineData("gpt-4o", "other", "1 Exact gpt-4o")] // a line of another provider never
    [InlineData("chatgpt", "", "1 Alias chatgpt")]
    [InlineData("gpt-4o-2024-08-06", "", "1 Dated gpt-4o")]
    [InlineData("gpt-4o-20240806", "", "1 Dated gpt-4o")]
    [InlineData("gpt-4o@20240806", "", "1 Dated gpt-4o")]
    [InlineData("gpt-4o-0806", "", "1 Dated gpt-4o")]
    [InlineData("gpt-4o-0229", "", "1 Dated gpt-4o")]
    [InlineData("chatgpt-0806", "", "1 DatedAlias chatgpt")]
    [InlineData("gpt-4o-0806", "azure", "1 Dated gpt-4o")] // that line takes no dates
    [InlineData("gpt-4o-0230", "", "3 Pattern gpt-4o*")] // no day
    [InlineData("gpt-4o-2024-13-01", "", "3 Pattern gpt-4o*")]
    [InlineData("gpt-4o-19991231", "", "3 Pattern gpt-4o*")]
    [InlineData("gpt-4o-mini", "", "4 Exact gpt-4o-mini")]
    [InlineData("gpt-4o-mini-2024-07-18", "", "3 Pattern gpt-4o*")] // it takes no dates either
    [InlineData("gpt-4", "", "5 Pattern gpt-*")]
    [InlineData("gpt-4-o1", "", "5 Pattern gpt-*")] // as literal as *-o1-x is not
    [InlineData("gpt-4", "azure", "6 Pattern g*")] // the line of its provider first, within patterns
    [InlineData("GPT-4o", "", "NoModelPrice")] // case counts
    [InlineData("xgpt-4o", "", "NoModelPrice")]
    public void Find_Model_IsByTheStatedOrder(string model, string provider, string expected)
    {
        PriceBooks books = Books(
            """
            books:
              - id: b
                currency: CNY
                prices:
                  - {model: "gpt-*", per_million_tokens: {input: 5}, patterns: ["never*"]}
                  - {model: "g*", provider: azure, per_million_tokens: {input: 6}}
                  - {model: gpt-4o, dated: true, aliases: [chatgpt], per_million_tokens: {input: 1},
                     patterns: ["gpt-4o+*"]}
                  - {model: gpt-4o, provider: azure, per_million_tokens: {input: 2}}
                  - {model: "gpt-4o*", per_million_tokens: {input: 3}}
                  - {model: gpt-4o-mini, per_million_tokens: {input: 4}}
            """);
        PriceExplanation answer = ExplainPrice.Explain(
            books, new PriceQuestion("b", Record(Noon, "input.text=1000000", model, provider)));
        Assert.Equal(expected, answer.Reason == SuspenseReason.None
            ? $"{answer.Amount} {answer.Match} {answer.MatchedName}"
            : $"{answer.Reason}");
    }

    [Theory]
    [InlineData(31_999, "31999")]
    [InlineData(32_000, "32000")] // the last token of a tier
    [InlineData(32_001, "64002")] // and the first after it
    [InlineData(128_000, "256000")]
    [InlineData(128_001, "384003")]
    public void Ask_InputTiers_PriceTheWholeRequest(int tokens, string millionths) => Assert.Equal(
        millionths,
        (Ciyuan.Quantities.Amount.Parse(Ask(Line(
            """
            per_million_tokens: {input: 3, output: 1},
            rules: [{name: short, when: {input_up_to: 32000}, per_million_tokens: {input: 1}},
                    {name: middle, when: {input_over: 32000, input_up_to: 128000}, per_million_tokens: {input: 2}}]
            """), Record(Noon, $"input.text={tokens}"))) * 1_000_000).ToString());

    [Theory]
    [InlineData("input.text=31000 input.text.cache_read=1000 output.text=200", "short")] // 32 000 of all classes
    [InlineData("input.text=31000 input.text.cache_read=1001 output.text=200", "long")]
    [InlineData("input.text=32000 output.text=199 output.text.reasoning=1", "short")]
    [InlineData("input.text=32000 output.text=200 output.text.reasoning=1", "wordy")]
    [InlineData("input.text=32001 output.text=201", "long")]
    public void Ask_InputTimesOutput_TakesTheFirstRuleThatHolds(string counts, string rule)
    {
        PriceBooks books = Line(
            """
            per_million_tokens: {},
            rules: [{name: short, when: {input_up_to: 32000, output_up_to: 200},
                     per_million_tokens: {input: 1, output: 2}},
                    {name: wordy, when: {input_up_to: 32000}, per_million_tokens: {input: 1, output: 3}},
                    {name: long, when: {}, per_million_tokens: {input: 2, output: 4}}]
            """);
        PriceExplanation answer = ExplainPrice.Explain(books, new PriceQuestion("b", Record(Noon, counts)));
        Assert.All(answer.Counts, count => Assert.Equal(rule, count.From));
    }

    [Theory]
    [InlineData("", "10")]
    [InlineData("service_tier=batch", "5")]
    [InlineData("service_tier=priority", "25")]
    [InlineData("service_tier=flex", "5")]
    [InlineData("service_tier=batch speed=fast", "30")] // all that hold are multiplied
    [InlineData("service_tier=other", "10")]
    [InlineData("region=cn", "11")]
    public void Ask_Factors_AllThatHoldAreMultiplied(string tags, string price) => Assert.Equal(price, Ask(Line(
        """
        per_million_tokens: {input: 10},
        factors: [{name: half, when: {tags: {service_tier: [batch, flex]}}, factor: 0.5},
                  {name: priority, when: {tags: {service_tier: priority}}, factor: 2.5},
                  {name: fast, when: {tags: {speed: fast}}, factor: 6},
                  {name: elsewhere, when: {tags: {speed: "", service_tier: "", region: [cn, us]}}, factor: 1.1}]
        """), Record(Noon, "input.text=1000000", tags: tags)));

    [Theory]
    [InlineData("input.text=1000000", "10")]
    [InlineData("input.text.cache_read=1000000", "5")] // for part of what a price is for
    [InlineData("input.text.cache_write=1000000", "2")]
    [InlineData("input.image=1000000", "10")]
    [InlineData("output.text=1000000", "30")]
    [InlineData("output.text.reasoning=1000000", "30")]
    [InlineData("image=3", "0.6")]
    public void Ask_FactorOfSomeMeters_LeavesTheOthers(string counts, string price) => Assert.Equal(price, Ask(Line(
        """
        per_million_tokens: {input: 10, input.text.cache_write: 2, output: 20}, per_unit: {image: 0.1},
        factors: [{name: cache, when: {}, factor: 0.5, meters: [input.text.cache_read]},
                  {name: out, when: {}, factor: 1.5, meters: [output]},
                  {name: images, when: {}, factor: 2, meters: [image]}]
        """), Record(Noon, counts)));

    [Theory]
    [InlineData("output.text=500", "0.002")] // not thinking: 4 a million
    [InlineData("output.text=500 output.text.reasoning=500", "0.02")] // thinking: all of it 20 a million
    [InlineData("output.text=500 output.text.reasoning=0", "0.002")]
    public void Ask_Thinking_IsToldByItsTokens(string counts, string price) => Assert.Equal(price, Ask(Line(
        """
        per_million_tokens: {output: 4},
        rules: [{name: thinking, when: {any_tokens_of: output.text.reasoning}, per_million_tokens: {output: 20}}]
        """), Record(Noon, counts)));

    [Theory]
    [InlineData("second=3600", "0.36")]
    [InlineData("second=1", "0.0001")]
    [InlineData("second=0.000001", "0.0000000001")]
    [InlineData("cache_token_hour=1000000", "0.017")]
    [InlineData("cache_token_hour=0.000001", "0")] // 0.017 pico, half to even
    [InlineData("cache_token_hour=0.00005", "0.000000000001")] // 0.85 pico
    [InlineData("page=3 character=1000 request=2", "0.5")]
    [InlineData("image=2", "0.08")]
    [InlineData("input.text=1", "NoClassPrice")]
    [InlineData("input.text=0", "0")]
    public void Ask_Units_ArePricedByTheirNumber(string counts, string price) => Assert.Equal(price, Ask(Line(
        """
        per_million_tokens: {}, per_unit: {second: {price: 0.36, units: 3600}, image: 0.04, page: 0.1,
            character: {price: 0.15, units: 1000}, request: {price: 0.05, units: 2},
            cache_token_hour: {price: 0.017, units: 1000000}}
        """), Record(Noon, counts)));

    [Theory]
    [InlineData("second=0", "0.5")] // nothing used: the minimum of the call alone
    [InlineData("second=0.1", "60")]
    [InlineData("second=60", "60")]
    [InlineData("second=60.000001", "61")]
    [InlineData("image=1", "0.5")]
    [InlineData("image=6", "0.6")]
    public void Ask_BillingIncrementsAndMinimum_TakeUp(string counts, string price) => Assert.Equal(price, Ask(Line(
        """
        per_million_tokens: {}, per_unit: {second: 1, image: 0.1}, minimum_per_call: 0.5,
        billable: {second: {step: 1, minimum: 60}}
        """), Record(Noon, counts)));

    [Theory]
    [InlineData("graduated", 999_999, "1.999998")]
    [InlineData("graduated", 1_000_000, "2")]
    [InlineData("graduated", 1_000_001, "2.000001")]
    [InlineData("graduated", 3_000_000, "4")]
    [InlineData("graduated", 3_000_001, "4.0000005")]
    [InlineData("volume", 1_000_000, "2")]
    [InlineData("volume", 1_000_001, "1.000001")]
    [InlineData("volume", 3_000_000, "3")]
    [InlineData("volume", 3_000_001, "1.5000005")]
    public void Ask_CurvePerCall_ChangesAfterTheLastTokenOfAStep(string kind, int tokens, string price) => Assert.Equal(
        price,
        Ask(Line($$"""
            per_million_tokens: {output: 1},
            curves: [{name: c, meters: [input, output.audio], kind: {{kind}}, per: call,
                steps: [{up_to: 1000000, price: 2}, {up_to: 3000000, price: 1}, {price: 0.5}]}]
            """), Record(Noon, $"input.text={tokens - 500} output.audio=500")));

    [Theory]
    [InlineData("0", "0")]
    [InlineData("1", "10")]
    [InlineData("1000", "10")]
    [InlineData("1001", "20")]
    public void Ask_Packages_AreChargedWhenBegun(string images, string price) => Assert.Equal(price, Ask(Line(
        """
        per_million_tokens: {},
        curves: [{name: c, meters: [image], kind: package, per: call, steps: [{size: 1000, price: 10}]}]
        """), Record(Noon, $"image={images}")));

    [Fact]
    public void Ask_RuleOverACurve_GoesFirst() => Assert.Equal("7", Ask(Line(
        """
        per_million_tokens: {input: 100},
        rules: [{name: r, when: {}, per_million_tokens: {input.text.cache_read: 5}}],
        curves: [{name: c, meters: [input.text], kind: volume, per: call, steps: [{price: 2}]}]
        """), Record(Noon, "input.text=1000000 input.text.cache_read=1000000")));

    [Theory]
    [InlineData("m1", "0.5")] // its own line
    [InlineData("m2", "1.7")] // 2 × 0.85
    [InlineData("m3", "14.3565")] // 3 × 0.85 × 0.8 × 7.0375
    [InlineData("m4", "NoModelPrice")]
    public void Ask_BookOnABook_TakesTheFactorsOfTheWay(string model, string price) => Assert.Equal(price, Ask(
        Books(
            """
            exchange: [{id: fx, from: USD, to: CNY, rates: [{at: 2026-01-01T00:00:00Z, rate: 7.0375}]}]
            books:
              - {id: b, currency: CNY, on: {book: middle, factor: 0.85},
                 prices: [{model: m1, per_million_tokens: {input: 0.5}}]}
              - {id: middle, currency: CNY, on: {book: far, factor: 0.8, exchange: fx},
                 prices: [{model: m2, per_million_tokens: {input: 2}}]}
              - {id: far, currency: USD, prices: [{model: m3, per_million_tokens: {input: 3}}]}
            """), Record(Noon, "input.text=1000000", model)));

    [Fact]
    public void Ask_CallThatSpansAChange_IsAtThePriceOfItsMoment()
    {
        PriceBooks books = Books(
            """
            books:
              - {id: b, version: 1, currency: CNY, prices: [{model: m, per_million_tokens: {input: 1}}]}
              - {id: b, version: 2, currency: CNY, from: 2026-12-01T00:00:00+08:00,
                 prices: [{model: m, per_million_tokens: {input: 2}}]}
            """);
        // A call has one moment, that at which it is processed: what began before the change and ended after it is
        // recorded with one of the two, and costs what was in force then.
        Assert.Equal("1", Ask(books, Record("2026-11-30T15:59:59.999999999Z", "input.text=1000000")));
        Assert.Equal("2", Ask(books, Record("2026-11-30T16:00:00Z", "input.text=1000000")));
    }
}
