using System.Numerics;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>
/// How one line of a book prices the records of one agreement while the way to the line stays the same: which
/// conditions
/// hold for a record, and the rate that follows from just these. A rate is made once for each set of conditions that is
/// met, so a record costs no more than asking the conditions. Not safe for several threads.
/// </summary>
internal sealed class PriceSheet
{
    private const int MaxKept = 4_096; // sets of conditions; beyond it all are forgotten

    private readonly Rate _template;
    private readonly PriceChain _chain;
    private readonly PriceLine _line;
    private readonly LocalClock _clock;
    private readonly Condition[] _conditions;
    private readonly RateSource[] _on;
    private readonly Func<Rate, Rate> _intern;
    private readonly Dictionary<ulong, (Rate? Rate, SuspenseReason Reason)> _rates = [];
    private Rate? _last;
    private ulong _lastHeld;

    /// <summary>Makes a sheet.</summary>
    /// <param name="template">Agreement, parties, currency, book; what the rates have in common.</param>
    /// <param name="chain">The way to the line, which there is.</param>
    /// <param name="intern">Makes equal rates one object.</param>
    internal PriceSheet(Rate template, PriceChain chain, Func<Rate, Rate> intern)
    {
        (_template, _chain, _line, _intern) = (template, chain, chain.Match!.Line, intern);
        _clock = chain.Version!.Clock;
        _conditions = [.. Enumerable.Range(0, _line.Conditions).Select(_line.ConditionAt)];
        _on = [.. chain.Links.Where(l => l.Version is not null).Skip(1)
            .Select(l => new RateSource(l.Book, l.Version!.Setup.Version))];
    }

    /// <summary>Whether every record has the same rate.</summary>
    internal bool IsConstant => _conditions.Length == 0;

    /// <summary>The rate of a record; null with a reason when there is none.</summary>
    internal Rate? Find(UsageRecord record, out SuspenseReason reason) =>
        Find(record.EventTime, record.Counts, record.Tags, out reason);

    /// <summary>The same, of a record's parts.</summary>
    internal Rate? Find(
        Timestamp moment, ReadOnlySpan<Count> counts, ReadOnlySpan<Tag> tags, out SuspenseReason reason)
    {
        ulong held = 0;
        if (!IsConstant)
        {
            var facts = new RecordFacts(moment, counts, tags, _line, _clock, _chain.Calendar);
            for (int i = 0; i < _conditions.Length; i++)
            {
                ConditionPart failing = _conditions[i].FindFailing(facts, out bool unknown);
                held |= failing == ConditionPart.None ? 1UL << i : 0;
                if (unknown)
                {
                    reason = SuspenseReason.CalendarUnknown;
                    return null;
                }
            }
        }

        return RateOf(held, out reason);
    }

    /// <summary>The rate while just these conditions hold: bit i for <see cref="PriceLine.ConditionAt"/> i.</summary>
    internal Rate? RateOf(ulong held, out SuspenseReason reason)
    {
        if (_lastHeld == held && _last is { } last)
        {
            reason = SuspenseReason.None;
            return last;
        }

        if (!_rates.TryGetValue(held, out (Rate? Rate, SuspenseReason Reason) found))
        {
            if (_rates.Count >= MaxKept)
            {
                _rates.Clear();
            }

            Rate? made = Make(held, out SuspenseReason why);
            found = (made is null ? null : _intern(made), why);
            _rates.Add(held, found);
        }

        (_last, _lastHeld) = (found.Rate, held);
        reason = found.Reason;
        return found.Rate;
    }

    private Rate? Make(ulong held, out SuspenseReason reason)
    {
        var prices = new List<WrittenPrice>();
        for (int i = 0; i < _line.Rules.Length; i++)
        {
            prices.AddRange((held & (1UL << i)) == 0 ? [] : _line.Rules[i].Prices);
        }

        PriceFactor[] factors =
            [.. _line.Factors.Where((_, i) => (held & (1UL << (i + _line.Rules.Length))) != 0)];
        List<WrittenPrice> ofRules = Multiply(prices, factors);
        List<WrittenPrice> ofLine = Multiply(_line.Prices, factors);
        (PriceCurve Curve, Fraction Factor)[] curves = [.. _line.Curves
            .Select((c, i) => (c, _chain.CurveFactors[i] * FactorOf(factors, c.Meters[0])))];
        if (_line.Conditions > 0)
        {
            DropUnused(ofRules, curves.Select(c => c.Curve), ofLine);
            curves = [.. curves.Where(c => !IsPriced(c.Curve.Meters, ofRules))];
        }

        Fraction? minimum = _line.Minimum is { } least ? least * _chain.Factor : null;
        BigInteger divisor = BigInteger.One;
        foreach (Fraction number in (IEnumerable<Fraction>)[.. ofRules.Select(p => p.PicoPerStep),
            .. ofLine.Select(p => p.PicoPerStep), minimum ?? Fraction.One,
            .. curves.SelectMany(c => c.Curve.Steps.Select(s => s.PicoPerStep * c.Factor))])
        {
            divisor = divisor / BigInteger.GreatestCommonDivisor(divisor, number.Denominator) * number.Denominator;
        }

        reason = SuspenseReason.PriceTooFine;
        return divisor > Rate.MaxDivisor
            ? null
            : Finish((long)divisor, ofRules, curves, ofLine, minimum, out reason);
    }

