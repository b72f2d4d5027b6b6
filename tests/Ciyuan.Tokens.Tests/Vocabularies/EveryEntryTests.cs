using System.Text;
using System.Text.Unicode;
using Ciyuan.Tokens.Vocabularies;
using Xunit.Abstractions;

namespace Ciyuan.Tokens.Tests.Vocabularies;

/// <summary>
/// Each token's own text, counted. It is here that faults show which prose never meets: a table that was cut short, a
/// token that merging does not reach, a character that is classed wrongly.
/// </summary>
public sealed class EveryEntryTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("o200k_base")]
    [InlineData("cl100k_base")]
    [InlineData("p50k_base")]
    [InlineData("r50k_base")]
    [InlineData("qwen3")]
    [InlineData("deepseek_v4")]
    [InlineData("mistral_nemo")]
    [Trait("Takes", "Long")]
    public void Count_EachEntry_IsThatOfTheReference(string name)
    {
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);
        var reference = new ReferenceTokenizer(vocabulary);
        using var fast = Tokenizer.For(vocabulary);
        List<int> ids = [];
        int tried = 0;
        for (int id = 0; id <= vocabulary.MaxId; id++)
        {
            ReadOnlySpan<byte> bytes = vocabulary.BytesOf(id);
            if (bytes.IsEmpty || !Utf8.IsValid(bytes)
                || (vocabulary.Normalization.Form == UnicodeForm.Nfc && !IsSurelyComposed(bytes)))
            {
                continue;
            }

            List<int> expected = reference.Encode(Encoding.UTF8.GetString(bytes));
            ids.Clear();
            fast.Encode(bytes, ids);
            int count = fast.Count(bytes);
            Assert.True(
                expected.SequenceEqual(ids) && expected.Count == count,
                $"{name}: the text of token {id} is {string.Join(',', expected)}, "
                    + $"not {string.Join(',', ids)} ({count})");
            tried++;
        }

        output.WriteLine($"{name}: {tried} entries");
        Assert.InRange(tried, vocabulary.Count * 9 / 10, vocabulary.Count);
    }

    /// <summary>True for text that canonical composition leaves alone: no mark, and nothing that decomposes.</summary>
    private static bool IsSurelyComposed(ReadOnlySpan<byte> bytes)
    {
        foreach (Rune rune in Encoding.UTF8.GetString(bytes).EnumerateRunes())
        {
            if (rune.Value is not (< 0x300 or (>= 0x370 and < 0x374) or (>= 0x388 and < 0x3F4) or (>= 0x400 and < 0x483)
                or (>= 0x531 and < 0x590) or (>= 0x5D0 and < 0x5EB) or (>= 0x620 and < 0x64B) or (>= 0xE01 and < 0xE38)
                or (>= 0x2010 and < 0x2030) or (>= 0x3001 and < 0x302A) or (>= 0x3041 and < 0x3099)
                or (>= 0x30A0 and < 0x3100) or (>= 0x3400 and < 0xA000) or (>= 0xAC00 and < 0xD7A4)
                or (>= 0xFF01 and < 0xFFA0)))
            {
                return false;
            }
        }

        return true;
    }
}
