using System.Globalization;
using Ciyuan.Quantities;
using NodaTime;

namespace Ciyuan.Statistics;

/// <summary>The buckets of some span of time in a zone: their starts, ascending, each ending where the next
/// starts.</summary>
public sealed class TimeBuckets
{
    /// <summary>Most buckets: a minute for four years are 2.1 million, of 8 bytes each.</summary>
    public const int MaxBuckets = 1 << 21;

    private readonly long[] _starts;
    private readonly Bucket _bucket;
    private readonly DateTimeZone _zone;

    private TimeBuckets(long[] starts, Bucket bucket, DateTimeZone zone) =>
        (_starts, _bucket, _zone) = (starts, bucket, zone);

    /// <summary>Makes the buckets that cover two moments and all between.</summary>
    /// <exception cref="ReportTooLargeException">There are more than <see cref="MaxBuckets"/>.</exception>
    public static TimeBuckets Make(Bucket bucket, DateTimeZone zone, Timestamp first, Timestamp last)
    {
        long step = bucket switch
        {
            Bucket.Minute => 60 * Timestamp.PerSecond,
            Bucket.QuarterHour => 900 * Timestamp.PerSecond,
            Bucket.Hour => 3600 * Timestamp.PerSecond,
            _ => 0,
        };
        var starts = new List<long>();
        IEnumerable<Int128> all = step > 0 ? Steps(step, zone, first, last) : Dates(bucket, zone, first, last);
        foreach (Int128 start in all)
        {
            if (starts.Count == MaxBuckets)
            {
                throw new ReportTooLargeException(
                    $"Cut by {bucket}, {first} to {last} has more than {MaxBuckets} buckets: narrow the period.");
            }

            starts.Add((long)Int128.Clamp(start, long.MinValue, long.MaxValue));
        }

        return new TimeBuckets([.. starts], bucket, zone);
    }

    /// <summary>Number of buckets.</summary>
    public int Count => _starts.Length;

    /// <summary>First moment of a bucket, in nanoseconds.</summary>
    public long Start(int index) => _starts[index];

    /// <summary>Last moment of a bucket, inclusive, in nanoseconds.</summary>
    public long Last(int index) => index + 1 < _starts.Length ? _starts[index + 1] - 1 : long.MaxValue;

    /// <summary>The bucket of a moment, which is not before the first.</summary>
    public int Find(long time)
    {
        int found = Array.BinarySearch(_starts, time);
        return found >= 0 ? found : Math.Max(~found - 1, 0);
    }

    /// <summary>The bucket's start as people read it: <c>2026-11</c>, <c>2026-11-23</c> (of a week, its Monday), or
    /// <c>2026-11-23T10:15+08:00</c>, where the offset keeps the two hours apart that a clock shows twice.</summary>
    public string Name(int index)
    {
        ZonedDateTime start = new Timestamp(_starts[index]).ToInstant().InZone(_zone);
        return _bucket switch
        {
            Bucket.Month => start.ToString("uuuu'-'MM", CultureInfo.InvariantCulture),
            Bucket.Day or Bucket.Week => start.ToString("uuuu'-'MM'-'dd", CultureInfo.InvariantCulture),
            _ => start.ToString("uuuu'-'MM'-'dd'T'HH':'mmo<m>", CultureInfo.InvariantCulture),
        };
    }

    // Local multiples of the step, and every moment at which the clock is put forward or back.
    private static IEnumerable<Int128> Steps(long step, DateTimeZone zone, Timestamp first, Timestamp last)
    {
        Int128 cursor = Int128.MinValue;
        for (Int128 at = first.UnixNanoseconds; at <= last.UnixNanoseconds; at = cursor)
        {
            NodaTime.TimeZones.ZoneInterval interval = zone.GetZoneInterval(new Timestamp((long)at).ToInstant());
            Int128 offset = interval.WallOffset.Nanoseconds;
            if (cursor == Int128.MinValue)
            {
                Int128 local = at + offset;
                Int128 floor = local - (((local % step) + step) % step) - offset;
                Int128 begun = interval.HasStart ? Nanoseconds(interval.Start) : floor;
                yield return Int128.Max(floor, begun);
            }
            else
            {
                yield return at;
            }

            Int128 into = (((at + offset) % step) + step) % step;
            cursor = at - into + step;
            if (interval.HasEnd && cursor > Nanoseconds(interval.End)
                && zone.GetUtcOffset(interval.End) != interval.WallOffset)
            {
                cursor = Nanoseconds(interval.End);
            }
        }
    }

    private static IEnumerable<Int128> Dates(Bucket bucket, DateTimeZone zone, Timestamp first, Timestamp last)
    {
        LocalDate date = first.ToInstant().InZone(zone).Date;
        date = bucket switch
        {
            Bucket.Month => new LocalDate(date.Year, date.Month, 1),
            Bucket.Week => date.PlusDays(1 - (int)date.DayOfWeek),
            _ => date,
        };
        Int128 start = Nanoseconds(zone.AtStartOfDay(date).ToInstant());
        while (start <= last.UnixNanoseconds)
        {
            yield return start;
            date = bucket switch
            {
                Bucket.Month => date.PlusMonths(1),
                Bucket.Week => date.PlusDays(7),
                _ => date.PlusDays(1),
            };
            start = Nanoseconds(zone.AtStartOfDay(date).ToInstant());
        }
    }

    private static Int128 Nanoseconds(Instant instant)
    {
        NodaTime.Duration sinceEpoch = instant - NodaConstants.UnixEpoch;
        return ((Int128)sinceEpoch.Days * NodaConstants.NanosecondsPerDay) + sinceEpoch.NanosecondOfDay;
    }
}
