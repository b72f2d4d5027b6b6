using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Tests.Tidy;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Prices;

/// <summary>Price books from files and texts, and what they charge.</summary>
internal static class SampleBooks
{
    internal const string Folder = "samples/prices";

    internal static string[] Files { get; } =
        [.. Directory.GetFiles(Path.Combine(Repository.Root, Folder), "*.yaml").Order(StringComparer.Ordinal)];

    /// <summary>All sample books together.</summary>
    internal static PriceBooks All { get; } = Read([.. Files.Select(File.ReadAllText)]);

    internal static PriceBooks Read(params string[] yamls)
    {
        Setup[] setups = [.. yamls.Select(yaml => SetupYaml.Parse(yaml, "test"))];
        return With(new Setup
        {
            Books = [.. setups.SelectMany(s => s.Books)],
            Calendars = [.. setups.SelectMany(s => s.Calendars ?? [])],
            Exchange = [.. setups.SelectMany(s => s.Exchange ?? [])],
        });
    }

    internal static PriceBooks With(Setup setup)
    {
        var faults = new List<string>();
        bool changed = false;
        PriceBooks books = PriceBooks.Empty.With(setup, faults, ref changed);
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        return books;
    }

    /// <summary>Explains the price of a call.</summary>
    /// <param name="books">The books.</param>
    /// <param name="book">The book.</param>
    /// <param name="model">The model.</param>
    /// <param name="time">RFC 3339.</param>
    /// <param name="counts">Classes and units with quantities: <c>input.text=3,second=1.5</c>.</param>
    /// <param name="tags">Labels: <c>service_tier=batch</c>.</param>
    /// <param name="provider">The provider.</param>
    internal static PriceExplanation Explain(
        PriceBooks books, string book, string model, string time, string counts, string tags = "", string provider = "",
        IReadOnlyDictionary<string, Int128>? before = null)
    {
        Assert.True(Timestamp.TryParse(time, out Timestamp moment), time);
        var record = new UsageRecord
        {
            Id = "r",
            Context = new UsageContext("test", ModelAnswered: model, Provider: provider),
            EventTime = moment,
            Counts = [.. Pairs(counts).Select(ReadCount).OrderBy(count => count.Meter)],
            Tags = [.. Pairs(tags).Select(t => new Tag(t.Name, t.Value)).OrderBy(t => t.Name, StringComparer.Ordinal)],
        };
        Assert.Null(record.FindFault());
        return ExplainPrice.Explain(books, new PriceQuestion(book, record, Before: before));
    }

    /// <summary>The amount, or the reason why there is none.</summary>
    internal static string Outcome(PriceExplanation why) => why.Reason == SuspenseReason.None
        ? Plain(decimal.Parse(why.Amount.ToString(), CultureInfo.InvariantCulture))
        : why.Reason.ToString();

    internal static string Plain(decimal amount) => amount.ToString("0.############", CultureInfo.InvariantCulture);

    private static Count ReadCount((string Name, string Value) count)
    {
        Assert.True(Meter.TryParse(count.Name, out Meter meter), count.Name);
        decimal units = decimal.Parse(count.Value, CultureInfo.InvariantCulture);
        return new Count(meter, EvidenceGrade.Reported, (long)(units * meter.StepsPerUnit));
    }

    private static IEnumerable<(string Name, string Value)> Pairs(string text) => text
        .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(pair => pair.Split('=') is [var name, var value] ? (name, value) : throw new FormatException(pair));
}
