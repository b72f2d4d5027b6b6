using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Prices;
using Ciyuan.Usage;

namespace Ciyuan.Server.Render;

/// <summary>Writes what the tools for price books say.</summary>
public static class PricesRendering
{
    /// <summary>An import: the book, where it went, and what is not in it as the catalogue has it.</summary>
    public static Rendering Render(ImportedBook imported, string destination)
    {
        ArgumentNullException.ThrowIfNull(imported);
        return new Rendering(() => ToTable(imported, destination), json => WriteJson(json, imported, destination));
    }

    /// <summary>A check: each finding.</summary>
    public static Rendering Render(PriceCheck check)
    {
        ArgumentNullException.ThrowIfNull(check);
        return new Rendering(() => ToTable(check), json => WriteJson(json, check));
    }

    /// <summary>An explanation: books, line, conditions, and each count.</summary>
    public static Rendering Render(PriceExplanation why)
    {
        ArgumentNullException.ThrowIfNull(why);
        return new Rendering(() => ToTable(why), json => WriteJson(json, why));
    }

    private static Table ToTable(ImportedBook imported, string destination)
    {
        var table = new Table([new("kind"), new("where"), new("reason")])
        {
            Scope =
            [
                $"Book {imported.Book.Id} version {Plain(imported.Book.Version)}: "
                    + $"{Plain(imported.Book.Prices.Count)} lines, {destination}. "
                    + (imported.Notes.Count == 0 ? "Everything of the catalogue is in it"
                        : "What is not in it as the catalogue has it:"),
            ],
        };
        foreach (ImportNote note in imported.Notes)
        {
            table.Add(Name(note.Kind), note.Where, note.Reason);
        }

        return table;
    }

