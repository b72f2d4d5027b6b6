using System.Text.RegularExpressions;
using Ciyuan.Parties;
using Ciyuan.Server.Console;
using Ciyuan.Statistics;

namespace Ciyuan.ConsoleTests;

public sealed partial class TextsTests
{
    [Fact]
    public void Text_Everywhere_IsThereInBothLanguages()
    {
        foreach (string name in Texts.Names)
        {
            Assert.NotEmpty(Texts.Get(Language.Chinese, name));
            Assert.NotEmpty(Texts.Get(Language.English, name));
            Assert.DoesNotMatch(Chinese(), Texts.Get(Language.English, name));
            Assert.Equal(
                Placeholders().Count(Texts.Get(Language.Chinese, name)),
                Placeholders().Count(Texts.Get(Language.English, name)));
        }
    }

    [Fact]
    public void Text_NamedInAPage_IsThere()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Ciyuan.slnx")))
        {
            root = root.Parent;
        }

        string pages = Path.Combine(root!.FullName, "src/Ciyuan.Server/Console");
        string[] names = [.. Directory.EnumerateFiles(pages, "*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".razor", StringComparison.Ordinal) || f.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(f => Named().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct()];

        Assert.True(names.Length > 200);
        Assert.All(names, name => Assert.True(Texts.Has(name), name));
    }

    [Fact]
    public void Text_OfEachEnum_IsThere()
    {
        IEnumerable<string> names =
        [
            .. Enum.GetValues<Dimension>().Select(d => "d." + d.Name()),
            .. Enum.GetNames<UserRole>().Select(r => "role." + r),
            .. Enum.GetNames<Role>().Select(r => "partyrole." + r),
            .. Enum.GetNames<FundingKind>().Select(k => "funding." + k),
            .. Enum.GetNames<BudgetPeriod>().Select(k => "budget." + k),
            .. Enum.GetNames<RoutePolicy>().Select(k => "route." + k),
            .. Enum.GetNames<Rating.SuspenseReason>().Select(k => "reason." + k),
            .. Enum.GetNames<Rating.NameMatch>().Select(k => "match." + k),
            .. Enum.GetNames<Settlement.StatementLineKind>().Select(k => "line." + k),
            .. Enum.GetNames<Ledger.UsageRemarks>().Where(r => r != "None").Select(k => "remark." + k),
            .. Enum.GetNames<Settlement.PeriodState>().Select(k => "periodstate." + k),
            .. Enum.GetNames<Settlement.AgreementSide>().Select(k => "side." + k),
            .. Enum.GetNames<Settlement.SettlementStatus>().Select(k => "settled." + k),
            .. Enum.GetNames<SettlementCycle>().Select(k => "cycle." + k),
            .. Enum.GetNames<Server.Reconciling.BillMatching>().Select(k => "match.by." + k),
            .. Enum.GetNames<Reconciling.DifferenceClass>().Select(k => "difference." + k),
            .. Enum.GetNames<Storage.EntryKind>().Select(k => "entry." + k),
        ];

        Assert.All(names, name => Assert.True(Texts.Has(name), name));
    }

    [Theory]
    [InlineData(0, "0", "0")]
    [InlineData(9_999, "9,999", "9,999")]
    [InlineData(12_345, "1.23 万", "12.35 K")]
    [InlineData(1_234_567, "123.5 万", "1.23 M")]
    [InlineData(123_456_789, "1.23 亿", "123.5 M")]
    [InlineData(-45_678, "−4.57 万", "−45.68 K")]
    public void Count_InEachLanguage_IsShortenedAsItsPeopleDo(long value, string chinese, string english)
    {
        Assert.Equal(chinese, Figures.Short(Language.Chinese, value));
        Assert.Equal(english, Figures.Short(Language.English, value));
    }

    [Theory]
    [InlineData("0.000034", "0.000034")]
    [InlineData("0.0123456", "0.0123")]
    [InlineData("12.345", "12.34")]
    [InlineData("123456.789", "123,456.79")]
    [InlineData("-3", "−3.00")]
    public void Money_OfAnySize_HasTheDigitsThatMatter(string amount, string shown) => Assert.Equal(
        shown, Figures.Money(Language.English, Quantities.Amount.Parse(amount).Pico));

    [Theory]
    [InlineData("1.3", "1.30 CNY")]
    [InlineData("-1234", "−1,234.00 CNY")]
    [InlineData("0.000001", "0.000001 CNY")]
    public void ExactMoney_InACurrency_HasAllDigitsOfItsMinorUnit(string amount, string shown) => Assert.Equal(
        shown, Figures.ExactMoney(Quantities.Amount.Parse(amount), Quantities.Currency.Cny));

    // T("name") and T("name", …); a name that ends in a dot is the beginning of one, put together with an enum's.
    [GeneratedRegex(@"\bT\(""([a-z0-9.-]+[a-z0-9])""[,)]")]
    private static partial Regex Named();

    [GeneratedRegex(@"[\u4e00-\u9fff]")]
    private static partial Regex Chinese();

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Placeholders();
}
