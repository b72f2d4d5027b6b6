using System.Text;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Reads a call of OpenAI's chat completions.</summary>
internal sealed class OpenAIRequestReader
{
    private readonly Exchange _to = new();
    private readonly Dictionary<string, string> _tools = new(StringComparer.Ordinal);

    /// <summary>Reads a body.</summary>
    /// <exception cref="UncarriedException">It holds what can't be carried, or what the protocol does not
    /// allow.</exception>
    internal static Exchange Read(Node body)
    {
        var reader = new OpenAIRequestReader();
        foreach (Node field in body.Fields)
        {
            if (!reader.TakeSampling(field) && !reader.TakeAnswer(field) && !reader.TakeTools(field)
                && !IsHarmless(field, reader._to))
            {
                throw field.NoPlace();
            }
        }

        foreach (Node message in body.Need("messages").Items)
        {
            reader.TakeMessage(message);
        }

        return reader._to;
    }

    private bool TakeSampling(Node field)
    {
        switch (field.Name)
        {
            case "temperature":
                _to.Temperature = field.SaidNumber;
                return true;
            case "top_p":
                _to.TopP = field.SaidNumber;
                return true;
            case "top_k": // not OpenAI's own, but of many that speak its protocol
                _to.TopK = field.SaidNumber;
                return true;
            case "presence_penalty":
                _to.PresencePenalty = field.SaidNumber;
                return true;
            case "frequency_penalty":
                _to.FrequencyPenalty = field.SaidNumber;
                return true;
            case "seed":
                _to.Seed = field.SaidWhole;
                return true;
            case "stop":
                _to.Stops = new(field.IsText ? [field.Text] : field.Texts, field.Path);
                return true;
            case "user" or "safety_identifier":
                _to.User = field.SaidText;
                return true;
            default:
                return false;
        }
    }

    private bool TakeAnswer(Node field)
    {
        switch (field.Name)
        {
            case "max_tokens" or "max_completion_tokens":
                _to.MostOutput = new(Math.Max(_to.MostOutput?.Value ?? 0, field.Whole), field.Path);
                return true;
            case "n":
                _to.Answers = field.SaidWhole;
                return true;
            case "stream":
                _to.Streams = field.Truth;
                return true;
            case "response_format":
                TakeForm(field);
                return true;
            case "reasoning_effort":
                _to.Thinking = new(Efforts.Read(field), field.Path);
                return true;
            default:
                return false;
        }
    }

    private bool TakeTools(Node field)
    {
        switch (field.Name)
        {
            case "tools":
                _to.Tools.AddRange(field.Items.Select(ReadTool));
                return true;
            case "tool_choice":
                _to.Choice = new(ReadChoice(field), field.Path);
                return true;
            case "parallel_tool_calls":
                _to.Parallel = field.SaidTruth;
                return true;
            default:
                return false;
        }
    }

    // Read elsewhere, empty, or without bearing on what is answered.
    private static bool IsHarmless(Node field, Exchange to)
    {
        switch (field.Name)
        {
            case "messages" or "model" or "stream_options":
                return true;
            case "logprobs":
                return !field.Truth;
            case "top_logprobs":
                return field.Whole == 0;
            case "logit_bias":
                return !field.Fields.Any();
            case "modalities":
                return field.Texts is ["text"];
            case "store" or "metadata" or "service_tier" or "prompt_cache_key" or "prompt_cache_options"
                or "prompt_cache_retention" or "verbosity":
                to.Dropped.Add(field.Path);
                return true;
            default:
                return false;
        }
    }

    private void TakeForm(Node format)
    {
        switch (format.TextOf("type"))
        {
            case "text":
                return;
            case "json_object":
                _to.Form = new(new AnswerForm("", null, null), format.Path);
                return;
            case "json_schema":
                Node schema = format.Need("json_schema");
                _to.Form = new(
                    new AnswerForm(schema.TextOf("name"), schema.Find("schema")?.Json, schema.Find("strict")?.Truth),
                    format.Path);
                return;
            default:
                throw format.NoPlace();
        }
    }

    private static ToolSpec ReadTool(Node tool)
    {
        if (tool.TextOf("type") != "function")
        {
            throw tool.Need("type").NoPlace();
        }

        Node function = tool.Need("function");
        function.Only("name", "description", "parameters", "strict");
        return new ToolSpec(
            function.Path, function.Need("name").Text, function.TextOf("description"),
            function.Find("parameters")?.Json, function.Find("strict")?.Truth);
    }

    private static ToolChoice ReadChoice(Node choice)
    {
        if (choice.IsText)
        {
            return new ToolChoice(choice.Text switch
            {
                "auto" => ToolChoiceKind.Auto,
                "none" => ToolChoiceKind.None,
                "required" => ToolChoiceKind.Any,
                _ => throw choice.NoPlace(),
            });
        }

        switch (choice.TextOf("type"))
        {
            case "function":
                return new ToolChoice(ToolChoiceKind.Named, choice.Need("function").Need("name").Text);
            case "allowed_tools":
                Node allowed = choice.Need("allowed_tools");
                bool must = allowed.TextOf("mode") == "required";
                return new ToolChoice(
                    must ? ToolChoiceKind.Any : ToolChoiceKind.Auto,
                    [.. allowed.Need("tools").Items.Select(t => t.Need("function").Need("name").Text)]);
            default:
                throw choice.NoPlace();
        }
    }

