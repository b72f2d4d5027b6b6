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
    internal static Command Make()
    {
        var files = new Argument<string[]>("FILES")
        {
            Description = "Setup files with price books; without one, the books of the data folder",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string> book = Needed("--book", "The book", "BOOK");
        Option<string> model = Needed("--model", "The model, as a record names it", "NAME");
        Option<string> counts = Needed(
            "--counts", "What was used, with commas: input.text=1000,output.text=200,second=12.5", "COUNTS");
        Option<string?> time = Text("--time", "When the call was processed; else now", "TIME");
        Option<string?> provider = Text("--provider", "Its provider", "NAME");
        Option<string?> currency = Text("--currency", "Currency of the amount; else the book's", "CODE");
        Option<string?> exchange = Text("--exchange", "Exchange rates, where that is another one", "ID");
        var tag = new Option<string[]>("--tag")
        {
            Description = "A label of the record; may be given again",
            HelpName = "NAME=VALUE",
            DefaultValueFactory = _ => [],
        };
        var command = new Command("explain", "Say which price a call would have, and why")
        {
            files, book, model, counts, time, provider, tag, currency, exchange,
        };
        return command.Runs((parsed, context, _) =>
        {
            Timestamp moment = parsed.GetValue(time) is { } text ? GlobalOptions.ReadTime("--time", text, context)
                : Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
            var record = new UsageRecord
            {
                Id = "explained",
                Context = new UsageContext(
                    "cli", ModelAnswered: parsed.GetValue(model)!, Provider: parsed.GetValue(provider) ?? ""),
                EventTime = moment,
                Counts = ReadCounts(parsed.GetValue(counts)!),
                Tags = ReadTags(parsed.GetValue(tag)!),
            };
            string name = parsed.GetValue(book)!;
            PriceBooks books = ReadBooks(parsed.GetValue(files)!, context);
            if (books.Versions(name).Count == 0)
            {
                throw new RefusedException(NearNames.Unknown("book", name, books.Names));
            }

            context.Write(PricesRendering.Render(ExplainPrice.Explain(books, new PriceQuestion(
                name, record, ReadCurrency(parsed.GetValue(currency)), parsed.GetValue(exchange) ?? ""))));
            return Task.FromResult(Verb.Done);
        });
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
            : throw new RefusedException(string.Join(Environment.NewLine + "  ", faults.Prepend("the books are refused:")));
    }

    private static Count[] ReadCounts(string text)
    {
        var counts = new SortedDictionary<Meter, long>();
        foreach ((string name, string value) in text
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Split))
        {
            if (!Meter.TryParse(name, out Meter meter)
                || !decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal units)
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

    private static Currency ReadCurrency(string? code) => code is null ? default
        : Currency.TryParse(code, out Currency currency) ? currency
        : throw new WrongUsageException($"--currency: '{code}' is not a code such as CNY");

    private static Option<string> Needed(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help, Required = true };

    private static Option<string?> Text(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };
}
