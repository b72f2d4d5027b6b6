using System.Text;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Reads a call of Anthropic's messages.</summary>
internal sealed class AnthropicRequestReader
{
    private readonly Exchange _to = new();
    private readonly Dictionary<string, string> _tools = new(StringComparer.Ordinal);
    private Thinking _thinking = new();
    private string _thinkingPath = "";

    /// <summary>Reads a body.</summary>
    /// <exception cref="UncarriedException">It holds what can't be carried, or what the protocol does not
    /// allow.</exception>
    internal static Exchange Read(Node body)
    {
        var reader = new AnthropicRequestReader();
        foreach (Node field in body.Fields)
        {
            if (!reader.TakeSetting(field) && !reader.TakeTalk(field) && !IsHarmless(field, reader._to))
            {
                throw field.NoPlace();
            }
        }

        foreach (Node message in body.Need("messages").Items)
        {
            reader.TakeMessage(message);
        }

        reader._to.Thinking = reader._thinkingPath.Length > 0 ? new(reader._thinking, reader._thinkingPath) : null;
        return reader._to;
    }

    private bool TakeSetting(Node field)
    {
        switch (field.Name)
        {
            case "max_tokens":
                _to.MostOutput = field.SaidWhole;
                return true;
            case "temperature":
                _to.Temperature = field.SaidNumber;
                return true;
            case "top_p":
                _to.TopP = field.SaidNumber;
                return true;
            case "top_k":
                _to.TopK = field.SaidNumber;
                return true;
            case "stop_sequences":
                _to.Stops = new(field.Texts, field.Path);
                return true;
            case "stream":
                _to.Streams = field.Truth;
                return true;
            case "metadata":
                field.Only("user_id");
                _to.User = field.Find("user_id")?.SaidText;
                return true;
            default:
                return false;
        }
    }

    private bool TakeTalk(Node field)
    {
        switch (field.Name)
        {
            case "system":
                _to.System.AddRange(ReadTexts(field));
                return true;
            case "tools":
                _to.Tools.AddRange(field.Items.Select(ReadTool));
                return true;
            case "tool_choice":
                TakeChoice(field);
                return true;
            case "thinking":
                TakeThinking(field);
                return true;
            case "output_config":
                TakeOutput(field);
                return true;
            default:
                return false;
        }
    }

    // Caches and tiers change the price or the speed of an answer, not what it says.
    private static bool IsHarmless(Node field, Exchange to)
    {
        if (field.Name is "service_tier" or "speed" or "cache_control" or "diagnostics")
        {
            to.Dropped.Add(field.Path);
            return true;
        }

        return field.Name is "messages" or "model";
    }

    private void TakeChoice(Node choice)
    {
        if (choice.Find("disable_parallel_tool_use") is { Truth: true } one)
        {
            _to.Parallel = new(false, one.Path);
        }

        ToolChoiceKind kind = choice.TextOf("type") switch
        {
            "auto" => ToolChoiceKind.Auto,
            "any" => ToolChoiceKind.Any,
            "none" => ToolChoiceKind.None,
            "tool" => ToolChoiceKind.Named,
            _ => throw choice.NoPlace(),
        };
        _to.Choice = new(
            kind == ToolChoiceKind.Named ? new ToolChoice(kind, choice.Need("name").Text) : new ToolChoice(kind),
            choice.Path);
    }

    private void TakeThinking(Node thinking)
    {
        thinking.Only("type", "budget_tokens", "display");
        _thinkingPath = thinking.Path;
        switch (thinking.TextOf("type"))
        {
            case "disabled":
                _thinking = _thinking with { IsOff = true };
                return;
            case "enabled" or "adaptive":
                _thinking = _thinking with
                {
                    Budget = thinking.Find("budget_tokens")?.Whole,
                    Shows = thinking.TextOf("display") != "omitted",
                };
                return;
            default:
                throw thinking.NoPlace();
        }
    }

    private void TakeOutput(Node output)
    {
        output.Only("effort", "format");
        if (output.Find("effort") is { } effort)
        {
            _thinkingPath = _thinkingPath.Length > 0 ? _thinkingPath : effort.Path;
            _thinking = _thinking with { Effort = Efforts.Read(effort).Effort };
        }

        if (output.Find("format") is { } format)
        {
            format.Only("type", "schema");
            _to.Form = new(new AnswerForm("", format.Need("schema").Json, true), format.Path);
        }
    }

    private ToolSpec ReadTool(Node tool)
    {
        if (tool.TextOf("type") is not ("" or "custom"))
        {
            throw tool.Need("type").NoPlace(); // one that Anthropic itself runs
        }

        tool.Only("type", "name", "description", "input_schema", "strict", "cache_control", "eager_input_streaming",
            "input_examples", "defer_loading", "allowed_callers");
        foreach (string name in (string[])["cache_control", "eager_input_streaming", "input_examples"])
        {
            Drop(tool, name);
        }

        if (tool.Find("defer_loading") is { Truth: true } late)
        {
            throw late.NoPlace();
        }

        if (tool.Find("allowed_callers") is { } callers && callers.Texts is not ["direct"])
        {
            throw callers.NoPlace();
        }

        return new ToolSpec(
            tool.Path, tool.Need("name").Text, tool.TextOf("description"), tool.Need("input_schema").Json,
            tool.Find("strict")?.Truth);
    }

