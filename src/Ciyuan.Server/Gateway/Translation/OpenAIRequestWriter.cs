using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Writes a call as OpenAI's chat completions have it.</summary>
internal sealed class OpenAIRequestWriter(Exchange from, Utf8JsonWriter json)
{
    /// <summary>Writes the body.</summary>
    /// <param name="from">The call.</param>
    /// <param name="json">Where to.</param>
    /// <param name="model">The model's name there.</param>
    /// <param name="limitField">Field of the answer's limit.</param>
    /// <exception cref="UncarriedException">The protocol has no place for a part of it.</exception>
    internal static void Write(Exchange from, Utf8JsonWriter json, string model, string limitField)
    {
        var writer = new OpenAIRequestWriter(from, json);
        json.WriteStartObject();
        json.WriteString("model", model);
        json.WriteStartArray("messages");
        foreach (TextPart text in from.System)
        {
            json.WriteStartObject();
            json.WriteString("role", "system");
            json.WriteString("content", text.Text);
            json.WriteEndObject();
        }

        from.Turns.ForEach(writer.WriteTurn);
        json.WriteEndArray();
        writer.WriteTools();
        writer.WriteSettings(limitField);
        json.WriteEndObject();
    }

    private void WriteTurn(Turn turn)
    {
        if (turn.Speaker == Speaker.Model)
        {
            WriteModel(turn);
            return;
        }

        foreach (ResultPart result in turn.Parts.OfType<ResultPart>())
        {
            WriteResult(result);
        }

        Part[] rest = [.. turn.Parts.Where(p => p is not ResultPart)];
        if (rest.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("role", "user");
            WriteContent(rest);
            json.WriteEndObject();
        }
    }

