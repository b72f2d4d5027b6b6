using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Reads a call of Gemini's generateContent. Names may be written in either of the two ways that Gemini takes:
/// <c>maxOutputTokens</c> and <c>max_output_tokens</c>.</summary>
internal sealed class GeminiRequestReader
{
    private readonly Exchange _to = new();

    /// <summary>Calls of the model's last turn that no result answers yet.</summary>
    private readonly List<CallPart> _open = [];
    private int _calls;
    private string _formPath = "";
    private string? _schema;
    private string _mimeType = "";

    /// <summary>Reads a body.</summary>
    /// <exception cref="UncarriedException">It holds what can't be carried, or what the protocol does not
    /// allow.</exception>
    internal static Exchange Read(Node body)
    {
        var reader = new GeminiRequestReader();
        foreach (Node field in body.Fields)
        {
            if (!reader.TakeTop(field))
            {
                throw field.NoPlace();
            }
        }

        foreach (Node content in NeedEither(body, "contents").Items)
        {
            reader.TakeContent(content);
        }

        reader.EndForm();
        return reader._to;
    }

    /// <summary>A name as it is written in most clients: each word but the first with a capital.</summary>
    internal static string Camel(string name)
    {
        if (!name.Contains('_'))
        {
            return name;
        }

        string[] words = name.Split('_', StringSplitOptions.RemoveEmptyEntries);
        return string.Concat(words.Select((word, i) =>
            i == 0 ? word : char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..]));
    }

    private static Node? Find(Node from, string name)
    {
        foreach (Node field in from.IsObject ? from.Fields : [])
        {
            if (Camel(field.Name) == name)
            {
                return field;
            }
        }

        return null;
    }

    private static Node NeedEither(Node from, string name) => Find(from, name) ?? from.Need(name);

    private static string TextOf(Node from, string name) => Find(from, name)?.Text ?? "";

    private bool TakeTop(Node field)
    {
        switch (Camel(field.Name))
        {
            case "contents" or "model":
                return true;
            case "systemInstruction":
                TakeSystem(field);
                return true;
            case "generationConfig":
                foreach (Node setting in field.Fields)
                {
                    if (!TakeSampling(setting) && !TakeForm(setting) && !IsHarmless(setting))
                    {
                        throw setting.NoPlace();
                    }
                }

                return true;
            case "tools":
                TakeTools(field);
                return true;
            case "toolConfig":
                TakeToolConfig(field);
                return true;
            case "safetySettings" or "labels" or "serviceTier" or "store":
                _to.Dropped.Add(field.Path);
                return true;
            default:
                return false;
        }
    }

    private void TakeSystem(Node system)
    {
        foreach (Node part in system.IsText ? [] : NeedEither(system, "parts").Items)
        {
            part.Only("text");
            _to.System.Add(new TextPart(part.Path, part.Need("text").Text));
        }

        if (system.IsText)
        {
            _to.System.Add(new TextPart(system.Path, system.Text));
        }
    }

    private bool TakeSampling(Node setting)
    {
        switch (Camel(setting.Name))
        {
            case "maxOutputTokens":
                _to.MostOutput = setting.SaidWhole;
                return true;
            case "candidateCount":
                _to.Answers = setting.SaidWhole;
                return true;
            case "temperature":
                _to.Temperature = setting.SaidNumber;
                return true;
            case "topP":
                _to.TopP = setting.SaidNumber;
                return true;
            case "topK":
                _to.TopK = setting.SaidNumber;
                return true;
            case "presencePenalty":
                _to.PresencePenalty = setting.SaidNumber;
                return true;
            case "frequencyPenalty":
                _to.FrequencyPenalty = setting.SaidNumber;
                return true;
            case "seed":
                _to.Seed = setting.SaidWhole;
                return true;
            case "stopSequences":
                _to.Stops = new(setting.Texts, setting.Path);
                return true;
            default:
                return false;
        }
    }

    private bool TakeForm(Node setting)
    {
        switch (Camel(setting.Name))
        {
            case "responseMimeType":
                _mimeType = setting.Text;
                _formPath = setting.Path;
                return _mimeType is "text/plain" or "application/json";
            case "responseSchema":
                _schema = GeminiSchema.ToJsonSchema(setting);
                return true;
            case "responseJsonSchema":
                _schema = setting.Json;
                return true;
            case "thinkingConfig":
                _to.Thinking = new(ReadThinking(setting), setting.Path);
                return true;
            default:
                return false;
        }
    }

    private bool IsHarmless(Node setting)
    {
        switch (Camel(setting.Name))
        {
            case "responseModalities":
                return setting.Texts is [var only] && only.Equals("TEXT", StringComparison.OrdinalIgnoreCase);
            case "responseLogprobs":
                return !setting.Truth;
            case "mediaResolution" or "enableEnhancedCivicAnswers":
                _to.Dropped.Add(setting.Path);
                return true;
            default:
                return false;
        }
    }

    private void EndForm()
    {
        if (_mimeType == "application/json")
        {
            _to.Form = new(new AnswerForm("", _schema, null), _formPath);
        }
    }

    private static Thinking ReadThinking(Node config)
    {
        long? budget = Find(config, "thinkingBudget")?.Whole;
        return new Thinking
        {
            IsOff = budget == 0,
            Budget = budget > 0 ? budget : null,
            Effort = Find(config, "thinkingLevel") is { } level ? Efforts.Read(level).Effort : "",
            Shows = Find(config, "includeThoughts")?.Truth,
        };
    }

    private void TakeTools(Node tools)
    {
        foreach (Node tool in tools.Items)
        {
            foreach (Node field in tool.Fields)
            {
                if (Camel(field.Name) != "functionDeclarations")
                {
                    throw field.NoPlace(); // one that Google itself runs
                }

                _to.Tools.AddRange(field.Items.Select(ReadTool));
            }
        }
    }

    private ToolSpec ReadTool(Node declared)
    {
        string? schema = null;
        foreach (Node field in declared.Fields)
        {
            switch (Camel(field.Name))
            {
                case "name" or "description":
                    break;
                case "parameters":
                    schema = GeminiSchema.ToJsonSchema(field);
                    break;
                case "parametersJsonSchema":
                    schema = field.Json;
                    break;
                case "response" or "responseJsonSchema":
                    _to.Dropped.Add(field.Path);
                    break;
                default:
                    throw field.NoPlace();
            }
        }

        return new ToolSpec(declared.Path, declared.Need("name").Text, declared.TextOf("description"), schema, null);
    }

    private void TakeToolConfig(Node config)
    {
        foreach (Node field in config.Fields)
        {
            if (Camel(field.Name) != "functionCallingConfig")
            {
                throw field.NoPlace();
            }

            string[] names = Find(field, "allowedFunctionNames")?.Texts ?? [];
            ToolChoiceKind kind = TextOf(field, "mode").ToUpperInvariant() switch
            {
                "" or "AUTO" or "MODE_UNSPECIFIED" => ToolChoiceKind.Auto,
                "ANY" when names.Length == 1 => ToolChoiceKind.Named,
                "ANY" => ToolChoiceKind.Any,
                "NONE" => ToolChoiceKind.None,
                _ => throw field.NoPlace(),
            };
            _to.Choice = new(new ToolChoice(kind, names), field.Path);
        }
    }

    private void TakeContent(Node content)
    {
        Speaker speaker = TextOf(content, "role") switch
        {
            "model" => Speaker.Model,
            "user" or "" or "function" => Speaker.User,
            _ => throw content.Need("role").NoPlace(),
        };
        foreach (Node part in Find(content, "parts")?.Items ?? [])
        {
            _to.Add(speaker, ReadPart(part, speaker));
        }
    }

    private Part ReadPart(Node part, Speaker speaker)
    {
        Part? found = null;
        Signature[] signatures = Find(part, "thoughtSignature") is { } proof ? CallIds.Unwrap(proof.Text) : [];
        bool isThought = Find(part, "thought") is { Truth: true };
        foreach (Node field in part.Fields)
        {
            switch (Camel(field.Name))
            {
                case "thought" or "thoughtSignature":
                    break;
                case "text":
                    found = isThought
                        ? new ThoughtPart(part.Path, field.Text, signatures.Length > 0 ? signatures[0] : null)
                        : new TextPart(field.Path, field.Text);
                    break;
                case "inlineData" when speaker == Speaker.User:
                    found = ReadMedium(field, isAddress: false);
                    break;
                case "fileData" when speaker == Speaker.User:
                    found = ReadMedium(field, isAddress: true);
                    break;
                case "functionCall" when speaker == Speaker.Model:
                    found = ReadCall(field, signatures);
                    break;
                case "functionResponse" when speaker == Speaker.User:
                    found = ReadResult(field);
                    break;
                case "mediaResolution" or "partMetadata":
                    _to.Dropped.Add(field.Path);
                    break;
                default:
                    throw field.NoPlace();
            }
        }

        return found ?? throw part.Fault("holds nothing");
    }

    private static MediaPart ReadMedium(Node medium, bool isAddress)
    {
        string type = isAddress ? TextOf(medium, "mimeType") : NeedEither(medium, "mimeType").Text;
        Node data = NeedEither(medium, isAddress ? "fileUri" : "data");
        MediaKind kind = type.StartsWith("image/", StringComparison.Ordinal) ? MediaKind.Image
            : type.StartsWith("audio/", StringComparison.Ordinal) ? MediaKind.Audio
            : type is "application/pdf" or "text/plain" ? MediaKind.Document
            : throw medium.NoPlace();
        if (isAddress && !IsPublic(data.Text))
        {
            throw data.NoPlace(); // a file that only Google knows
        }

        return new MediaPart(data.Path, kind, type, data.Bytes, isAddress, TextOf(medium, "displayName"));
    }

    private static bool IsPublic(string address) => Uri.TryCreate(address, UriKind.Absolute, out Uri? uri)
        && uri.Scheme is "http" or "https" && uri.Host != "generativelanguage.googleapis.com";

    private CallPart ReadCall(Node call, Signature[] signatures)
    {
        string said = TextOf(call, "id");
        (string id, Signature[] packed) = CallIds.Unpack(said);
        var part = new CallPart(
            call.Path,
            id.Length > 0 ? id : string.Create(CultureInfo.InvariantCulture, $"call_{++_calls}"),
            NeedEither(call, "name").Text,
            Find(call, "args") is { } args ? args.IsObject ? args.Json : throw args.Fault("must be an object") : "{}",
            signatures.Length > 0 ? signatures : packed);
        _open.Add(part);
        return part;
    }

    // Gemini's own rule: by id where there is one, else by name and order.
    private ResultPart ReadResult(Node result)
    {
        string id = CallIds.Unpack(TextOf(result, "id")).Id;
        string name = NeedEither(result, "name").Text;
        CallPart call = _open.Find(c => id.Length > 0 ? c.Id == id : c.Name == name)
            ?? throw result.Fault("answers no call before it");
        _open.Remove(call);
        if (Find(result, "parts") is { } parts && parts.Items.Any())
        {
            throw parts.NoPlace();
        }

        (string text, bool isError) = ReadResponse(Find(result, "response"));
        return new ResultPart(result.Path, call.Id, call.Name, [new TextPart(result.Path, text)], isError);
    }

    // What stands alone under "output" or "error" is the result itself; everything else is told as JSON.
    private static (string Text, bool IsError) ReadResponse(Node? response)
    {
        if (response is not { } said)
        {
            return ("", false);
        }

        Node[] fields = [.. said.Fields];
        return fields is [{ IsText: true, Name: "output" or "error" } only] ? (only.Text, only.Name == "error")
            : (said.At.GetRawText(), false);
    }
}
