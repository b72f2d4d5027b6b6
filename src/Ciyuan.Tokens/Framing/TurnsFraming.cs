using Ciyuan.Tokens.Media;

namespace Ciyuan.Tokens.Framing;

/// <summary>Writes a request as an open model's chat template does, turn by turn.</summary>
internal sealed class TurnsFraming
{
    private readonly FramingRule _rule;
    private readonly ChatRequest _request;
    private readonly PromptBuilder _prompt;
    private readonly Func<ChatPart, long> _media; // the tokens of a thing within the prompt's text
    private readonly List<ChatMessage> _messages;
    private readonly string _system;
    private readonly Dictionary<string, string> _toolNames = [];
    private string _lastSaid = "";

    public TurnsFraming(FramingRule rule, ChatRequest request, PromptBuilder prompt, Func<ChatPart, long> media)
    {
        _rule = rule;
        _request = request;
        _prompt = prompt;
        _media = media;

        // The first system message is the system; DeepSeek joins all of them. Later ones are turns of their own.
        bool joined = rule.Text("systemMode") == "bare";
        bool isSystem(ChatMessage m, int i) => m.Role is "system" or "developer" && (joined || i == 0);
        _system = string.Join(
            rule.HasText("systemGap") ? rule.Text("systemGap") : "\n\n",
            request.Messages.Where(isSystem).Select(TextOf));
        _messages = [.. request.Messages.Where((m, i) => !isSystem(m, i))];
    }

    public void Write()
    {
        bool hasTools = _request.Tools.Count > 0;
        _prompt.Literal(_rule.Text(hasTools && _rule.HasText("beginWithTools") ? "beginWithTools" : "begin"));
        WriteSystem(hasTools);
        int lastUser = _messages.FindLastIndex(m => m.Role == "user");
        _lastSaid = lastUser < 0 ? "" : TextOf(_messages[lastUser]);
        int firstUser = _messages.FindIndex(m => m.Role == "user");
        for (int i = 0; i < _messages.Count; i++)
        {
            ChatMessage message = _messages[i];
            if (message.Role is "tool" or "function")
            {
                bool first = i == 0 || _messages[i - 1].Role is not ("tool" or "function");
                bool last = i == _messages.Count - 1 || _messages[i + 1].Role is not ("tool" or "function");
                WriteToolAnswer(message, first, last);
            }
            else if (message.Role == "assistant")
            {
                WriteAssistant(message, i > lastUser);
            }
            else
            {
                WriteUser(message, i == firstUser, i == lastUser, i == _messages.Count - 1);
            }
        }

        if (!_rule.Flag("noReplyAfterTool") || _messages.Count == 0 || _messages[^1].Role is not ("tool" or "function"))
        {
            _prompt.Literal(_rule.Text("reply"));
        }
    }

    private static string TextOf(ChatMessage m) => string.Concat(m.Parts.Select(p => p.Text ?? ""));

    private string Trim(string text) => _rule.Flag("trim") ? text.Trim() : text;

    private void WriteSystem(bool hasTools)
    {
        string mode = _rule.Text("systemMode");
        if (mode == "bare")
        {
            _prompt.Text(_system);
            return;
        }

        bool toolsHere = hasTools && _rule.Text("toolsPlace") == "system";
        string system = _system.Length == 0 ? _rule.Text("defaultSystem") : Trim(_system);
        bool always = _rule.HasText("systemBefore") && mode == "always";
        if (mode is "first-user" or "last-user" || (system.Length == 0 && !toolsHere && !always))
        {
            return;
        }

        bool otherStart = hasTools && _rule.HasText("systemBeforeWithTools");
        _prompt.Fill(
            _rule.Text(_rule.HasText("systemTurn") ? "systemTurn" : "turn"),
            ("role", () => _prompt.Literal("system")),
            ("content", () =>
            {
                if (always || system.Length > 0)
                {
                    _prompt.Literal(_rule.Text(otherStart ? "systemBeforeWithTools" : "systemBefore"));
                }

                _prompt.Text(system);
                if (toolsHere)
                {
                    _prompt.Literal(system.Length > 0 ? _rule.Text("toolsSeparator") : "");
                    WriteTools();
                }
            }
        ));
    }

    private void WriteUser(ChatMessage message, bool first, bool lastUser, bool last)
    {
        bool isUser = message.Role == "user";

        // The template compares what is said: a message that says the same as the last one gets the tools, too.
        bool toolsHere = isUser && _rule.Text("toolsPlace") == "last-user" && TextOf(message) == _lastSaid;
        if (toolsHere && _request.Tools.Count > 0)
        {
            WriteTools();
        }

        string mode = _rule.Text("systemMode");
        bool systemHere = isUser && _system.Length > 0
            && ((mode == "first-user" && first) || (mode == "last-user" && lastUser && last));
        _prompt.Fill(
            _rule.Text(isUser && _rule.HasText("userTurn") ? "userTurn" : "turn"),
            ("role", () => _prompt.Literal(_rule.Role(message.Role))),
            ("content", () =>
            {
                if (systemHere)
                {
                    _prompt.Text(_system);
                    _prompt.Literal("\n\n");
                }

                if (isUser && first && _request.Tools.Count > 0 && _rule.Text("toolsPlace") == "first-user")
                {
                    WriteTools();
                }

                WriteParts(message);
            }
        ));
    }

