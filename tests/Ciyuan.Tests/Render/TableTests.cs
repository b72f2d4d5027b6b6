using Ciyuan.Server.Render;
using Xunit;

namespace Ciyuan.Tests.Render;

public sealed class TableTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("999", "999")]
    [InlineData("1000", "1,000")]
    [InlineData("-1234567.89012", "-1,234,567.89012")]
    [InlineData("-123", "-123")]
    [InlineData("n/a 12345", "n/a 12345")]
    public void Group_Figure_HasACommaBetweenThreeDigits(string figure, string expected) =>
        Assert.Equal(expected, Table.Group(figure));

    [Fact]
    public void WriteText_ChineseNames_KeepsColumnsInLine()
    {
        using var output = new StringWriter { NewLine = "\n" };
        Sample().WriteText(output);
        Assert.Equal(
            """
            Scope: all
            name   tokens
            -----  ------
            词元    1,000
            b,"c"       5
            -----  ------
            total   1,005

            """.ReplaceLineEndings("\n"), output.ToString());
    }

    [Fact]
    public void WriteCsv_QuotesAndCommas_AreQuotedAndFiguresPlain()
    {
        using var output = new StringWriter();
        Sample().WriteCsv(output);
        Assert.Equal("name,tokens\r\n词元,1000\r\n\"b,\"\"c\"\"\",5\r\n", output.ToString());
    }

    private static Table Sample()
    {
        var table = new Table([new("name"), new("tokens", IsNumber: true)])
        {
            Scope = ["Scope: all"],
            Total = ["total", "1005"],
        };
        table.Add("词元", "1000");
        table.Add("b,\"c\"", "5");
        return table;
    }
}
