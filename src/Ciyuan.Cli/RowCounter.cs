using System.Buffers;
using System.Text;
using System.Text.Json;
using Ciyuan.Tokens.Prose;

namespace Ciyuan.Cli;

/// <summary>
/// Counts the wanted columns of rows, and chat messages in them: each content that is text, by itself. What a provider
/// puts around messages is not counted here. For one thread.
/// </summary>
internal sealed class RowCounter(CountPlan plan) : IDisposable
{
    private readonly string[][] _paths = [.. plan.Columns.Select(column => column.Split('.'))];
    private readonly long[] _tokensBefore = new long[plan.Choices.Count];
    private readonly long[] _codeBefore = new long[plan.Choices.Count];
    private long _skippedBefore;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 16);

    /// <summary>Tokens by column of the result.</summary>
    internal long[] Tokens { get; } = new long[plan.Choices.Count];

    /// <summary>Of these, tokens of code.</summary>
    internal long[] Code { get; } = new long[plan.Choices.Count];

    internal long Rows { get; private set; }

    /// <summary>Rows without any of the columns, and parts of messages that are no text.</summary>
    internal long Skipped { get; private set; }

    /// <summary>Lines that are not JSON, rows that are not CSV: nothing of them is counted.</summary>
    internal long Rejected { get; private set; }

    /// <summary>The first of them.</summary>
    internal List<RejectedLine> Rejects { get; } = [];

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    /// <summary>Counts one text, a large one on several cores.</summary>
    internal void CountText(ReadOnlySpan<byte> text, TextForm form, int threads = 1)
    {
        for (int i = 0; i < plan.Choices.Count; i++)
        {
            int count = plan.Choices[i].Tokenizer.CountParallel(text, threads);
            Tokens[i] += count;
            Code[i] += plan.Prose ? ProseCounting.CodeTokens(plan.Choices[i].Tokenizer, text, form, count) : 0;
        }
    }

    /// <summary>Counts lines that are JSON objects each; others are rejected, and the rest goes on.</summary>
    /// <param name="part">The lines.</param>
    /// <param name="number">The number of the first.</param>
    internal void CountJsonLines(ReadOnlySpan<byte> part, long number)
    {
        for (; !part.IsEmpty; number++)
        {
            int end = part.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? part : part[..end];
            part = end < 0 ? [] : part[(end + 1)..];
            if (line.IndexOfAnyExcept(" \t\r"u8) >= 0)
            {
                CountOrReject(line, number);
            }
        }
    }

    /// <summary>Counts rows of CSV. One with a quote that is never closed is rejected, and ends the part.</summary>
    /// <param name="part">The rows.</param>
    /// <param name="header">Where the columns are.</param>
    /// <param name="number">The line of the first.</param>
    internal void CountCsv(ReadOnlySpan<byte> part, CsvHeader header, long number)
    {
        while (!part.IsEmpty)
        {
            Keep();
            var row = new CsvRow(part);
            Reserve(part.Length);
            bool found = false;
            for (int at = 0; row.NextCell(_buffer, out int length); at++)
            {
                if (header.Wanted.Contains(at))
                {
                    found = true;
                    CountCell(_buffer.AsSpan(0, length));
                }
            }

            if (row.IsOpen)
            {
                Reject(number, "a quote is opened and never closed", part);
                return;
            }

            number += part[..row.Length].Count((byte)'\n');
            part = part[row.Length..];
            Rows++;
            Skipped += found ? 0 : 1;
        }
    }

    /// <summary>Counts a text that may be messages as JSON.</summary>
    internal void CountText(ReadOnlySpan<char> text)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        CountCell(_buffer.AsSpan(0, Encoding.UTF8.GetBytes(text, _buffer)));
    }

    /// <summary>A cell may hold messages as JSON.</summary>
    private void CountCell(ReadOnlySpan<byte> cell)
    {
        if (!cell.StartsWith("[{"u8) || !IsJson(cell))
        {
            CountText(cell, TextForm.Markdown);
            return;
        }

        byte[] copy = cell.ToArray(); // the buffer is needed for the contents
        Utf8JsonReader reader = new(copy);
        reader.Read();
        CountValue(ref reader);
    }

    private static bool IsJson(ReadOnlySpan<byte> text)
    {
        try
        {
            Utf8JsonReader reader = new(text);
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>A line counts as a whole or not at all: what was counted before its fault is taken back.</summary>
    private void CountOrReject(ReadOnlySpan<byte> line, long number)
    {
        Keep();
        try
        {
            bool found = CountLine(line); // first, for it adds to what is skipped
            Skipped += found ? 0 : 1;
            Rows++;
        }
        catch (JsonException damage)
        {
            // its message ends in a number of lines within this one line, which would mislead
            string fault = damage.Message.Split(" LineNumber:")[0].TrimEnd('.');
            string place = damage.BytePositionInLine is { } at ? $" at byte {at}" : "";
            Reject(number, $"not JSON{place} ({fault})", line);
        }
    }

    private void Keep()
    {
        Tokens.CopyTo(_tokensBefore, 0);
        Code.CopyTo(_codeBefore, 0);
        _skippedBefore = Skipped;
    }

    private void Reject(long number, string reason, ReadOnlySpan<byte> line)
    {
        _tokensBefore.CopyTo(Tokens, 0);
        _codeBefore.CopyTo(Code, 0);
        Skipped = _skippedBefore;
        Rejected++;
        if (Rejects.Count < CountedFile.MaxRejects)
        {
            string shown = Encoding.UTF8.GetString(line[..Math.Min(line.Length, 80)]).TrimEnd();
            Rejects.Add(new RejectedLine(number, $"{reason}: {shown}"));
        }
    }

    private bool CountLine(ReadOnlySpan<byte> line)
    {
        Utf8JsonReader reader = new(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("a line must be an object");
        }

        bool found = CountObject(ref reader, 0, ~0UL);
        while (reader.Read())
        {
        }

        return found;
    }

    /// <summary>Looks for the wanted paths in an object whose beginning was read, and reads to its end.</summary>
    /// <param name="reader">At the beginning of the object.</param>
    /// <param name="depth">How many names of the paths were followed.</param>
    /// <param name="alive">The paths that led here, a bit each.</param>
    private bool CountObject(ref Utf8JsonReader reader, int depth, ulong alive)
    {
        bool found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            ulong deeper = 0;
            bool isWanted = false;
            for (int i = 0; i < Math.Min(_paths.Length, 64); i++)
            {
                if ((alive >> i & 1) != 0 && depth < _paths[i].Length && reader.ValueTextEquals(_paths[i][depth]))
                {
                    deeper |= 1UL << i;
                    isWanted |= depth == _paths[i].Length - 1;
                }
            }

            reader.Read();
            if (isWanted)
            {
                found = true;
                CountValue(ref reader);
            }
            else if (deeper != 0 && reader.TokenType == JsonTokenType.StartObject)
            {
                found |= CountObject(ref reader, depth + 1, deeper);
            }
            else
            {
                reader.Skip();
            }
        }

        return found;
    }

    /// <summary>A text; a list of texts or messages; a message, or a part of one.</summary>
    private void CountValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                CountString(ref reader);
                break;
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    CountValue(ref reader);
                }

                break;
            case JsonTokenType.StartObject:
                CountMessage(ref reader);
                break;
            default:
                Skipped++; // a number or nothing is no text
                break;
        }
    }

    private void CountMessage(ref Utf8JsonReader reader)
    {
        bool found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isText = reader.ValueTextEquals("content"u8) || reader.ValueTextEquals("text"u8)
                || reader.ValueTextEquals("reasoning_content"u8) || reader.ValueTextEquals("value"u8);
            reader.Read();
            if (isText && reader.TokenType != JsonTokenType.Null)
            {
                found = true;
                CountValue(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        Skipped += found ? 0 : 1;
    }

    private void CountString(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            CountText(reader.ValueSpan, TextForm.Markdown);
            return;
        }

        Reserve(reader.ValueSpan.Length);
        CountText(_buffer.AsSpan(0, CopyUnescaped(ref reader)), TextForm.Markdown);
    }

    /// <summary>Halves of surrogate pairs, which JSON can spell and Unicode can't, become U+FFFD.</summary>
    private int CopyUnescaped(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.CopyString(_buffer);
        }
        catch (InvalidOperationException)
        {
            return LooseJson.Unescape(reader.ValueSpan, _buffer);
        }
    }

    private void Reserve(int length)
    {
        if (_buffer.Length < length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(length);
        }
    }
}
