using PdfSharp.Drawing;
using PdfSharp.Fonts;

namespace Ciyuan.Server.Statements;

/// <summary>There is no font to write a PDF with; the message says which to install.</summary>
public sealed class FontMissingException(string message) : Exception(message);

/// <summary>
/// The fonts of PDF files: one for Latin text and one for Chinese, with TrueType outlines, as the PDF library embeds no
/// others. They are looked for in the places of Debian's packages, or named by <c>CIYUAN_FONT_LATIN</c> and
/// <c>CIYUAN_FONT_CJK</c>. Without them there is no PDF; every other form is written.
/// </summary>
internal sealed class SheetFonts : IFontResolver
{
    /// <summary>Text from here on is Chinese: radicals, ideographs, kana, full-width forms.</summary>
    private const char FirstCjk = '\u2e80';

    private const string Latin = "latin";
    private const string Cjk = "cjk";

    private static readonly string[] LatinPlaces =
    [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
        "/usr/share/fonts/truetype/freefont/FreeSans.ttf",
    ];

    private static readonly string[] CjkPlaces =
    [
        "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
        "/usr/share/fonts/truetype/droid/DroidSansFallback.ttf",
    ];

    private static readonly Lock Gate = new();
    private static bool _set;

    private SheetFonts()
    {
    }

    /// <summary>Sees to it that the fonts are there.</summary>
    /// <exception cref="FontMissingException">One is missing.</exception>
    public static void Require()
    {
        _ = FindFile(Latin);
        _ = FindFile(Cjk);
        lock (Gate)
        {
            if (!_set)
            {
                GlobalFontSettings.FontResolver = new SheetFonts();
                _set = true;
            }
        }
    }

    /// <summary>The font of a run of text.</summary>
    public static XFont Of(bool cjk, double size, bool bold) =>
        new(cjk ? Cjk : Latin, size, bold ? XFontStyleEx.Bold : XFontStyleEx.Regular);

    /// <summary>Whether a character is written with the Chinese font.</summary>
    public static bool IsCjk(char c) => c >= FirstCjk;

    /// <inheritdoc/>
    public FontResolverInfo? ResolveTypeface(string familyName, bool bold, bool italic) =>
        new(familyName, mustSimulateBold: bold, mustSimulateItalic: false);

    /// <inheritdoc/>
    public byte[]? GetFont(string faceName) => File.ReadAllBytes(FindFile(faceName));

    private static string FindFile(string face)
    {
        string variable = face == Cjk ? "CIYUAN_FONT_CJK" : "CIYUAN_FONT_LATIN";
        string? named = Environment.GetEnvironmentVariable(variable);
        string[] places = string.IsNullOrEmpty(named) ? face == Cjk ? CjkPlaces : LatinPlaces : [named];
        return Array.Find(places, File.Exists) ?? throw new FontMissingException(
            $"No font for {(face == Cjk ? "Chinese" : "Latin")} text: install Debian's "
            + $"{(face == Cjk ? "fonts-droid-fallback" : "fonts-dejavu-core")}, or name a TrueType file in {variable}. "
            + "HTML, CSV, XLSX and JSON need none.");
    }
}
