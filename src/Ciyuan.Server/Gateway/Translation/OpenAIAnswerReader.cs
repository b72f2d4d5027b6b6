namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Reads answers of OpenAI's chat completions and of what is compatible with them.</summary>
internal sealed class OpenAIAnswerReader(string call) : AnswerReader
{
    /// <summary>The calls of tools that have begun, by choice and place, each with its number.</summary>
    private readonly Dictionary<(int Choice, long Place), int> _calls = [];
    private readonly Dictionary<int, int> _open = [];
    private readonly HashSet<int> _refused = [];
    private bool _hasBegun;

    /// <inheritdoc/>
    protected override void TakeEvent(Node data) => Take(data, "delta");

    /// <inheritdoc/>
    protected override void TakeWhole(Node body) => Take(body, "message");

    private void Take(Node data, string part)
    {
        if (data.Find("error") is { } error)
        {
            FindError(error);
            return;
        }

        if (!_hasBegun)
        {
            _hasBegun = true;
            Find(new AnswerEvent(AnswerEventKind.Begin, data.TextOf("model")));
        }

        foreach (Node choice in data.Find("choices")?.Items ?? [])
        {
            int index = ChoiceOf(choice);
            if (choice.Find(part) is { } said)
            {
                TakeSaid(said, index);
            }

            if (choice.Find("finish_reason") is { } finish)
            {
                Find(new AnswerEvent(AnswerEventKind.Stop, "", index) { Stop = ReadStop(finish.Text, index) });
            }
        }
    }

    private void TakeSaid(Node said, int choice)
    {
        bool interrupts = said.TextOf("reasoning_content").Length > 0
            || said.Find("content") is { IsText: true, Text: not "" };
        if (interrupts)
        {
            _open.Remove(choice);
        }

        string thought = said.TextOf("reasoning_content");
        thought = thought.Length == 0 && said.Find("reasoning") is { IsText: true } other ? other.Text : thought;
        if (thought.Length > 0)
        {
            Find(new AnswerEvent(AnswerEventKind.Thought, thought, choice) { Maker = Signature.OpenAI });
        }

        if (said.Find("content") is { } content)
        {
            FindText(AnswerEventKind.Text, content.IsText ? content.Text : string.Concat(
                content.Items.Select(p => p.TextOf("text"))), choice);
        }

        if (said.TextOf("refusal") is { Length: > 0 } refusal)
        {
            _refused.Add(choice);
            FindText(AnswerEventKind.Text, refusal, choice);
        }

        int place = 0;
        foreach (Node tool in said.Find("tool_calls")?.Items ?? [])
        {
            TakeCall(tool, choice, tool.Find("index")?.Whole ?? place++);
        }

        if (said.Find("audio") is { } audio)
        {
            throw audio.Fault("is sound, which the caller's protocol has no place for");
        }
    }

    private void TakeCall(Node tool, int choice, long place)
    {
        Node function = tool.Find("function") ?? throw tool.Fault("is no call of a function");
        if (!_calls.TryGetValue((choice, place), out int number))
        {
            string id = tool.TextOf("id");
            number = _calls.Count < MostCalls ? _calls.Count : throw tool.Fault("is one call too many");
            _calls.Add((choice, place), number);
            Find(new AnswerEvent(AnswerEventKind.Call, id.Length > 0 ? id : CallIds.Make(call, number), choice)
            {
                Name = function.Need("name").Text,
            });
            _open[choice] = number;
        }
        else if (!_open.TryGetValue(choice, out int open) || open != number)
        {
            throw tool.Fault("goes on with a call after another one began");
        }

        FindText(AnswerEventKind.Arguments, function.TextOf("arguments"), choice);
    }

    private StopReason ReadStop(string finish, int choice) => finish switch
    {
        _ when _refused.Contains(choice) => StopReason.Filter,
        "length" => StopReason.Length,
        "tool_calls" or "function_call" => StopReason.Tools,
        "content_filter" => StopReason.Filter,
        _ => StopReason.End,
    };
}
