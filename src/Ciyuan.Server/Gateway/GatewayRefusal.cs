using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>Why the gateway itself refuses a call.</summary>
internal enum RefusalKind
{
    /// <summary>The body is not what the protocol asks for.</summary>
    Malformed,

    /// <summary>The body is larger than is taken.</summary>
    TooLarge,

    /// <summary>No key, or one that is not good.</summary>
    Key,

    /// <summary>The key may not do this.</summary>
    Permission,

    /// <summary>No such model here.</summary>
    Model,

    /// <summary>The money, or a budget, does not suffice.</summary>
    Funds,

    /// <summary>More calls or tokens than the key's limits allow.</summary>
    Rate,

    /// <summary>The gateway can't take the call now.</summary>
    Busy,

    /// <summary>No upstream answered.</summary>
    Upstream,

    /// <summary>An upstream did not answer in time.</summary>
    Time,

    /// <summary>A fault of the gateway's own.</summary>
    Internal,
}

/// <summary>A call that the gateway refuses, said in the caller's protocol.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Message">What is wrong, and what to do.</param>
internal sealed record GatewayRefusal(RefusalKind Kind, string Message)
{
    // It is never part of a page, so quotes need not be written as their numbers.
    private static readonly JsonWriterOptions Plain =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>After how many seconds trying again makes sense; 0: no such promise.</summary>
    internal int RetryAfterSeconds { get; init; }

    /// <summary>HTTP status.</summary>
    internal int Status => Kind switch
    {
        RefusalKind.Malformed => StatusCodes.Status400BadRequest,
        RefusalKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
        RefusalKind.Key => StatusCodes.Status401Unauthorized,
        RefusalKind.Permission => StatusCodes.Status403Forbidden,
        RefusalKind.Model => StatusCodes.Status404NotFound,
        RefusalKind.Funds => StatusCodes.Status402PaymentRequired,
        RefusalKind.Rate => StatusCodes.Status429TooManyRequests,
        RefusalKind.Busy => StatusCodes.Status503ServiceUnavailable,
        RefusalKind.Upstream => StatusCodes.Status502BadGateway,
        RefusalKind.Time => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>Writes the refusal as the protocol writes its errors.</summary>
    internal Task WriteAsync(HttpContext http, UpstreamProtocol protocol)
    {
        var body = new ArrayBufferWriter<byte>(512);
        Write(body, protocol);
        HttpResponse response = http.Response;
        response.StatusCode = Status;
        response.ContentType = "application/json";
        response.ContentLength = body.WrittenCount;
        if (RetryAfterSeconds > 0)
        {
            response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        }

        return response.Body.WriteAsync(body.WrittenMemory, http.RequestAborted).AsTask();
    }

    /// <summary>Writes the body as the protocol writes its errors.</summary>
    internal void Write(IBufferWriter<byte> to, UpstreamProtocol protocol)
    {
        using var json = new Utf8JsonWriter(to, Plain);
        switch (protocol)
        {
            case UpstreamProtocol.Anthropic:
                WriteAnthropic(json);
                break;
            case UpstreamProtocol.Gemini:
                WriteGemini(json);
                break;
            default:
                WriteOpenAI(json);
                break;
        }
    }

    private void WriteOpenAI(Utf8JsonWriter json)
    {
        (string type, string? code) = Kind switch
        {
            RefusalKind.Key => ("invalid_request_error", "invalid_api_key"),
            RefusalKind.Permission => ("invalid_request_error", "permission_denied"),
            RefusalKind.Model => ("invalid_request_error", "model_not_found"),
            RefusalKind.Funds => ("insufficient_quota", "insufficient_quota"),
            RefusalKind.Rate => ("rate_limit_error", "rate_limit_exceeded"),
            RefusalKind.Malformed or RefusalKind.TooLarge => ("invalid_request_error", null),
            RefusalKind.Time => ("server_error", "upstream_timeout"),
            _ => ("server_error", (string?)null),
        };
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("message", Message);
        json.WriteString("type", type);
        json.WriteNull("param");
        json.WriteString("code", code);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteAnthropic(Utf8JsonWriter json)
    {
        string type = Kind switch
        {
            RefusalKind.Key => "authentication_error",
            RefusalKind.Permission => "permission_error",
            RefusalKind.Model => "not_found_error",
            RefusalKind.Funds => "billing_error",
            RefusalKind.Rate => "rate_limit_error",
            RefusalKind.Malformed => "invalid_request_error",
            RefusalKind.TooLarge => "request_too_large",
            RefusalKind.Busy => "overloaded_error",
            RefusalKind.Time => "timeout_error",
            _ => "api_error",
        };
        json.WriteStartObject();
        json.WriteString("type", "error");
        json.WriteStartObject("error");
        json.WriteString("type", type);
        json.WriteString("message", Message);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteGemini(Utf8JsonWriter json)
    {
        string status = Kind switch
        {
            RefusalKind.Key => "UNAUTHENTICATED",
            RefusalKind.Permission => "PERMISSION_DENIED",
            RefusalKind.Model => "NOT_FOUND",
            RefusalKind.Funds or RefusalKind.Rate => "RESOURCE_EXHAUSTED",
            RefusalKind.Malformed or RefusalKind.TooLarge => "INVALID_ARGUMENT",
            RefusalKind.Busy or RefusalKind.Upstream => "UNAVAILABLE",
            RefusalKind.Time => "DEADLINE_EXCEEDED",
            _ => "INTERNAL",
        };
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteNumber("code", Status);
        json.WriteString("message", Message);
        json.WriteString("status", status);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
