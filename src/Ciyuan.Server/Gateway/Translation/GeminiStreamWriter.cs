using System.Buffers;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// Writes a stream of generated content, as events or as the elements of one list. Gemini has calls of functions in one
/// piece, so that one is kept until it is whole; the last part brings the reasons of the end and the usage.
/// </summary>
internal sealed class GeminiStreamWriter(AnswerFrame frame) : AnswerWriter(frame)
{
    private readonly SortedDictionary<int, StopReason> _stops = [];
    private DraftPart? _call;
    private int _callChoice;
    private bool _hasBegun;

    /// <inheritdoc/>
    protected override void Take(in AnswerEvent found)
    {
        bool goesOn = found.Kind == AnswerEventKind.Arguments;
        if (!goesOn && !EndCall(isCut: found is { Kind: AnswerEventKind.Stop, Stop: StopReason.Length }))
        {
            return;
        }

        switch (found.Kind)
        {
            case AnswerEventKind.Text:
                BeginParts(found.Choice);
                Json.WriteString("text", found.Text);
                EndParts();
                break;
            case AnswerEventKind.Thought:
                BeginParts(found.Choice);
                WriteThought(Json, found.Text, found.Maker == Signature.OpenAI);
                EndParts();
                break;
            case AnswerEventKind.Call:
                _call = new DraftPart(found.Kind, found.Text, found.Name, Proofs(found.Choice));
                _callChoice = found.Choice;
                break;
            case AnswerEventKind.Arguments:
                Keep(found);
                break;
            case AnswerEventKind.Stop:
                _stops[found.Choice] = found.Stop;
                break;
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (!EndCall(isCut: false))
        {
            return;
        }

        BeginPiece();
        Json.WriteStartObject();
        Json.WriteStartArray("candidates");
        foreach ((int choice, StopReason stop) in _stops)
        {
            Json.WriteStartObject();
            Json.WriteStartObject("content");
            Json.WriteStartArray("parts");
            Json.WriteStartObject();
            Json.WriteString("text", "");
            Json.WriteEndObject();
            Json.WriteEndArray();
            Json.WriteString("role", "model");
            Json.WriteEndObject();
            EndCandidate(Json, choice, stop);
        }

        Json.WriteEndArray();
        Frame.Usage()?.WriteGemini(Json);
        WriteTail(Json, Frame, Model);
        EndPiece();
        WritePlain(Frame.AsEvents ? "" : "]");
    }

    /// <inheritdoc/>
    protected override void Fail(in AnswerEvent error)
    {
        BeginPiece();
        Output.Write(AnswerErrors.Write(error, UpstreamProtocol.Gemini).Span);
        WritePlain(Frame.AsEvents ? "\n\n" : "]");
    }

    /// <summary>Writes a whole answer.</summary>
    internal static void WriteWhole(Utf8JsonWriter json, AnswerFrame frame, string model, DraftAnswer draft)
    {
        json.WriteStartObject();
        json.WriteStartArray("candidates");
        foreach ((int index, DraftChoice choice) in draft.Choices)
        {
            json.WriteStartObject();
            json.WriteStartObject("content");
            json.WriteStartArray("parts");
            foreach (DraftPart part in choice.Parts)
            {
                json.WriteStartObject();
                switch (part.Kind)
                {
                    case AnswerEventKind.Call:
                        WriteCall(json, part, part.Arguments!);
                        break;
                    case AnswerEventKind.Thought:
                        WriteThought(json, part.Text.ToString(), part.IsWantedBack);
                        break;
                    default:
                        json.WriteString("text", part.Text.ToString());
                        break;
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("role", "model");
            json.WriteEndObject();
            EndCandidate(json, index, choice.Stop);
        }

        json.WriteEndArray();
        frame.Usage()?.WriteGemini(json);
        WriteTail(json, frame, model);
    }

    private static void WriteThought(Utf8JsonWriter json, string text, bool isWantedBack)
    {
        json.WriteString("text", text);
        json.WriteBoolean("thought", true);
        if (isWantedBack)
        {
            json.WriteString("thoughtSignature", CallIds.Wrap([new Signature(Signature.OpenAI, "")]));
        }
    }

    private static void WriteCall(Utf8JsonWriter json, DraftPart call, string arguments)
    {
        json.WriteStartObject("functionCall");
        json.WriteString("id", call.Id);
        json.WriteString("name", call.Name);
        WriteObject(json, "args", arguments);
        json.WriteEndObject();
        if (call.Proofs.Count > 0)
        {
            json.WriteString("thoughtSignature", CallIds.Wrap(call.Proofs));
        }
    }

    private static void EndCandidate(Utf8JsonWriter json, int choice, StopReason stop)
    {
        json.WriteString("finishReason", stop switch
        {
            StopReason.Length => "MAX_TOKENS",
            StopReason.Filter => "SAFETY",
            _ => "STOP",
        });
        json.WriteNumber("index", choice);
        json.WriteEndObject();
    }

    private static void WriteTail(Utf8JsonWriter json, AnswerFrame frame, string model)
    {
        json.WriteString("modelVersion", model);
        json.WriteString("responseId", frame.Id);
        json.WriteEndObject();
    }

    private void Keep(in AnswerEvent found)
    {
        if (_call is null || _call.Text.Length + found.Text.Length > GatewayLimits.EventBytes)
        {
            Write(AnswerEvent.Failed(RefusalKind.Upstream, "The model called a function with too long arguments."));
            return;
        }

        _call.Text.Append(found.Text);
    }

    // False when the answer ended with it, in an error.
    private bool EndCall(bool isCut)
    {
        if (_call is not { } call)
        {
            return true;
        }

        _call = null;
        if (call.Arguments is { } arguments)
        {
            BeginParts(_callChoice);
            WriteCall(Json, call, arguments);
            EndParts();
            return true;
        }

        if (!isCut)
        {
            Write(AnswerEvent.Failed(RefusalKind.Upstream, $"The model called '{call.Name}' with what is no JSON."));
        }

        return isCut;
    }

    private void BeginPiece()
    {
        WritePlain(Frame.AsEvents ? "data: " : _hasBegun ? ",\r\n" : "[");
        _hasBegun = true;
    }

    private void EndPiece()
    {
        EndJson();
        WritePlain(Frame.AsEvents ? "\n\n" : "");
    }

    private void BeginParts(int choice)
    {
        BeginPiece();
        Json.WriteStartObject();
        Json.WriteStartArray("candidates");
        Json.WriteStartObject();
        Json.WriteNumber("index", choice);
        Json.WriteStartObject("content");
        Json.WriteString("role", "model");
        Json.WriteStartArray("parts");
        Json.WriteStartObject();
    }

    private void EndParts()
    {
        Json.WriteEndObject();
        Json.WriteEndArray();
        Json.WriteEndObject();
        Json.WriteEndObject();
        Json.WriteEndArray();
        WriteTail(Json, Frame, Model);
        EndPiece();
    }
}
