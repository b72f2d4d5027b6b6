using System.Text.Json;
using Ciyuan.Tokens.Media;

namespace Ciyuan.Tokens.Framing;

/// <summary>Whose form a request body has.</summary>
public enum ChatBodyForm
{
    /// <summary>To be told from the body.</summary>
    Any = 0,

    /// <summary>OpenAI chat completions, which most providers take.</summary>
    OpenAiChat = 1,

    /// <summary>Anthropic messages.</summary>
    AnthropicMessages = 2,

    /// <summary>Gemini generateContent.</summary>
    Gemini = 3,
}

/// <summary>A request body that cannot be read; the message says where.</summary>
public sealed class ChatRequestException : Exception
{
    /// <summary>Makes one without words.</summary>
    public ChatRequestException()
    {
    }

    /// <summary>Makes one.</summary>
    public ChatRequestException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with its cause.</summary>
    public ChatRequestException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// Reads what is sent to a provider. Things that are in the body are probed for their size; nothing is fetched.
/// </summary>
public static class ChatRequestReader
{
    /// <summary>Reads a body in UTF-8 JSON.</summary>
    /// <param name="json">The body.</param>
    /// <param name="form">Whose form.</param>
    /// <param name="model">The model, for bodies that do not name it (Gemini names it in the address).</param>
    /// <exception cref="ChatRequestException">It is no JSON, or not of that form.</exception>
    public static ChatRequest Read(ReadOnlyMemory<byte> json, ChatBodyForm form = ChatBodyForm.Any, string model = "")
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new ChatRequestException("the body is not an object");
            }

            string named = root.Word("model");
            model = named.Length > 0 ? named : model;
            return (form == ChatBodyForm.Any ? Detect(root) : form) switch
            {
                ChatBodyForm.Gemini => GeminiBody.Read(root, model),
                ChatBodyForm.AnthropicMessages => AnthropicBody.Read(root, model),
                _ => OpenAiBody.Read(root, model),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ChatRequestException("the body cannot be read: " + e.Message, e);
        }
    }

    /// <summary>
    /// Contents are Gemini's; a system field, or blocks that only Anthropic has, are Anthropic's; else OpenAI's.
    /// </summary>
    internal static ChatBodyForm Detect(JsonElement root)
    {
        if (root.TryGetProperty("contents", out _))
        {
            return ChatBodyForm.Gemini;
        }

        bool blocks = root.Items("messages").SelectMany(m => m.Items("content"))
            .Any(b => b.Word("type") is "tool_use" or "tool_result" or "thinking" or "document"
                || (b.Word("type") == "image" && b.TryGetProperty("source", out _)));
        bool tools = root.Items("tools").Any(t => t.TryGetProperty("input_schema", out _));
        return root.TryGetProperty("system", out _) || blocks || tools
            ? ChatBodyForm.AnthropicMessages
            : ChatBodyForm.OpenAiChat;
    }

    /// <summary>Probes base64 data; what cannot be told is said.</summary>
    internal static ChatPart Thing(string base64, MediaKind kind, string detail)
    {
        byte[] bytes = new byte[(base64.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(base64, bytes, out int length))
        {
            return Unknown(kind, detail, $"{kind} whose data is not base64");
        }

        MediaProbeResult probe = MediaProbe.Read(bytes.AsMemory(0, length));
        return probe.Facts is null
            ? Unknown(kind, detail, $"{kind}: {probe.Reason}")
            : new ChatPart { Media = probe.Facts, Detail = detail, Unknown = probe.Reason };
    }

    /// <summary>A thing of which only the kind is known: a rule that needs no size can still count it.</summary>
    internal static ChatPart Unknown(MediaKind kind, string detail, string why) =>
        new() { Media = new MediaFacts { Kind = kind }, Detail = detail, Unknown = why };

    internal static ChatPart FromUrl(string url, MediaKind kind, string detail)
    {
        int comma = url.IndexOf(";base64,", StringComparison.Ordinal);
        return url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) && comma > 0
            ? Thing(url[(comma + ";base64,".Length)..], kind, detail)
            : Unknown(kind, detail, $"{kind} given by address only");
    }

    internal static MediaKind KindOf(string mime) => mime.Split('/')[0].ToLowerInvariant() switch
    {
        "image" => MediaKind.Image,
        "audio" => MediaKind.Audio,
        "video" => MediaKind.Video,
        _ => MediaKind.Document,
    };

    internal static string Word(this JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out JsonElement v)
        && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";

    internal static string Raw(this JsonElement e, string name, string otherwise) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out JsonElement v)
        && v.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? v.GetRawText() : otherwise;

    internal static JsonElement Inner(this JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out JsonElement v) ? v : default;

    internal static IEnumerable<JsonElement> Items(this JsonElement e, string name)
    {
        JsonElement v = e.Inner(name);
        return v.ValueKind == JsonValueKind.Array ? v.EnumerateArray() : [];
    }
}

