using Ciyuan.Quantities;
using Ciyuan.Settlement;

namespace Ciyuan.Statistics;

/// <summary>Gives the bytes of a column, by its place in <see cref="FactHeader.Columns"/>; they stay valid until the
/// next call.</summary>
public delegate ReadOnlySpan<byte> ColumnReader(int column);

/// <summary>
/// Assigns every row of a segment to a cell (what its type maps to × its time bucket) and adds columns up by cell.
/// Buffers are kept from segment to segment, so a worker's memory is that of its largest segment.
/// </summary>
internal sealed class SegmentScan
{
    // Cells are numbered bucket × locals + local while there are at most this many; beyond it as they are met.
    private const long MaxNumbered = 1 << 18;

    private readonly Dictionary<long, int> _met = [];
    private FactHeader _header = null!;
    private ColumnReader _read = null!;
    private long[] _times = [];
    private long[] _types = [];
    private long[] _frames = [];
    private readonly List<Timestamp> _closedEnds = [];
    private int[] _cells = [];
    private long[] _rows = [];
    private int _locals;
    private int _firstBucket;
    private readonly List<long> _keys = [];

    /// <summary>Ends of the closed times that rows of the current segment correct.</summary>
    public IReadOnlyList<Timestamp> ClosedEnds => _closedEnds;

    /// <summary>Cells of the current segment; some may have no row.</summary>
    public int CellCount { get; private set; }

    /// <summary>Sums of the column last added up.</summary>
    public CellSums Sums { get; } = new();

    /// <summary>Rows that the period leaves out.</summary>
    public long RowsOutside => _rows[CellCount];

    /// <summary>Cell of each row; <see cref="CellCount"/> for rows outside the period.</summary>
    public ReadOnlySpan<int> Cells => _cells.AsSpan(0, _header.Rows);

    /// <summary>Rows of a cell.</summary>
    public long RowsOf(int cell) => _rows[cell];

    /// <summary>What the types of the cell's rows map to.</summary>
    public int LocalOf(int cell) => _keys.Count > 0 ? (int)(_keys[cell] % _locals) : cell % _locals;

    /// <summary>The time bucket of the cell's rows.</summary>
    public int BucketOf(int cell) => _keys.Count > 0 ? (int)(_keys[cell] / _locals) : _firstBucket + (cell / _locals);

    /// <summary>Reads times, where they matter, and types, and assigns the cells.</summary>
    /// <param name="header">The segment.</param>
    /// <param name="read">Its columns.</param>
    /// <param name="period">Event times that count.</param>
    /// <param name="buckets">Time buckets; null when time is not cut.</param>
    /// <param name="localOfType">What each type maps to: 0 to <paramref name="locals"/> - 1.</param>
    /// <param name="locals">Number of these.</param>
    public void Begin(
        FactHeader header, ColumnReader read, Period period, TimeBuckets? buckets, int[] localOfType, int locals)
    {
        (_header, _read, _locals) = (header, read, locals);
        _keys.Clear();
        if (_types.Length < header.Rows)
        {
            _types = new long[header.Rows];
            _cells = new int[header.Rows];
        }

        // The part of the segment's own span that is inside the period: no row beyond it needs a bucket.
        long low = Math.Max(header.MinTime.UnixNanoseconds, period.Start.UnixNanoseconds);
        long high = Math.Min(
            header.MaxTime.UnixNanoseconds,
            period.End == Timestamp.MaxValue ? long.MaxValue : period.End.UnixNanoseconds - 1);
        _firstBucket = buckets?.Find(low) ?? 0;
        int lastBucket = buckets?.Find(high) ?? 0;
        Span<long> types = _types.AsSpan(0, header.Rows);
        ColumnCodec.Decode(header.Columns[1].Shape, Read(1), types);
        Span<int> cells = _cells.AsSpan(0, header.Rows);
        if (header.IsWithin(period) && _firstBucket == lastBucket)
        {
            CellCount = locals;
            for (int row = 0; row < cells.Length; row++)
            {
                cells[row] = localOfType[types[row]];
            }
        }
        else
        {
            AssignByTime(low, high, buckets, lastBucket, localOfType);
        }

        CountRows();
    }

    /// <summary>
    /// As <see cref="Begin"/>, by the time at which rows are booked. The bucket of a cell is 0 for rows that are booked
    /// when they happened, else the place in <see cref="ClosedEnds"/>, from 1, of the end of the closed time that they
    /// correct.
    /// </summary>
    public void BeginBooked(
        FactHeader header, ColumnReader read, Period period, BookingTimes booking, int[] localOfType, int locals)
    {
        _closedEnds.Clear();
        if (booking.UntilAt(header.LastSeq) <= header.MinTime)
        {
            Begin(header, read, period, null, localOfType, locals); // nothing here is late
            return;
        }

        (_header, _read, _locals, _firstBucket) = (header, read, locals, 0);
        _keys.Clear();
        if (_types.Length < header.Rows)
        {
            _types = new long[header.Rows];
            _cells = new int[header.Rows];
        }

        _times = _times.Length < header.Rows ? new long[header.Rows] : _times;
        _frames = _frames.Length < header.Rows ? new long[header.Rows] : _frames;
        ColumnCodec.Decode(header.Columns[0].Shape, Read(0), _times.AsSpan(0, header.Rows));
        ColumnCodec.Decode(header.Columns[1].Shape, Read(1), _types.AsSpan(0, header.Rows));
        ColumnCodec.Decode(header.Columns[2].Shape, Read(2), _frames.AsSpan(0, header.Rows));
        AssignBooked(period, booking, localOfType);
        CountRows();
    }

