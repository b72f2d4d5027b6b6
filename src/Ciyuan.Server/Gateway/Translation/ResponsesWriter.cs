using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// Writes an answer as OpenAI's responses have it: items one after the other (thoughts, a message, calls of tools),
/// each with its events; the last event says all of it again, so all of it is kept.
/// </summary>
internal sealed class ResponsesWriter(AnswerFrame frame, bool streams) : AnswerWriter(frame)
{
    private readonly List<DraftPart> _items = [];
    private StopReason _stop;
    private long _length;
    private int _sequence;
    private bool _hasBegun;
    private bool _isOpen;

    /// <inheritdoc/>
    protected override void Take(in AnswerEvent found)
    {
        _length += found.Text.Length;
        if (_length > GatewayLimits.CountedAnswerBytes)
        {
            Write(AnswerEvent.Failed(RefusalKind.Upstream, "The upstream's answer is too long to be carried over."));
            return;
        }

        Begin();
        switch (found.Kind)
        {
            case AnswerEventKind.Text:
                Open(found.Kind);
                AddText(found.Text, "response.output_text.delta");
                break;
            case AnswerEventKind.Thought:
                Open(found.Kind);
                AddText(found.Text, "response.reasoning_summary_text.delta");
                break;
            case AnswerEventKind.Call:
                Close();
                Open(found.Kind, CallIds.Pack(found.Text, Proofs(0)), found.Name);
                break;
            case AnswerEventKind.Arguments when _isOpen:
                AddText(found.Text, "response.function_call_arguments.delta");
                break;
            case AnswerEventKind.Stop:
                _stop = found.Stop;
                break;
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        Begin();
        Close();
        if (!streams)
        {
            WriteResponse(isOver: true);
            EndJson();
            return;
        }

        BeginTyped(IsCut ? "response.incomplete" : "response.completed");
        Json.WritePropertyName("response");
        WriteResponse(isOver: true);
        EndTyped();
    }

    /// <inheritdoc/>
    protected override void Fail(in AnswerEvent error)
    {
        if (!streams)
        {
            Error = error;
            Output.Write(AnswerErrors.Write(error, UpstreamProtocol.OpenAI).Span);
            return;
        }

        BeginTyped("error");
        Json.WriteString("code", "server_error");
        Json.WriteString("message", error.Text);
        Json.WriteNull("param");
        EndTyped();
    }

    private bool IsCut => _stop is StopReason.Length or StopReason.Filter;

    private int Last => _items.Count - 1;

    private void Begin()
    {
        if (_hasBegun || !streams)
        {
            return;
        }

        _hasBegun = true;
        foreach (string type in (string[])["response.created", "response.in_progress"])
        {
            BeginTyped(type);
            Json.WritePropertyName("response");
            WriteResponse(isOver: false);
            EndTyped();
        }
    }

    private void Open(AnswerEventKind kind, string id = "", string name = "")
    {
        if (_isOpen && _items[Last].Kind == kind)
        {
            return;
        }

        Close();
        _items.Add(new DraftPart(kind, id, name, []));
        _isOpen = true;
        if (!streams)
        {
            return;
        }

        BeginTyped("response.output_item.added");
        Json.WriteNumber("output_index", Last);
        Json.WritePropertyName("item");
        WriteItem(Last, isOver: false);
        EndTyped();
        if (kind != AnswerEventKind.Call)
        {
            WritePart("added", kind, "");
        }
    }

    private void AddText(string text, string type)
    {
        _items[Last].Text.Append(text);
        if (!streams)
        {
            return;
        }

        BeginTyped(type);
        WritePlace(_items[Last].Kind);
        Json.WriteString("delta", text);
        WriteProbabilities(_items[Last].Kind);
        EndTyped();
    }

    private void Close()
    {
        if (!_isOpen)
        {
            return;
        }

        _isOpen = false;
        if (!streams)
        {
            return;
        }

        DraftPart item = _items[Last];
        string text = item.Text.ToString();
        (string type, string field) = item.Kind switch
        {
            AnswerEventKind.Thought => ("response.reasoning_summary_text.done", "text"),
            AnswerEventKind.Call => ("response.function_call_arguments.done", "arguments"),
            _ => ("response.output_text.done", "text"),
        };
        BeginTyped(type);
        WritePlace(item.Kind);
        JsonText.WriteUnlessEmpty(Json, "name", item.Name);
        Json.WriteString(field, text);
        WriteProbabilities(item.Kind);
        EndTyped();
        if (item.Kind != AnswerEventKind.Call)
        {
            WritePart("done", item.Kind, text);
        }

        BeginTyped("response.output_item.done");
        Json.WriteNumber("output_index", Last);
        Json.WritePropertyName("item");
        WriteItem(Last, isOver: true);
        EndTyped();
    }

    private void WritePart(string what, AnswerEventKind kind, string text)
    {
        bool thought = kind == AnswerEventKind.Thought;
        BeginTyped(thought ? $"response.reasoning_summary_part.{what}" : $"response.content_part.{what}");
        WritePlace(kind);
        Json.WriteStartObject("part");
        WriteText(thought, text);
        Json.WriteEndObject();
        EndTyped();
    }

    private void WriteText(bool thought, string text)
    {
        Json.WriteString("type", thought ? "summary_text" : "output_text");
        Json.WriteString("text", text);
        if (!thought)
        {
            Json.WriteStartArray("annotations");
            Json.WriteEndArray();
        }
    }

    private void WritePlace(AnswerEventKind kind)
    {
        Json.WriteString("item_id", IdOf(Last));
        Json.WriteNumber("output_index", Last);
        if (kind != AnswerEventKind.Call)
        {
            Json.WriteNumber(kind == AnswerEventKind.Thought ? "summary_index" : "content_index", 0);
        }
    }

    private void WriteProbabilities(AnswerEventKind kind)
    {
        if (kind == AnswerEventKind.Text)
        {
            Json.WriteStartArray("logprobs");
            Json.WriteEndArray();
        }
    }

    private string IdOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{_items[index].Kind switch
    {
        AnswerEventKind.Thought => "rs",
        AnswerEventKind.Call => "fc",
        _ => "msg",
    }}_{Frame.Id}_{index}");

    private void WriteItem(int index, bool isOver)
    {
        DraftPart item = _items[index];
        string text = isOver ? item.Text.ToString() : "";
        Json.WriteStartObject();
        Json.WriteString("id", IdOf(index));
        switch (item.Kind)
        {
            case AnswerEventKind.Call:
                Json.WriteString("type", "function_call");
                Json.WriteString("call_id", item.Id);
                Json.WriteString("name", item.Name);
                Json.WriteString("arguments", isOver && text.Length == 0 ? "{}" : text);
                break;
            case AnswerEventKind.Thought:
                Json.WriteString("type", "reasoning");
                WriteTexts("summary", thought: true, isOver, text);
                break;
            default:
                Json.WriteString("type", "message");
                Json.WriteString("role", "assistant");
                WriteTexts("content", thought: false, isOver, text);
                break;
        }

        Json.WriteString("status", isOver ? "completed" : "in_progress");
        Json.WriteEndObject();
    }

    private void WriteTexts(string name, bool thought, bool isOver, string text)
    {
        Json.WriteStartArray(name);
        if (isOver)
        {
            Json.WriteStartObject();
            WriteText(thought, text);
            Json.WriteEndObject();
        }

        Json.WriteEndArray();
    }

    private void WriteResponse(bool isOver)
    {
        Json.WriteStartObject();
        Json.WriteString("id", "resp_" + Frame.Id);
        Json.WriteString("object", "response");
        Json.WriteNumber("created_at", Frame.Created);
        Json.WriteString("status", !isOver ? "in_progress" : IsCut ? "incomplete" : "completed");
        Json.WriteString("model", Model);
        Json.WriteNull("error");
        if (isOver && IsCut)
        {
            Json.WriteStartObject("incomplete_details");
            Json.WriteString("reason", _stop == StopReason.Length ? "max_output_tokens" : "content_filter");
            Json.WriteEndObject();
        }

        Json.WriteStartArray("output");
        for (int i = 0; isOver && i < _items.Count; i++)
        {
            WriteItem(i, isOver: true);
        }

        Json.WriteEndArray();
        Json.WriteStartArray("tools");
        Json.WriteEndArray();
        if (isOver)
        {
            Frame.Usage()?.WriteResponses(Json);
        }

        Json.WriteEndObject();
    }

    private void BeginTyped(string type)
    {
        BeginEvent(type);
        Json.WriteStartObject();
        Json.WriteString("type", type);
        Json.WriteNumber("sequence_number", _sequence++);
    }

    private void EndTyped()
    {
        Json.WriteEndObject();
        EndEvent();
    }
}
