using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Ciyuan.Server.Statements;

/// <summary>Writes a sheet as one HTML page without anything beside it: to be read, printed and kept.</summary>
public static class SheetHtml
{
    private const string Style = """
        body{font:14px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;margin:2rem auto;
        max-width:70rem;padding:0 1rem;color:#111}
        h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:1.5rem 0 .3rem}
        p.sub{margin:.2rem 0 1rem;color:#555}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0}
        dt{color:#555}
        dd{margin:0;overflow-wrap:anywhere}div.t{overflow-x:auto}table{border-collapse:collapse;width:100%}
        th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:break-word}
        th{background:#f2f2f2}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        tfoot td{font-weight:600}
        .sign{display:grid;grid-template-columns:1fr 1fr;gap:2rem;margin-top:3rem}.sign div{border:1px solid #111;
        padding:.4rem .6rem}.sign p{margin:4rem 0 0;white-space:pre-wrap}
        footer{margin-top:2rem;color:#555;font-size:12px;overflow-wrap:anywhere}
        @media print{thead{display:table-header-group}tr{break-inside:avoid}body{margin:0;max-width:none}
        table{font-size:8pt}th,td{padding:.15rem .3rem}td:not(.n){overflow-wrap:anywhere}div.t{overflow:visible}}
        """;

    /// <summary>The page's style, as a content security policy allows it.</summary>
    public static string StyleHash { get; } =
        "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)));

    /// <summary>The page.</summary>
    public static string Write(Sheet sheet)
    {
        var html = new StringBuilder();
        html.Append("<!doctype html>\n<html lang=\"").Append(sheet.Language).Append("\">\n<head>")
            .Append("<meta charset=\"utf-8\">")
            .Append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>")
            .Append(Text($"{sheet.Title} {sheet.Subtitle}")).Append("</title><style>").Append(Style)
            .Append("</style></head>\n<body>\n<h1>").Append(Text(sheet.Title)).Append("</h1>\n<p class=\"sub\">")
            .Append(Text(sheet.Subtitle)).Append("</p>\n<dl>\n");
        foreach (SheetFact fact in sheet.Head)
        {
            html.Append("<dt>").Append(Text(fact.Label)).Append("</dt><dd>").Append(Text(fact.Value)).Append("</dd>\n");
        }

        html.Append("</dl>\n");
        foreach (SheetTable table in sheet.Tables)
        {
            AppendTable(html, table);
        }

        html.Append("<ul>\n");
        foreach (string note in sheet.Notes)
        {
            html.Append("<li>").Append(Text(note)).Append("</li>\n");
        }

        html.Append("</ul>\n<div class=\"sign\">\n");
        foreach (string signature in sheet.Signatures)
        {
            html.Append("<div>").Append(Text(signature)).Append("<p>").Append(Text(sheet.SignatureLine))
                .Append("</p></div>\n");
        }

        return html.Append("</div>\n<footer>").Append(Text(sheet.Foot))
            .Append("</footer>\n</body>\n</html>\n").ToString();
    }

    private static void AppendTable(StringBuilder html, SheetTable table)
    {
        html.Append("<h2>").Append(Text(table.Title)).Append("</h2>\n<div class=\"t\"><table><thead><tr>");
        foreach (SheetColumn column in table.Columns)
        {
            html.Append("<th scope=\"col\"").Append(ClassOf(column)).Append('>').Append(Text(column.Name))
                .Append("</th>");
        }

        html.Append("</tr></thead>\n<tbody>\n");
        foreach (string[] row in table.Rows)
        {
            AppendRow(html, table, row);
        }

        html.Append("</tbody>");
        if (table.Total is not null)
        {
            html.Append("\n<tfoot>");
            AppendRow(html, table, table.Total);
            html.Append("</tfoot>");
        }

        html.Append("</table></div>\n");
    }

    private static void AppendRow(StringBuilder html, SheetTable table, string[] row)
    {
        html.Append("<tr>");
        for (int i = 0; i < row.Length; i++)
        {
            html.Append("<td").Append(ClassOf(table.Columns[i])).Append('>').Append(Text(row[i])).Append("</td>");
        }

        html.Append("</tr>\n");
    }

    private static string ClassOf(SheetColumn column) => column.IsNumber ? " class=\"n\"" : "";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