    private void TakeMessage(Node message)
    {
        if (message.Find("name") is { } name)
        {
            _to.Dropped.Add(name.Path);
        }

        string role = message.Need("role").Text;
        switch (role)
        {
            case "system" or "developer":
                message.Only("role", "content", "name");
                TakeSystem(message);
                break;
            case "user":
                message.Only("role", "content", "name");
                TakeContent(message.Need("content"), Speaker.User);
                break;
            case "assistant":
                message.Only(
                    "role", "content", "name", "refusal", "tool_calls", "reasoning_content", "annotations", "audio");
                TakeAssistant(message);
                break;
            case "tool":
                message.Only("role", "content", "name", "tool_call_id");
                TakeResult(message);
                break;
            default:
                throw message.Need("role").NoPlace();
        }
    }

    // The other protocols have one place for it, before all turns.
    private void TakeSystem(Node message)
    {
        if (_to.Turns.Count > 0)
        {
            _to.Dropped.Add(message.Path + ".position");
        }

        foreach (Part part in ReadContent(message.Need("content")))
        {
            _to.System.Add(part as TextPart ?? throw message.Need("content").NoPlace());
        }
    }

    private void TakeAssistant(Node message)
    {
        if (message.Find("audio") is { } audio)
        {
            throw audio.NoPlace();
        }

        if (message.Find("annotations") is { IsList: true } notes && notes.Items.Any())
        {
            _to.Dropped.Add(notes.Path);
        }

        if (message.Find("reasoning_content") is { } thoughts)
        {
            _to.Add(Speaker.Model, new ThoughtPart(thoughts.Path, thoughts.Text, new(Signature.OpenAI, "")));
        }

        foreach (string name in (string[])["content", "refusal"])
        {
            if (message.Find(name) is { } content)
            {
                TakeContent(content, Speaker.Model);
            }
        }

        foreach (Node call in message.Find("tool_calls")?.Items ?? [])
        {
            TakeCall(call);
        }
    }

    private void TakeCall(Node call)
    {
        if (call.TextOf("type") is not ("function" or ""))
        {
            throw call.Need("type").NoPlace();
        }

        Node function = call.Need("function");
        (string id, Signature[] signatures) = CallIds.Unpack(call.Need("id").Text);
        string name = function.Need("name").Text;
        _tools[id] = name;
        _to.Add(Speaker.Model, new CallPart(
            call.Path, id, name, Arguments(function.Need("arguments")), signatures));
    }

    /// <summary>The arguments of a call, which come as a text.</summary>
    internal static string Arguments(Node arguments)
    {
        string text = arguments.Text;
        return string.IsNullOrWhiteSpace(text) ? "{}"
            : JsonText.IsObject(text) ? text
            : throw arguments.Fault("is no JSON object in a text");
    }

    private void TakeResult(Node message)
    {
        Node said = message.Need("tool_call_id");
        (string id, _) = CallIds.Unpack(said.Text);
        string name = _tools.TryGetValue(id, out string? tool)
            ? tool
            : throw said.Fault("is the id of no call before it");
        _to.Add(Speaker.User, new ResultPart(
            message.Path, id, name, [.. ReadContent(message.Need("content"))], IsError: false));
    }

    private void TakeContent(Node content, Speaker speaker)
    {
        foreach (Part part in ReadContent(content))
        {
            if (speaker == Speaker.Model && part is MediaPart)
            {
                throw content.NoPlace();
            }

            _to.Add(speaker, part);
        }
    }

    private static IEnumerable<Part> ReadContent(Node content)
    {
        if (content.IsText)
        {
            yield return new TextPart(content.Path, content.Text);
            yield break;
        }

        foreach (Node part in content.Items)
        {
            yield return part.TextOf("type") switch
            {
                "text" => new TextPart(part.Path, part.Need("text").Text),
                "refusal" => new TextPart(part.Path, part.Need("refusal").Text),
                "image_url" => ReadPicture(part.Need("image_url")),
                "input_audio" => ReadSound(part.Need("input_audio")),
                "file" => ReadFile(part.Need("file")),
                _ => throw part.Need("type").NoPlace(),
            };
        }
    }

    /// <summary>A picture: the address of one, or its data.</summary>
    internal static MediaPart ReadPicture(Node picture)
    {
        Node url = picture.IsText ? picture : picture.Need("url");
        return ReadData(url) is { } data
            ? new MediaPart(url.Path, MediaKind.Image, data.Type, data.Data, IsAddress: false)
            : new MediaPart(url.Path, MediaKind.Image, "", url.Bytes, IsAddress: true);
    }

    private static MediaPart ReadSound(Node sound) => new(
        sound.Path, MediaKind.Audio, "audio/" + sound.Need("format").Text, sound.Need("data").Bytes, IsAddress: false);

    /// <summary>A document.</summary>
    internal static MediaPart ReadFile(Node file)
    {
        if (file.Find("file_id") is { } id)
        {
            throw id.NoPlace();
        }

        Node data = file.Need("file_data");
        return ReadData(data) is { } found
            ? new MediaPart(data.Path, MediaKind.Document, found.Type, found.Data, false, file.TextOf("filename"))
            : throw data.Fault("is no data: address with base 64");
    }

    /// <summary>What a <c>data:</c> address holds; null when it is another address.</summary>
    private static (string Type, ReadOnlyMemory<byte> Data)? ReadData(Node url)
    {
        ReadOnlyMemory<byte> bytes = url.Bytes;
        if (!bytes.Span.StartsWith("data:"u8))
        {
            return null;
        }

        int comma = bytes.Span.IndexOf((byte)',');
        string head = comma < 0 ? "" : Encoding.UTF8.GetString(bytes.Span[5..comma]);
        return head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase)
            ? (head[..head.IndexOf(';')], bytes[(comma + 1)..])
            : throw url.Fault("is a data: address without base 64");
    }
}
