using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Rating;

/// <summary>Dated exchange rates from one currency to another. Immutable: further rates make a new instance.</summary>
public sealed class ExchangeRates
{
    private readonly Timestamp[] _at;
    private readonly Fraction[] _rates;
    private readonly string[] _written;

    private ExchangeRates(
        ExchangeSetup setup, Currency from, Currency to, Timestamp[] at, Fraction[] rates, string[] written)
    {
        (Setup, From, To) = (setup, from, to);
        (_at, _rates, _written) = (at, rates, written);
    }

    /// <summary>As it was written last.</summary>
    public ExchangeSetup Setup { get; }

    /// <summary>Currency of the price.</summary>
    public Currency From { get; }

    /// <summary>Currency of the amount.</summary>
    public Currency To { get; }

    /// <summary>The rate in force at a moment: the latest at or before it; null when there is none.
    /// <paramref name="same"/> is narrowed to the time around the moment for which that answer stays the
    /// same.</summary>
    public (Fraction Rate, Timestamp At, string Written)? Find(Timestamp moment, ref Period same)
    {
        int found = Array.BinarySearch(_at, moment);
        int at = found >= 0 ? found : ~found - 1;
        Timestamp start = at >= 0 ? _at[at] : Timestamp.MinValue;
        Timestamp end = at + 1 < _at.Length ? _at[at + 1] : Timestamp.MaxValue;
        same = PriceBooks.Narrow(same, new Period(start, end), moment);
        return at >= 0 ? (_rates[at], _at[at], _written[at]) : null;
    }

    /// <summary>The exchanges with one more, or with later rates of one.</summary>
    internal static void Add(
        Dictionary<string, ExchangeRates> exchanges, ExchangeSetup setup, List<string> faults, ref bool changed)
    {
        string what = $"exchange '{setup.Id}'";
        int before = faults.Count;
        ExchangeRates? old = exchanges.GetValueOrDefault(setup.Id);
        bool known = Currency.TryParse(setup.From, out Currency from) & Currency.TryParse(setup.To, out Currency to);
        if (!Catalog.IsName(setup.Id) || !known || from == to || (old is not null && (old.From, old.To) != (from, to)))
        {
            faults.Add($"{what}: needs a short name and two different currencies, the same as before if it is there");
        }

        List<Timestamp> at = [.. old?._at ?? []];
        List<Fraction> rates = [.. old?._rates ?? []];
        List<string> written = [.. old?._written ?? []];
        foreach (ExchangeRateSetup rate in setup.Rates)
        {
            if (ReadRate(rate, at, written, what, faults) is not { } read)
            {
                continue;
            }

            at.Add(read.At);
            rates.Add(read.Rate);
            written.Add(rate.Rate);
            changed = true;
        }

        if (at.Count == 0)
        {
            faults.Add($"{what}: has no rate");
        }

        if (faults.Count == before)
        {
            exchanges[setup.Id] = new ExchangeRates(setup, from, to, [.. at], [.. rates], [.. written]);
        }
    }

    /// <summary>A rate that is new and comes after those that are there; null when it is there already, or with a
    /// fault.</summary>
    private static (Timestamp At, Fraction Rate)? ReadRate(
        ExchangeRateSetup rate, List<Timestamp> at, List<string> written, string what, List<string> faults)
    {
        if (!Timestamp.TryParse(rate.At, out Timestamp moment)
            || !Fraction.TryParse(rate.Rate, out Fraction value) || value.Numerator.IsZero)
        {
            faults.Add($"{what}: '{rate.At}' '{rate.Rate}' must be a moment 2026-11-02T09:15:00+08:00 and a decimal "
                + "above 0");
            return null;
        }

        int place = at.BinarySearch(moment);
        if (place >= 0)
        {
            if (!Fraction.TryParse(written[place], out Fraction old) || old != value)
            {
                faults.Add($"{what}: the rate at {rate.At} is {written[place]} and can't be changed");
            }

            return null;
        }

        if (place != ~at.Count)
        {
            faults.Add($"{what}: {rate.At} is before {at[^1]}, which is there; rates are added in the order of time");
            return null;
        }

        return (moment, value);
    }
}
