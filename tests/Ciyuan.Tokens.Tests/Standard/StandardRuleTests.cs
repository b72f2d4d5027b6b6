using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Ciyuan.Tokens.Media;
using Ciyuan.Tokens.Standard;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Standard;

public sealed class StandardRuleTests
{
    private static readonly StandardRule Rule = StandardRule.Get("std-1");

    [Theory] // a rule that was used never changes: make a new one with a new id instead
    [InlineData("std-1", "82b7bdd9d244066b3da6523bc014bdff7cb5fcc7d590ec919f62ab4843d24eb6")]
    public void File_OfAPublishedRule_NeverChanges(string id, string sha256)
    {
        using Stream stream = typeof(StandardRule).Assembly
            .GetManifestResourceStream($"Ciyuan.Tokens.Standard.{id}.json")!;

        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    [Fact]
    public void Rules_OfTheLibrary_AreAllPinned()
    {
        Assembly assembly = typeof(StandardRule).Assembly;

        Assert.Equal(
            ["Ciyuan.Tokens.Standard.std-1.json"],
            assembly.GetManifestResourceNames().Where(n => n.Contains(".Standard.", StringComparison.Ordinal)));
        Assert.Same(Rule, StandardRule.Current);
        Assert.Throws<ArgumentException>(() => StandardRule.Get("std-0"));
    }

    [Theory]
    [InlineData(1000, "o200k_base", TextMix.Any, 1000, 0)]
    [InlineData(1000, "o200k_harmony", TextMix.Chinese, 1000, 0)]
    [InlineData(1000, "cl100k_base", TextMix.English, 993, 35)]
    [InlineData(1000, "cl100k_base", TextMix.Chinese, 763, 180)]
    [InlineData(1000, "qwen3", TextMix.Chinese, 1126, 225)]
    [InlineData(1000, "deepseek_v3", TextMix.Code, 932, 83)]
    [InlineData(0, "qwen3", TextMix.Any, 0, 0)]
    [InlineData(1, "qwen3", TextMix.Any, 1, 1)]
    [InlineData(1000, "", TextMix.Any, 958, 290)]
    [InlineData(1000, "never-heard-of", TextMix.Any, 958, 290)]
    public void Convert_OfAProvidersNumber_UsesTheTable(
        long tokens, string vocabulary, TextMix mix, long standard, long error)
    {
        StandardCount count = Rule.Convert(tokens, vocabulary, mix);

        Assert.Equal(standard, count.Tokens);
        Assert.Equal(error, count.ErrorTokens);
        Assert.Equal("std-1", count.RuleId);
    }

    [Fact]
    public void Convert_OfAnyNumber_KeepsTheAxioms()
    {
        Random random = new(4);
        foreach (string vocabulary in Rule.Vocabularies.Append("o200k_base").Append(""))
        {
            foreach (TextMix mix in Enum.GetValues<TextMix>())
            {
                long last = 0;
                long tokens = 0;
                for (int i = 0; i < 200; i++)
                {
                    long more = random.NextInt64(1, 5_000);
                    tokens += more;
                    long now = Rule.Convert(tokens, vocabulary, mix).Tokens;

                    Assert.True(now >= last); // more is never less
                    // Additive, but for rounding.
                    Assert.InRange(now - last - Rule.Convert(more, vocabulary, mix).Tokens, -1, 1);
                    last = now;
                }
            }
        }

        Assert.Equal(1.003m, Math.Round(Rule.Convert(StandardRule.MaxTokens, "llama3").Tokens / 1e12m, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Rule.Convert(-1, "qwen3"));
        Assert.Throws<ArgumentOutOfRangeException>(() => Rule.Convert(StandardRule.MaxTokens + 1, "qwen3"));
        Assert.Throws<ArgumentOutOfRangeException>(() => Rule.Convert(1, "qwen3", (TextMix)9));
    }

    [Fact]
    public void ConvertForModel_ByName_FindsTheVocabulary()
    {
        Assert.Equal(Rule.Convert(500, "qwen3"), Rule.ConvertForModel(500, "qwen3-8b"));
        Assert.Equal(Rule.Convert(500, "o200k_base"), Rule.ConvertForModel(500, "gpt-4o-2024-08-06"));
        Assert.Equal(Rule.Convert(500, ""), Rule.ConvertForModel(500, "claude-opus-5"));
    }

    [Fact]
    public void OfText_OfAnyText_IsTheReferencesCount()
    {
        Assert.Equal(new StandardCount(3, 0, StandardMethod.Recounted, "std-1"), Rule.OfText("Hello, 世界"u8));
        Assert.Equal(0, Rule.OfText(""u8).Tokens);
    }

    [Theory] // a page of this project in each language: the converted number against the recounted one
    [InlineData("README.md", TextMix.English)]
    [InlineData("README.zh-CN.md", TextMix.Chinese)]
    public void Convert_OfAPage_IsWithinItsErrorOfTheRecount(string page, TextMix mix)
    {
        string? root = Root();
        Assert.NotNull(root);
        byte[] text = Encoding.UTF8.GetBytes(File.ReadAllText(Path.Combine(root, page)));
        foreach (string vocabulary in (string[])["cl100k_base", "qwen3", "deepseek_v3", "mistral_nemo"])
        {
            using Tokenizer tokenizer = Tokenizer.For(VocabularyCatalog.Shipped.Get(vocabulary));
            StandardCount converted = Rule.Convert(tokenizer.Count(text), vocabulary, mix);
            long recounted = Rule.OfText(text).Tokens;

            long error = converted.ErrorTokens;
            Assert.InRange(recounted, converted.Tokens - error, converted.Tokens + error);
        }
    }

    [Fact]
    public void OfMedia_OfEachKind_FollowsTheRule()
    {
        Assert.Equal(1024, Of(MediaFacts.Image(1024, 1024)));
        Assert.Equal(1, Of(MediaFacts.Image(1, 1)));
        Assert.Equal(60 * 34, Of(MediaFacts.Image(1920, 1080)));
        Assert.Equal(4096, Of(MediaFacts.Image(4000, 3000)));
        Assert.Equal(4096, Of(MediaFacts.Image(1_000_000, 1_000_000)));
        Assert.Equal(250, Of(MediaFacts.Audio(10)));
        Assert.Equal(1, Of(MediaFacts.Audio(0.001m)));
        Assert.Equal(2400, Of(MediaFacts.Video(1280, 720, 10, 24)));
        Assert.Equal(2650, Of(MediaFacts.Video(1280, 720, 10, 24) with { HasSound = true }));
        Assert.Equal(10_240, Of(MediaFacts.Video(7680, 4320, 10, 60)));
        Assert.Equal(5120, Of(MediaFacts.Document(10)));
        Assert.Null(Rule.OfMedia(MediaFacts.Image(0, 10)));
        Assert.Null(Rule.OfMedia(MediaFacts.Image(long.MaxValue, 1)));
        Assert.Null(Rule.OfMedia(MediaFacts.Audio(-1)));
        Assert.Null(Rule.OfMedia(MediaFacts.Document(0)));
        Assert.Null(Rule.OfMedia(new MediaFacts { Kind = MediaKind.Unknown }));

        static long? Of(MediaFacts facts) => Rule.OfMedia(facts)?.Tokens;
    }

    private static string? Root()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Ciyuan.slnx")))
        {
            at = at.Parent;
        }

        return at?.FullName;
    }
}
