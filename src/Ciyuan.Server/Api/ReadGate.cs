using System.Globalization;
using System.Text;
using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>Lets only so many large reads be worked out at one time, so that they don't take the cores from
/// ingest.</summary>
internal sealed class ReadGate(ServerLimits limits) : IDisposable
{
    /// <summary>Says what the rows of a CSV cover.</summary>
    private const string ScopeHeader = "X-Ciyuan-Scope";

    private const int MostHeaderLength = 4_000; // of the 8 KiB that proxies take for all headers together

    private readonly SemaphoreSlim _free = new(limits.Reports, limits.Reports);

    /// <summary>Works out an answer and writes it in the format asked for.</summary>
    internal IResult Run(string? format, Func<Rendering> workOut)
    {
        if (format is not (null or "" or "json" or "csv"))
        {
            return Problems.Malformed("format: json or csv");
        }

        return RunFile(format == "csv" ? "text/csv; charset=utf-8" : "application/json", body =>
        {
            Rendering result = workOut();
            result.Write(body, format == "csv" ? OutputFormat.Csv : OutputFormat.Json);
            Table? csv = format == "csv" ? result.ToTable() : null;
            return csv is null ? [] : [.. csv.Scope, .. csv.Notes];
        });
    }

    /// <summary>Works out a file, and writes it with the sentences about it in a header.</summary>
    internal IResult RunFile(string mediaType, Func<Stream, IReadOnlyList<string>> workOut)
    {
        if (!_free.Wait(0))
        {
            return Problems.Busy("As many reports as may be worked out at one time are.");
        }

        try
        {
            var body = new MemoryStream();
            return new Answer(body, mediaType, workOut(body));
        }
        catch (ReportTooLargeException tooLarge)
        {
            return Problems.Refused(tooLarge.Message);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();

    /// <summary>A result that was worked out. Rows of a CSV have no place for their scope: a header says it.</summary>
    private sealed class Answer(MemoryStream body, string mediaType, IReadOnlyList<string> scope) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            HttpResponse response = httpContext.Response;
            response.ContentType = mediaType;
            response.ContentLength = body.Length;
            if (scope.Count > 0)
            {
                response.Headers[ScopeHeader] = ToHeader(string.Join("; ", scope));
            }

            await response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), httpContext.RequestAborted);
        }
    }

    /// <summary>A text as a header can have it: percent and what is not visible ASCII as in a URL, and cut where it is
    /// longer than proxies take.</summary>
    private static string ToHeader(string text)
    {
        var header = new StringBuilder();
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            if (header.Length > MostHeaderLength)
            {
                return header.Append("...").ToString();
            }

            if (b is >= (byte)' ' and <= (byte)'~' and not (byte)'%')
            {
                header.Append((char)b);
            }
            else
            {
                header.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return header.ToString();
    }
}
