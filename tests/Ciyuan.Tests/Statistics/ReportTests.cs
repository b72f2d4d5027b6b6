using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Statistics;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using DateTimeZone = NodaTime.DateTimeZone;
using DateTimeZoneProviders = NodaTime.DateTimeZoneProviders;

namespace Ciyuan.Tests.Statistics;

public sealed class ReportTests
{
    private static readonly string[] Zones = ["Asia/Shanghai", "America/New_York", "Asia/Kolkata",
        "Australia/Lord_Howe"];

    // Spans the changes of the clock in New York (8 March) and Lord Howe (5 April) in 2026.
    private static readonly Timestamp Start = SyntheticFrames.Time("2026-03-06T00:00:00Z");
    private static readonly Frame[] Frames =
        [.. new SyntheticFrames(7) { Start = Start, Span = TimeSpan.FromDays(33) }.Make(6, 60)];

    private static readonly FactSegment[] Segments = Build(Frames, 2);

    private static Gen<ReportQuery> Queries()
    {
        Gen<Dimension[]> groupBy = Gen.Choose(0, 3).SelectMany(n =>
            Gen.Elements(Enum.GetValues<Dimension>()).ArrayOf(n).Select(d => d.Distinct().ToArray()));
        Gen<Filter> filter = Gen.OneOf(
            Gen.Elements("gpt-*", "gpt-1", "*", "asked").Select(v => new Filter(Dimension.Model, [v])),
            Gen.Elements("party0", "party1", "none").Select(v => new Filter(Dimension.Party, [v, "party2"])),
            Gen.Elements("ok", "cut", "-").Select(v => new Filter(Dimension.Outcome, [v])),
            Gen.Elements("input.*", "image", "-", "output.text.fresh").Select(v => new Filter(Dimension.Class, [v])),
            Gen.Elements("exact", "bounded", "-").Select(v => new Filter(Dimension.Grade, [v, "reported"])),
            Gen.Elements("sale*", "call", "shared", "-").Select(v => new Filter(Dimension.Agreement, [v])),
            Gen.Elements("income", "cost", "-").Select(v => new Filter(Dimension.Side, [v])));
        Gen<Filter[]> filters = Gen.Frequency(
            (3, Gen.Constant(Array.Empty<Filter>())), (2, filter.ArrayOf(1)), (1, filter.ArrayOf(2)));
        Gen<Period> period = Gen.OneOf(
            Gen.Constant(Period.Always),
            Gen.Choose(0, 33 * 24).Two().Select(t => new Period(
                Start.PlusNanoseconds(Math.Min(t.Item1, t.Item2) * 3600 * Timestamp.PerSecond),
                Start.PlusNanoseconds(Math.Max(t.Item1, t.Item2) * 3600 * Timestamp.PerSecond))));
        return from g in groupBy
               from f in filters
               from p in period
               from z in Gen.Elements(Zones)
               from b in Gen.Elements(Enum.GetValues<Bucket>())
               select new ReportQuery
               {
                   GroupBy = g,
                   Filters = f,
                   Period = p,
                   Zone = DateTimeZoneProviders.Tzdb[z],
                   Bucket = b,
               };
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Run_AnyQuery_EqualsTheNaiveReport() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(20261123, 77),
            Prop.ForAll(Queries().ToArbitrary(), query => AssertEqual(Run(Segments, query), new NaiveReport(
                Frames, query))));

    [Fact]
    public void Run_SegmentsOfAnySize_GiveTheSameReport()
    {
        var query = new ReportQuery
        {
            GroupBy = [Dimension.Class, Dimension.Agreement, Dimension.Outcome],
            Bucket = Bucket.Day
        };
        var naive = new NaiveReport(Frames, query);
        for (int framesInSegment = 1; framesInSegment <= Frames.Length; framesInSegment++)
        {
            AssertEqual(Run(Frames, query, framesInSegment), naive);
        }
    }

    [Fact]
    public void Run_ManyPartiesByMinute_EqualsTheNaiveReport()
    {
        // More cells than are numbered ahead: parties × minutes.
        Frame[] frames = [.. new SyntheticFrames(3) { Parties = 500, Span = TimeSpan.FromDays(30) }.Make(2, 900)];
        var query = new ReportQuery { GroupBy = [Dimension.Party], Bucket = Bucket.Minute };
        AssertEqual(Run(frames, query, 2), new NaiveReport(frames, query));
    }

    [Fact]
    public void Run_NoFrames_IsEmptyAndSaysSo()
    {
        Report report = Run([], new ReportQuery { Bucket = Bucket.Day }, 1);

        Assert.Empty(report.Rows);
        Assert.Equal(0, report.Scope.RecordsIn);
        Assert.Equal(0, report.Value(report.Total, "calls"));
    }

    [Fact]
    public void Run_GroupedByNothingShared_RowsAddUpToTheTotal()
    {
        var query = new ReportQuery { GroupBy = [Dimension.Model, Dimension.Party], Bucket = Bucket.Week };
        Report report = Run(Frames, query, 3);

        Assert.True(report.Scope.RowsAddUp);
        for (int column = 0; column < report.Columns.Count; column++)
        {
            Assert.True(report.Columns[column].Additive);
            Assert.Equal(report.Total.Values[column], Sum(report.Rows.Select(row => row.Values[column])));
        }
    }

