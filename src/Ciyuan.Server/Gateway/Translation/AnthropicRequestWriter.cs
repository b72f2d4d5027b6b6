using System.Text;
using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Writes a call as Anthropic's messages have it.</summary>
internal sealed class AnthropicRequestWriter(Exchange from, Utf8JsonWriter json)
{
    /// <summary>The tool that stands for JSON without a schema, which Anthropic has no mode for: the model must call
    /// it, and its arguments are the answer.</summary>
    internal const string JsonTool = "json_answer";

    /// <summary>Least tokens of thinking that Anthropic takes.</summary>
    private const long LeastBudget = 1_024;

    /// <summary>Writes the body, without <c>max_tokens</c> where the caller said none.</summary>
    /// <param name="from">The call.</param>
    /// <param name="json">Where to.</param>
    /// <param name="model">The model's name there.</param>
    /// <param name="counts">Whether tokens are to be counted, and nothing to be answered.</param>
    /// <returns>Whether <see cref="JsonTool"/> is used.</returns>
    /// <exception cref="UncarriedException">The protocol has no place for a part of it.</exception>
    internal static bool Write(Exchange from, Utf8JsonWriter json, string model, bool counts)
    {
        var writer = new AnthropicRequestWriter(from, json);
        bool byTool = from.Form is { Value.Schema: null };
        json.WriteStartObject();
        json.WriteString("model", model);
        writer.WriteSystem();
        json.WriteStartArray("messages");
        from.Turns.ForEach(writer.WriteTurn);
        json.WriteEndArray();
        writer.WriteTools(byTool);
        writer.WriteThinking(byTool);
        if (!counts)
        {
            writer.WriteSettings();
        }

        json.WriteEndObject();
        return byTool;
    }

    private void WriteSystem()
    {
        TextPart[] texts = [.. from.System.Where(t => t.Text.Length > 0)];
        switch (texts)
        {
            case []:
                return;
            case [var only]:
                json.WriteString("system", only.Text);
                return;
        }

        json.WriteStartArray("system");
        Array.ForEach(texts, WriteText);
        json.WriteEndArray();
    }

