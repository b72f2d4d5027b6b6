using System.Text.Json.Nodes;

namespace Ciyuan.Server.Gateway.Sandbox;

/// <summary>The sandbox's responses.</summary>
internal static class SandboxResponses
{
    internal static JsonObject Whole(SandboxCall call, string status)
    {
        bool done = status == "completed";
        return new JsonObject
        {
            ["id"] = call.Id("resp_"),
            ["object"] = "response",
            ["created_at"] = 0,
            ["status"] = done && call.IsCut ? "incomplete" : status,
            ["error"] = null,
            ["incomplete_details"] = done && call.IsCut ? new JsonObject { ["reason"] = "max_output_tokens" } : null,
            ["instructions"] = null,
            ["metadata"] = new JsonObject(),
            ["model"] = call.Model,
            ["output"] = done ? new JsonArray(Item(call, "completed")) : [],
            ["parallel_tool_calls"] = true,
            ["temperature"] = 1,
            ["tool_choice"] = "auto",
            ["tools"] = new JsonArray(),
            ["top_p"] = 1,
            ["usage"] = done ? Usage(call) : null,
        };
    }

    internal static IEnumerable<string> Events(SandboxCall call)
    {
        int sequence = 0;
        yield return Make("response.created", new JsonObject { ["response"] = Whole(call, "in_progress") });
        yield return Make("response.in_progress", new JsonObject { ["response"] = Whole(call, "in_progress") });
        yield return Make("response.output_item.added", new JsonObject
        {
            ["output_index"] = 0,
            ["item"] = Item(call, "in_progress"),
        });
        foreach ((string type, JsonObject data) in call.Tool is null ? TextEvents(call) : ToolEvents(call))
        {
            yield return Make(type, data);
        }

        yield return Make("response.output_item.done", new JsonObject
        {
            ["output_index"] = 0,
            ["item"] = Item(call, "completed"),
        });
        yield return Make(
            call.IsCut ? "response.incomplete" : "response.completed",
            new JsonObject { ["response"] = Whole(call, "completed") });

        string Make(string type, JsonObject data)
        {
            data["type"] = type;
            data["sequence_number"] = sequence++;
            return SandboxHandler.Event(type, data);
        }
    }

    private static IEnumerable<(string Type, JsonObject Data)> TextEvents(SandboxCall call)
    {
        yield return ("response.content_part.added", At(call, "part", Part("")));
        foreach (string piece in call.Pieces)
        {
            yield return ("response.output_text.delta", At(call, "delta", piece));
        }

        yield return ("response.output_text.done", At(call, "text", call.Text));
        yield return ("response.content_part.done", At(call, "part", Part(call.Text)));
    }

    private static IEnumerable<(string Type, JsonObject Data)> ToolEvents(SandboxCall call)
    {
        yield return ("response.function_call_arguments.delta", new JsonObject
        {
            ["item_id"] = call.Id("fc_"),
            ["output_index"] = 0,
            ["delta"] = "{}",
        });
        yield return ("response.function_call_arguments.done", new JsonObject
        {
            ["item_id"] = call.Id("fc_"),
            ["output_index"] = 0,
            ["name"] = call.Tool,
            ["arguments"] = "{}",
        });
    }

    private static JsonObject At(SandboxCall call, string name, JsonNode value)
    {
        var data = new JsonObject
        {
            ["item_id"] = call.Id("msg_"),
            ["output_index"] = 0,
            ["content_index"] = 0,
            [name] = value,
        };
        if (name is "delta" or "text")
        {
            data["logprobs"] = new JsonArray();
        }

        return data;
    }

    private static JsonObject Part(string text) => new()
    {
        ["type"] = "output_text",
        ["text"] = text,
        ["annotations"] = new JsonArray(),
    };

    private static JsonObject Item(SandboxCall call, string status)
    {
        bool done = status == "completed";
        return call.Tool is not null
            ? new JsonObject
            {
                ["type"] = "function_call",
                ["id"] = call.Id("fc_"),
                ["status"] = status,
                ["call_id"] = call.Id("call_"),
                ["name"] = call.Tool,
                ["arguments"] = done ? "{}" : "",
            }
            : new JsonObject
            {
                ["type"] = "message",
                ["id"] = call.Id("msg_"),
                ["status"] = status,
                ["role"] = "assistant",
                ["content"] = done ? new JsonArray(Part(call.Text)) : [],
            };
    }

    private static JsonObject Usage(SandboxCall call) => new()
    {
        ["input_tokens"] = call.Input,
        ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = call.Cached },
        ["output_tokens"] = call.Output,
        ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = call.Reasoning },
        ["total_tokens"] = call.Input + call.Output,
    };
}