    [Fact]
    public void Run_GroupedByClassAndAgreement_AmountsStillAddUp()
    {
        var query = new ReportQuery { GroupBy = [Dimension.Class, Dimension.Agreement] };
        Report report = Run(Frames, query, 3);

        Assert.False(report.Scope.RowsAddUp);
        foreach (ReportColumn column in report.Columns.Where(column => column.Additive))
        {
            Assert.Equal(report.Value(report.Total, column.Name), Sum(report.Rows.Select(row =>
                report.Value(row, column.Name))));
        }

        Assert.Contains(report.Columns, column => column is { Name: "margin_CNY", Additive: true });
        Assert.Contains(report.Columns, column => column is { Name: "calls", Additive: false });
    }

    [Fact]
    public void Run_WithRatios_StandardTokensAreTextAndCodeTimesTheRatioOfTheirModel()
    {
        static (long Millionths, long ErrorPermille) Of(string model) =>
            model.EndsWith('1') ? (1_126_000, 199) : (763_000, 235);
        Report counts = Run(Segments, new ReportQuery { GroupBy = [Dimension.Model, Dimension.Class] });

        Report report = Run(Segments, new ReportQuery
        {
            GroupBy = [Dimension.Party],
            Bucket = Bucket.Day,
            Standard = new StandardRatios("test", Of),
        });

        Int128 standard = 0;
        Int128 error = 0;
        foreach (ReportRow row in counts.Rows.Where(r => r.Key[1].Split('.').ElementAtOrDefault(1) is "text" or "code"))
        {
            Int128 tokens = counts.Value(row, "tokens_input") + counts.Value(row, "tokens_output");
            (long millionths, long permille) = Of(row.Key[0]);
            standard += tokens * millionths;
            error += tokens * millionths * permille / 1_000;
        }

        Assert.True(standard > 0);
        Assert.Equal(standard, report.Value(report.Total, "tokens_standard"));
        Assert.Equal(error, report.Value(report.Total, "tokens_standard_error"));
        Assert.Equal(standard, Sum(report.Rows.Select(row => report.Value(row, "tokens_standard"))));
    }

    [Fact]
    public void Format_SmallAndNegativeAmounts_AreExact()
    {
        var money = new ReportColumn("income_CNY", "CNY", Amount.PicoPerUnit, true);
        var seconds = new ReportColumn("second", "second", 1_000_000, true);

        Assert.Equal("-0.0000000075", money.Format(-7_500));
        Assert.Equal("12", money.Format(12 * (Int128)Amount.PicoPerUnit));
        Assert.Equal("1.5", seconds.Format(1_500_000));
    }

    internal static Report Run(IEnumerable<Frame> frames, ReportQuery query, int framesInSegment)
    {
        FactSegment[] segments = Build(frames, framesInSegment);
        return Run(segments, query);
    }

    private static FactSegment[] Build(IEnumerable<Frame> frames, int framesInSegment) =>
        [.. frames.Chunk(framesInSegment).Select(chunk =>
        {
            var builder = new FactSegmentBuilder();
            Array.ForEach(chunk, builder.Add);
            FactSegment built = builder.Build();
            return built with { Header = FactHeaderCodec.Decode(FactHeaderCodec.Encode(built.Header)) };
        })];

    private static Report Run(FactSegment[] segments, ReportQuery query)
    {
        TimeBuckets? buckets = query.Bucket == Bucket.None || segments.Length == 0 ? null : TimeBuckets.Make(
            query.Bucket, query.Zone, segments.Min(s => s.Header.MinTime), segments.Max(s => s.Header.MaxTime));
        ReportRun[] runs = [new ReportRun(query, buckets), new ReportRun(query, buckets)];
        for (int i = 0; i < segments.Length; i++)
        {
            FactSegment segment = segments[i];
            runs[i % 2].Add(segment.Header, column => segment.Columns[column]);
        }

        return ReportWriter.Write(query, buckets, runs, 6, default);
    }

    internal static void AssertEqual(Report report, NaiveReport naive)
    {
        Dictionary<string, ReportRow> rows = report.Rows.ToDictionary(row => string.Join('|', row.Key));
        foreach ((string key, Dictionary<string, Int128> expected) in naive.Rows)
        {
            if (expected.Values.Any(value => value != 0))
            {
                Assert.True(rows.ContainsKey(key), $"row {key} is missing");
                AssertRow(report, rows[key], expected);
            }
        }

        foreach ((string key, ReportRow row) in rows)
        {
            Assert.True(naive.Rows.ContainsKey(key) || row.Values.All(value => value == 0), $"row {key} is too much");
        }

        AssertRow(report, report.Total, naive.Total);
        Int128 calls = naive.Total.GetValueOrDefault("calls");
        Assert.Equal(calls, report.Scope.RecordsIn);
        Assert.Equal(naive.InPeriod - calls, report.Scope.RecordsFilteredOut);
        Assert.Equal(naive.Records - naive.InPeriod, report.Scope.RecordsOutsidePeriod);
    }

    private static void AssertRow(Report report, ReportRow row, Dictionary<string, Int128> expected)
    {
        foreach ((string column, Int128 value) in expected)
        {
            Assert.True(value == report.Value(row, column), $"{column}: {value}, not {report.Value(row, column)}");
        }

        foreach (ReportColumn column in report.Columns.Where(c =>
            !c.Name.StartsWith("margin", StringComparison.Ordinal)))
        {
            Assert.True(
                expected.ContainsKey(column.Name) || report.Value(
                    row, column.Name) == 0, $"{column.Name} should be zero");
        }
    }

    private static Int128 Sum(IEnumerable<Int128> values) => values.Aggregate(default(Int128), (sum, value) =>
        sum + value);
}
