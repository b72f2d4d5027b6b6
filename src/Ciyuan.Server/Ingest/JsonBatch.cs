using System.Text.Json;

namespace Ciyuan.Server.Ingest;

/// <summary>Finds the elements of a JSON array, so that each is read, and refused, by itself.</summary>
public static class JsonBatch
{
    /// <summary>How deep an array of events is: the array, an event, its data, and the maps in the data.</summary>
    public const int EventsDepth = 4;

    /// <summary>True when the first character that is not white space opens an array.</summary>
    public static bool IsArray(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> text = json.TrimStart(" \t\r\n"u8);
        return !text.IsEmpty && text[0] == '[';
    }

    /// <summary>Splits an array into its elements.</summary>
    /// <param name="json">The whole array in UTF-8.</param>
    /// <param name="most">Most elements that are taken.</param>
    /// <param name="elements">Receives where each element stands in <paramref name="json"/>.</param>
    /// <param name="fault">Why the whole is refused: not an array, broken JSON, too deep, too many elements.</param>
    /// <param name="maxDepth">How deep it may be, the array included.</param>
    /// <returns>False when the whole is refused.</returns>
    public static bool TrySplit(
        ReadOnlySpan<byte> json, int most, List<Range> elements, out IngestFault fault, int maxDepth = EventsDepth)
    {
        fault = default;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                fault = new IngestFault(IngestCode.NotJson, "", "must be a JSON array");
                return false;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (elements.Count == most)
                {
                    fault = new IngestFault(
                        IngestCode.TooLong, "", $"has more than {most} elements: send several batches");
                    return false;
                }

                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                elements.Add(start..(int)reader.BytesConsumed);
            }

            return !reader.Read();
        }
        catch (JsonException broken)
        {
            fault = new IngestFault(IngestCode.NotJson, "", $"is not JSON in line {broken.LineNumber + 1}, "
                + $"byte {broken.BytePositionInLine}");
            return false;
        }
    }
}
