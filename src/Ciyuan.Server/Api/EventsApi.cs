using System.Buffers;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Text.Json;
using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Ciyuan.Server.Api;

/// <summary>Usage events in. A request is acknowledged when all of it is durable; sent again, it does
/// nothing.</summary>
internal sealed class EventsApi(Shard shard, InFlight inFlight)
{
    /// <summary>Content types that are taken.</summary>
    internal const string MediaTypes =
        "application/json, application/x-ndjson, application/cloudevents+json, application/cloudevents-batch+json, "
        + ResponseType + " or " + ResponseLinesType;

    /// <summary>Raw responses of providers: one, or an array.</summary>
    internal const string ResponseType = "application/vnd.ciyuan.response+json";

    /// <summary>Raw responses of providers: one on each line.</summary>
    internal const string ResponseLinesType = "application/vnd.ciyuan.response+x-ndjson";

    private static readonly int MostKeptBatches = Environment.ProcessorCount;

    private readonly ConcurrentQueue<EventBatch> _kept = [];

    /// <summary>POST /v1/events</summary>
    internal async Task PostAsync(
        HttpContext http,
        [FromQuery(Name = "brief"), Description("1: leaves out the results of events that were posted without a "
            + "remark; the "
            + "others say their index.")] string? brief)
    {
        if (FindFormat(http.Request) is not { } format)
        {
            await Problems.MediaType(http.Request.ContentType, MediaTypes).ExecuteAsync(http);
            return;
        }

        EventBatch batch = _kept.TryDequeue(out EventBatch? kept) ? kept : new EventBatch();
        try
        {
            Problem? problem = await ReadAsync(http, format, batch);
            problem ??= inFlight.TryWait() ? null : Problems.Busy("As many requests as may wait for the journal do "
                + "so.");
            await (problem?.ExecuteAsync(http) ?? RecordAsync(http, batch, brief == "1"));
        }
        finally
        {
            batch.Clear();
            if (_kept.Count < MostKeptBatches)
            {
                _kept.Enqueue(batch);
            }
        }
    }

    private async ValueTask<Problem?> ReadAsync(HttpContext http, EventFormat format, EventBatch batch)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, inFlight, ServerLimits.BodyBytes);
        return body.Problem ?? batch.Read(body.Bytes.Span, format);
    }

    private async Task RecordAsync(HttpContext http, EventBatch batch, bool brief)
    {
        UsageReply[] replies;
        try
        {
            // The whole request has come. From here on it is done whether or not the client is still there.
            replies = batch.Records.Count == 0 ? [] : await shard.RecordAsync(batch.Records, CancellationToken.None);
        }
        finally
        {
            inFlight.EndWait();
        }

        await (batch.IsSingle
            ? AnswerSingleAsync(http, batch, replies)
            : AnswerBatchAsync(http, batch, replies, brief));
    }

    private static async Task AnswerBatchAsync(HttpContext http, EventBatch batch, UsageReply[] replies, bool brief)
    {
        http.Response.ContentType = "application/json";
        EventAnswer.Write(http.Response.BodyWriter, batch, replies, brief);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    private static async Task AnswerSingleAsync(HttpContext http, EventBatch batch, UsageReply[] replies)
    {
        string? fault = batch.Faults[0];
        UsageReply reply = fault is null ? replies[0] : default;
        if (reply.Status is UsageStatus.Posted or UsageStatus.Exists)
        {
            http.Response.ContentType = "application/json";
            EventAnswer.WriteResult(http.Response.BodyWriter, reply, null, -1);
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
            return;
        }

        var result = new ArrayBufferWriter<byte>();
        EventAnswer.WriteResult(result, reply, fault, -1);
        Problem problem = fault is not null
            ? Problems.Malformed($"The event was rejected: {fault}.")
            : Problems.Conflict("Another event was recorded under this source and id. This one is kept aside and not "
                + "posted; send it under an id of its own if it is another call.");
        await (problem with { Extra = json => WriteRaw(json, "result", result) }).ExecuteAsync(http);
    }

    private static void WriteRaw(Utf8JsonWriter json, string name, ArrayBufferWriter<byte> value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value.WrittenSpan);
    }

    private static EventFormat? FindFormat(HttpRequest request)
    {
        // A CloudEvent in the binary mode has its attributes in headers, which would be lost here.
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            || request.Headers.ContainsKey("ce-id")
            || !(type.Charset.Length == 0 || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return null;
        }

        return type.MediaType.Value?.ToLowerInvariant() switch
        {
            "application/json" => EventFormat.Usage,
            "application/x-ndjson" => EventFormat.UsageLines,
            "application/cloudevents+json" => EventFormat.CloudEvent,
            "application/cloudevents-batch+json" => EventFormat.CloudEventBatch,
            ResponseType => EventFormat.Response,
            ResponseLinesType => EventFormat.ResponseLines,
            _ => null,
        };
    }
}
