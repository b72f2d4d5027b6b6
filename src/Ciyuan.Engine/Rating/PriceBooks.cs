using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>One line of a price book version: the prices of one model or pattern.</summary>
/// <param name="Model">Which models.</param>
/// <param name="Prices">Prices, the narrowest pattern first.</param>
public sealed record PriceLine(ModelPattern Model, MeterPrice[] Prices);

/// <summary>A version of a price book; immutable.</summary>
public sealed class BookVersion
{
    internal BookVersion(BookSetup setup, Currency currency, Period inForce, PriceLine[] lines)
    {
        Setup = setup;
        Currency = currency;
        InForce = inForce;
        _lines = lines;
    }

    private readonly PriceLine[] _lines;

    /// <summary>As it was written.</summary>
    public BookSetup Setup { get; }

    /// <summary>Currency of all prices.</summary>
    public Currency Currency { get; }

    /// <summary>Event times at which it is in force, unless a higher version is too.</summary>
    public Period InForce { get; }

    /// <summary>The line for a model: an exact name first; else, of the patterns that match, the one with most literal
    /// characters; of equals, the first. Null when none matches.</summary>
    public PriceLine? Find(string model)
    {
        PriceLine? best = null;
        foreach (PriceLine line in _lines)
        {
            if (line.Model.Matches(model) && (best is null || Rank(line) > Rank(best)))
            {
                best = line;
            }
        }

        return best;
    }

    private static int Rank(PriceLine line) => line.Model.IsExact ? int.MaxValue : line.Model.LiteralLength;
}

/// <summary>All versions of all price books. Immutable: a setup makes a new instance.</summary>
public sealed class PriceBooks
{
    private Dictionary<string, BookVersion[]> _books = new(StringComparer.Ordinal);

    /// <summary>No books.</summary>
    public static PriceBooks Empty { get; } = new();

    /// <summary>The currency of each book.</summary>
    public IReadOnlyDictionary<string, Currency> Currencies =>
        _books.ToDictionary(b => b.Key, b => b.Value[0].Currency, StringComparer.Ordinal);

    /// <summary>Versions of a book, oldest first; empty when there is no such book.</summary>
    public IReadOnlyList<BookVersion> Versions(string book) => _books.GetValueOrDefault(book, []);

    /// <summary>
    /// The version in force at a moment: the highest whose validity holds it. <paramref name="same"/> is narrowed to
    /// the time around the moment for which that answer stays the same.
    /// </summary>
    public BookVersion? Find(string book, Timestamp moment, ref Period same)
    {
        BookVersion? found = null;
        foreach (BookVersion version in Versions(book))
        {
            found = version.InForce.Contains(moment) ? version : found;
            same = Narrow(same, version.InForce, moment);
        }

        return found;
    }

    /// <summary>The part of a period around a moment inside it that has no bound of another period within.</summary>
    public static Period Narrow(Period period, Period other, Timestamp moment)
    {
        Timestamp start = period.Start;
        Timestamp end = period.End;
        foreach (Timestamp bound in (ReadOnlySpan<Timestamp>)[other.Start, other.End])
        {
            start = bound <= moment && bound > start ? bound : start;
            end = bound > moment && bound < end ? bound : end;
        }

        return new Period(start, end);
    }

    /// <summary>The books with a setup's versions added.</summary>
    /// <param name="setup">What to add.</param>
    /// <param name="faults">Receives each fault; with any, the result is not to be used.</param>
    /// <param name="changed">Set when something is new.</param>
    public PriceBooks With(Setup setup, List<string> faults, ref bool changed)
    {
        var next = new PriceBooks { _books = new(_books, StringComparer.Ordinal) };
        foreach (BookSetup book in setup.Books)
        {
            next.Add(book, faults, ref changed);
        }

        return next;
    }

