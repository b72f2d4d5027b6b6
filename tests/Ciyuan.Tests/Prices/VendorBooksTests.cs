using Ciyuan.Rating;
using static Ciyuan.Tests.Prices.SampleBooks;

namespace Ciyuan.Tests.Prices;

/// <summary>
/// The vendors' published rules as books: each row is a call and its amount as arithmetic by hand, quantity times price
/// per million, written out with the prices of the vendor's page and not with those of the book.
/// </summary>
public sealed class VendorBooksTests
{
    private const string Million = "input.text=1000000,input.text.cache_read=1000000,output.text=1000000";

    /// <summary>Calls and amounts. A row without tags has none.</summary>
    public static TheoryData<string, string, string, string, string, decimal> Calls { get; } = Rows();

    private static TheoryData<string, string, string, string, string, decimal> Rows()
    {
        var rows = new TheoryData<string, string, string, string, string, decimal>();
        foreach ((string book, string model, string time, string counts, string tags, decimal amount) in
            (IEnumerable<(string, string, string, string, string, decimal)>)
                [.. DeepSeek(), .. DeepSeekVersions(), .. Qwen(), .. Doubao(), .. Zhipu(), .. MiniMaxAndMoonshot(),
                    .. OpenAi(), .. OpenAiMedia(), .. FineTuned(), .. Anthropic(), .. Bedrock(), .. Gemini()])
        {
            rows.Add(book, model, time, counts, tags, amount);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Price_PublishedRule_IsTheHandArithmetic(
        string book, string model, string time, string counts, string tags, decimal amount) =>
        Assert.Equal(Plain(amount), Outcome(Explain(All, book, model, time, counts, tags)));

    // A million each of input, cached input and output; there is no price of its own for the cached one.
    private static IEnumerable<(string, string, string, string, string, decimal)> FineTuned() =>
    [
        ("openai-usd", "ft:gpt-4o-2024-08-06:acme::1", "2026-11-20T00:00:00Z", Million, "", 3.75m + 3.75m + 15),
        ("openai-usd", "ft:gpt-4o-mini-2024-07-18:acme::1", "2026-11-20T00:00:00Z", Million, "", 0.3m + 0.3m + 1.2m),
        ("openai-usd", "gpt-4o-2024-08-06", "2026-11-20T00:00:00Z", Million, "", 2.5m + 1.25m + 10),
    ];

    // By region a tenth more than by the global profile.
    private static IEnumerable<(string, string, string, string, string, decimal)> Bedrock()
    {
        const string Book = "bedrock-claude-usd";
        const string Time = "2026-11-20T00:00:00Z";
        const decimal Global = 5 + 0.5m + 25;
        yield return (Book, "global.anthropic.claude-opus-5", Time, Million, "", Global);
        yield return (Book, "global.anthropic.claude-opus-4-8-v1:0", Time, Million, "", Global);
        foreach (string region in (string[])["us.", "eu.", "au.", "jp.", ""])
        {
            yield return (Book, $"{region}anthropic.claude-opus-5", Time, Million, "", Global * 1.1m);
            yield return (Book, $"{region}anthropic.claude-opus-4-8-v1:0", Time, Million, "", Global * 1.1m);
        }

        yield return (Book, "jp.anthropic.claude-haiku-4-5-20251001-v1:0", Time, Million, "", 1.1m + 0.11m + 5.5m);
    }

    // 2026-11-20 is a Friday. Pro: 4.5 a million new, 0.15 cached, 13.5 out; at peak twice.
    private static IEnumerable<(string, string, string, string, string, decimal)> DeepSeek()
    {
        (string Time, bool IsPeak)[] moments =
        [
            ("2026-11-20T08:59:59.999+08:00", false), ("2026-11-20T09:00:00+08:00", true),
            ("2026-11-20T11:59:59.999+08:00", true), ("2026-11-20T12:00:00+08:00", false),
            ("2026-11-20T13:59:59.999+08:00", false), ("2026-11-20T14:00:00+08:00", true),
            ("2026-11-20T17:59:59.999+08:00", true), ("2026-11-20T18:00:00+08:00", false),
            ("2026-11-20T01:00:00Z", true), ("2026-11-20T10:00:00Z", false),
            ("2026-11-21T10:00:00+08:00", false), // Saturday
            ("2026-11-22T15:00:00+08:00", false), // Sunday
            ("2026-09-25T10:00:00+08:00", false), // Friday, Mid-Autumn
            ("2026-10-01T10:00:00+08:00", false), // Thursday, National Day
            ("2026-10-07T16:00:00+08:00", false), // Wednesday, its last day
            ("2026-10-08T10:00:00+08:00", true), // Thursday after it
            ("2026-09-20T10:00:00+08:00", false), // Sunday worked instead
            ("2026-10-10T10:00:00+08:00", false), // Saturday worked instead
            ("2026-11-30T17:59:59.999+08:00", true), // the month's last working minute, a Monday
            ("2026-09-30T23:59:59.999+08:00", false), // the month's last moment
        ];
        foreach ((string time, bool isPeak) in moments)
        {
            decimal times = isPeak ? 2 : 1;
            yield return ("deepseek-cny", "deepseek-v4-pro", time, Million, "", times * (4.5m + 0.15m + 13.5m));
            yield return ("deepseek-usd", "deepseek-v4-pro", time, Million, "", times * (0.66m + 0.022m + 1.98m));
            yield return ("deepseek-cny", "deepseek-flash", time, Million, "", times * (1 + 0.02m + 4));
            yield return ("deepseek-usd", "deepseek-v4-flash", time, Million, "", times * (0.15m + 0.003m + 0.60m));
        }
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> DeepSeekVersions()
    {
        yield return ("deepseek-cny", "deepseek-v4-pro", "2026-11-20T20:00:00+08:00",
            "input.text=123457,input.text.cache_read=9999,output.text=777,output.text.reasoning=223", "",
            ((123_457 * 4.5m) + (9_999 * 0.15m) + ((777 + 223) * 13.5m)) / 1_000_000);

        // Searches of a model on the server, since November: 5 yuan or 0.75 dollars a thousand.
        const string Searches = "input.text=1000,output.text=200,request=3";
        yield return ("deepseek-cny", "deepseek-flash", "2026-11-01T00:00:00+08:00", Searches, "tool=web_search",
            ((1_000 * 1) + (200 * 4)) / 1_000_000m + (3 * 0.005m));
        yield return ("deepseek-usd", "deepseek-v4-pro", "2026-10-31T16:00:00Z", Searches, "tool=web_search",
            ((1_000 * 0.66m) + (200 * 1.98m)) / 1_000_000 + (3 * 0.00075m));

        // Versions: the flat price, then peak and off-peak on all days, then weekends, then the new Flash.
        yield return ("deepseek-usd", "deepseek-v4-pro", "2026-08-16T15:59:59.999Z", Million, "",
            0.435m + 0.003625m + 0.87m);
        yield return ("deepseek-usd", "deepseek-v4-pro", "2026-08-16T16:00:00Z", Million, "", 0.66m + 0.022m + 1.98m);
        yield return ("deepseek-usd", "deepseek-v4-pro", "2026-08-22T10:00:00+08:00", Million, "",
            1.32m + 0.044m + 3.96m); // a Saturday, while weekends still had peaks
        yield return ("deepseek-usd", "deepseek-v4-pro", "2026-08-23T10:00:00+08:00", Million, "",
            0.66m + 0.022m + 1.98m);
        yield return ("deepseek-cny", "deepseek-v4-flash", "2026-09-09T23:59:59.999+08:00", Million, "",
            1.5m + 0.05m + 4.5m);
        yield return ("deepseek-cny", "deepseek-v4-flash", "2026-09-10T00:00:00+08:00", Million, "", 1 + 0.02m + 4);

        // 2025: off-peak 16:30 to 00:30 UTC, over midnight.
        foreach ((string clock, bool isOff) in (IEnumerable<(string, bool)>)
        [
            ("16:29:59.999", false), ("16:30:00", true), ("23:59:59.999", true), ("00:29:59.999", true),
            ("00:30:00", false),
        ])
        {
            yield return ("deepseek-usd", "deepseek-reasoner", $"2025-03-02T{clock}Z", Million, "",
                isOff ? 0.135m + 0.035m + 0.55m : 0.55m + 0.14m + 2.19m);
        }
    }

    private const string Time = "2026-11-20T10:00:00+08:00";

    private static IEnumerable<(string, string, string, string, string, decimal)> Qwen()
    {
        foreach ((int tokens, decimal price) in (IEnumerable<(int, decimal)>)
            [(32_000, 2.5m), (32_001, 4), (128_000, 4), (128_001, 7), (256_000, 7)])
        {
            yield return ("qwen-cny", "qwen3-max", Time, $"input.text={tokens}", "", tokens * price / 1_000_000);
        }

        // What is cached counts for the length: 30 000 + 2 001 is in the second tier, 0.8 = 20 % of 4.
        yield return ("qwen-cny", "qwen3-max", Time, "input.text=30000,input.text.cache_read=2001,output.text=500", "",
            ((30_000 * 4) + (2_001 * 0.8m) + (500 * 16)) / 1_000_000);
        yield return ("qwen-cny", "qwen3-max", Time, "input.text=20000,output.text=1000", "service_tier=batch",
            ((20_000 * 2.5m) + (1_000 * 10)) / 1_000_000 / 2);
        yield return ("qwen-cny", "qwen3-max", Time,
            "input.text=100,input.text.cache_write_5m=10000,input.text.cache_read=10000", "cache_type=ephemeral",
            ((100 * 2.5m) + (10_000 * 2.5m * 1.25m) + (10_000 * 2.5m * 0.10m)) / 1_000_000);
        yield return ("qwen-cny", "qwen3-max-2025-09-23", Time, "input.text.cache_read=10000", "",
            10_000 * 2.5m * 0.20m / 1_000_000);
        // One thought makes all output thinking: 8 a million instead of 2, the answer too.
        yield return ("qwen-cny", "qwen-plus", Time, "input.text=100000,input.image.cache_read=28000,output.text=900",
            "", ((100_000 * 0.8m) + (28_000 * 0.8m * 0.20m) + (900 * 2)) / 1_000_000);
        yield return ("qwen-cny", "qwen-plus", Time, "input.text=128000,output.text=899,output.text.reasoning=1", "",
            ((128_000 * 0.8m) + (900 * 8)) / 1_000_000);
        yield return ("qwen-cny", "qwen-plus", Time, "input.text=128001,output.text=899,output.text.reasoning=1",
            "service_tier=batch", ((128_001 * 2.4m) + (900 * 24)) / 2 / 1_000_000);
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> Doubao()
    {
        yield return ("doubao-cny", "doubao-seed-1.8", Time, "input.text=32000,output.text=200", "",
            ((32_000 * 0.8m) + (200 * 2)) / 1_000_000);
        yield return ("doubao-cny", "doubao-seed-1-8-251228", Time, "input.text=32000,output.text=201", "",
            ((32_000 * 0.8m) + (201 * 8)) / 1_000_000);
        yield return ("doubao-cny", "doubao-seed-1.8", Time, "input.text=32001,output.text=1", "",
            ((32_001 * 1.2m) + 16) / 1_000_000);
        yield return ("doubao-cny", "doubao-seed-1.8", Time, "input.text=200000,output.text=100", "service_tier=batch",
            ((200_000 * 2.4m) + (100 * 24)) / 1_000_000 / 2);
        // A million tokens kept for a day, at 0.017 a million and hour.
        yield return ("doubao-cny", "doubao-seed-2-0-pro-260215", Time,
            "input.text.cache_read=1000,cache_token_hour=24000000", "", (24 * 0.017m) + (1_000 * 0.64m / 1_000_000));
        // Five seconds of 720p at 24 frames: 1280 × 720 × 24 × 5 / 1024 = 108 000 tokens.
        yield return ("doubao-cny", "doubao-seedance-2.0", Time, "output.video=108000", "",
            1_280m * 720 * 24 * 5 / 1_024 * 46 / 1_000_000);
        yield return ("doubao-cny", "doubao-seedance-2-0-260128", Time, "output.video=108000", "input_video=true",
            108_000 * 28m / 1_000_000);
        yield return ("doubao-cny", "doubao-seedance-2-5-260628", Time, "output.video=1000000",
            "input_video=true,resolution=1080p", 46);
        yield return ("doubao-cny", "doubao-seedream-4.5", Time, "image=3", "", 3 * 0.25m);
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> Zhipu()
    {
        foreach ((int input, int output, decimal inPrice, decimal outPrice) in
            (IEnumerable<(int, int, decimal, decimal)>)
            [(31_999, 199, 2, 8), (31_999, 200, 3, 14), (32_000, 1, 4, 16), (199_999, 5_000, 4, 16)])
        {
            yield return ("zhipu-cny", "GLM-4.7", Time, $"input.text={input},output.text={output}", "",
                ((input * inPrice) + (output * outPrice)) / 1_000_000);
        }

        yield return ("zhipu-cny", "glm-5", Time, "input.text=20000,input.text.cache_read=11999,output.text=10", "",
            ((20_000 * 4) + (11_999 * 1) + (10 * 18)) / 1_000_000m);
        yield return ("zhipu-cny", "glm-5", Time, "input.text=20000,input.text.cache_read=12000,output.text=10", "",
            ((20_000 * 6) + (12_000 * 1.5m) + (10 * 22)) / 1_000_000);
        yield return ("zhipu-cny", "glm-5.3-flash", "2026-09-09T23:59:59.999+08:00", Million, "", 0.4m + 0.115m + 1.4m);
        yield return ("zhipu-cny", "glm-5.3-flash", "2026-09-10T00:00:00+08:00", Million, "", 0.8m + 0.23m + 2.8m);
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> MiniMaxAndMoonshot()
    {
        yield return ("minimax-cny", "MiniMax-M2.7-highspeed", Time,
            "input.text=1000000,input.text.cache_read=1000000,input.text.cache_write=1000000,output.text=1000000", "",
            (2 * 2.1m) + 0.42m + 2.625m + (2 * 8.4m));
        yield return ("minimax-usd", "MiniMax-M3", Time, "input.text=512000,output.text=1000", "",
            ((512_000 * 0.30m) + (1_000 * 1.20m)) / 1_000_000);
        yield return ("minimax-usd", "MiniMax-M3", Time, "input.text=512001,output.text=1000", "service_tier=priority",
            ((512_001 * 0.60m) + (1_000 * 2.40m)) * 1.5m / 1_000_000);

        yield return ("moonshot-cny", "kimi-k3", Time, Million, "", 20 + 2 + 100);
        yield return ("moonshot-cny", "kimi-k3", Time, "input.text=1000,output.text=100,request=2", "tool=web_search",
            ((1_000 * 20) + (100 * 100)) / 1_000_000m + (2 * 0.03m));
        yield return ("moonshot-usd", "kimi-k3.1-pro", Time,
            "input.text=1000,input.text.cache_read=2000,input.text.cache_write_5m=3000,input.text.cache_write_1h=4000,"
                + "output.text=500,output.text.reasoning=5000", "",
            ((1_000 * 2) + (2_000 * 0.20m) + (3_000 * 2) + (4_000 * 4) + (5_500 * 10)) / 1_000_000);
        yield return ("moonshot-usd", "kimi-k3.1-pro-highspeed", Time, "input.text=1000,output.text=1000", "",
            ((1_000 * 4) + (1_000 * 20)) / 1_000_000m);
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> OpenAi()
    {
        const string Short = "input.text=200000,input.text.cache_read=72000,output.text=100,output.text.reasoning=900";
        const string Long = "input.text=200001,input.text.cache_read=72000,output.text=100,output.text.reasoning=900";
        decimal shorter = ((200_000 * 2) + (72_000 * 0.10m) + (1_000 * 10)) / 1_000_000;
        decimal longer = ((200_001 * 4) + (72_000 * 0.20m) + (1_000 * 15)) / 1_000_000;
        yield return ("openai-usd", "gpt-6.2-sol", Time, Short, "", shorter);
        yield return ("openai-usd", "gpt-6.2-sol", Time, Long, "", longer);
        yield return ("openai-usd", "gpt-6.2-sol", Time, Short, "service_tier=flex", shorter / 2);
        yield return ("openai-usd", "gpt-6.2-sol", Time, Long, "service_tier=batch", longer / 2);
        yield return ("openai-usd", "gpt-6.2-sol", Time, Short, "service_tier=priority", shorter * 2);
        yield return ("openai-usd", "gpt-6.2-sol", Time, Short, "service_tier=default", shorter);
        yield return ("openai-usd", "gpt-6.2-sol", Time, "input.text=1000,request=3",
            "service_tier=batch,tool=web_search", (1_000 * 2m / 2 / 1_000_000) + (3 * 10m / 1_000)); // not halved
        yield return ("openai-usd", "gpt-5.4-mini", Time, "input.text=1000,request=3", "tool=file_search",
            (1_000 * 0.75m / 1_000_000) + (3 * 2.50m / 1_000));
        yield return ("openai-usd", "gpt-6.1-sol-2026-09-29", Time, "input.text.cache_write=272000", "",
            272_000 * 2.50m / 1_000_000);
        yield return ("openai-usd", "gpt-5.5-2026-04-23", Time, "input.text=272000,output.text=10",
            "service_tier=priority",
            ((272_000 * 12.50m) + (10 * 75)) / 1_000_000);
        yield return ("openai-usd", "gpt-5.5", Time, "input.text=272001,output.text=10", "service_tier=priority",
            ((272_001 * 10) + (10 * 45)) / 1_000_000m); // long context is not offered as priority
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> OpenAiMedia()
    {
        yield return ("openai-usd", "gpt-realtime", Time,
            "input.text=100,input.text.cache_read=50,input.audio=2000,input.audio.cache_read=1000,output.text=60,"
                + "output.audio=3000", "",
            ((100 * 4) + (50 * 0.40m) + (2_000 * 32) + (1_000 * 0.40m) + (60 * 16) + (3_000 * 64)) / 1_000_000);
        yield return ("openai-usd", "gpt-image-1.5", Time, "input.text=50,input.image=1000,output.image=4160", "",
            ((50 * 5) + (1_000 * 8) + (4_160 * 32)) / 1_000_000m);
        yield return ("openai-usd", "gpt-4o-transcribe", Time, "input.audio=14000,output.text=300", "",
            ((14_000 * 6) + (300 * 10)) / 1_000_000m);
        yield return ("openai-usd", "whisper-1", Time, "second=61.2", "", 62 * 0.006m / 60); // seconds begun
        yield return ("openai-usd", "tts-1", Time, "character=1234", "", 1_234 * 15m / 1_000_000);
        yield return ("openai-usd", "dall-e-3", Time, "image=2", "", 2 * 0.04m);
        yield return ("openai-usd", "dall-e-3", Time, "image=2", "quality=hd", 2 * 0.08m);
        yield return ("openai-usd", "web-search", Time, "request=3", "", 3 * 10m / 1_000);
        yield return ("openai-usd", "text-embedding-3-small", Time, "input.text=1000000", "service_tier=batch", 0.01m);
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> Anthropic()
    {
        const string All4 = "input.text=1000,input.text.cache_read=2000,input.text.cache_write_5m=3000,"
            + "input.text.cache_write_1h=4000,output.text=5000";
        decimal opus5 = ((1_000 * 5) + (2_000 * 0.50m) + (3_000 * 6.25m) + (4_000 * 10) + (5_000 * 25)) / 1_000_000;
        yield return ("anthropic-usd", "claude-opus-5", Time, All4, "", opus5);
        yield return ("anthropic-usd", "claude-opus-4-8", Time, All4, "speed=fast", opus5 * 2);
        yield return ("anthropic-usd", "claude-opus-5", Time, All4, "service_tier=batch", opus5 / 2);
        yield return ("anthropic-usd", "claude-opus-5", Time, All4, "inference_geo=us,service_tier=batch",
            opus5 / 2 * 1.1m);
        yield return ("anthropic-usd", "claude-opus-4-6", Time, All4, "speed=fast", opus5 * 6);
        yield return ("anthropic-usd", "claude-opus-5", Time, All4 + ",request=2", "service_tier=batch",
            (opus5 / 2) + (2 * 10m / 1_000)); // searches are not halved
        // 150 000 new, 40 000 read and 10 000 written are exactly 200 000; one more is long context.
        yield return ("anthropic-usd", "claude-sonnet-4-5-20250929", Time,
            "input.text=150000,input.text.cache_read=40000,input.text.cache_write_5m=10000,output.text=100", "",
            ((150_000 * 3) + (40_000 * 0.30m) + (10_000 * 3.75m) + (100 * 15)) / 1_000_000);
        yield return ("anthropic-usd", "claude-sonnet-4-5-20250929", Time,
            "input.text=150001,input.text.cache_read=40000,input.text.cache_write_5m=10000,output.text=100", "",
            ((150_001 * 6) + (40_000 * 0.60m) + (10_000 * 7.50m) + (100 * 22.50m)) / 1_000_000);
        yield return ("anthropic-usd", "claude-haiku-5-5", Time, "input.text=100000,output.text=1000", "",
            ((100_000 * 0.10m) + (1_000 * 0.50m)) / 1_000_000);
        yield return ("anthropic-usd", "claude-haiku-5-5", Time, "input.text=100001,output.text=1000", "",
            ((100_001 * 0.50m) + (1_000 * 2.50m)) / 1_000_000);
        yield return ("anthropic-usd", "claude-sonnet-5-5", "2026-10-06T23:59:59.999Z", Million, "", 2 + 0.20m + 10);
        yield return ("anthropic-usd", "claude-sonnet-5-5", "2026-10-07T00:00:00Z", Million, "", 2 + 0.10m + 10);
    }

    private static IEnumerable<(string, string, string, string, string, decimal)> Gemini()
    {
        yield return ("gemini-usd", "gemini-2.5-pro", Time,
            "input.text=200000,output.text=100,output.text.reasoning=900", "",
            ((200_000 * 1.25m) + (1_000 * 10)) / 1_000_000);
        yield return ("gemini-usd", "gemini-2.5-pro", Time,
            "input.text=200001,output.text=100,output.text.reasoning=900", "",
            ((200_001 * 2.50m) + (1_000 * 15)) / 1_000_000);
        yield return ("gemini-usd", "gemini-2.5-pro", Time, "input.text=1000,input.image=258", "service_tier=batch",
            (1_000 + 258) * 1.25m / 2 / 1_000_000);
        // One answer that four queries grounded, and one that one did.
        yield return ("gemini-usd", "gemini-2.5-pro", Time, "input.text=1000,request=4", "tool=google_search",
            (1_000 * 1.25m / 1_000_000) + (35m / 1_000));
        yield return ("gemini-usd", "gemini-2.5-flash", Time, "input.text=1000,request=1", "tool=google_search",
            (1_000 * 0.30m / 1_000_000) + (35m / 1_000));
        // A million tokens kept for an hour and a half.
        yield return ("gemini-usd", "gemini-2.5-pro", Time, "cache_token_hour=1500000", "", 1.5m * 4.50m);
        yield return ("gemini-usd", "gemini-2.5-flash", Time,
            "input.text=100,input.image=258,input.audio=3200,input.audio.cache_read=1600,input.text.cache_read=50,"
                + "output.text=10,output.text.reasoning=20", "",
            (((100 + 258) * 0.30m) + (3_200 * 1) + (1_600 * 0.10m) + (50 * 0.03m) + (30 * 2.50m)) / 1_000_000);
        yield return ("gemini-usd", "gemini-2.5-flash-image", Time, "input.text=20,output.image=1290", "",
            ((20 * 0.30m) + (1_290 * 30)) / 1_000_000);
        yield return ("gemini-usd", "veo-3.1", Time, "second=8", "resolution=4k", 8 * 0.60m);
        // The promotion ends at midnight in California, eight hours behind UTC in winter.
        yield return ("gemini-usd", "gemini-3.8-flash", "2027-01-01T07:59:59.999Z", Million, "",
            0.75m + 0.075m + 3.75m);
        yield return ("gemini-usd", "gemini-3.8-flash", "2027-01-01T08:00:00Z", Million, "", 1.50m + 0.15m + 7.50m);
    }

    [Theory]
    [InlineData("deepseek-cny", "deepseek-v4-pro", "2027-01-04T10:00:00+08:00", "input.text=1", "CalendarUnknown")]
    [InlineData("deepseek-cny", "deepseek-v4-pro", "2026-01-04T10:00:00+08:00", "input.text=1", "NoBookVersion")]
    [InlineData("deepseek-cny", "deepseek-flash", "2026-10-31T23:59:59.999+08:00", "request=1", "NoClassPrice")]
    [InlineData("qwen-cny", "qwen3-max", "2026-11-20T10:00:00Z", "input.text=256001", "NoClassPrice")]
    [InlineData("zhipu-cny", "glm-4.7", "2026-11-20T10:00:00Z", "input.text=200000", "NoClassPrice")]
    [InlineData("zhipu-cny", "glm-4.7", "2026-11-20T10:00:00Z", "input.text=1,cache_token_hour=1", "NoClassPrice")]
    [InlineData("qwen-cny", "qwen-plus", "2026-11-20T10:00:00Z", "input.text=256001", "NoClassPrice")]
    [InlineData("openai-usd", "gpt-5.5-turbo", "2026-11-20T10:00:00Z", "input.text=1", "NoModelPrice")]
    public void Price_NothingPublished_IsSuspenseAndNotZero(
        string book, string model, string time, string counts, string reason) =>
        Assert.Equal(reason, Outcome(Explain(All, book, model, time, counts)));

    [Theory]
    [InlineData(4_995, 10, 5)] // five are still free
    [InlineData(0, 5_000, 0)]
    [InlineData(5_000, 1, 1)]
    public void Price_SearchesOfAMonth_ArePaidBeyondTheFreeOnes(int before, int searches, int paid)
    {
        PriceExplanation why = Explain(
            All, "gemini-usd", "gemini-3-search", "2026-11-20T10:00:00Z", $"request={searches}",
            before: new Dictionary<string, Int128> { ["search grounding"] = before });
        Assert.Equal(Plain(paid * 14m / 1_000), Outcome(why));
    }

    [Fact]
    public void Lines_OfEverySampleBook_NameSourceAndDay()
    {
        Assert.All(
            Files.SelectMany(file => Server.Ingest.SetupYaml.Parse(File.ReadAllText(file), "test").Books),
            book => Assert.All(book.Prices, line =>
            {
                Assert.True((line.Source ?? book.Source).Length > 0, $"{book.Id}: {line.Model}");
                Assert.True(line.AsOf is { Length: 10 }, $"{book.Id}: {line.Model}");
            }));
    }
}
