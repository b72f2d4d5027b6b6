using System.Text;
using Ciyuan.Usage;

namespace Ciyuan.Server.Ingest;

/// <summary>What the lines of a file are.</summary>
public enum ImportFormat
{
    /// <summary>A usage record in JSON on each line.</summary>
    Jsonl,

    /// <summary>CSV with a mapping.</summary>
    Csv,

    /// <summary>A CloudEvent, or an array of them, on each line; or one array over the whole file.</summary>
    CloudEvents,

    /// <summary>A provider's raw response on each line, in an envelope or alone.</summary>
    Responses,
}

/// <summary>A line that was refused.</summary>
/// <param name="Line">Number in the file, from 1; that of the first line where a row has several.</param>
/// <param name="Fault">Why.</param>
/// <param name="Text">The line, up to <see cref="MaxText"/> bytes of it.</param>
internal readonly record struct RejectedLine(long Line, IngestFault Fault, string Text)
{
    /// <summary>Most bytes of a line that are put into the reject file.</summary>
    internal const int MaxText = 64 << 10;
}

/// <summary>Some whole lines of a file.</summary>
/// <param name="Buffer">Rented; <paramref name="Length"/> bytes are filled.</param>
/// <param name="Length">Bytes.</param>
/// <param name="FirstLine">Number of the first line, from 1.</param>
/// <param name="IsArray">Whether it is one JSON array, over several lines, and the whole file.</param>
internal sealed record FileChunk(byte[] Buffer, int Length, long FirstLine, bool IsArray = false);

/// <summary>What became of a chunk: records in the order of the file.</summary>
internal sealed class ParsedChunk
{
    internal List<UsageRecord> Records { get; } = [];

    /// <summary>Hash of the row of each record; empty where rows have ids.</summary>
    internal List<UInt128> Contents { get; } = [];

    internal List<RejectedLine> Rejects { get; } = [];

    internal long LastLine { get; set; }
}

/// <summary>Reads the lines of chunks; each thread has its own.</summary>
internal sealed class LineParser(ImportFormat format, CsvColumns? columns, ResponseConstants constants)
{
    // An array of the longest size (64 MiB) has fewer events than this, unless they are shorter than any that counts.
    private const int MaxEventsPerArray = 500_000;

    private readonly UsageJson _json = new();
    private readonly CloudEvents _events = new();
    private readonly ResponseJson _responses = new(constants);
    private readonly CsvUsage? _csv = columns is null ? null : new CsvUsage(columns);
    private readonly List<Range> _elements = [];

    internal ParsedChunk Parse(FileChunk chunk)
    {
        var parsed = new ParsedChunk();
        ReadOnlySpan<byte> rest = chunk.Buffer.AsSpan(0, chunk.Length);
        long line = chunk.FirstLine;
        if (chunk.IsArray)
        {
            ParseBatch(rest, line, parsed);
            line += rest.Count((byte)'\n') + 1;
            rest = default;
        }

        while (!rest.IsEmpty)
        {
            int end = format == ImportFormat.Csv ? CsvRow.FindRowEnd(rest) : rest.IndexOf((byte)'\n') + 1;
            end = end == 0 ? rest.Length : end;
            ReadOnlySpan<byte> text = rest[..end];
            ParseLine(text.TrimEnd("\r\n"u8), line, parsed);
            line += format == ImportFormat.Csv ? Math.Max(1, text.Count((byte)'\n')) : 1;
            rest = rest[end..];
        }

        parsed.LastLine = line - 1;
        return parsed;
    }

    private void ParseLine(ReadOnlySpan<byte> text, long line, ParsedChunk parsed)
    {
        if (text.IsEmpty)
        {
            return;
        }

        if (format == ImportFormat.CloudEvents && JsonBatch.IsArray(text))
        {
            ParseBatch(text, line, parsed);
            return;
        }

        IngestFault fault;
        if (format == ImportFormat.Responses)
        {
            if (!_responses.TryParse(text, parsed.Records, out fault))
            {
                Take(false, null, 0, fault, text, line, parsed);
            }

            return;
        }

        UInt128 content = 0;
        UsageRecord? record;
        bool done = format switch
        {
            ImportFormat.Jsonl => _json.TryParse(text, out record, out fault),
            ImportFormat.Csv => _csv!.TryParse(text, out record, out content, out fault),
            _ => _events.TryParse(text, received: null, out record, out fault),
        };
        Take(done, record, content, fault, text, line, parsed);
    }

    private void ParseBatch(ReadOnlySpan<byte> text, long line, ParsedChunk parsed)
    {
        _elements.Clear();
        if (!JsonBatch.TrySplit(text, MaxEventsPerArray, _elements, out IngestFault fault))
        {
            Take(false, null, 0, fault, text, line, parsed);
            return;
        }

        int seen = 0;
        foreach (Range element in _elements)
        {
            line += text[seen..element.Start.Value].Count((byte)'\n');
            seen = element.Start.Value;
            bool done = _events.TryParse(text[element], received: null, out UsageRecord? record, out fault);
            Take(done, record, 0, fault, text[element], line, parsed);
        }
    }

    private void Take(
        bool done, UsageRecord? record, UInt128 content, IngestFault fault, ReadOnlySpan<byte> text, long line,
        ParsedChunk parsed)
    {
        if (!done)
        {
            string shown = Encoding.UTF8.GetString(text[..Math.Min(text.Length, RejectedLine.MaxText)]);
            parsed.Rejects.Add(new RejectedLine(line, fault, shown));
            return;
        }

        parsed.Records.Add(record!);
        if (columns is { HasId: false })
        {
            parsed.Contents.Add(content);
        }
    }
}
