using System.Runtime.CompilerServices;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// Finds where a piece ends, given where it begins. No rule looks behind, so where a piece begins the text may as well
/// begin; all that is fast, parallel or incremental rests on that. Text is valid UTF-8.
/// </summary>
internal abstract unsafe class PieceScanner
{
    private readonly nint _kinds = (nint)UnicodeTable.Kinds;

    /// <summary>The scanner of a rule.</summary>
    /// <exception cref="NotSupportedException">There is none for the rule.</exception>
    internal static PieceScanner For(SplitRule rule) => rule switch
    {
        SplitRule.DeepSeekV3 => new DeepSeekScanner(),
        SplitRule.DeepSeekLlm or SplitRule.DeepSeekCoder => new FirstDeepSeekScanner(rule),
        SplitRule.Falcon => new FalconScanner(),
        SplitRule.Words => new WordScanner(),
        SplitRule.WordMark or SplitRule.MarkedWords => new WordMarkScanner(),
        _ => new LineageScanner(SplitTraits.Of(rule)
            ?? throw new NotSupportedException($"There is no scanner for the rule {rule}.")),
    };

    /// <summary>The end of the piece that begins at <paramref name="start"/>, which is before <paramref name="end"/>.
    /// </summary>
    internal abstract byte* Next(byte* start, byte* end);

    /// <summary>
    /// Whether a piece that ends at <paramref name="at"/> would end there whatever followed <paramref name="end"/>. A
    /// decision looks at most through the run of white space or of letters that goes on after the piece, and at a
    /// suffix of five bytes behind it.
    /// </summary>
    internal bool IsSettled(byte* at, byte* end)
    {
        byte* next = at;
        while (next < end && KindAt(next, out int length) is CharacterKind.Space or CharacterKind.LineEnd)
        {
            next += length;
        }

        if (next == at)
        {
            while (next < end && KindAt(next, out int length) is CharacterKind.Upper or CharacterKind.Lower
                or CharacterKind.Caseless or CharacterKind.Mark)
            {
                next += length;
            }
        }

        return end - next >= 8;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected CharacterKind KindAt(byte* at, out int length) =>
        (CharacterKind)(((byte*)_kinds)[Utf8Reader.Decode(at, out length)] & UnicodeTable.KindBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected byte ValueAt(byte* at, out int length) => ((byte*)_kinds)[Utf8Reader.Decode(at, out length)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected CharacterKind KindOf(int codePoint) =>
        (CharacterKind)(((byte*)_kinds)[codePoint] & UnicodeTable.KindBits);

    /// <summary>
    /// White space from <paramref name="start"/> on, and where its last line end ends (null without one).
    /// </summary>
    private protected byte* SkipSpace(byte* start, byte* end, out byte* afterLineEnd, out byte* last)
    {
        unchecked
        {
            afterLineEnd = null;
            last = start;
            byte* at = start;
            while (at < end)
            {
                CharacterKind kind = KindAt(at, out int length);
                if (kind is not (CharacterKind.Space or CharacterKind.LineEnd))
                {
                    break;
                }

                last = at;
                at += length;
                afterLineEnd = kind == CharacterKind.LineEnd ? at : afterLineEnd;
            }

            return at;
        }
    }
}
