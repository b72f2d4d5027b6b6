using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Api;

/// <summary>Reads the JSON body of a command.</summary>
internal static class CommandBody
{
    /// <summary>How commands and answers are written: snake case, and nothing that isn't known is dropped
    /// silently.</summary>
    internal static JsonSerializerOptions Json { get; } = Configure(new JsonSerializerOptions());

    /// <summary>Sets options as <see cref="Json"/> has them.</summary>
    internal static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.PropertyNameCaseInsensitive = false;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.MaxDepth = ServerLimits.JsonDepth;
        options.AllowDuplicateProperties = false;
        options.AllowOutOfOrderMetadataProperties = true;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver();
        return options;
    }

    /// <summary>Reads the body; a problem instead of a value when it is not such a command.</summary>
    internal static async ValueTask<(T? Value, Problem? Problem)> ReadAsync<T>(HttpContext http, InFlight inFlight)
        where T : class
    {
        if (!http.Request.HasJsonContentType())
        {
            return (null, Problems.MediaType(http.Request.ContentType, "application/json"));
        }

        using RequestBody body = await RequestBody.ReadAsync(http, inFlight, ServerLimits.CommandBytes);
        return body.Problem is { } problem
            ? (null, problem)
            : Parse(body.Bytes.Span, (JsonTypeInfo<T>)Json.GetTypeInfo(typeof(T)));
    }

    /// <summary>Reads a command.</summary>
    internal static (T? Value, Problem? Problem) Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return HasNull(json)
                ? (null, Problems.Malformed("The body has a null. Leave out a field that is not there, and an entry "
                    + "of a list too."))
                : (JsonSerializer.Deserialize(json, type)!, null);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return (null, Problems.Malformed(Explain(e as JsonException)));
        }
    }

    // A null deep in a list would pass as a value and break an invariant of the engine.
    private static bool HasNull(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ServerLimits.JsonDepth });
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Null)
            {
                return true;
            }
        }

        return false;
    }

    // The serializer's own words name types of this program; only the names of missing fields are taken from them.
    private static string Explain(JsonException? fault)
    {
        const string Missing = "missing required properties including: ";
        int missing = fault?.Message.IndexOf(Missing, StringComparison.Ordinal) ?? -1;
        if (missing >= 0)
        {
            string names = fault!.Message[(missing + Missing.Length)..].Split(". Path")[0].TrimEnd('.');
            return $"{fault.Path}: {names} must be there.";
        }

        string where = fault?.LineNumber is { } line
            ? $" (line {line + 1}, byte {fault.BytePositionInLine})"
            : "";
        return $"{fault?.Path ?? "$"}: not JSON, or not a field or value that belongs here{where}. "
            + "GET /openapi/v1.json shows the form.";
    }
}
