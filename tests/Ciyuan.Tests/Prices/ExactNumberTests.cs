using Ciyuan.Server.Prices;

namespace Ciyuan.Tests.Prices;

public sealed class ExactNumberTests
{
    [Theory]
    [InlineData("1.5e-07", 6, "0.15")]
    [InlineData("3e-06", 6, "3")]
    [InlineData("0.000000125", 6, "0.125")]
    [InlineData("1E2", 0, "100")]
    [InlineData("0", 6, "0")]
    [InlineData("0.10", 0, "0.1")]
    [InlineData("12.5", 0, "12.5")]
    [InlineData("-0.5", 0, "-0.5")]
    public void Shifted_NumberOfACatalogue_IsExact(string text, int by, string expected)
    {
        Assert.True(ExactNumber.TryParse(text, out ExactNumber number));
        Assert.Equal(expected, number.Shifted(by).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1e")]
    [InlineData("1e99")]
    [InlineData("NaN")]
    [InlineData("1.2.3")]
    [InlineData("0x1")]
    public void TryParse_NoNumber_IsFalse(string text) => Assert.False(ExactNumber.TryParse(text, out _));

    [Theory]
    [InlineData("3.7500000000000005e-06", "3.75")]
    [InlineData("1.2499999999999999e-06", "1.25")]
    [InlineData("0.0000001234567890125", "0.123456789012")] // half to even
    [InlineData("0.0000001234567890135", "0.123456789014")]
    public void Rounded_DigitsOfFloatingPoint_GiveThePublishedPrice(string text, string perMillion)
    {
        Assert.True(ExactNumber.TryParse(text, out ExactNumber number));
        Assert.Equal(perMillion, number.Rounded(12).Shifted(6).ToString());
    }
}
