using System.CommandLine;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Server.Render;
using Ciyuan.Usage;

namespace Ciyuan.Cli;

/// <summary><c>ciyuan rate FILE</c>: what raw responses of providers use and cost, without recording
/// anything.</summary>
internal static class RateVerb
{
    internal static Command Make()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "Raw responses: one, an array, or one on each line, in envelopes or alone; - is "
                + "standard input",
        };
        Option<string> form = GlobalOptions.Words("--as", "What the file holds; sse: the events of one response",
            "json", "sse");
        Option<string?> provider = Text("--provider", "The provider, where the file does not say", "NAME");
        Option<string?> flavour = Text("--flavour", "Which of its interfaces: chat, responses, messages, …", "NAME");
        Option<string?> api = Text(
            "--api", "The convention as PROVIDER/FLAVOUR; detect: by its shape", "CONVENTION");
        Option<string?> cache = Text("--cache", "Where a relay put cached tokens: within or beside the input", "PLACE");
        Option<string?> book = Text("--book", "Show what they cost under this book", "BOOK");
        var books = new Option<string[]>("--books")
        {
            Description = "Setup files with the book; else the books of the data folder",
            HelpName = "FILE",
            DefaultValueFactory = _ => [],
        };
        Option<string?> time = Text("--time", "When they were processed, where neither they nor envelopes say", "TIME");
        var command = new Command("rate", "Show what raw responses use and cost, without recording it")
        {
            file, form, provider, flavour, api, cache, book, books, time,
        };
        return command.Runs(async (parsed, context, cancel) =>
        {
            ResponseConstants constants = Constants(
                ("provider", parsed.GetValue(provider)), ("flavour", parsed.GetValue(flavour)),
                ("api", parsed.GetValue(api)), ("cache", parsed.GetValue(cache)));
            Func<RatedResponse, IReadOnlyList<PriceExplanation>> rate = parsed.GetValue(book) is { } name
                ? Pricing(name, PricesExplainVerb.ReadBooks(parsed.GetValue(books)!, context),
                    parsed.GetValue(time) is { } text ? GlobalOptions.ReadTime("--time", text, context) : null)
                : _ => [];
            return await ShowAsync(
                context, parsed.GetValue(file)!, parsed.GetValue(form) == "sse", constants, rate, cancel);
        });
    }

    private static async Task<int> ShowAsync(
        VerbContext context, string file, bool isSse, ResponseConstants constants,
        Func<RatedResponse, IReadOnlyList<PriceExplanation>> rate, CancellationToken cancel)
    {
        byte[] bytes = await ReadAsync(file, cancel);
        ResponseLine[] lines = [.. ResponseFile.Read(bytes, isSse, constants).Select(read => new ResponseLine(
            read.Number, read.Response, read.Fault, read.Response is null ? [] : rate(read.Response)))];
        context.Write(ResponseRendering.Render(lines));
        return Array.Exists(lines, line => line.Response is { Reading.Refusal: null }) ? Verb.Done : Verb.Refused;
    }

    // What the reading of a response, and of other models in it, would be charged.
    private static Func<RatedResponse, IReadOnlyList<PriceExplanation>> Pricing(
        string book, PriceBooks books, Timestamp? time)
    {
        if (books.Versions(book).Count == 0)
        {
            throw new RefusedException(NearNames.Unknown("book", book, books.Names));
        }

        return response => response.Reading.Refusal is not null
            ? []
            : [.. response.Reading.Others.Prepend(response.Reading).Select(reading => ExplainPrice.Explain(
                books, new PriceQuestion(book, new UsageRecord
                {
                    Id = "rated",
                    Context = new UsageContext(
                        "cli", ModelAsked: response.ModelAsked, ModelAnswered: reading.Model,
                        Provider: response.Provider),
                    EventTime = response.Time ?? time ?? throw new RefusedException(
                        "a response does not say when it was made, which decides its price: give --time"),
                    Counts = reading.Counts,
                    Tags = response.TagsOf(reading),
                })))];
    }

    private static ResponseConstants Constants(params (string Name, string? Value)[] options) =>
        ResponseConstants.TryMake(
            options.Where(o => o.Value is not null).Select(o => new KeyValuePair<string, string>(o.Name, o.Value!)),
            out ResponseConstants constants, out string? fault)
            ? constants
            : throw new WrongUsageException($"--{fault!.Replace("'", "", StringComparison.Ordinal)}");

    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            await using Stream stream = path == ImportOptions.StandardInput
                ? Console.OpenStandardInput()
                : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var whole = new MemoryStream();
            byte[] buffer = new byte[1 << 16];
            for (int read; (read = await stream.ReadAsync(buffer, cancel)) > 0;)
            {
                whole.Write(buffer.AsSpan(0, read));
                if (whole.Length > ResponseFile.MaxBytes)
                {
                    throw new RefusedException($"{path} has more than {ResponseFile.MaxBytes >> 20} MiB: cut it");
                }
            }

            return whole.ToArray();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path} can't be read: {problem.Message}");
        }
    }

    private static Option<string?> Text(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };
}
