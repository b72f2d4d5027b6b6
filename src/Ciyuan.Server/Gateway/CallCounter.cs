using System.Buffers;
using System.IO.Compression;
using System.Text.Json;
using Ciyuan.Counting;
using Ciyuan.Parties;
using Ciyuan.Server.Watch;
using Ciyuan.Usage;

namespace Ciyuan.Server.Gateway;

/// <summary>What a call used, by the rules of docs/METERING.md.</summary>
/// <param name="Counts">Counts, graded.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Model">The model as the provider named it; empty when it did not.</param>
/// <param name="Tags">What the provider said beyond counts, and how the counts were come by.</param>
internal sealed record CallCount(Count[] Counts, Outcome Outcome, string Model, Tag[] Tags)
{
    /// <summary>Whether the provider said all of it, so that it can be compared with what is counted here.</summary>
    internal bool IsSaid { get; init; }
}

/// <summary>
/// Step 3, Count 计数: looks at an answer on its way. What the provider says is taken; where it says nothing, or the
/// answer broke off, the text that did come is measured. Never fails, whatever it is given.
/// </summary>
internal sealed class CallCounter : IDisposable
{
    private readonly Call _call;
    private readonly UsageReader? _reader;
    private readonly RecountModel? _model;
    private readonly AnswerText? _answer;
    private readonly TextMeter _text;
    private readonly SseReader _events = new();
    private StreamReading? _stream;
    private byte[] _whole = [];
    private int _wholeLength;
    private bool _wholeTooLong;
    private bool _saidError;
    private bool _modelSeen;
    private bool _listIsCut;
    private readonly string[] _packing;

    internal CallCounter(Call call, bool streams, string? encoding, RecountModel? model = null)
    {
        _call = call;
        _model = model;
        _answer = model is null ? null : new AnswerText(model);
        _text = new TextMeter(_answer);
        _reader = FindReader(call);
        _stream = streams ? (_reader ?? UsageReaders.Find("openai", "chat")!).OpenStream() : null;
        Streams = streams;
        _packing = Packing.Read(encoding);
    }

    /// <summary>Whether the answer came packed, though it was asked for plain.</summary>
    internal bool IsPacked => _packing.Length > 0;

    /// <summary>Whether the answer is a stream of events.</summary>
    internal bool Streams { get; }

    /// <summary>Whether the events of a stream are kept, up to <see cref="ContentLog.MostBytes"/>.</summary>
    internal bool KeepsEvents { private get; init; }

    /// <summary>Cuts the answer into events.</summary>
    internal SseReader Events => _events;

    /// <summary>What was kept of a whole answer.</summary>
    internal ReadOnlyMemory<byte> Whole => _whole.AsMemory(0, _wholeLength);

    /// <summary>The same, unpacked; empty when it is packed in an unknown way, or too large.</summary>
    internal ReadOnlyMemory<byte> PlainWhole => IsPacked ? Unpack() : Whole;

    /// <summary>Whether a whole answer is longer than what is kept.</summary>
    internal bool WholeIsTooLong => _wholeTooLong;

    /// <summary>What the upstream has said of its usage so far; null when there is none who could read it.</summary>
    internal UsageReading? Said() => Streams ? _stream!.Finish() : _reader?.Read(PlainWhole);

    /// <summary>Takes bytes of the answer.</summary>
    internal void Add(ReadOnlySpan<byte> bytes)
    {
        if (!Streams || IsPacked)
        {
            Keep(bytes);
            return;
        }

        AddEvents(bytes);
    }

    private void AddEvents(ReadOnlySpan<byte> bytes)
    {
        while (_events.TryRead(ref bytes, out ReadOnlySpan<byte> data))
        {
            AddEvent(data);
        }
    }

