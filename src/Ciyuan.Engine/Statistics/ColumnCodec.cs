using System.Numerics;
using System.Runtime.InteropServices;

namespace Ciyuan.Statistics;

/// <summary>
/// How the integers of a column are packed: value = <see cref="Base"/> + <see cref="Scale"/> × code, with codes of
/// <see cref="Width"/> bytes. Times in whole milliseconds and amounts that are multiples of a price become small codes.
/// </summary>
/// <param name="Base">The smallest value; 0 for codes of 16 bytes, which are the values themselves.</param>
/// <param name="Scale">Above zero: what all differences from the base are multiples of.</param>
/// <param name="Width">Bytes of a code: 0 (every value is the base), 1, 2, 4, 8 or 16.</param>
/// <param name="Sparse">True when only the rows with a value are stored, each with its row number in four bytes before
/// the codes; the other rows are zero.</param>
/// <param name="Filled">How many codes are stored.</param>
public readonly record struct ColumnShape(Int128 Base, Int128 Scale, byte Width, bool Sparse, int Filled)
{
    /// <summary>Length of the column in bytes.</summary>
    public int Bytes => checked((Sparse ? Filled * sizeof(int) : 0) + (Filled * Width));
}

/// <summary>Packs columns and reads them: integers in little-endian order, as all machines that .NET runs on have
/// it.</summary>
public static class ColumnCodec
{
    private const int RawWidth = 16;

