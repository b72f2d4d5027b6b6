using System.Text.Json;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Ciyuan.Server.Api;

/// <summary>A refusal as RFC 9457 has it: what is wrong, and what to do.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Stable name of the kind of problem; the last part of the type URI.</param>
/// <param name="Detail">What is wrong in this request, and what to do.</param>
internal sealed record Problem(int Status, string Code, string Detail) : IResult
{
    /// <summary>Media type of a problem.</summary>
    internal const string MediaType = "application/problem+json";

    /// <summary>After how many seconds trying again makes sense; 0: no such promise.</summary>
    internal int RetryAfterSeconds { get; init; }

    /// <summary>Writes further members.</summary>
    internal Action<Utf8JsonWriter>? Extra { get; init; }

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = MediaType;
        if (RetryAfterSeconds > 0)
        {
            response.Headers.RetryAfter = RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        using (var json = new Utf8JsonWriter(response.BodyWriter))
        {
            json.WriteStartObject();
            json.WriteString("type", "urn:ciyuan:problem:" + Code);
            json.WriteString("title", ReasonPhrases.GetReasonPhrase(Status));
            json.WriteNumber("status", Status);
            json.WriteString("detail", Detail);
            Extra?.Invoke(json);
            json.WriteEndObject();
        }

        await response.BodyWriter.FlushAsync(httpContext.RequestAborted);
    }
}

/// <summary>Every way in which a request can be refused, and its HTTP status.</summary>
internal static class Problems
{
    private const int SecondsUntilSpace = 30;

    internal static Problem Malformed(string detail) => new(StatusCodes.Status400BadRequest, "malformed", detail);

    internal static Problem TooManyWatchers => new(
        StatusCodes.Status429TooManyRequests, "too-many-watchers",
        $"{Watch.LiveCalls.MostWatchers} watch calls already. End one of them first.")
    { RetryAfterSeconds = SecondsUntilSpace };

    internal static Problem TokenRequired => new(
        StatusCodes.Status401Unauthorized, "token-required", "Send the server's token: Authorization: Bearer TOKEN.");

    internal static Problem ForeignHost => new(
        StatusCodes.Status421MisdirectedRequest, "foreign-host",
        "Without a token the server answers only requests to localhost, 127.0.0.1 or [::1], and none through a proxy. "
            + "Use one of these, or set a token.");

    internal static Problem TooManyBytes(long most) => new(
        StatusCodes.Status413PayloadTooLarge, "too-many-bytes",
        $"The body is larger than {most} bytes. Send the events in several requests.");

    internal static Problem BillTooLarge => new(
        StatusCodes.Status413PayloadTooLarge, "too-many-bytes",
        $"The bill is larger than {ServerLimits.BillBytes} bytes. Take a shorter period, or 'ciyuan reconcile'.");

    internal static Problem InflatesTooFar => new(
        StatusCodes.Status413PayloadTooLarge, "inflates-too-far",
        $"The gzip body unpacks to more than {ServerLimits.InflatedBytes} bytes or more than "
            + $"{ServerLimits.InflatedRatio} "
        + "times its size. Send the events in several requests.");

    internal static Problem TooManyEvents => new(
        StatusCodes.Status413PayloadTooLarge, "too-many-events",
        $"More than {ServerLimits.Events} events in one request; none was taken. Send them in several requests.");

    internal static Problem MediaType(string? given, string expected) => new(
        StatusCodes.Status415UnsupportedMediaType, "media-type",
        $"Content-Type '{Shorten(given)}' is not taken here. Send {expected}.");

    internal static Problem Encoding(string given) => new(
        StatusCodes.Status415UnsupportedMediaType, "content-encoding",
        $"Content-Encoding '{Shorten(given)}' is not taken. Send gzip, or none.");

    internal static Problem Busy(string what) => new(
        StatusCodes.Status429TooManyRequests, "busy", $"{what} Nothing was taken; send the same request again.")
    {
        RetryAfterSeconds = 1,
    };

    internal static Problem NotFound(string detail) => new(StatusCodes.Status404NotFound, "not-found", detail);

    internal static Problem Conflict(string detail) => new(StatusCodes.Status409Conflict, "conflict", detail);

    internal static Problem Refused(string detail) => new(StatusCodes.Status422UnprocessableEntity, "refused", detail);

    /// <summary>For a status that the routing set without a body.</summary>
    internal static Problem ForStatus(int status) => status switch
    {
        StatusCodes.Status404NotFound => NotFound("There is nothing at this path. GET /openapi/v1.json lists the "
            + "paths."),
        StatusCodes.Status405MethodNotAllowed => new(
            status, "method", "This path does not take this method; the Allow header names those it takes."),
        StatusCodes.Status415UnsupportedMediaType => new(
            status, "media-type", "This path does not take this Content-Type. GET /openapi/v1.json says which it "
                + "takes."),
        _ => new Problem(status, "http", ReasonPhrases.GetReasonPhrase(status) + "."),
    };

    /// <summary>For an exception that ended a request; null when it is a fault of the server's own.</summary>
    internal static Problem? ForException(Exception exception) => exception switch
    {
        StorageFullException => new Problem(
            StatusCodes.Status507InsufficientStorage, "storage-full",
            "The disk of the data folder is full; nothing was taken. Free some space, then send the same request "
                + "again.")
        {
            RetryAfterSeconds = SecondsUntilSpace,
        },
        JournalFaultedException => new Problem(
            StatusCodes.Status503ServiceUnavailable, "journal-faulted",
            "The journal failed and takes nothing more; this request was not acknowledged. Find the cause in the "
                + "server's "
            + "log, restart the server, then send the same request again: what was taken is not taken twice."),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            TooManyBytes(ServerLimits.BodyBytes),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => new Problem(
            StatusCodes.Status408RequestTimeout, "too-slow", "The body came too slowly; nothing was taken. Send it "
                + "again."),
        BadHttpRequestException bad => new Problem(bad.StatusCode, "malformed", "The request is not sound HTTP."),
        _ => null,
    };

    /// <summary>For a fault of the server's own: no more than that it happened.</summary>
    internal static Problem Internal => new(
        StatusCodes.Status500InternalServerError, "internal",
        "The server failed. Its log has the cause. Send the same request again: what was taken is not taken twice.");

    private static string Shorten(string? given) => given is { Length: > 80 } ? given[..80] + "…" : given ?? "";
}
