using System.Text;
using System.Text.Json;
using Ciyuan.Counting;

namespace Ciyuan.Server.Ingest;

/// <summary>Cuts a file of raw responses into its responses: one JSON document over any number of lines, an array of
/// them, one on each line, or the server-sent events of one streamed response. Neighbours in an array that have the
/// same <c>responseId</c> are parts of one: Google's stream without server-sent events.</summary>
public static class ResponseFile
{
    /// <summary>Most bytes of a file that is held whole.</summary>
    public const int MaxBytes = 64 << 20;

    private const int MaxResponses = 500_000; // a response that counts anything has more than 130 bytes

    /// <summary>Reads each response of a file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="isSse">Whether it holds server-sent events.</param>
    /// <param name="constants">What the responses don't say.</param>
    /// <returns>For each its number from 1, and what it says or why not.</returns>
    public static List<(int Number, RatedResponse? Response, IngestFault Fault)> Read(
        ReadOnlySpan<byte> bytes, bool isSse, ResponseConstants constants)
    {
        bytes = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
        if (isSse)
        {
            return [ReadOne(new ResponseJson(constants), Wrap(bytes), 1)];
        }

        List<Range> parts = [];
        if (JsonBatch.IsArray(bytes) && !JsonBatch.TrySplit(
            bytes, MaxResponses, parts, out IngestFault broken, ResponseJson.MaxDepth + 1))
        {
            return [(1, null, broken)];
        }

        if (parts.Count == 0 && !JsonBatch.IsArray(bytes))
        {
            parts = IsOneDocument(bytes) ? [Range.All] : SplitLines(bytes);
        }

        return ReadParts(bytes, parts, constants);
    }

    private static List<(int Number, RatedResponse? Response, IngestFault Fault)> ReadParts(
        ReadOnlySpan<byte> bytes, List<Range> parts, ResponseConstants constants)
    {
        var json = new ResponseJson(constants);
        List<(int Number, RatedResponse? Response, IngestFault Fault)> read = [];
        bool isArray = JsonBatch.IsArray(bytes);
        for (int first = 0, i = 0; i < parts.Count; i++)
        {
            string? id = isArray && i + 1 < parts.Count ? FindResponseId(bytes[parts[i]]) : null;
            if (id is not null && id == FindResponseId(bytes[parts[i + 1]]))
            {
                continue; // the response goes on
            }

            ReadOnlySpan<byte> text = first == i
                ? bytes[parts[i]]
                : [.. "["u8, .. bytes[parts[first].Start..parts[i].End], .. "]"u8];
            read.Add(ReadOne(json, text, read.Count + 1));
            first = i + 1;
        }

        return read;
    }

    private static (int Number, RatedResponse? Response, IngestFault Fault) ReadOne(
        ResponseJson json, ReadOnlySpan<byte> text, int number)
    {
        json.TryRead(text, out RatedResponse? response, out IngestFault fault);
        return (number, response, fault);
    }

    private static string? FindResponseId(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ResponseJson.MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isId = reader.ValueTextEquals("responseId"u8);
            reader.Read();
            if (isId)
            {
                return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            }

            reader.Skip();
        }

        return null;
    }

    private static bool IsOneDocument(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = ResponseJson.MaxDepth });
            return reader.Read() && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static List<Range> SplitLines(ReadOnlySpan<byte> bytes)
    {
        List<Range> lines = [];
        for (int start = 0; start < bytes.Length;)
        {
            int length = bytes[start..].IndexOf((byte)'\n');
            int end = length < 0 ? bytes.Length : start + length;
            if (!bytes[start..end].Trim(" \t\r"u8).IsEmpty)
            {
                lines.Add(start..end);
            }

            start = end + 1;
        }

        return lines;
    }

    // The data of the events as an envelope; other fields of events don't matter (WHATWG server-sent events).
    private static byte[] Wrap(ReadOnlySpan<byte> bytes)
    {
        using var envelope = new MemoryStream();
        using (var writer = new Utf8JsonWriter(envelope))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("events");
            foreach (Range line in SplitLines(bytes))
            {
                ReadOnlySpan<byte> text = bytes[line].Trim(" \t\r"u8);
                if (text.StartsWith("data:"u8))
                {
                    writer.WriteStringValue(text["data:"u8.Length..].TrimStart((byte)' '));
                }
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return envelope.ToArray();
    }
}
