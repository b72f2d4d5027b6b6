using System.Text;

namespace Ciyuan.Cli;

/// <summary>Where the wanted columns stand in a CSV file.</summary>
/// <param name="Wanted">Their places, from 0 on.</param>
internal sealed record CsvHeader(int[] Wanted)
{
    /// <summary>Reads the first row.</summary>
    /// <param name="part">The beginning of the file.</param>
    /// <param name="columns">The columns that are wanted.</param>
    /// <param name="length">The length of the row, its line end included.</param>
    /// <exception cref="RefusedException">One is not there.</exception>
    internal static CsvHeader Read(ReadOnlySpan<byte> part, string[] columns, out int length)
    {
        List<string> names = [];
        var row = new CsvRow(part);
        byte[] cell = new byte[part.Length];
        while (row.NextCell(cell, out int cellLength))
        {
            names.Add(Encoding.UTF8.GetString(cell.AsSpan(0, cellLength)).Trim());
        }

        length = row.Length;
        return new CsvHeader([.. columns.Select(column => names.IndexOf(column) is >= 0 and int at
            ? at
            : throw new RefusedException($"there is no column '{column}', but {string.Join(", ", names)}."))]);
    }
}

/// <summary>Goes through the cells of one row of CSV (RFC 4180), which begins where the text begins.</summary>
internal ref struct CsvRow(ReadOnlySpan<byte> text)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private bool _isEnded = text.IsEmpty;

    /// <summary>How much of the text was read; at the end of the row, the row with its line end.</summary>
    internal int Length { get; private set; }

    /// <summary>Whether a quote was opened and not closed before the text ended.</summary>
    internal bool IsOpen { get; private set; }

    /// <summary>Copies the next cell without its quotes; false after the last.</summary>
    internal bool NextCell(Span<byte> cell, out int length)
    {
        length = 0;
        if (_isEnded)
        {
            return false;
        }

        if (Length < _text.Length && _text[Length] == '"')
        {
            length = CopyQuoted(cell);
        }

        ReadOnlySpan<byte> rest = _text[Length..];
        int end = rest.IndexOfAny((byte)',', (byte)'\n');
        ReadOnlySpan<byte> plain = end < 0 ? rest : rest[..end];
        _isEnded = end < 0 || rest[end] == '\n';
        Length += plain.Length + (end < 0 ? 0 : 1);
        plain = _isEnded && plain.EndsWith("\r"u8) ? plain[..^1] : plain;
        plain.CopyTo(cell[length..]); // behind a quoted part only in files that are not quite CSV
        length += plain.Length;
        return true;
    }

    private int CopyQuoted(Span<byte> cell)
    {
        int length = 0;
        IsOpen = true;
        for (Length++; Length < _text.Length; Length++)
        {
            if (_text[Length] == '"')
            {
                if (Length + 1 >= _text.Length || _text[Length + 1] != '"')
                {
                    Length++;
                    IsOpen = false;
                    break;
                }

                Length++;
            }

            cell[length++] = _text[Length];
        }

        return length;
    }
}
