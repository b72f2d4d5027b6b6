using System.Text;

namespace Ciyuan.Tokens.Tests.Counting;

/// <summary>Text that is made to hit the borders of rules: short runs of few kinds of characters, by a seed.</summary>
internal sealed class RandomText(int seed)
{
    private static readonly string[] Kinds =
    [
        "abcdefstmdrlve", "ABCDEFSTZ", "0123456789", " ", "  \t", "\n\r", "'’`", "/.,;:!?-_=(){}[]\"#", "éàßñüøſ",
        "ÀÉÜΔЖ",
        "жбвгде", "中文字符的一是在不了人我京信美牌果", "，。、；：（）《》", "かなカナー・", "한국어말다", "ªºʰˠ", "\u0301\u0308\u20DD",
        "①½²Ⅷ٣९", "\u00A0\u3000\u2028\u0085\u1680", "\u0000\u0007\u001C\u200B\u200D\uFEFF\uE000",
        "€©™→★", "각", "กิ่ำ", "אבג", "ǅǈ",
    ];

    private static readonly string[] Wholes =
    [
        "'s", "'S", "'ſ", "'re", "'LL", "don't", " the", "http://", "😀", "👨‍👩‍👧", "🇨🇳", "𠀀", "𝐇𝐞",
        "\uD83D", "\uDE00",
        "<|endoftext|>",
        "<think>", "\r\n", "\n\n", "    ", "中A", "API的", "AxxB", "camelCaseHTTP", "\u3000\u3000",
        "//", "/*", "*/\n/", "🏽", "\uFE0F", "\U0010FFFF",
        "一二三四五六七八九十一二三四五六七八九十", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];

    private readonly Random _random = new(seed);

    /// <summary>A number below a bound.</summary>
    internal int Below(int bound) => _random.Next(bound);

    /// <summary>Text of about so many parts; halves of surrogate pairs may be in it.</summary>
    internal string Next(int parts, bool marks = true)
    {
        var text = new StringBuilder();
        while (parts-- > 0)
        {
            if (_random.Next(6) == 0)
            {
                text.Append(Wholes[_random.Next(Wholes.Length)]);
                continue;
            }

            string kind = Kinds[_random.Next(Kinds.Length)];
            for (int i = _random.Next(1, 5); i > 0; i--)
            {
                text.Append(kind[_random.Next(kind.Length)]);
            }
        }

        return marks ? text.ToString() : new string([.. text.ToString().Where(c => c is < '\u0300' or > '\u036F')]);
    }

    /// <summary>Text with bytes in it that are no UTF-8.</summary>
    internal byte[] NextBytes(int parts)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Next(parts));
        for (int i = _random.Next(1, 6); i > 0 && bytes.Length > 0; i--)
        {
            bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);
        }

        return bytes[..^_random.Next(Math.Min(bytes.Length, 3) + 1)];
    }
}
