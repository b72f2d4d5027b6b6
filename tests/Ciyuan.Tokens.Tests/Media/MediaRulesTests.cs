using System.Globalization;
using System.Text;
using System.Text.Json;
using Ciyuan.Tokens.Media;

namespace Ciyuan.Tokens.Tests.Media;

public sealed class MediaRulesTests
{
    private static readonly MediaRules Rules = MediaRules.Default;

    [Theory]
    [InlineData("gpt-4o", 1024, 1024, "high", 765)] // documented
    [InlineData("gpt-4o", 2048, 4096, "high", 1105)] // documented
    [InlineData("gpt-4o", 4096, 8192, "low", 85)] // documented
    [InlineData("gpt-4o-2024-08-06", 1024, 1024, "", 765)]
    [InlineData("openai/gpt-4.1", 1024, 1024, "auto", 765)]
    [InlineData("gpt-4o-mini", 1024, 1024, "high", 2833 + (4 * 5667))]
    [InlineData("gpt-4o-mini", 1024, 1024, "low", 2833)]
    [InlineData("gpt-5", 512, 512, "high", 210)]
    [InlineData("gpt-5-chat-latest", 100, 100, "low", 70)]
    [InlineData("o1-pro", 1024, 1024, "", 75 + (4 * 150))]
    [InlineData("o3", 300, 1200, "high", 75 + (3 * 150))] // 300×1200 is not enlarged
    [InlineData("computer-use-preview", 1024, 768, "", 65 + (4 * 129))]
    [InlineData("gpt-image-1", 1024, 1024, "low", 65 + 129)]
    [InlineData("gpt-image-1", 1024, 1024, "high", 65 + 129 + 4160)]
    [InlineData("gpt-image-1.5", 1024, 1536, "high", 65 + (2 * 129) + 6240)]
    public void Count_OfOpenAiTiles_IsAsDocumented(string model, long w, long h, string detail, long tokens) =>
        Assert.Equal(tokens, Image(model, w, h, detail).Tokens);

    [Theory]
    [InlineData("gpt-5-mini", 256, 256, 77)] // these six were measured on the API
    [InlineData("gpt-5-mini", 512, 512, 308)]
    [InlineData("gpt-5-mini", 768, 1024, 922)]
    [InlineData("gpt-5-mini", 1280, 720, 1104)]
    [InlineData("gpt-5-mini", 1024, 1024, 1229)]
    [InlineData("gpt-5-mini", 2048, 768, 1844)]
    [InlineData("gpt-5-mini", 4000, 1474, 1844)] // 2048×755, 1536 patches: measured
    [InlineData("gpt-5-mini", 1800, 2400, 1743)] // 1056×1408, 1452 patches: documented
    [InlineData("gpt-5-nano", 1024, 1024, 1536)]
    [InlineData("gpt-4.1-mini", 1024, 1024, 1659)]
    [InlineData("gpt-4.1-nano-2025-04-14", 1024, 1024, 2520)]
    [InlineData("o4-mini", 1024, 1024, 1762)]
    [InlineData("gpt-5.5", 1920, 1080, 2448)] // this and the next three: measured by a third party, auto
    [InlineData("gpt-5.5", 2560, 1440, 4320)]
    [InlineData("gpt-5.5", 3840, 2160, 9792)]
    [InlineData("gpt-5.5", 4032, 3024, 11868)] // over 10,000 patches: 115×86
    [InlineData("gpt-6", 4032, 3024, 14364)]
    public void Count_OfOpenAiPatches_IsAsMeasured(string model, long w, long h, long tokens) =>
        Assert.Equal(tokens, Image(model, w, h).Tokens);

    [Fact]
    public void Count_OfPatchesOverBudget_SaysTheSizeThatIsDocumented()
    {
        MediaCount count = Image("gpt-5-mini", 1800, 2400);

        Assert.Contains("1800×2400 resized to 1056×1408; 33×44 patches", count.Explanation, StringComparison.Ordinal);
        Assert.Contains("community.openai.com", count.Explanation, StringComparison.Ordinal);
        Assert.Equal(MediaGrade.Exact, count.Grade);
        Assert.Equal(2931, Image("gpt-6", 2560, 1440, "high").Tokens); // measured by a third party
        Assert.Equal(2942, Image("gpt-6", 4032, 3024, "high").Tokens);
    }

