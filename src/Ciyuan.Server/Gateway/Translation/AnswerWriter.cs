using System.Buffers;
using System.Text;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>What an answer needs that its upstream does not say.</summary>
/// <param name="Id">Id of the call; that of the answer is made of it.</param>
/// <param name="Created">When the call came, in seconds since 1970.</param>
/// <param name="Model">The model as asked, where the upstream names none.</param>
/// <param name="Usage">Gives what is known of the usage so far.</param>
internal sealed record AnswerFrame(string Id, long Created, string Model, Func<AnswerUsage?> Usage)
{
    /// <summary>Whether OpenAI's caller asks for usage at the end of a stream.</summary>
    internal bool AsksForUsage { get; init; }

    /// <summary>Whether Gemini's caller asks for events rather than for a list.</summary>
    internal bool AsEvents { get; init; }
}

/// <summary>
/// Writes an answer in the caller's protocol as it comes. What is written lies in <see cref="Output"/> until it is
/// taken. For one answer and one thread.
/// </summary>
internal abstract class AnswerWriter : IDisposable
{
    /// <summary>Most proofs that wait for a call: a model thinks once or twice before it.</summary>
    private const int MostProofs = 8;

    private readonly ArrayBufferWriter<byte> _output = new(1_024);
    private readonly Dictionary<int, List<Signature>> _proofs = [];
    private bool _isOver;

    /// <summary>A writer of answers.</summary>
    protected AnswerWriter(AnswerFrame frame)
    {
        (Frame, Model) = (frame, frame.Model);
        Json = JsonText.Open(_output);
    }

    /// <summary>What was written since it was taken last.</summary>
    internal ArrayBufferWriter<byte> Output => _output;

    /// <summary>The error that a whole answer became; null: none.</summary>
    internal AnswerEvent? Error { get; private protected set; }

    /// <summary>What the upstream does not say.</summary>
    protected AnswerFrame Frame { get; }

    /// <summary>The model that answers.</summary>
    protected string Model { get; private set; }

    /// <summary>Writes to <see cref="Output"/>, one value after the other.</summary>
    protected Utf8JsonWriter Json { get; }

    /// <summary>Opens a writer.</summary>
    /// <param name="protocol">The caller's protocol.</param>
    /// <param name="kind">What the caller asks for.</param>
    /// <param name="streams">Whether the caller asks for a stream.</param>
    /// <param name="frame">What the upstream does not say.</param>
    internal static AnswerWriter Open(UpstreamProtocol protocol, CallKind kind, bool streams, AnswerFrame frame) =>
        protocol switch
        {
            _ when kind == CallKind.Responses => new ResponsesWriter(frame, streams),
            _ when !streams => new WholeAnswerWriter(protocol, frame),
            UpstreamProtocol.Anthropic => new AnthropicStreamWriter(frame),
            UpstreamProtocol.Gemini => new GeminiStreamWriter(frame),
            _ => new OpenAIStreamWriter(frame),
        };

    /// <summary>Writes what an answer brings; nothing any more after an error.</summary>
    internal void Write(in AnswerEvent found)
    {
        if (_isOver)
        {
            return;
        }

        switch (found.Kind)
        {
            case AnswerEventKind.Error:
                _isOver = true;
                Fail(found);
                break;
            case AnswerEventKind.Proof:
                TakeProof(found);
                break;
            case AnswerEventKind.Begin:
                Model = found.Text.Length > 0 ? found.Text : Model;
                Take(found);
                break;
            default:
                Take(found);
                break;
        }
    }

    /// <summary>Writes what ends an answer that came to its end.</summary>
    internal void End()
    {
        if (!_isOver)
        {
            _isOver = true;
            Finish();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Json.Dispose();

    /// <summary>Writes what is neither a proof nor an error.</summary>
    protected abstract void Take(in AnswerEvent found);

    /// <summary>Writes the end.</summary>
    protected abstract void Finish();

    /// <summary>Writes an error, which is the end too.</summary>
    protected abstract void Fail(in AnswerEvent error);

    /// <summary>Keeps a proof for the next call of a tool.</summary>
    protected virtual void TakeProof(in AnswerEvent proof)
    {
        if (!_proofs.TryGetValue(proof.Choice, out List<Signature>? list))
        {
            _proofs.Add(proof.Choice, list = []);
        }

        list.Add(new Signature(proof.Maker, proof.Text));
        if (list.Count > MostProofs)
        {
            list.RemoveAt(0);
        }
    }

    /// <summary>The proofs that came since the last call of a tool.</summary>
    protected Signature[] Proofs(int choice) =>
        _proofs.Remove(choice, out List<Signature>? list) ? [.. list] : [];

    /// <summary>Begins an event.</summary>
    protected void BeginEvent(string name = "")
    {
        if (name.Length > 0)
        {
            WritePlain($"event: {name}\n");
        }

        WritePlain("data: ");
    }

    /// <summary>Ends an event.</summary>
    protected void EndEvent()
    {
        EndJson();
        WritePlain("\n\n");
    }

    /// <summary>Ends a value, so that another one may begin.</summary>
    protected void EndJson()
    {
        Json.Flush();
        Json.Reset();
    }

    /// <summary>Writes text that is no JSON.</summary>
    protected void WritePlain(string text) => Encoding.UTF8.GetBytes(text, _output);

    /// <summary>Writes a JSON object that came as a text, in one line: it was looked at before.</summary>
    protected static void WriteObject(Utf8JsonWriter json, string name, string text)
    {
        using JsonDocument document = JsonDocument.Parse(text, JsonText.Reading);
        json.WritePropertyName(name);
        document.RootElement.WriteTo(json);
    }
}
