using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Settlement;

namespace Ciyuan.Statistics;

/// <summary>Finds the frames whose records wait for a price under an agreement, or under none at all.</summary>
/// <param name="query">The agreement, and the period in which they are booked.</param>
public sealed class WaitingRun(StatementQuery query)
{
    private readonly HashSet<long> _frames = [];

    /// <summary>The frames.</summary>
    public IReadOnlyCollection<long> Frames => _frames;

    /// <summary>Takes a segment in.</summary>
    public void Add(FactHeader header, ColumnReader read)
    {
        bool[] waits = [.. header.Rates.Select(r => r.Method == RateMethod.Suspense
            && (r.Agreement == query.Agreement || r.Agreement.Length == 0))];
        bool[] types = [.. header.Types.Select(t => header.Plans[t.Plan].Any(slot => waits[slot.Rate]))];
        if (!types.Contains(true))
        {
            return;
        }

        long[] times = new long[header.Rows];
        long[] rows = new long[header.Rows];
        long[] frames = new long[header.Rows];
        ColumnCodec.Decode(header.Columns[0].Shape, read(0), times.AsSpan());
        ColumnCodec.Decode(header.Columns[1].Shape, read(1), rows.AsSpan());
        ColumnCodec.Decode(header.Columns[2].Shape, read(2), frames.AsSpan());
        for (int row = 0; row < header.Rows; row++)
        {
            if (types[rows[row]]
                && query.Period.Contains(query.Booking.BookedAt(new Timestamp(times[row]), frames[row])))
            {
                _frames.Add(frames[row]);
            }
        }
    }
}
