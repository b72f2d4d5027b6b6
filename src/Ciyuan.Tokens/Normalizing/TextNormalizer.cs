using System.Buffers;
using System.Text;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Normalizing;

/// <summary>Brings text into the form that a vocabulary wants. Immutable. Text is valid UTF-8.</summary>
internal sealed class TextNormalizer
{
    private static readonly CanonicalTable Table = CanonicalTable.Instance;
    private readonly Normalization _rule;

    /// <exception cref="NotSupportedException">The form is not known here.</exception>
    internal TextNormalizer(Normalization rule)
    {
        _rule = rule;
        if (rule.Form is not (UnicodeForm.None or UnicodeForm.Nfc))
        {
            throw new NotSupportedException($"Text is not brought into the form {rule.Form} here.");
        }
    }

    /// <summary>True when text always stays as it is.</summary>
    internal bool IsIdentity =>
        _rule is { Form: UnicodeForm.None, CollapseSpaces: false, Prefix: SpacePrefix.None, EscapeSpaces: false };

    /// <summary>True when the form of a text depends on where it stands, or on all of it.</summary>
    internal bool IsWholeText => _rule.CollapseSpaces || _rule.Prefix != SpacePrefix.None || _rule.EscapeSpaces;

    /// <summary>True when a stretch of text is in its form already.</summary>
    internal bool IsNormal(ReadOnlySpan<byte> stretch) => IsIdentity || (!IsWholeText && FindUnsettled(stretch, 0) < 0);

    /// <summary>Where the last character begins that nothing before it can change, nor be changed by it.</summary>
    internal static int LastSettled(ReadOnlySpan<byte> text)
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

        if (_rule.CollapseSpaces)
        {
            stretch = Collapse(stretch);
        }

        if (GetsSpace(stretch, first))
        {
            to.Write(_rule.EscapeSpaces ? "▁"u8 : " "u8);
        }

        if (_rule.Form == UnicodeForm.Nfc)
        {
            Compose(stretch, to);
            return;
        }

        while (_rule.EscapeSpaces && stretch.IndexOf((byte)' ') is int space and >= 0)
        {
            to.Write(stretch[..space]);
            to.Write("▁"u8);
            stretch = stretch[(space + 1)..];
        }

        to.Write(stretch);
    }

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

    private static ReadOnlySpan<byte> Collapse(ReadOnlySpan<byte> text)
    {
        List<byte> kept = new(text.Length);
        foreach (byte value in text.Trim((byte)' '))
        {
            if (value != ' ' || kept[^1] != ' ')
            {
                kept.Add(value);
            }
        }

        return kept.ToArray();
    }

    private static void Compose(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> to)
    {
        int done = 0;
        List<int> points = [];
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

            Order(points);
            foreach (int point in Recompose(points))
            {
                int written = new Rune(point).EncodeToUtf8(to.GetSpan(4));
                to.Advance(written);
            }
        }

        to.Write(text[done..]);
    }

    private static int FindUnsettled(ReadOnlySpan<byte> text, int from)
    {
        for (int at = from; at < text.Length;)
        {
            // Nothing below U+0300 is unsettled: the first byte of that is CC.
            int next = text[at..].IndexOfAnyInRange<byte>(0xCC, 0xF4);
            if (next < 0)
            {
                return -1;
            }

            at += next;
            for (; at < text.Length && text[at] >= 0xCC;)
            {
                int point = Decode(text, at, out int length);
                if (Table.IsUnsettled(point))
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

    /// <summary>Sorts marks that follow one another by their class; equal ones stay in order.</summary>
    private static void Order(List<int> points)
    {
        for (int i = 1; i < points.Count; i++)
        {
            int own = Table.Class(points[i]);
            for (int k = i; own != 0 && k > 0 && Table.Class(points[k - 1]) > own; k--)
            {
                (points[k - 1], points[k]) = (points[k], points[k - 1]);
            }
        }
    }

    private static List<int> Recompose(List<int> points)
    {
        List<int> made = [];
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

        return made;
    }
}
