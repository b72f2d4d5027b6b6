using System.Text;
using Ciyuan.Reconciling;
using Ciyuan.Server.Ingest;
using NodaTime;

namespace Ciyuan.Server.Reconciling;

/// <summary>Reads a bill in CSV, row by row, so that its length does not matter.</summary>
internal sealed class BillCsv(string path, BillMapping mapping, DateTimeZone zone, string currency)
{
    private const int MostRowBytes = 1 << 20;

    /// <summary>Most decimals of the amounts read so far.</summary>
    internal int Decimals { get; private set; }

    /// <summary>Whether rows have ids; known once a line was read.</summary>
    internal bool HasId { get; private set; }

    /// <summary>The lines, from the start.</summary>
    /// <exception cref="BillException">Names the row.</exception>
    internal IEnumerable<BillLine> Read()
    {
        var split = new CsvRow(mapping.Separator);
        var lines = new List<BillLine>();
        BillColumns? columns = null;
        string[] cells = [];
        long number = 0;
        foreach (ReadOnlyMemory<byte> row in Rows())
        {
            number++;
            if (row.Length == 0)
            {
                continue;
            }

            cells = Split(split, row.Span, number, columns is null ? null : cells);
            if (columns is null)
            {
                columns = Bind(cells);
                cells = new string[cells.Length];
                continue;
            }

            ReadRow(columns, cells, number, lines);
            foreach (BillLine line in lines)
            {
                yield return line;
            }
        }

        if (columns is null)
        {
            throw new BillException($"{Path.GetFileName(path)}: has no header");
        }
    }

    private void ReadRow(BillColumns columns, string[] cells, long number, List<BillLine> lines)
    {
        lines.Clear();
        try
        {
            columns.Read(cells, currency, lines);
            Decimals = Math.Max(Decimals, columns.Decimals);
        }
        catch (BillException fault)
        {
            throw new BillException($"{Path.GetFileName(path)}: row {number} {fault.Message}");
        }
    }

    private BillColumns Bind(string[] header)
    {
        try
        {
            var columns = new BillColumns(mapping, [.. header.Select(name => name.Trim())], zone);
            HasId = columns.HasId;
            return columns;
        }
        catch (BillException fault)
        {
            throw new BillException($"{Path.GetFileName(path)}: {fault.Message}");
        }
    }

    private string[] Split(CsvRow split, ReadOnlySpan<byte> row, long number, string[]? into)
    {
        if (!split.TrySplit(row, out string? fault) || (into is not null && split.Count != into.Length))
        {
            throw new BillException($"{Path.GetFileName(path)}: row {number} "
                + (fault ?? $"has {split.Count} fields, the header {into!.Length}"));
        }

        into ??= new string[split.Count];
        for (int i = 0; i < into.Length; i++)
        {
            into[i] = Encoding.UTF8.GetString(split.Field(row, i));
        }

        return into;
    }

    // Rows without their line breaks and the mark of byte order; each is valid until the next.
    private IEnumerable<ReadOnlyMemory<byte>> Rows()
    {
        using FileStream file = File.OpenRead(path);
        byte[] buffer = new byte[1 << 16];
        int used = 0;
        bool isFirst = true;
        while (true)
        {
            buffer = used == buffer.Length ? Grow(buffer) : buffer;
            int read = file.Read(buffer, used, buffer.Length - used);
            used += read;
            int start = isFirst && buffer.AsSpan(0, used).StartsWith(Encoding.UTF8.Preamble) ? 3 : 0;
            isFirst = false;
            for (int end = CsvRow.FindRowEnd(buffer.AsSpan(start, used - start)); end > 0;
                end = CsvRow.FindRowEnd(buffer.AsSpan(start, used - start)))
            {
                yield return Trimmed(buffer.AsMemory(start, end - 1));
                start += end;
            }

            buffer.AsSpan(start, used - start).CopyTo(buffer);
            used -= start;
            if (read == 0)
            {
                if (used > 0)
                {
                    yield return Trimmed(buffer.AsMemory(0, used));
                }

                yield break;
            }
        }
    }

    private byte[] Grow(byte[] buffer)
    {
        if (buffer.Length >= MostRowBytes)
        {
            throw new BillException(
                $"{Path.GetFileName(path)}: a row is longer than {MostRowBytes} bytes; is a quote not closed?");
        }

        Array.Resize(ref buffer, 2 * buffer.Length);
        return buffer;
    }

    private static ReadOnlyMemory<byte> Trimmed(ReadOnlyMemory<byte> row) =>
        row.Length > 0 && row.Span[^1] == '\r' ? row[..^1] : row;
}
