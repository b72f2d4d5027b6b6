using System.Text;

namespace Ciyuan.Server.Render;

/// <summary>How results are written.</summary>
public enum OutputFormat
{
    /// <summary>For people: aligned, with thousands separators, the scope above and notes below.</summary>
    Table,

    /// <summary>RFC 4180 with a header: plain figures, rows only.</summary>
    Csv,

    /// <summary>One JSON document, with scope and stable names.</summary>
    Json,
}

/// <summary>A column of a table.</summary>
/// <param name="Name">Heading.</param>
/// <param name="IsNumber">Aligned to the right, with thousands separators.</param>
public sealed record TableColumn(string Name, bool IsNumber = false);

/// <summary>Rows of texts under named columns, to be written for people or as CSV.</summary>
/// <param name="Columns">The columns.</param>
public sealed record Table(IReadOnlyList<TableColumn> Columns)
{
    private const int Gap = 2;

    private readonly List<string[]> _rows = [];

    /// <summary>Sentences above: what the figures cover.</summary>
    public IReadOnlyList<string> Scope { get; init; } = [];

    /// <summary>Sentences below.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The last row, set off; null without one. It is no row of the CSV.</summary>
    public string[]? Total { get; init; }

    /// <summary>The rows.</summary>
    public IReadOnlyList<string[]> Rows => _rows;

    /// <summary>Adds a row: one text for each column.</summary>
    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, Columns.Count);
        _rows.Add(cells);
    }

    /// <summary>Writes it for people.</summary>
    public void WriteText(TextWriter output)
    {
        List<string[]> lines = [.. _rows.Select(Shown)];
        string[]? total = Total is null ? null : Shown(Total);
        IEnumerable<string[]> all = total is null ? lines : lines.Append(total);
        int[] widths = [.. Columns.Select(
            (column, i) => all.Select(line => Width(line[i])).Append(Width(column.Name)).Max())];
        WriteSentences(output, Scope);
        WriteLine(output, [.. Columns.Select(column => column.Name)], widths);
        WriteRule(output, widths);
        foreach (string[] line in lines)
        {
            WriteLine(output, line, widths);
        }

        if (total is not null)
        {
            WriteRule(output, widths);
            WriteLine(output, total, widths);
        }

        WriteSentences(output, Notes);
    }

    /// <summary>Writes header and rows as CSV, lines ended by CR LF. A cell that a spreadsheet would take for a formula
    /// is written as it is: figures may begin with a minus.</summary>
    public void WriteCsv(TextWriter output)
    {
        IEnumerable<string> header = Columns.Select(column => column.Name);
        foreach (IEnumerable<string> row in _rows.Cast<IEnumerable<string>>().Prepend(header))
        {
            output.Write(string.Join(',', row.Select(Quote)));
            output.Write("\r\n");
        }
    }

    /// <summary>Writes scope and notes alone: what stands beside a CSV.</summary>
    public void WriteScope(TextWriter output) => WriteSentences(output, [.. Scope, .. Notes]);

    /// <summary>The figure with a comma between each three digits before the point; other texts stay as they
    /// are.</summary>
    public static string Group(string figure)
    {
        int start = figure.StartsWith('-') ? 1 : 0;
        int point = figure.IndexOf('.', StringComparison.Ordinal);
        int end = point < 0 ? figure.Length : point;
        if (figure.AsSpan(start, end - start).ContainsAnyExceptInRange('0', '9') || end - start <= 3)
        {
            return figure;
        }

        var grouped = new StringBuilder(figure);
        for (int at = end - 3; at > start; at -= 3)
        {
            grouped.Insert(at, ',');
        }

        return grouped.ToString();
    }

    private string[] Shown(string[] row) => [.. row.Select((cell, i) => Columns[i].IsNumber ? Group(cell) : cell)];

    private void WriteLine(TextWriter output, string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (int i = 0; i < cells.Length; i++)
        {
            string padding = new(' ', widths[i] - Width(cells[i]));
            line.Append(Columns[i].IsNumber ? padding + cells[i] : cells[i] + padding).Append(' ', Gap);
        }

        output.WriteLine(line.ToString().TrimEnd());
    }

    private static void WriteRule(TextWriter output, int[] widths) =>
        output.WriteLine(string.Join(new string(' ', Gap), widths.Select(width => new string('-', width))));

    private static void WriteSentences(TextWriter output, IReadOnlyList<string> sentences)
    {
        foreach (string sentence in sentences)
        {
            output.WriteLine(sentence);
        }
    }

    private static string Quote(string cell) =>
        cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;

    // Chinese, Japanese and Korean characters and full-width forms take two columns of a terminal.
    private static int Width(string text)
    {
        int width = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            width += rune.Value is (>= 0x1100 and <= 0x115f) or (>= 0x2e80 and <= 0xa4cf) or (>= 0xac00 and <= 0xd7a3)
                or (>= 0xf900 and <= 0xfaff) or (>= 0xfe30 and <= 0xfe6f) or (>= 0xff00 and <= 0xff60)
                or (>= 0xffe0 and <= 0xffe6) or (>= 0x1f300 and <= 0x1faff) or (>= 0x20000 and <= 0x3fffd) ? 2 : 1;
        }

        return width;
    }
}
