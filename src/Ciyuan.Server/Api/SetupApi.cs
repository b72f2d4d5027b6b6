using System.Text;
using Ciyuan.Journal;
using Ciyuan.Parties;
using Ciyuan.Server.Ingest;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Ciyuan.Server.Api;

/// <summary>The answer to a setup that was accepted.</summary>
/// <param name="Status">done, or exists when all of it was there already.</param>
internal sealed record SetupAnswer(string Status);

/// <summary>Parties, agreements, prices and funding in.</summary>
internal sealed class SetupApi(Shard shard, InFlight inFlight)
{
    /// <summary>Who makes a change that does not say so.</summary>
    private const string UnnamedSender = "http";

    /// <summary>POST /v1/setup</summary>
    internal async Task<IResult> PostAsync(HttpContext http)
    {
        bool? yaml = IsYaml(http.Request);
        if (yaml is null)
        {
            return Problems.MediaType(http.Request.ContentType, "application/yaml or application/json");
        }

        (Setup? setup, Problem? problem) = await ReadAsync(http, yaml.Value);
        return setup is null ? problem! : ToApi(await shard.SetUpAsync(setup, CancellationToken.None));
    }

    private async ValueTask<(Setup? Setup, Problem? Problem)> ReadAsync(HttpContext http, bool yaml)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, inFlight, ServerLimits.CommandBytes);
        if (body.Problem is not null)
        {
            return (null, body.Problem);
        }

        (Setup? setup, Problem? problem) = yaml
            ? ParseYaml(body.Bytes.Span)
            : CommandBody.Parse(body.Bytes.Span, SetupJson.Default.Setup);
        return (setup is { By.Length: 0 } ? setup with { By = UnnamedSender } : setup, problem);
    }

    private static (Setup? Setup, Problem? Problem) ParseYaml(ReadOnlySpan<byte> yaml)
    {
        try
        {
            return (SetupYaml.Parse(Encoding.UTF8.GetString(yaml), UnnamedSender), null);
        }
        catch (YamlFileException fault)
        {
            return (null, Problems.Malformed(fault.Message));
        }
    }

    private static IResult ToApi(SetupResult result) => result.Status == SetupStatus.Refused
        ? Problems.Refused("The setup was refused whole. Mend what 'faults' names, then send it again.") with
        {
            Extra = json =>
            {
                json.WriteStartArray("faults");
                foreach (string fault in result.Faults)
                {
                    json.WriteStringValue(fault);
                }

                json.WriteEndArray();
            },
        }
        : Results.Json(new SetupAnswer(result.Status == SetupStatus.Done ? "done" : "exists"), CommandBody.Json);

    private static bool? IsYaml(HttpRequest request)
    {
        bool read = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type);
        return (read ? type!.MediaType.Value?.ToLowerInvariant() : null) switch
        {
            "application/yaml" or "application/x-yaml" or "text/yaml" => true,
            "application/json" => false,
            _ => null,
        };
    }
}