    /// <summary>Takes the data of an event.</summary>
    internal void AddEvent(ReadOnlySpan<byte> data)
    {
        // The events that end a part of a Responses answer tell the same text again.
        bool again = data.IndexOf("\"response."u8) >= 0 && data.IndexOf(".delta\""u8) < 0;
        if (!again)
        {
            _text.Add(data);
        }

        if (KeepsEvents && !IsPacked && _wholeLength + data.Length < ContentLog.MostBytes)
        {
            Keep(data);
            Keep("\n"u8);
        }

        _saidError |= SaysError(data);
        if (Matters(data))
        {
            _stream!.Add(data);
        }
    }

    // Of the many events that bring text only, none is worth the reader's parse.
    private bool Matters(ReadOnlySpan<byte> data)
    {
        bool first = !_modelSeen && data.IndexOf("\"model"u8) >= 0;
        _modelSeen |= first;
        return first
            || (data.IndexOf("usage"u8) >= 0 && data.IndexOf("\"usage\":null"u8) < 0)
            || (data.IndexOf("finish"u8) >= 0 && data.IndexOf("\"finish_reason\":null"u8) < 0)
            || data.IndexOf("DONE"u8) >= 0 || data.IndexOf("_stop"u8) >= 0 || data.IndexOf(".done"u8) >= 0
            || data.IndexOf("completed"u8) >= 0 || data.IndexOf("incomplete"u8) >= 0 || data.IndexOf("failed"u8) >= 0
            || data.IndexOf("blockReason"u8) >= 0;
    }

    /// <summary>Counts, once the answer is over.</summary>
    /// <param name="status">The upstream's status; 0 when none answered.</param>
    internal CallCount Finish(int status)
    {
        if (status is 0 or >= 400)
        {
            return WithoutAnswer(_call);
        }

        UsageReading? reading = Streams ? FinishStream() : ReadWhole();
        bool halfRead = !_call.AnswerIsWhole || _listIsCut
            || (Streams && (reading?.Outcome == Outcome.Cut || _saidError));
        bool failed = (_saidError || reading?.Outcome == Outcome.Failed) && !_text.HasText;
        Outcome outcome = failed ? Outcome.Failed
            : halfRead || _call.End != CallEnd.Whole ? Outcome.Cut
            : Outcome.Ok;
        string model = reading is { Model.Length: > 0 and <= UsageRecord.MaxNameLength } ? reading.Model : "";
        if (reading is { Refusal: null })
        {
            Count[] counts = halfRead ? RaiseOutput(reading.Counts) : reading.Counts;
            return new CallCount(counts, outcome, model, reading.Tags) { IsSaid = !halfRead };
        }

        return failed
            ? new CallCount([], outcome, model, [])
            : new CallCount(Estimate(), outcome, model, [new Tag("usage", "missing")]);
    }

    /// <summary>
    /// Counts call and answer from their text, for models whose vocabulary is known, and compares. It takes some time,
    /// and the client need not wait for it: neither the counts nor the price change, only how sure they are.
    /// </summary>
    internal CallCount Compare(CallCount count)
    {
        if (!count.IsSaid || count.Outcome == Outcome.Failed || _model is null)
        {
            return count;
        }

        bool hidden = !_answer!.HasReasoning && count.Counts.Any(c => c.Steps > 0 && c.Meter.IsTokens
            && c.Meter.TokenClass.Kind is TokenKind.Reasoning or TokenKind.RejectedPrediction);
        // What the model thought and did not show can't be counted here.
        Recounted? output = hidden || !_text.HasText ? null : Output;
        return Recount.Compare(count, _model.Input(_call.Spoken.Route, _call.Spoken.Body), output);
    }

    /// <summary>Tokens of the text that came.</summary>
    private Recounted Output => _output ??= _answer!.Finish(_call.Facts.Answers);

    private Recounted? _output;