    private void WriteParts(ChatMessage message)
    {
        foreach (ChatPart part in message.Parts)
        {
            if (part.Text is { } text)
            {
                _prompt.Text(Trim(text));
            }
            else
            {
                _prompt.Tokens(_media(part));
            }
        }
    }

    private void WriteAssistant(ChatMessage message, bool afterLastUser)
    {
        string content = Trim(TextOf(message));
        if (_rule.HasText("thinking"))
        {
            content = WithoutThoughts(content, message.Reasoning, afterLastUser);
        }

        bool calls = message.ToolCalls.Count > 0;
        bool apart = calls && _rule.Flag("callsApart");
        if (calls && _rule.Flag("callsReplaceContent"))
        {
            content = "";
        }

        if (!apart || content.Length > 0)
        {
            _prompt.Fill(
                _rule.Text(_rule.HasText("assistantTurn") ? "assistantTurn" : "turn"),
                ("role", () => _prompt.Literal(_rule.Role("assistant"))),
                ("content", () =>
                {
                    _prompt.Text(content);
                    if (calls && !apart)
                    {
                        _prompt.Literal(content.Length > 0 ? _rule.Text("contentGap") : "");
                        WriteCalls(message);
                    }
                }
            ));
        }

        if (apart)
        {
            WriteCalls(message);
        }
    }

    /// <summary>Thoughts of before the last question are dropped, later ones are kept.</summary>
    private string WithoutThoughts(string content, string reasoning, bool afterLastUser)
    {
        int end = content.LastIndexOf("</think>", StringComparison.Ordinal);
        if (end >= 0)
        {
            reasoning = content[..end].Split("<think>")[^1].Trim('\n');
            content = content[(end + "</think>".Length)..].TrimStart('\n');
        }

        if (afterLastUser && reasoning.Length > 0)
        {
            _prompt.Fill(_rule.Text("thinking"), ("text", () => _prompt.Text(reasoning.Trim('\n'))));
        }

        return content;
    }

    private void WriteCalls(ChatMessage message)
    {
        _prompt.Literal(_rule.Text("callsOpen"));
        for (int i = 0; i < message.ToolCalls.Count; i++)
        {
            ChatToolCall call = message.ToolCalls[i];
            _toolNames[call.Id] = call.Name;
            _prompt.Literal(i == 0 ? "" : _rule.Text("callGap"));
            _prompt.Fill(
                _rule.Text("call"),
                ("name", () => _prompt.Text(call.Name)),
                ("arguments", () => _prompt.Text(JsonForms.Spaced(call.Arguments))),
                ("id", () => _prompt.Text(call.Id)));
        }

        _prompt.Literal(_rule.Text("callsClose"));
    }

    private void WriteToolAnswer(ChatMessage message, bool first, bool last)
    {
        _prompt.Literal(first ? _rule.Text("toolOpen") : "");
        string name = message.Name.Length > 0 ? message.Name : _toolNames.GetValueOrDefault(message.ToolCallId, "");
        _prompt.Fill(
            _rule.Text("toolResult"),
            ("name", () => _prompt.Text(name)),
            ("id", () => _prompt.Text(message.ToolCallId)),
            ("content", () =>
            {
                if (_rule.Flag("toolContentQuoted"))
                {
                    _prompt.Text(JsonForms.Quoted(TextOf(message)));
                }
                else
                {
                    WriteParts(message);
                }
            }
        ));
        _prompt.Literal(last ? _rule.Text("toolClose") : "");
    }

    private void WriteTools()
    {
        _prompt.Literal(_rule.Text("toolsIntro"));
        if (_rule.Text("toolForm") == "typescript")
        {
            _prompt.Text(TypeScriptTools.Render(_request.Tools, withDefaults: true));
        }
        else
        {
            for (int i = 0; i < _request.Tools.Count; i++)
            {
                ChatTool tool = _request.Tools[i];
                _prompt.Literal(i == 0 ? "" : _rule.Text("toolGap"));
                _prompt.Fill(_rule.Text("toolEach"), ("tool", () => _prompt.Text(
                    JsonForms.Spaced(Definition(tool), (int)_rule.Number("toolIndent")))));
            }
        }

        _prompt.Literal(_rule.Text("toolsOutro"));
    }

    private static string Definition(ChatTool tool)
    {
        if (tool.Definition.Length > 0)
        {
            return tool.Definition;
        }

        string description = tool.Description.Length == 0
            ? ""
            : $", \"description\": {JsonForms.Quoted(tool.Description)}";
        return $"{{\"type\": \"function\", \"function\": {{\"name\": {JsonForms.Quoted(tool.Name)}{description}, "
            + $"\"parameters\": {(tool.Parameters.Length == 0 ? "{}" : tool.Parameters)}}}}}";
    }
}
