using System.CommandLine;
using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Render;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan prices explain</c>: which price a call would have, and why, line by line. It charges
/// nothing.</summary>
internal static class PricesExplainVerb
{
    private static readonly Argument<string[]> Files = new("FILES")
    {
        Description = "Setup files with price books; without one, the books of the data folder",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<string> Book = Needed("--book", "The book", "BOOK");
    private static readonly Option<string> Model = Needed("--model", "The model, as a record names it", "NAME");
    private static readonly Option<string> Counted = Needed(
        "--counts", "What was used, with commas: input.text=1000,output.text=200,second=12.5", "COUNTS");

    private static readonly Option<string?> Time = Text("--time", "When the call was processed; else now", "TIME");
    private static readonly Option<string?> Provider = Text("--provider", "Its provider", "NAME");
    private static readonly Option<string?> Currency = Text(
        "--currency", "Currency of the amount; else the book's", "CODE");

    private static readonly Option<string?> Exchange = Text(
        "--exchange", "Exchange rates, where that is another one", "ID");

    private static readonly Option<string[]> Labels = new("--tag")
    {
        Description = "A label of the record; may be given again",
        HelpName = "NAME=VALUE",
        DefaultValueFactory = _ => [],
    };

    internal static Command Make()
    {
        var command = new Command("explain", "Say which price a call would have, and why")
        {
            Files, Book, Model, Counted, Time, Provider, Labels, Currency, Exchange,
        };
        return command.Runs((parsed, context, _) => Task.FromResult(Run(parsed, context)));
    }

    private static int Run(ParseResult parsed, VerbContext context)
    {
        var record = new UsageRecord
        {
            Id = "explained",
            Context = new UsageContext(
                "cli", ModelAnswered: parsed.GetValue(Model)!, Provider: parsed.GetValue(Provider) ?? ""),
            EventTime = parsed.GetValue(Time) is { } text ? GlobalOptions.ReadTime("--time", text, context)
                : Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
            Counts = ReadCounts(parsed.GetValue(Counted)!),
            Tags = ReadTags(parsed.GetValue(Labels)!),
        };
        if (record.FindFault() is { } fault)
        {
            throw new WrongUsageException($"no record is so: {fault}");
        }

        string name = parsed.GetValue(Book)!;
        PriceBooks books = ReadBooks(parsed.GetValue(Files)!, context);
        if (books.Versions(name).Count == 0)
        {
            throw new RefusedException(NearNames.Unknown("book", name, books.Names));
        }

        context.Write(PricesRendering.Render(ExplainPrice.Explain(books, new PriceQuestion(
            name, record, ReadCurrency(parsed.GetValue(Currency)), parsed.GetValue(Exchange) ?? ""))));
        return Verb.Done;
    }

    /// <summary>The books of setup files, read as one setup; without files, those of the data folder.</summary>
    internal static PriceBooks ReadBooks(string[] files, VerbContext context)
    {
        if (files.Length == 0)
        {
            using SqliteJournal journal = SqliteJournal.OpenReadOnly(context.Data);
            return With(Facts.SetupsOf(journal));
        }

        try
        {
            // As one setup, so that the order of the files does not matter.
            Setup[] setups = [.. files.Select(file => SetupYaml.Parse(Verb.ReadFile(file), "explain"))];
            return With([new Setup
            {
                Books = [.. setups.SelectMany(s => s.Books)],
                Calendars = [.. setups.SelectMany(s => s.Calendars ?? [])],
                Exchange = [.. setups.SelectMany(s => s.Exchange ?? [])],
            }]);
        }
        catch (YamlFileException fault)
        {
            throw new RefusedException(fault.Message);
        }
    }

    private static PriceBooks With(IEnumerable<Setup> setups)
    {
        PriceBooks books = PriceBooks.Empty;
        var faults = new List<string>();
        bool changed = false;
        foreach (Setup setup in setups)
        {
            books = books.With(setup, faults, ref changed);
        }

        return faults.Count == 0 ? books
            : throw new RefusedException(
                string.Join(Environment.NewLine + "  ", faults.Prepend("the books are refused:")));
    }

    private static Count[] ReadCounts(string text)
    {
        var counts = new SortedDictionary<Meter, long>();
        foreach ((string name, string value) in text
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Split))
        {
            if (!Meter.TryParse(name, out Meter meter)
                || !decimal.TryParse(
                    value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal units)
                || units > (decimal)UsageRecord.MaxSteps / meter.StepsPerUnit
                || units * meter.StepsPerUnit % 1 != 0 || !counts.TryAdd(meter, (long)(units * meter.StepsPerUnit)))
            {
                throw new WrongUsageException(
                    $"--counts: '{name}={value}' is not a class or unit and its quantity, each once");
            }
        }

        return [.. counts.Select(count => new Count(count.Key, EvidenceGrade.Reported, count.Value))];
    }

    private static Tag[] ReadTags(string[] texts) =>
    [
        .. texts.Select(Split).OrderBy(tag => tag.Name, StringComparer.Ordinal)
            .Select(tag => new Tag(tag.Name, tag.Value)),
    ];

    private static (string Name, string Value) Split(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..])
            : throw new WrongUsageException($"'{text}' is not NAME=VALUE");
    }

    private static Ciyuan.Quantities.Currency ReadCurrency(string? code) => code is null ? default
        : Ciyuan.Quantities.Currency.TryParse(code, out Ciyuan.Quantities.Currency currency) ? currency
        : throw new WrongUsageException($"--currency: '{code}' is not a code such as CNY");

    private static Option<string> Needed(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help, Required = true };

    private static Option<string?> Text(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };
}
