using Ciyuan.Quantities;

namespace Ciyuan.Statistics;

/// <summary>Says whether a segment has a row of interest, from its types and times alone. Buffers are kept from segment
/// to segment.</summary>
public sealed class SegmentProbe
{
    private long[] _types = [];
    private long[] _times = [];

    /// <summary>True when some row in the period has a type of interest.</summary>
    /// <param name="header">The segment.</param>
    /// <param name="read">Its columns.</param>
    /// <param name="period">Event times of interest.</param>
    /// <param name="wanted">Whether rows of a type are of interest; asked once for each type.</param>
    public bool Has(FactHeader header, ColumnReader read, Period period, Func<FactHeader, FactType, bool> wanted)
    {
        if (!header.Meets(period))
        {
            return false;
        }

        bool[] isWanted = [.. header.Types.Select(type => wanted(header, type))];
        if (!isWanted.Contains(true) || (header.IsWithin(period) && !isWanted.Contains(false)))
        {
            return isWanted.Contains(true);
        }

        Span<long> types = Decode(header, read, 1, ref _types);
        bool within = header.IsWithin(period);
        Span<long> times = within ? [] : Decode(header, read, 0, ref _times);
        for (int row = 0; row < types.Length; row++)
        {
            if (isWanted[types[row]] && (within || period.Contains(new Timestamp(times[row]))))
            {
                return true;
            }
        }

        return false;
    }

    private static Span<long> Decode(FactHeader header, ColumnReader read, int column, ref long[] buffer)
    {
        buffer = buffer.Length < header.Rows ? new long[header.Rows] : buffer;
        Span<long> values = buffer.AsSpan(0, header.Rows);
        ColumnCodec.Decode(header.Columns[column].Shape, read(column), values);
        return values;
    }
}