    private void WriteModel(Turn turn)
    {
        Part[] texts = [.. turn.Parts.Where(p => p is TextPart)];
        CallPart[] calls = [.. turn.Parts.OfType<CallPart>()];
        string thoughts = Thoughts(turn, calls);
        if (texts.Length + calls.Length == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", "assistant");
        JsonText.WriteUnlessEmpty(json, "reasoning_content", thoughts);
        if (texts.Length > 0)
        {
            WriteContent(texts);
        }
        else
        {
            json.WriteNull("content");
        }

        if (calls.Length > 0)
        {
            json.WriteStartArray("tool_calls");
            foreach (CallPart call in calls)
            {
                WriteCall(call);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    // Only an upstream that once told its thoughts wants them back; others refuse a field that they don't know.
    private string Thoughts(Turn turn, CallPart[] calls)
    {
        string text = "";
        foreach (ThoughtPart thought in turn.Parts.OfType<ThoughtPart>())
        {
            if (thought.Proof is { Maker: Signature.OpenAI })
            {
                text += thought.Text;
            }
            else
            {
                from.Dropped.Add(thought.Path);
            }
        }

        foreach (CallPart call in calls.Where(c => c.Signatures.Length > 0))
        {
            from.Dropped.Add(call.Path + ".signature");
        }

        return text;
    }

    private void WriteCall(CallPart call)
    {
        json.WriteStartObject();
        json.WriteString("id", call.Id);
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", call.Name);
        json.WriteString("arguments", call.Arguments);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteResult(ResultPart result)
    {
        if (result.Content.FirstOrDefault(p => p is not TextPart) is { } medium)
        {
            throw new UncarriedException($"'{medium.Path}' {Node.NoPlaceText}.");
        }

        if (result.IsError)
        {
            from.Dropped.Add(result.Path + ".is_error");
        }

        json.WriteStartObject();
        json.WriteString("role", "tool");
        json.WriteString("tool_call_id", result.Id);
        WriteContent(result.Content);
        json.WriteEndObject();
    }

    private void WriteContent(IReadOnlyList<Part> parts)
    {
        if (parts is [] or [TextPart])
        {
            json.WriteString("content", parts is [TextPart text] ? text.Text : "");
            return;
        }

        json.WriteStartArray("content");
        foreach (Part part in parts)
        {
            json.WriteStartObject();
            switch (part)
            {
                case TextPart text:
                    json.WriteString("type", "text");
                    json.WriteString("text", text.Text);
                    break;
                case MediaPart medium:
                    WriteMedium(medium);
                    break;
                default:
                    throw new UncarriedException($"'{part.Path}' {Node.NoPlaceText}.");
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteMedium(MediaPart medium)
    {
        switch (medium.Kind)
        {
            case MediaKind.Image:
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                json.WritePropertyName("url");
                WriteAddress(medium);
                break;
            case MediaKind.Audio when !medium.IsAddress && SoundFormat(medium.Type) is { } format:
                json.WriteString("type", "input_audio");
                json.WriteStartObject("input_audio");
                json.WriteString("data", medium.Data.Span);
                json.WriteString("format", format);
                break;
            case MediaKind.Document when !medium.IsAddress:
                json.WriteString("type", "file");
                json.WriteStartObject("file");
                json.WriteString("filename", medium.Name.Length > 0 ? medium.Name
                    : medium.Type == "text/plain" ? "document.txt"
                    : "document.pdf");
                json.WritePropertyName("file_data");
                WriteAddress(medium);
                break;
            default:
                throw new UncarriedException($"'{medium.Path}' {Node.NoPlaceText}.");
        }

        json.WriteEndObject();
    }

    private static string? SoundFormat(string type) => type switch
    {
        "audio/wav" or "audio/x-wav" or "audio/wave" => "wav",
        "audio/mp3" or "audio/mpeg" => "mp3",
        _ => null,
    };

    private void WriteAddress(MediaPart medium)
    {
        if (medium.IsAddress)
        {
            json.WriteStringValue(medium.Data.Span);
            return;
        }

        json.WriteStringValueSegment($"data:{medium.Type};base64,", isFinalSegment: false);
        json.WriteStringValueSegment(medium.Data.Span, isFinalSegment: true);
    }

    private void WriteTools()
    {
        if (from.Tools.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (ToolSpec tool in from.Tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Name);
            JsonText.WriteUnlessEmpty(json, "description", tool.Description);
            if (tool.Schema is not null)
            {
                JsonText.WriteRaw(json, "parameters", tool.Schema);
            }

            if (tool.Strict is { } strict)
            {
                json.WriteBoolean("strict", strict);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (from.Choice is { } choice)
        {
            WriteChoice(choice.Value);
        }

        if (from.Parallel is { } parallel)
        {
            json.WriteBoolean("parallel_tool_calls", parallel.Value);
        }
    }

    private void WriteChoice(ToolChoice choice)
    {
        if (choice.Names.Length == 0)
        {
            json.WriteString("tool_choice", choice.Kind switch
            {
                ToolChoiceKind.None => "none",
                ToolChoiceKind.Any => "required",
                _ => "auto",
            });
            return;
        }

        json.WriteStartObject("tool_choice");
        if (choice.Kind == ToolChoiceKind.Named)
        {
            WriteFunction(choice.Names[0]);
        }
        else
        {
            json.WriteString("type", "allowed_tools");
            json.WriteStartObject("allowed_tools");
            json.WriteString("mode", choice.Kind == ToolChoiceKind.Any ? "required" : "auto");
            json.WriteStartArray("tools");
            foreach (string name in choice.Names)
            {
                json.WriteStartObject();
                WriteFunction(name);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteFunction(string name)
    {
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", name);
        json.WriteEndObject();
    }

    private void WriteSettings(string limitField)
    {
        from.Drop(from.TopK);
        JsonText.Write(json, limitField, from.MostOutput);
        JsonText.Write(json, "n", from.Answers);
        JsonText.Write(json, "temperature", from.Temperature);
        JsonText.Write(json, "top_p", from.TopP);
        JsonText.Write(json, "presence_penalty", from.PresencePenalty);
        JsonText.Write(json, "frequency_penalty", from.FrequencyPenalty);
        JsonText.Write(json, "seed", from.Seed);
        if (from.Stops is { Value.Length: > 0 } stops)
        {
            JsonText.Write(json, "stop", stops.Value);
        }

        if (from.User is { } user)
        {
            json.WriteString("user", user.Value);
        }

        if (from.Form is { } form)
        {
            WriteForm(form.Value);
        }

        WriteThinking();
        if (from.Streams)
        {
            json.WriteBoolean("stream", true);
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
        }
    }

    private void WriteForm(AnswerForm form)
    {
        json.WriteStartObject("response_format");
        json.WriteString("type", form.Schema is null ? "json_object" : "json_schema");
        if (form.Schema is not null)
        {
            json.WriteStartObject("json_schema");
            json.WriteString("name", form.Name.Length > 0 ? form.Name : "answer");
            JsonText.WriteRaw(json, "schema", form.Schema);
            if (form.Strict is { } strict)
            {
                json.WriteBoolean("strict", strict);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteThinking()
    {
        if (from.Thinking is not { Value: var thinking } said)
        {
            return;
        }

        string effort = thinking.IsOff ? "none"
            : thinking.Effort.Length > 0 ? thinking.Effort
            : thinking.Budget is { } budget ? Efforts.WordFor(budget)
            : "";
        JsonText.WriteUnlessEmpty(json, "reasoning_effort", effort);
        if (effort.Length == 0)
        {
            from.Dropped.Add(said.Path);
        }
    }
}