    /// <summary>
    /// The count of a call that no upstream answered, or that it refused: nothing. One whose client left, or whose
    /// upstream took too long, may have been read by the model: its input is estimated.
    /// </summary>
    internal static CallCount WithoutAnswer(Call call)
    {
        bool maybeRead = call.End is CallEnd.ClientLeft or CallEnd.OutOfTime && call.Attempts > 0;
        Meter input = new TokenClass(Direction.Input, Modality.Text, TokenKind.Fresh);
        return new CallCount(
            maybeRead ? [new Count(input, EvidenceGrade.Estimated, call.Facts.EstimatedInput)] : [],
            call.End == CallEnd.ClientLeft ? Outcome.Cut : Outcome.Failed,
            "",
            []);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _events.Dispose();
        _answer?.Dispose();
        if (_whole.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_whole);
            _whole = [];
        }
    }

    /// <summary>The reader of a provider's own convention, or else that of the protocol.</summary>
    private static UsageReader? FindReader(Call call)
    {
        string provider = call.Served!.Upstream.Provider;
        CallRoute route = call.Spoken.Route;
        string[] flavours = route switch
        {
            { Protocol: UpstreamProtocol.Anthropic } => ["anthropic", "messages"],
            { Protocol: UpstreamProtocol.Gemini } => ["gemini"],
            { Kind: CallKind.ImageGeneration or CallKind.ImageEdit } => ["images"],
            { Kind: CallKind.Rerank } => ["rerank", "billed"],
            { Kind: CallKind.Completions } => ["completions", "chat"],
            _ => [route.Operation],
        };
        string fallback = route.Protocol switch
        {
            UpstreamProtocol.Anthropic => "anthropic",
            UpstreamProtocol.Gemini => "google",
            _ => route.Kind == CallKind.Rerank ? "cohere" : "openai",
        };
        foreach (string name in (string[])[provider, fallback])
        {
            foreach (string flavour in flavours)
            {
                if (UsageReaders.Find(name, flavour) is { } reader)
                {
                    return reader;
                }
            }
        }

        return null;
    }

    private UsageReading FinishStream()
    {
        if (IsPacked && !_wholeTooLong)
        {
            Packing.Unpack(Whole, _packing, GatewayLimits.CountedAnswerBytes, AddEvents);
        }

        ReadOnlySpan<byte> rest = _events.Rest();
        if (!rest.IsEmpty)
        {
            AddEvent(rest);
        }

        return _stream!.Finish();
    }

    private UsageReading? ReadWhole()
    {
        ReadOnlyMemory<byte> body = PlainWhole;
        body = body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body;
        if (_wholeTooLong || body.IsEmpty || _call.Spoken.Route.Kind == CallKind.CountTokens)
        {
            return _call.Spoken.Route.Kind == CallKind.CountTokens ? Nothing : null;
        }

        _text.Add(body.Span);
        _saidError = SaysError(body.Span);
        return body.Span.TrimStart(" \r\n\t"u8) is [(byte)'[', ..] ? ReadList(body) : ReadOne(body);
    }

    private UsageReading? ReadOne(ReadOnlyMemory<byte> body)
    {
        if (_reader is not null)
        {
            return _reader.Read(body);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return UsageReaders.Detect(document.RootElement)?.Read(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Gemini streams an array of answers when it isn't asked for events. Of one that broke off, the whole ones count.
    private UsageReading? ReadList(ReadOnlyMemory<byte> body)
    {
        _stream = (_reader ?? UsageReaders.Find("google", "gemini")!).OpenStream();
        try
        {
            var json = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = CallFacts.Depth });
            _ = json.Read();
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                int start = (int)json.TokenStartIndex;
                json.Skip();
                ReadOnlySpan<byte> one = body.Span[start..(int)json.BytesConsumed];
                _saidError |= SaysError(one);
                _stream.Add(one);
            }
        }
        catch (JsonException)
        {
            _listIsCut = true;
        }

        UsageReading reading = _stream.Finish();
        _listIsCut |= _saidError || reading.Outcome == Outcome.Cut;
        return reading;
    }

    /// <summary>What the text that came is worth goes before a count that was said before it came.</summary>
    private Count[] RaiseOutput(Count[] counts)
    {
        long said = counts.Where(c => c.Meter.IsTokens && c.Meter.TokenClass.Direction == Direction.Output)
            .Sum(c => c.Steps);
        (long measured, EvidenceGrade grade) = MeasureOutput(EvidenceGrade.Partial);
        if (measured <= said)
        {
            return counts;
        }

        // Which of them were thought rather than written is not known: all of the difference is plain text.
        Meter plain = new TokenClass(Direction.Output, Modality.Text, TokenKind.Fresh);
        long before = counts.Where(c => c.Meter == plain).Sum(c => c.Steps);
        return [.. counts.Where(c => c.Meter != plain)
            .Append(new Count(plain, grade, before + measured - said)).OrderBy(c => c.Meter)];
    }

    // By the model's vocabulary where it is known, else by the rule of thumb.
    private (long Tokens, EvidenceGrade Grade) MeasureOutput(EvidenceGrade ifCounted) => _answer is null
        ? (_text.Tokens, EvidenceGrade.Estimated)
        : (Output.Tokens, ifCounted);

    private Count[] Estimate()
    {
        Meter input = new TokenClass(Direction.Input, Modality.Text, TokenKind.Fresh);
        Meter output = new TokenClass(Direction.Output, Modality.Text, TokenKind.Fresh);
        bool isCut = !_call.AnswerIsWhole || _call.End != CallEnd.Whole;
        var counts = new List<Count>
        {
            _model?.Input(_call.Spoken.Route, _call.Spoken.Body) is { } recounted
                ? new(input, EvidenceGrade.Bounded, recounted.Tokens)
                : new(input, EvidenceGrade.Estimated, _call.Facts.EstimatedInput),
        };
        if (_text.HasText && _call.Spoken.Route.Writes)
        {
            (long tokens, EvidenceGrade grade) = MeasureOutput(
                isCut || Streams ? EvidenceGrade.Partial : EvidenceGrade.Bounded);
            counts.Add(new Count(output, grade, tokens));
        }

        if (_call.Spoken.Route.Kind is CallKind.ImageGeneration or CallKind.ImageEdit)
        {
            counts.Add(new Count(Meter.Image, EvidenceGrade.Estimated, _call.Facts.Answers));
        }

        return [.. counts];
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_wholeTooLong || _wholeLength + bytes.Length > GatewayLimits.CountedAnswerBytes)
        {
            _wholeTooLong = true;
            return;
        }

        if (_wholeLength + bytes.Length > _whole.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(
                Math.Max(_wholeLength + bytes.Length, Math.Max(4_096, _whole.Length * 2)));
            Whole.Span.CopyTo(larger);
            if (_whole.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_whole);
            }

            _whole = larger;
        }

        bytes.CopyTo(_whole.AsSpan(_wholeLength));
        _wholeLength += bytes.Length;
    }

    private ReadOnlyMemory<byte> Unpack()
    {
        var plain = new ArrayBufferWriter<byte>(64 * 1024);
        bool whole = Packing.Unpack(Whole, _packing, GatewayLimits.CountedAnswerBytes, bytes => plain.Write(bytes));
        return whole ? plain.WrittenMemory : default;
    }

    private static bool SaysError(ReadOnlySpan<byte> data)
    {
        if (data.IndexOf("\"error\""u8) < 0)
        {
            return false;
        }

        try
        {
            var json = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = CallFacts.Depth });
            while (json.Read())
            {
                if (json.CurrentDepth == 1 && json.TokenType == JsonTokenType.PropertyName)
                {
                    bool isError = json.ValueTextEquals("error"u8);
                    bool isType = json.ValueTextEquals("type"u8) || json.ValueTextEquals("object"u8);
                    _ = json.Read();
                    if ((isError && json.TokenType != JsonTokenType.Null)
                        || (isType && json.TokenType == JsonTokenType.String && json.ValueTextEquals("error"u8)))
                    {
                        return true;
                    }
                }
            }
        }
        catch (JsonException)
        {
            // Not JSON to its end; no error was said.
        }

        return false;
    }

    private static UsageReading Nothing { get; } =
        new() { Counts = [], Findings = [], Grade = EvidenceGrade.Reported, Tags = [] };
}
