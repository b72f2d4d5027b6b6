using System.Globalization;
using Ciyuan.Ledger;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Console.Data;
using Ciyuan.Server.Render;
using Ciyuan.Usage;

namespace Ciyuan.Server.Console.Pages;

/// <summary>A price book in the list.</summary>
/// <param name="Name">The book.</param>
/// <param name="Versions">Its versions, as the books have them.</param>
/// <param name="Agreements">Agreements that are made with it.</param>
internal sealed record BookLine(string Name, IReadOnlyList<BookVersion> Versions, IReadOnlyList<string> Agreements);

/// <summary>A version of a book, beside another one.</summary>
/// <param name="Name">The book.</param>
/// <param name="Versions">All versions.</param>
/// <param name="Version">The one that is shown.</param>
/// <param name="Against">The one that it is compared with; null: none.</param>
/// <param name="Search">What lines are shown.</param>
/// <param name="Changes">What differs.</param>
internal sealed record BookModel(
    string Name, IReadOnlyList<BookVersion> Versions, BookVersion Version, BookVersion? Against, string Search,
    IReadOnlyList<PriceChange> Changes)
{
    /// <summary>Whether the lines of a model are shown.</summary>
    internal bool Shows(string model) =>
        Search.Length == 0 || model.Contains(Search, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A price that differs between two versions.</summary>
/// <param name="Model">Model, and provider if the line has one.</param>
/// <param name="Class">Class or meter; empty for a whole line, or its rules.</param>
/// <param name="Before">Price before; empty: none.</param>
/// <param name="Now">Price now; empty: none.</param>
internal sealed record PriceChange(string Model, string Class, string Before, string Now);

/// <summary>A price explained for a call that is typed in.</summary>
/// <param name="Books">Books to choose from.</param>
/// <param name="Book">The book.</param>
/// <param name="Explanation">The explanation; null while nothing was asked.</param>
/// <param name="Fault">Name of the text that says what is wrong.</param>
internal sealed record ExplainModel(
    IReadOnlyList<string> Books, string Book, PriceExplanation? Explanation, string Fault);

/// <summary>计价 Prices: books, versions, differences, explanations, what-if.</summary>
internal static class PricePages
{
    internal const string Path = "/console/prices";

    internal static ConsoleRoute[] Routes { get; } =
    [
        new("GET", Path, ConsoleRoute.All, ListAsync),
        new("GET", Path + "/book", ConsoleRoute.All, v => FindBook(v) is { } book
            ? v.PageAsync<BookSheet>(book.Name, book) : v.FailAsync(404, "error.id")),
        new("GET", Path + "/book.csv", ConsoleRoute.All, v => FindBook(v) is { } book
            ? BookCsvAsync(v, book) : v.FailAsync(404, "error.id")),
        new("GET", Path + "/explain", ConsoleRoute.All, ExplainAsync),
        new("GET", Path + "/whatif", ConsoleRoute.Staff, v => v.PageAsync<WhatIfSheet>(v.T("whatif.title"),
            WhatIfModel.Of(v))),
        new("POST", Path + "/whatif", ConsoleRoute.Staff, StartWhatIfAsync),
    ];

    // A counterparty sees the books of its own agreements alone.
    private static IEnumerable<string> Seen(Visit visit) => visit.Scope.IsAll
        ? visit.Desk.Books.Names
        : visit.Desk.Catalog.Agreements.Where(a => visit.Scope.Sees(a.Id) && a.Setup.Book.Length > 0)
            .Select(a => a.Setup.Book).Distinct().Order(StringComparer.Ordinal);

    private static Task ListAsync(Visit visit) => visit.PageAsync<PricesSheet>(
        visit.T("nav.prices"),
        Seen(visit).Select(name => new BookLine(
            name, visit.Desk.Books.Versions(name),
            [.. visit.Desk.Catalog.Agreements.Where(a => a.Setup.Book == name && visit.Scope.Sees(a.Id))
                .Select(a => a.Id)])).ToArray());

    // The lines that are shown; beside another version, what changed.
    private static Task BookCsvAsync(Visit visit, BookModel book)
    {
        if (book.Against is not null)
        {
            var changes = new Table([new("model"), new("class"), new("before"), new("now")]);
            foreach (PriceChange change in book.Changes.Where(c => book.Shows(c.Model)))
            {
                changes.Add(change.Model, change.Class, change.Before, change.Now);
            }

            return visit.CsvAsync(changes, $"changes-{book.Name}");
        }

        var lines = new Table([
            new("model"), new("provider"), new("class"), new("price", true), new("per"), new("currency")]);
        foreach (PriceSetup line in book.Version.Setup.Prices.Where(l => book.Shows(l.Model)))
        {
            foreach ((string name, string price) in line.PerMillionTokens)
            {
                lines.Add(line.Model, line.Provider ?? "", name, price, "1000000", book.Version.Currency.ToString());
            }

            foreach ((string name, string price) in line.PerUnit ?? new Dictionary<string, string>())
            {
                lines.Add(line.Model, line.Provider ?? "", name, price, "1", book.Version.Currency.ToString());
            }
        }

        return visit.CsvAsync(lines, $"prices-{book.Name}");
    }

    private static BookModel? FindBook(Visit visit)
    {
        string name = visit.Query("id");
        if (!Seen(visit).Contains(name))
        {
            return null;
        }

        IReadOnlyList<BookVersion> versions = visit.Desk.Books.Versions(name);
        BookVersion Find(string key, BookVersion otherwise) =>
            int.TryParse(visit.Query(key), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? versions.FirstOrDefault(v => v.Setup.Version == number) ?? otherwise
                : otherwise;
        BookVersion newest = versions.MaxBy(v => v.Setup.Version)!;
        BookVersion version = Find("version", newest);
        BookVersion against = Find("against", version);
        return new BookModel(
            name, versions, version, against == version ? null : against, visit.Query("q"),
            against == version ? [] : Compare(against.Setup, version.Setup));
    }

    private static List<PriceChange> Compare(BookSetup before, BookSetup now)
    {
        static string KeyOf(PriceSetup line) =>
            string.IsNullOrEmpty(line.Provider) ? line.Model : $"{line.Model} ({line.Provider})";
        Dictionary<string, PriceSetup> old = before.Prices.GroupBy(KeyOf).ToDictionary(g => g.Key, g => g.First());
        Dictionary<string, PriceSetup> next = now.Prices.GroupBy(KeyOf).ToDictionary(g => g.Key, g => g.First());
        var changes = new List<PriceChange>();
        foreach (string model in old.Keys.Union(next.Keys).Order(StringComparer.Ordinal))
        {
            PriceSetup? a = old.GetValueOrDefault(model);
            PriceSetup? b = next.GetValueOrDefault(model);
            Dictionary<string, string> was = PricesOf(a);
            Dictionary<string, string> isNow = PricesOf(b);
            changes.AddRange(was.Keys.Union(isNow.Keys)
                .Where(c => was.GetValueOrDefault(c) != isNow.GetValueOrDefault(c))
                .Select(c => new PriceChange(
                    model, c, was.GetValueOrDefault(c, ""), isNow.GetValueOrDefault(c, ""))));
            if (a is not null && b is not null && RulesOf(a) != RulesOf(b))
            {
                changes.Add(new PriceChange(model, "", RulesOf(a), RulesOf(b)));
            }
        }

        return changes;
    }

    private static Dictionary<string, string> PricesOf(PriceSetup? line) =>
        (line?.PerMillionTokens ?? new Dictionary<string, string>())
            .Concat(line?.PerUnit ?? new Dictionary<string, string>())
            .ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal);

    /// <summary>What a line has beside its prices, in the words of the setup.</summary>
    internal static string RulesOf(PriceSetup line) => System.Text.Json.JsonSerializer.Serialize(
        new Setup
        {
            Books =
            [
                new BookSetup("", 0, "", "", "", "", [line with
                {
                    PerMillionTokens = new Dictionary<string, string>(), PerUnit = null, Source = null, AsOf = null,
                }]),
            ],
        },
        SetupJson.Default.Setup);

    private static Task ExplainAsync(Visit visit)
    {
        string[] books = [.. Seen(visit)];
        string book = visit.Query("book");
        if (book.Length == 0)
        {
            return visit.PageAsync<ExplainSheet>(
                visit.T("explain.title"), new ExplainModel(books, books.FirstOrDefault() ?? "", null, ""));
        }

        if (!books.Contains(book))
        {
            return visit.FailAsync(404, "error.id");
        }

        (UsageRecord? record, string fault) = ReadCall(visit);
        PriceExplanation? explanation = record is null
            ? null
            : ExplainPrice.Explain(visit.Desk.Books, new PriceQuestion(book, record));
        return visit.PageAsync<ExplainSheet>(
            visit.T("explain.title"), new ExplainModel(books, book, explanation, fault));
    }

    private static (UsageRecord? Record, string Fault) ReadCall(Visit visit)
    {
        var counts = new List<Count>();
        foreach ((string field, TokenKind kind, Direction direction) in ((string, TokenKind, Direction)[])
        [
            ("input", TokenKind.Fresh, Direction.Input), ("cached", TokenKind.CacheRead, Direction.Input),
            ("output", TokenKind.Fresh, Direction.Output), ("reasoning", TokenKind.Reasoning, Direction.Output),
        ])
        {
            string text = visit.Query(field);
            if (text.Length == 0)
            {
                continue;
            }

            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long steps)
                || steps > UsageRecord.MaxSteps)
            {
                return (null, "explain.fault");
            }

            counts.Add(new Count(new TokenClass(direction, Modality.Text, kind), EvidenceGrade.Exact, steps));
        }

        Timestamp moment = visit.Now;
        if (visit.Query("time") is { Length: > 0 } time
            && !Quantities.Period.TryParseBound(time, visit.Zone, out moment)
            && !TryReadLocal(visit, time, out moment))
        {
            return (null, "explain.fault");
        }

        return (new UsageRecord
        {
            Id = "asked",
            Context = new UsageContext("asked", ModelAsked: visit.Query("model"), Provider: visit.Query("provider")),
            EventTime = moment,
            Counts = [.. counts.OrderBy(c => c.Meter)],
        }, "");
    }

    // What a browser's field of day and time sends: 2026-11-02T09:30.
    private static bool TryReadLocal(Visit visit, string text, out Timestamp moment)
    {
        NodaTime.Text.ParseResult<NodaTime.LocalDateTime> local =
            NodaTime.Text.LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm").Parse(text);
        moment = local.Success
            ? Timestamp.FromInstant(visit.Zone.AtLeniently(local.Value).ToInstant())
            : default;
        return local.Success;
    }

    private static async Task StartWhatIfAsync(Visit visit)
    {
        string agreement = visit.Field("agreement");
        string book = visit.Field("book");
        if (visit.Desk.Catalog.FindAgreement(agreement) is not { } known || !visit.Desk.Books.Names.Contains(book)
            || !Quantities.Period.TryParse(visit.Field("period"), visit.Zone, out Quantities.Period period))
        {
            await visit.FailAsync(422, "whatif.fault");
            return;
        }

        string id = visit.Desk.WhatIfs.Start(known, book, period, visit.Field("period"));
        await visit.GoAsync(Visit.Link(Path + "/whatif", ("id", id)));
    }
}
