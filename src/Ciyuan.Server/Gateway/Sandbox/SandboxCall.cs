using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;

namespace Ciyuan.Server.Gateway.Sandbox;

/// <summary>A call to the sandbox, and all that its answer is made of.</summary>
internal sealed class SandboxCall
{
    /// <summary>Longest piece of what it was told that it repeats.</summary>
    private const int MostRepeated = 200;

    /// <summary>From how many tokens on some count as read from a cache, and in which steps.</summary>
    private const long CachedFrom = 1_024;
    private const long CachedStep = 128;

    /// <summary>Tokens of thinking, of models whose name has "reason" in it.</summary>
    private const int Thoughts = 8;

    /// <summary>The body.</summary>
    internal required JsonElement Body { get; init; }

    /// <summary>The model.</summary>
    internal required string Model { get; init; }

    /// <summary>A name made from the call: of ids and of numbers.</summary>
    internal required ulong Seed { get; init; }

    /// <summary>Whether events are asked for.</summary>
    internal required bool Streams { get; init; }

    /// <summary>Whether Gemini's stream is asked for as events.</summary>
    internal required bool AsEvents { get; init; }

    /// <summary>The answer in pieces of a word; each is a token.</summary>
    internal required string[] Pieces { get; init; }

    /// <summary>The tool that it calls instead of answering; null: none.</summary>
    internal required string? Tool { get; init; }

    /// <summary>Whether the answer was cut at the call's limit.</summary>
    internal required bool IsCut { get; init; }

    /// <summary>Tokens in, cached ones included.</summary>
    internal required long Input { get; init; }

    /// <summary>Tokens in that were cached.</summary>
    internal long Cached => Input < CachedFrom ? 0 : Input / 2 / CachedStep * CachedStep;

    /// <summary>Tokens of thinking.</summary>
    internal required int Reasoning { get; init; }

    /// <summary>Tokens out, thinking included.</summary>
    internal long Output => Pieces.Length + Reasoning + (Tool is null ? 0 : 1);

    /// <summary>The answer.</summary>
    internal string Text => string.Concat(Pieces);

    /// <summary>An id that begins with some letters.</summary>
    internal string Id(string start) => start + Seed.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Reads a call.</summary>
    /// <exception cref="JsonException">The body is no JSON.</exception>
    internal static SandboxCall Read(string path, string query, byte[] body)
    {
        bool isForm = path is "/OpenAI/images/edits" or "/OpenAI/audio/transcriptions";
        using JsonDocument document = JsonDocument.Parse(isForm ? "{}"u8.ToArray() : body);
        JsonElement root = document.RootElement.Clone();
        string model = TextOf(root, "model");
        model = model.Length > 0 ? model : Between(path);
        var meter = new TextMeter();
        meter.Add(body);
        long most = FindLimit(root);
        int reasoning = model.Contains("reason", StringComparison.Ordinal) ? Thoughts : 0;
        string[] words = Split($"The sandbox heard: {LastText(root)}");
        string? tool = FindTool(root);
        string[] pieces = tool is null ? words[..(int)Math.Min(words.Length, Math.Max(0, most - reasoning))] : [];
        return new SandboxCall
        {
            Body = root,
            Model = model,
            Seed = XxHash3.HashToUInt64(body),
            Streams = root.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.True,
            AsEvents = query.Contains("alt=sse", StringComparison.Ordinal),
            Pieces = pieces,
            Tool = tool,
            IsCut = tool is null && pieces.Length < words.Length,
            Input = Math.Max(1, meter.Tokens),
            Reasoning = reasoning,
        };
    }

    private static string Between(string path)
    {
        int slash = path.LastIndexOf('/');
        int colon = path.LastIndexOf(':');
        return colon > slash ? Uri.UnescapeDataString(path[(slash + 1)..colon]) : "sandbox";
    }

    private static long FindLimit(JsonElement root)
    {
        long most = int.MaxValue;
        foreach (string name in (string[])["max_tokens", "max_completion_tokens", "max_output_tokens"])
        {
            most = root.TryGetProperty(name, out JsonElement limit) && limit.TryGetInt64(out long tokens)
                ? Math.Min(most, tokens)
                : most;
        }

        return root.TryGetProperty("generationConfig", out JsonElement config)
            && config.TryGetProperty("maxOutputTokens", out JsonElement gemini) && gemini.TryGetInt64(out long those)
                ? Math.Min(most, those)
                : most;
    }

    // A tool is called once: not again after its result is told.
    private static string? FindTool(JsonElement root)
    {
        string told = root.GetRawText();
        bool answered = told.Contains("\"tool_call_id\"", StringComparison.Ordinal)
            || told.Contains("\"tool_result\"", StringComparison.Ordinal)
            || told.Contains("\"functionResponse\"", StringComparison.Ordinal)
            || told.Contains("\"function_call_output\"", StringComparison.Ordinal);
        if (answered || !root.TryGetProperty("tools", out JsonElement tools) || tools.ValueKind != JsonValueKind.Array
            || tools.GetArrayLength() == 0)
        {
            return null;
        }

        JsonElement first = tools[0];
        if (first.TryGetProperty("function", out JsonElement function))
        {
            return TextOf(function, "name");
        }

        bool gemini = first.TryGetProperty("functionDeclarations", out JsonElement declared);
        string name = gemini ? TextOf(declared[0], "name") : TextOf(first, "name");
        return name.Length > 0 ? name : null;
    }

    /// <summary>The last text that someone wrote, wherever the protocol has it.</summary>
    private static string LastText(JsonElement root)
    {
        foreach (string name in (string[])["messages", "contents", "input", "prompt", "content", "query"])
        {
            if (root.TryGetProperty(name, out JsonElement told))
            {
                string text = LastIn(told);
                return text.Length > MostRepeated ? text[..MostRepeated] : text;
            }
        }

        return "";
    }

    private static string LastIn(JsonElement told)
    {
        switch (told.ValueKind)
        {
            case JsonValueKind.String:
                return told.GetString()!;
            case JsonValueKind.Array:
                return told.EnumerateArray().Select(LastIn).LastOrDefault(t => t.Length > 0) ?? "";
            case JsonValueKind.Object:
                foreach (string name in (string[])["content", "text", "parts"])
                {
                    if (told.TryGetProperty(name, out JsonElement inner) && LastIn(inner) is { Length: > 0 } text)
                    {
                        return text;
                    }
                }

                return "";
            default:
                return "";
        }
    }

    private static string[] Split(string text)
    {
        string[] words = text.Split(' ');
        return [.. words.Select((word, i) => i == 0 ? word : " " + word)];
    }

    private static string TextOf(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value)
            && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
