using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
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
    /// <summary>Media types of YAML.</summary>
    internal static readonly string[] YamlTypes = ["application/yaml", "application/x-yaml", "text/yaml"];

    /// <summary>Who makes a change that does not say so.</summary>
    private const string UnnamedSender = "http";

    private static readonly JsonSerializerOptions Readable =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>POST /v1/setup</summary>
    internal async Task<IResult> PostAsync(HttpContext http)
    {
        bool? yaml = IsYaml(http.Request);
        if (yaml is null)
        {
            return Problems.MediaType(http.Request.ContentType, "application/yaml or application/json");
        }

        (Setup? setup, Problem? problem) = await ReadAsync(http, yaml.Value);
        if (setup?.Users is not null)
        {
            // On loopback there is no token: who may sign in, and as what, must not depend on who uses the machine.
            return Problems.Refused("users: are changed in the console, or by `ciyuan setup` on the data folder.");
        }

        return setup is null ? problem! : ToApi(await shard.SetUpAsync(setup, CancellationToken.None));
    }

    private async ValueTask<(Setup? Setup, Problem? Problem)> ReadAsync(HttpContext http, bool yaml)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, inFlight, ServerLimits.CommandBytes);
        if (body.Problem is not null)
        {
            return (null, body.Problem);
        }

        return yaml ? ParseYaml(Encoding.UTF8.GetString(body.Bytes.Span)) : ParseJson(body.Bytes);
    }

    // JSON is YAML, so one strict reader serves both; what JSON alone has (tabs, pairs of escapes) is written out
    // first.
    private static (Setup? Setup, Problem? Problem) ParseJson(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(
                json, new JsonDocumentOptions { MaxDepth = ServerLimits.JsonDepth, AllowDuplicateProperties = false });
            bool plain = !json.Span.ContainsAny((byte)'\t', (byte)'\\');
            return ParseYaml(plain ? Encoding.UTF8.GetString(json.Span) : JsonSerializer.Serialize(document, Readable));
        }
        catch (JsonException fault)
        {
            return (null, Problems.Malformed($"Not JSON at line {fault.LineNumber + 1}, byte "
                + $"{fault.BytePositionInLine}."));
        }
    }

    private static (Setup? Setup, Problem? Problem) ParseYaml(string yaml)
    {
        try
        {
            return (SetupYaml.Parse(yaml, UnnamedSender), null);
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
        string name = read ? type!.MediaType.Value!.ToLowerInvariant() : "";
        return YamlTypes.Contains(name) ? true : name == "application/json" ? false : null;
    }
}
