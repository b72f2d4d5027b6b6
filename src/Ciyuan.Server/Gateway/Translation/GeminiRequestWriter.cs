using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Writes a call as Gemini's generateContent has it.</summary>
internal sealed class GeminiRequestWriter(Exchange from, Utf8JsonWriter json)
{
    /// <summary>What Google documents for calls of tools that none of its models made: without any proof, its newer
    /// models refuse them.</summary>
    internal const string NoProof = "skip_thought_signature_validator";

    /// <summary>Writes the body.</summary>
    /// <param name="from">The call.</param>
    /// <param name="json">Where to.</param>
    /// <param name="model">The model's name there.</param>
    /// <param name="counts">Whether tokens are to be counted, and nothing to be answered.</param>
    /// <exception cref="UncarriedException">The protocol has no place for a part of it.</exception>
    internal static void Write(Exchange from, Utf8JsonWriter json, string model, bool counts)
    {
        var writer = new GeminiRequestWriter(from, json);
        json.WriteStartObject();
        if (counts)
        {
            json.WriteStartObject("generateContentRequest"); // else only contents would be counted
            json.WriteString("model", "models/" + model);
        }

        writer.WriteSystem();
        json.WriteStartArray("contents");
        for (int i = 0; i < from.Turns.Count; i++)
        {
            writer.WriteTurn(from.Turns[i], i > 0 ? from.Turns[i - 1] : null);
        }

        json.WriteEndArray();
        writer.WriteTools();
        writer.WriteConfig();
        json.WriteEndObject();
        if (counts)
        {
            json.WriteEndObject();
        }
    }

