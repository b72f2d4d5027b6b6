using System.Globalization;
using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;

namespace Ciyuan.Server.Reconciling;

/// <summary>
/// Reads what the usage and cost endpoints of OpenAI and Anthropic answer: one page, an array of pages, or a page on
/// each line. Their nested counts become disjoint classes. Sums by bucket, so such a file is small and is read whole.
/// </summary>
internal static class BillJson
{
    /// <summary>Largest file: a year of days by model and key is a hundredth of it.</summary>
    private const long MostBytes = 256 << 20;

    internal static readonly string[] Formats = ["openai-usage", "openai-costs", "anthropic-usage", "anthropic-costs"];

    private static readonly (string Field, string Class)[] OpenAiFields =
    [
        ("images", "image"), ("characters", "character"), ("seconds", "second"),
        ("input_audio_tokens", "input.audio"), ("output_audio_tokens", "output.audio"),
        ("input_image_tokens", "input.image"), ("output_image_tokens", "output.image"),
    ];

    internal static List<BillLine> Read(string path, string format, string currency, Func<string, string> modelOf)
    {
        if (new FileInfo(path).Length > MostBytes)
        {
            throw new BillException($"{Path.GetFileName(path)}: is larger than {MostBytes} bytes");
        }

        var lines = new List<BillLine>();
        try
        {
            foreach (JsonElement page in Pages(path))
            {
                foreach (JsonElement bucket in page.GetProperty("data").EnumerateArray())
                {
                    ReadBucket(bucket, format, currency, modelOf, lines);
                }
            }
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            throw new BillException($"{Path.GetFileName(path)}: is no answer of {format}: {fault.Message}");
        }

        return lines;
    }

