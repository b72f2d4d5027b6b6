using System.Numerics;
using Ciyuan.Quantities;
using FsCheck.Fluent;

namespace Ciyuan.Tests.Quantities;

public sealed class TaxTests
{
    [Theory]
    [InlineData("1000.00", 60_000, "943.4", "56.6")]
    [InlineData("123.45", 60_000, "116.46", "6.99")]
    [InlineData("0.10", 60_000, "0.09", "0.01")]
    [InlineData("0.01", 60_000, "0.01", "0")]
    [InlineData("-123.45", 60_000, "-116.46", "-6.99")]
    [InlineData("106", 0, "106", "0")]
    [InlineData("3", 1_000_000, "1.5", "1.5")]
    [InlineData("0.03", 1_000_000, "0.02", "0.01")]
    public void SplitTax_AGrossAmount_IsNetAndTax(string gross, int ppm, string net, string tax) => Assert.Equal(
        (Amount.Parse(net), Amount.Parse(tax)), Rounding.SplitTax(Amount.Parse(gross), ppm, Currency.Cny));

    [Fact]
    public void SplitTax_AnyAmountAndRate_AddsUpAndIsTheNearestFen() => Properties.ForAll(
        Properties.Int128s, Gen.Choose(0, 1_000_000), (pico, ppm) =>
        {
            Int128 fen = pico / 1_000_000 / 10_000_000_000; // a millionth of all amounts leaves room to multiply
            var gross = new Amount(fen * 10_000_000_000);
            (Amount net, Amount tax) = Rounding.SplitTax(gross, ppm, Currency.Cny);
            Assert.Equal(gross, net + tax);
            Assert.True(net.Pico % 10_000_000_000 == 0 && tax.Pico % 10_000_000_000 == 0);

            // |net × (1 + rate) − gross| is at most half a fen × (1 + rate).
            BigInteger rate = 1_000_000 + ppm;
            BigInteger off = ((BigInteger)net.Pico * rate) - ((BigInteger)gross.Pico * 1_000_000);
            Assert.True(BigInteger.Abs(off) <= rate * 10_000_000_000 / 2);
        });

    [Fact]
    public void TaxOn_AnyNetAmount_IsTheNearestFen() => Properties.ForAll(
        Properties.Int128s, Gen.Choose(0, 1_000_000), (pico, ppm) =>
        {
            Int128 fen = pico / 1_000_000 / 10_000_000_000;
            Amount tax = Rounding.TaxOn(new Amount(fen * 10_000_000_000), ppm, Currency.Cny);
            BigInteger off = ((BigInteger)tax.Pico * 1_000_000) - ((BigInteger)fen * 10_000_000_000 * ppm);
            Assert.True(BigInteger.Abs(off) <= (BigInteger)1_000_000 * 10_000_000_000 / 2);
        });
}