    [Theory]
    [InlineData(200, 200, 64, 64, "200×200 kept")]
    [InlineData(1000, 1000, 1296, 1296, "kept")]
    [InlineData(1092, 1092, 1521, 1521, "kept")]
    [InlineData(1920, 1080, 1560, 2691, "1456×819")]
    [InlineData(2000, 1500, 1564, 3888, "1270×952")]
    [InlineData(3840, 2160, 1560, 4784, "1456×819")]
    [InlineData(1075, 1520, 1551, 2145, "924×1307")]
    public void Count_OfAnthropicImages_IsAsDocumented(long w, long h, long standard, long high, string size)
    {
        MediaCount first = Image("claude-haiku-4-5-20251001", w, h);

        Assert.Equal(standard, first.Tokens);
        Assert.Contains(size, first.Explanation, StringComparison.Ordinal);
        Assert.Equal(standard, Image("us.anthropic.claude-sonnet-4-20250514-v1:0", w, h).Tokens);
        Assert.Equal(high, Image("claude-opus-4-7", w, h).Tokens);
        Assert.Equal(high, Image("anthropic/claude-sonnet-5-5", w, h).Tokens);
    }

    [Fact]
    public void Count_OfAnthropicAtTheHighTier_SaysTheDocumentedSize() =>
        Assert.Contains("2576×1449", Image("claude-opus-5", 3840, 2160).Explanation, StringComparison.Ordinal);

    [Fact]
    public void Count_BeyondAnthropicsLimit_IsRefused()
    {
        Assert.Equal(MediaStatus.RefusedByVendor, Image("claude-opus-5", 8001, 10).Status);
        Assert.Equal(MediaStatus.Counted, Image("claude-opus-5", 8000, 8000).Status);
    }

    [Theory]
    [InlineData("gemini-2.5-flash", 384, 384, "", 258)]
    [InlineData("models/gemini-2.5-pro", 960, 540, "", 1548)]
    [InlineData("gemini-2.5-pro", 960, 540, "low", 64)]
    [InlineData("gemini-1.5-pro", 2048, 2048, "", 2322)] // crops of at most 768 px
    [InlineData("gemini-1.5-flash", 8191, 3, "", 8256)] // and at least 256
    [InlineData("gemini-3-pro-preview", 960, 540, "", 1120)]
    [InlineData("gemini-3.8-flash", 1, 1, "low", 280)]
    [InlineData("gemini-3-flash", 960, 540, "medium", 560)]
    [InlineData("gemini-3-flash", 960, 540, "high", 1120)]
    [InlineData("gemini-3-flash", 960, 540, "ultra_high", 2240)]
    [InlineData("qwen2.5-vl-7b-instruct", 1024, 1024, "", 1225)]
    [InlineData("Qwen/Qwen2-VL-72B-Instruct", 1920, 1080, "", 1222)]
    [InlineData("qwen2.5-vl-72b", 640, 480, "", 391)]
    [InlineData("qwen2.5-vl-72b", 224, 224, "", 64)]
    [InlineData("qwen2.5-vl-72b", 20, 20, "", 4)]
    [InlineData("qwen3-vl-235b-a22b", 1920, 1080, "", 2040)]
    [InlineData("Qwen/Qwen3-VL-8B", 640, 480, "", 300)]
    [InlineData("qwen3-vl", 4000, 3000, "", 11750)]
    public void Count_OfOtherImages_IsAsTheReferenceSays(string model, long w, long h, string detail, long tokens) =>
        Assert.Equal(tokens, Image(model, w, h, detail).Tokens);

    [Theory]
    [InlineData("qwen2-audio-7b-instruct", 1.0, 25)]
    [InlineData("qwen2-audio", 1.5, 37)]
    [InlineData("qwen2.5-omni-7b", 10.0, 250)]
    [InlineData("qwen2.5-omni-7b", 30.0, 750)]
    [InlineData("qwen2.5-omni-7b", 60.0, 1500)]
    [InlineData("qwen2-audio", 60.0, 750)] // cut off at 30 s
    [InlineData("qwen3-omni-30b", 1.0, 13)]
    [InlineData("qwen3-asr-flash", 1.5, 20)]
    [InlineData("qwen3-omni-30b", 10.0, 130)]
    [InlineData("qwen3-omni-30b", 30.0, 390)]
    [InlineData("gemini-2.5-flash", 60.0, 1920)]
    [InlineData("gemini-3-flash", 60.0, 1500)]
    [InlineData("gpt-realtime", 2.0, 20)]
    [InlineData("gpt-4o-realtime-preview", 0.05, 1)]
    [InlineData("whisper-1", 29.9, 0)]
    public void Count_OfSound_IsAsTheReferenceSays(string model, double seconds, long tokens)
    {
        MediaCount count = Rules.Count(model, MediaFacts.Audio((decimal)seconds));

        Assert.Equal(MediaStatus.Counted, count.Status);
        Assert.Equal(tokens, count.Tokens);
    }

