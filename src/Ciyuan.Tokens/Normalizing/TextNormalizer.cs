using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Normalizing;

/// <summary>Brings text into the form that a vocabulary wants. Immutable. Text is valid UTF-8.</summary>
internal sealed class TextNormalizer
{
    private readonly Normalization _rule;
    private readonly CharacterMap? _map;
    private readonly bool _areWords;
    private readonly bool _composes;
    private readonly WordForm? _words;

    /// <param name="rule">What is done to text.</param>
    /// <param name="areWords">Whether words get a mark and what is between them goes:
    /// <see cref="SplitRule.MarkedWords"/>.</param>
    internal TextNormalizer(Normalization rule, bool areWords = false)
    {
        _rule = rule;
        _areWords = areWords;
        _composes = rule.Form is UnicodeForm.Nfc or UnicodeForm.Nfkc;
        _words = rule.Words == WordSteps.None ? null : new WordForm(rule.Words);
        _map = rule.Form is UnicodeForm.None or UnicodeForm.Nfc or UnicodeForm.Nfkc
            ? null : new CharacterMap(rule.CharacterMap.Span, rule.Form != UnicodeForm.CharacterMap);
    }

    /// <summary>True when text always stays as it is.</summary>
    internal bool IsIdentity => !IsWholeText && _words is null && _rule.Form == UnicodeForm.None;

    /// <summary>True when the form of a text depends on where it stands, or on all of it.</summary>
    internal bool IsWholeText => _areWords || _map is not null || _rule.CollapseSpaces || _rule.TrimEnd
        || _rule.JoinSpaces || _rule.Prefix != SpacePrefix.None || _rule.EscapeSpaces;

    /// <summary>
    /// True when a text may be brought into its form part by part, cut at <see cref="LastSettled"/>.
    /// </summary>
    internal bool IsLocal => !IsWholeText;

    /// <summary>True when a stretch of text is in its form already.</summary>
    internal bool IsNormal(ReadOnlySpan<byte> stretch) =>
        IsIdentity || (!IsWholeText && _words is null && FindUnsettled(stretch, 0) < 0);

    /// <summary>Where the last character begins that nothing before it can change, nor be changed by it.</summary>
    internal int LastSettled(ReadOnlySpan<byte> text)
    {
        for (int at = text.Length - 1; at >= 0; at--)
        {
            if ((text[at] & 0xC0) != 0x80 && !Table.IsUnsettled(Decode(text, at, out _)))
            {
                return at;
            }
        }

        return 0;
    }

    /// <summary>Writes a stretch of text in its form.</summary>
    /// <param name="stretch">Text between two tokens that are found as a whole, or between text and such a
    /// token.</param>
    /// <param name="first">True when no token is before it.</param>
    /// <param name="to">Where to write.</param>
    internal void Write(ReadOnlySpan<byte> stretch, bool first, ArrayBufferWriter<byte> to)
    {
        if (stretch.IsEmpty)
        {
            return;
        }

        if (_words is not null)
        {
            _words.Write(stretch, to);
            return;
        }

        if (_composes && !IsWholeText)
        {
            Compose(stretch, to);
            return;
        }

        stretch = InForm(stretch);
        if (_areWords)
        {
            WriteWords(stretch, to);
            return;
        }

        stretch = _rule.TrimEnd ? TrimmedEnd(stretch) : stretch;
        stretch = _rule.CollapseSpaces ? Collapse(stretch) : _rule.JoinSpaces ? Joined(stretch) : stretch;
        if (stretch.IsEmpty)
        {
            return;
        }

        if (GetsSpace(stretch, first))
        {
            to.Write(_rule.EscapeSpaces ? "▁"u8 : " "u8);
        }

        WriteSpaces(stretch, to);
    }

    private void WriteSpaces(ReadOnlySpan<byte> stretch, ArrayBufferWriter<byte> to)
    {
        while (_rule.EscapeSpaces && stretch.IndexOf((byte)' ') is int space and >= 0)
        {
            to.Write(stretch[..space]);
            to.Write("▁"u8);
            stretch = stretch[(space + 1)..];
        }

        to.Write(stretch);
    }

    private ReadOnlySpan<byte> InForm(ReadOnlySpan<byte> stretch)
    {
        if (_map is null && !_composes)
        {
            return stretch;
        }

        ArrayBufferWriter<byte> formed = new(stretch.Length + 16);
        if (_map is null)
        {
            Compose(stretch, formed);
        }
        else
        {
            _map.Write(_rule.Form == UnicodeForm.UnmarkedClusterMap ? Unmarked(stretch) : stretch, formed);
        }

        return formed.WrittenSpan;
    }

    /// <summary>See <see cref="UnicodeForm.UnmarkedClusterMap"/>.</summary>
    private static byte[] Unmarked(ReadOnlySpan<byte> text)
    {
        List<int> points = [];
        string quoted = Encoding.UTF8.GetString(text).Replace("``", "\"", StringComparison.Ordinal)
            .Replace("''", "\"", StringComparison.Ordinal);
        foreach (Rune rune in quoted.EnumerateRunes())
        {
            CompositionTable.Compatible.Decompose(rune.Value, points);
        }

        points.RemoveAll(CompositionTable.Compatible.IsMark); // no other has a class, so the order stays
        ArrayBufferWriter<byte> kept = new(text.Length + 16);
        foreach (int point in points)
        {
            kept.Advance(new Rune(point).EncodeToUtf8(kept.GetSpan(4)));
        }

        return kept.WrittenSpan.ToArray();
    }

