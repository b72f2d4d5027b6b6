using System.Buffers;
using System.Text;

namespace Ciyuan.Server.Statements;

/// <summary>
/// Writes a sheet as CSV that a spreadsheet opens: UTF-8 with its mark, so that Chinese is read as such; a table after
/// the other with its heading. A text that a spreadsheet would take for a formula gets an apostrophe before it;
/// figures,
/// which may begin with a minus, do not.
/// </summary>
public static class SheetCsv
{
    /// <summary>The bytes.</summary>
    public static byte[] Write(Sheet sheet)
    {
        var text = new StringBuilder();
        Append(text, [sheet.Title, sheet.Subtitle]);
        foreach (SheetFact fact in sheet.Head)
        {
            Append(text, [fact.Label, fact.Value]);
        }

        foreach (SheetTable table in sheet.Tables)
        {
            text.Append("\r\n");
            Append(text, [table.Title]);
            Append(text, [.. table.Columns.Select(c => c.Name)]);
            foreach (string[] row in table.Total is null ? table.Rows : [.. table.Rows, table.Total])
            {
                Append(text, [.. row.Select((cell, i) => table.Columns[i].IsNumber ? SheetFigure.Plain(cell) : cell)]);
            }
        }

        text.Append("\r\n");
        foreach (string note in sheet.Notes)
        {
            Append(text, [note]);
        }

        Append(text, [sheet.Foot]);
        return [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text.ToString())];
    }

    private static void Append(StringBuilder text, IReadOnlyList<string> cells) =>
        text.AppendJoin(',', cells.Select(Quote)).Append("\r\n");

    private static string Quote(string cell)
    {
        bool formula = cell.Length > 0 && cell[0] is '=' or '+' or '-' or '@' or '\t' or '\r'
            && !SheetFigure.IsFigure(cell);
        cell = formula ? "'" + cell : cell;
        return cell.AsSpan().ContainsAny(",\"\r\n")
            ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : cell;
    }
}

/// <summary>Figures as sheets hold them.</summary>
internal static class SheetFigure
{
    /// <summary>The figure without the commas between its digits; other texts as they are.</summary>
    public static string Plain(string cell)
    {
        string plain = cell.Replace(",", "", StringComparison.Ordinal);
        return IsFigure(plain) ? plain : cell;
    }

    private static readonly SearchValues<char> FigureCharacters = SearchValues.Create("0123456789.");

    /// <summary>Whether a text is a plain decimal.</summary>
    public static bool IsFigure(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        int point = digits.IndexOf('.');
        return digits.Length > 0 && point != 0 && point != digits.Length - 1
            && !digits.ContainsAnyExcept(FigureCharacters) && digits.LastIndexOf('.') == point;
    }

    /// <summary>Whether a spreadsheet, which counts in 15 digits, holds a figure exactly.</summary>
    public static bool FitsSpreadsheet(string text) =>
        IsFigure(text) && text.Trim('-').Replace(".", "", StringComparison.Ordinal).Trim('0').Length <= 15;
}
