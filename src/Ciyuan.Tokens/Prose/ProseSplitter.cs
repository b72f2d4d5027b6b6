using System.Runtime.InteropServices;

namespace Ciyuan.Tokens.Prose;

/// <summary>How a text is read.</summary>
public enum TextForm
{
    /// <summary>All of it is prose.</summary>
    Plain = 0,

    /// <summary>Markdown, as in chat messages: fenced blocks are code.</summary>
    Markdown = 1,

    /// <summary>All of it is code.</summary>
    Source = 2,
}

/// <summary>
/// Tells prose from code within a text in UTF-8, in one pass, in constant memory besides the ranges, however the text
/// is cut into pieces.
/// </summary>
/// <remarks>
/// The rule. A line opens a block when, behind any spaces and tabs, quote marks (<c>&gt;</c>) and at most one list
/// mark, it has three or more backticks with no other backtick in the line, or three or more tildes. The block ends
/// with the line that has, behind spaces, tabs and quote marks, at least as many of the same character and then nothing
/// but spaces and tabs. So a longer fence holds shorter ones, and a fence with a language inside a block does not end
/// it. A block that is never closed goes to the end. Both fence lines belong to the block, each with its line end (LF,
/// CR LF or CR). Code within a line, and code that is only indented, is prose.
/// </remarks>
public sealed class ProseSplitter
{
    private readonly TextForm _form;
    private readonly List<ProseRange> _ranges = [];
    private long _position; // bytes seen
    private long _lineStart;
    private long _rangeStart;
    private TextKind _kind;
    private byte _openMark; // the fence that is open; 0 outside
    private int _openLength;
    private LinePart _part = LinePart.Indent;
    private byte _mark;
    private int _length;
    private int _listDigits;
    private bool _hasList;
    private bool _afterReturn; // the last byte was CR: an LF still belongs to that line
    private bool _completed;

    /// <summary>Makes a splitter for a text of a form.</summary>
    public ProseSplitter(TextForm form)
    {
        _form = form;
        _kind = form == TextForm.Source ? TextKind.Code : TextKind.Prose;
    }

    /// <summary>Where a line is being read.</summary>
    private enum LinePart
    {
        Indent,
        ListMark,
        Fence,
        Behind, // spaces and tabs behind the fence
        Info,
        Other,
    }

    /// <summary>
    /// The ranges that are certain so far, without gaps, in turn of different kinds. The last one reaches up to a line
    /// that is still open; after <see cref="Complete"/>, to the end.
    /// </summary>
    public IReadOnlyList<ProseRange> Ranges => _ranges;

    /// <summary>Splits a whole text.</summary>
    public static IReadOnlyList<ProseRange> Split(ReadOnlySpan<byte> utf8, TextForm form)
    {
        ProseSplitter splitter = new(form);
        splitter.Append(utf8);
        splitter.Complete();
        return splitter.Ranges;
    }

    /// <summary>Reads the next piece.</summary>
    /// <exception cref="InvalidOperationException">The text was completed.</exception>
    public void Append(ReadOnlySpan<byte> utf8)
    {
        if (_completed)
        {
            throw new InvalidOperationException("the text was completed");
        }

        if (_form != TextForm.Markdown)
        {
            _position += utf8.Length;
            return;
        }

        while (utf8.Length > 0)
        {
            utf8 = _part == LinePart.Other && !_afterReturn ? SkipLine(utf8) : Step(utf8);
        }
    }

    /// <summary>Ends the text: the last line is decided, and the ranges cover everything.</summary>
    public void Complete()
    {
        if (_completed)
        {
            return;
        }

        _completed = true;
        if (_afterReturn || _position > _lineStart)
        {
            EndLine();
        }

        CloseRange(_position);
    }

    private bool MayBeDigit =>
        !_hasList && _openMark == 0 && (_part == LinePart.Indent || _listDigits > 0);

    /// <summary>Most of a text is inside lines that are decided already.</summary>
    private ReadOnlySpan<byte> SkipLine(ReadOnlySpan<byte> utf8)
    {
        int end = utf8.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
        {
            _position += utf8.Length;
            return [];
        }

        _position += end;
        return Step(utf8[end..]);
    }

    private ReadOnlySpan<byte> Step(ReadOnlySpan<byte> utf8)
    {
        byte b = utf8[0];
        if (_afterReturn)
        {
            _afterReturn = false;
            if (b == '\n')
            {
                _position++;
                EndLine();
                return utf8[1..];
            }

            EndLine();
        }

        _position++;
        if (b == '\n')
        {
            EndLine();
        }
        else if (b == '\r')
        {
            _afterReturn = true;
        }
        else
        {
            Read(b);
        }

        return utf8[1..];
    }

    private void Read(byte b)
    {
        switch (_part)
        {
            case LinePart.Indent when b is (byte)' ' or (byte)'\t' or (byte)'>':
                break;
            case LinePart.Indent when b is (byte)'`' or (byte)'~':
                (_part, _mark, _length) = (LinePart.Fence, b, 1);
                break;
            case LinePart.Indent or LinePart.ListMark when MayBeDigit && b is >= (byte)'0' and <= (byte)'9':
                _listDigits++;
                _part = _listDigits > 9 ? LinePart.Other : LinePart.ListMark;
                break;
            case LinePart.Indent when !_hasList && _openMark == 0 && b is (byte)'-' or (byte)'*' or (byte)'+':
                (_part, _listDigits) = (LinePart.ListMark, -1);
                break;
            case LinePart.ListMark when _listDigits > 0 && b is (byte)'.' or (byte)')':
                _listDigits = -1;
                break;
            case LinePart.ListMark when _listDigits < 0 && b is (byte)' ' or (byte)'\t':
                (_part, _hasList) = (LinePart.Indent, true);
                break;
            case LinePart.Fence when b == _mark:
                _length = Math.Min(_length + 1, 1 << 30);
                break;
            case LinePart.Fence when _length < 3:
                _part = LinePart.Other;
                break;
            case LinePart.Fence or LinePart.Behind when b is (byte)' ' or (byte)'\t':
                _part = LinePart.Behind;
                break;
            case LinePart.Fence or LinePart.Behind or LinePart.Info when b == '`' && _mark == '`':
                _part = LinePart.Other; // code within the line
                break;
            default:
                _part = _part is LinePart.Fence or LinePart.Behind or LinePart.Info ? LinePart.Info : LinePart.Other;
                break;
        }
    }

    private void EndLine()
    {
        bool fence = _part is LinePart.Fence or LinePart.Behind or LinePart.Info && _length >= 3;
        if (_openMark == 0 && fence)
        {
            CloseRange(_lineStart);
            (_kind, _openMark, _openLength) = (TextKind.Code, _mark, _length);
        }
        else if (fence && _part != LinePart.Info && _mark == _openMark && _length >= _openLength)
        {
            CloseRange(_position);
            (_kind, _openMark) = (TextKind.Prose, 0);
        }

        _lineStart = _position;
        (_part, _length, _listDigits, _hasList, _afterReturn) = (LinePart.Indent, 0, 0, false, false);
    }

    private void CloseRange(long end)
    {
        if (end == _rangeStart)
        {
            return;
        }

        // A block right behind another is of one kind with it.
        Span<ProseRange> ranges = CollectionsMarshal.AsSpan(_ranges);
        if (ranges.Length > 0 && ranges[^1].Kind == _kind)
        {
            ranges[^1] = ranges[^1] with { End = end };
        }
        else
        {
            _ranges.Add(new ProseRange(_rangeStart, end, _kind));
        }

        _rangeStart = end;
    }
}
