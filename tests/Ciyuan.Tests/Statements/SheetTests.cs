using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Reconciling;
using Ciyuan.Server.Statements;
using Ciyuan.Settlement;

namespace Ciyuan.Tests.Statements;

public sealed class SheetTests
{
    private const string Odd = "=cmd|'/c calc'!A1 <b>\"某某\"&";

    [Fact]
    public void Html_HostileText_IsTextOnly()
    {
        string html = SheetHtml.Write(Sheet(chinese: true, lines: 3));

        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;", html, StringComparison.Ordinal);
        int body = html.IndexOf("<body", StringComparison.Ordinal);
        _ = XDocument.Parse(html[body..html.IndexOf("</html>", StringComparison.Ordinal)]);
    }

    [Fact]
    public void Csv_HostileText_IsNoFormulaAndFiguresAreFigures()
    {
        string csv = Encoding.UTF8.GetString(SheetCsv.Write(Sheet(chinese: false, lines: 3)));

        Assert.StartsWith("\ufeff", csv, StringComparison.Ordinal);
        Assert.DoesNotContain(",=cmd", csv, StringComparison.Ordinal);
        Assert.Contains("'=cmd", csv, StringComparison.Ordinal);
        Assert.Contains(",-1234.5\r\n", csv, StringComparison.Ordinal);
    }

