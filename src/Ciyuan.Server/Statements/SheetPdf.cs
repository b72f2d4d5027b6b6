using System.Globalization;
using PdfSharp;
using PdfSharp.Drawing;
using PdfSharp.Pdf;

namespace Ciyuan.Server.Statements;

/// <summary>
/// Writes a sheet as PDF on A4: tables with more than a page of rows go on with their heading, long texts are wrapped,
/// every page has its number and the foot. Not for several threads: the library's fonts are shared.
/// </summary>
public sealed class SheetPdf : IDisposable
{
    // A4 in points of 1/72 inch.
    private const double ShortSide = 595;
    private const double LongSide = 842;

    /// <summary>A table of so many columns has the page on its side.</summary>
    private const int ManyColumns = 9;

    private const double Margin = 40;
    private const double TextSize = 8;
    private const double TitleSize = 15;
    private const double HeadingSize = 10.5;
    private const double LineHeight = 1.35;
    private const double Padding = 3;
    private const double SealHeight = 86;
    private const double FootSize = 6.5;
    private const double FootHeight = 24;

    private static readonly Lock Gate = new();
    private static readonly XPen Rule = new(XColor.FromArgb(0xbb, 0xbb, 0xbb), 0.5);
    private static readonly XBrush HeadingFill = new XSolidBrush(XColor.FromArgb(0xf0, 0xf0, 0xf0));

    private readonly PdfDocument _document = new();
    private readonly Sheet _sheet;
    private XGraphics _page = null!;
    private double _y;

    private readonly bool _isOnItsSide;

    private SheetPdf(Sheet sheet)
    {
        _sheet = sheet;
        _isOnItsSide = sheet.Tables.Any(t => t.Columns.Count >= ManyColumns && t.Rows.Count > 0);
    }

    private double PageHeight => _isOnItsSide ? ShortSide : LongSide;

    private double Width => (_isOnItsSide ? LongSide : ShortSide) - (2 * Margin);

    private double Bottom => PageHeight - Margin - FootHeight;

