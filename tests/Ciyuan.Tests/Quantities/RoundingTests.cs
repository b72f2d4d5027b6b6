using System.Globalization;
using System.Numerics;
using Ciyuan.Quantities;
using FsCheck.Fluent;

namespace Ciyuan.Tests.Quantities;

public sealed class RoundingTests
{
    [Theory]
    [InlineData("CNY", "0.005", "0")]
    [InlineData("CNY", "0.015", "0.02")]
    [InlineData("CNY", "0.025", "0.02")]
    [InlineData("CNY", "0.025000000001", "0.03")]
    [InlineData("CNY", "0.024999999999", "0.02")]
    [InlineData("CNY", "-0.005", "0")]
    [InlineData("CNY", "-0.015", "-0.02")]
    [InlineData("CNY", "-0.025", "-0.02")]
    [InlineData("CNY", "-0.025000000001", "-0.03")]
    [InlineData("CNY", "12.34", "12.34")]
    [InlineData("TOK", "0.5", "0")]
    [InlineData("TOK", "1.5", "2")]
    [InlineData("JPY", "2.5", "2")]
    [InlineData("KRW", "-3.5", "-4")]
    public void ToMinorUnit_Amount_IsRoundedHalfToEven(string currency, string exact, string expected)
    {
        (Amount rounded, Amount difference) = Rounding.ToMinorUnit(Amount.Parse(exact), Currency.Parse(currency));
        Assert.Equal(expected, rounded.ToString());
        Assert.Equal(rounded, Amount.Parse(exact) + difference);
    }

    [Fact]
    public void ToMinorUnit_AnyAmount_IsNearestAndEvenAtHalf() => Properties.ForAll(
        Properties.Int128s.Where(i => Int128.Abs(i >> 1) < Int128.MaxValue / 4), Gen.Elements("CNY", "TOK"), (pico,
            code) =>
        {
            BigInteger step = code == "TOK" ? BigInteger.Pow(10, 12) : BigInteger.Pow(10, 10);
            var (rounded, difference) = Rounding.ToMinorUnit(new Amount(pico), Currency.Parse(code));
            BigInteger steps = BigInteger.DivRem(rounded.Pico, step, out BigInteger rest);
            Assert.Equal(BigInteger.Zero, rest);
            BigInteger off = 2 * BigInteger.Abs((BigInteger)rounded.Pico - pico);
            Assert.True(off < step || (off == step && steps.IsEven), $"{pico} became {rounded}");
            Assert.Equal(rounded.Pico - pico, difference.Pico);
        });

    [Theory]
    [InlineData("10", "1,1,1", "4,3,3")]
    [InlineData("-10", "1,1,1", "-4,-3,-3")]
    [InlineData("1", "1,1", "1,0")]
    [InlineData("0", "1,2", "0,0")]
    [InlineData("5", "0,1,0", "0,5,0")]
    [InlineData("7", "500000,300000,200000", "4,2,1")]
    [InlineData("1", "300000,700000", "0,1")]
    [InlineData("100", "333333,333333,333334", "33,33,34")]
    public void Split_Amount_GoesToTheLargestRemainderAndTheEarlier(string total, string weights, string shares)
    {
        long[] parts = [.. weights.Split(',').Select(w => long.Parse(w, CultureInfo.InvariantCulture))];
        var split = new Amount[parts.Length];
        Rounding.Split(new Amount(Int128.Parse(total, CultureInfo.InvariantCulture)), parts, split);
        Assert.Equal(shares, string.Join(',', split.Select(s => s.Pico)));
    }

    [Fact]
    public void Split_AnyAmountAndWeights_IsThatOfTheReference() => Properties.ForAll(Properties.Int128s,
        Properties.Seeds, (total, seed) =>
    {
        var random = new Random(seed);
        long[] weights = [.. Enumerable.Range(0, random.Next(1, 80)).Select(_ => random.NextInt64(0,
            1 << random.Next(1, 24)))];
        weights[0]++;
        var shares = new Amount[weights.Length];
        Rounding.Split(new Amount(total), weights, shares);
        Assert.Equal(Reference(total, weights), shares.Select(s => (BigInteger)s.Pico));
    });

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0,0")]
    [InlineData("-1,2")]
    [InlineData("1000000000,1")]
    [InlineData("9223372036854775807,9223372036854775807")]
    public void Split_WeightsThatAreNone_Throws(string weights)
    {
        long[] parts = weights.Length == 0 ? [] : [.. weights.Split(',').Select(w => long.Parse(w,
            CultureInfo.InvariantCulture))];
        Assert.Throws<ArgumentException>(() => Rounding.Split(new Amount(1), parts, new Amount[parts.Length]));
    }

    [Fact]
    public void Split_OtherNumberOfShares_Throws() =>
        Assert.Throws<ArgumentException>(() => Rounding.Split(new Amount(1), [1, 2], new Amount[1]));

    private static List<BigInteger> Reference(BigInteger total, long[] weights)
    {
        BigInteger sum = weights.Aggregate(BigInteger.Zero, (s, w) => s + w);
        List<BigInteger> shares = [.. weights.Select(w => BigInteger.Divide(total * w, sum))];
        BigInteger left = total - shares.Aggregate(BigInteger.Zero, (s, w) => s + w);
        IEnumerable<int> order = Enumerable.Range(0, weights.Length)
            .OrderByDescending(i => BigInteger.Abs(BigInteger.Remainder(total * weights[i],
                sum))); // stable: earlier first
        foreach (int i in order.Take((int)BigInteger.Abs(left)))
        {
            shares[i] += left.Sign;
        }

        return shares;
    }
}