    private Rate? Finish(
        long divisor, List<WrittenPrice> ofRules, (PriceCurve Curve, Fraction Factor)[] curves,
        List<WrittenPrice> ofLine, Fraction? minimum, out SuspenseReason reason)
    {
        bool plain = divisor == 1 && curves.Length == 0 && _line.IsPlain && _on.Length == 0;
        Int128 Scale(Fraction number) => (Int128)(number.Numerator * (divisor / number.Denominator));
        try
        {
            reason = SuspenseReason.None;
            return _template with
            {
                Method = plain ? RateMethod.Prices : RateMethod.Formula,
                Model = _line.Model,
                Prices = [.. ofRules.Concat(ofLine)
                    .Select(p => new MeterPrice(p.Meters, new Amount(Scale(p.PicoPerStep))))],
                Formula = plain ? null : new RateFormula
                {
                    Divisor = divisor,
                    Provider = _line.Provider,
                    On = _on,
                    RulePrices = curves.Length == 0 ? 0 : ofRules.Count,
                    Curves = [.. curves.Select(c => ToRate(c.Curve, c.Factor, Scale))],
                    Minimum = minimum is { } least ? Scale(least) : 0,
                    Billable = _line.Billable,
                },
            };
        }
        catch (OverflowException)
        {
            reason = SuspenseReason.PriceTooFine;
            return null;
        }
    }

    private RateCurve ToRate(PriceCurve curve, Fraction factor, Func<Fraction, Int128> scale) => new()
    {
        Name = curve.Name,
        Meters = curve.Meters,
        Kind = curve.Kind,
        Per = curve.Per,
        Zone = _clock.Zone.Id,
        Steps = [.. curve.Steps.Select(s =>
        {
            Int128 price = scale(s.PicoPerStep * factor);
            return price <= RateCurve.MostPrice
                ? new RateStep(s.UpTo, price, s.Size)
                : throw new OverflowException("A curve's price is more than it can hold.");
        })],
    };

    /// <summary>Prices with the factors multiplied in. A factor that is for part of what a price is for makes a price
    /// of
    /// its own for that part, before the other.</summary>
    private List<WrittenPrice> Multiply(IEnumerable<WrittenPrice> prices, PriceFactor[] factors)
    {
        var made = new List<WrittenPrice>();
        foreach (WrittenPrice price in prices)
        {
            foreach (MeterPattern part in PartsOf(price.Meters, factors))
            {
                Fraction factor = _chain.Factor * FactorOf(factors, part);
                made.Add(new WrittenPrice(part, price.PicoPerStep * factor));
            }
        }

        return made;
    }

    // What the factors' meters have in common with a price's, and with one another there; the narrowest first.
    private static IEnumerable<MeterPattern> PartsOf(MeterPattern meters, PriceFactor[] factors)
    {
        var parts = new List<MeterPattern> { meters };
        foreach (MeterPattern named in factors.SelectMany(f => f.Meters ?? []))
        {
            parts.AddRange(parts.ConvertAll(part => part.Intersect(named)).OfType<MeterPattern>().Except(parts)
                .ToArray());
        }

        return parts.OrderByDescending(p => p.Specificity).ThenBy(p => p.Value);
    }

    private static Fraction FactorOf(PriceFactor[] factors, MeterPattern meters) =>
        factors.Where(f => f.Names(meters)).Aggregate(Fraction.One, (product, f) => product * f.Factor);

    /// <summary>Takes out what no meter gets its price from, so that equal rates look the same.</summary>
    private static void DropUnused(
        List<WrittenPrice> ofRules, IEnumerable<PriceCurve> curves, List<WrittenPrice> ofLine)
    {
        List<MeterPattern> before = [];
        Drop(ofRules, before);
        before.AddRange(curves.SelectMany(c => c.Meters));
        Drop(ofLine, before);
    }

    private static void Drop(List<WrittenPrice> prices, List<MeterPattern> before) => prices.RemoveAll(price =>
    {
        if (IsPriced([price.Meters], before))
        {
            return true;
        }

        before.Add(price.Meters);
        return false;
    });

    private static bool IsPriced(IEnumerable<MeterPattern> meters, List<WrittenPrice> before) =>
        IsPriced(meters, before.ConvertAll(p => p.Meters));

    private static bool IsPriced(IEnumerable<MeterPattern> meters, List<MeterPattern> before) =>
        meters.All(m => before.Exists(b => b.Contains(m)));
}
