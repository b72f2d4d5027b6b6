using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>
/// Reads the usage of a streamed response, event by event. Usage in streams is cumulative: each field holds what its
/// last event says and nothing is summed. In the end the same reader reads it as would a whole response. For one
/// thread.
/// </summary>
public sealed class StreamReading
{
    /// <summary>Objects that hold usage, by the name that they go by in a whole response.</summary>
    private static readonly string[] UsageNames =
        ["usage", "usageMetadata", "usage_metadata", "meta", "usage_info", "amazon-bedrock-invocationMetrics",
            "extra_info"];

    private static readonly HashSet<string> LastEvents =
    [
        "message_stop", "response.completed", "response.incomplete", "response.failed", "response.done", "message-end",
        "speech.audio.done", "transcript.text.done", "image_generation.completed", "image_edit.completed",
    ];

    private static readonly string[] ScalarNames =
        [.. ResponseFacts.ModelNames, .. ResponseFacts.IdNames, .. ResponseFacts.CreatedNames,
            .. ResponseFacts.TierNames, "provider", "object", "prompt_eval_count", "eval_count", "resolution",
            "generate_audio", "usage_characters"];

    private readonly UsageReader _reader;
    private readonly ReadingOptions _options;
    private readonly JsonObject _whole = [];
    private readonly List<(FindingCode Code, string Path, string Text)> _found = [];
    private string _responseId = "";
    private string _finish = "";
    private bool _ended;
    private bool _isSeveral;
    private bool _isBroken;

    internal StreamReading(UsageReader reader, ReadingOptions options) => (_reader, _options) = (reader, options);

    /// <summary>Whether an event has said that the answer is complete.</summary>
    public bool HasEnded => _ended;

    /// <summary>Takes the data of one event; <c>[DONE]</c> ends the stream.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        data = data.Trim(" \t\r\n"u8);
        if (data.IsEmpty)
        {
            return;
        }

        if (data.SequenceEqual("[DONE]"u8))
        {
            _ended = true;
            return;
        }