    [Fact]
    public void Count_OfSoundFromARealtimeModel_IsTwiceThatToIt() =>
        Assert.Equal(40, Rules.Count("gpt-realtime", MediaFacts.Audio(2), "", MediaDirection.Output).Tokens);

    [Fact]
    public void Count_OfFilm_FollowsEachVendor()
    {
        Assert.Equal(108_000, Film("doubao-seedance-1-0-pro", 1280, 720, 5, 24, MediaDirection.Output)); // documented
        Assert.Equal(243_000, Film("doubao-seedance-1-0-pro", 1920, 1080, 5, 24, MediaDirection.Output));
        Assert.Equal(46_920, Film("seedance-1-lite", 736, 544, 5, 24, MediaDirection.Output)); // a reseller's table
        Assert.Equal(2580, Film("gemini-2.5-flash", 1280, 720, 10, 24));
        Assert.Equal(700, Film("gemini-3-flash", 1280, 720, 10, 24));
        MediaFacts heard = MediaFacts.Video(1280, 720, 10, 24) with { HasSound = true };
        Assert.Equal(2580 + 320, Rules.Count("gemini-2.5-flash", heard).Tokens);
        Assert.Equal(2800, Rules.Count("gemini-3-flash", MediaFacts.Video(1280, 720, 10, 24), "high").Tokens);
        Assert.Equal(2580, Rules.Count("gemini-2.5-flash", MediaFacts.Document(10)).Tokens);
        Assert.Equal(5600, Rules.Count("gemini-3-flash", MediaFacts.Document(10)).Tokens);
    }

    [Theory] // computed with qwen-vl-utils' published functions run in Python, seconds at frames a second
    [InlineData("qwen2.5-vl-7b", 1280, 720, 10, 24, 20, 7200)]
    [InlineData("qwen2.5-vl-7b", 1920, 1080, 600, 30, 768, 0)]
    [InlineData("qwen3-vl-8b", 640, 360, 3, 25, 6, 660)]
    public void Count_OfQwenFilm_PicksFramesAsPublished(
        string model, long w, long h, int seconds, long rate, long frames, long tokens)
    {
        MediaCount count = Rules.Count(model, MediaFacts.Video(w, h, seconds, rate));

        Assert.StartsWith($"{frames} of {seconds * rate} frames", count.Explanation, StringComparison.Ordinal);
        Assert.True(tokens == 0 || tokens == count.Tokens, count.Explanation);
        Assert.InRange(count.Tokens, 1, 128_000 * 9 / 10);
    }