    private static IEnumerable<JsonElement> Pages(string path)
    {
        string text = File.ReadAllText(path);
        string[] parts = text.TrimStart().StartsWith('[') || IsOne(text) ? [text]
            : text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string part in parts)
        {
            using JsonDocument document = JsonDocument.Parse(part);
            JsonElement root = document.RootElement;
            bool isArray = root.ValueKind == JsonValueKind.Array;
            foreach (JsonElement page in isArray ? root.EnumerateArray().ToArray() : [root])
            {
                yield return page;
            }
        }
    }

    private static bool IsOne(string text)
    {
        var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(text));
        try
        {
            return reader.Read() && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false; // a page on each line
        }
    }

    private static void ReadBucket(
        JsonElement bucket, string format, string currency, Func<string, string> modelOf, List<BillLine> lines)
    {
        bool isOpenAi = format.StartsWith("openai", StringComparison.Ordinal);
        Timestamp start = isOpenAi ? new Timestamp(bucket.GetProperty("start_time").GetInt64() * Timestamp.PerSecond)
            : TimeOf(bucket.GetProperty("starting_at"));
        Timestamp end = isOpenAi ? new Timestamp(bucket.GetProperty("end_time").GetInt64() * Timestamp.PerSecond)
            : TimeOf(bucket.GetProperty("ending_at"));
        bool isDay = end.UnixNanoseconds - start.UnixNanoseconds >= 86_400 * Timestamp.PerSecond;
        foreach (JsonElement result in bucket.GetProperty("results").EnumerateArray())
        {
            void Add(string model, BillClass of, Int128? steps, Amount? amount)
            {
                if (steps is null || steps.Value != 0 || amount is { IsZero: false })
                {
                    lines.Add(new BillLine("", start, !isDay, modelOf(model), of, steps, amount));
                }
            }

            switch (format)
            {
                case "openai-usage":
                    ReadOpenAiUsage(result, Add);
                    break;
                case "openai-costs":
                    ReadOpenAiCost(result, currency, Add);
                    break;
                case "anthropic-usage":
                    ReadAnthropicUsage(result, Add);
                    break;
                default:
                    ReadAnthropicCost(result, currency, Add);
                    break;
            }
        }
    }

    // input_tokens includes what was cached; the counts of other modalities stand beside it.
    private static void ReadOpenAiUsage(JsonElement r, Action<string, BillClass, Int128?, Amount?> add)
    {
        string model = Text(r, "model");
        long cached = Number(r, "input_cached_text_tokens") ?? Number(r, "input_cached_tokens") ?? 0;
        long written = Number(r, "input_cache_write_tokens") ?? 0;
        long input = Number(r, "input_text_tokens") ?? Number(r, "input_tokens") ?? 0;
        add(model, Class("input.text"), input - cached - written, null);
        add(model, Class("input.text.cache_read"), cached, null);
        add(model, Class("input.text.cache_write"), written, null);
        add(model, Class("output.text"), Number(r, "output_text_tokens") ?? Number(r, "output_tokens") ?? 0, null);
        foreach ((string field, string name) in OpenAiFields)
        {
            BillClass of = Class(name);
            add(model, of, (Number(r, field) ?? 0) * (Int128)of.StepsPerUnit, null);
        }
    }

    private static void ReadOpenAiCost(
        JsonElement r, string currency, Action<string, BillClass, Int128?, Amount?> add)
    {
        JsonElement amount = r.GetProperty("amount");
        RequireCurrency(amount.GetProperty("currency").GetString()!, currency);
        string[] item = Text(r, "line_item").Split(',', 2, StringSplitOptions.TrimEntries);
        BillClass of = item.Length < 2 ? BillClass.All : item[1] switch
        {
            "input" => Class("input.text"),
            "cached input" => Class("input.text.cache_read"),
            "output" => Class("output.text"),
            "audio input" => Class("input.audio"),
            "audio output" => Class("output.audio"),
            _ => BillClass.All,
        };
        long? tokens = Text(r, "quantity_unit") is "tokens" ? Number(r, "quantity") : null;
        add(item[0], of, tokens, Exact(amount.GetProperty("value"), 1));
    }

    private static void ReadAnthropicUsage(JsonElement r, Action<string, BillClass, Int128?, Amount?> add)
    {
        string model = Text(r, "model");
        JsonElement creation = r.TryGetProperty("cache_creation", out JsonElement found) ? found : default;
        add(model, Class("input.text"), Number(r, "uncached_input_tokens") ?? 0, null);
        add(model, Class("input.text.cache_read"), Number(r, "cache_read_input_tokens") ?? 0, null);
        add(model, Class("input.text.cache_write_5m"), Number(creation, "ephemeral_5m_input_tokens") ?? 0, null);
        add(model, Class("input.text.cache_write_1h"), Number(creation, "ephemeral_1h_input_tokens") ?? 0, null);
        add(model, Class("output.text"), Number(r, "output_tokens") ?? 0, null);
    }

    // Amounts are in cents, with decimals.
    private static void ReadAnthropicCost(
        JsonElement r, string currency, Action<string, BillClass, Int128?, Amount?> add)
    {
        RequireCurrency(Text(r, "currency"), currency);
        BillClass of = Text(r, "token_type") switch
        {
            "uncached_input_tokens" => Class("input.text"),
            "cache_read_input_tokens" => Class("input.text.cache_read"),
            "cache_creation.ephemeral_5m_input_tokens" => Class("input.text.cache_write_5m"),
            "cache_creation.ephemeral_1h_input_tokens" => Class("input.text.cache_write_1h"),
            "output_tokens" => Class("output.text"),
            _ => BillClass.All,
        };
        add(Text(r, "model"), of, null, Exact(r.GetProperty("amount"), 100));
    }

    private static void RequireCurrency(string stated, string currency)
    {
        if (!stated.Equals(currency, StringComparison.OrdinalIgnoreCase))
        {
            throw new FormatException($"it is in {stated}, the agreement in {currency}");
        }
    }

    private static BillClass Class(string name) => BillClass.TryParse(name, out BillClass of) ? of
        : throw new InvalidOperationException(name);

    private static string Text(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object
        && of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()! : "";

    private static long? Number(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object
        && of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            ? (long)value.GetDecimal() : null;

    private static Timestamp TimeOf(JsonElement text) => Timestamp.TryParse(text.GetString()!, out Timestamp time)
        ? time
        : throw new FormatException($"'{text}' is no time");

    // Numbers of JSON may have more digits than an amount: half to even at the twelfth decimal.
    private static Amount Exact(JsonElement value, int per)
    {
        string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        decimal number = decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) / per;
        number = decimal.Round(number, Amount.Decimals);
        return Amount.Parse(number.ToString("0.############", CultureInfo.InvariantCulture));
    }
}