        try
        {
            var json = new Utf8JsonReader(data);
            using JsonDocument document = JsonDocument.ParseValue(ref json);
            Add(document.RootElement);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            _isBroken = true; // of a cut connection the last event is often half
        }
    }

    /// <summary>Takes the data of one event.</summary>
    public void Add(JsonElement data)
    {
        if (data.ValueKind == JsonValueKind.String && data.ValueEquals("[DONE]"u8))
        {
            _ended = true;
        }

        if (data.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        NoteEnd(data);
        Take(data, isWrapped: false);
        foreach (string name in ResponseFacts.Envelopes)
        {
            if (ResponseFacts.TryGet(data, name, out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
            {
                Take(inner, isWrapped: name is "response" or "message");
            }
        }

        if (ResponseFacts.TryGet(data, "x_groq", out JsonElement groq))
        {
            Take(groq, isWrapped: false);
        }
    }

    /// <summary>The reading of all events so far. A stream that was cut is graded <see cref="EvidenceGrade.Partial"/>;
    /// one that never said its usage is refused, since it is not zero.</summary>
    public UsageReading Finish()
    {
        var draft = new ReadingDraft(_options);
        if (_finish.Length > 0)
        {
            _whole["finish_reason"] = _finish;
        }

        if (_isSeveral)
        {
            draft.Refuse(FindingCode.SeveralResponses, "", "the events belong to several responses: give each its own");
        }

        foreach ((FindingCode code, string path, string text) in _found)
        {
            draft.Lower(code, path, text);
        }

        using JsonDocument document = JsonDocument.Parse(_whole.ToJsonString());
        _reader.Read(document.RootElement, draft);
        if (!_ended)
        {
            draft.Outcome = draft.Outcome == Outcome.Failed ? Outcome.Failed : Outcome.Cut;
            draft.Lower(FindingCode.StreamCut, "", _isBroken
                ? "the stream broke off within an event: counts are those of the last event that said any"
                : "the stream has no last event: counts are those of the last event that said any");
            draft.Lower(EvidenceGrade.Partial);
        }

        return draft.Finish();
    }

    private void NoteEnd(JsonElement data)
    {
        string finish = ResponseFacts.Finish(data);
        foreach (string name in ResponseFacts.Envelopes)
        {
            if (finish.Length == 0 && ResponseFacts.TryGet(data, name, out JsonElement inner))
            {
                finish = ResponseFacts.Finish(inner);
            }
        }

        bool goesOn = finish is "" or "in_progress" or "queued";
        _finish = goesOn ? _finish : finish;
        string type = ResponseFacts.FirstText(data, ["type"]);
        bool isUsageAlone = ResponseFacts.TryGet(data, "usage", out _)
            && ResponseFacts.TryGet(data, "choices", out JsonElement choices)
                && choices.ValueKind == JsonValueKind.Array
            && choices.GetArrayLength() == 0;
        bool isDone = ResponseFacts.TryGet(data, "done", out JsonElement done) && done.ValueKind == JsonValueKind.True;
        _ended |= !goesOn || LastEvents.Contains(type) || isUsageAlone || isDone || IsSynthesized(data)
            || IsBlocked(data);
    }

    // Gemini has no answer to a call that it blocks, and so no reason why one ended.
    private static bool IsBlocked(JsonElement data) =>
        ResponseFacts.TryGet(data, "promptFeedback", out JsonElement said)
        && ResponseFacts.FirstText(said, ["blockReason"]).Length > 0;

    // MiniMax's speech: status 1 goes on, status 2 is the last.
    private static bool IsSynthesized(JsonElement data) => ResponseFacts.TryGet(data, "data", out JsonElement inner)
        && ResponseFacts.TryGet(inner, "status", out JsonElement status) && status.ValueKind == JsonValueKind.Number
        && status.GetRawText() == "2";

    private void Take(JsonElement data, bool isWrapped)
    {
        string id = ResponseFacts.FirstText(data, ResponseFacts.IdNames);
        if (isWrapped && id.Length > 0)
        {
            _isSeveral |= _responseId.Length > 0 && _responseId != id;
            _responseId = id;
        }

        foreach (string name in ScalarNames)
        {
            if (ResponseFacts.TryGet(data, name, out JsonElement value) && IsScalar(value)
                && !(value.ValueKind == JsonValueKind.String && value.GetString()!.Length == 0))
            {
                _whole[name] = JsonNode.Parse(value.GetRawText());
            }
        }

        if (ResponseFacts.Tier(data) is { Length: > 0 } tier)
        {
            _whole["service_tier"] = tier;
        }

        ServerTools.Keep(data, _whole);
        TakeUsage(data);
        foreach (JsonElement choice in ServerTools.Items(data, "choices"))
        {
            TakeUsage(choice); // Moonshot's streams say it there
        }
    }

    private void TakeUsage(JsonElement data)
    {
        foreach (string name in UsageNames)
        {
            if (ResponseFacts.TryGet(data, name, out JsonElement usage) && usage.ValueKind == JsonValueKind.Object)
            {
                _whole[name] ??= new JsonObject();
                Merge((JsonObject)_whole[name]!, usage, name);
            }
        }
    }

    // The last value of each field holds; null says nothing.
    private void Merge(JsonObject known, JsonElement later, string path)
    {
        foreach (JsonProperty property in later.EnumerateObject())
        {
            string at = $"{path}.{property.Name}";
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                if (known[property.Name] is not JsonObject inner)
                {
                    known[property.Name] = inner = [];
                }

                Merge(inner, property.Value, at);
            }
            else if (property.Value.ValueKind != JsonValueKind.Null)
            {
                NoteShrinking(known[property.Name], property.Value, at);
                known[property.Name] = JsonNode.Parse(property.Value.GetRawText());
            }
        }
    }

    private void NoteShrinking(JsonNode? known, JsonElement later, string path)
    {
        if (known is JsonValue && later.ValueKind == JsonValueKind.Number && later.TryGetDecimal(out decimal now)
            && decimal.TryParse(known.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture,
                out decimal before)
            && now < before)
        {
            _found.Add((FindingCode.Shrank, path,
                $"was {before} and then {now}, though it is cumulative; taken as {now}"));
        }
    }

    private static bool IsScalar(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number;
}
