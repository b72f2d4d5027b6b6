using System.Numerics;
using Ciyuan.Quantities;

namespace Ciyuan.Tests.Quantities;

public sealed class CapitalAmountTests
{
    /// <summary>The examples of 银发〔1997〕393号, and the ends of groups.</summary>
    [Theory]
    [InlineData("1409.50", "人民币壹仟肆佰零玖元伍角")]
    [InlineData("6007.14", "人民币陆仟零柒元壹角肆分")]
    [InlineData("1680.32", "人民币壹仟陆佰捌拾元零叁角贰分")]
    [InlineData("107000.53", "人民币壹拾万柒仟元零伍角叁分")]
    [InlineData("16409.02", "人民币壹万陆仟肆佰零玖元零贰分")]
    [InlineData("325.04", "人民币叁佰贰拾伍元零肆分")]
    [InlineData("0", "人民币零元整")]
    [InlineData("0.01", "人民币壹分")]
    [InlineData("0.10", "人民币壹角")]
    [InlineData("10", "人民币壹拾元整")]
    [InlineData("100000000", "人民币壹亿元整")]
    [InlineData("100007000", "人民币壹亿零柒仟元整")]
    [InlineData("1000000000000", "人民币壹万亿元整")]
    [InlineData("10000000000000000", "人民币壹亿亿元整")]
    [InlineData("1000000100010001.01", "人民币壹仟万零壹亿零壹万零壹元零壹分")]
    [InlineData("-20.5", "人民币负贰拾元零伍角")]
    public void Write_AnAmount_IsAsNotesHaveIt(string amount, string capitals) =>
        Assert.Equal(capitals, CapitalAmount.Write(Amount.Parse(amount), Currency.Cny));

    [Fact]
    [Trait("Takes", "Long")]
    public void Write_EveryFenUpToTenThousandYuan_ReadsBackAndIsUnique()
    {
        var seen = new HashSet<string>();
        for (int fen = 0; fen <= 1_000_000; fen++)
        {
            string capitals = CapitalAmount.Write(new Amount((Int128)fen * 10_000_000_000), Currency.Cny);
            Assert.Equal(fen, Read(capitals));
            Assert.True(seen.Add(capitals), capitals);
        }
    }

    [Fact]
    public void Write_AnyAmount_ReadsBack() => Properties.ForAll(Properties.Int128s, pico =>
    {
        Int128 whole = pico / 10_000_000_000 * 10_000_000_000;
        Assert.Equal((BigInteger)whole / 10_000_000_000, Read(CapitalAmount.Write(new Amount(whole), Currency.Cny)));
    });

    [Fact]
    public void Write_PartsOfAFen_AreRefused() => Assert.Throws<ArgumentException>(
        () => CapitalAmount.Write(Amount.Parse("0.001"), Currency.Cny));

    /// <summary>Reads capitals by what each character means, in fen; knows nothing of how they are written.</summary>
    private static BigInteger Read(string text)
    {
        text = text["人民币".Length..].TrimEnd('整');
        bool negative = text.StartsWith('负');
        BigInteger all = 0;
        BigInteger group = 0;
        BigInteger digit = 0;
        BigInteger fen = 0;
        foreach (char c in text.TrimStart('负'))
        {
            switch (c)
            {
                case '拾' or '佰' or '仟':
                    group += digit * (c == '拾' ? 10 : c == '佰' ? 100 : 1000);
                    digit = 0;
                    break;
                case '万':
                    all += (group + digit) * 10_000;
                    (group, digit) = (0, 0);
                    break;
                case '亿':
                    all = (all + group + digit) * 100_000_000;
                    (group, digit) = (0, 0);
                    break;
                case '元':
                    all += group + digit;
                    (group, digit) = (0, 0);
                    break;
                case '角' or '分':
                    fen += digit * (c == '角' ? 10 : 1);
                    digit = 0;
                    break;
                default:
                    digit = "零壹贰叁肆伍陆柒捌玖".IndexOf(c, StringComparison.Ordinal);
                    break;
            }
        }

        BigInteger read = (all * 100) + fen;
        return negative ? -read : read;
    }
}
