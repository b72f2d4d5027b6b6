using Ciyuan.Quantities;

namespace Ciyuan.Reconciling;

/// <summary>
/// Finds how far the other side's clock is from ours, from pairs of times of the same calls. With times of day it is
/// the commonest difference, in quarters of an hour; with days alone, the shift under which the fewest calls lie in
/// another day than the bill says. None is preferred where it is as good.
/// </summary>
internal sealed class ClockShift
{
    /// <summary>Zones lie between −12 and +14 hours of UTC, and so no two further apart than this.</summary>
    internal const int MostQuarters = 26 * 4;

    private const long Quarter = 900 * Timestamp.PerSecond;
    private const long Day = 96 * Quarter;

    private readonly SortedDictionary<long, long> _byTime = [];
    private readonly long[,] _byDay = new long[3, 96]; // day there less day here, and the quarter of the day here

    /// <summary>Calls whose times were compared.</summary>
    internal long Pairs { get; private set; }

    /// <summary>Takes a pair in.</summary>
    /// <param name="here">Our time, as the bill's own zone shows it: nanoseconds of the local clock.</param>
    /// <param name="there">Theirs, of the same clock.</param>
    /// <param name="hasTimeOfDay">False when theirs is a day.</param>
    internal void Add(long here, long there, bool hasTimeOfDay)
    {
        Pairs++;
        if (hasTimeOfDay)
        {
            // Seconds of processing and rounding are no shift.
            long quarters = (long)Math.Floor((double)(there - here + (Quarter / 2)) / Quarter);
            _byTime[quarters] = _byTime.GetValueOrDefault(quarters) + 1;
            return;
        }

        long days = Floor(there, Day) - Floor(here, Day);
        if (days is >= -1 and <= 1)
        {
            _byDay[days + 1, (here - (Floor(here, Day) * Day)) / Quarter]++;
        }
    }

    /// <summary>The shift in quarters of an hour: what is added to our clock to get theirs; 0 for none.</summary>
    internal int Find()
    {
        if (_byTime.Count > 0)
        {
            (long quarters, long count) = _byTime.MaxBy(pair => pair.Value);
            bool isShift = quarters is >= -MostQuarters and <= MostQuarters && count * 2 > Pairs;
            return isShift ? (int)quarters : 0;
        }

        int best = 0;
        long fewest = Wrong(0);
        for (int size = 1; size <= MostQuarters && fewest > 0; size++)
        {
            foreach (int shift in (int[])[size, -size])
            {
                long wrong = Wrong(shift);
                (best, fewest) = wrong < fewest ? (shift, wrong) : (best, fewest);
            }
        }

        return fewest * 2 < Wrong(0) ? best : 0;
    }

    private long Wrong(int shift)
    {
        long wrong = 0;
        for (int days = -1; days <= 1; days++)
        {
            for (int quarter = 0; quarter < 96; quarter++)
            {
                wrong += Floor(quarter + shift, 96) == days ? 0 : _byDay[days + 1, quarter];
            }
        }

        return wrong;
    }

    internal static long Floor(long value, long unit) => (value / unit) - (value % unit < 0 ? 1 : 0);
}
