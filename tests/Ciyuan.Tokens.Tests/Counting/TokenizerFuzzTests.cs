using System.Text;
using Ciyuan.Tokens.Merging;
using Ciyuan.Tokens.Splitting;
using Ciyuan.Tokens.Tests.Vocabularies;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Counting;

/// <summary>
/// Random text, counted in every way there is, against the slow reference. CIYUAN_FUZZ multiplies how much is tried.
/// </summary>
public sealed class TokenizerFuzzTests
{
    private static readonly int Effort =
        int.TryParse(Environment.GetEnvironmentVariable("CIYUAN_FUZZ"), out int times) ? Math.Max(times, 1) : 1;

    public static TheoryData<string> Names => new(
        "o200k_base", "cl100k_base", "p50k_base", "r50k_base", "qwen3", "deepseek_v4", "mistral_nemo");

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_RandomText_GivesTheIdsOfTheReference(string name)
    {
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);
        var reference = new ReferenceTokenizer(vocabulary);
        using var fast = Tokenizer.For(vocabulary);
        bool composes = vocabulary.Normalization.Form == UnicodeForm.Nfc;
        for (int seed = 0; seed < 500 * Effort; seed++)
        {
            string text = Whole(new RandomText(seed).Next(1 + (seed % 40), marks: !composes));
            if (composes && text.Any(c => c is '\u20DD' or (>= '\u1100' and <= '\u11FF')))
            {
                continue;
            }

            List<int> expected = reference.Encode(text);
            Assert.True(expected.SequenceEqual(fast.Encode(text)), $"{name}, seed {seed}: ids of {Show(text)}");
            Assert.True(expected.Count == fast.Count(text), $"{name}, seed {seed}: count of {Show(text)}");
            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            Assert.True(expected.Count == fast.Count(utf8), $"{name}, seed {seed}: bytes of {Show(text)}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Takes", "Long")]
    public void Count_LongRandomText_IsThatOfOnePieceAfterTheOther(string name)
    {
        Vocabulary vocabulary = VocabularyCatalog.Shipped.Get(name);
        using var fast = Tokenizer.For(vocabulary);
        bool composes = vocabulary.Normalization.Form == UnicodeForm.Nfc;
        for (int seed = 0; seed < 25 * Effort; seed++)
        {
            // Without what begins tokens that stand as a whole, and without what composes.
            string text = new RandomText(seed).Next(1500, marks: !composes).Replace('<', '>');
            if (composes)
            {
                text = new string([.. text.Where(c => c is not ('\u20DD' or (>= '\u1100' and <= '\u11FF')))]);
            }

            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            Assert.True(CountSlowly(vocabulary, utf8) == fast.Count(utf8), $"{name}, seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Count_BrokenBytes_IsThatOfTheRepairedText(string name)
    {
        using var fast = Tokenizer.For(VocabularyCatalog.Shipped.Get(name));
        for (int seed = 0; seed < 500 * Effort; seed++)
        {
            byte[] bytes = new RandomText(seed).NextBytes(1 + (seed % 60));
            int expected = fast.Count(Encoding.UTF8.GetString(bytes));
            Assert.True(expected == fast.Count(bytes), $"{name}, seed {seed}");
            using RunningCount running = fast.Begin();
            for (int at = 0, size = 1 + (seed % 5); at < bytes.Length; at += size)
            {
                running.Append(bytes.AsSpan(at, Math.Min(size, bytes.Length - at)));
            }

            Assert.True(expected == running.Finish(), $"{name}, seed {seed}: in parts");
        }
    }

    [Theory]
    [InlineData("o200k_base")]
    [InlineData("qwen3")]
    [InlineData("deepseek_v4")]
    public void RunningCount_CutAnywhere_IsThatOfTheWhole(string name)
    {
        using var fast = Tokenizer.For(VocabularyCatalog.Shipped.Get(name));
        for (int seed = 0; seed < 40 * Effort; seed++)
        {
            var random = new RandomText(seed);
            string text = random.Next(3000);
            long expected = fast.Count(text);
            using RunningCount running = fast.Begin();
            long before = 0;
            for (int at = 0; at < text.Length;)
            {
                int size = Math.Min(random.Below(seed % 3 == 0 ? 5 : 4000) + 1, text.Length - at);
                running.Append(text.AsSpan(at, size));
                Assert.InRange(running.Count, before, expected);
                before = running.Count;
                at += size;
            }

            Assert.True(expected == running.Finish(), $"{name}, seed {seed}");
        }
    }

    /// <summary>
    /// Text is checked 64 KiB at a time, and such a window ends anywhere in a character, for there is a prefix of each
    /// length. U+09DF grows in the form that Qwen wants, so there a window of formed text is longer than one.
    /// </summary>
    [Theory]
    [InlineData("o200k_base")]
    [InlineData("qwen3")]
    [InlineData("deepseek_v4")]
    public void Count_LargeParts_AreNotCutInsideOfCharacters(string name)
    {
        using var fast = Tokenizer.For(VocabularyCatalog.Shipped.Get(name));
        foreach (string repeated in (string[])["中文字", "\u09DF", "é", "😀"])
        {
            for (int prefix = 0; prefix < 4; prefix++)
            {
                string text = new string('a', prefix) + string.Concat(Enumerable.Repeat(repeated, 70_000));
                byte[] utf8 = Encoding.UTF8.GetBytes(text);
                List<int> ids = [];
                fast.Encode(utf8, ids);
                Assert.Equal(ids.Count, fast.Count(utf8));
                Assert.Equal(ids.Count, fast.Count(text));
                Assert.Equal(ids.Count, CountInOnePart(fast, utf8));

                byte[] broken = [0xFF, .. utf8];
                ids.Clear();
                fast.Encode("\uFFFD" + text, ids);
                Assert.Equal(ids.Count, fast.Count(broken));
                Assert.Equal(ids.Count, CountInOnePart(fast, broken));
            }
        }
    }

    private static long CountInOnePart(Tokenizer tokenizer, byte[] utf8)
    {
        using RunningCount running = tokenizer.Begin();
        running.Append(utf8);
        return running.Finish();
    }

    /// <summary>Pieces by the scanner that takes one character after the other, and nothing remembered.</summary>
    private static unsafe int CountSlowly(Vocabulary vocabulary, byte[] utf8)
    {
        var scanner = PieceScanner.For(vocabulary.Split);
        using var tokenizer = Tokenizer.For(vocabulary);
        using var room = new MergeRoom();
        byte[] padded = [.. utf8, .. new byte[TokenIndex.Slack]];
        int count = 0;
        fixed (byte* text = padded)
        {
            byte* end = text + utf8.Length;
            for (byte* at = text; at < end;)
            {
                byte* next = scanner.Next(at, end);
                count += tokenizer.Merger.Count(at, (int)(next - at), false, room);
                at = next;
            }
        }

        return count;
    }

    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Show(string text) =>
        string.Concat(text.Select(c => c is > ' ' and < '\u007F' ? c.ToString() : $"\\u{(int)c:X4}"));
}
