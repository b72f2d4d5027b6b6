namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Reads a call of OpenAI's responses. What OpenAI would keep between calls (earlier responses, conversations)
/// is nowhere else, so calls that build on it are refused.</summary>
internal sealed class ResponsesRequestReader
{
    private readonly Exchange _to = new();
    private readonly Dictionary<string, string> _tools = new(StringComparer.Ordinal);

    /// <summary>Reads a body.</summary>
    /// <exception cref="UncarriedException">It holds what can't be carried, or what the protocol does not
    /// allow.</exception>
    internal static Exchange Read(Node body)
    {
        var reader = new ResponsesRequestReader();
        foreach (Node field in body.Fields)
        {
            if (!reader.TakeSetting(field) && !reader.TakeTools(field) && !reader.IsHarmless(field))
            {
                throw field.NoPlace();
            }
        }

        Node input = body.Need("input");
        if (input.IsText)
        {
            reader._to.Add(Speaker.User, new TextPart(input.Path, input.Text));
            return reader._to;
        }

        foreach (Node item in input.Items)
        {
            reader.TakeItem(item);
        }

        return reader._to;
    }

    private bool TakeSetting(Node field)
    {
        switch (field.Name)
        {
            case "instructions":
                _to.System.Insert(0, new TextPart(field.Path, field.Text));
                return true;
            case "max_output_tokens":
                _to.MostOutput = field.SaidWhole;
                return true;
            case "temperature":
                _to.Temperature = field.SaidNumber;
                return true;
            case "top_p":
                _to.TopP = field.SaidNumber;
                return true;
            case "stream":
                _to.Streams = field.Truth;
                return true;
            case "user" or "safety_identifier":
                _to.User = field.SaidText;
                return true;
            case "reasoning":
                TakeReasoning(field);
                return true;
            case "text":
                TakeForm(field);
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

    private bool IsHarmless(Node field)
    {
        switch (field.Name)
        {
            case "input" or "model" or "stream_options":
                return true;
            case "background":
                return !field.Truth;
            case "top_logprobs":
                return field.Whole == 0;
            case "include":
                return field.Texts.All(t => t == "reasoning.encrypted_content"); // see CallIds
            case "store" or "metadata" or "service_tier" or "truncation" or "prompt_cache_key" or "prompt_cache_options"
                or "prompt_cache_retention":
                _to.Dropped.Add(field.Path);
                return true;
            default:
                return false;
        }
    }

    private void TakeReasoning(Node reasoning)
    {
        Thinking thinking = reasoning.Find("effort") is { } effort ? Efforts.Read(effort) : new Thinking();
        bool shows = reasoning.Find("summary") is not null || reasoning.Find("generate_summary") is not null;
        bool isSaid = thinking.IsOff || thinking.Effort.Length > 0 || shows;
        _to.Thinking = isSaid ? new(shows ? thinking with { Shows = true } : thinking, reasoning.Path) : null;
    }

    private void TakeForm(Node text)
    {
        text.Only("format", "verbosity");
        if (text.Find("verbosity") is { } verbosity)
        {
            _to.Dropped.Add(verbosity.Path);
        }

        if (text.Find("format") is not { } format)
        {
            return;
        }

        _to.Form = format.TextOf("type") switch
        {
            "text" => null,
            "json_object" => new(new AnswerForm("", null, null), format.Path),
            "json_schema" => new(
                new AnswerForm(format.TextOf("name"), format.Need("schema").Json, format.Find("strict")?.Truth),
                format.Path),
            _ => throw format.NoPlace(),
        };
    }

    private static ToolSpec ReadTool(Node tool)
    {
        if (tool.TextOf("type") != "function")
        {
            throw tool.Need("type").NoPlace(); // one that OpenAI itself runs
        }

        tool.Only("type", "name", "description", "parameters", "strict");
        return new ToolSpec(
            tool.Path, tool.Need("name").Text, tool.TextOf("description"), tool.Find("parameters")?.Json,
            tool.Find("strict")?.Truth);
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

        return choice.TextOf("type") switch
        {
            "function" => new ToolChoice(ToolChoiceKind.Named, choice.Need("name").Text),
            "allowed_tools" => new ToolChoice(
                choice.TextOf("mode") == "required" ? ToolChoiceKind.Any : ToolChoiceKind.Auto,
                [.. choice.Need("tools").Items.Select(t => t.Need("name").Text)]),
            _ => throw choice.NoPlace(),
        };
    }

    private void TakeItem(Node item)
    {
        switch (item.TextOf("type"))
        {
            case "" or "message":
                TakeMessage(item);
                break;
            case "function_call":
                (string id, Signature[] proofs) = CallIds.Unpack(item.Need("call_id").Text);
                string name = item.Need("name").Text;
                _tools[id] = name;
                _to.Add(Speaker.Model, new CallPart(
                    item.Path, id, name, OpenAIRequestReader.Arguments(item.Need("arguments")), proofs));
                break;
            case "function_call_output":
                TakeResult(item);
                break;
            case "reasoning":
                _to.Dropped.Add(item.Path); // what must come back of it is in the ids of calls
                break;
            default:
                throw item.Need("type").NoPlace();
        }
    }

    private void TakeMessage(Node message)
    {
        string role = message.Need("role").Text;
        Node content = message.Need("content");
        foreach (Part part in content.IsText
            ? [new TextPart(content.Path, content.Text)]
            : content.Items.Select(ReadPart))
        {
            switch (role)
            {
                case "system" or "developer":
                    _to.System.Add(part as TextPart ?? throw content.NoPlace());
                    if (_to.Turns.Count > 0)
                    {
                        _to.Dropped.Add(message.Path + ".position");
                    }

                    break;
                case "user":
                    _to.Add(Speaker.User, part);
                    break;
                case "assistant":
                    _to.Add(Speaker.Model, part as TextPart ?? throw content.NoPlace());
                    break;
                default:
                    throw message.Need("role").NoPlace();
            }
        }
    }

    private void TakeResult(Node item)
    {
        Node said = item.Need("call_id");
        (string id, _) = CallIds.Unpack(said.Text);
        string name = _tools.TryGetValue(id, out string? tool)
            ? tool
            : throw said.Fault("is the id of no call before it");
        Node output = item.Need("output");
        Part[] content = output.IsText
            ? [new TextPart(output.Path, output.Text)]
            : [.. output.Items.Select(ReadPart)];
        _to.Add(Speaker.User, new ResultPart(item.Path, id, name, content, IsError: false));
    }

    private static Part ReadPart(Node part) => part.TextOf("type") switch
    {
        "input_text" or "output_text" or "text" => new TextPart(part.Path, part.Need("text").Text),
        "refusal" => new TextPart(part.Path, part.Need("refusal").Text),
        "input_image" when part.Find("image_url") is { } url => OpenAIRequestReader.ReadPicture(url),
        "input_file" when part.Find("file_id") is null => ReadFile(part),
        _ => throw part.NoPlace(),
    };

    private static MediaPart ReadFile(Node part) => part.Find("file_url") is { } url
        ? new MediaPart(url.Path, MediaKind.Document, "application/pdf", url.Bytes, IsAddress: true)
        : OpenAIRequestReader.ReadFile(part);
}