    /// <summary>Packs a column, dense or sparse, whichever is shorter.</summary>
    /// <param name="rows">Rows that have a value, ascending; all others are zero.</param>
    /// <param name="values">Their values; where some rows have none, a zero among these would be marked as if it were
    /// not.</param>
    /// <param name="rowCount">Rows in all.</param>
    /// <param name="bytes">The packed column.</param>
    public static ColumnShape Encode(ReadOnlySpan<int> rows, ReadOnlySpan<Int128> values, int rowCount,
        out byte[] bytes)
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Columns are kept in little-endian order.");
        }

        bool holes = rows.Length < rowCount;
        ColumnShape dense = Fit(values, holes, sparse: false, rowCount);
        ColumnShape sparse = holes ? Fit(values, withZero: false, sparse: true, rows.Length) : dense;
        ColumnShape shape = sparse.Bytes < dense.Bytes ? sparse : dense;
        bytes = new byte[shape.Bytes];
        if (shape.Sparse)
        {
            MemoryMarshal.AsBytes(rows).CopyTo(bytes);
            Write(shape, values, bytes.AsSpan(rows.Length * sizeof(int)));
        }
        else if (shape.Width > 0 && !holes)
        {
            Write(shape, values, bytes);
        }
        else if (shape.Width > 0)
        {
            var all = new Int128[rowCount];
            for (int i = 0; i < rows.Length; i++)
            {
                all[rows[i]] = values[i];
            }

            Write(shape, all, bytes);
        }

        return shape;
    }

    /// <summary>Reads all rows of a column.</summary>
    public static void Decode(in ColumnShape shape, ReadOnlySpan<byte> bytes, Span<Int128> values)
    {
        values.Clear();
        ReadOnlySpan<int> rows = RowsOf(shape, ref bytes);
        for (int i = 0; i < (shape.Sparse ? rows.Length : values.Length); i++)
        {
            Int128 value = shape.Width switch
            {
                0 => shape.Base,
                1 => shape.Base + (shape.Scale * bytes[i]),
                2 => shape.Base + (shape.Scale * MemoryMarshal.Cast<byte, ushort>(bytes)[i]),
                4 => shape.Base + (shape.Scale * MemoryMarshal.Cast<byte, uint>(bytes)[i]),
                8 => unchecked(shape.Base + (shape.Scale * (Int128)MemoryMarshal.Cast<byte, ulong>(bytes)[i])),
                _ => MemoryMarshal.Cast<byte, Int128>(bytes)[i],
            };
            values[shape.Sparse ? rows[i] : i] = value;
        }
    }

    /// <summary>Reads a dense column whose values all fit into 64 bits: times, types.</summary>
    public static void Decode(in ColumnShape shape, ReadOnlySpan<byte> bytes, Span<long> values)
    {
        var start = (long)shape.Base;
        long scale = (long)Int128.Min(shape.Scale, long.MaxValue);
        switch (shape.Width)
        {
            case 0: values.Fill(start); break;
            case 1: Decode(bytes, start, scale, values); break;
            case 2: Decode(MemoryMarshal.Cast<byte, ushort>(bytes), start, scale, values); break;
            case 4: Decode(MemoryMarshal.Cast<byte, uint>(bytes), start, scale, values); break;
            default: Decode(MemoryMarshal.Cast<byte, ulong>(bytes), start, scale, values); break;
        }
    }

    /// <summary>Sets the mark of every row whose value is not zero.</summary>
    public static void Mark(in ColumnShape shape, ReadOnlySpan<byte> bytes, Span<byte> marks)
    {
        if (shape.Sparse)
        {
            foreach (int row in RowsOf(shape, ref bytes))
            {
                marks[row] = 1;
            }

            return;
        }

        if (shape.Base != 0 || shape.Width == 0)
        {
            // Counts are 0 or more, so above a base above zero none is zero.
            marks.Fill(shape.Base != 0 ? (byte)1 : (byte)0);
            return;
        }

        switch (shape.Width)
        {
            case 1: MarkCodes(bytes, marks); break;
            case 2: MarkCodes(MemoryMarshal.Cast<byte, ushort>(bytes), marks); break;
            case 4: MarkCodes(MemoryMarshal.Cast<byte, uint>(bytes), marks); break;
            case 8: MarkCodes(MemoryMarshal.Cast<byte, ulong>(bytes), marks); break;
            default: MarkCodes(MemoryMarshal.Cast<byte, Int128>(bytes), marks); break;
        }
    }

    /// <summary>Adds a column up by cell: the hot loop of every report.</summary>
    /// <param name="shape">Shape of the column.</param>
    /// <param name="bytes">The column.</param>
    /// <param name="cells">The cell of each row.</param>
    /// <param name="sums">Receives the sums; has been made ready for the number of cells.</param>
    public static void Sum(in ColumnShape shape, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> cells, CellSums sums)
    {
        sums.Begin(shape);
        ReadOnlySpan<int> rows = RowsOf(shape, ref bytes);
        if (shape.Sparse)
        {
            int[] entries = sums.Entries;
            foreach (int row in rows)
            {
                entries[cells[row]]++;
            }
        }

        switch (shape.Width)
        {
            case 0: break;
            case 1: Sum(bytes, cells, rows, sums.Codes); break;
            case 2: Sum(MemoryMarshal.Cast<byte, ushort>(bytes), cells, rows, sums.Codes); break;
            case 4: Sum(MemoryMarshal.Cast<byte, uint>(bytes), cells, rows, sums.Codes); break;
            case 8: SumWide(MemoryMarshal.Cast<byte, ulong>(bytes), cells, rows, sums.Wide); break;
            default: SumWide(MemoryMarshal.Cast<byte, Int128>(bytes), cells, rows, sums.Wide); break;
        }
    }

    private static ReadOnlySpan<int> RowsOf(in ColumnShape shape, ref ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != shape.Bytes)
        {
            throw new InvalidDataException($"A column has {bytes.Length} bytes instead of {shape.Bytes}.");
        }

        if (!shape.Sparse)
        {
            return default;
        }

        int length = shape.Filled * sizeof(int);
        ReadOnlySpan<int> rows = MemoryMarshal.Cast<byte, int>(bytes[..length]);
        bytes = bytes[length..];
        return rows;
    }

    private static void Sum<T>(ReadOnlySpan<T> codes, ReadOnlySpan<int> cells, ReadOnlySpan<int> rows, long[] sums)
        where T : unmanaged, IBinaryInteger<T>
    {
        // Codes of at most 32 bits, fewer than 2³¹ of them: their sum stays below 2⁶³.
        unchecked
        {
            if (rows.IsEmpty)
            {
                cells = cells[..codes.Length];
                for (int i = 0; i < codes.Length; i++)
                {
                    sums[cells[i]] += long.CreateTruncating(codes[i]);
                }

                return;
            }

            for (int i = 0; i < rows.Length; i++)
            {
                sums[cells[rows[i]]] += long.CreateTruncating(codes[i]);
            }
        }
    }

    private static void SumWide<T>(ReadOnlySpan<T> codes, ReadOnlySpan<int> cells, ReadOnlySpan<int> rows,
        Int128[] sums)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < codes.Length; i++)
        {
            int cell = cells[rows.IsEmpty ? i : rows[i]];
            sums[cell] = checked(sums[cell] + Int128.CreateTruncating(codes[i]));
        }
    }

    private static void Decode<T>(ReadOnlySpan<T> codes, long start, long scale, Span<long> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        // Wraps back into range: start + scale × code is a value that was encoded from 64 bits.
        unchecked
        {
            codes = codes[..values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = start + (scale * long.CreateTruncating(codes[i]));
            }
        }
    }

    private static void MarkCodes<T>(ReadOnlySpan<T> codes, Span<byte> marks)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < codes.Length; i++)
        {
            marks[i] |= T.IsZero(codes[i]) ? (byte)0 : (byte)1;
        }
    }

    private static ColumnShape Fit(ReadOnlySpan<Int128> values, bool withZero, bool sparse, int stored)
    {
        Int128 least = withZero || values.IsEmpty ? 0 : values[0];
        Int128 most = least;
        foreach (Int128 value in values)
        {
            least = value < least ? value : least;
            most = value > most ? value : most;
        }

        // The difference of two signed values fits the unsigned type, although it may not fit the signed one.
        UInt128 range = unchecked((UInt128)(most - least));
        if (range == 0)
        {
            return new ColumnShape(least, 1, 0, sparse, stored);
        }

        ulong scale = range <= long.MaxValue ? CommonDivisor(values, least, withZero) : 1;
        UInt128 codes = range / scale;
        int width = codes > ulong.MaxValue ? RawWidth : (ulong)codes switch
        {
            <= byte.MaxValue => 1,
            <= ushort.MaxValue => 2,
            <= uint.MaxValue => 4,
            _ => 8,
        };
        return width == RawWidth
            ? new ColumnShape(0, 1, RawWidth, sparse, stored)
            : new ColumnShape(least, (Int128)scale, (byte)width, sparse, stored);
    }

    private static ulong CommonDivisor(ReadOnlySpan<Int128> values, Int128 least, bool withZero)
    {
        ulong divisor = withZero ? (ulong)(UInt128)(-least) : 0;
        foreach (Int128 value in values)
        {
            var rest = (ulong)(UInt128)(value - least);
            while (rest != 0)
            {
                (divisor, rest) = (rest, divisor == 0 ? 0 : divisor % rest);
            }

            if (divisor == 1)
            {
                break;
            }
        }

        return divisor;
    }

    private static void Write(in ColumnShape shape, ReadOnlySpan<Int128> values, Span<byte> bytes)
    {
        switch (shape.Width)
        {
            case 0: break;
            case 1: WriteCodes(shape, values, bytes[..values.Length]); break;
            case 2: WriteCodes(shape, values, MemoryMarshal.Cast<byte, ushort>(bytes)); break;
            case 4: WriteCodes(shape, values, MemoryMarshal.Cast<byte, uint>(bytes)); break;
            case 8: WriteCodes(shape, values, MemoryMarshal.Cast<byte, ulong>(bytes)); break;
            default: values.CopyTo(MemoryMarshal.Cast<byte, Int128>(bytes)); break;
        }
    }

    private static void WriteCodes<T>(in ColumnShape shape, ReadOnlySpan<Int128> values, Span<T> codes)
        where T : unmanaged, IBinaryInteger<T>
    {
        Int128 start = shape.Base;
        if (shape.Scale == 1)
        {
            for (int i = 0; i < values.Length; i++)
            {
                codes[i] = T.CreateTruncating(unchecked((UInt128)(values[i] - start)));
            }

            return;
        }

        var scale = (ulong)shape.Scale; // above 1 only when the whole range fits into 63 bits
        for (int i = 0; i < values.Length; i++)
        {
            codes[i] = T.CreateTruncating((ulong)(UInt128)(values[i] - start) / scale);
        }
    }
}