/// <summary>Bodies in the form of OpenAI chat completions.</summary>
internal static class OpenAiBody
{
    public static ChatRequest Read(JsonElement root, string model)
    {
        if (root.Inner("messages").ValueKind != JsonValueKind.Array)
        {
            throw new ChatRequestException("the body has no list of messages");
        }

        JsonElement choice = root.Inner("tool_choice");
        return new ChatRequest
        {
            Model = model,
            Messages = [.. root.Items("messages").Select(Message)],
            Tools =
            [
                .. root.Items("tools").Select(t => Tool(t.Inner("function"), t)),
                .. root.Items("functions").Select(f => Tool(f, default)),
            ],
            ToolChoice = choice.ValueKind == JsonValueKind.String ? choice.GetString()!
                : choice.Inner("function").Word("name"),
        };
    }

    internal static ChatTool Tool(JsonElement function, JsonElement whole) => new(
        function.Word("name"),
        function.Word("description"),
        function.Raw("parameters", "{}"),
        whole.ValueKind == JsonValueKind.Object ? whole.GetRawText() : "");

    private static ChatMessage Message(JsonElement m) => new()
    {
        Role = m.Word("role"),
        Name = m.Word("name"),
        ToolCallId = m.Word("tool_call_id"),
        Reasoning = m.Word("reasoning_content"),
        Parts = m.Inner("content").ValueKind == JsonValueKind.String
            ? [ChatPart.OfText(m.Word("content"))]
            : [.. m.Items("content").Select(Part)],
        ToolCalls =
        [
            .. m.Items("tool_calls").Select(c => Call(c.Word("id"), c.Inner("function"))),
            .. m.Inner("function_call").ValueKind == JsonValueKind.Object
                ? (ChatToolCall[])[Call("", m.Inner("function_call"))] : [],
        ],
    };

    private static ChatToolCall Call(string id, JsonElement f) => new(
        id,
        f.Word("name"),
        f.Inner("arguments").ValueKind == JsonValueKind.String ? f.Word("arguments") : f.Raw("arguments", ""));

    private static ChatPart Part(JsonElement p)
    {
        switch (p.Word("type"))
        {
            case "text" or "input_text" or "output_text" or "refusal":
                return ChatPart.OfText(p.Word("text") + p.Word("refusal"));
            case "image_url":
                JsonElement image = p.Inner("image_url");
                return image.ValueKind == JsonValueKind.String
                    ? ChatRequestReader.FromUrl(image.GetString()!, MediaKind.Image, p.Word("detail"))
                    : ChatRequestReader.FromUrl(image.Word("url"), MediaKind.Image, image.Word("detail"));
            case "input_audio":
                return ChatRequestReader.Thing(p.Inner("input_audio").Word("data"), MediaKind.Audio, "");
            case "video_url":
                return ChatRequestReader.FromUrl(p.Inner("video_url").Word("url"), MediaKind.Video, "");
            case "file":
                return ChatRequestReader.FromUrl(p.Inner("file").Word("file_data"), MediaKind.Document, "");
            default:
                return new ChatPart { Unknown = $"a part of type '{p.Word("type")}'" };
        }
    }
}

/// <summary>Bodies in the form of Anthropic messages.</summary>
internal static class AnthropicBody
{
    public static ChatRequest Read(JsonElement root, string model)
    {
        List<ChatMessage> messages = [];
        JsonElement system = root.Inner("system");
        if (system.ValueKind is JsonValueKind.String or JsonValueKind.Array)
        {
            messages.Add(new ChatMessage { Role = "system", Parts = Parts(root, "system") });
        }

        foreach (JsonElement m in root.Items("messages"))
        {
            Add(messages, m);
        }

        JsonElement choice = root.Inner("tool_choice");
        return new ChatRequest
        {
            Model = model,
            Messages = messages,
            Tools =
            [
                .. root.Items("tools").Select(t => new ChatTool(
                    t.Word("name"), t.Word("description"), t.Raw("input_schema", "{}"))),
            ],
            ToolChoice = choice.Word("type") == "tool" ? choice.Word("name")
                : choice.Word("type") == "any" ? "required" : choice.Word("type"),
        };
    }

    /// <summary>Answers of tools are messages of their own here, though they come inside the user's.</summary>
    private static void Add(List<ChatMessage> messages, JsonElement m)
    {
        foreach (JsonElement b in m.Items("content").Where(b => b.Word("type") == "tool_result"))
        {
            messages.Add(new ChatMessage
            {
                Role = "tool",
                ToolCallId = b.Word("tool_use_id"),
                Parts = Parts(b, "content"),
            });
        }

        ChatMessage message = new()
        {
            Role = m.Word("role"),
            Parts = Parts(m, "content"),
            Reasoning = string.Concat(m.Items("content").Select(b => b.Word("thinking"))),
            ToolCalls =
            [
                .. m.Items("content").Where(b => b.Word("type") == "tool_use")
                    .Select(b => new ChatToolCall(b.Word("id"), b.Word("name"), b.Raw("input", "{}"))),
            ],
        };
        bool onlyAnswers = message.Parts.Count == 0 && message.ToolCalls.Count == 0
            && m.Items("content").Any(b => b.Word("type") == "tool_result");
        if (!onlyAnswers)
        {
            messages.Add(message);
        }
    }