    private static ReadOnlySpan<byte> TrimmedEnd(ReadOnlySpan<byte> text)
    {
        int end = text.Length;
        for (int at = end - 1; at >= 0; at--)
        {
            if ((text[at] & 0xC0) != 0x80)
            {
                if (!IsWhite(text, at, out _))
                {
                    break;
                }

                end = at;
            }
        }

        return text[..end];
    }

    private static unsafe bool IsWhite(ReadOnlySpan<byte> text, int at, out int length) =>
        (CharacterKind)(UnicodeTable.Kinds[Decode(text, at, out length)] & UnicodeTable.KindBits)
            is CharacterKind.Space or CharacterKind.LineEnd;

    private bool GetsSpace(ReadOnlySpan<byte> stretch, bool first)
    {
        bool there = stretch.StartsWith(" "u8) || stretch.StartsWith("▁"u8);
        return _rule.Prefix switch
        {
            SpacePrefix.EachStretch => true,
            SpacePrefix.Start => first,
            SpacePrefix.EachStretchUnlessThere => !there,
            SpacePrefix.StartUnlessThere => first && !there,
            _ => false,
        };
    }

    private static void WriteWords(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> to)
    {
        bool isInWord = false;
        for (int at = 0, length; at < text.Length; at += length)
        {
            if (IsWhite(text, at, out length))
            {
                isInWord = false;
                continue;
            }

            to.Write(isInWord || text[at..].StartsWith("▁"u8) ? default : "▁"u8);
            to.Write(text.Slice(at, length));
            isInWord = true;
        }
    }

    /// <summary>Runs of spaces become one, and those at both ends go; where spaces are marked, marks at the end too.
    /// </summary>
    private ReadOnlySpan<byte> Collapse(ReadOnlySpan<byte> text)
    {
        text = text.Trim((byte)' ');
        while (_rule.EscapeSpaces && text.EndsWith("▁"u8))
        {
            text = text[..^3].TrimEnd((byte)' ');
        }

        return Joined(text);
    }

    private static ReadOnlySpan<byte> Joined(ReadOnlySpan<byte> text)
    {
        List<byte> kept = new(text.Length);
        foreach (byte value in text)
        {
            if (value != ' ' || kept.Count == 0 || kept[^1] != ' ')
            {
                kept.Add(value);
            }
        }

        return kept.ToArray();
    }

    private void Compose(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> to)
    {
        int done = 0;
        List<int> points = [];
        List<int> made = [];
        for (int at = FindUnsettled(text, 0); at >= 0; at = FindUnsettled(text, done))
        {
            // From the settled character before on, up to the next settled one.
            int start = at;
            while (start > done && (text[--start] & 0xC0) == 0x80)
            {
            }

            to.Write(text[done..start]);
            points.Clear();
            bool begun = false;
            for (done = start; done < text.Length;)
            {
                int point = Decode(text, done, out int length);
                if (begun && done > at && !Table.IsUnsettled(point))
                {
                    break;
                }

                begun = true;
                Table.Decompose(point, points);
                done += length;
            }

            Table.Order(points);
            Recompose(points, made);
            foreach (int point in made)
            {
                int written = new Rune(point).EncodeToUtf8(to.GetSpan(4));
                to.Advance(written);
            }
        }

        to.Write(text[done..]);
    }

    private CompositionTable Table =>
        _rule.Form == UnicodeForm.Nfkc ? CompositionTable.Compatible : CompositionTable.Canonical;

    private int FindUnsettled(ReadOnlySpan<byte> text, int from)
    {
        CompositionTable table = Table;
        for (int at = from; at < text.Length;)
        {
            int next = text[at..].IndexOfAny(table.Doubtful);
            if (next < 0)
            {
                return -1;
            }

            at += next;
            while (at < text.Length && table.IsDoubtful(text[at]))
            {
                int point = Decode(text, at, out int length);
                if (table.IsUnsettled(point))
                {
                    return at;
                }

                at += length;
            }
        }

        return -1;
    }

    private static unsafe int Decode(ReadOnlySpan<byte> text, int at, out int length)
    {
        fixed (byte* start = text)
        {
            return Utf8Reader.Decode(start + at, out length);
        }
    }

    private void Recompose(List<int> points, List<int> made)
    {
        made.Clear();
        int starter = -1;
        int before = 0;
        foreach (int point in points)
        {
            int own = Table.Class(point);
            bool reachable = starter >= 0 && (before < own || (before == 0 && starter == made.Count - 1));
            int joined = reachable ? Table.Compose(made[starter], point) : -1;
            if (joined >= 0)
            {
                made[starter] = joined;
                continue;
            }

            if (own == 0)
            {
                starter = made.Count;
            }

            before = own;
            made.Add(point);
        }
    }
}
