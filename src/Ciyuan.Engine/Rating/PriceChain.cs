using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Rating;

/// <summary>A step of the way from a book to the line that prices a model.</summary>
/// <param name="Version">The version in force; null when there is none, which ends the way.</param>
/// <param name="Book">The book.</param>
/// <param name="Exchange">The exchange by which the next book's prices are converted; null without one.</param>
/// <param name="Rate">Its rate at the moment; null without one.</param>
internal sealed record ChainLink(
    BookVersion? Version, string Book, ExchangeRates? Exchange, (Fraction Rate, Timestamp At, string Written)? Rate);

/// <summary>
/// Where a price comes from: from a book over the books that it is on to the first that has a line for the model, with
/// the factors and exchange rates of the way. Of one moment; <see cref="Same"/> tells for which others it holds too.
/// </summary>
internal sealed class PriceChain
{
    private PriceChain(List<ChainLink> links) => Links = links;

    internal List<ChainLink> Links { get; }

    internal PriceMatch? Match { get; private set; }

    internal SuspenseReason Reason { get; private set; }

    /// <summary>Moments for which all of this stays the same.</summary>
    internal Period Same { get; private set; } = Period.Always;

    /// <summary>What prices of the line are multiplied by.</summary>
    internal Fraction Factor { get; private set; } = Fraction.One;

    /// <summary>What prices of its curves over a period are multiplied by: exchange rates are those of the start of the
    /// period, so that what one period costs does not depend on the order of its calls.</summary>
    internal Fraction[] CurveFactors { get; private set; } = [];

    /// <summary>The version that has the line.</summary>
    internal BookVersion? Version => Links[^1].Version;

    /// <summary>The calendar of that version.</summary>
    internal DayCalendar? Calendar { get; private set; }

    /// <summary>Finds the way.</summary>
    /// <param name="books">All books.</param>
    /// <param name="book">The first.</param>
    /// <param name="exchange">By which its prices are converted; null when they are not.</param>
    /// <param name="model">The model.</param>
    /// <param name="provider">The record's provider.</param>
    /// <param name="moment">The moment.</param>
    internal static PriceChain Find(
        PriceBooks books, string book, ExchangeRates? exchange, string model, string provider, Timestamp moment)
    {
        var chain = new PriceChain([]);
        if (exchange is not null)
        {
            chain.AddLink(null, "", exchange, moment);
        }

        for (string? next = book; next is not null;)
        {
            Period same = chain.Same;
            BookVersion? version = books.Find(next, moment, ref same);
            chain.Same = same;
            chain.Match = version?.Find(model, provider);
            OnSetup? on = chain.Match is null ? version?.Setup.On : null;
            chain.AddLink(version, next, on?.Exchange is { } id ? books.FindExchange(id) : null, moment);
            if (on is not null)
            {
                chain.Factor *= version!.OnFactor;
            }

            chain.Reason = version is null ? SuspenseReason.NoBookVersion
                : chain.Match is null && on is null ? SuspenseReason.NoModelPrice
                : chain.Reason;
            next = on?.Book;
        }

        chain.Calendar = chain.Version?.Setup.Calendar is { } calendar ? books.FindCalendar(calendar) : null;
        chain.Finish(moment);
        return chain;
    }

    private void AddLink(BookVersion? version, string book, ExchangeRates? exchange, Timestamp moment)
    {
        Period same = Same;
        (Fraction Rate, Timestamp At, string Written)? rate = exchange?.Find(moment, ref same);
        Same = same;
        Links.Add(new ChainLink(version, book, exchange, rate));
    }

    /// <summary>Multiplies the exchange rates in, where there are all of them.</summary>
    private void Finish(Timestamp moment)
    {
        Fraction factor = Factor;
        if (Links.Exists(link => link.Exchange is not null && link.Rate is null))
        {
            Reason = Reason == SuspenseReason.None ? SuspenseReason.ExchangeUnknown : Reason;
            return;
        }

        foreach (ChainLink link in Links)
        {
            Factor *= link.Rate?.Rate ?? Fraction.One;
        }

        PriceCurve[] curves = Match?.Line.Curves ?? [];
        CurveFactors = [.. curves.Select(c => c.Per == CurvePeriod.Call || !Links.Exists(l => l.Exchange is not null)
            ? Factor
            : factor * FactorAtStart(c, moment))];
    }

    private Fraction FactorAtStart(PriceCurve curve, Timestamp moment)
    {
        Period period = RateCurve.FindPeriod(curve.Per, Version!.Clock.Zone, moment);
        Same = PriceBooks.Narrow(Same, period, moment);
        Fraction factor = Fraction.One;
        foreach (ChainLink link in Links.Where(l => l.Exchange is not null))
        {
            Period ignored = Period.Always;
            if (link.Exchange!.Find(period.Start, ref ignored) is not { } rate)
            {
                Reason = SuspenseReason.ExchangeUnknown;
                return factor;
            }

            factor *= rate.Rate;
        }

        return factor;
    }
}
