using System.Text.Json.Nodes;

namespace Ciyuan.Server.Gateway.Sandbox;

/// <summary>The sandbox's chat completions and completions.</summary>
internal static class SandboxOpenAI
{
    internal static JsonObject Error(string message) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = message,
            ["type"] = "invalid_request_error",
            ["param"] = null,
            ["code"] = null,
        },
    };

    internal static JsonObject Chat(SandboxCall call)
    {
        var message = new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = call.Tool is null ? call.Text : null,
            ["refusal"] = null,
        };
        if (call.Tool is not null)
        {
            message["tool_calls"] = new JsonArray(ToolCall(call));
        }

        var choice = new JsonObject
        {
            ["index"] = 0,
            ["message"] = message,
            ["logprobs"] = null,
            ["finish_reason"] = Finish(call),
        };
        return Envelope(call, "chatcmpl-", "chat.completion", choice, Usage(call));
    }

    internal static IEnumerable<string> ChatEvents(SandboxCall call)
    {
        yield return Chunk(new JsonObject { ["role"] = "assistant", ["content"] = "" }, null);
        if (call.Tool is not null)
        {
            JsonObject tool = ToolCall(call);
            tool["index"] = 0;
            yield return Chunk(new JsonObject { ["tool_calls"] = new JsonArray(tool) }, null);
        }

        foreach (string piece in call.Pieces)
        {
            yield return Chunk(new JsonObject { ["content"] = piece }, null);
        }

        yield return Chunk([], Finish(call));
        if (AsksForUsage(call))
        {
            yield return SandboxHandler.Data(
                Envelope(call, "chatcmpl-", "chat.completion.chunk", null, Usage(call)));
        }

        yield return "data: [DONE]\n\n";

        string Chunk(JsonObject delta, string? finish)
        {
            var choice = new JsonObject
            {
                ["index"] = 0,
                ["delta"] = delta,
                ["logprobs"] = null,
                ["finish_reason"] = finish,
            };
            return SandboxHandler.Data(Envelope(call, "chatcmpl-", "chat.completion.chunk", choice, null));
        }
    }

    internal static JsonObject Completion(SandboxCall call) =>
        Envelope(call, "cmpl-", "text_completion", TextChoice(call.Text, Finish(call)), Usage(call));

    internal static IEnumerable<string> CompletionEvents(SandboxCall call)
    {
        foreach (string piece in call.Pieces)
        {
            yield return SandboxHandler.Data(
                Envelope(call, "cmpl-", "text_completion", TextChoice(piece, null), null));
        }

        yield return SandboxHandler.Data(
            Envelope(call, "cmpl-", "text_completion", TextChoice("", Finish(call)), null));
        if (AsksForUsage(call))
        {
            yield return SandboxHandler.Data(Envelope(call, "cmpl-", "text_completion", null, Usage(call)));
        }

        yield return "data: [DONE]\n\n";
    }

    private static JsonObject Envelope(
        SandboxCall call, string id, string kind, JsonObject? choice, JsonObject? usage)
    {
        var answer = new JsonObject
        {
            ["id"] = call.Id(id),
            ["object"] = kind,
            ["created"] = 0,
            ["model"] = call.Model,
            ["system_fingerprint"] = Upstream.SandboxName,
            ["choices"] = choice is null ? [] : new JsonArray(choice),
        };
        if (usage is not null)
        {
            answer["usage"] = usage;
        }

        return answer;
    }

    private static bool AsksForUsage(SandboxCall call) =>
        call.Body.TryGetProperty("stream_options", out System.Text.Json.JsonElement options)
        && options.ValueKind == System.Text.Json.JsonValueKind.Object
        && options.TryGetProperty("include_usage", out System.Text.Json.JsonElement asks)
        && asks.ValueKind == System.Text.Json.JsonValueKind.True;

    private static JsonObject TextChoice(string text, string? finish) => new()
    {
        ["index"] = 0,
        ["text"] = text,
        ["logprobs"] = null,
        ["finish_reason"] = finish,
    };

    private static JsonObject ToolCall(SandboxCall call) => new()
    {
        ["id"] = call.Id("call_"),
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = call.Tool, ["arguments"] = "{}" },
    };

    private static string Finish(SandboxCall call) =>
        call.Tool is not null ? "tool_calls" : call.IsCut ? "length" : "stop";

    private static JsonObject Usage(SandboxCall call) => new()
    {
        ["prompt_tokens"] = call.Input,
        ["completion_tokens"] = call.Output,
        ["total_tokens"] = call.Input + call.Output,
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = call.Cached, ["audio_tokens"] = 0 },
        ["completion_tokens_details"] = new JsonObject
        {
            ["reasoning_tokens"] = call.Reasoning,
            ["audio_tokens"] = 0,
            ["accepted_prediction_tokens"] = 0,
            ["rejected_prediction_tokens"] = 0,
        },
    };
}
