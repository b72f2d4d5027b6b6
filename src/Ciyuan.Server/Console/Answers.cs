using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Ciyuan.Server.Console.Pages;
using Ciyuan.Server.Render;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ciyuan.Server.Console;

/// <summary>The ways to answer a visit.</summary>
internal static class Answers
{
    private const string Html = "text/html; charset=utf-8";

    private static readonly IServiceProvider NoServices = new Nothing();

    /// <summary>A page; of a request for a part, its inside alone.</summary>
    internal static Task PageAsync<TPart>(this Visit visit, string title, object model, int status = 200)
        where TPart : ConsolePart
    {
        visit.Http.Response.StatusCode = status;
        return visit.IsPart
            ? RenderAsync(visit, typeof(TPart), model, null)
            : RenderAsync(visit, typeof(Layout), new LayoutModel(typeof(TPart), model, title), "<!DOCTYPE html>\n");
    }

    /// <summary>A part of a page.</summary>
    internal static Task PartAsync<TPart>(this Visit visit, object model)
        where TPart : ConsolePart => RenderAsync(visit, typeof(TPart), model, null);

    /// <summary>A part of a page as HTML, for all who see the same.</summary>
    internal static async Task<byte[]> MakePartAsync<TPart>(this Visit visit, object model)
        where TPart : ConsolePart => Encoding.UTF8.GetBytes(await MakeAsync(visit, typeof(TPart), model));

    /// <summary>Answers with HTML.</summary>
    internal static async Task SendAsync(this Visit visit, byte[] body)
    {
        HttpResponse response = visit.Http.Response;
        response.ContentType = Html;
        response.Headers.Vary = "Cookie, HX-Request";
        response.ContentLength = body.Length;
        if (visit.Http.Request.Method != HttpMethods.Head)
        {
            await response.Body.WriteAsync(body, visit.Http.RequestAborted);
        }
    }

    /// <summary>A page that says what went wrong, and what to do.</summary>
    internal static Task FailAsync(this Visit visit, int status, string text, params string[] details) =>
        visit.PageAsync<Failure>(visit.T("error.title"), new FailureModel(status, text, details), status);

    /// <summary>Goes on elsewhere; a part that asks makes its page go.</summary>
    internal static Task GoAsync(this Visit visit, string url)
    {
        if (visit.Http.Request.Headers["HX-Request"] == "true")
        {
            visit.Http.Response.Headers["HX-Redirect"] = url;
            visit.Http.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            visit.Http.Response.StatusCode = StatusCodes.Status303SeeOther;
            visit.Http.Response.Headers.Location = url;
        }

        return Task.CompletedTask;
    }

    /// <summary>Rows as a file for a spreadsheet. Cells that one would take for a formula get an apostrophe, unless
    /// they are figures.</summary>
    internal static async Task CsvAsync(this Visit visit, Table table, string name)
    {
        var safe = new Table(table.Columns);
        foreach (string[] row in table.Rows)
        {
            safe.Add([.. row.Select((cell, i) => !table.Columns[i].IsNumber && cell.Length > 1
                && cell[0] is '=' or '+' or '-' or '@' ? "'" + cell : cell)]);
        }

        var body = new MemoryStream();
        using (var text = new StreamWriter(body, new UTF8Encoding(true), leaveOpen: true)) // a mark for spreadsheets
        {
            safe.WriteCsv(text);
        }

        HttpResponse response = visit.Http.Response;
        response.ContentType = "text/csv; charset=utf-8";
        response.Headers.ContentDisposition = $"attachment; filename=\"ciyuan-{name}.csv\"";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), visit.Http.RequestAborted);
    }

    private static async Task RenderAsync(Visit visit, Type part, object model, string? before) =>
        await visit.SendAsync(Encoding.UTF8.GetBytes(before + await MakeAsync(visit, part, model)));

    private static async Task<string> MakeAsync(Visit visit, Type part, object model)
    {
        await using var renderer = new HtmlRenderer(NoServices, NullLoggerFactory.Instance);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = ParameterView.FromDictionary(new Dictionary<string, object?>
            {
                [nameof(ConsolePart.Of)] = visit,
                [nameof(ConsolePart.Model)] = model,
            });
            return (await renderer.RenderComponentAsync(part, parameters)).ToHtmlString();
        });
    }

    // The renderer asks for a few services; of these only the encoder matters: Chinese goes out as it is written.
    private sealed class Nothing : IServiceProvider
    {
        private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

        public object? GetService(Type serviceType) => serviceType == typeof(HtmlEncoder) ? Encoder : null;
    }
}
