using Ciyuan.Quantities;
using Ciyuan.Settlement;
using Ciyuan.Usage;

namespace Ciyuan.Statistics;

/// <summary>What tells the lines of a <see cref="ChargeSheet"/> apart.</summary>
internal readonly record struct ChargeLineKey(
    int Bucket, UsageContext Context, ChargeTerms Terms, StatementLineKind Kind, int Meter, Int128 Price)
    : IComparable<ChargeLineKey>
{
    /// <summary>The meter of amounts that none explains; the price of what has none.</summary>
    public const int None = -1;

    public int CompareTo(ChargeLineKey other)
    {
        int order = Bucket.CompareTo(other.Bucket);
        order = order != 0 ? order : string.CompareOrdinal(Terms.Agreement, other.Terms.Agreement);
        order = order != 0 ? order : Compare(Context, other.Context);
        order = order != 0 ? order : Kind.CompareTo(other.Kind);
        order = order != 0 ? order : Meter.CompareTo(other.Meter);
        order = order != 0 ? order : string.CompareOrdinal(Terms.Book, other.Terms.Book);
        order = order != 0 ? order : Terms.Version.CompareTo(other.Terms.Version);
        return order != 0 ? order : Price.CompareTo(other.Price);
    }

    private static int Compare(UsageContext x, UsageContext y)
    {
        for (int part = 0; part < UsageContext.Parts; part++)
        {
            int order = string.CompareOrdinal(x[part], y[part]);
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }
}

/// <summary>Sums by line. Not safe for several threads.</summary>
internal sealed class ChargeLines
{
    private readonly Dictionary<ChargeLineKey, Sums> _lines = [];

    public void Add(ChargeLineKey key, Int128 steps, Int128 covered, long calls, Int128 amount)
    {
        if (!_lines.TryGetValue(key, out Sums? sums))
        {
            if (_lines.Count == ChargeSheet.MaxLines)
            {
                throw new ReportTooLargeException(
                    $"There are more than {ChargeSheet.MaxLines} lines: narrow the period, or cut time less finely.");
            }

            _lines.Add(key, sums = new Sums());
        }

        sums.Steps = checked(sums.Steps + steps);
        sums.Covered = checked(sums.Covered + covered);
        sums.Calls += calls;
        sums.Amount = checked(sums.Amount + amount);
    }

    public void Merge(ChargeLines other)
    {
        foreach ((ChargeLineKey key, Sums sums) in other._lines)
        {
            Add(key, sums.Steps, sums.Covered, sums.Calls, sums.Amount);
        }
    }

    public List<ChargeLine> ToLines(TimeBuckets? buckets, Period period)
    {
        var keys = _lines.Where(line => !line.Value.AreZero).Select(line => line.Key).ToList();
        keys.Sort();
        return keys.ConvertAll(key => ToLine(key, _lines[key], buckets, period));
    }

    private static ChargeLine ToLine(ChargeLineKey key, Sums sums, TimeBuckets? buckets, Period period) => new()
    {
        Start = buckets is null ? period.Start : new Timestamp(buckets.Start(key.Bucket)),
        End = buckets is null ? period.End : buckets.Last(key.Bucket) == long.MaxValue
            ? Timestamp.MaxValue : new Timestamp(buckets.Last(key.Bucket) + 1),
        Context = key.Context,
        Terms = key.Terms,
        Kind = key.Kind,
        Meter = Meter.TryFromValue(key.Meter, out Meter meter) ? meter : null,
        UnitPrice = key.Price == ChargeLineKey.None ? null : new Amount(key.Price),
        Steps = sums.Steps,
        CoveredSteps = sums.Covered,
        Calls = sums.Calls,
        Amount = new Amount(sums.Amount),
    };

    private sealed class Sums
    {
        public Int128 Steps { get; set; }

        public Int128 Covered { get; set; }

        public long Calls { get; set; }

        public Int128 Amount { get; set; }

        public bool AreZero => Steps == 0 && Covered == 0 && Calls == 0 && Amount == 0;
    }
}