    private static ChatPart[] Parts(JsonElement owner, string name) =>
        owner.Inner(name).ValueKind == JsonValueKind.String
            ? [ChatPart.OfText(owner.Word(name))]
            : [
                .. owner.Items(name)
                    .Where(b => b.Word("type")
                        is not ("tool_use" or "tool_result" or "thinking" or "redacted_thinking"))
                    .Select(Part),
            ];

    private static ChatPart Part(JsonElement b)
    {
        JsonElement source = b.Inner("source");
        MediaKind kind = b.Word("type") == "image" ? MediaKind.Image : MediaKind.Document;
        return b.Word("type") switch
        {
            "text" => ChatPart.OfText(b.Word("text")),
            "image" or "document" when source.Word("type") == "base64" =>
                ChatRequestReader.Thing(source.Word("data"), kind, ""),
            "document" when source.Word("type") == "text" => ChatPart.OfText(source.Word("data")),
            "image" or "document" => ChatRequestReader.Unknown(kind, "", $"{kind} given by address only"),
            _ => new ChatPart { Unknown = $"a block of type '{b.Word("type")}'" },
        };
    }
}

/// <summary>Bodies in the form of Gemini's generateContent.</summary>
internal static class GeminiBody
{
    public static ChatRequest Read(JsonElement root, string model)
    {
        List<ChatMessage> messages = [];
        JsonElement system = Either(root, "systemInstruction", "system_instruction");
        string detail = Resolution(Either(root, "generationConfig", "generation_config"));
        if (system.ValueKind == JsonValueKind.Object)
        {
            messages.Add(new ChatMessage { Role = "system", Parts = Parts(system, detail) });
        }

        foreach (JsonElement c in root.Items("contents"))
        {
            messages.Add(new ChatMessage
            {
                Role = c.Word("role") switch { "model" => "assistant", "" => "user", string role => role },
                Parts = Parts(c, detail),
                ToolCalls =
                [
                    .. c.Items("parts").Select(p => Either(p, "functionCall", "function_call"))
                        .Where(f => f.ValueKind == JsonValueKind.Object)
                        .Select(f => new ChatToolCall(f.Word("id"), f.Word("name"), f.Raw("args", "{}"))),
                ],
            });
        }

        return new ChatRequest
        {
            Model = model,
            Messages = messages,
            Tools =
            [
                .. root.Items("tools")
                    .SelectMany(t => t.Items("functionDeclarations").Concat(t.Items("function_declarations")))
                    .Select(f => OpenAiBody.Tool(f, default)),
            ],
        };
    }

    private static ChatPart[] Parts(JsonElement content, string detail) =>
    [
        .. content.Items("parts")
            .Where(p => Either(p, "functionCall", "function_call").ValueKind != JsonValueKind.Object)
            .Select(p => Part(p, detail)),
    ];

    private static ChatPart Part(JsonElement p, string detail)
    {
        JsonElement data = Either(p, "inlineData", "inline_data");
        JsonElement file = Either(p, "fileData", "file_data");
        JsonElement answer = Either(p, "functionResponse", "function_response");
        if (data.ValueKind == JsonValueKind.Object)
        {
            MediaKind kind = ChatRequestReader.KindOf(data.Word("mimeType") + data.Word("mime_type"));
            return ChatRequestReader.Thing(data.Word("data"), kind, detail);
        }

        if (file.ValueKind == JsonValueKind.Object)
        {
            MediaKind kind = ChatRequestReader.KindOf(file.Word("mimeType") + file.Word("mime_type"));
            return ChatRequestReader.Unknown(kind, detail, $"{kind} given by address only");
        }

        return answer.ValueKind == JsonValueKind.Object
            ? ChatPart.OfText(answer.Word("name") + answer.Raw("response", ""))
            : p.Inner("text").ValueKind == JsonValueKind.String
                ? ChatPart.OfText(p.Word("text"))
                : new ChatPart { Unknown = "a part of a type that is not known here" };
    }

    private static string Resolution(JsonElement config)
    {
        const string Prefix = "media_resolution_";
        string told = (config.Word("mediaResolution") + config.Word("media_resolution")).ToLowerInvariant();
        return told.StartsWith(Prefix, StringComparison.Ordinal) && told != Prefix + "unspecified"
            ? told[Prefix.Length..]
            : "";
    }

    private static JsonElement Either(JsonElement e, string name, string other) =>
        e.Inner(name).ValueKind == JsonValueKind.Undefined ? e.Inner(other) : e.Inner(name);
}
