using System.Globalization;
using System.Numerics;
using Ciyuan.Quantities;
using Ciyuan.Usage;
using NodaTime;

namespace Ciyuan.Rating;

/// <summary>Says why a price is what it is, line by line; it charges nothing. It asks the same parts that rate a
/// record,
/// so what it says is what is done.</summary>
public static class ExplainPrice
{
    /// <summary>Explains the price of a record under a book.</summary>
    /// <param name="books">The books.</param>
    /// <param name="question">What is asked.</param>
    public static PriceExplanation Explain(PriceBooks books, PriceQuestion question)
    {
        UsageRecord record = question.Record;
        PriceChain chain = PriceChain.Find(
            books, question.Book, question.Exchange.Length == 0 ? null : books.FindExchange(question.Exchange),
            record.Context.Model, record.Context.Provider, record.EventTime);
        Currency currency = !question.Currency.IsNone ? question.Currency
            : books.Versions(question.Book) is [var first, ..] ? first.Currency
            : default;
        SuspenseReason reason = chain.Reason;
        Rate? rate = reason == SuspenseReason.None ? FindRate(chain, question, currency, out reason) : null;
        Int128[] before = rate?.Formula is { } formula
            ? [.. formula.Running.Select(i => Before(question, formula.Curves[i]))]
            : [];
        Amount amount = default;
        reason = rate is null ? reason : rate.AmountOf(record.Counts, before, out amount);
        PriceLine? line = chain.Match?.Line;
        return new PriceExplanation
        {
            Moment = record.EventTime,
            Books = ExplainBooks(chain),
            Line = line is null ? "" : line.Provider.Length == 0 ? line.Model : $"{line.Model} ({line.Provider})",
            MatchedName = chain.Match?.Name ?? "",
            Match = chain.Match?.Kind,
            Source = (line?.Setup.Source ?? chain.Version?.Setup.Source ?? "", line?.Setup.AsOf ?? ""),
            Conditions = line is null ? [] : ExplainConditions(chain, record),
            Counts = rate is null ? [] : [.. record.Counts.Select(c => ExplainCount(chain, rate, c, record))],
            Curves = rate is null ? [] : ExplainCurves(rate, record, before),
            Minimum = new Amount(Rounding.Divide(rate?.Formula?.Minimum ?? 0, rate?.Formula?.Divisor ?? 1)),
            Reason = reason,
            Amount = reason == SuspenseReason.None ? amount : default,
            Currency = currency,
            Rate = rate,
        };
    }

    private static Rate? FindRate(
        PriceChain chain, PriceQuestion question, Currency currency, out SuspenseReason reason)
    {
        ChainLink own = chain.Links.Find(link => link.Book == question.Book)!;
        var template = new Rate
        {
            Agreement = "",
            Method = RateMethod.Prices,
            Side = Side.Income,
            Payer = "",
            Payee = "",
            Currency = currency,
            Book = question.Book,
            Version = own.Version!.Setup.Version,
        };
        return new PriceSheet(template, chain, rate => rate).Find(question.Record, out reason);
    }

    private static Int128 Before(PriceQuestion question, RateCurve curve) =>
        question.Before?.GetValueOrDefault(curve.Name) ?? default;

    private static List<ExplainedBook> ExplainBooks(PriceChain chain)
    {
        var books = new List<ExplainedBook>();
        foreach (ChainLink link in chain.Links)
        {
            bool on = link.Version?.Setup.On is not null && link != chain.Links[^1];
            books.Add(new ExplainedBook(
                link.Book, link.Version?.Setup.Version ?? 0, link.Version?.Currency ?? link.Exchange?.From ?? default,
                on ? link.Version!.Setup.On!.Factor : "", link.Exchange?.Setup.Id ?? "", link.Rate?.At,
                link.Rate?.Written ?? ""));
        }

        return books;
    }

    private static List<ExplainedCondition> ExplainConditions(PriceChain chain, UsageRecord record)
    {
        PriceLine line = chain.Match!.Line;
        var facts = new RecordFacts(record, line, chain.Version!.Clock, chain.Calendar);
        var conditions = new List<ExplainedCondition>();
        for (int i = 0; i < line.Conditions; i++)
        {
            bool isFactor = i >= line.Rules.Length;
            int at = isFactor ? i - line.Rules.Length : i;
            Condition condition = line.ConditionAt(i);
            ConditionPart failing = condition.FindFailing(facts, out bool unknown);
            conditions.Add(new ExplainedCondition(
                isFactor ? line.Factors[at].Name : line.Rules[at].Name, isFactor,
                unknown ? null : failing == ConditionPart.None, Because(condition, failing, facts, chain.Calendar),
                isFactor ? line.Setup.Factors![at].Factor : ""));
        }

        return conditions;
    }