    private void WriteSystem()
    {
        if (from.System.Count == 0)
        {
            return;
        }

        json.WriteStartObject("systemInstruction");
        json.WriteStartArray("parts");
        foreach (TextPart text in from.System)
        {
            WriteText(text.Text);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteText(string text)
    {
        json.WriteStartObject();
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    private void WriteTurn(Turn turn, Turn? before)
    {
        // Without ids results go by their order, which is that of the calls.
        List<string> order = Exchange.IdsOf(before);
        Part[] parts =
        [
            .. turn.Parts.OfType<ResultPart>().OrderBy(r => order.IndexOf(r.Id)),
            .. turn.Parts.Where(p => p is not (ResultPart or ThoughtPart or TextPart { Text: "" })),
        ];
        foreach (ThoughtPart thought in turn.Parts.OfType<ThoughtPart>())
        {
            from.Dropped.Add(thought.Path);
        }

        if (parts.Length == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", turn.Speaker == Speaker.User ? "user" : "model");
        json.WriteStartArray("parts");
        bool isFirst = true;
        foreach (Part part in parts)
        {
            WritePart(part, isFirst);
            isFirst &= part is not CallPart;
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WritePart(Part part, bool isFirstCall)
    {
        switch (part)
        {
            case TextPart text:
                WriteText(text.Text);
                break;
            case MediaPart medium:
                WriteMedium(medium);
                break;
            case CallPart call:
                WriteCall(call, isFirstCall);
                break;
            case ResultPart result:
                WriteResult(result);
                break;
        }
    }

    private void WriteMedium(MediaPart medium)
    {
        string type = medium.Type is "audio/mpeg" ? "audio/mp3" : medium.Type;
        type = type.Length == 0 && medium.IsAddress ? TypeOf(medium) : type;
        json.WriteStartObject();
        json.WriteStartObject(medium.IsAddress ? "fileData" : "inlineData");
        json.WriteString("mimeType", type);
        json.WriteString(medium.IsAddress ? "fileUri" : "data", medium.Data.Span);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Gemini wants the type beside the address.
    private static string TypeOf(MediaPart medium)
    {
        string address = System.Text.Encoding.UTF8.GetString(medium.Data.Span);
        string path = Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) ? uri.AbsolutePath : "";
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => "image/png",
            ".jpg" or ".jpeg" => "image/jpeg",
            ".webp" => "image/webp",
            ".gif" => "image/gif",
            ".heic" => "image/heic",
            ".bmp" => "image/bmp",
            ".pdf" => "application/pdf",
            _ => throw new UncarriedException($"'{medium.Path}' doesn't end in a known type such as .png, which the "
                + "model's upstream must be told; send the picture itself."),
        };
    }

    private void WriteCall(CallPart call, bool isFirst)
    {
        string proof = call.Signatures.FirstOrDefault(s => s.Maker == Signature.Gemini).Data ?? "";
        if (proof.Length == 0 && call.Signatures.Length > 0)
        {
            from.Dropped.Add(call.Path + ".signature");
        }

        json.WriteStartObject();
        json.WriteStartObject("functionCall");
        WriteId(call.Id);
        json.WriteString("name", call.Name);
        JsonText.WriteRaw(json, "args", call.Arguments);
        json.WriteEndObject();
        JsonText.WriteUnlessEmpty(json, "thoughtSignature", proof.Length > 0 ? proof : isFirst ? NoProof : "");
        json.WriteEndObject();
    }

    private void WriteId(string id) => JsonText.WriteUnlessEmpty(json, "id", CallIds.IsMade(id) ? "" : id);

    private void WriteResult(ResultPart result)
    {
        if (result.Content.FirstOrDefault(p => p is not TextPart) is { } medium)
        {
            throw new UncarriedException($"'{medium.Path}' {Node.NoPlaceText}.");
        }

        string text = string.Concat(result.Content.OfType<TextPart>().Select(t => t.Text));
        json.WriteStartObject();
        json.WriteStartObject("functionResponse");
        WriteId(result.Id);
        json.WriteString("name", result.Name);
        if (!result.IsError && JsonText.IsObject(text))
        {
            JsonText.WriteRaw(json, "response", text);
        }
        else
        {
            json.WriteStartObject("response");
            json.WriteString(result.IsError ? "error" : "output", text);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteTools()
    {
        if (from.Tools.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tools");
        json.WriteStartObject();
        json.WriteStartArray("functionDeclarations");
        foreach (ToolSpec tool in from.Tools)
        {
            json.WriteStartObject();
            json.WriteString("name", tool.Name);
            JsonText.WriteUnlessEmpty(json, "description", tool.Description);
            if (tool.Schema is not null)
            {
                JsonText.WriteRaw(json, "parametersJsonSchema", tool.Schema);
            }

            if (tool.Strict is true)
            {
                from.Dropped.Add(tool.Path + ".strict");
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        WriteChoice();
    }

    private void WriteChoice()
    {
        if (from.Parallel is { Value: false } one)
        {
            throw new UncarriedException($"'{one.Path}' {Node.NoPlaceText}.");
        }

        if (from.Choice is not { Value: var choice } said)
        {
            return;
        }

        bool all = choice.Kind == ToolChoiceKind.Auto && from.Tools.TrueForAll(t => choice.Names.Contains(t.Name));
        if (choice.Kind == ToolChoiceKind.Auto && choice.Names.Length > 0 && !all)
        {
            throw new UncarriedException($"'{said.Path}' {Node.NoPlaceText}.");
        }

        json.WriteStartObject("toolConfig");
        json.WriteStartObject("functionCallingConfig");
        json.WriteString("mode", choice.Kind switch
        {
            ToolChoiceKind.None => "NONE",
            ToolChoiceKind.Any or ToolChoiceKind.Named => "ANY",
            _ => "AUTO",
        });
        if (choice.Names.Length > 0 && choice.Kind is ToolChoiceKind.Any or ToolChoiceKind.Named)
        {
            JsonText.Write(json, "allowedFunctionNames", choice.Names);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteConfig()
    {
        from.Drop(from.User);
        json.WriteStartObject("generationConfig");
        JsonText.Write(json, "maxOutputTokens", from.MostOutput);
        JsonText.Write(json, "candidateCount", from.Answers is { Value: > 1 } ? from.Answers : null);
        JsonText.Write(json, "temperature", from.Temperature);
        JsonText.Write(json, "topP", from.TopP);
        JsonText.Write(json, "topK", from.TopK);
        JsonText.Write(json, "presencePenalty", from.PresencePenalty);
        JsonText.Write(json, "frequencyPenalty", from.FrequencyPenalty);
        JsonText.Write(json, "seed", from.Seed);
        if (from.Stops is { Value.Length: > 0 } stops)
        {
            JsonText.Write(json, "stopSequences", stops.Value);
        }

        if (from.Form is { } form)
        {
            json.WriteString("responseMimeType", "application/json");
            if (form.Value.Schema is { } schema)
            {
                JsonText.WriteRaw(json, "responseJsonSchema", schema);
            }
        }

        if (from.Thinking is { } thinking)
        {
            WriteThinking(thinking.Value);
        }

        json.WriteEndObject();
    }

    private void WriteThinking(Thinking thinking)
    {
        json.WriteStartObject("thinkingConfig");
        if (thinking.IsOff)
        {
            json.WriteNumber("thinkingBudget", 0);
        }
        else if (thinking.Budget is { } budget)
        {
            json.WriteNumber("thinkingBudget", budget);
        }
        else if (thinking.Effort.Length > 0)
        {
            json.WriteString("thinkingLevel", Efforts.ForGemini(thinking.Effort));
        }

        if (thinking.Shows is { } shows)
        {
            json.WriteBoolean("includeThoughts", shows);
        }

        json.WriteEndObject();
    }
}
