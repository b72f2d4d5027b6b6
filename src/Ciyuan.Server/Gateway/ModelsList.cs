using System.Buffers;
using System.Text.Json;
using Ciyuan.Parties;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>Lists the models that a key may use, as the caller's protocol lists them.</summary>
internal static class ModelsList
{
    private const string Owner = "ciyuan";

    /// <summary>Writes the list, or the one model that the path names; a refusal when there is none such.</summary>
    internal static async Task<GatewayRefusal?> WriteAsync(
        HttpContext http, CallRoute route, UpstreamProtocol protocol, IEnumerable<string> models)
    {
        string[] wanted = [.. models.Where(m => route.Model.Length == 0 || m == route.Model)];
        if (route.Model.Length > 0 && wanted.Length == 0)
        {
            return new GatewayRefusal(RefusalKind.Model, $"There is no model '{route.Model}' here.");
        }

        var body = new ArrayBufferWriter<byte>(1_024);
        using (var json = new Utf8JsonWriter(body))
        {
            if (route.Model.Length > 0)
            {
                WriteModel(json, protocol, wanted[0]);
            }
            else
            {
                WriteList(json, protocol, wanted);
            }
        }

        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.WrittenCount;
        await http.Response.Body.WriteAsync(body.WrittenMemory, http.RequestAborted);
        return null;
    }

    private static void WriteList(Utf8JsonWriter json, UpstreamProtocol protocol, string[] models)
    {
        json.WriteStartObject();
        if (protocol == UpstreamProtocol.OpenAI)
        {
            json.WriteString("object", "list");
        }

        json.WriteStartArray(protocol == UpstreamProtocol.Gemini ? "models" : "data");
        foreach (string model in models)
        {
            WriteModel(json, protocol, model);
        }

        json.WriteEndArray();
        if (protocol == UpstreamProtocol.Anthropic)
        {
            json.WriteBoolean("has_more", false);
            json.WriteString("first_id", models.FirstOrDefault());
            json.WriteString("last_id", models.LastOrDefault());
        }

        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, UpstreamProtocol protocol, string model)
    {
        json.WriteStartObject();
        switch (protocol)
        {
            case UpstreamProtocol.Anthropic:
                json.WriteString("type", "model");
                json.WriteString("id", model);
                json.WriteString("display_name", model);
                json.WriteString("created_at", "1970-01-01T00:00:00Z");
                break;
            case UpstreamProtocol.Gemini:
                json.WriteString("name", "models/" + model);
                json.WriteString("displayName", model);
                json.WriteStartArray("supportedGenerationMethods");
                json.WriteStringValue("generateContent");
                json.WriteStringValue("streamGenerateContent");
                json.WriteStringValue("countTokens");
                json.WriteEndArray();
                break;
            default:
                json.WriteString("id", model);
                json.WriteString("object", "model");
                json.WriteNumber("created", 0);
                json.WriteString("owned_by", Owner);
                break;
        }

        json.WriteEndObject();
    }
}
