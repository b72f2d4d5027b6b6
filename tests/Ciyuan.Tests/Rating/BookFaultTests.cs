using Ciyuan.Rating;
using static Ciyuan.Tests.Rating.BookQuestions;

namespace Ciyuan.Tests.Rating;

/// <summary>What is refused when a book is added, and what the sentence says.</summary>
public sealed class BookFaultTests
{
    [Theory]
    [InlineData("zone: Asia/Peking2", "", "there is no zone 'Asia/Peking2'")]
    [InlineData("calendar: none", "", "there is no calendar 'none'")]
    [InlineData("on: {book: none}", "", "there is no book 'none'")]
    [InlineData("on: {book: b}", "", "leads back to itself")]
    [InlineData("on: {book: usd}", "", "name an 'exchange' from the one to the other")]
    [InlineData("on: {book: usd, exchange: wrong}", "", "exchange 'wrong' must be there and lead from USD to CNY")]
    [InlineData("on: {book: usd, exchange: fx, factor: -1}", "", "factor '-1' must be a decimal of 0 or more")]
    [InlineData("", "aliases: [\"a*\"]", "alias 'a*' must be an exact name")]
    [InlineData("", "patterns: [a]", "pattern 'a' must have a *")]
    [InlineData("", "as_of: yesterday", "as_of 'yesterday' must be a day")]
    [InlineData("", "rules: [{name: r, when: {days: [monday]}, per_million_tokens: {input: 1}}]",
        "rule 'r': days has 'monday'; there are mon, tue")]
    [InlineData("", "rules: [{name: r, when: {day_kinds: [workday]}, per_million_tokens: {input: 1}}]",
        "the book must name its 'calendar'")]
    [InlineData("", "rules: [{name: r, when: {times: [\"9-12\"]}, per_million_tokens: {input: 1}}]",
        "times has '9-12'; write 09:00-12:00")]
    [InlineData("", "rules: [{name: r, when: {times: []}, per_million_tokens: {prompt: 1}}]",
        "'prompt' is no token class")]
    [InlineData("", "rules: [{name: r, when: {input_over: 5, input_up_to: 5}, per_million_tokens: {input: 1}}]",
        "leave no number between them")]
    [InlineData("", "rules: [{name: r, when: {from: 2026-01-01}, per_million_tokens: {input: 1}}]", "is no validity")]
    [InlineData("", "rules: [{name: r, when: {any_tokens_of: thinking}, per_million_tokens: {input: 1}}]",
        "any_tokens_of 'thinking' is no token class")]
    [InlineData("", "rules: [{name: r, when: {}}]", "needs a name of 1 to 64 characters, and a price")]
    [InlineData("", "factors: [{name: f, when: {}, factor: half}]", "a decimal of 0 or more such as 0.5")]
    [InlineData("", "factors: [{name: f, when: {}, factor: 1, meters: [prompt]}]", "meters has 'prompt'")]
    [InlineData("", "curves: [{name: c, meters: [input], kind: linear, per: month, steps: [{price: 1}]}]",
        "a kind (graduated, volume, package)")]
    [InlineData("", "curves: [{name: c, meters: [input, second], kind: volume, per: month, steps: [{price: 1}]}]",
        "must all be token classes, or one unit")]
    [InlineData("", "curves: [{name: c, meters: [input], kind: volume, per: day, steps: [{up_to: 5, price: 1}]}]",
        "the last has none, so that every quantity has a price")]
    [InlineData("", "curves: [{name: c, meters: [input], kind: package, per: day, steps: [{price: 1}]}]",
        "packages have one step, with a size")]
    [InlineData("", "curves: [{name: c, meters: [input], kind: volume, per: day, steps: [{price: 1}]}], "
        + "factors: [{name: f, when: {}, factor: 1, meters: [input.text]}]", "make it a curve for each")]
    [InlineData("", "curves: [{name: c, meters: [input], kind: volume, per: day, steps: [{price: 1}]}, "
        + "{name: d, meters: [input.text], kind: volume, per: day, steps: [{price: 1}]}]", "price the same meter")]
    [InlineData("", "per_million_tokens: {image: 0.04}", "write its price under 'per_unit'")]
    [InlineData("", "per_unit: {input.text: 2}", "write its price under 'per_million_tokens'")]
    [InlineData("", "per_million_tokens: {output.reasoning: 4}", "such as output.text.reasoning")]
    [InlineData("", "per_unit: {minute: 0.006}", "a minute is { price: 0.006, units: 60 } of second")]
    [InlineData("", "minimum_per_call: free", "price 'free' of minimum_per_call")]
    [InlineData("", "billable: {second: {step: 0}}", "billable 'second' must be")]
    [InlineData("", "per_unit: {second: 0.36/0}", "price '0.36/0' of second must be a decimal")]
    [InlineData("", "per_unit: {second: 0.0000000000001}", "at most 12 decimals")]
    [InlineData("", "per_unit: {second: 1/10000000000000000000000}", "too fine to be kept exactly")]
    public void With_FaultyBook_SaysWhatAndWhere(string book, string line, string fault)
    {
        string prices = line.Length == 0 ? "" : $"prices: [{{model: m, {line}}}]";
        (_, List<string> faults) = Read(
            $$"""
            exchange: [{id: fx, from: USD, to: CNY, rates: [{at: 2026-01-01T00:00:00Z, rate: 7.0375}]},
                       {id: wrong, from: CNY, to: USD, rates: [{at: 2026-01-01T00:00:00Z, rate: 0.14}]}]
            books:
              - {id: usd, currency: USD}
              - id: b
                currency: CNY
                {{book}}
                {{prices}}
            """);
        Assert.Contains(faults, f => f.StartsWith("book 'b' version 1", StringComparison.Ordinal)
            && f.Contains(fault, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{model: m, per_million_tokens: {}}, {model: m, per_million_tokens: {}}", "model 'm' is priced twice")]
    [InlineData("{model: m, aliases: [x]}, {model: n, aliases: [x]}", "alias 'x' is given twice")]
    [InlineData("{model: m, provider: p}, {model: m, provider: p}", "priced twice for provider 'p'")]
    [InlineData("{model: m, provider: p, aliases: [x]}, {model: m, aliases: [x]}", "")]
    public void With_NamesGivenTwice_IsNoAccident(string prices, string fault)
    {
        List<string> faults = Read($"books: [{{id: b, currency: CNY, prices: [{prices}]}}]").Faults;
        Assert.Equal(fault.Length > 0 ? 1 : 0, faults.Count);
        Assert.All(faults, f => Assert.Contains(fault, f, StringComparison.Ordinal));
    }

    [Fact]
    public void With_MoreConditionsThanAWordHas_IsRefused()
    {
        string rules = string.Join(", ", Enumerable.Range(0, 65).Select(i =>
            $"{{name: r{i}, when: {{}}, per_million_tokens: {{input: 1}}}}"));
        Assert.Contains("at most 64", Assert.Single(
            Read($"books: [{{id: b, currency: CNY, prices: [{{model: m, rules: [{rules}]}}]}}]").Faults),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version: 2, years: [2026, 2027], holidays: [2026-01-01, 2027-01-01]", "")]
    [InlineData("version: 1, years: [2026], holidays: [2026-01-01]", "")]
    [InlineData("version: 1, years: [2026], holidays: [2026-01-02]", "can't be changed")]
    [InlineData("version: 2, years: [2026, 2027], holidays: [2026-01-02]", "may only add years")]
    [InlineData("version: 2, years: [2027], holidays: []", "may only add years")]
    [InlineData("version: 2, years: [2026], holidays: [2026-01-01, 2027-01-01]", "outside the years")]
    [InlineData("version: 2, years: [2026], holidays: [2026-01-01..2026-01-03, 2026-01-02]", "named twice")]
    [InlineData("version: 2, years: [2026], holidays: [2026-01-01], workdays: [2026-01-05]", "worked anyway")]
    [InlineData("version: 2, years: [2026], holidays: [New Year]", "must be a day 2026-01-01 or a range")]
    public void With_LaterCalendar_MayOnlyAddYears(string calendar, string fault)
    {
        PriceBooks before = Books("calendars: [{id: c, version: 1, years: [2026], holidays: [2026-01-01]}]");
        List<string> faults = Read($"calendars: [{{id: c, {calendar}}}]", before).Faults;
        Assert.Equal(fault.Length > 0, faults.Exists(f => f.Contains(fault, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("2026-02-01T00:00:00Z", "7.2", "")]
    [InlineData("2026-01-01T00:00:00Z", "7.1", "")]
    [InlineData("2026-01-01T00:00:00Z", "7.2", "can't be changed")]
    [InlineData("2025-12-01T00:00:00Z", "7.2", "added in the order of time")]
    [InlineData("2026-02-01T00:00:00Z", "0", "a decimal above 0")]
    [InlineData("2026-02-01", "7", "must be a moment")]
    public void With_LaterExchangeRates_AreAddedAndNeverChanged(string at, string rate, string fault)
    {
        PriceBooks before =
            Books("exchange: [{id: fx, from: USD, to: CNY, rates: [{at: 2026-01-01T00:00:00Z, rate: 7.1}]}]");
        List<string> faults =
            Read($"exchange: [{{id: fx, from: USD, to: CNY, rates: [{{at: {at}, rate: {rate}}}]}}]", before).Faults;
        Assert.Equal(fault.Length > 0, faults.Exists(f => f.Contains(fault, StringComparison.Ordinal)));
    }
}
