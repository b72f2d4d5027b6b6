using System.Buffers;
using System.Text.Json;
using Ciyuan.Parties;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// An answer on its way from an upstream of one protocol to a caller of another. The counter looks at the upstream's
/// bytes as they are; what goes to the caller is made here, event by event, and at once. Kept is only what is open: one
/// event, or for Gemini's callers one call of a tool.
/// </summary>
internal sealed class TranslatedAnswer : IEventPass, IDisposable
{
    /// <summary>Header that names what was left out of the call.</summary>
    internal const string DroppedHeader = "x-ciyuan-dropped";

    /// <summary>Most characters of that header.</summary>
    private const int MostDropped = 2_000;

    private readonly Call _call;
    private readonly CallCounter _counter;
    private readonly AnswerReader _reader;
    private readonly AnswerWriter _writer;
    private int _tooLong;

    /// <summary>Begins.</summary>
    internal TranslatedAnswer(Call call, CallCounter counter)
    {
        (_call, _counter) = (call, counter);
        _reader = AnswerReader.Open(call.Spoken.Route.Protocol, call.Id, call.Spoken.ByTool);
        _writer = AnswerWriter.Open(call.Route.Protocol, call.Route.Kind, call.Facts.Streams, new AnswerFrame(
            call.Id, call.Start.UnixNanoseconds / 1_000_000_000, call.Facts.Model,
            () => AnswerUsage.From(counter.Said()))
        {
            AsksForUsage = call.Facts.AsksForUsage,
            AsEvents = call.AsksForEvents,
        });
    }

    /// <summary>Writes the headers that the caller may have: of the upstream's own, when to come again and its id of
    /// the call.</summary>
    internal static void ReturnHeaders(Call call, HttpResponseMessage from, HttpResponse to)
    {
        to.StatusCode = from.IsSuccessStatusCode ? StatusCodes.Status200OK : (int)from.StatusCode;
        bool events = from.IsSuccessStatusCode && call.Facts.Streams
            && (call.Route.Protocol != UpstreamProtocol.Gemini || call.AsksForEvents);
        to.ContentType = events ? "text/event-stream; charset=utf-8" : "application/json";
        if (from.Headers.NonValidated.TryGetValues("Retry-After", out var wait))
        {
            to.Headers.RetryAfter = wait.ToString();
        }

        foreach (string name in (string[])["request-id", "x-request-id"])
        {
            if (from.Headers.NonValidated.TryGetValues(name, out var id))
            {
                to.Headers[call.Route.Protocol == UpstreamProtocol.Anthropic ? "request-id" : "x-request-id"] =
                    id.ToString();
            }
        }

        string dropped = string.Join(", ", call.Spoken.Dropped);
        if (dropped.Length > 0)
        {
            to.Headers[DroppedHeader] = dropped.Length > MostDropped ? dropped[..MostDropped] + " ..." : dropped;
        }
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Pass(ReadOnlySpan<byte> input, SseReader events, CallCounter counter)
    {
        _writer.Output.ResetWrittenCount();
        while (events.TryRead(ref input, out ReadOnlySpan<byte> data))
        {
            // Step 3: Count, in what the upstream itself said.
            counter.AddEvent(data);
            if (events.TooLong > _tooLong)
            {
                _tooLong = events.TooLong;
                _writer.Write(AnswerEvent.Failed(RefusalKind.Upstream, "The upstream sent an event that is too long."));
            }

            Take(_reader.ReadEvent(data));
        }

        return _writer.Output.WrittenMemory;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Rest()
    {
        _writer.Output.ResetWrittenCount();
        if (_call.AnswerIsWhole)
        {
            Take(_reader.ReadEvent(_counter.Events.Rest())); // an upstream may forget the empty line after the last
        }

        End();
        return _writer.Output.WrittenMemory;
    }

    /// <summary>The body for the caller, of an answer that came in one piece.</summary>
    internal ReadOnlyMemory<byte> Whole(int status)
    {
        HttpResponse response = _call.Http.Response;
        if (status is < 200 or >= 300)
        {
            return Fail(AnswerErrors.Read(status, _counter.PlainWhole));
        }

        if (_counter.WholeIsTooLong || _counter.Whole.IsEmpty)
        {
            return Fail(AnswerEvent.Failed(
                RefusalKind.Upstream, "The upstream's answer is too long to be carried over, or empty."));
        }

        if (_call.Route.Kind == CallKind.CountTokens)
        {
            return WriteCount();
        }

        Take(_reader.ReadWhole(_counter.PlainWhole.Span));
        End();
        if (_writer.Error is { } error)
        {
            response.StatusCode = AnswerErrors.StatusOf(error);
        }

        return _writer.Output.WrittenMemory;
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private void Take(IReadOnlyList<AnswerEvent> found)
    {
        foreach (AnswerEvent one in found)
        {
            _writer.Write(one);
        }
    }

    private void End()
    {
        if (!_reader.IsComplete)
        {
            _writer.Write(AnswerEvent.Failed(RefusalKind.Upstream, "The upstream broke off within its answer."));
        }

        _writer.End();
    }

    private ReadOnlyMemory<byte> Fail(AnswerEvent error)
    {
        HttpResponse response = _call.Http.Response;
        response.StatusCode = AnswerErrors.StatusOf(error);
        response.ContentType = "application/json";
        return AnswerErrors.Write(error, _call.Route.Protocol);
    }

    private ReadOnlyMemory<byte> WriteCount()
    {
        bool toAnthropic = _call.Route.Protocol == UpstreamProtocol.Anthropic;
        string said = _call.Spoken.Route.Protocol == UpstreamProtocol.Anthropic ? "input_tokens" : "totalTokens";
        try
        {
            using JsonDocument document = JsonDocument.Parse(_counter.Whole, JsonText.Reading);
            long tokens = Node.Top(document.RootElement).Find(said)?.Whole ?? 0; // Gemini leaves out a zero
            var body = new ArrayBufferWriter<byte>(64);
            using (Utf8JsonWriter json = JsonText.Open(body))
            {
                json.WriteStartObject();
                json.WriteNumber(toAnthropic ? "input_tokens" : "totalTokens", tokens);
                json.WriteEndObject();
            }

            return body.WrittenMemory;
        }
        catch (Exception fault) when (fault is JsonException or UncarriedException)
        {
            return Fail(AnswerEvent.Failed(RefusalKind.Upstream, "The upstream's count can't be read."));
        }
    }
}
