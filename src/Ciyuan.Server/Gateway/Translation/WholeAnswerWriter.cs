using System.Buffers;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Writes an answer in one piece, once it is over.</summary>
internal sealed class WholeAnswerWriter(UpstreamProtocol protocol, AnswerFrame frame) : AnswerWriter(frame)
{
    private readonly DraftAnswer _draft = new();
    private long _length;

    /// <inheritdoc/>
    protected override void Take(in AnswerEvent found)
    {
        _length += found.Text.Length;
        if (_length > GatewayLimits.CountedAnswerBytes)
        {
            Write(AnswerEvent.Failed(RefusalKind.Upstream, "The upstream's answer is too long to be carried over."));
            return;
        }

        DraftChoice choice = _draft.Of(found.Choice);
        switch (found.Kind)
        {
            case AnswerEventKind.Text:
                choice.Open(found.Kind).Text.Append(found.Text);
                break;
            case AnswerEventKind.Thought:
                DraftPart thought = choice.Open(found.Kind);
                thought.Text.Append(found.Text);
                thought.IsWantedBack = found.Maker == Signature.OpenAI;
                break;
            case AnswerEventKind.Call:
                choice.Parts.Add(new DraftPart(found.Kind, found.Text, found.Name, Proofs(found.Choice)));
                break;
            case AnswerEventKind.Arguments:
                choice.Open(AnswerEventKind.Call).Text.Append(found.Text);
                break;
            case AnswerEventKind.Stop:
                (choice.Stop, choice.Sequence) = (found.Stop, found.Text);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (protocol != UpstreamProtocol.OpenAI && FindBrokenCall() is { } broken)
        {
            Fail(AnswerEvent.Failed(RefusalKind.Upstream, $"The model called '{broken.Name}' with what is no JSON."));
            return;
        }

        switch (protocol)
        {
            case UpstreamProtocol.Anthropic:
                AnthropicStreamWriter.WriteWhole(Json, Frame, Model, _draft);
                break;
            case UpstreamProtocol.Gemini:
                GeminiStreamWriter.WriteWhole(Json, Frame, Model, _draft);
                break;
            default:
                OpenAIStreamWriter.WriteWhole(Json, Frame, Model, _draft);
                break;
        }

        EndJson();
    }

    /// <inheritdoc/>
    protected override void Fail(in AnswerEvent error)
    {
        Error = error;
        Output.Write(AnswerErrors.Write(error, protocol).Span);
    }

    // The last call of an answer that came to its limit is broken off, and left out.
    private DraftPart? FindBrokenCall()
    {
        foreach (DraftChoice choice in _draft.Choices.Values)
        {
            if (choice.Stop == StopReason.Length
                && choice.Parts is [.., { Kind: AnswerEventKind.Call, Arguments: null }])
            {
                choice.Parts.RemoveAt(choice.Parts.Count - 1);
            }

            if (choice.Parts.Find(p => p is { Kind: AnswerEventKind.Call, Arguments: null }) is { } broken)
            {
                return broken;
            }
        }

        return null;
    }
}
