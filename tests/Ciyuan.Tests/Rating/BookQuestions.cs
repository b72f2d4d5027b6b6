using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Server.Ingest;
using Ciyuan.Tests.Journal;
using Ciyuan.Usage;

namespace Ciyuan.Tests.Rating;

/// <summary>Books as people write them, and what they say, in one line each.</summary>
internal static class BookQuestions
{
    /// <summary>The books of a setup in YAML, which must be valid.</summary>
    public static PriceBooks Books(string yaml)
    {
        (PriceBooks books, List<string> faults) = Read(yaml);
        Assert.Empty(faults);
        return books;
    }

    /// <summary>The books of a setup, and what is wrong with them.</summary>
    public static (PriceBooks Books, List<string> Faults) Read(string yaml, PriceBooks? before = null)
    {
        var faults = new List<string>();
        bool changed = false;
        Setup setup = SetupYaml.Parse(yaml, "test");
        Assert.Null(setup.FindNull());
        return ((before ?? PriceBooks.Empty).With(setup, faults, ref changed), faults);
    }

    /// <summary>A record.</summary>
    /// <param name="time">Its moment.</param>
    /// <param name="counts">Counts in the meters' units: <c>input.text=1000 second=1.5</c>.</param>
    /// <param name="model">Its model.</param>
    /// <param name="provider">Its provider.</param>
    /// <param name="tags">Labels: <c>service_tier=batch</c>.</param>
    public static UsageRecord Record(
        string time, string counts, string model = "m", string provider = "", string tags = "") => new()
        {
            Id = "r",
            Context = new UsageContext("gw", "acme", ModelAnswered: model, Provider: provider),
            EventTime = TestNetwork.At(time),
            Counts = [.. Pairs(counts).Select(p => ToCount(p.Name, p.Value)).OrderBy(c => c.Meter)],
            Tags = [.. Pairs(tags).Select(p => new Tag(p.Name, p.Value)).OrderBy(t => t.Name, StringComparer.Ordinal)],
        };

    /// <summary>What a record costs under a book: the amount, or the reason why there is none.</summary>
    public static string Ask(PriceBooks books, UsageRecord record, string book = "b")
    {
        PriceExplanation answer = ExplainPrice.Explain(books, new PriceQuestion(book, record));
        return answer.Reason == SuspenseReason.None ? answer.Amount.ToString() : answer.Reason.ToString();
    }

    private static Count ToCount(string name, string value)
    {
        Assert.True(Meter.TryParse(name, out Meter meter), name);
        Int128 steps = Amount.Parse(value).Pico / (Amount.PicoPerUnit / meter.StepsPerUnit);
        return new Count(meter, EvidenceGrade.Reported, (long)steps);
    }

    private static IEnumerable<(string Name, string Value)> Pairs(string text) => text
        .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).Select(p => (p[0], p[1]));
}