    private void Add(BookSetup setup, List<string> faults, ref bool changed)
    {
        string what = $"book '{setup.Id}' version {setup.Version}";
        BookVersion[] versions = _books.GetValueOrDefault(setup.Id, []);
        if (Array.Find(versions, v => v.Setup.Version == setup.Version) is { } old)
        {
            if (!SameContent(old.Setup, setup))
            {
                faults.Add($"{what}: is there with other content and can't be changed; add a new version");
            }

            return;
        }

        int faultsBefore = faults.Count;
        if (!Catalog.IsName(setup.Id) || setup.Version < 1
            || (versions.Length > 0 && setup.Version < versions[^1].Setup.Version))
        {
            faults.Add($"{what}: needs a short name and a version above those that are there");
        }

        if (!Currency.TryParse(setup.Currency, out Currency currency)
            || (versions.Length > 0 && versions[0].Currency != currency))
        {
            faults.Add($"{what}: currency '{setup.Currency}' must be a code such as CNY, the same in all versions");
        }

        Period inForce = Catalog.ReadValidity(setup.From, setup.To, what, faults);
        PriceLine[] lines = [.. setup.Prices.Select(p => ReadLine(p, what, faults))];
        foreach (IGrouping<string, PriceLine> twice in lines.GroupBy(l => l.Model.Text).Where(g => g.Count() > 1))
        {
            faults.Add($"{what}: model '{twice.Key}' is priced twice");
        }

        if (faults.Count == faultsBefore)
        {
            _books[setup.Id] = [.. versions, new BookVersion(setup, currency, inForce, lines)];
            changed = true;
        }
    }

    private static PriceLine ReadLine(PriceSetup setup, string what, List<string> faults)
    {
        what = $"{what}, model '{setup.Model}'";
        if (setup.Model.Length is 0 or > UsageRecord.MaxNameLength)
        {
            faults.Add($"{what}: name a model, or a pattern with *");
        }

        var prices = new List<MeterPrice>();
        foreach ((string name, string price) in setup.PerMillionTokens ?? new Dictionary<string, string>())
        {
            // A price per million tokens with p decimals is a price per token with p + 6, so 6 decimals are exact.
            bool known = MeterPattern.TryParse(name, out MeterPattern meters) && meters.Value < 256;
            AddPrice(prices, what, name, known, meters, price, Amount.Decimals - 6, faults);
        }

        foreach ((string name, string price) in setup.PerUnit ?? new Dictionary<string, string>())
        {
            bool known = Meter.TryParse(name, out Meter meter) && !meter.IsTokens;
            int decimals = known && meter.StepsPerUnit > 1 ? Amount.Decimals - 6 : Amount.Decimals;
            AddPrice(prices, what, name, known, new MeterPattern(meter.Value), price, decimals, faults);
        }

        return new PriceLine(
            new ModelPattern(setup.Model),
            [.. prices.OrderByDescending(p => p.Meters.Specificity).ThenBy(p => p.Meters.Value)]);
    }

    private static void AddPrice(
        List<MeterPrice> prices, string what, string name, bool known, MeterPattern meters, string price, int decimals,
        List<string> faults)
    {
        if (!known)
        {
            faults.Add($"{what}: '{name}' is no token class such as input.text.cache_read, front part of one, or unit");
        }
        else if (!Amount.TryParseScaled(price, decimals, out Int128 pico) || pico < 0 || new Amount(pico) > Amount.Most)
        {
            faults.Add(
                $"{what}: price '{price}' of {name} must be a decimal of 0 or more with at most {decimals} decimals");
        }
        else if (prices.Exists(p => p.Meters == meters))
        {
            faults.Add($"{what}: {name} is priced twice");
        }
        else
        {
            prices.Add(new MeterPrice(meters, new Amount(pico)));
        }
    }

    private static bool SameContent(BookSetup a, BookSetup b) => Describe(a) == Describe(b);

    private static string Describe(BookSetup book) =>
        System.Text.Json.JsonSerializer.Serialize(new Setup { Books = [book] }, SetupJson.Default.Setup);
}
