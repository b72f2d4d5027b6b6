using PdfSharp.Drawing;

namespace Ciyuan.Server.Statements;

/// <summary>Text of two fonts on a PDF page: Latin and Chinese runs one after the other.</summary>
internal static class PdfText
{
    /// <summary>Draws a line; its baseline is at <paramref name="y"/>.</summary>
    public static void Draw(XGraphics page, string text, double x, double y, double size, bool bold)
    {
        foreach ((string run, bool cjk) in Runs(text))
        {
            XFont font = SheetFonts.Of(cjk, size, bold);
            page.DrawString(run, font, XBrushes.Black, x, y);
            x += page.MeasureString(run, font).Width;
        }
    }

    /// <summary>How wide a line is.</summary>
    public static double WidthOf(XGraphics page, string text, double size, bool bold) =>
        Runs(text).Sum(run => page.MeasureString(run.Text, SheetFonts.Of(run.IsCjk, size, bold)).Width);

    /// <summary>
    /// Breaks a text into lines of a width: after a space, a slash, a comma or a hyphen, between Chinese characters,
    /// and
    /// where nothing else helps anywhere.
    /// </summary>
    public static List<string> Wrap(XGraphics page, string text, double width, double size, bool bold)
    {
        var lines = new List<string>();
        while (text.Length > 0 && WidthOf(page, text, size, bold) > width)
        {
            int fits = Fit(page, text, width, size, bold);
            int at = fits;
            while (at > 1 && !MayBreak(text, at))
            {
                at--;
            }

            at = at > 1 ? at : fits;
            lines.Add(text[..at].TrimEnd(' '));
            text = text[at..].TrimStart(' ');
        }

        lines.Add(text);
        return lines;
    }

    /// <summary>How many characters fit, at least one; a pair of surrogates is not taken apart.</summary>
    private static int Fit(XGraphics page, string text, double width, double size, bool bold)
    {
        int low = 1;
        int high = text.Length;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (WidthOf(page, text[..middle], size, bold) <= width)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low < text.Length && char.IsLowSurrogate(text[low]) ? Math.Max(low - 1, 1) + (low == 1 ? 1 : 0) : low;
    }

    private static bool MayBreak(string text, int at)
    {
        char before = text[at - 1];
        char after = text[at];
        return before is ' ' or '/' or ',' or '-' or ';'
            || (SheetFonts.IsCjk(after) && !"，。；：）、".Contains(after, StringComparison.Ordinal)
                && !char.IsLowSurrogate(after))
            || (SheetFonts.IsCjk(before) && !SheetFonts.IsCjk(after));
    }

    private static IEnumerable<(string Text, bool IsCjk)> Runs(string text)
    {
        int start = 0;
        for (int i = 1; i <= text.Length; i++)
        {
            if (i == text.Length || SheetFonts.IsCjk(text[i]) != SheetFonts.IsCjk(text[start]))
            {
                yield return (text[start..i], SheetFonts.IsCjk(text[start]));
                start = i;
            }
        }
    }
}
