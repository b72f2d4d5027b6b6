using System.CommandLine;
using System.Diagnostics;
using Ciyuan.Tokens;
using Ciyuan.Tokens.Media;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan count</c>: the tokens of files, folders, standard input, and columns of data.</summary>
internal static class CountVerb
{
    /// <summary>What is counted with when nothing is said.</summary>
    internal const string DefaultVocabulary = "o200k_base";

    /// <summary>The most vocabularies side by side: each is a column.</summary>
    private const int MaxVocabularies = 8;

    internal static Command Make()
    {
        var paths = new Argument<string[]>("PATHS")
        {
            Description = "Files, folders, or - for standard input",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string[]> vocabularies = Many(
            "--vocab", "A vocabulary to count with; several stand side by side", "NAME");
        Option<string[]> models = Many(
            "--model", "A model: its vocabulary, and its rules for images and sound", "NAME");
        Option<string[]> columns = Many(
            "--column",
            "Only this column of .jsonl, .csv and .parquet: a text, or chat messages; a.b is b inside of a", "NAME");
        Option<string> form = GlobalOptions.Words(
            "--as", "With --column, what the files hold; else their names tell", "auto", "jsonl", "csv");
        (Option<string?> book, Option<string[]> books, Option<string> side) = PriceOptions();
        var prose = new Option<bool>("--prose") { Description = "Prose and code apart, which add up to the whole" };
        Option<int> threads = Number(
            "--threads", "How many files or parts are counted at once", Environment.ProcessorCount);
        Option<int> top = Number(
            "--top", "How many files a table shows, those with the most tokens; CSV and JSON show all", 50);
        var command = new Command("count", "Count tokens of text, code, images and sound")
        {
            paths, vocabularies, models, columns, form, prose, book, books, side, threads, top,
        };
        return command.Runs((parsed, context, cancel) => RunAsync(
            context, parsed.GetValue(paths)!,
            new CountPlan(
                Choose(context, parsed.GetValue(vocabularies)!, parsed.GetValue(models)!),
                parsed.GetValue(columns)!, parsed.GetValue(form)!, parsed.GetValue(prose),
                AtLeastOne("--threads", parsed.GetValue(threads)),
                Prices(context, parsed.GetValue(book), parsed.GetValue(books)!, parsed.GetValue(side)!,
                    parsed.GetValue(models)!)),
            AtLeastOne("--top", parsed.GetValue(top)), cancel));
    }

    private static async Task<int> RunAsync(
        VerbContext context, string[] paths, CountPlan plan, int top, CancellationToken cancel)
    {
        List<CountedFile> files = [.. CountInputs.Find(paths)];
        var run = new CountRun(plan, files);
        long started = Stopwatch.GetTimestamp();
        Task counting = Task.Run(() => run.RunAsync(cancel), cancel);
        if (context.ShowsProgress)
        {
            await CountProgress.ShowAsync(run, counting);
        }

        await counting;
        context.Write(CountRendering.Render(plan, files, Stopwatch.GetElapsedTime(started), top));
        return files.Exists(file => file.Status == CountStatus.Unreadable || file.Rejected > 0)
            ? Verb.Refused : Verb.Done;
    }

    private static (Option<string?> Book, Option<string[]> Books, Option<string> Side) PriceOptions() => (
        new Option<string?>("--book")
        {
            Description = "Show what it costs with a --model: a book by name, or a setup file that has one",
            HelpName = "BOOK",
        },
        Many("--books", "Setup files with the book", "FILE"),
        GlobalOptions.Words("--side", "With --book, which way the tokens go", "input", "output"));

    private static CountPrices? Prices(
        VerbContext context, string? book, string[] books, string side, string[] models) => book is null ? null
            : models.Length == 0 ? throw new WrongUsageException("--book: prices go by model, so give a --model too")
            : CountPrices.Read(book, books, side, context);

    private static List<CountingChoice> Choose(VerbContext context, string[] vocabularies, string[] models)
    {
        VocabularyCatalog catalog = VocabVerb.Catalog(context);
        List<CountingChoice> choices =
        [
            .. vocabularies.Select(name => new CountingChoice(name, "", Make(catalog.Get(name)))),
            .. models.Select(model => ChooseModel(catalog, model)),
        ];
        return choices.Count switch
        {
            0 => [new CountingChoice(DefaultVocabulary, "", Make(catalog.Get(DefaultVocabulary)))],
            > MaxVocabularies => throw new WrongUsageException($"at most {MaxVocabularies} vocabularies and models"),
            _ => choices,
        };
    }

    // A model without a published vocabulary still has its rules for images, sound and video.
    private static CountingChoice ChooseModel(VocabularyCatalog catalog, string model)
    {
        try
        {
            return new CountingChoice(model, model, Make(catalog.GetForModel(model)));
        }
        catch (VocabularyException problem) when (
            Enum.GetValues<MediaKind>().Any(kind => MediaRules.Default.Find(model, kind) is not null))
        {
            return new CountingChoice(model, model, null, problem.Message);
        }
    }

    private static Tokenizer Make(Vocabulary vocabulary)
    {
        try
        {
            return Tokenizer.For(vocabulary);
        }
        catch (NotSupportedException unknown)
        {
            throw new RefusedException($"{vocabulary.Name} can't be counted with: {unknown.Message}");
        }
    }

    private static int AtLeastOne(string option, int value) => value is >= 1 and <= 1_000_000
        ? value
        : throw new WrongUsageException($"{option}: {value} must be from 1 to 1000000");

    private static Option<int> Number(string name, string description, int value) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
    };

    private static Option<string[]> Many(string name, string description, string help) => new(name)
    {
        Description = description,
        HelpName = help,
        DefaultValueFactory = _ => [],
    };
}

/// <summary>One column of the result.</summary>
/// <param name="Label">Its heading: the vocabulary or model as it was asked for.</param>
/// <param name="Model">The model; empty for a vocabulary.</param>
/// <param name="Text">What counts text; null when the model has rules for media only.</param>
/// <param name="NoText">Why text can't be counted, where <paramref name="Text"/> is null.</param>
internal sealed record CountingChoice(string Label, string Model, Tokenizer? Text, string NoText = "")
{
    /// <summary>What counts text.</summary>
    /// <exception cref="RefusedException">Nothing does.</exception>
    internal Tokenizer Tokenizer => Text ?? throw new RefusedException(NoText);
}

/// <summary>What is to be counted, and how.</summary>
/// <param name="Choices">The columns.</param>
/// <param name="Columns">Columns of data; when there are none, files are counted as they are.</param>
/// <param name="Form">What the files hold: auto, jsonl or csv.</param>
/// <param name="Prose">Whether prose and code are told apart.</param>
/// <param name="Threads">How many parts are counted at once.</param>
/// <param name="Prices">What tells prices; null for none.</param>
internal sealed record CountPlan(
    IReadOnlyList<CountingChoice> Choices, string[] Columns, string Form, bool Prose, int Threads,
    CountPrices? Prices);
