using System.Globalization;
using System.Numerics;
using Ciyuan.Parties;
using Ciyuan.Usage;
using NodaTime;

namespace Ciyuan.Tests.Rating;

/// <summary>
/// What docs/PRICES.md says, in the most obvious way and no other: texts are compared as texts, numbers are fractions
/// of
/// big integers, time is asked of NodaTime. It shares no code with the engine but the records of a setup, and takes no
/// care to be fast. Faulty setups are none of its business.
/// </summary>
internal sealed class SlowPricing(Setup setup)
{
    /// <summary>What each curve has counted so far, by everything that is counted apart.</summary>
    private readonly Dictionary<string, BigInteger> _counted = [];

    /// <summary>The amount in pico, or the name of the reason why there is none. Curves over a period count
    /// it.</summary>
    public string Price(string book, string exchange, UsageRecord record)
    {
        Instant moment = Instant.FromUnixTimeTicks(0).PlusNanoseconds(record.EventTime.UnixNanoseconds);
        Ratio factor = new(1, 1);
        var exchanges = new List<string>();
        if (exchange.Length > 0)
        {
            exchanges.Add(exchange);
        }

        BookSetup version;
        PriceSetup? line;
        while (true)
        {
            BookSetup[] inForce = [.. setup.Books.Where(b => b.Id == book
                && (b.From.Length == 0 || Moment(b.From) <= moment) && (b.To.Length == 0 || moment < Moment(b.To)))];
            if (inForce.Length == 0)
            {
                return "NoBookVersion";
            }

            version = inForce.MaxBy(b => b.Version)!;
            line = FindLine(version, record.Context.Model, record.Context.Provider);
            if (line is not null || version.On is null)
            {
                break;
            }

            factor *= Ratio.Read(version.On.Factor);
            if (version.On.Exchange is { } on)
            {
                exchanges.Add(on);
            }

            book = version.On.Book;
        }

        return line is null ? "NoModelPrice" : Price(version, line, factor, exchanges, record, moment);
    }

    private string Price(
        BookSetup version, PriceSetup line, Ratio factor, List<string> exchanges, UsageRecord record, Instant moment)
    {
        DateTimeZone zone = DateTimeZoneProviders.Tzdb[version.Zone ?? "UTC"];
        if (Exchanged(exchanges, moment) is not { } exchanged)
        {
            return "ExchangeUnknown";
        }

        var asked = new Asked(record, moment.InZone(zone).LocalDateTime, moment,
            setup.Calendars?.LastOrDefault(c => c.Id == version.Calendar));
        bool?[] rules = [.. (line.Rules ?? []).Select(r => Holds(r.When, asked))];
        bool?[] factors = [.. (line.Factors ?? []).Select(f => Holds(f.When, asked))];
        if (rules.Contains(null) || factors.Contains(null))
        {
            return "CalendarUnknown";
        }

        Ratio FactorOf(string meter) => (line.Factors ?? []).Where((f, i) => factors[i] == true
            && (f.Meters is null || f.Meters.Any(m => IsIn(meter, m))))
            .Aggregate(factor, (product, f) => product * Ratio.Read(f.Factor));

        var curves = new Dictionary<CurveSetup, BigInteger>();
        if (SumFlat(line, rules, record, FactorOf, curves) is not { } atHome)
        {
            return "NoClassPrice";
        }

        Ratio flat = atHome * exchanged;
        flat = curves.Where(c => c.Key.Per == "call")
            .Aggregate(flat, (sum, c) => sum + (Of(c.Key, c.Value) * FactorOf(c.Key.Meters[0]) * exchanged));
        BigInteger? running = AddToCurves(version, line, curves, asked, zone, exchanges, FactorOf);
        if (running is null)
        {
            return "ExchangeUnknown";
        }

        return AtLeast(line.MinimumPerCall, factor * exchanged, flat.Round() + running.Value);
    }

