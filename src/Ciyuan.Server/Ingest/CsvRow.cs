namespace Ciyuan.Server.Ingest;

/// <summary>Splits CSV as RFC 4180 has it, on UTF-8 bytes: fields are quoted or not; in quoted ones separators and line
/// breaks are text and <c>""</c> is a quote. Not safe for several threads.</summary>
public sealed class CsvRow
{
    /// <summary>Most columns.</summary>
    public const int MaxColumns = 1_024;

    private readonly byte _separator;
    private readonly (int Start, int Length)[] _fields = new (int, int)[MaxColumns];
    private byte[] _text = new byte[1024];
    private int _textUsed;

    /// <summary>A splitter.</summary>
    /// <param name="separator">Between fields: one ASCII character, not a quote or line break.</param>
    public CsvRow(char separator) => _separator = checked((byte)separator);

    /// <summary>How many fields the row has.</summary>
    public int Count { get; private set; }

    /// <summary>A field of the row last split, without its quotes. Valid until the next row.</summary>
    /// <param name="row">The row that was split.</param>
    /// <param name="column">From 0.</param>
    public ReadOnlySpan<byte> Field(ReadOnlySpan<byte> row, int column)
    {
        (int start, int length) = _fields[column];
        return start >= 0 ? row.Slice(start, length) : _text.AsSpan(~start, length);
    }

    /// <summary>The length of the first row of some text, its line break included; 0 when the row does not end in
    /// it.</summary>
    public static int FindRowEnd(ReadOnlySpan<byte> text)
    {
        int end = 0;
        int quotes = 0;
        while (true)
        {
            int line = text[end..].IndexOf((byte)'\n');
            if (line < 0)
            {
                return 0;
            }

            // A line break is text while the number of quotes before it is odd.
            quotes += text.Slice(end, line).Count((byte)'"');
            end += line + 1;
            if (quotes % 2 == 0)
            {
                return end;
            }
        }
    }

    /// <summary>Splits a row.</summary>
    /// <param name="row">The row without its line break.</param>
    /// <param name="fault">What is wrong with it; null when nothing is.</param>
    /// <returns>False when it is not a row.</returns>
    public bool TrySplit(ReadOnlySpan<byte> row, out string? fault)
    {
        Count = 0;
        _textUsed = 0;
        fault = null;
        int at = 0;
        while (true)
        {
            if (Count == MaxColumns)
            {
                fault = $"has more than {MaxColumns} columns";
                return false;
            }

            bool quoted = at < row.Length && row[at] == '"';
            int end = quoted ? ReadQuoted(row, at, out fault) : ReadPlain(row, at, out fault);
            if (end < 0)
            {
                return false;
            }

            Count++;
            if (end == row.Length)
            {
                return true;
            }

            at = end + 1;
        }
    }

    private int ReadPlain(ReadOnlySpan<byte> row, int start, out string? fault)
    {
        fault = null;
        int length = row[start..].IndexOfAny(_separator, (byte)'"');
        length = length < 0 ? row.Length - start : length;
        if (start + length < row.Length && row[start + length] == '"')
        {
            fault = $"has a quote inside a field that does not begin with one (column {Count + 1})";
            return -1;
        }

        _fields[Count] = (start, length);
        return start + length;
    }

    private int ReadQuoted(ReadOnlySpan<byte> row, int start, out string? fault)
    {
        fault = null;
        int begin = start + 1;
        int quote = begin + Math.Max(-1, row[begin..].IndexOf((byte)'"'));
        if (quote >= begin && (quote + 1 == row.Length || row[quote + 1] == _separator))
        {
            _fields[Count] = (begin, quote - begin); // no quote in it: no copy needed
            return quote + 1;
        }

        return CopyQuoted(row, begin, out fault);
    }

    private int CopyQuoted(ReadOnlySpan<byte> row, int begin, out string? fault)
    {
        fault = null;
        if (_text.Length - _textUsed < row.Length)
        {
            Array.Resize(ref _text, _textUsed + (2 * row.Length)); // rows are bounded, and so is this
        }

        int first = _textUsed;
        for (int at = begin; at < row.Length; at++)
        {
            bool isQuote = row[at] == '"';
            if (isQuote && at + 1 < row.Length && row[at + 1] == '"')
            {
                at++;
            }
            else if (isQuote)
            {
                if (at + 1 < row.Length && row[at + 1] != _separator)
                {
                    fault = $"has text after a closing quote (column {Count + 1})";
                    return -1;
                }

                _fields[Count] = (~first, _textUsed - first);
                return at + 1;
            }

            _text[_textUsed++] = row[at];
        }

        fault = $"has a quote that is not closed (column {Count + 1})";
        return -1;
    }
}
