using System.Globalization;
using System.IO.Compression;
using System.Security;
using System.Text;

namespace Ciyuan.Server.Statements;

/// <summary>
/// Writes a sheet as an Office Open XML workbook (ECMA-376): one worksheet for the head, one for each table. A figure
/// that
/// a spreadsheet can't hold exactly (more than 15 digits) is written as text. The same sheet gives the same bytes.
/// </summary>
public static class SheetXlsx
{
    private const string Declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relations = "http://schemas.openxmlformats.org/package/2006/relationships";
    private const string Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Types = "application/vnd.openxmlformats-officedocument.spreadsheetml.";

    // Styles: 0 plain, 1 heading, 2 figure, 3 figure in bold.
    private const string Styles =
        $"{Declaration}<styleSheet xmlns=\"{Main}\">"
        + "<fonts count=\"2\"><font><sz val=\"11\"/></font><font><b/><sz val=\"11\"/></font></fonts>"
        + "<fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>"
        + "<fill><patternFill patternType=\"gray125\"/></fill></fills><borders count=\"1\"><border/></borders>"
        + "<cellStyleXfs count=\"1\"><xf/></cellStyleXfs>"
        + "<cellXfs count=\"4\"><xf xfId=\"0\"/><xf xfId=\"0\" fontId=\"1\" applyFont=\"1\"/>"
        + "<xf xfId=\"0\" applyAlignment=\"1\"><alignment horizontal=\"right\"/></xf>"
        + "<xf xfId=\"0\" fontId=\"1\" applyFont=\"1\" applyAlignment=\"1\"><alignment horizontal=\"right\"/></xf>"
        + "</cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>"
        + "</styleSheet>";