    private void AssignBooked(Period period, BookingTimes booking, int[] localOfType)
    {
        long frame = -1;
        Timestamp until = default;
        for (int row = 0; row < _header.Rows; row++)
        {
            if (_frames[row] != frame)
            {
                frame = _frames[row];
                until = booking.UntilAt(frame);
            }

            var time = new Timestamp(_times[row]);
            bool late = time < until;
            _cells[row] = period.Contains(late ? until : time)
                ? ((late ? BucketOfEnd(booking.ClosedEndOf(time)) : 0) * _locals) + localOfType[_types[row]]
                : -1;
        }

        CellCount = (_closedEnds.Count + 1) * _locals;
        foreach (ref int cell in _cells.AsSpan(0, _header.Rows))
        {
            cell = cell < 0 ? CellCount : cell;
        }
    }

    private int BucketOfEnd(Timestamp end)
    {
        int at = _closedEnds.IndexOf(end);
        if (at < 0)
        {
            at = _closedEnds.Count;
            _closedEnds.Add(end);
        }

        return at + 1;
    }

    /// <summary>First and last frame of the rows of a cell; only after <see cref="BeginBooked"/> found closed
    /// ends.</summary>
    public (long First, long Last) FramesOf(int cell)
    {
        (long first, long last) = (long.MaxValue, 0);
        for (int row = 0; row < _header.Rows; row++)
        {
            if (_cells[row] == cell)
            {
                first = Math.Min(first, _frames[row]);
                last = _frames[row];
            }
        }

        return (first, last);
    }

    /// <summary>Adds a column up; the sums are in <see cref="Sums"/>.</summary>
    public void Sum(int column) => ColumnCodec.Sum(_header.Columns[column].Shape, Read(column), Cells, Sums);

    /// <summary>Marks the rows whose value in a column is not zero.</summary>
    public void Mark(int column, Span<byte> marks) =>
        ColumnCodec.Mark(_header.Columns[column].Shape, Read(column), marks);

    private ReadOnlySpan<byte> Read(int column)
    {
        ReadOnlySpan<byte> bytes = _read(column);
        return System.IO.Hashing.XxHash3.HashToUInt64(bytes) == _header.Columns[column].Checksum
            ? bytes
            : throw new InvalidDataException(
                $"Column {column} of the facts of frames {_header.FirstSeq} to {_header.LastSeq} is damaged.");
    }

    private void AssignByTime(long low, long high, TimeBuckets? buckets, int lastBucket, int[] localOfType)
    {
        _times = _times.Length < _header.Rows ? new long[_header.Rows] : _times;
        Span<long> times = _times.AsSpan(0, _header.Rows);
        ColumnCodec.Decode(_header.Columns[0].Shape, Read(0), times);
        long numbered = ((long)lastBucket - _firstBucket + 1) * _locals;
        if (numbered > MaxNumbered)
        {
            AssignAsMet(low, high, buckets!, localOfType);
            return;
        }

        CellCount = (int)numbered;
        Span<int> cells = _cells.AsSpan(0, _header.Rows);
        Span<long> types = _types.AsSpan(0, _header.Rows);
        long from = 0;
        long to = -1;
        int offset = 0;
        for (int row = 0; row < times.Length; row++)
        {
            long time = times[row];
            if (time < from || time > to)
            {
                if (time < low || time > high)
                {
                    cells[row] = CellCount;
                    continue;
                }

                int bucket = buckets?.Find(time) ?? 0;
                from = Math.Max(low, buckets?.Start(bucket) ?? low);
                to = Math.Min(high, buckets?.Last(bucket) ?? high);
                offset = (bucket - _firstBucket) * _locals;
            }

            cells[row] = offset + localOfType[types[row]];
        }
    }

    private void AssignAsMet(long low, long high, TimeBuckets buckets, int[] localOfType)
    {
        _met.Clear();
        for (int row = 0; row < _header.Rows; row++)
        {
            if (_times[row] < low || _times[row] > high)
            {
                _cells[row] = -1;
                continue;
            }

            long key = ((long)buckets.Find(_times[row]) * _locals) + localOfType[_types[row]];
            if (!_met.TryGetValue(key, out int cell))
            {
                _met.Add(key, cell = _keys.Count);
                _keys.Add(key);
            }

            _cells[row] = cell;
        }

        CellCount = _keys.Count;
        foreach (ref int cell in _cells.AsSpan(0, _header.Rows))
        {
            cell = cell < 0 ? CellCount : cell;
        }
    }

    private void CountRows()
    {
        int cells = CellCount + 1;
        Sums.Resize(cells);
        _rows = _rows.Length < cells ? new long[cells + (cells / 2)] : _rows;
        _rows.AsSpan(0, cells).Clear();
        foreach (int cell in Cells)
        {
            _rows[cell]++;
        }
    }
}
