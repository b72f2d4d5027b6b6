using System.Buffers;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// Writes a stream of a message: its start, blocks one after the other, each with its start, pieces and stop, then the
/// reason of the end with the usage, then its stop.
/// </summary>
internal sealed class AnthropicStreamWriter(AnswerFrame frame) : AnswerWriter(frame)
{
    private AnswerEventKind? _open;
    private int _block = -1;
    private bool _isWantedBack;
    private bool _hasBegun;
    private AnswerEvent _stop;

    /// <inheritdoc/>
    protected override void Take(in AnswerEvent found)
    {
        Begin();
        if (found.Choice > 0)
        {
            return; // nobody asked for more than one
        }

        switch (found.Kind)
        {
            case AnswerEventKind.Text:
                OpenBlock(found.Kind);
                WriteDelta("text_delta", "text", found.Text);
                break;
            case AnswerEventKind.Thought:
                OpenBlock(found.Kind);
                _isWantedBack = found.Maker == Signature.OpenAI;
                WriteDelta("thinking_delta", "thinking", found.Text);
                break;
            case AnswerEventKind.Call:
                CloseBlock();
                OpenBlock(found.Kind, CallIds.Pack(found.Text, Proofs(0)), found.Name);
                break;
            case AnswerEventKind.Arguments:
                WriteDelta("input_json_delta", "partial_json", found.Text);
                break;
            case AnswerEventKind.Stop:
                _stop = found;
                break;
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        Begin();
        CloseBlock();
        BeginEvent("message_delta");
        Json.WriteStartObject();
        Json.WriteString("type", "message_delta");
        Json.WriteStartObject("delta");
        WriteStop(Json, _stop.Stop, _stop.Text);
        Json.WriteEndObject();
        (Frame.Usage() ?? default).WriteAnthropic(Json);
        Json.WriteEndObject();
        EndEvent();
        BeginEvent("message_stop");
        Json.WriteStartObject();
        Json.WriteString("type", "message_stop");
        Json.WriteEndObject();
        EndEvent();
    }

    /// <inheritdoc/>
    protected override void Fail(in AnswerEvent error)
    {
        WritePlain("event: error\ndata: ");
        Output.Write(AnswerErrors.Write(error, UpstreamProtocol.Anthropic).Span);
        WritePlain("\n\n");
    }

    /// <summary>Writes a whole answer.</summary>
    internal static void WriteWhole(Utf8JsonWriter json, AnswerFrame frame, string model, DraftAnswer draft)
    {
        DraftChoice choice = draft.Of(0);
        WriteHead(json, frame, model);
        foreach (DraftPart part in choice.Parts)
        {
            json.WriteStartObject();
            switch (part.Kind)
            {
                case AnswerEventKind.Thought:
                    WriteBlock(json, part.Kind, "", "", part.Text.ToString());
                    json.WriteString("signature", ProofOf(part.IsWantedBack));
                    break;
                case AnswerEventKind.Call:
                    WriteBlock(json, part.Kind, CallIds.Pack(part.Id, part.Proofs), part.Name, part.Arguments!);
                    break;
                default:
                    WriteBlock(json, part.Kind, "", "", part.Text.ToString());
                    break;
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteStop(json, choice.Stop, choice.Sequence);
        (frame.Usage() ?? default).WriteAnthropic(json);
        json.WriteEndObject();
    }

    private static void WriteHead(Utf8JsonWriter json, AnswerFrame frame, string model)
    {
        json.WriteStartObject();
        json.WriteString("id", "msg_" + frame.Id);
        json.WriteString("type", "message");
        json.WriteString("role", "assistant");
        json.WriteString("model", model);
        json.WriteStartArray("content");
    }

    private static void WriteStop(Utf8JsonWriter json, StopReason stop, string sequence)
    {
        json.WriteString("stop_reason", stop switch
        {
            StopReason.Sequence => "stop_sequence",
            StopReason.Length => "max_tokens",
            StopReason.Tools => "tool_use",
            StopReason.Filter => "refusal",
            _ => "end_turn",
        });
        json.WriteString("stop_sequence", stop == StopReason.Sequence ? sequence : null);
    }

    private static void WriteBlock(Utf8JsonWriter json, AnswerEventKind kind, string id, string name, string text)
    {
        switch (kind)
        {
            case AnswerEventKind.Call:
                json.WriteString("type", "tool_use");
                json.WriteString("id", CallIds.ForAnthropic(id));
                json.WriteString("name", name);
                WriteObject(json, "input", text.Length > 0 ? text : "{}");
                break;
            case AnswerEventKind.Thought:
                json.WriteString("type", "thinking");
                json.WriteString("thinking", text);
                break;
            default:
                json.WriteString("type", "text");
                json.WriteString("text", text);
                break;
        }
    }

    // Says to this gateway that the thought belongs to an upstream of OpenAI's protocol, which wants it back.
    private static string ProofOf(bool isWantedBack) =>
        isWantedBack ? CallIds.Pack("", [new Signature(Signature.OpenAI, "")]) : "";

    private void Begin()
    {
        if (_hasBegun)
        {
            return;
        }

        _hasBegun = true;
        BeginEvent("message_start");
        Json.WriteStartObject();
        Json.WriteString("type", "message_start");
        Json.WritePropertyName("message");
        WriteHead(Json, Frame, Model);
        Json.WriteEndArray();
        Json.WriteNull("stop_reason");
        Json.WriteNull("stop_sequence");
        (Frame.Usage() ?? default).WriteAnthropic(Json);
        Json.WriteEndObject();
        Json.WriteEndObject();
        EndEvent();
    }

    private void OpenBlock(AnswerEventKind kind, string id = "", string name = "")
    {
        if (_open == kind)
        {
            return;
        }

        CloseBlock();
        (_open, _block) = (kind, _block + 1);
        BeginEvent("content_block_start");
        Json.WriteStartObject();
        Json.WriteString("type", "content_block_start");
        Json.WriteNumber("index", _block);
        Json.WriteStartObject("content_block");
        WriteBlock(Json, kind, id, name, "");
        if (kind == AnswerEventKind.Thought)
        {
            Json.WriteString("signature", "");
        }

        Json.WriteEndObject();
        Json.WriteEndObject();
        EndEvent();
    }

    private void CloseBlock()
    {
        if (_open is null)
        {
            return;
        }

        if (_open == AnswerEventKind.Thought && _isWantedBack)
        {
            WriteDelta("signature_delta", "signature", ProofOf(true));
        }

        _open = null;
        BeginEvent("content_block_stop");
        Json.WriteStartObject();
        Json.WriteString("type", "content_block_stop");
        Json.WriteNumber("index", _block);
        Json.WriteEndObject();
        EndEvent();
    }

    private void WriteDelta(string type, string name, string text)
    {
        BeginEvent("content_block_delta");
        Json.WriteStartObject();
        Json.WriteString("type", "content_block_delta");
        Json.WriteNumber("index", _block);
        Json.WriteStartObject("delta");
        Json.WriteString("type", type);
        Json.WriteString(name, text);
        Json.WriteEndObject();
        Json.WriteEndObject();
        EndEvent();
    }
}
