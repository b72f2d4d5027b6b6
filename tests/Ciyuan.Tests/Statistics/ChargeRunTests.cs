using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Usage;
using Xunit;

namespace Ciyuan.Tests.Statistics;

public sealed class ChargeRunTests
{
    private static readonly Frame[] Frames = [.. new SyntheticFrames(17).Make(5, 120)];

    [Theory]
    [InlineData(null, 0, 12)]
    [InlineData(null, 3, 7)]
    [InlineData("sale", 2, 9)]
    [InlineData("missing", 0, 12)]
    public void Run_AnyAgreementAndPeriod_EqualsTheChargesByDayAndModel(string? agreement, int fromDay, int toDay)
    {
        Timestamp start = SyntheticFrames.Time("2026-03-25T00:00:00Z");
        const long Day = 86_400 * Timestamp.PerSecond;
        var query = new ChargeQuery
        {
            Period = new Period(start.PlusNanoseconds(fromDay * Day), start.PlusNanoseconds(toDay * Day)),
            Bucket = Bucket.Day,
            Agreements = agreement is null ? null : new HashSet<string> { agreement },
            Keep = new HashSet<Dimension> { Dimension.Model, Dimension.Party },
        };
        ChargeSheet sheet = Run(query);

        var expected = new Dictionary<(long, string, string, string), Int128>();
        foreach ((UsageContext context, Timestamp time, Charge charge) in Charges())
        {
            if (query.Period.Contains(time) && charge.Rate.Method != RateMethod.Suspense
                && (agreement is null || charge.Rate.Agreement == agreement))
            {
                (long, string, string, string) key =
                    (time.UnixNanoseconds / Day, context.Model, context.Party, charge.Rate.Agreement);
                expected[key] = expected.GetValueOrDefault(key) + charge.Amount.Pico;
            }
        }

        var actual = sheet.Lines
            .GroupBy(l => (l.Start.UnixNanoseconds / Day, l.Context.Model, l.Context.Party, l.Terms.Agreement))
            .ToDictionary(g => g.Key, g => g.Aggregate((Int128)0, (sum, l) => sum + l.Amount.Pico));
        Assert.Equal(
            expected.Where(e => e.Value != 0).OrderBy(e => e.Key), actual.Where(a => a.Value != 0).OrderBy(a => a.Key));
        Assert.All(sheet.Lines, line => Assert.Equal("", line.Context.Provider));
        Assert.All(sheet.Lines.Where(l => l is { Meter: not null, UnitPrice: not null }), line => Assert.Equal(
            line.Amount.Pico, (line.Steps - line.CoveredSteps) * line.UnitPrice!.Value.Pico));
        Assert.Equal(agreement != "missing", sheet.Lines.Count > 0);
    }

    private static IEnumerable<(UsageContext, Timestamp, Charge)> Charges()
    {
        foreach (Frame frame in Frames)
        {
            foreach ((UsageRecord record, UsageResult result) in frame.Records.Zip(frame.RecordResults))
            {
                foreach (Charge charge in result.Status == UsageStatus.Posted ? result.Charges : [])
                {
                    yield return (record.Context, record.EventTime, charge);
                }
            }

            foreach (CorrectedRecord record in frame.CorrectionResults.SelectMany(r => r.Records))
            {
                foreach (Charge charge in record.Charges)
                {
                    yield return (record.Context, record.EventTime, charge);
                }
            }
        }
    }

    private static ChargeSheet Run(ChargeQuery query)
    {
        TimeBuckets buckets = TimeBuckets.Make(
            query.Bucket, query.Zone, query.Period.Start, query.Period.End.PlusNanoseconds(-1));
        var runs = new List<ChargeRun>();
        foreach (Frame[] chunk in Frames.Chunk(2))
        {
            var builder = new FactSegmentBuilder();
            Array.ForEach(chunk, builder.Add);
            FactSegment segment = builder.Build();
            var run = new ChargeRun(query, buckets);
            run.Add(segment.Header, column => segment.Columns[column]);
            runs.Add(run);
        }

        return ChargeRun.Finish(query, buckets, runs, Frames[^1].Seq, Frames[^1].Time);
    }
}
