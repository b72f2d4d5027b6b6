using Ciyuan.Statistics;
using Xunit;

namespace Ciyuan.Tests.Statistics;

public sealed class ColumnCodecTests
{
    private static readonly Int128[] Magnitudes =
        [0, 1, 200, 60_000, 3_000_000_000, long.MaxValue, (Int128)ulong.MaxValue * 5, Int128.MaxValue / 2];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(100, 8)]
    [InlineData(100, 9)]
    [InlineData(1000, 40)]
    public void Encode_AnyIntegers_DecodeToThemselves(int rowCount, int everyNth)
    {
        var random = new Random(rowCount * everyNth);
        foreach (Int128 magnitude in Magnitudes)
        {
            foreach (long scale in (ReadOnlySpan<long>)[1, 7_500, 1_000_000])
            {
                foreach (bool signed in (ReadOnlySpan<bool>)[false, true])
                {
                    AssertRoundTrip(random, rowCount, everyNth, magnitude / scale / 2, scale, signed);
                }
            }
        }
    }

    [Fact]
    public void Encode_Extremes_DecodeToThemselves()
    {
        AssertDecodes([0, 1], [Int128.MinValue, Int128.MaxValue], 2);
        AssertDecodes([0, 1, 2], [long.MinValue, 0, long.MaxValue], 3);
        AssertDecodes([1], [Int128.MinValue], 40);
        AssertDecodes([], [], 5);
        AssertDecodes([], [], 0);
        AssertDecodes([0, 1, 2], [42, 42, 42], 3);
    }

    [Fact]
    public void Encode_MultiplesOfAPrice_TakeOneByteEach()
    {
        Int128[] values = [.. Enumerable.Range(0, 200).Select(i => (Int128)i * 7_500_000)];
        ColumnShape shape = ColumnCodec.Encode([.. Enumerable.Range(0, 200)], values, 200, out byte[] bytes);

        Assert.Equal(7_500_000, shape.Scale);
        Assert.Equal(200, bytes.Length);
    }

    [Fact]
    public void Encode_FewFilledRows_IsSparse()
    {
        ColumnShape shape = ColumnCodec.Encode([5, 900], [70_000, 3], 1000, out byte[] bytes);

        Assert.True(shape.Sparse);
        Assert.Equal(2 * (sizeof(int) + 1), bytes.Length); // 3 and 3 + 69 997 × 1: codes of one byte
    }

    [Fact]
    public void Sum_TruncatedBytes_Throws()
    {
        ColumnShape shape = ColumnCodec.Encode([0, 1, 2], [1, 2, 3], 3, out byte[] bytes);
        var sums = new CellSums();
        sums.Resize(1);

        Assert.Throws<InvalidDataException>(() => ColumnCodec.Sum(shape, bytes.AsSpan(1), new int[3], sums));
    }

    private static void AssertRoundTrip(
        Random random, int rowCount, int everyNth, Int128 magnitude, long scale, bool signed)
    {
        var rows = new List<int>();
        var values = new List<Int128>();
        for (int row = 0; row < rowCount; row += everyNth)
        {
            Int128 value = magnitude == 0 ? 0 : (Int128)(UInt128.CreateTruncating(Random128(random)) % (
                UInt128)magnitude);
            value = (value + (everyNth > 1 ? 1 : 0)) * scale; // rows with a value are not zero
            rows.Add(row);
            values.Add(signed && random.Next(2) == 0 ? -value : value);
        }

        AssertDecodes([.. rows], [.. values], rowCount);
    }

    private static UInt128 Random128(Random random) =>
        new((ulong)random.NextInt64(), unchecked((ulong)random.NextInt64() * 3));

    private static void AssertDecodes(int[] rows, Int128[] values, int rowCount)
    {
        var expected = new Int128[rowCount];
        for (int i = 0; i < rows.Length; i++)
        {
            expected[rows[i]] = values[i];
        }

        ColumnShape shape = ColumnCodec.Encode(rows, values, rowCount, out byte[] bytes);
        var decoded = new Int128[rowCount];
        ColumnCodec.Decode(shape, bytes, decoded);
        Assert.Equal(expected, decoded);

        if (!shape.Sparse && expected.All(value => value >= long.MinValue && value <= long.MaxValue))
        {
            var narrow = new long[rowCount];
            ColumnCodec.Decode(shape, bytes, narrow);
            Assert.Equal(expected, narrow.Select(value => (Int128)value));
        }

        if (values.All(value => value > Int128.MinValue / 1024 && value < Int128.MaxValue / 1024))
        {
            AssertSums(shape, bytes, expected);
        }
    }

    private static void AssertSums(ColumnShape shape, byte[] bytes, Int128[] expected)
    {
        const int Cells = 3;
        int[] cells = [.. Enumerable.Range(0, expected.Length).Select(row => row * 7 % Cells)];
        var sums = new CellSums();
        sums.Resize(Cells);
        ColumnCodec.Sum(shape, bytes, cells, sums);
        for (int cell = 0; cell < Cells; cell++)
        {
            Int128[] own = [.. expected.Where((_, row) => cells[row] == cell)];
            Assert.Equal(own.Aggregate(default(Int128), (sum, value) => sum + value), sums[cell, own.Length]);
        }

        if (expected.All(value => value >= 0))
        {
            var marks = new byte[expected.Length];
            ColumnCodec.Mark(shape, bytes, marks);
            Assert.Equal(expected.Select(value => value == 0 ? (byte)0 : (byte)1), marks);
        }
    }
}
