using System.Buffers.Text;
using System.Text;

namespace Ciyuan.Cli;

/// <summary>Texts of JSON that a strict reader refuses, though the provider counted them.</summary>
internal static class LooseJson
{
    /// <summary>
    /// Undoes the escapes of a text that is JSON already. A half of a surrogate pair becomes U+FFFD, as it does wherever
    /// texts are counted.
    /// </summary>
    /// <param name="escaped">The text between the quotes.</param>
    /// <param name="target">At least as long.</param>
    /// <returns>How many bytes were written.</returns>
    internal static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> target)
    {
        int written = 0;
        for (int at = 0; at < escaped.Length;)
        {
            if (escaped[at] != '\\')
            {
                target[written++] = escaped[at++];
                continue;
            }

            byte kind = escaped[at + 1];
            if (kind == 'u')
            {
                written += UnescapeUnit(escaped, ref at).EncodeToUtf8(target[written..]);
                continue;
            }

            target[written++] = kind switch
            {
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                _ => kind,
            };
            at += 2;
        }

        return written;
    }

    private static Rune UnescapeUnit(ReadOnlySpan<byte> escaped, ref int at)
    {
        char first = Unit(escaped[at..]);
        at += 6;
        if (char.IsHighSurrogate(first) && escaped[at..].StartsWith("\\u"u8)
            && char.IsLowSurrogate(Unit(escaped[at..])))
        {
            char second = Unit(escaped[at..]);
            at += 6;
            return new Rune(first, second);
        }

        return Rune.TryCreate(first, out Rune rune) ? rune : Rune.ReplacementChar;
    }

    private static char Unit(ReadOnlySpan<byte> escape) =>
        Utf8Parser.TryParse(escape.Slice(2, 4), out ushort unit, out _, 'x') ? (char)unit : '\uFFFD';
}
