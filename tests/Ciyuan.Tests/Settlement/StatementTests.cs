using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Tests.Statistics;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Settlement;

public sealed class StatementTests
{
    private static readonly Frame[] Frames = [.. new SyntheticFrames(5).Make(5, 80)];

    public static TheoryData<string, int, int> Cases()
    {
        var cases = new TheoryData<string, int, int>();
        foreach (string agreement in (string[])["sale", "call", "shared", "sales", "missing"])
        {
            cases.Add(agreement, 0, 12);
            cases.Add(agreement, 3, 7);
            cases.Add(agreement, 20, 30);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_AnyAgreementAndPeriod_EqualsTheCharges(string agreement, int fromDay, int toDay)
    {
        Timestamp start = SyntheticFrames.Time("2026-03-25T00:00:00Z");
        const long Day = 86_400 * Timestamp.PerSecond;
        var period = new Period(start.PlusNanoseconds(fromDay * Day), start.PlusNanoseconds(toDay * Day));
        Statement statement = Run(Frames, new StatementQuery(agreement, period, NodaTime.DateTimeZone.Utc));

        Charge[][] records = [.. Frames.SelectMany(frame => frame.Records.Zip(frame.RecordResults)
            .Where(pair => pair.Second.Status == UsageStatus.Posted && period.Contains(pair.First.EventTime))
            .Select(pair => OfAgreement(pair.Second.Charges, agreement)))];
        CorrectedRecord[] corrected = [.. Frames.SelectMany(frame => frame.CorrectionResults.SelectMany(r => r.Records))
            .Where(record => period.Contains(record.EventTime) && OfAgreement(record.Charges, agreement).Length > 0)];
        Amount charged = records.SelectMany(charges => charges)
            .Concat(corrected.SelectMany(record => OfAgreement(record.Charges, agreement)))
            .Aggregate(Amount.Zero, (sum, charge) => sum + charge.Amount);

        Assert.Equal(charged, statement.Exact);
        Assert.Equal(charged, statement.Lines.Aggregate(Amount.Zero, (sum, line) => sum + line.Amount));
        Assert.Equal(statement.Total, statement.Exact + statement.RoundingDifference);
        Assert.Equal(records.Count(charges => charges.Length > 0), statement.Records);
        Assert.Equal(records.Count(charges => charges.Any(c => c.Rate.Method != RateMethod.Suspense)),
            statement.CallsBilled);
        Assert.Equal(corrected.Length, statement.Corrections);
        Assert.Equal(agreement != "missing", statement.Found);
        Assert.All(statement.Lines.Where(line => line.Kind == StatementLineKind.Usage), line => Assert.Equal(
            line.Amount.Pico, (line.Steps - line.CoveredSteps) * line.UnitPrice!.Value.Pico));
    }

    [Fact]
    public void Run_OneRecord_PrintsItsLines()
    {
        Assert.True(MeterPattern.TryParse("input", out MeterPattern input));
        var rate = new Rate
        {
            Agreement = "a",
            Method = RateMethod.Prices,
            Side = Side.Income,
            Payer = "acme",
            Payee = "net",
            Currency = Currency.Cny,
            Book = "book",
            Version = 3,
            Prices = [new MeterPrice(input, Amount.Parse("0.000002"))],
        };
        var record = new UsageRecord
        {
            Id = "1",
            Context = new UsageContext("s", "acme", ModelAsked: "m"),
            EventTime = new Timestamp(5),
            Counts = [new Count(TokenClass.InputText, EvidenceGrade.Exact, 1_002_501)],
        };
        var charge = new Charge(
            rate, Amount.Parse("2.005"), 1, [new Count(TokenClass.InputText, EvidenceGrade.Exact, 1)]);
        var frame = new Frame
        {
            Shard = 0,
            Seq = 1,
            Time = new Timestamp(9),
            Records = [record],
            RecordResults = [new UsageResult(UsageStatus.Posted, UsageRemarks.None, [charge], [Paid(charge)])],
        };

        Statement statement = Run([frame], new StatementQuery("a", Period.Always, NodaTime.DateTimeZone.Utc));

        StatementLine line = Assert.Single(statement.Lines);
        Assert.Equal(("m", "book", 3), (line.Model, line.Book, line.Version));
        Assert.Equal(((Int128)1_002_501, (Int128)1), (line.Steps, line.CoveredSteps));
        Assert.Equal("2", line.PrintedPrice.ToString());
        Assert.Equal("2.005", statement.Exact.ToString());
        Assert.Equal("2", statement.Total.ToString());
        Assert.Equal("-0.005", statement.RoundingDifference.ToString());
        Assert.Equal(("acme", "net", "CNY"), (statement.Payer, statement.Payee, statement.Currency.ToString()));
    }

    private static Posting Paid(Charge charge) => new(
        new AccountName("acme/prepaid/main", Currency.Cny), new AccountName("net/income/a", Currency.Cny),
        charge.Amount);

    private static Charge[] OfAgreement(Charge[] charges, string agreement) =>
        [.. charges.Where(charge => charge.Rate.Agreement == agreement)];

    private static Statement Run(Frame[] frames, StatementQuery query)
    {
        var runs = new List<StatementRun>();
        foreach (Frame[] chunk in frames.Chunk(2))
        {
            var builder = new FactSegmentBuilder();
            Array.ForEach(chunk, builder.Add);
            FactSegment segment = builder.Build();
            var run = new StatementRun(query);
            run.Add(segment.Header, column => segment.Columns[column]);
            runs.Add(run);
        }

        return StatementRun.Finish(query, runs, frames[^1].Seq, frames[^1].Time);
    }
}