    [Fact]
    public void Count_OfRandomQwenSizes_EqualsThePublishedArithmeticInPython()
    {
        int checks = 0;
        foreach (string[] line in Fixtures.Lines("qwen-vl-sizes.txt").Select(l => l.Split(' ')))
        {
            long[] n = [.. line.Skip(1).Select(t => long.Parse(t, CultureInfo.InvariantCulture))];
            if (line[0] == "image")
            {
                Assert.Equal(n[2], Image("qwen2.5-vl-7b", n[0], n[1]).Tokens);
                Assert.Equal(n[3], Image("qwen3-vl-8b", n[0], n[1]).Tokens);
            }
            else
            {
                MediaFacts film = new()
                {
                    Kind = MediaKind.Video,
                    Width = n[1],
                    Height = n[2],
                    Frames = n[3],
                    FrameRate = n[4],
                    FrameRateBase = n[5],
                };
                MediaCount count = Rules.Count(n[0] == 28 ? "qwen2.5-vl-7b" : "qwen3-vl-8b", film);
                Assert.Equal(n[9], count.Tokens);
                Assert.StartsWith($"{n[6]} of {n[3]} frames", count.Explanation, StringComparison.Ordinal);
            }

            checks++;
        }

        Assert.Equal(350, checks);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(10, 0)]
    [InlineData(-1, 10)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(long.MinValue, 1)]
    [InlineData(1_000_001, 1)]
    public void Count_OfImpossibleSizes_IsRefusedByEveryRule(long w, long h)
    {
        foreach (MediaRule rule in Rules.Rules.Where(r => r.Kind == MediaKind.Image && r.Shape != "fixed"))
        {
            MediaCount count = MediaRules.Count(rule, MediaFacts.Image(w, h), rule.Details.FirstOrDefault(Sized) ?? "");

            Assert.Equal(MediaStatus.BadFacts, count.Status);
            Assert.Equal(0, count.Tokens);
        }

        bool Sized(string detail) => detail is "high" or "default" or "standard";
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Count_OfAnySize_NeverFailsAndStaysWithinBounds()
    {
        Random random = new(7);
        long[] sides = [1, 2, 27, 28, 29, 31, 32, 33, 384, 385, 512, 768, 2048, 2049, 65_535, 1_000_000];
        for (int i = 0; i < 3000; i++)
        {
            long w = i % 2 == 0 ? sides[random.Next(sides.Length)] : random.Next(1, 12_000);
            long h = i % 3 == 0 ? sides[random.Next(sides.Length)] : random.Next(1, 12_000);
            foreach (MediaRule rule in Rules.Rules.Where(r => r.Kind == MediaKind.Image))
            {
                MediaCount count = MediaRules.Count(rule, MediaFacts.Image(w, h));
                MediaCount turned = MediaRules.Count(
                    rule, MediaFacts.Image(h, w) with { Orientation = 6 });

                Assert.True(count.Status is MediaStatus.Counted or MediaStatus.RefusedByVendor, count.Explanation);
                Assert.Equal(count, turned);
                Assert.True(count.Tokens > 0 || count.Status != MediaStatus.Counted, count.Explanation);
            }
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Count_OfPatchesAndGrids_NeverExceedsTheBudget()
    {
        Random random = new(8);
        for (int i = 0; i < 5000; i++)
        {
            long w = random.Next(1, 9000);
            long h = random.Next(1, 9000);
            Assert.InRange(Image("claude-haiku-4-5", w % 8000 + 1, h % 8000 + 1).Tokens, 1, 1568);
            Assert.InRange(Image("claude-opus-5", w % 8000 + 1, h % 8000 + 1).Tokens, 1, 4784);
            Assert.InRange(Image("gpt-5-mini", w, h).Tokens, 1, (long)Math.Ceiling(1536 * 1.2));
        }
    }

    [Fact]
    public void Find_OfNamesWithPrefixesAndDates_FindsTheModel()
    {
        Assert.Equal("openai-tiles-gpt-4o-mini", Rules.Find("openai/gpt-4o-mini-2024-07-18", MediaKind.Image)!.Id);
        Assert.Equal("openai-patches-gpt-4.1-mini", Rules.Find("gpt-4.1-mini", MediaKind.Image)!.Id);
        Assert.Equal("openai-tiles-gpt-4o", Rules.Find("gpt-4.1-2025-04-14", MediaKind.Image)!.Id);
        Assert.Equal("anthropic-image-standard", Rules.Find("claude-haiku-4-5-20251001", MediaKind.Image)!.Id);
        Assert.Null(Rules.Find("some-other-model", MediaKind.Image));
        Assert.Equal(MediaStatus.NoRule, Image("some-other-model", 1, 1).Status);
        Assert.Equal(MediaStatus.UnknownDetail, Image("gpt-4o", 1, 1, "extreme").Status);
    }

    [Fact]
    public void Count_WithAnOperatorsFile_UsesItsNumbersFirst()
    {
        MediaRules own = MediaRules.Parse(Encoding.UTF8.GetBytes("""
            {"version": 1, "rules": [{"id": "mine", "shape": "patches", "kind": "image", "models": ["gpt-5*"],
              "grade": "exact", "source": "our invoice", "date": "2026-07",
              "numbers": {"patch": 32, "budget": 1536, "multiplier": 1.62}}]}
            """));

        Assert.Equal(1659, Rules.OverriddenBy(own).Count("gpt-5-mini", MediaFacts.Image(1024, 1024)).Tokens);
        Assert.Equal(765, Rules.OverriddenBy(own).Count("gpt-4o", MediaFacts.Image(1024, 1024)).Tokens);
    }

    [Theory]
    [InlineData("not json", "cannot be read")]
    [InlineData("""{"rules": [{"id": "a", "shape": "nonsense"}]}""", "")]
    [InlineData("""{"rules": [], "mor": 1}""", "unknown field 'mor'")]
    [InlineData("""
        {"rules": [{"id": "a", "shape": "patches", "kind": "image", "models": ["x"], "grade": "exact", "source": "s",
          "date": "d", "numbers": {"patch": 0, "budget": 1}}]}
        """, "'patch' must be from")]
    [InlineData("""
        {"rules": [{"id": "a", "shape": "patches", "kind": "image", "models": ["x"], "grade": "exact", "source": "s",
          "date": "d", "numbers": {"patch": 32}}]}
        """, "needs a number 'budget'")]
    [InlineData("""
        {"rules": [{"id": "a", "shape": "rate", "kind": "audio", "models": ["x"], "grade": "surely", "source": "s",
          "date": "d", "numbers": {"tokensPerSecond": 32}}]}
        """, "'surely' is no MediaGrade")]
    [InlineData("""
        {"rules": [{"id": "a", "shape": "rate", "kind": "audio", "models": ["x"], "grade": "exact", "source": "s",
          "date": "d", "numbers": {"tokensPerSecond": 32, "tokenPerSecond": 1}}]}
        """, "has no number 'tokenPerSecond'")]
    public void Parse_OfAFaultyFile_SaysWhatIsWrong(string json, string part) =>
        Assert.Contains(
            part,
            Assert.Throws<MediaRuleException>(() => MediaRules.Parse(Encoding.UTF8.GetBytes(json))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Rules_OfTheLibrary_EachNameTheirSourceAndDate()
    {
        Assert.All(Rules.Rules, r => Assert.StartsWith("https://", r.Source, StringComparison.Ordinal));
        Assert.All(Rules.Rules, r => Assert.Matches("^20[0-9]{2}(-[01][0-9])?$", r.Date));
        Assert.All(Rules.Rules, r => Assert.NotEmpty(r.Models));
    }

    [Fact]
    public void Count_OfEveryOtherVectorOfTheReference_IsEqual()
    {
        string? file = SharedData.Find("multimodal.json");
        if (file is null)
        {
            return; // the reference lies beside the checkout; its values stand in the tables above, too
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        JsonElement root = document.RootElement;
        int checks = 0;
        foreach (JsonElement v in root.GetProperty("anthropic_image").GetProperty("vectors").EnumerateArray())
        {
            (long w, long h) = Size(v);
            Assert.Equal(v.GetProperty("standard").GetInt64(), Image("claude-haiku-4-5", w, h).Tokens);
            Assert.Equal(v.GetProperty("high").GetInt64(), Image("claude-opus-5", w, h).Tokens);
            checks += 2;
        }

        foreach (JsonElement v in root.GetProperty("openai_tile").GetProperty("vectors").EnumerateArray())
        {
            (long w, long h) = Size(v);
            string model = v.GetProperty("model").GetString()!;
            Assert.Equal(Tokens(v), Image(model, w, h, v.GetProperty("detail").GetString()!).Tokens);
            checks++;
        }

        JsonElement patch = root.GetProperty("openai_patch");
        const string Measured = "vectors_measured_on_api_gpt-5-mini_mult_1.2_ceil";
        foreach (JsonElement v in patch.GetProperty(Measured).EnumerateArray())
        {
            (long w, long h) = Size(v);
            Assert.Equal(Tokens(v), Image("gpt-5-mini", w, h).Tokens);
            checks++;
        }

        Assert.Equal(14 + 3 + 6, checks);
    }

    [Fact]
    public void Count_OfEveryQwenVectorOfTheReference_IsEqual()
    {
        string? file = SharedData.Find("multimodal.json");
        if (file is null)
        {
            return; // as above
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        JsonElement root = document.RootElement;
        int checks = 0;
        foreach (JsonElement v in root.GetProperty("qwen_audio").GetProperty("vectors").EnumerateArray())
        {
            MediaFacts sound = MediaFacts.Audio(v.GetProperty("s").GetDecimal());
            Assert.Equal(v.GetProperty("q2").GetInt64(), Rules.Count("qwen2.5-omni", sound).Tokens);
            Assert.Equal(v.GetProperty("q3").GetInt64(), Rules.Count("qwen3-omni", sound).Tokens);
            checks += 2;
        }

        string model = "";
        foreach (JsonElement v in root.GetProperty("qwen_vl").GetProperty("vectors_computed").EnumerateArray())
        {
            (long w, long h) = Size(v);
            string name = v.GetProperty("model").GetString()!.Split(' ')[0];
            model = name == "same" ? model : name;
            Assert.Equal(Tokens(v), Image(model, w, h).Tokens);
            checks++;
        }

        Assert.Equal(8 + 8, checks);
    }

    private static (long W, long H) Size(JsonElement v) =>
        (v.GetProperty("w").GetInt64(), v.GetProperty("h").GetInt64());

    private static long Tokens(JsonElement v) => v.GetProperty("tokens").GetInt64();

    private static MediaCount Image(string model, long w, long h, string detail = "") =>
        Rules.Count(model, MediaFacts.Image(w, h), detail);

    private static long Film(
        string model, long w, long h, decimal seconds, long rate, MediaDirection way = MediaDirection.Input) =>
        Rules.Count(model, MediaFacts.Video(w, h, seconds, rate), "", way).Tokens;
}
