using System.Numerics;
using Ciyuan.Quantities;

namespace Ciyuan.Tests.Quantities;

public sealed class AmountTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("+5", "5")]
    [InlineData("00012.50", "12.5")]
    [InlineData("-12.0075", "-12.0075")]
    [InlineData("0.000000000001", "0.000000000001")]
    [InlineData("-0.000000000001", "-0.000000000001")]
    [InlineData("1.000000000000000000000000", "1")]
    [InlineData("0000000000000000000000000000000000000000007", "7")]
    [InlineData("99999999999999999999999999.999999999999", "99999999999999999999999999.999999999999")]
    [InlineData("170141183460469231731687303.715884105727", "170141183460469231731687303.715884105727")]
    [InlineData("-170141183460469231731687303.715884105728", "-170141183460469231731687303.715884105728")]
    public void Parse_Decimal_IsExactAndWrittenPlain(string text, string written) => Assert.Equal(written,
        Amount.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("1e3")]
    [InlineData("1,000")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("--1")]
    [InlineData("+-1")]
    [InlineData("1.2.3")]
    [InlineData("0x1")]
    [InlineData("١")]
    [InlineData("NaN")]
    [InlineData("0.0000000000001")]
    [InlineData("170141183460469231731687303.715884105728")]
    [InlineData("-170141183460469231731687303.715884105729")]
    [InlineData("1000000000000000000000000000")]
    public void Parse_AnythingElse_IsRefused(string text)
    {
        Assert.False(Amount.TryParse(text, out Amount amount));
        Assert.Equal(Amount.Zero, amount);
        Assert.Throws<FormatException>(() => Amount.Parse(text));
    }

    [Fact]
    public void Format_AnyAmount_ReadsBackTheSame() => Properties.ForAll(Properties.Int128s, pico =>
    {
        var amount = new Amount(pico);
        Assert.Equal(amount, Amount.Parse(amount.ToString()));
        Assert.Equal((BigInteger)pico, Properties.Pico(amount.ToString()));
    });

    [Fact]
    public void Arithmetic_BeyondTheRange_Throws()
    {
        var most = new Amount(Int128.MaxValue);
        var least = new Amount(Int128.MinValue);
        var pico = new Amount(1);
        Assert.Throws<OverflowException>(() => most + pico);
        Assert.Throws<OverflowException>(() => least - pico);
        Assert.Throws<OverflowException>(() => -least);
        Assert.Throws<OverflowException>(() => most * 2);
        Assert.Throws<OverflowException>(() => least * -1);
    }

    [Fact]
    public void Arithmetic_AnyAmounts_IsThatOfIntegersOrThrows() => Properties.ForAll(Properties.Int128s,
        Properties.Int128s, (a, b) =>
    {
        Same(() => (new Amount(a) + new Amount(b)).Pico, (BigInteger)a + b);
        Same(() => (new Amount(a) - new Amount(b)).Pico, (BigInteger)a - b);
        long count = unchecked((long)b);
        Same(() => (new Amount(a) * count).Pico, (BigInteger)a * count);
        Assert.Equal(((BigInteger)a).CompareTo(b), new Amount(a).CompareTo(new Amount(b)));
        Assert.Equal(a < b, new Amount(a) < new Amount(b));
    });

    private static void Same(Func<Int128> actual, BigInteger expected)
    {
        if (expected > Int128.MaxValue || expected < Int128.MinValue)
        {
            Assert.Throws<OverflowException>(() => actual());
        }
        else
        {
            Assert.Equal(expected, (BigInteger)actual());
        }
    }
}