    [Fact]
    public void Xlsx_AnySheet_IsAWorkbookWithFiguresThatFit()
    {
        byte[] file = SheetXlsx.Write(Sheet(chinese: true, lines: 3));
        Assert.Equal(file, SheetXlsx.Write(Sheet(chinese: true, lines: 3)));
        using var zip = new ZipArchive(new MemoryStream(file));
        Dictionary<string, XDocument> parts = zip.Entries.ToDictionary(e => e.FullName, e =>
        {
            using Stream stream = e.Open();
            return XDocument.Load(stream);
        });
        XNamespace main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        string[] names =
            [.. parts["xl/workbook.xml"].Descendants(main + "sheet").Select(s => s.Attribute("name")!.Value)];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(names, name => Assert.True(
            name.Length <= 31 && name.IndexOfAny(['/', '\\', '?', '*', ':', '[', ']']) < 0));
        Assert.Equal(names.Length, parts.Keys.Count(k => k.StartsWith("xl/worksheets/", StringComparison.Ordinal)));
        string[] figures = [.. parts.Values.SelectMany(p => p.Descendants(main + "v")).Select(v => v.Value)];
        Assert.Contains("-1234.5", figures);
        Assert.All(figures, f => Assert.True(
            decimal.TryParse(f, NumberStyles.Number, CultureInfo.InvariantCulture, out _)));
        Assert.Contains(
            parts.Values.SelectMany(p => p.Descendants(main + "t")), t => t.Value == "1,234,567.123456789012");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pdf_ManyLinesAndLongNames_TakesSeveralPages(bool chinese)
    {
        try
        {
            string few = Encoding.Latin1.GetString(Keep($"few-{chinese}", SheetPdf.Write(Sheet(chinese, lines: 1))));
            string many = Encoding.Latin1.GetString(
                Keep($"many-{chinese}", SheetPdf.Write(Sheet(chinese, lines: 300))));
            Keep($"note-{chinese}", SheetPdf.Write(new StatementSheet(
                Document(3), new string('a', 64), Final(), chinese).Make(SheetKind.Settlement)));
            Assert.StartsWith("%PDF-1.", few, StringComparison.Ordinal);
            Assert.True(Pages(few) < Pages(many) && Pages(many) > 5, $"{Pages(few)} and {Pages(many)} pages");
        }
        catch (FontMissingException missing)
        {
            Console.WriteLine($"skipped: {missing.Message}");
        }
    }

    [Fact]
    public void Make_AFinalPeriodWithDisputes_SaysWhatWasAgreed()
    {
        Sheet sheet = new StatementSheet(Document(1), "ab", Final(), chinese: false).Make(SheetKind.Settlement);
        string[] agreed = [.. sheet.Tables[1].Rows.Select(r => $"{r[0]}: {r[1]}")];

        Assert.Equal("Settlement note", sheet.Title);
        Assert.Equal(
            ["Due on this statement: 1,234.00", "Held for open disputes: -20.00", "Granted in disputes: -30.00",
                "Net of the period: 1,184.00", "Carried over: 0.00",
                "To be paid, with what was carried over or reconciled: 1,184.00", "In capitals: 人民币壹仟壹佰捌拾肆元整",
                "To be paid before: 2026-12-20 00:00:00"],
            agreed);
    }

    [Fact]
    public void Make_AReconciledPeriod_ListsWhatIsOwedAndHeld()
    {
        ReconciledClaim[] claims =
        [
            new(Bill("b1", ("price", "5"), ("count", "-2")), "accepted", ["ann", "bob"]),
            new(Bill("b2", ("duplicate", "7"), ("missing_there", "-3")), "disputed", ["ann", "eve"]),
            new(Bill("b3", ("price", "9")), "withdrawn", ["ann", "bob"]),
        ];
        Sheet sheet = new StatementSheet(Document(1), "ab", Final(), chinese: false, claims)
            .Make(SheetKind.Settlement);

        Assert.Equal(
            ["Differences from reconciliations: 0.00", "Net of the period: 1,184.00",
                "Held for reconciliations, beside the net: 10.00"],
            sheet.Tables[1].Rows.Skip(3).Take(3).Select(r => $"{r[0]}: {r[1]}"));
        SheetTable listed = sheet.Tables.Single(t => t.Title == "Reconciliations");
        Assert.Equal(
            ["b1 accepted ann, bob 3.00 3.00 0.00", "b2 disputed ann, eve 4.00 -3.00 10.00",
                "b3 withdrawn ann, bob 9.00 0.00 0.00"],
            listed.Rows.Select(r => $"{r[0]} {string.Join(' ', r[2..])}"));
    }

    [Fact]
    public void Invoice_AReconciledPeriod_IsForWhatIsOwedInWholeFen()
    {
        ReconciledClaim claim = new(Bill("b1", ("price", "5.001")), "accepted", ["ann", "bob"]);
        InvoiceRequest invoice = InvoiceRequest.From(Document(1), Final(), [claim])!;

        Assert.Equal(("1189", "1121.7", "67.3"), ($"{invoice.Gross}", $"{invoice.Net}", $"{invoice.Tax}"));
    }

    private static ReconciliationSetup Bill(string id, params (string Class, string Amount)[] differences) => new(
        id, "sell", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "", "", "CNY", "0", "0", "",
        [.. differences.Select(d => new VarianceSetup(d.Class, d.Amount))]);

    // With CIYUAN_SHEETS the files go to that folder, to be looked at.
    private static byte[] Keep(string name, byte[] file)
    {
        if (Environment.GetEnvironmentVariable("CIYUAN_SHEETS") is { } folder)
        {
            File.WriteAllBytes(Path.Combine(folder, name + ".pdf"), file);
        }

        return file;
    }

    private static int Pages(string pdf) => Regex.Count(pdf, @"/Type\s*/Page[^s]");

    private static Sheet Sheet(bool chinese, int lines) =>
        new StatementSheet(Document(lines), new string('a', 64), Final(), chinese).Make(SheetKind.Statement);

    private static SettledPeriod Final()
    {
        _ = Timestamp.TryParse("2026-11-02T00:00:00Z", out Timestamp time);
        _ = Timestamp.TryParse("2026-12-20T00:00:00Z", out Timestamp until);
        var mark = new SettlementMark("ann", time, 7);
        return new SettledPeriod
        {
            Agreement = "sell",
            Name = "2026-10",
            Span = new Period(time, until),
            State = PeriodState.Final,
            Frozen = mark,
            Split = mark,
            Hash = new string('a', 64),
            Due = Amount.Parse("1234"),
            Disputes =
            [
                new("d1", AgreementSide.Payer, "bob", Amount.Parse("50"), Odd, time)
                {
                    Resolved = mark,
                    Granted = Amount.Parse("30"),
                },
                new("d2", AgreementSide.Payer, "bob", Amount.Parse("20"), "数量不符", time),
            ],
            Final = mark,
            Payable = Amount.Parse("1184"),
            PayUntil = until,
        };
    }

    private static readonly DocumentParty LongParty = new(
        "acme", "Acme", "某某（北京）人工智能技术与大数据应用研究院有限责任公司第一分公司 " + Odd, "91350100M000100Y43",
        "北京市海淀区中关村大街一号某某大厦甲座二十八层二八零一室，邮政编码一零零零八零", "010-62345678",
        "中国某某银行股份有限公司北京中关村科技园区支行", "6222 0000 1234 5678 901");

    private static StatementDocument Document(int lines)
    {
        return new StatementDocument
        {
            Agreement = "sell",
            Period = "2026-10",
            From = "2026-10-01T00:00:00Z",
            To = "2026-11-01T00:00:00Z",
            Zone = "UTC",
            FrozenSeq = 7,
            Payer = LongParty,
            Payee = LongParty with { Id = "plat", Title = "Platform" },
            Side = "income",
            Currency = "CNY",
            Terms = new DocumentTerms("monthly", 10, 30, "100", "*信息技术服务*大模型词元服务"),
            Lines = [.. Enumerable.Range(0, lines).Select(i => new DocumentLine(
                i % 7 == 6 ? "2026-09" : "", "usage",
                i == 0 ? Odd : $"a-model-with-quite-a-long-name-{i}-2026-10-01-preview {Odd}",
                "output.text.reasoning", "list-of-prices-for-enterprise-customers", 12, "8.0000015", "1M tokens",
                i % 5 == 0 ? "tier graduated/month ≤1000: 0.04/1M, ∞: 0.02/1M" : "", "123456789012", "0", 12,
                "1234567.123456789012")), new DocumentLine(
                "", "per_call", "m", "", "", 0, "0.1", "call", "", "", "", 12345, "-1234.5")],
            Late = [new DocumentLate("2026-09", 3, 1, 5, 6, "1234567.123456789012")],
            Quantities = [new("output.text.reasoning", "123456789012", "123456789012", "0", "100", "3")],
            StandardRule = "std-1",
            Records = 12,
            CallsBilled = 11,
            Corrections = 1,
            SuspenseCharges = 2,
            Suspense = [new DocumentWaiting("TOK", "1000")],
            KeptAside = 1,
            Exact = "1234.001",
            Rounding = "-0.001",
            Total = "1234",
            Tax = new DocumentTax("6", "included", "1164.15", "69.85", "1234"),
            Paid = [new DocumentPaid("acme/receivable/sell", "receivable", "1234.001", "1234")],
            Packs = [new DocumentPack("acme/pack/tokens", "1000000")],
            Due = "1234",
        };
    }
}
