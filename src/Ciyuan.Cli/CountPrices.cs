using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Render;
using Ciyuan.Usage;

namespace Ciyuan.Cli;

/// <summary>
/// What counted tokens cost under a book. Each file is priced as one call to the model of its column, at one moment;
/// a column without a model has no price, for books go by model.
/// </summary>
internal sealed class CountPrices(PriceBooks books, string book, string side, Timestamp time)
{
    /// <summary>Which way the tokens go: input or output.</summary>
    internal string Side { get; } = side;

    /// <summary>The book's name.</summary>
    internal string Book { get; } = book;

    /// <summary>Finds a book: by its name, or the only one of a setup file.</summary>
    /// <exception cref="RefusedException">There is no such book, or the file has several.</exception>
    internal static CountPrices Read(string book, string[] files, string side, VerbContext context)
    {
        bool isFile = files.Length == 0 && File.Exists(book);
        PriceBooks books = PricesExplainVerb.ReadBooks(isFile ? [book] : files, context);
        if (isFile)
        {
            string[] names = [.. books.Names];
            book = names is [string only] ? only : throw new RefusedException(
                $"{book} has {(names.Length == 0 ? "no book" : $"the books {string.Join(", ", names)}")}: "
                + "name one with --book NAME --books FILE.");
        }
        else if (books.Versions(book).Count == 0)
        {
            throw new RefusedException(NearNames.Unknown("book", book, books.Names));
        }

        return new CountPrices(books, book, side, Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()));
    }

    /// <summary>What the tokens of some files cost, each as one call; the reason when one has no price.</summary>
    internal (Amount Amount, Currency Currency, string Reason) Of(
        CountPlan plan, int choice, IEnumerable<CountedFile> files)
    {
        Amount sum = default;
        Currency currency = default;
        foreach (CountedFile file in files.Where(file => file.TokensOf(choice) > 0))
        {
            PriceExplanation explained = Explain(plan.Choices[choice].Model, file, file.TokensOf(choice));
            if (explained.Reason != SuspenseReason.None)
            {
                return (default, default, explained.Reason.ToString());
            }

            sum = new Amount(sum.Pico + explained.Amount.Pico);
            currency = explained.Currency;
        }

        return (sum, currency, "");
    }

    private PriceExplanation Explain(string model, CountedFile file, long tokens)
    {
        string text = $"{Side}.{file.Modality}";
        Meter meter = Meter.TryParse(text, out Meter parsed) ? parsed : throw new InvalidOperationException(text);
        return ExplainPrice.Explain(books, new PriceQuestion(Book, new UsageRecord
        {
            Id = "counted",
            Context = new UsageContext("cli", ModelAnswered: model),
            EventTime = time,
            Counts = [new Count(meter, EvidenceGrade.Exact, tokens)],
            Tags = [],
        }));
    }
}