    /// <summary>The file.</summary>
    /// <exception cref="FontMissingException">There is no font for Latin or Chinese text.</exception>
    public static byte[] Write(Sheet sheet)
    {
        lock (Gate)
        {
            SheetFonts.Require();
            using var pdf = new SheetPdf(sheet);
            return pdf.Write();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _page.Dispose();
        _document.Dispose();
    }

    private byte[] Write()
    {
        _document.Info.Title = $"{_sheet.Title} {_sheet.Subtitle}";
        _document.Language = _sheet.Language;
        NewPage();
        Paragraph(_sheet.Title, TitleSize, bold: true);
        Paragraph(_sheet.Subtitle, HeadingSize, bold: false);
        _y += 6;
        foreach (SheetFact fact in _sheet.Head)
        {
            Fact(fact);
        }

        foreach (SheetTable table in _sheet.Tables)
        {
            Table(table);
        }

        _y += 8;
        foreach (string note in _sheet.Notes)
        {
            Paragraph("· " + note, TextSize, bold: false);
        }

        Seals();
        Feet();
        using var stream = new MemoryStream();
        _document.Save(stream, closeStream: false);
        return stream.ToArray();
    }

    private void NewPage()
    {
        _page?.Dispose();
        PdfPage page = _document.AddPage();
        page.Size = PageSize.A4;
        page.Orientation = _isOnItsSide ? PageOrientation.Landscape : PageOrientation.Portrait;
        _page = XGraphics.FromPdfPage(page);
        _y = Margin;
        if (_document.PageCount > 1)
        {
            // So that a page by itself says what it belongs to.
            PdfText.Draw(_page, $"{_sheet.Title}  {_sheet.Subtitle}", Margin, _y + FootSize, FootSize, bold: false);
            _y += 2 * FootSize;
        }
    }

    private void Need(double height)
    {
        if (_y + height > Bottom)
        {
            NewPage();
        }
    }

    private void Paragraph(string text, double size, bool bold)
    {
        foreach (string line in PdfText.Wrap(_page, text, Width, size, bold))
        {
            Need(size * LineHeight);
            PdfText.Draw(_page, line, Margin, _y + size, size, bold);
            _y += size * LineHeight;
        }
    }

    /// <summary>Wide enough for the longest label.</summary>
    private double LabelWidth => Math.Min(Width / 2, Padding
        + _sheet.Head.Max(fact => PdfText.WidthOf(_page, fact.Label, TextSize, bold: true) + (2 * Padding)));

    private void Fact(SheetFact fact)
    {
        double labelWidth = LabelWidth;
        List<string> lines = PdfText.Wrap(_page, fact.Value, Width - labelWidth, TextSize, bold: false);
        Need(lines.Count * TextSize * LineHeight);
        PdfText.Draw(_page, fact.Label, Margin, _y + TextSize, TextSize, bold: true);
        foreach (string line in lines)
        {
            PdfText.Draw(_page, line, Margin + labelWidth, _y + TextSize, TextSize, bold: false);
            _y += TextSize * LineHeight;
        }
    }

    private void Table(SheetTable table)
    {
        double[] widths = WidthsOf(table);
        string[] heading = [.. table.Columns.Select(c => c.Name)];
        double headingHeight = HeightOf(heading, widths);
        Need((HeadingSize * LineHeight) + 10 + headingHeight + (TextSize * LineHeight * 2));
        _y += 10;
        Paragraph(table.Title, HeadingSize, bold: true);
        Row(table, heading, widths, bold: true);
        foreach (string[] row in table.Rows)
        {
            RowOrPage(table, row, heading, widths, bold: false);
        }

        if (table.Total is not null)
        {
            RowOrPage(table, table.Total, heading, widths, bold: true);
        }
    }

    private void RowOrPage(SheetTable table, string[] row, string[] heading, double[] widths, bool bold)
    {
        if (_y + HeightOf(row, widths) > Bottom)
        {
            NewPage();
            Row(table, heading, widths, bold: true);
        }

        Row(table, row, widths, bold);
    }

    private void Row(SheetTable table, string[] row, double[] widths, bool bold)
    {
        double height = HeightOf(row, widths);
        double x = Margin;
        for (int i = 0; i < row.Length; i++)
        {
            var cell = new XRect(x, _y, widths[i], height);
            if (bold)
            {
                _page.DrawRectangle(HeadingFill, cell);
            }

            _page.DrawRectangle(Rule, cell);
            double y = _y + Padding + TextSize;
            foreach (string line in PdfText.Wrap(_page, row[i], widths[i] - (2 * Padding), TextSize, bold))
            {
                double left = table.Columns[i].IsNumber
                    ? x + widths[i] - Padding - PdfText.WidthOf(_page, line, TextSize, bold)
                    : x + Padding;
                PdfText.Draw(_page, line, left, y, TextSize, bold);
                y += TextSize * LineHeight;
            }

            x += widths[i];
        }

        _y += height;
    }

    private double HeightOf(string[] row, double[] widths)
    {
        int lines = 1;
        for (int i = 0; i < row.Length; i++)
        {
            lines = Math.Max(
                lines, PdfText.Wrap(_page, row[i], widths[i] - (2 * Padding), TextSize, bold: true).Count);
        }

        return (lines * TextSize * LineHeight) + (2 * Padding);
    }

    /// <summary>Columns as wide as their longest text, if all fit; else the wide ones share what the narrow ones
    /// leave. Figures stay whole before texts do, as far as they take two thirds of the page.</summary>
    private double[] WidthsOf(SheetTable table)
    {
        double[] wanted = [.. table.Columns.Select((column, i) => (2 * Padding) + 1 + table.Rows.Select(row => row[i])
            .Append(column.Name).Append(table.Total?[i] ?? "")
            .Max(text => PdfText.WidthOf(_page, text, TextSize, bold: true)))];
        double[] widths = new double[wanted.Length];
        double figures = wanted.Where((_, i) => table.Columns[i].IsNumber).Sum();
        bool figuresFirst = figures <= Width * 2 / 3 && table.Columns.Any(c => !c.IsNumber);
        if (figuresFirst)
        {
            widths = [.. wanted.Select((width, i) => table.Columns[i].IsNumber ? width : 0)];
        }

        double left = Width - widths.Sum();
        int open = widths.Count(w => w == 0);
        for (bool settled = false; !settled;)
        {
            settled = true;
            double fair = left / Math.Max(open, 1);
            for (int i = 0; i < wanted.Length; i++)
            {
                if (widths[i] == 0 && wanted[i] <= fair)
                {
                    (widths[i], left, open, settled) = (wanted[i], left - wanted[i], open - 1, false);
                }
            }
        }

        double rest = open > 0 ? left / open : left / wanted.Length;
        return [.. widths.Select(width => open == 0 ? width + rest : width > 0 ? width : rest)];
    }

    private void Seals()
    {
        if (_sheet.Signatures.Count == 0)
        {
            return;
        }

        Need(SealHeight + 16);
        _y += 16;
        double width = (Width - (20 * (_sheet.Signatures.Count - 1))) / _sheet.Signatures.Count;
        for (int i = 0; i < _sheet.Signatures.Count; i++)
        {
            double x = Margin + (i * (width + 20));
            _page.DrawRectangle(new XPen(XColors.Black, 0.5), x, _y, width, SealHeight);
            double y = _y + Padding + TextSize;
            foreach (string line in PdfText.Wrap(
                _page, _sheet.Signatures[i], width - (2 * Padding), TextSize, bold: false).Take(4))
            {
                PdfText.Draw(_page, line, x + Padding, y, TextSize, bold: false);
                y += TextSize * LineHeight;
            }

            PdfText.Draw(
                _page, _sheet.SignatureLine, x + Padding, _y + SealHeight - (2 * Padding), TextSize, bold: false);
        }

        _y += SealHeight;
    }

    private void Feet()
    {
        _page.Dispose();
        for (int i = 0; i < _document.PageCount; i++)
        {
            using var page = XGraphics.FromPdfPage(_document.Pages[i], XGraphicsPdfPageOptions.Append);
            (string first, string last) = (Plain(i + 1), Plain(_document.PageCount));
            string number = _sheet.Language == "en" ? $"Page {first} of {last}" : $"第 {first} 页，共 {last} 页";
            double y = PageHeight - Margin;
            PdfText.Draw(page, _sheet.Foot, Margin, y, FootSize, bold: false);
            double left = Margin + Width - PdfText.WidthOf(page, number, FootSize, bold: false);
            PdfText.Draw(page, number, left, y, FootSize, bold: false);
        }
    }

    private static string Plain(int number) => number.ToString(CultureInfo.InvariantCulture);
}
