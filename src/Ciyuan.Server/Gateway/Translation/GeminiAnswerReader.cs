using System.Text.Json;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Reads answers of Gemini's generateContent; an event of a stream has the form of a whole answer.</summary>
internal sealed class GeminiAnswerReader(string call) : AnswerReader
{
    private readonly HashSet<int> _called = [];
    private int _calls;
    private bool _hasBegun;

    /// <inheritdoc/>
    protected override void TakeWhole(Node body)
    {
        if (body.IsList)
        {
            foreach (Node part in body.Items)
            {
                TakeEvent(part);
            }

            return;
        }

        TakeEvent(body);
    }

    /// <inheritdoc/>
    protected override void TakeEvent(Node data)
    {
        if (data.Find("error") is { } error)
        {
            FindError(error);
            return;
        }

        if (!_hasBegun)
        {
            _hasBegun = true;
            Find(new AnswerEvent(AnswerEventKind.Begin, data.TextOf("modelVersion")));
        }

        foreach (Node candidate in data.Find("candidates")?.Items ?? [])
        {
            TakeCandidate(candidate);
        }

        if (data.Find("promptFeedback")?.Find("blockReason") is not null)
        {
            Find(new AnswerEvent(AnswerEventKind.Stop) { Stop = StopReason.Filter });
        }
    }

    private void TakeCandidate(Node candidate)
    {
        int choice = ChoiceOf(candidate);
        foreach (Node part in candidate.Find("content")?.Find("parts")?.Items ?? [])
        {
            TakePart(part, choice);
        }

        if (candidate.Find("finishReason") is not { } finish)
        {
            return;
        }

        switch (finish.Text)
        {
            case "FINISH_REASON_UNSPECIFIED":
                break;
            case "STOP":
                Stop(_called.Contains(choice) ? StopReason.Tools : StopReason.End, choice);
                break;
            case "MAX_TOKENS":
                Stop(StopReason.Length, choice);
                break;
            case "MALFORMED_FUNCTION_CALL" or "UNEXPECTED_TOOL_CALL" or "TOO_MANY_TOOL_CALLS":
                Find(AnswerEvent.Failed(
                    RefusalKind.Upstream, $"The model called a function as it may not: {finish.Text}."));
                break;
            case "OTHER" or "LANGUAGE":
                Find(AnswerEvent.Failed(RefusalKind.Upstream, $"The model gave up: {finish.Text}."));
                break;
            default:
                Stop(StopReason.Filter, choice); // safety, and the rights of others
                break;
        }
    }

    private void Stop(StopReason reason, int choice) =>
        Find(new AnswerEvent(AnswerEventKind.Stop, "", choice) { Stop = reason });

    private void TakePart(Node part, int choice)
    {
        if (part.Find("functionCall") is { } function)
        {
            TakeCall(part, function, choice);
            return;
        }

        if (part.Find("inlineData") is { } medium)
        {
            throw medium.Fault("is a picture or sound, which the caller's protocol has no place for");
        }

        bool isThought = part.Find("thought") is { At.ValueKind: JsonValueKind.True };
        FindText(isThought ? AnswerEventKind.Thought : AnswerEventKind.Text, part.TextOf("text"), choice);
    }

    private void TakeCall(Node part, Node function, int choice)
    {
        if (part.TextOf("thoughtSignature") is { Length: > 0 } proof)
        {
            Find(new AnswerEvent(AnswerEventKind.Proof, proof, choice) { Maker = Signature.Gemini });
        }

        string id = function.TextOf("id");
        _called.Add(choice);
        Find(new AnswerEvent(AnswerEventKind.Call, id.Length > 0 ? id : CallIds.Make(call, _calls++), choice)
        {
            Name = function.Need("name").Text,
        });
        Find(new AnswerEvent(AnswerEventKind.Arguments, function.Find("args")?.Json ?? "{}", choice));
    }
}
