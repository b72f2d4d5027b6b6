using System.Text;
using Ciyuan.Tokens.Normalizing;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Counting;

public sealed class TokenizerTests
{
    private static readonly Tokenizer O200k = Tokenizer.For(VocabularyCatalog.Shipped.Get("o200k_base"));
    private static readonly Tokenizer Qwen3 = Tokenizer.For(VocabularyCatalog.Shipped.Get("qwen3"));

    public static TheoryData<string, int> Hostile => new()
    {
        { "a", 1_000_000 },
        { " ", 1_000_000 },
        { "\n", 1_000_000 },
        { "\u0301", 500_000 },
        { "中", 400_000 },
        { "的", 400_000 },
        { "=", 1_000_000 },
        { "0", 1_000_000 },
        { " \n", 500_000 },
        { "A中", 250_000 },
        { "'s", 500_000 },
        { "👨‍👩‍👧", 60_000 },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    [Trait("Takes", "Long")]
    public void Count_AMillionOfTheSame_IsThatOfIdsAndParts(string unit, int times)
    {
        string text = new StringBuilder(unit.Length * times).Insert(0, unit, times).ToString();
        int[] ids = O200k.Encode(text);
        Assert.Equal(ids.Length, O200k.Count(text));
        Assert.Equal(text, O200k.Decode(ids));
        using RunningCount running = O200k.Begin();
        for (int at = 0; at < text.Length; at += 7919)
        {
            running.Append(text.AsSpan(at, Math.Min(7919, text.Length - at)));
        }

        Assert.Equal(ids.Length, running.Finish());
    }

    [Theory]
    [InlineData("xe\u0301 \u1100\u1161\u11A8中 ", 12_000)]
    [InlineData("a\u0301", 60_000)]
    [InlineData("\u0301\u0323", 200_000)]
    [Trait("Takes", "Long")]
    public void Count_LongTextThatComposes_IsThatOfIds(string unit, int times)
    {
        for (int shift = 0; shift < 4; shift++)
        {
            string text = new string('b', shift) + new StringBuilder(unit.Length * times).Insert(0, unit, times);
            int ids = Qwen3.Encode(text).Length;
            Assert.Equal(ids, Qwen3.Count(text));
            Assert.Equal(ids, Qwen3.Count(Encoding.UTF8.GetBytes(text)));
        }
    }

    [Fact]
    public void Count_SpecialTokens_FollowsThePolicy()
    {
        const string text = "a<|endoftext|><|endofprompt|>";
        int ordinary = O200k.Count(text);
        Assert.Equal(O200k.Encode(text).Length, ordinary);
        Assert.InRange(ordinary, 8, 20);
        Assert.Equal(3, O200k.Count(text, SpecialTokens.Parsed));
        Assert.Equal(3, O200k.Count(Encoding.UTF8.GetBytes(text), SpecialTokens.Parsed));
        Assert.Contains(199999, O200k.Encode(text, SpecialTokens.Only("<|endoftext|>")));
        Assert.DoesNotContain(200018, O200k.Encode(text, SpecialTokens.Only("<|endoftext|>")));
        Assert.Equal(7, O200k.Count("<|endoftext|>"));
    }

    [Fact]
    public void Count_TokensThatAreNotSpecial_AreFoundUnderAnyPolicy()
    {
        Assert.Equal(3, Qwen3.Count("a<think>a"));
        Assert.Equal(1, Qwen3.Count("<tool_call>"));
        Assert.NotEqual(1, Qwen3.Count("<|im_start|>"));
        Assert.Equal(1, Qwen3.Count("<|im_start|>", SpecialTokens.Parsed));
    }

    [Theory]
    [InlineData("e\u0301", "é")]
    [InlineData("a\u0323\u0302", "ậ")]
    [InlineData("a\u0302\u0323", "ậ")]
    [InlineData("ᄒ\u1161ᆫ글", "한글")]
    [InlineData("x\u0915\u093Cy", "x\u0915\u093Cy")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u212B\uF900", "Å豈")]
    [InlineData("plain 中文\u0301", "plain 中文\u0301")]
    public void Count_ComposingVocabulary_IsThatOfComposedText(string text, string composed)
    {
        var normalizer = new TextNormalizer(Normalization.Nfc);
        var to = new System.Buffers.ArrayBufferWriter<byte>();
        normalizer.Write(Encoding.UTF8.GetBytes(text), true, to);
        Assert.Equal(composed, Encoding.UTF8.GetString(to.WrittenSpan));
        Assert.Equal(Qwen3.Encode(composed), Qwen3.Encode(text));
    }

    [Fact]
    public void CountUpTo_AnyLimit_StopsOneAfterIt()
    {
        string text = new RandomText(1).Next(2000);
        int all = O200k.Count(text);
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        foreach (int limit in (int[])[0, 1, 63, 64, 500, all - 1, all, all + 1])
        {
            Assert.Equal(Math.Min(all, limit + 1), O200k.CountUpTo(text, limit));
            Assert.Equal(Math.Min(all, limit + 1), O200k.CountUpTo(utf8, limit));
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Count_FreshWarmOrOnOtherThreads_IsTheSame()
    {
        string[] texts = [.. Enumerable.Range(0, 40).Select(seed => new RandomText(seed).Next(1500))];
        int[] fresh = [.. texts.Select(text =>
        {
            using var tokenizer = Tokenizer.For(O200k.Vocabulary);
            return tokenizer.Count(text);
        })];
        using var shared = Tokenizer.For(O200k.Vocabulary);
        for (int round = 0; round < 3; round++)
        {
            int[] counts = new int[texts.Length];
            Parallel.For(0, texts.Length, i => counts[i] = shared.Count(texts[i]));
            Assert.Equal(fresh, counts);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [Trait("Takes", "Long")]
    public void CountParallel_LargeText_IsThatOfOneThread(int threads)
    {
        var text = new StringBuilder();
        for (int seed = 0; text.Length < 3_000_000; seed++)
        {
            text.Append(new RandomText(seed).Next(300)).Append("plain words between 中文，文字。\n");
        }

        byte[] utf8 = Encoding.UTF8.GetBytes(text.ToString());
        Assert.Equal(O200k.Count(utf8), O200k.CountParallel(utf8, threads));
        Assert.Equal(Qwen3.Count(utf8), Qwen3.CountParallel(utf8, threads));
    }

    [Fact]
    public void Count_WarmShortText_AllocatesNothing()
    {
        byte[] utf8 = Encoding.UTF8.GetBytes("What does a token cost, 词元的价格是多少？ don't guess: count it. 1234567 tokens");
        string text = Encoding.UTF8.GetString(utf8);
        int sum = 0;
        for (int i = 0; i < 200; i++)
        {
            sum += O200k.Count(utf8) + O200k.Count(text);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            sum += O200k.Count(utf8) + O200k.Count(text);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(400 * 2 * O200k.Count(utf8), sum);
    }

    [Fact]
    public void RunningCount_AfterTheEnd_Refuses()
    {
        using RunningCount running = O200k.Begin();
        running.Append("\uD83D");
        running.Append("\uDE00");
        Assert.Equal(O200k.Count("😀"), running.Finish());
        Assert.Throws<InvalidOperationException>(() => running.Append("x"));
        running.Dispose();
        Assert.Throws<ObjectDisposedException>(() => running.Finish());
    }

    [Fact]
    public void Decode_UnknownId_Refuses() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => O200k.Decode([1, 5_000_000]));
}
