using Ciyuan.Server.Render;
using Ciyuan.Statistics;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>Lets only so many large reads be worked out at one time, so that they don't take the cores from
/// ingest.</summary>
internal sealed class ReadGate(ServerLimits limits) : IDisposable
{
    private readonly SemaphoreSlim _free = new(limits.Reports, limits.Reports);

    /// <summary>Works out an answer and writes it in the format asked for.</summary>
    internal IResult Run(string? format, Func<Rendering> workOut)
    {
        if (format is not (null or "" or "json" or "csv"))
        {
            return Problems.Malformed("format: json or csv");
        }

        if (!_free.Wait(0))
        {
            return Problems.Busy("As many reports as may be worked out at one time are.");
        }

        try
        {
            var answer = new MemoryStream();
            bool csv = format == "csv";
            workOut().Write(answer, csv ? OutputFormat.Csv : OutputFormat.Json);
            answer.Position = 0;
            return Results.Stream(answer, csv ? "text/csv; charset=utf-8" : "application/json");
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
}
