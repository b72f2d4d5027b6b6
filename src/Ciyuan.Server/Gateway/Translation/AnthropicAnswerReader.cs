namespace Ciyuan.Server.Gateway.Translation;

/// <summary>Reads answers of Anthropic's messages.</summary>
/// <param name="byTool">Whether <see cref="AnthropicRequestWriter.JsonTool"/> brings the answer's text.</param>
internal sealed class AnthropicAnswerReader(bool byTool) : AnswerReader
{
    private string _block = "";
    private bool _isAnswer;
    private bool _hasArguments;
    private string _proof = "";

    /// <inheritdoc/>
    protected override void TakeEvent(Node data)
    {
        switch (data.TextOf("type"))
        {
            case "message_start":
                Find(new AnswerEvent(AnswerEventKind.Begin, data.Need("message").TextOf("model")));
                break;
            case "content_block_start":
                BeginBlock(data.Need("content_block"));
                break;
            case "content_block_delta":
                TakeDelta(data.Need("delta"));
                break;
            case "content_block_stop":
                EndBlock();
                break;
            case "message_delta" when data.Find("delta") is { } delta:
                TakeStop(delta);
                break;
            case "error":
                FindError(data.Find("error") ?? data);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void TakeWhole(Node body)
    {
        if (body.TextOf("type") == "error")
        {
            FindError(body.Find("error") ?? body);
            return;
        }

        Find(new AnswerEvent(AnswerEventKind.Begin, body.TextOf("model")));
        foreach (Node block in body.Need("content").Items)
        {
            BeginBlock(block);
            if (block.TextOf("type") == "tool_use" && block.Find("input") is { } input)
            {
                TakeArguments(input.Json);
            }

            EndBlock();
        }

        TakeStop(body);
    }

    private void BeginBlock(Node block)
    {
        (_block, _isAnswer, _hasArguments, _proof) = (block.TextOf("type"), false, false, "");
        switch (_block)
        {
            case "text":
                FindText(AnswerEventKind.Text, block.TextOf("text"), 0);
                break;
            case "thinking":
                FindText(AnswerEventKind.Thought, block.TextOf("thinking"), 0);
                _proof = block.TextOf("signature");
                break;
            case "redacted_thinking":
                Find(new AnswerEvent(AnswerEventKind.Proof, block.TextOf("data")) { Maker = Signature.Redacted });
                break;
            case "tool_use":
                _isAnswer = byTool && block.TextOf("name") == AnthropicRequestWriter.JsonTool;
                if (!_isAnswer)
                {
                    Find(new AnswerEvent(AnswerEventKind.Call, block.Need("id").Text)
                    {
                        Name = block.Need("name").Text,
                    });
                }

                break;
            default:
                throw block.Fault($"is {_block}, which the caller's protocol has no place for");
        }
    }

    private void TakeDelta(Node delta)
    {
        switch (delta.TextOf("type"))
        {
            case "text_delta":
                FindText(AnswerEventKind.Text, delta.TextOf("text"), 0);
                break;
            case "thinking_delta":
                FindText(AnswerEventKind.Thought, delta.TextOf("thinking"), 0);
                break;
            case "signature_delta":
                _proof += delta.TextOf("signature");
                _ = _proof.Length <= GatewayLimits.EventBytes ? true : throw delta.Fault("makes a signature too long");
                break;
            case "input_json_delta":
                TakeArguments(delta.TextOf("partial_json"));
                break;
        }
    }

    private void TakeArguments(string json)
    {
        _hasArguments |= json.Length > 0;
        FindText(_isAnswer ? AnswerEventKind.Text : AnswerEventKind.Arguments, json, 0);
    }

    private void EndBlock()
    {
        if (_block == "tool_use" && !_hasArguments)
        {
            TakeArguments("{}");
        }

        if (_proof.Length > 0)
        {
            Find(new AnswerEvent(AnswerEventKind.Proof, _proof) { Maker = Signature.Anthropic });
        }

        (_block, _proof) = ("", "");
    }

    private void TakeStop(Node said)
    {
        if (said.Find("stop_reason") is { } reason)
        {
            Find(new AnswerEvent(AnswerEventKind.Stop, said.TextOf("stop_sequence"))
            {
                Stop = reason.Text switch
                {
                    "stop_sequence" => StopReason.Sequence,
                    "max_tokens" or "model_context_window_exceeded" => StopReason.Length,
                    "tool_use" => byTool ? StopReason.End : StopReason.Tools,
                    "refusal" => StopReason.Filter,
                    _ => StopReason.End,
                },
            });
        }
    }
}
