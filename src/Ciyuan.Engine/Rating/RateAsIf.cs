using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>
/// What records would be charged under another book; nothing is posted. It asks the parts that rate records for good.
/// Quantities of prices over a period are counted from zero, in the order in which the records come.
/// </summary>
/// <param name="books">The books.</param>
/// <param name="book">The book that is tried.</param>
public sealed class RateAsIf(PriceBooks books, string book)
{
    /// <summary>Most sheets that are kept; a book has lines for fewer models than this.</summary>
    private const int MostSheets = 20_000;

    private readonly Dictionary<(string Model, string Provider), (PriceSheet? Sheet, PriceChain Chain)> _sheets = [];
    private readonly Dictionary<(string Curve, Timestamp Start), Int128> _running = [];

    /// <summary>Currency of the book; none when there is no such book.</summary>
    public Currency Currency { get; } = books.Versions(book) is [var first, ..] ? first.Currency : default;

    /// <summary>The amount of a record; or why there is none.</summary>
    public SuspenseReason AmountOf(UsageRecord record, out Amount amount)
    {
        amount = default;
        (PriceSheet? sheet, PriceChain chain) = FindSheet(record);
        if (sheet is null)
        {
            return chain.Reason;
        }

        if (sheet.Find(record, out SuspenseReason reason) is not { } rate)
        {
            return reason;
        }

        Int128[] before = TakeBefore(rate, record);
        return rate.AmountOf(record.Counts, before, out amount);
    }

    private (PriceSheet? Sheet, PriceChain Chain) FindSheet(UsageRecord record)
    {
        (string Model, string Provider) key = (record.Context.Model, record.Context.Provider);
        if (_sheets.TryGetValue(key, out (PriceSheet? Sheet, PriceChain Chain) known)
            && known.Chain.Same.Contains(record.EventTime))
        {
            return known;
        }

        PriceChain chain = PriceChain.Find(books, book, null, key.Model, key.Provider, record.EventTime);
        PriceSheet? sheet = chain.Reason != SuspenseReason.None ? null : new PriceSheet(Template(chain), chain, r => r);
        if (_sheets.Count >= MostSheets)
        {
            _sheets.Clear();
        }

        _sheets[key] = (sheet, chain);
        return (sheet, chain);
    }

    private Rate Template(PriceChain chain) => new()
    {
        Agreement = "",
        Method = RateMethod.Prices,
        Side = Side.Income,
        Payer = "",
        Payee = "",
        Currency = Currency,
        Book = book,
        Version = chain.Links.Find(link => link.Book == book)!.Version!.Setup.Version,
    };

    private Int128[] TakeBefore(Rate rate, UsageRecord record)
    {
        if (rate.Formula is not { Running.Length: > 0 } formula)
        {
            return [];
        }

        var before = new Int128[formula.Running.Length];
        for (int i = 0; i < before.Length; i++)
        {
            RateCurve curve = formula.Curves[formula.Running[i]];
            (string, Timestamp) key = (curve.Name + "|" + rate.Model, curve.PeriodOf(record.EventTime).Start);
            before[i] = _running.GetValueOrDefault(key);
            _running[key] = before[i] + rate.StepsOf(formula.Running[i], record.Counts);
        }

        return before;
    }
}