    private void TakeMessage(Node message)
    {
        message.Only("role", "content");
        Node content = message.Need("content");
        switch (message.TextOf("role"))
        {
            case "system":
                _to.Dropped.Add(message.Path + ".position");
                _to.System.AddRange(ReadTexts(content));
                return;
            case "user":
                TakeContent(content, Speaker.User);
                return;
            case "assistant":
                TakeContent(content, Speaker.Model);
                return;
            default:
                throw message.Need("role").NoPlace();
        }
    }

    private void TakeContent(Node content, Speaker speaker)
    {
        if (content.IsText)
        {
            _to.Add(speaker, new TextPart(content.Path, content.Text));
            return;
        }

        foreach (Node block in content.Items)
        {
            Drop(block, "cache_control");
            Part part = speaker == Speaker.User ? ReadUsers(block) : ReadModels(block);
            _to.Add(speaker, part);
        }
    }

    private Part ReadUsers(Node block)
    {
        if (block.TextOf("type") != "tool_result")
        {
            return ReadMedium(block);
        }

        block.Only("type", "tool_use_id", "content", "is_error", "cache_control");
        Node said = block.Need("tool_use_id");
        (string id, _) = CallIds.Unpack(said.Text);
        string name = _tools.TryGetValue(id, out string? tool)
            ? tool
            : throw said.Fault("is the id of no call before it");
        Part[] content = block.Find("content") switch
        {
            null => [],
            { IsText: true } text => [new TextPart(text.Path, text.Text)],
            { } list => [.. list.Items.Select(ReadMedium)],
        };
        return new ResultPart(block.Path, id, name, content, block.Find("is_error") is { Truth: true });
    }

    private Part ReadModels(Node block)
    {
        switch (block.TextOf("type"))
        {
            case "text":
                return ReadText(block);
            case "thinking":
                return ReadThought(block);
            case "redacted_thinking":
                return new ThoughtPart(block.Path, "", new(Signature.Redacted, block.Need("data").Text));
            case "tool_use":
                if (block.Find("caller") is { } caller && caller.TextOf("type") != "direct")
                {
                    throw caller.NoPlace();
                }

                (string id, Signature[] signatures) = CallIds.Unpack(block.Need("id").Text);
                string name = block.Need("name").Text;
                _tools[id] = name;
                Node input = block.Need("input");
                return new CallPart(
                    block.Path, id, name, input.IsObject ? input.Json : throw input.Fault("must be an object"),
                    signatures);
            default:
                throw block.Need("type").NoPlace();
        }
    }

    // One that this gateway wrote for an upstream of another protocol says so in its proof.
    private static ThoughtPart ReadThought(Node block)
    {
        string proof = block.TextOf("signature");
        (string own, Signature[] signatures) = CallIds.Unpack(proof);
        return new ThoughtPart(
            block.Path, block.TextOf("thinking"),
            own.Length == 0 && signatures.Length > 0 ? signatures[0]
                : proof.Length > 0 ? new(Signature.Anthropic, proof)
                : null);
    }

    private Part ReadMedium(Node block)
    {
        switch (block.TextOf("type"))
        {
            case "text":
                return ReadText(block);
            case "image":
                block.Only("type", "source", "cache_control");
                return ReadSource(block, MediaKind.Image);
            case "document":
                block.Only("type", "source", "cache_control", "title", "context", "citations");
                if (block.Find("citations") is { } citations && citations.Find("enabled") is { Truth: true } asked)
                {
                    throw asked.NoPlace();
                }

                Drop(block, "context");
                return ReadSource(block, MediaKind.Document);
            default:
                throw block.Need("type").NoPlace();
        }
    }

    private static MediaPart ReadSource(Node block, MediaKind kind)
    {
        Node source = block.Need("source");
        string title = block.TextOf("title");
        switch (source.TextOf("type"))
        {
            case "base64":
                return new MediaPart(
                    source.Path, kind, source.Need("media_type").Text, source.Need("data").Bytes, false, title);
            case "url":
                string type = kind == MediaKind.Document ? "application/pdf" : "";
                return new MediaPart(source.Path, kind, type, source.Need("url").Bytes, true, title);
            case "text":
                return new MediaPart(
                    source.Path, kind, "text/plain",
                    Encoding.UTF8.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(source.Need("data").Text))),
                    false, title);
            default:
                throw source.Need("type").NoPlace();
        }
    }

    private static TextPart ReadText(Node block) => new(block.Path, block.Need("text").Text);

    private IEnumerable<TextPart> ReadTexts(Node content)
    {
        if (content.IsText)
        {
            return [new TextPart(content.Path, content.Text)];
        }

        foreach (Node block in content.Items)
        {
            Drop(block, "cache_control");
        }

        return content.Items.Select(b => b.TextOf("type") == "text" ? ReadText(b) : throw b.NoPlace());
    }

    private void Drop(Node from, string name)
    {
        if (from.Find(name) is { } field)
        {
            _to.Dropped.Add(field.Path);
        }
    }
}
