using Ciyuan.Parties;
using Ciyuan.Quantities;

namespace Ciyuan.Rating;

/// <summary>All versions of all price books, and the calendars and exchange rates that they name. Immutable: a setup
/// makes a new instance.</summary>
public sealed class PriceBooks
{
    /// <summary>Most books in a chain of discounts and mark-ups.</summary>
    public const int MaxChain = 8;

    private Dictionary<string, BookVersion[]> _books = new(StringComparer.Ordinal);
    private Dictionary<string, DayCalendar> _calendars = new(StringComparer.Ordinal);
    private Dictionary<string, ExchangeRates> _exchanges = new(StringComparer.Ordinal);

    /// <summary>No books.</summary>
    public static PriceBooks Empty { get; } = new();

    /// <summary>What agreements must know of the books.</summary>
    public BookTerms Terms => new(
        _books.ToDictionary(b => b.Key, b => b.Value[0].Currency, StringComparer.Ordinal),
        _exchanges.ToDictionary(e => e.Key, e => (e.Value.From, e.Value.To), StringComparer.Ordinal));

    /// <summary>Names of the books, in ordinal order.</summary>
    public IEnumerable<string> Names => _books.Keys.Order(StringComparer.Ordinal);

    /// <summary>Versions of a book, oldest first; empty when there is no such book.</summary>
    public IReadOnlyList<BookVersion> Versions(string book) => _books.GetValueOrDefault(book, []);

    /// <summary>The calendar with an id, or null.</summary>
    public DayCalendar? FindCalendar(string id) => _calendars.GetValueOrDefault(id);

    /// <summary>The exchange rates with an id, or null.</summary>
    public ExchangeRates? FindExchange(string id) => _exchanges.GetValueOrDefault(id);

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

    /// <summary>The books with a setup's versions, calendars and exchange rates added.</summary>
    /// <param name="setup">What to add.</param>
    /// <param name="faults">Receives each fault; with any, the result is not to be used.</param>
    /// <param name="changed">Set when something is new.</param>
    public PriceBooks With(Setup setup, List<string> faults, ref bool changed)
    {
        var next = new PriceBooks
        {
            _books = new(_books, StringComparer.Ordinal),
            _calendars = new(_calendars, StringComparer.Ordinal),
            _exchanges = new(_exchanges, StringComparer.Ordinal),
        };
        foreach (CalendarSetup calendar in setup.Calendars ?? [])
        {
            ReadCalendar.Add(next._calendars, calendar, faults, ref changed);
        }

        foreach (ExchangeSetup exchange in setup.Exchange ?? [])
        {
            ExchangeRates.Add(next._exchanges, exchange, faults, ref changed);
        }

        foreach (BookSetup book in setup.Books)
        {
            next.Add(book, faults, ref changed);
        }

        // Books may refer to one another in any order, so this comes when all are there.
        foreach (BookSetup book in setup.Books)
        {
            next.CheckOn(book, faults);
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

        int before = faults.Count;
        if (!Catalog.IsName(setup.Id) || setup.Version < 1
            || (versions.Length > 0 && setup.Version < versions[^1].Setup.Version))
        {
            faults.Add($"{what}: needs a short name and a version above those that are there");
        }

        BookVersion? read = ReadBook.Read(setup, what, _calendars, faults);
        if (read is not null && versions.Length > 0 && versions[0].Currency != read.Currency)
        {
            faults.Add($"{what}: currency '{setup.Currency}' must be {versions[0].Currency}, as in the versions "
                + "before");
        }

        if (faults.Count == before)
        {
            _books[setup.Id] = [.. versions, read!];
            changed = true;
        }
    }

    private void CheckOn(BookSetup setup, List<string> faults)
    {
        string what = $"book '{setup.Id}' version {setup.Version}";
        if (setup.On is not { } on || !_books.TryGetValue(setup.Id, out BookVersion[]? versions))
        {
            return;
        }

        if (!_books.TryGetValue(on.Book, out BookVersion[]? other))
        {
            faults.Add($"{what}: on: there is no book '{on.Book}'; add it first");
            return;
        }

        if (FindExchangeFault(other[0].Currency, versions[0].Currency, on.Exchange) is { } fault)
        {
            faults.Add($"{what}: on: {fault}");
        }

        if (DepthOf(setup.Id, []) > MaxChain)
        {
            faults.Add($"{what}: on: leads back to itself, or through more than {MaxChain} books");
        }
    }

    /// <summary>Why an exchange does not lead from one currency to another, or null when it does, or none is needed and
    /// none is named.</summary>
    internal string? FindExchangeFault(Currency from, Currency to, string? exchange)
    {
        if (exchange is null)
        {
            return from == to ? null : $"prices are in {from}, amounts in {to}; name an 'exchange' from the one to the "
                + "other";
        }

        return _exchanges.TryGetValue(exchange, out ExchangeRates? rates) && (rates.From, rates.To) == (from, to)
            ? null
            : $"exchange '{exchange}' must be there and lead from {from} to {to}";
    }

    /// <summary>The longest way from a book over the books that its versions are on.</summary>
    private int DepthOf(string book, HashSet<string> path)
    {
        if (!path.Add(book))
        {
            return MaxChain + 1;
        }

        int depth = 1;
        foreach (BookVersion version in Versions(book))
        {
            depth = Math.Max(depth, version.Setup.On is { } on ? 1 + DepthOf(on.Book, path) : 1);
        }

        path.Remove(book);
        return depth;
    }

    private static bool SameContent(BookSetup a, BookSetup b) => Describe(a) == Describe(b);

    private static string Describe(BookSetup book) =>
        System.Text.Json.JsonSerializer.Serialize(new Setup { Books = [book] }, SetupJson.Default.Setup);
}
