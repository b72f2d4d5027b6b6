using Ciyuan.Server.Prices;

namespace Ciyuan.Tests.Prices;

/// <summary>Each kind of mistake in a book is found, at its line of the file, and the sample books have none.</summary>
public sealed class CheckPricesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 25, 0, 0, 0, TimeSpan.Zero);

    private const string Head = """
        books:
          - id: b
            version: 1
            currency: USD
            prices:

        """;

    private const string Others = """
              - { model: one, per_million_tokens: { input: "2", output: "8" } }
              - { model: two, per_million_tokens: { input: "1", output: "4" } }
              - { model: three, per_million_tokens: { input: "0.3", output: "1.2" } }
              - { model: four, per_million_tokens: { input: "3", output: "15" } }

        """;

    private static PriceCheck Check(params string[] yamls) =>
        CheckPrices.Run([.. yamls.Select((yaml, i) => new PriceFile($"f{i}.yaml", yaml))], Now);

    private static PriceFinding Only(string yaml, FindingKind kind) =>
        Assert.Single(Check(yaml).Findings, f => f.Kind == kind);

    [Fact]
    public void Check_SampleBooks_FindsNothingWrong()
    {
        PriceCheck check = CheckPrices.Run(
            [.. SampleBooks.Files.Select(f => new PriceFile(Path.GetFileName(f), File.ReadAllText(f)))], Now);
        Assert.True(!check.IsWrong, string.Join('\n', check.Findings.Where(f => f.IsWrong)));
        Assert.True(check.Books > 10 && check.Lines > 50);
        Assert.Contains(check.Findings, f => f.Kind == FindingKind.Ending && f.File == "cn-public-holidays.yaml");
        Assert.Contains(check.Findings, f => f.Kind == FindingKind.Ending && f.Text.Contains("ends in 37 days"));
    }

    [Theory]
    [InlineData("0.000003", "per token")]
    [InlineData("0.003", "per thousand")]
    [InlineData("3000000", "a million times too high")]
    [InlineData("3000", "a thousand times too high")]
    public void Check_PriceInAnotherUnit_IsWrongWithItsLine(string input, string what)
    {
        PriceFinding[] found = [.. Check(Head + Others
            + $$"""      - { model: odd, per_million_tokens: { input: "{{input}}" } }""").Findings
            .Where(f => f.Kind == FindingKind.Unit)];
        PriceFinding finding = Assert.Single(found);
        Assert.True(finding.IsWrong);
        Assert.Equal(("f0.yaml", 10), (finding.File, finding.Line));
        Assert.Contains(what, finding.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ input: "0.000003" }""", true, "per token")]
    [InlineData("""{ input: "2500000", output: "10000000" }""", true, "a million times too high")]
    [InlineData("""{ input: "3", output: "0.0015" }""", true, "same unit")]
    [InlineData("""{ input: "3", output: "1" }""", false, "cheaper than input")]
    [InlineData("""{ input: "3", input.text.cache_read: "3.1", output: "9" }""", true, "dearer than input")]
    [InlineData("""{ input: "3", input.text.cache_read: "1", input.text.cache_write: "0.5", output: "9" }""", false,
        "cheaper than reading")]
    public void Check_PricesOfOneLine_AreJudgedByOneAnother(string prices, bool isWrong, string what)
    {
        IReadOnlyList<PriceFinding> findings =
            Check($"{Head}      - {{ model: m, per_million_tokens: {prices} }}\n").Findings;
        PriceFinding finding = findings.First(f => f.Kind == FindingKind.Unit);
        Assert.Equal(isWrong, finding.IsWrong);
        Assert.Contains(what, finding.Text, StringComparison.Ordinal);
    }

    // Small models beside dear ones, embeddings beside chat, one very dear one: far from the others, and right.
    [Theory]
    [InlineData("""{ input: "0.02" }""", "5", "15", "30")]
    [InlineData("""{ input: "0.004", output: "0" }""", "5", "15", "30")]
    [InlineData("""{ input: "0.05", output: "0.40" }""", "5", "15", "30")]
    [InlineData("""{ input: "150", output: "600" }""", "0.2", "0.3", "0.4")]
    public void Check_PriceThatModelsHave_IsRightHoweverFarFromTheOthers(string prices, params string[] others) =>
        Assert.DoesNotContain(Check(string.Concat(others.Select(input =>
            $"      - {{ model: m{input}, per_million_tokens: {{ input: \"{input}\", output: \"30\" }} }}\n")
            .Prepend($"      - {{ model: odd, per_million_tokens: {prices} }}\n").Prepend(Head))).Findings,
            f => f.Kind == FindingKind.Unit && f.IsWrong);

    [Theory]
    [InlineData("cache_token_hour", "0.017")]
    [InlineData("character", "15")]
    public void Check_UnitAtThePriceOfAMillion_IsWrongWithWhatToWrite(string unit, string price)
    {
        PriceFinding finding = Only(
            $"{Head}      - {{ model: m, per_unit: {{ {unit}: \"{price}\" }} }}\n", FindingKind.Unit);
        Assert.True(finding.IsWrong);
        Assert.Contains($"{{ price: {price}, units: 1000000 }}", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_PricePerThousandAlone_IsWrongToo() => Assert.Contains("per thousand", Only(
        $"{Head}      - {{ model: m, per_million_tokens: {{ input: \"0.0025\", output: \"0.01\" }} }}\n",
        FindingKind.Unit).Text, StringComparison.Ordinal);

    [Fact]
    public void Check_RuleThatCanNeverWin_IsWrongAtTheRule()
    {
        PriceFinding finding = Only(Head + """
                  - model: m
                    per_million_tokens: { input: "1", output: "2" }
                    rules:
                      - { name: up, when: { input_over: 1000 }, per_million_tokens: { input: "2", output: "4" } }
                      - { name: far, when: { input_over: 2000 }, per_million_tokens: { input: "3", output: "6" } }
            """, FindingKind.Overlap);
        Assert.True(finding.IsWrong);
        Assert.Equal(10, finding.Line);
        Assert.Contains("'far' can never win", finding.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("input_over: 2000, input_up_to: 2000")]
    [InlineData("days: [mon], day_kinds: [weekend]")]
    public void Check_ConditionThatCanNeverHold_IsWrong(string when)
    {
        PriceFinding finding = Only(
            $$"""
            calendars: [{ id: c, version: 1, years: [2026, 2027, 2028], holidays: ["2026-01-01"] }]
            books:
              - id: b
                version: 1
                currency: USD
                calendar: c
                prices:
                  - model: m
                    per_million_tokens: { input: "1" }
                    rules: [{ name: never, when: { {{when}} }, per_million_tokens: { input: "2" } }]
            """, FindingKind.Overlap);
        Assert.Contains("exclude one another", finding.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ input_up_to: 1000 }", "{ input_over: 2000 }", true, "input tokens 1001 to 2000")]
    [InlineData("{ input_up_to: 1000 }", "{ input_over: 1000, input_up_to: 9000 }", false, "over 9000")]
    [InlineData("""{ times: ["09:00-12:00"] }""", """{ times: ["13:00-09:00"] }""", true, "from 12:00")]
    [InlineData("""{ days: [mon, tue, wed, thu, fri] }""", """{ days: [sat] }""", true, "on sun")]
    [InlineData("""{ tags: { tier: a } }""", """{ tags: { tier: "" } }""", false, "label tier (another)")]
    public void Check_CasesThatNoRuleCovers_AreGaps(string first, string second, bool isWrong, string what)
    {
        PriceFinding finding = Only(Head + $$"""
                  - model: m
                    per_million_tokens: {}
                    rules:
                      - { name: a, when: {{first}}, per_million_tokens: { input: "2" } }
                      - { name: b, when: {{second}}, per_million_tokens: { input: "4" } }
            """, FindingKind.Gap);
        Assert.Equal(isWrong, finding.IsWrong);
        Assert.Contains(what, finding.Text, StringComparison.Ordinal);
        Assert.Equal(6, finding.Line);
    }

    [Fact]
    public void Check_ClassThatSiblingsPrice_IsAGapToLookAt()
    {
        const string Lines = """
                  - { model: a, per_million_tokens: { input: "2", input.text.cache_read: "0.2", output: "8" } }
                  - { model: b, per_million_tokens: { input: "2", input.text.cache_read: "0.2", output: "8" } }
                  - { model: c, per_million_tokens: { input: "2", input.text.cache_read: "0.2", output: "8" } }
                  - { model: d, per_million_tokens: { input: "2", output: "8" } }
                  - { model: text-embedding-3-small, per_million_tokens: { input: "0.02" } }
            """;
        PriceFinding finding = Only(Head + Lines, FindingKind.Gap);
        Assert.False(finding.IsWrong);
        Assert.Equal((9, "b version 1, d"), (finding.Line, finding.Where));
        Assert.Contains("3 of 4 lines", finding.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt-4*", "*-mini", false, "gpt-4*-mini")]
    [InlineData("*", "gpt-4*", false, "unknown ones too")]
    public void Check_PatternsThatShareNames_AreToldWithAnExample(
        string first, string second, bool isWrong, string what)
    {
        PriceFinding finding = Only(Head + $$"""
                  - { model: "{{first}}", per_million_tokens: { input: "2" } }
                  - { model: "{{second}}", per_million_tokens: { input: "1" } }
            """, FindingKind.Overlap);
        Assert.Equal(isWrong, finding.IsWrong);
        Assert.Contains(what, finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_NextVersion_TellsChangesTheLargestFirst()
    {
        const string Books = """
            books:
              - id: b
                version: 1
                currency: USD
                prices:
                  - { model: m, per_million_tokens: { input: "2", output: "8" } }
                  - { model: gone, per_million_tokens: { input: "2", output: "8" } }
              - id: b
                version: 2
                currency: USD
                from: "2026-11-01T00:00:00Z"
                prices:
                  - { model: m, per_million_tokens: { input: "2.5", output: "4" } }
                  - { model: new, per_million_tokens: { input: "2", output: "8" } }
            """;
        PriceFinding[] changes = [.. Check(Books).Findings.Where(f => f.Kind == FindingKind.Change)];
        Assert.Equal(
            [
                "output.text.fresh 8 → 4 (-50.0 %)", "input.text.fresh 2 → 2.5 (+25.0 %)", "new in this version",
                "gone is no longer in this version",
            ],
            changes.Select(c => c.Text));
        Assert.Equal([13, 13, 14, 13], changes.Select(c => c.Line));
        Assert.DoesNotContain(changes, c => c.IsWrong);
    }

    [Fact]
    public void Check_ChangeByAThousand_IsWrong()
    {
        PriceCheck check = Check(
            Head + """      - { model: m, per_million_tokens: { input: "2", output: "8" } }""",
            (Head + """      - { model: m, per_million_tokens: { input: "0.002", output: "0.008" } }""")
                .Replace("version: 1", "version: 2", StringComparison.Ordinal));
        Assert.Contains(check.Findings, f => f.IsWrong && f.File == "f1.yaml"
            && f.Text.Contains("looks like another unit", StringComparison.Ordinal));
    }

    [Fact]
    public void Check_PromotionAndVersionThatEnd_AreTold()
    {
        PriceFinding[] endings = [.. Check("""
            books:
              - id: b
                version: 1
                currency: USD
                to: "2026-12-01T00:00:00Z"
                prices:
                  - model: m
                    per_million_tokens: { input: "2" }
                    rules:
                      - { name: promo, when: { to: "2026-11-30T00:00:00Z" }, per_million_tokens: { input: "1" } }
            """).Findings.Where(f => f.Kind == FindingKind.Ending)];
        Assert.Equal([(10, "rule 'promo' ends in 5 days, at 2026-11-30 00:00Z"),
            (2, "ends in 6 days, at 2026-12-01 00:00Z, and no version follows")],
            endings.Select(e => (e.Line, e.Text)));
    }

    [Theory]
    [InlineData("""      - { model: m, per_million_tokens: { inpt: "2" } }""", 6)]
    [InlineData("""      - { model: m, price: { input: "2" } }""", 6)]
    [InlineData("""      - { model: m, per_million_tokens: { input: "-2" } }""", 6)]
    public void Check_WhatASetupWouldRefuse_IsAFaultAtItsLine(string line, int row)
    {
        PriceFinding fault = Check(Head + line).Findings.First(f => f.Kind == FindingKind.Fault);
        Assert.True(fault.IsWrong);
        Assert.Equal(row, fault.Line);
    }

    [Theory]
    [InlineData("days: [Monday]", "0.5", 9, "rule 'r': days has 'Monday'")]
    [InlineData("days: [mon]", "50%", 10, "factor 'f'")]
    public void Check_FaultOfARuleOrFactor_IsAtItsLine(string when, string factor, int row, string what)
    {
        PriceFinding fault = Check(Head + $$"""
                  - model: m
                    per_million_tokens: { input: "1" }
                    rules:
                      - { name: r, when: { {{when}} }, per_million_tokens: { input: "2" } }
                    factors: [{ name: f, when: {}, factor: "{{factor}}" }]
            """).Findings.First(f => f.Kind == FindingKind.Fault);
        Assert.Equal((row, "b version 1, m"), (fault.Line, fault.Where));
        Assert.Contains(what, fault.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_FaultOfACalendar_IsAtItsLine()
    {
        PriceFinding fault = Only("""
            by: test
            calendars:
              - { id: a, version: 1, years: [2026, 2027, 2028], holidays: ["2026-10-01"] }
              - { id: b, version: 1, years: [2026, 2027, 2028], holidays: ["2026/10/01"] }
            """, FindingKind.Fault);
        Assert.Equal(("f0.yaml", 4, "calendar b version 1"), (fault.File, fault.Line, fault.Where));
    }

    [Fact]
    public void Check_CurrencyThatIsNoCode_IsWrongWithTheCode() => Assert.Contains("write CNY", Only(
        $"{Head}      - {{ model: m, per_million_tokens: {{ input: \"2\" }} }}\n".Replace("USD", "RMB"),
        FindingKind.Unit).Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("2025", "true")] // of this year nothing is known
    [InlineData("2026", "false")] // of the next one, which begins within 60 days
    [InlineData("2026, 2027", null)]
    public void Check_CalendarWithoutAYearThatABookAsksFor_IsFound(string years, string? isWrong)
    {
        PriceFinding[] found = [.. Check($$"""
            calendars: [{ id: c, version: 1, years: [{{years}}], holidays: [] }]
            books:
              - id: b
                version: 1
                currency: USD
                calendar: c
                prices:
                  - model: m
                    per_million_tokens: { input: "1", output: "1" }
                    rules: [{ name: peak, when: { day_kinds: [workday] }, per_million_tokens: { input: "2" } }]
            """).Findings.Where(f => f.Text.StartsWith("1 of its lines", StringComparison.Ordinal))];

        Assert.Equal(isWrong is null ? 0 : years == "2025" ? 2 : 1, found.Length);
        Assert.All(found, f => Assert.Equal(3, f.Line));
        Assert.True(isWrong is null || found[0].IsWrong == bool.Parse(isWrong));
    }
}