/// <summary>Sums of one column by cell; kept by a worker from column to column.</summary>
public sealed class CellSums
{
    private ColumnShape _shape;
    private int _cells;

    internal long[] Codes { get; private set; } = [];

    internal int[] Entries { get; private set; } = [];

    internal Int128[] Wide { get; private set; } = [];

    /// <summary>Says how many cells there are from now on.</summary>
    public void Resize(int cells) => _cells = cells;

    /// <summary>The exact sum of a cell; throws on overflow.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="rows">How many rows the cell has.</param>
    public Int128 this[int cell, long rows]
    {
        get
        {
            Int128 codes = _shape.Width switch { 0 => 0, <= 4 => Codes[cell], _ => Wide[cell] };
            return checked((_shape.Base * (_shape.Sparse ? Entries[cell] : rows)) + (_shape.Scale * codes));
        }
    }

    internal void Begin(in ColumnShape shape)
    {
        _shape = shape;
        if (shape.Width is > 0 and <= 4)
        {
            Codes = Codes.Length < _cells ? new long[_cells + (_cells / 2)] : Codes;
            Codes.AsSpan(0, _cells).Clear();
        }
        else if (shape.Width > 4)
        {
            Wide = Wide.Length < _cells ? new Int128[_cells + (_cells / 2)] : Wide;
            Wide.AsSpan(0, _cells).Clear();
        }

        if (shape.Sparse)
        {
            Entries = Entries.Length < _cells ? new int[_cells + (_cells / 2)] : Entries;
            Entries.AsSpan(0, _cells).Clear();
        }
    }
}