    // The time of all entries: a file made again must have the same bytes.
    private static readonly DateTimeOffset Moment = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The file.</summary>
    public static byte[] Write(Sheet sheet)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            string[] names = SheetNames(sheet);
            Add(zip, "[Content_Types].xml", ContentTypes(names.Length));
            Add(zip, "_rels/.rels", $"{Declaration}<Relationships xmlns=\"{Relations}\"><Relationship Id=\"rId1\" "
                + $"Type=\"{Office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>");
            Add(zip, "xl/workbook.xml", Workbook(names));
            Add(zip, "xl/_rels/workbook.xml.rels", WorkbookRelations(names.Length));
            Add(zip, "xl/styles.xml", Styles);
            Add(zip, "xl/worksheets/sheet1.xml", Head(sheet));
            for (int i = 0; i < sheet.Tables.Count; i++)
            {
                Add(zip, string.Create(CultureInfo.InvariantCulture, $"xl/worksheets/sheet{i + 2}.xml"),
                    TableSheet(sheet.Tables[i]));
            }
        }

        return stream.ToArray();
    }

    // A name has at most 31 characters, none of []:*?/\, and is there once.
    private static string[] SheetNames(Sheet sheet)
    {
        var names = new List<string>();
        foreach (string title in sheet.Tables.Select(t => t.Title).Prepend(sheet.Title))
        {
            string name = string.Concat(title.Select(c => "[]:*?/\\'".Contains(c, StringComparison.Ordinal) ? ' ' : c));
            name = name.Length > 28 ? name[..28] : name;
            names.Add(names.Contains(name) ? $"{name} {names.Count}" : name);
        }

        return [.. names];
    }

    private static string Head(Sheet sheet)
    {
        var rows = new SheetRows();
        rows.Add([(sheet.Title, 1), (sheet.Subtitle, 0)]);
        foreach (SheetFact fact in sheet.Head)
        {
            rows.Add([(fact.Label, 0), (fact.Value, 0)]);
        }

        foreach (string note in sheet.Notes.Append(sheet.Foot))
        {
            rows.Add([(note, 0)]);
        }

        return rows.Finish([28, 90]);
    }

    private static string TableSheet(SheetTable table)
    {
        var rows = new SheetRows();
        rows.Add([.. table.Columns.Select(c => (c.Name, c.IsNumber ? 3 : 1))]);
        foreach (string[] row in table.Rows)
        {
            rows.Add([.. row.Select((cell, i) => (cell, table.Columns[i].IsNumber ? 2 : 0))]);
        }

        if (table.Total is not null)
        {
            rows.Add([.. table.Total.Select((cell, i) => (cell, table.Columns[i].IsNumber ? 3 : 1))]);
        }

        return rows.Finish([.. table.Columns.Select((column, i) =>
            Math.Clamp(table.Rows.Select(r => r[i].Length).Append(column.Name.Length * 2).Max() + 2, 8, 60))]);
    }

    private static string ContentTypes(int sheets)
    {
        var xml = new StringBuilder(Declaration)
            .Append("<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">")
            .Append("<Default Extension=\"rels\"")
            .Append(" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>")
            .Append("<Default Extension=\"xml\" ")
            .Append("ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"")
            .Append(Types)
            .Append("sheet.main+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"").Append(Types)
            .Append("styles+xml\"/>");
        for (int i = 1; i <= sheets; i++)
        {
            xml.Append(CultureInfo.InvariantCulture, $"<Override PartName=\"/xl/worksheets/sheet{i}.xml\" ")
                .Append("ContentType=\"").Append(Types).Append("worksheet+xml\"/>");
        }

        return xml.Append("</Types>").ToString();
    }

    private static string Workbook(string[] names)
    {
        var xml = new StringBuilder($"{Declaration}<workbook xmlns=\"{Main}\" xmlns:r=\"{Office}\"><sheets>");
        for (int i = 0; i < names.Length; i++)
        {
            xml.Append(CultureInfo.InvariantCulture,
                $"<sheet name=\"{SecurityElement.Escape(names[i])}\" sheetId=\"{i + 1}\" r:id=\"rId{i + 1}\"/>");
        }

        return xml.Append("</sheets></workbook>").ToString();
    }

    private static string WorkbookRelations(int sheets)
    {
        var xml = new StringBuilder($"{Declaration}<Relationships xmlns=\"{Relations}\">");
        for (int i = 1; i <= sheets; i++)
        {
            xml.Append(CultureInfo.InvariantCulture,
                $"<Relationship Id=\"rId{i}\" Type=\"{Office}/worksheet\" Target=\"worksheets/sheet{i}.xml\"/>");
        }

        return xml.Append(CultureInfo.InvariantCulture,
            $"<Relationship Id=\"rId{sheets + 1}\" Type=\"{Office}/styles\" Target=\"styles.xml\"/></Relationships>")
            .ToString();
    }

    private static void Add(ZipArchive zip, string name, string xml)
    {
        ZipArchiveEntry entry = zip.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = Moment;
        using Stream stream = entry.Open();
        stream.Write(Encoding.UTF8.GetBytes(xml));
    }

    /// <summary>Rows of a worksheet in the making.</summary>
    private sealed class SheetRows
    {
        private readonly StringBuilder _rows = new();
        private int _count;

        public void Add(IReadOnlyList<(string Text, int Style)> cells)
        {
            _count++;
            _rows.Append(CultureInfo.InvariantCulture, $"<row r=\"{_count}\">");
            for (int i = 0; i < cells.Count; i++)
            {
                (string text, int style) = cells[i];
                string place = string.Create(CultureInfo.InvariantCulture, $"{(char)('A' + i)}{_count}");
                string figure = SheetFigure.Plain(text);
                bool isNumber = style >= 2 && SheetFigure.FitsSpreadsheet(figure);
                _rows.Append(CultureInfo.InvariantCulture, $"<c r=\"{place}\" s=\"{style}\"").Append(isNumber
                    ? $"><v>{figure}</v></c>"
                    : $" t=\"inlineStr\"><is><t xml:space=\"preserve\">{Escape(text)}</t></is></c>");
            }

            _rows.Append("</row>");
        }

        public string Finish(IReadOnlyList<int> widths)
        {
            var xml = new StringBuilder($"{Declaration}<worksheet xmlns=\"{Main}\"><cols>");
            for (int i = 0; i < widths.Count; i++)
            {
                xml.Append(CultureInfo.InvariantCulture,
                    $"<col min=\"{i + 1}\" max=\"{i + 1}\" width=\"{widths[i]}\" customWidth=\"1\"/>");
            }

            return xml.Append("</cols><sheetData>").Append(_rows).Append("</sheetData></worksheet>").ToString();
        }

        // Controls can't stand in XML at all.
        private static string Escape(string text) =>
            SecurityElement.Escape(string.Concat(text.Where(c => c is '\t' or '\n' or '\r' or >= ' ')));
    }
}