    private static string Because(
        Condition condition, ConditionPart failing, in RecordFacts facts, DayCalendar? calendar) => failing switch
        {
            ConditionPart.From => $"from: it starts at {condition.Within.Start}",
            ConditionPart.To => $"to: it ended at {condition.Within.End}",
            ConditionPart.Input => $"input: {facts.Input} tokens are not "
                + Range(condition.InputOver, condition.InputUpTo),
            ConditionPart.Output => $"output: {facts.Output} tokens are not "
                + Range(condition.OutputOver, condition.OutputUpTo),
            ConditionPart.Days => $"days: it is {ReadCalendar.DayNames[LocalClock.Weekday(facts.Day)]}",
            ConditionPart.Times => $"times: {Clock(facts.Clock)} is not in "
                + string.Join(", ", condition.Times.Select(t => $"{Clock(t.Start)}-{Clock(t.End)}")),
            ConditionPart.Tags => "tags: " + string.Join(", ", condition.Tags.Select(t =>
                $"{t.Name} must be {string.Join(" or ", t.Values.Select(v => v.Length == 0 ? "absent" : v))}")),
            ConditionPart.Tokens => $"any_tokens_of: there are no tokens of {condition.AnyTokensOf}",
            ConditionPart.DayKinds => (calendar?[facts.Day] ?? DayKind.Unknown) is var kind and not DayKind.Unknown
                ? $"day_kinds: it is a {ReadCondition.KindNames[(int)kind]}"
                : $"day_kinds: the calendar does not cover the year of {Date(facts.Day)}",
            _ => "holds",
        };

    private static string Range(long over, long upTo) => (over >= 0, upTo < long.MaxValue) switch
    {
        (true, true) => $"over {over} and up to {upTo}",
        (true, false) => $"over {over}",
        _ => $"up to {upTo}",
    };

    private static string Clock(long nanoseconds)
    {
        string text = NodaTime.Text.LocalTimePattern.ExtendedIso.Format(
            LocalTime.FromNanosecondsSinceMidnight(nanoseconds % LocalClock.PerDay));
        return nanoseconds == LocalClock.PerDay ? "24:00" : text.EndsWith(":00", StringComparison.Ordinal)
            ? text[..^3]
            : text;
    }

    private static string Date(int day) =>
        new LocalDate(1970, 1, 1).PlusDays(day).ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);

    private static ExplainedCount ExplainCount(PriceChain chain, Rate rate, Count count, UsageRecord record)
    {
        RateFormula? formula = rate.Formula;
        long billable = formula?.BillableSteps(count.Meter, count.Steps) ?? count.Steps;
        string from = SourceOf(chain, count.Meter, record);
        if (rate.FindNumerator(count.Meter) is not { } numerator)
        {
            return new ExplainedCount(count.Meter, count.Steps, billable, from, "", "");
        }

        var perStep = new Fraction(
            (BigInteger)numerator, (BigInteger)(formula?.Divisor ?? 1) * Amount.PicoPerUnit);
        long printed = count.Meter.IsTokens ? 1_000_000 : count.Meter.StepsPerUnit;
        return new ExplainedCount(
            count.Meter, count.Steps, billable, from, (perStep * new Fraction(printed, 1)).ToString(),
            (perStep * new Fraction(billable, 1)).ToString());
    }

    /// <summary>The first of: rules that hold, curves, the line.</summary>
    private static string SourceOf(PriceChain chain, Meter meter, UsageRecord record)
    {
        PriceLine line = chain.Match!.Line;
        var facts = new RecordFacts(record, line, chain.Version!.Clock, chain.Calendar);
        foreach (PriceRule rule in line.Rules)
        {
            if (rule.When.FindFailing(facts, out _) == ConditionPart.None
                && Array.Exists(rule.Prices, p => p.Meters.Matches(meter)))
            {
                return rule.Name;
            }
        }

        PriceCurve? curve = Array.Find(line.Curves, c => Array.Exists(c.Meters, m => m.Matches(meter)));
        return curve?.Name ?? (Array.Exists(line.Prices, p => p.Meters.Matches(meter)) ? "line" : "");
    }

    private static List<ExplainedCurve> ExplainCurves(Rate rate, UsageRecord record, Int128[] before)
    {
        var curves = new List<ExplainedCurve>();
        RateFormula? formula = rate.Formula;
        for (int i = 0; i < (formula?.Curves.Length ?? 0); i++)
        {
            RateCurve curve = formula!.Curves[i];
            int running = Array.IndexOf(formula.Running, i);
            Int128 from = running < 0 ? 0 : before[running];
            Int128 steps = rate.StepsOf(i, record.Counts);
            BigInteger added = steps == 0 ? 0 : curve.NumeratorOf(from + steps) - (BigInteger)curve.NumeratorOf(from);
            var size = new Fraction(BigInteger.Abs(added), (BigInteger)formula.Divisor * Amount.PicoPerUnit);
            curves.Add(new ExplainedCurve(
                curve.Name, curve.Kind.ToString().ToLowerInvariant(),
                curve.IsRunning ? curve.PeriodOf(record.EventTime).Start : null, from, steps,
                added.Sign < 0 ? $"-{size}" : size.ToString()));
        }

        return curves;
    }
}