    private static string AtLeast(string? minimum, Ratio factor, BigInteger sum)
    {
        BigInteger least = minimum is null
            ? sum
            : (Ratio.Read(minimum) * new Ratio(BigInteger.Pow(10, 12), 1) * factor).Round();
        return BigInteger.Max(sum, least).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>What is not priced by a curve, before exchange; what is goes to <paramref name="curves"/>. Null when a
    /// class has no price.</summary>
    private static Ratio? SumFlat(
        PriceSetup line, bool?[] rules, UsageRecord record, Func<string, Ratio> factorOf,
        Dictionary<CurveSetup, BigInteger> curves)
    {
        Ratio flat = new(0, 1);
        foreach (Count counted in record.Counts.Where(c => c.Steps > 0))
        {
            string meter = counted.Meter.ToString();
            BigInteger steps = Billable(line, meter, counted);
            Ratio? price = (line.Rules ?? []).Where((_, i) => rules[i] == true)
                .Select(r => Find(r.PerMillionTokens, r.PerUnit, meter)).FirstOrDefault(p => p is not null);
            CurveSetup? curve = (line.Curves ?? []).FirstOrDefault(c => c.Meters.Any(m => IsIn(meter, m)));
            if (price is null && curve is not null)
            {
                curves[curve] = curves.GetValueOrDefault(curve) + steps;
                continue;
            }

            price ??= Find(line.PerMillionTokens, line.PerUnit, meter);
            if (price is null)
            {
                return null;
            }

            flat += price.Value * factorOf(meter) * new Ratio(steps, 1);
        }

        return flat;
    }

    /// <summary>Counts quantities of curves over a period; what that adds, or null without an exchange rate.</summary>
    private BigInteger? AddToCurves(
        BookSetup version, PriceSetup line, Dictionary<CurveSetup, BigInteger> curves, Asked asked, DateTimeZone zone,
        List<string> exchanges, Func<string, Ratio> factorOf)
    {
        BigInteger added = 0;
        foreach ((CurveSetup curve, BigInteger steps) in curves.Where(c => c.Key.Per != "call"))
        {
            Instant start = StartOf(curve.Per, asked.Local.Date).AtStartOfDayInZone(zone).ToInstant();
            if (Exchanged(exchanges, start) is not { } atStart)
            {
                return null;
            }

            Ratio by = factorOf(curve.Meters[0]) * atStart;
            string key = $"{version.Id} {version.Version} {line.Model} {line.Provider} {curve.Name} {start} {by}";
            BigInteger before = _counted.GetValueOrDefault(key);
            added += (Of(curve, before + steps) * by).Round() - (Of(curve, before) * by).Round();
            _counted[key] = before + steps;
        }

        return added;
    }

    // Which line --------------------------------------------------------------------------------------------------

    private static PriceSetup? FindLine(BookSetup version, string model, string provider)
    {
        PriceSetup[] ours = [.. version.Prices.Where(p => p.Provider is null || p.Provider == provider)];
        PriceSetup? Best(Func<PriceSetup, bool> matches) =>
            ours.Where(matches).OrderBy(p => p.Provider is null).FirstOrDefault();
        string? name = WithoutDate(model);
        return Best(p => !p.Model.Contains('*') && p.Model == model)
            ?? Best(p => p.Aliases?.Contains(model) ?? false)
            ?? Best(p => p.Dated && p.Model == name)
            ?? Best(p => p.Dated && name is not null && (p.Aliases?.Contains(name) ?? false))
            ?? ours.SelectMany(p => (p.Patterns ?? []).Prepend(p.Model).Select(t => (Pattern: t, Line: p)))
                .Where(c => c.Pattern.Contains('*') && Like(model, c.Pattern))
                .OrderBy(c => c.Line.Provider is null).ThenByDescending(c => c.Pattern.Count(ch => ch != '*'))
                .Select(c => c.Line).FirstOrDefault();
    }

    private static bool Like(string name, string pattern) => System.Text.RegularExpressions.Regex.IsMatch(
        name, "^" + string.Join(".*", pattern.Split('*').Select(System.Text.RegularExpressions.Regex.Escape)) + "$",
        System.Text.RegularExpressions.RegexOptions.Singleline);

    private static string? WithoutDate(string model)
    {
        string[] formats = ["'-'uuuu-MM-dd", "'-'uuuuMMdd", "'@'uuuuMMdd"];
        foreach (string format in formats)
        {
            int length = format.Count(c => c != '\'');
            if (model.Length > length && NodaTime.Text.LocalDatePattern.CreateWithInvariantCulture(format)
                .Parse(model[^length..]) is { Success: true, Value.Year: >= 2000 and < 2100 })
            {
                return model[..^length];
            }
        }

        return model.Length > 5 && NodaTime.Text.AnnualDatePattern.CreateWithInvariantCulture("'-'MMdd")
            .Parse(model[^5..]).Success ? model[..^5] : null;
    }

    // Which price -------------------------------------------------------------------------------------------------

    private static bool IsIn(string meter, string pattern) =>
        meter == pattern || meter.StartsWith(pattern + ".", StringComparison.Ordinal)
        || (pattern.Split(".*.") is [var direction, var kind]
            && meter.Split('.') is [var d, _, var k] && (d, k) == (direction, kind));

    // A class, then a kind of any modality, then a modality, then a direction.
    private static int Width(string pattern) => pattern.Split('.') switch
    {
        [_, "*", _] => 1,
        [_, _, _] => 0,
        [_, _] => 2,
        _ => 3,
    };

    private static Ratio? Find(
        IReadOnlyDictionary<string, string>? perMillion, IReadOnlyDictionary<string, string>? perUnit, string meter)
    {
        string? best = (perMillion ?? new Dictionary<string, string>()).Keys.Where(k => IsIn(meter, k))
            .MinBy(Width);
        if (best is not null)
        {
            return Ratio.Read(perMillion![best]) * new Ratio(1_000_000, 1); // pico for a token
        }

        return perUnit is not null && perUnit.TryGetValue(meter, out string? price)
            ? Ratio.Read(price) * new Ratio(BigInteger.Pow(10, 12), StepsIn(meter))
            : null;
    }

    private static BigInteger StepsIn(string unit) => unit is "second" or "cache_token_hour" ? 1_000_000 : 1;

    private static BigInteger Billable(PriceSetup line, string meter, Count count)
    {
        if (line.Billable is null || !line.Billable.TryGetValue(meter, out BillableSetup? billable))
        {
            return count.Steps;
        }

        BigInteger steps = BigInteger.Max(count.Steps, Whole(billable.Minimum, meter) ?? 0);
        BigInteger multiple = Whole(billable.Step, meter) ?? 1;
        BigInteger over = steps % multiple;
        return over.IsZero ? steps : steps + multiple - over;
    }

    private static BigInteger? Whole(string? text, string meter) =>
        text is null ? null : (Ratio.Read(text) * new Ratio(StepsIn(meter), 1)).Round();

    private static Ratio Of(CurveSetup curve, BigInteger quantity)
    {
        bool tokens = curve.Meters[0] is var first && (first.StartsWith("input", StringComparison.Ordinal)
            || first.StartsWith("output", StringComparison.Ordinal));
        BigInteger unit = tokens ? 1 : StepsIn(curve.Meters[0]);
        Ratio PriceOf(StepSetup step) => Ratio.Read(step.Price)
            * new Ratio(BigInteger.Pow(10, 12), tokens ? 1_000_000 : unit);
        if (curve.Kind == "package")
        {
            BigInteger size = curve.Steps[0].Size * unit;
            BigInteger begun = quantity.IsZero ? 0 : ((quantity - 1) / size) + 1;
            return Ratio.Read(curve.Steps[0].Price) * new Ratio(BigInteger.Pow(10, 12) * begun, 1);
        }

        Ratio sum = new(0, 1);
        BigInteger from = 0;
        foreach (StepSetup step in curve.Steps)
        {
            BigInteger to = step.UpTo == 0 ? quantity : BigInteger.Min(quantity, step.UpTo * unit);
            if (curve.Kind == "volume" && to == quantity)
            {
                return PriceOf(step) * new Ratio(quantity, 1);
            }

            BigInteger part = curve.Kind == "volume" ? 0 : BigInteger.Max(to - from, 0);
            sum += PriceOf(step) * new Ratio(part, 1);
            from = to;
        }

        return sum;
    }

    private static LocalDate StartOf(string per, LocalDate day) => per switch
    {
        "day" => day,
        "month" => new LocalDate(day.Year, day.Month, 1),
        "quarter" => new LocalDate(day.Year, day.Month - ((day.Month - 1) % 3), 1),
        _ => new LocalDate(day.Year, 1, 1),
    };

    // When --------------------------------------------------------------------------------------------------------

    private sealed record Asked(UsageRecord Record, LocalDateTime Local, Instant Moment, CalendarSetup? Calendar);

    private static bool? Holds(WhenSetup when, Asked asked)
    {
        long input = asked.Record.Counts.Where(c => c.Meter.ToString().StartsWith("input.", StringComparison.Ordinal))
            .Sum(c => c.Steps);
        long output = asked.Record.Counts.Where(c => c.Meter.ToString().StartsWith("output.", StringComparison.Ordinal))
            .Sum(c => c.Steps);
        bool others = (when.From is null || Moment(when.From) <= asked.Moment)
            && (when.To is null || asked.Moment < Moment(when.To))
            && (when.Days is null
                || when.Days.Contains(asked.Local.DayOfWeek.ToString()[..3].ToLowerInvariant()))
            && (when.Times is null || when.Times.Any(t => IsInTimes(t, asked.Local.TimeOfDay)))
            && (when.InputOver is null || input > when.InputOver) && (when.InputUpTo is null || input <= when.InputUpTo)
            && (when.OutputOver is null || output > when.OutputOver)
            && (when.OutputUpTo is null || output <= when.OutputUpTo)
            && (when.Tags is null || when.Tags.All(t => t.Value.Contains(
                asked.Record.Tags.FirstOrDefault(x => x.Name == t.Key).Value ?? "")))
            && (when.AnyTokensOf is null
                || asked.Record.Counts.Any(c => c.Steps > 0 && IsIn(c.Meter.ToString(), when.AnyTokensOf)));
        if (!others || when.DayKinds is null)
        {
            return others;
        }

        LocalDate day = asked.Local.Date;
        if (!asked.Calendar!.Years.Contains(day.Year))
        {
            return null;
        }

        bool weekend = (asked.Calendar.Weekend ?? ["sat", "sun"])
            .Contains(day.DayOfWeek.ToString()[..3].ToLowerInvariant());
        string kind = asked.Calendar.Holidays.Any(h => IsInDays(h, day)) ? "holiday"
            : (asked.Calendar.Workdays ?? []).Any(w => IsInDays(w, day)) ? "make_up_workday"
            : weekend ? "weekend" : "workday";
        return when.DayKinds.Contains(kind);
    }

    private static bool IsInTimes(string range, LocalTime time)
    {
        string[] ends = range.Split('-');
        LocalTime start = Clock(ends[0]);
        if (ends[1] == "24:00")
        {
            return time >= start;
        }

        LocalTime end = Clock(ends[1]);
        return start < end ? time >= start && time < end : time >= start || time < end;
    }

    private static LocalTime Clock(string text) =>
        NodaTime.Text.LocalTimePattern.CreateWithInvariantCulture("HH:mm").Parse(text).Value;

    private static bool IsInDays(string range, LocalDate day)
    {
        string[] ends = range.Split("..");
        LocalDate Day(string text) => NodaTime.Text.LocalDatePattern.Iso.Parse(text).Value;
        return day >= Day(ends[0]) && day <= Day(ends[^1]);
    }

    private static Instant Moment(string text) =>
        NodaTime.Text.OffsetDateTimePattern.Rfc3339.Parse(text).Value.ToInstant();

    private Ratio? Exchanged(List<string> exchanges, Instant moment)
    {
        Ratio product = new(1, 1);
        foreach (string id in exchanges)
        {
            ExchangeRateSetup? rate = setup.Exchange!.Single(e => e.Id == id).Rates
                .Where(r => Moment(r.At) <= moment).MaxBy(r => Moment(r.At));
            if (rate is null)
            {
                return null;
            }

            product *= Ratio.Read(rate.Rate);
        }

        return product;
    }

    /// <summary>A fraction of big integers.</summary>
    private readonly record struct Ratio(BigInteger Over, BigInteger Under)
    {
        public static Ratio operator *(Ratio a, Ratio b) => new(a.Over * b.Over, a.Under * b.Under);

        public static Ratio operator +(Ratio a, Ratio b) =>
            new((a.Over * b.Under) + (b.Over * a.Under), a.Under * b.Under);

        public static Ratio Read(string text)
        {
            string[] parts = text.Split('/');
            string[] number = parts[0].Split('.');
            string digits = number[0] + (number.Length > 1 ? number[1] : "");
            return new Ratio(
                BigInteger.Parse(digits, CultureInfo.InvariantCulture),
                BigInteger.Pow(10, number.Length > 1 ? number[1].Length : 0)
                    * (parts.Length > 1 ? BigInteger.Parse(parts[1], CultureInfo.InvariantCulture) : 1));
        }

        public BigInteger Round()
        {
            BigInteger whole = BigInteger.DivRem(Over, Under, out BigInteger rest);
            int order = (2 * rest).CompareTo(Under);
            return order > 0 || (order == 0 && !whole.IsEven) ? whole + 1 : whole;
        }

        public override string ToString()
        {
            BigInteger common = BigInteger.GreatestCommonDivisor(Over, Under);
            return $"{Over / common}/{Under / common}";
        }
    }
}
