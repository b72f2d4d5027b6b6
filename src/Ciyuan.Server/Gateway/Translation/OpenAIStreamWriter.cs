using System.Buffers;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Writes a stream of chat completions: chunks, the reason of the end in the last one of a choice, then usage
/// where it was asked for, then <c>[DONE]</c>.</summary>
internal sealed class OpenAIStreamWriter(AnswerFrame frame) : AnswerWriter(frame)
{
    private readonly HashSet<int> _begun = [];
    private readonly Dictionary<int, int> _calls = [];

    /// <inheritdoc/>
    protected override void Take(in AnswerEvent found)
    {
        int choice = found.Choice;
        if (found.Kind == AnswerEventKind.Begin)
        {
            Begin(0);
            return;
        }

        Begin(choice);
        switch (found.Kind)
        {
            case AnswerEventKind.Text:
                WriteDelta(choice, "content", found.Text);
                break;
            case AnswerEventKind.Thought:
                WriteDelta(choice, "reasoning_content", found.Text);
                break;
            case AnswerEventKind.Call:
                _calls[choice] = _calls.GetValueOrDefault(choice, -1) + 1;
                WriteCall(choice, found.Name, CallIds.Pack(found.Text, Proofs(choice)), "");
                break;
            case AnswerEventKind.Arguments:
                WriteCall(choice, "", "", found.Text);
                break;
            case AnswerEventKind.Stop:
                BeginChunk(choice);
                EndChunk(FinishOf(found.Stop));
                break;
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (Frame.AsksForUsage && Frame.Usage() is { } usage)
        {
            BeginEvent();
            WriteHead(Json, Frame, Model, "chat.completion.chunk");
            Json.WriteStartArray("choices");
            Json.WriteEndArray();
            usage.WriteOpenAI(Json);
            Json.WriteEndObject();
            EndEvent();
        }

        WritePlain("data: [DONE]\n\n");
    }

    /// <inheritdoc/>
    protected override void Fail(in AnswerEvent error)
    {
        WritePlain("data: ");
        Output.Write(AnswerErrors.Write(error, UpstreamProtocol.OpenAI).Span);
        WritePlain("\n\n");
    }

    /// <summary>Writes a whole answer.</summary>
    internal static void WriteWhole(Utf8JsonWriter json, AnswerFrame frame, string model, DraftAnswer draft)
    {
        WriteHead(json, frame, model, "chat.completion");
        json.WriteStartArray("choices");
        foreach ((int index, DraftChoice choice) in draft.Choices)
        {
            json.WriteStartObject();
            json.WriteNumber("index", index);
            json.WriteStartObject("message");
            WriteMessage(json, choice);
            json.WriteEndObject();
            json.WriteNull("logprobs");
            json.WriteString("finish_reason", FinishOf(choice.Stop));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        frame.Usage()?.WriteOpenAI(json);
        json.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter json, DraftChoice choice)
    {
        string text = choice.TextOf(AnswerEventKind.Text);
        DraftPart[] calls = [.. choice.Parts.Where(p => p.Kind == AnswerEventKind.Call)];
        json.WriteString("role", "assistant");
        json.WriteString("content", text.Length == 0 && calls.Length > 0 ? null : text);
        json.WriteNull("refusal");
        JsonText.WriteUnlessEmpty(json, "reasoning_content", choice.TextOf(AnswerEventKind.Thought));
        if (calls.Length == 0)
        {
            return;
        }

        json.WriteStartArray("tool_calls");
        foreach (DraftPart call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id", CallIds.Pack(call.Id, call.Proofs));
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", call.Name);
            json.WriteString("arguments", call.Text.Length > 0 ? call.Text.ToString() : "{}");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string FinishOf(StopReason stop) => stop switch
    {
        StopReason.Length => "length",
        StopReason.Tools => "tool_calls",
        StopReason.Filter => "content_filter",
        _ => "stop",
    };

    private static void WriteHead(Utf8JsonWriter json, AnswerFrame frame, string model, string kind)
    {
        json.WriteStartObject();
        json.WriteString("id", "chatcmpl-" + frame.Id);
        json.WriteString("object", kind);
        json.WriteNumber("created", frame.Created);
        json.WriteString("model", model);
    }

    private void Begin(int choice)
    {
        if (_begun.Add(choice))
        {
            BeginChunk(choice);
            Json.WriteString("role", "assistant");
            Json.WriteString("content", "");
            EndChunk(null);
        }
    }

    private void BeginChunk(int choice)
    {
        BeginEvent();
        WriteHead(Json, Frame, Model, "chat.completion.chunk");
        Json.WriteStartArray("choices");
        Json.WriteStartObject();
        Json.WriteNumber("index", choice);
        Json.WriteStartObject("delta");
    }

    private void EndChunk(string? finish)
    {
        Json.WriteEndObject();
        Json.WriteNull("logprobs");
        Json.WriteString("finish_reason", finish);
        Json.WriteEndObject();
        Json.WriteEndArray();
        Json.WriteEndObject();
        EndEvent();
    }

    private void WriteDelta(int choice, string name, string text)
    {
        BeginChunk(choice);
        Json.WriteString(name, text);
        EndChunk(null);
    }

    private void WriteCall(int choice, string name, string id, string arguments)
    {
        BeginChunk(choice);
        Json.WriteStartArray("tool_calls");
        Json.WriteStartObject();
        Json.WriteNumber("index", Math.Max(0, _calls.GetValueOrDefault(choice)));
        JsonText.WriteUnlessEmpty(Json, "id", id);
        JsonText.WriteUnlessEmpty(Json, "type", id.Length > 0 ? "function" : "");
        Json.WriteStartObject("function");
        JsonText.WriteUnlessEmpty(Json, "name", name);
        Json.WriteString("arguments", arguments);
        Json.WriteEndObject();
        Json.WriteEndObject();
        Json.WriteEndArray();
        EndChunk(null);
    }
}
