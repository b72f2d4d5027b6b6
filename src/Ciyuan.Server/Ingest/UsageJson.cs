using System.Text;
using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>
/// Reads usage records from JSON in UTF-8, without a document tree and without a string for each property: what many
/// records share becomes the one kept <see cref="UsageContext"/>. docs/INGEST.md describes the format. Strict: an
/// unknown field, a field twice or a value with more digits than its meter has is refused, so nothing is dropped
/// silently.
/// </summary>
/// <remarks>Not safe for several threads: each has its own.</remarks>
public sealed class UsageJson
{
    /// <summary>Longest record in bytes (1 MiB): 32 tags and 64 counts of the greatest length are below 100
    /// KiB.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxDepth = 2; // the record and the maps in it

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    private readonly RecordBuilder _builder = new();
    private byte[] _unescaped = new byte[1024];

    /// <summary>Reads one record.</summary>
    /// <param name="json">One JSON object; white space around it is allowed.</param>
    /// <param name="record">The record, which has passed <see cref="UsageRecord.FindFault"/>; null when
    /// refused.</param>
    /// <param name="fault">Why it was refused.</param>
    /// <returns>False when refused.</returns>
    public bool TryParse(ReadOnlySpan<byte> json, out UsageRecord? record, out IngestFault fault)
    {
        record = null;
        _builder.Reset();
        bool done = TryReadFields(json, _builder, null) && _builder.TryBuild(out record);
        fault = _builder.Fault;
        return done;
    }

    /// <summary>Reads the fields of a record into a builder.</summary>
    /// <param name="json">One JSON object.</param>
    /// <param name="builder">Takes the fields, and the fault.</param>
    /// <param name="tokens">Takes the fields of the short form; null where they are unknown fields.</param>
    internal bool TryReadFields(ReadOnlySpan<byte> json, RecordBuilder builder, TokensData? tokens)
    {
        if (json.Length > MaxBytes)
        {
            return builder.Refuse(
                IngestCode.TooLong, "", $"a record has at most {MaxBytes} bytes, this has {json.Length}");
        }

        try
        {
            var reader = new Utf8JsonReader(json, ReaderOptions);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return builder.Refuse(IngestCode.NotJson, "", "must be a JSON object");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (!TryReadField(ref reader, builder, tokens))
                {
                    return false;
                }
            }

            return !reader.Read(); // throws when something follows the object
        }
        catch (JsonException broken)
        {
            return builder.Refuse(IngestCode.NotJson, "", $"is not JSON at byte {broken.BytePositionInLine}: "
                + "a quote, comma or bracket is missing or too many, or it is nested too deeply");
        }
        catch (InvalidOperationException)
        {
            // The reader's word for an escaped half of a surrogate pair, or for bytes that are not UTF-8.
            return builder.Refuse(
                IngestCode.NotJson, "", "has text that is not UTF-8, or half of an escaped character");
        }
    }

    private bool TryReadField(ref Utf8JsonReader reader, RecordBuilder builder, TokensData? tokens)
    {
        ReadOnlySpan<byte> name = Text(ref reader);
        UsageField field = UsageNames.FindField(name);
        if (field == UsageField.None && tokens is not null)
        {
            field = UsageNames.FindShortField(name);
        }

        if (field == UsageField.None)
        {
            string unknown = Name(name);
            return builder.Refuse(IngestCode.UnknownField, unknown, unknown is "response" or "events"
                ? "belongs to a raw response, which is sent as application/vnd.ciyuan.response+json, or imported with "
                    + "--as responses"
                : "is not a field of a usage record: put it under tags");
        }

        if (!builder.TryTake(field) || !reader.Read())
        {
            return false;
        }

        switch (field)
        {
            case UsageField.Counts or UsageField.Units or UsageField.Grades or UsageField.Tags:
                return TryReadMap(ref reader, builder, field);
            case UsageField.LatencyMs:
                return TryReadLatency(ref reader, builder);
            case >= UsageField.Tokens:
                return tokens!.TryTake(field, ref reader, builder);
            default:
                return TryReadText(ref reader, builder, field);
        }
    }

    private bool TryReadText(ref Utf8JsonReader reader, RecordBuilder builder, UsageField field) =>
        reader.TokenType switch
        {
            JsonTokenType.String => builder.TrySetText(field, Text(ref reader)),
            JsonTokenType.Null => builder.Forget(field),
            _ => builder.Refuse(IngestCode.BadValue, field.Name(), "must be a string"),
        };

    private static bool TryReadLatency(ref Utf8JsonReader reader, RecordBuilder builder)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return true;
        }

        bool whole = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out _);
        return builder.TrySetLatency(whole ? reader.GetInt64() : -1);
    }

    private bool TryReadMap(ref Utf8JsonReader reader, RecordBuilder builder, UsageField field)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return true;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return builder.Refuse(IngestCode.BadValue, field.Name(), "must be an object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            // The name's bytes are in the input, or (escaped) copied, because the value may need the one buffer.
            ReadOnlySpan<byte> name = reader.ValueIsEscaped ? Text(ref reader).ToArray() : reader.ValueSpan;
            reader.Read();
            if (!TryReadEntry(ref reader, builder, field, name))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryReadEntry(
        ref Utf8JsonReader reader, RecordBuilder builder, UsageField field, ReadOnlySpan<byte> name)
    {
        bool isText = reader.TokenType == JsonTokenType.String;
        bool isQuantity = field is UsageField.Counts or UsageField.Units;
        if (reader.TokenType == JsonTokenType.Null)
        {
            return true;
        }

        if (!isText && !(isQuantity && reader.TokenType == JsonTokenType.Number))
        {
            return builder.Refuse(IngestCode.BadValue, $"{field.Name()}.{Name(name)}",
                isQuantity ? "must be a number" : "must be a string");
        }

        ReadOnlySpan<byte> value = isText ? Text(ref reader) : reader.ValueSpan;
        return field switch
        {
            UsageField.Counts => builder.TryAddCount(name, value),
            UsageField.Units => builder.TryAddUnit(name, value),
            UsageField.Grades => builder.TryAddGrade(name, value),
            _ => builder.TryAddTag(name, value),
        };
    }

    /// <summary>The text of the present name or value; valid until the next call.</summary>
    private ReadOnlySpan<byte> Text(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }

        if (_unescaped.Length < reader.ValueSpan.Length)
        {
            _unescaped = new byte[reader.ValueSpan.Length]; // at most MaxBytes, since the whole input is
        }

        return _unescaped.AsSpan(0, reader.CopyString(_unescaped));
    }

    private static string Name(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)]);
}
