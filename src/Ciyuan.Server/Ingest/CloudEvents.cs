using System.Text;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>
/// Reads CloudEvents 1.0 in structured JSON. The data is either the fields of a usage record, or the short form that
/// counts tokens of one type. Source, id and time come from the envelope, the party from the subject; where envelope
/// and data differ, the event is refused. docs/INGEST.md describes it.
/// </summary>
/// <remarks>Not safe for several threads: each has its own.</remarks>
public sealed class CloudEvents
{
    // The event, its data, and the maps in the data.
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 3 };

    private readonly UsageJson _usage = new();
    private readonly RecordBuilder _builder = new();
    private readonly TokensData _tokens = new();
    private readonly string?[] _envelope = new string?[(int)Attribute.Unknown];
    private Range? _data;

    private enum Attribute
    {
        SpecVersion,
        Id,
        Source,
        Type,
        Subject,
        Time,
        DataContentType,
        DataSchema,
        TraceParent,
        TraceState,
        Data,
        Unknown,
    }

    /// <summary>Reads one event.</summary>
    /// <param name="json">One JSON object in the structured content mode.</param>
    /// <param name="received">Stands for the time of an event that says none; null refuses such an event, as an import
    /// must, because reading the file again has to give the same records.</param>
    /// <param name="record">The record; null when refused.</param>
    /// <param name="fault">Why it was refused.</param>
    /// <returns>False when refused.</returns>
    public bool TryParse(ReadOnlySpan<byte> json, Timestamp? received, out UsageRecord? record, out IngestFault fault)
    {
        record = null;
        _builder.Reset();
        _tokens.Reset();
        Array.Clear(_envelope);
        _data = null;
        bool done = TryReadEnvelope(json) && TryReadData(json) && TryMerge(received) && _builder.TryBuild(out record);
        fault = _builder.Fault;
        return done;
    }

    private bool TryReadEnvelope(ReadOnlySpan<byte> json)
    {
        if (json.Length > UsageJson.MaxBytes)
        {
            return _builder.Refuse(IngestCode.TooLong, "", $"an event has at most {UsageJson.MaxBytes} bytes");
        }

        try
        {
            var reader = new Utf8JsonReader(json, ReaderOptions);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return _builder.Refuse(IngestCode.NotJson, "", "must be a JSON object");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (!TryReadAttribute(ref reader))
                {
                    return false;
                }
            }

            return !reader.Read() && TryCheckEnvelope();
        }
        catch (JsonException broken)
        {
            return _builder.Refuse(IngestCode.NotJson, "", $"is not JSON at byte {broken.BytePositionInLine}");
        }
        catch (InvalidOperationException)
        {
            return _builder.Refuse(
                IngestCode.NotJson, "", "has text that is not UTF-8, or half of an escaped character");
        }
    }

    private bool TryReadAttribute(ref Utf8JsonReader reader)
    {
        string name = reader.GetString()!;
        Attribute attribute = Find(name);
        reader.Read();
        if (attribute == Attribute.Unknown)
        {
            return _builder.Refuse(IngestCode.UnknownField, Shorten(name), name == "data_base64"
                ? "is not read: send data as JSON"
                : "is not an attribute that is kept: put it under tags in data");
        }

        if (_envelope[(int)attribute] is not null || (attribute == Attribute.Data && _data is not null))
        {
            return _builder.Refuse(IngestCode.Duplicate, name, "is given twice");
        }

        if (attribute == Attribute.Data)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return _builder.Refuse(IngestCode.BadValue, "data", "must be a JSON object");
            }

            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            _data = start..(int)reader.BytesConsumed;
            return true;
        }

        _envelope[(int)attribute] = reader.TokenType is JsonTokenType.String ? reader.GetString() : null;
        return reader.TokenType is JsonTokenType.String or JsonTokenType.Null
            || _builder.Refuse(IngestCode.BadValue, name, "must be a string");
    }

    private bool TryCheckEnvelope()
    {
        foreach (Attribute needed in (ReadOnlySpan<Attribute>)
            [Attribute.SpecVersion, Attribute.Id, Attribute.Source, Attribute.Type])
        {
            if (string.IsNullOrEmpty(_envelope[(int)needed]))
            {
                return _builder.Refuse(IngestCode.Missing, Name(needed), "is missing; CloudEvents 1.0 needs it");
            }
        }

        if (_envelope[(int)Attribute.SpecVersion] != "1.0")
        {
            return _builder.Refuse(IngestCode.Unsupported, "specversion", "must be 1.0");
        }

        string type = (_envelope[(int)Attribute.DataContentType] ?? "application/json").Split(';')[0].Trim();
        if (!type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && !type.EndsWith("+json", StringComparison.OrdinalIgnoreCase))
        {
            return _builder.Refuse(IngestCode.Unsupported, "datacontenttype", "must be application/json");
        }

        return _data is not null || _builder.Refuse(IngestCode.Missing, "data", "is missing; it holds the counts");
    }

    private bool TryReadData(ReadOnlySpan<byte> json)
    {
        if (!_usage.TryReadFields(json[_data!.Value], _builder, _tokens))
        {
            return _builder.Refuse(
                _builder.Fault.Code, _builder.Fault.Field.Length == 0 ? "data" : $"data.{_builder.Fault.Field}",
                _builder.Fault.Reason);
        }

        bool hasCounts = _builder.IsGiven(UsageField.Counts) || _builder.IsGiven(UsageField.Units);
        if (hasCounts == _tokens.IsGiven)
        {
            return _builder.Refuse(hasCounts ? IngestCode.Contradiction : IngestCode.Unsupported, "data", hasCounts
                ? "has counts twice: leave out tokens and type, or counts and units"
                : "has nothing that can be counted: counts, units, tokens with a type, or prompt_tokens");
        }

        return hasCounts || _tokens.TryAddCounts(_builder);
    }

    private bool TryMerge(Timestamp? received)
    {
        string id = _envelope[(int)Attribute.Id]!;
        if (_builder.Id.Length > 0 && _builder.Id != id)
        {
            return _builder.Refuse(IngestCode.Contradiction, "id", "differs between envelope and data");
        }

        if (!TryMergePart(UsageField.Source, _envelope[(int)Attribute.Source]!)
            || (_envelope[(int)Attribute.Subject] is { Length: > 0 } subject
                && !TryMergePart(UsageField.Party, subject))
            || !_builder.TrySetText(UsageField.Id, Encoding.UTF8.GetBytes(id)))
        {
            return false;
        }

        return TryMergeTime(received);
    }

    private bool TryMergePart(UsageField field, string outer)
    {
        ReadOnlySpan<byte> inner = _builder.Part(field);
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes(outer);
        return inner.IsEmpty
            ? _builder.TrySetText(field, bytes)
            : inner.SequenceEqual(bytes) || _builder.Refuse(IngestCode.Contradiction, field.Name(),
                "differs between envelope and data");
    }

    private bool TryMergeTime(Timestamp? received)
    {
        bool inData = _builder.IsGiven(UsageField.Time);
        Timestamp inner = _builder.Time;
        if (_envelope[(int)Attribute.Time] is not { } outer)
        {
            if (inData || received is not null)
            {
                _builder.SetTime(inData ? inner : received!.Value);
            }

            return true;
        }

        if (!_builder.TrySetText(UsageField.Time, Encoding.UTF8.GetBytes(outer)))
        {
            return false;
        }

        Timestamp time = _builder.Time;
        _builder.SetTime(time);
        return !inData || time == inner
            || _builder.Refuse(IngestCode.Contradiction, "time", "differs between envelope and data");
    }

    private static Attribute Find(string name) => name switch
    {
        "specversion" => Attribute.SpecVersion,
        "id" => Attribute.Id,
        "source" => Attribute.Source,
        "type" => Attribute.Type,
        "subject" => Attribute.Subject,
        "time" => Attribute.Time,
        "datacontenttype" => Attribute.DataContentType,
        "dataschema" => Attribute.DataSchema,
        "traceparent" => Attribute.TraceParent,
        "tracestate" => Attribute.TraceState,
        "data" => Attribute.Data,
        _ => Attribute.Unknown,
    };

    private static string Name(Attribute attribute) => attribute switch
    {
        Attribute.SpecVersion => "specversion",
        Attribute.Id => "id",
        Attribute.Source => "source",
        _ => "type",
    };

    private static string Shorten(string name) => name.Length <= 64 ? name : name[..64];
}