    private void WriteTurn(Turn turn)
    {
        // Results, and thoughts, stand before all else in a turn; texts may not be empty.
        Part[] parts =
        [
            .. turn.Parts.OfType<ResultPart>(), .. turn.Parts.OfType<CallPart>().SelectMany(Proofs),
            .. turn.Parts.Where(p => p is not ResultPart && Says(p)),
        ];
        if (parts.Length == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", turn.Speaker == Speaker.User ? "user" : "assistant");
        WriteContent(parts);
        json.WriteEndObject();
    }

    private bool Says(Part part)
    {
        if (part is ThoughtPart { Proof: not { Maker: Signature.Anthropic or Signature.Redacted } } foreign)
        {
            from.Dropped.Add(foreign.Path);
            return false;
        }

        return part is not TextPart { Text: "" };
    }

    private void WriteContent(IReadOnlyList<Part> parts)
    {
        if (parts is [TextPart only])
        {
            json.WriteString("content", only.Text);
            return;
        }

        json.WriteStartArray("content");
        foreach (Part part in parts)
        {
            switch (part)
            {
                case TextPart text:
                    WriteText(text);
                    break;
                case MediaPart medium:
                    WriteMedium(medium);
                    break;
                case CallPart call:
                    WriteCall(call);
                    break;
                case ResultPart result:
                    WriteResult(result);
                    break;
                case ThoughtPart thought:
                    WriteThought(thought.Proof!.Value, thought.Text);
                    break;
            }
        }

        json.WriteEndArray();
    }

    private void WriteText(TextPart text)
    {
        json.WriteStartObject();
        json.WriteString("type", "text");
        json.WriteString("text", text.Text);
        json.WriteEndObject();
    }

    private void WriteMedium(MediaPart medium)
    {
        if (medium.Kind == MediaKind.Audio || (medium.Kind == MediaKind.Document && medium.Type is not
            ("application/pdf" or "text/plain")) || (medium.IsAddress && medium.Type == "text/plain"))
        {
            throw new UncarriedException($"'{medium.Path}' {Node.NoPlaceText}.");
        }

        json.WriteStartObject();
        json.WriteString("type", medium.Kind == MediaKind.Image ? "image" : "document");
        json.WriteStartObject("source");
        if (medium.IsAddress)
        {
            json.WriteString("type", "url");
            json.WriteString("url", medium.Data.Span);
        }
        else if (medium.Type == "text/plain")
        {
            json.WriteString("type", "text");
            json.WriteString("media_type", medium.Type);
            json.WriteString("data", PlainText(medium));
        }
        else
        {
            json.WriteString("type", "base64");
            json.WriteString("media_type", medium.Type);
            json.WriteString("data", medium.Data.Span);
        }

        json.WriteEndObject();
        JsonText.WriteUnlessEmpty(json, "title", medium.Kind == MediaKind.Document ? medium.Name : "");
        json.WriteEndObject();
    }

    private static string PlainText(MediaPart medium)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(Encoding.UTF8.GetString(medium.Data.Span)));
        }
        catch (FormatException)
        {
            throw new UncarriedException($"'{medium.Path}' is no base 64.");
        }
    }

    // The proof of a thought that led to a call goes without its words: Anthropic reads the proof alone.
    private IEnumerable<ThoughtPart> Proofs(CallPart call)
    {
        foreach (Signature signature in call.Signatures)
        {
            if (signature.Maker is Signature.Anthropic or Signature.Redacted)
            {
                yield return new ThoughtPart(call.Path, "", signature);
            }
            else
            {
                from.Dropped.Add(call.Path + ".signature");
            }
        }
    }

    private void WriteCall(CallPart call)
    {
        json.WriteStartObject();
        json.WriteString("type", "tool_use");
        json.WriteString("id", CallIds.ForAnthropic(call.Id));
        json.WriteString("name", call.Name);
        JsonText.WriteRaw(json, "input", call.Arguments);
        json.WriteEndObject();
    }

    private void WriteThought(Signature proof, string text)
    {
        json.WriteStartObject();
        if (proof.Maker == Signature.Redacted)
        {
            json.WriteString("type", "redacted_thinking");
            json.WriteString("data", proof.Data);
        }
        else
        {
            json.WriteString("type", "thinking");
            json.WriteString("thinking", text);
            json.WriteString("signature", proof.Data);
        }

        json.WriteEndObject();
    }

    private void WriteResult(ResultPart result)
    {
        json.WriteStartObject();
        json.WriteString("type", "tool_result");
        json.WriteString("tool_use_id", CallIds.ForAnthropic(result.Id));
        Part[] content = [.. result.Content.Where(Says)];
        if (content.Length > 0)
        {
            WriteContent(content);
        }

        if (result.IsError)
        {
            json.WriteBoolean("is_error", true);
        }

        json.WriteEndObject();
    }

    private void WriteTools(bool byTool)
    {
        if (byTool)
        {
            WriteJsonTool();
            return;
        }

        if (from.Tools.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (ToolSpec tool in from.Tools)
        {
            json.WriteStartObject();
            json.WriteString("name", tool.Name);
            JsonText.WriteUnlessEmpty(json, "description", tool.Description);
            JsonText.WriteRaw(json, "input_schema", tool.Schema ?? """{"type":"object"}""");
            if (tool.Strict is { } strict)
            {
                json.WriteBoolean("strict", strict);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteChoice();
    }

    private void WriteChoice()
    {
        if (from.Choice is null && from.Parallel is not { Value: false })
        {
            return;
        }

        ToolChoice choice = from.Choice?.Value ?? new ToolChoice(ToolChoiceKind.Auto);
        bool all = choice.Names.Length > 0 && from.Tools.TrueForAll(t => choice.Names.Contains(t.Name));
        if (choice.Names.Length > 0 && choice.Kind != ToolChoiceKind.Named && !all)
        {
            throw new UncarriedException($"'{from.Choice!.Value.Path}' {Node.NoPlaceText}.");
        }

        json.WriteStartObject("tool_choice");
        json.WriteString("type", choice.Kind switch
        {
            ToolChoiceKind.None => "none",
            ToolChoiceKind.Any => "any",
            ToolChoiceKind.Named => "tool",
            _ => "auto",
        });
        JsonText.WriteUnlessEmpty(json, "name", choice.Kind == ToolChoiceKind.Named ? choice.Names[0] : "");
        if (from.Parallel is { Value: false } && choice.Kind != ToolChoiceKind.None)
        {
            json.WriteBoolean("disable_parallel_tool_use", true);
        }

        json.WriteEndObject();
    }

    private void WriteJsonTool()
    {
        if (from.Tools.Count > 0 || from.Thinking is { Value.IsOff: false })
        {
            throw new UncarriedException($"'{from.Form!.Value.Path}' can't be carried over to the protocol of the "
                + "model's upstream beside tools or thinking; give it a schema.");
        }

        json.WriteStartArray("tools");
        json.WriteStartObject();
        json.WriteString("name", JsonTool);
        json.WriteString("description", "Answer with this: its input is the JSON object that is the answer.");
        JsonText.WriteRaw(json, "input_schema", """{"type":"object"}""");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("tool_choice");
        json.WriteString("type", "tool");
        json.WriteString("name", JsonTool);
        json.WriteEndObject();
    }

    private void WriteThinking(bool byTool)
    {
        Thinking? thinking = byTool ? null : from.Thinking?.Value;
        if (thinking is { IsOff: true })
        {
            json.WriteStartObject("thinking");
            json.WriteString("type", "disabled");
            json.WriteEndObject();
        }
        else if (thinking is not null)
        {
            json.WriteStartObject("thinking");
            json.WriteString("type", thinking.Budget is null ? "adaptive" : "enabled");
            if (thinking.Budget is { } budget)
            {
                json.WriteNumber("budget_tokens", Math.Max(LeastBudget, budget));
            }

            if (thinking.Shows is { } shows)
            {
                json.WriteString("display", shows ? "summarized" : "omitted");
            }

            json.WriteEndObject();
        }

        WriteOutput(thinking?.Effort ?? "");
    }

    private void WriteOutput(string effort)
    {
        string? schema = from.Form?.Value.Schema;
        if (effort.Length == 0 && schema is null)
        {
            return;
        }

        json.WriteStartObject("output_config");
        JsonText.WriteUnlessEmpty(json, "effort", Efforts.ForAnthropic(effort));
        if (schema is not null)
        {
            json.WriteStartObject("format");
            json.WriteString("type", "json_schema");
            JsonText.WriteRaw(json, "schema", schema);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteSettings()
    {
        if (from.Answers is { Value: > 1 } answers)
        {
            throw new UncarriedException($"'{answers.Path}' {Node.NoPlaceText}.");
        }

        if (from.Temperature is { Value: > 1 } hot)
        {
            throw new UncarriedException($"'{hot.Path}' may be at most 1 with the model's upstream.");
        }

        from.Drop(from.PresencePenalty);
        from.Drop(from.FrequencyPenalty);
        from.Drop(from.Seed);
        JsonText.Write(json, "max_tokens", from.MostOutput);
        JsonText.Write(json, "temperature", from.Temperature);
        JsonText.Write(json, "top_p", from.TopP);
        JsonText.Write(json, "top_k", from.TopK);
        if (from.Stops is { Value.Length: > 0 } stops)
        {
            JsonText.Write(json, "stop_sequences", stops.Value);
        }

        if (from.User is { } user)
        {
            json.WriteStartObject("metadata");
            json.WriteString("user_id", user.Value);
            json.WriteEndObject();
        }

        if (from.Streams)
        {
            json.WriteBoolean("stream", true);
        }
    }

}