    private static void WriteJson(Utf8JsonWriter json, ImportedBook imported, string destination)
    {
        json.WriteStartObject();
        json.WriteString("book", imported.Book.Id);
        json.WriteNumber("version", imported.Book.Version);
        json.WriteNumber("lines", imported.Book.Prices.Count);
        json.WriteString("destination", destination);
        json.WriteStartArray("notes");
        foreach (ImportNote note in imported.Notes)
        {
            json.WriteStartObject();
            json.WriteString("kind", Name(note.Kind));
            json.WriteString("where", note.Where);
            json.WriteString("reason", note.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Plain(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Name(ImportNoteKind kind) => kind switch
    {
        ImportNoteKind.LeftOut => "left_out",
        ImportNoteKind.Differs => "differs",
        _ => "remark",
    };

    private static Table ToTable(PriceCheck check)
    {
        int wrong = check.Findings.Count(finding => finding.IsWrong);
        var table = new Table([new("weight"), new("kind"), new("place"), new("where"), new("finding")])
        {
            Scope =
            [
                $"{Plain(check.Books)} versions of books with {Plain(check.Lines)} lines: "
                    + $"{Plain(wrong)} wrong, {Plain(check.Findings.Count - wrong)} to look at",
            ],
        };
        foreach (PriceFinding finding in check.Findings)
        {
            string place = finding.Line == 0 ? finding.File
                : string.Create(CultureInfo.InvariantCulture, $"{finding.File}:{finding.Line}");
            table.Add(
                finding.IsWrong ? "wrong" : "look", finding.Kind.ToString().ToLowerInvariant(), place, finding.Where,
                finding.Text);
        }

        return table;
    }

    private static void WriteJson(Utf8JsonWriter json, PriceCheck check)
    {
        json.WriteStartObject();
        json.WriteNumber("books", check.Books);
        json.WriteNumber("lines", check.Lines);
        json.WriteNumber("wrong", check.Findings.Count(finding => finding.IsWrong));
        json.WriteStartArray("findings");
        foreach (PriceFinding finding in check.Findings)
        {
            json.WriteStartObject();
            json.WriteString("weight", finding.IsWrong ? "wrong" : "look");
            json.WriteString("kind", finding.Kind.ToString().ToLowerInvariant());
            json.WriteString("file", finding.File);
            json.WriteNumber("line", finding.Line);
            json.WriteString("where", finding.Where);
            json.WriteString("finding", finding.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static Table ToTable(PriceExplanation why)
    {
        var table = new Table([
            new("count"), new("quantity", IsNumber: true), new("billable", IsNumber: true), new("price_from"),
            new("price", IsNumber: true), new("amount", IsNumber: true),
        ])
        {
            Scope = [.. Books(why), LineSentence(why), .. why.Conditions.Select(ConditionSentence)],
            Notes = [.. why.Curves.Select(CurveSentence), .. MinimumSentence(why), AmountSentence(why)],
        };
        foreach (ExplainedCount count in why.Counts)
        {
            table.Add(
                count.Meter.ToString(), Quantity(count.Meter, count.Steps), Quantity(count.Meter, count.BillableSteps),
                count.From.Length == 0 ? "no price" : count.From, count.Price, count.Amount);
        }

        return table;
    }

    private static IEnumerable<string> Books(PriceExplanation why) => why.Books.Select((book, i) =>
    {
        string version = book.Version == 0 ? "has no version in force"
            : string.Create(CultureInfo.InvariantCulture, $"version {book.Version}, {book.Currency}");
        string next = book.Factor.Length == 0 ? ""
            : $"; what has no line there costs {book.Factor} times the next book's";
        string rate = book.Exchange.Length == 0 ? "" : $", at {book.ExchangeRate} of {book.Exchange} since "
            + $"{book.ExchangeAt}";
        string at = i == 0 ? $"At {why.Moment}: " : "then ";
        return $"{at}book {book.Book} {version}{next}{rate}";
    });

    private static string LineSentence(PriceExplanation why)
    {
        if (why.Match is not { } match)
        {
            return "No line of it matches the model";
        }

        string how = match switch
        {
            NameMatch.Exact => "by its exact name",
            NameMatch.Alias => "by an alias",
            NameMatch.Dated => "by its name with a date",
            NameMatch.DatedAlias => "by an alias with a date",
            _ => "by a pattern",
        };
        string source = why.Source.Source.Length == 0 ? "" : $"; source: {why.Source.Source}";
        string asOf = why.Source.AsOf.Length == 0 ? "" : $", as of {why.Source.AsOf}";
        return $"Line {why.Line}, matched {how}: {why.MatchedName}{source}{asOf}";
    }

    private static string ConditionSentence(ExplainedCondition condition)
    {
        string what = condition.IsFactor ? $"Factor {condition.Factor}, {condition.Name}" : $"Rule {condition.Name}";
        string holds = condition.Holds switch
        {
            true => "holds",
            false => "does not hold",
            null => "can't be told",
        };
        return condition.Because.Length == 0 || condition.Because == holds
            ? $"{what}: {holds}"
            : $"{what}: {holds}; {condition.Because}";
    }

    private static string CurveSentence(ExplainedCurve curve)
    {
        string since = curve.Since is { } start ? $" since {start}, {curve.Before} before" : "";
        return $"Curve {curve.Curve} ({curve.Kind}){since}: {curve.Steps} more cost {curve.Amount}";
    }

    private static IEnumerable<string> MinimumSentence(PriceExplanation why) =>
        why.Minimum == Amount.Zero ? [] : [$"A charge is at least {why.Minimum}"];

    private static string AmountSentence(PriceExplanation why) => why.Reason == SuspenseReason.None
        ? $"Amount {why.Amount} {why.Currency}"
        : $"No amount: it goes to suspense, reason {why.Reason}";

    // Millionths are the steps of units that are not whole.
    private static string Quantity(Meter meter, long steps)
    {
        decimal units = (decimal)steps / meter.StepsPerUnit;
        return units.ToString("0.######", CultureInfo.InvariantCulture);
    }

    private static void WriteJson(Utf8JsonWriter json, PriceExplanation why)
    {
        json.WriteStartObject();
        json.WriteString("moment", why.Moment.ToString());
        json.WriteStartArray("books");
        foreach (ExplainedBook book in why.Books)
        {
            json.WriteStartObject();
            json.WriteString("book", book.Book);
            json.WriteNumber("version", book.Version);
            json.WriteString("currency", book.Currency.ToString());
            json.WriteString("factor", book.Factor);
            json.WriteString("exchange", book.Exchange);
            json.WriteString("exchange_at", book.ExchangeAt?.ToString());
            json.WriteString("exchange_rate", book.ExchangeRate);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("line", why.Line);
        json.WriteString("matched_name", why.MatchedName);
        json.WriteString("match", why.Match?.ToString());
        json.WriteString("source", why.Source.Source);
        json.WriteString("as_of", why.Source.AsOf);
        WriteConditions(json, why);
        WriteCounts(json, why);
        json.WriteString("minimum", why.Minimum.ToString());
        json.WriteString("reason", why.Reason.ToString());
        json.WriteString("amount", why.Reason == SuspenseReason.None ? why.Amount.ToString() : null);
        json.WriteString("currency", why.Currency.ToString());
        json.WriteEndObject();
    }

    private static void WriteConditions(Utf8JsonWriter json, PriceExplanation why)
    {
        json.WriteStartArray("conditions");
        foreach (ExplainedCondition condition in why.Conditions)
        {
            json.WriteStartObject();
            json.WriteString("name", condition.Name);
            json.WriteString("kind", condition.IsFactor ? "factor" : "rule");
            json.WriteString("holds", condition.Holds switch { true => "yes", false => "no", null => "unknown" });
            json.WriteString("because", condition.Because);
            json.WriteString("factor", condition.Factor);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteCounts(Utf8JsonWriter json, PriceExplanation why)
    {
        json.WriteStartArray("counts");
        foreach (ExplainedCount count in why.Counts)
        {
            json.WriteStartObject();
            json.WriteString("meter", count.Meter.ToString());
            json.WriteString("quantity", Quantity(count.Meter, count.Steps));
            json.WriteString("billable", Quantity(count.Meter, count.BillableSteps));
            json.WriteString("price_from", count.From);
            json.WriteString("price", count.Price);
            json.WriteString("amount", count.Amount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("curves");
        foreach (ExplainedCurve curve in why.Curves)
        {
            json.WriteStartObject();
            json.WriteString("curve", curve.Curve);
            json.WriteString("kind", curve.Kind);
            json.WriteString("since", curve.Since?.ToString());
            json.WriteString("before_steps", curve.Before.ToString(CultureInfo.InvariantCulture));
            json.WriteString("steps", curve.Steps.ToString(CultureInfo.InvariantCulture));
            json.WriteString("amount", curve.Amount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
