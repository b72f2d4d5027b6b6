using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Counting;

/// <summary>
/// Places where a piece begins under every rule, whatever is around: a space between two ASCII letters, and a full stop
/// or comma of Chinese after a Chinese character.
/// </summary>
internal static class SafeCuts
{
    /// <summary>What tokens that stand as a whole must not have in them.</summary>
    internal const string Characters = " \u3001\u3002\uFF0C";

    /// <summary>True for rules that begin a piece there.</summary>
    internal static bool Has(SplitRule rule) => rule is SplitRule.Gpt2 or SplitRule.Gpt2Digits or SplitRule.Falcon
        or SplitRule.Words
        or SplitRule.Cl100k or SplitRule.O200k
        or SplitRule.Llama3 or SplitRule.Qwen2 or SplitRule.Qwen35 or SplitRule.DeepSeekV3
        or SplitRule.DeepSeekLlm or SplitRule.DeepSeekCoder or SplitRule.Kimi or SplitRule.Tekken;

    /// <summary>The first from a place on; -1 when none comes before another.</summary>
    internal static int First(ReadOnlySpan<byte> text, int from, int before)
    {
        for (int at = Math.Max(from, 3); at < Math.Min(before, text.Length - 2); at++)
        {
            if (IsCut(text, at))
            {
                return at;
            }
        }

        return -1;
    }

    /// <summary>The last; -1 when there is none.</summary>
    internal static int Last(ReadOnlySpan<byte> text)
    {
        for (int at = text.Length - 3; at >= 3; at--)
        {
            if (IsCut(text, at))
            {
                return at;
            }
        }

        return -1;
    }

    private static bool IsCut(ReadOnlySpan<byte> text, int at)
    {
        if (text[at] == ' ')
        {
            return char.IsAsciiLetter((char)text[at - 1]) && char.IsAsciiLetter((char)text[at + 1]);
        }

        bool stop = text[at] == 0xE3 ? text[at + 1] == 0x80 && text[at + 2] is 0x81 or 0x82
            : text[at] == 0xEF && text[at + 1] == 0xBC && text[at + 2] == 0x8C;
        return stop && text[at - 3] is >= 0xE5 and <= 0xE8 && IsInside(text[at - 2]) && IsInside(text[at - 1]);
    }

    private static bool IsInside(byte value) => (value & 0xC0) == 0x80;
}
