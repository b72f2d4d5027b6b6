using System.Text.Json.Nodes;

namespace Ciyuan.Server.Gateway.Sandbox;

/// <summary>The sandbox's messages.</summary>
internal static class SandboxAnthropic
{
    internal static JsonObject Message(SandboxCall call) => new()
    {
        ["id"] = call.Id("msg_"),
        ["type"] = "message",
        ["role"] = "assistant",
        ["model"] = call.Model,
        ["content"] = new JsonArray(call.Tool is null
            ? new JsonObject { ["type"] = "text", ["text"] = call.Text }
            : Tool(call)),
        ["stop_reason"] = Stop(call),
        ["stop_sequence"] = null,
        ["usage"] = Usage(call, call.Output),
    };

    internal static IEnumerable<string> Events(SandboxCall call)
    {
        JsonObject start = Message(call);
        start["content"] = new JsonArray();
        start["stop_reason"] = null;
        start["usage"] = Usage(call, 1);
        yield return Make("message_start", new JsonObject { ["message"] = start });
        yield return Make("content_block_start", new JsonObject
        {
            ["index"] = 0,
            ["content_block"] = call.Tool is null ? new JsonObject { ["type"] = "text", ["text"] = "" } : Tool(call),
        });
        yield return Make("ping", []);
        foreach (string piece in call.Pieces)
        {
            yield return Make("content_block_delta", Delta("text_delta", "text", piece));
        }

        if (call.Tool is not null)
        {
            yield return Make("content_block_delta", Delta("input_json_delta", "partial_json", "{}"));
        }

        yield return Make("content_block_stop", new JsonObject { ["index"] = 0 });
        yield return Make("message_delta", new JsonObject
        {
            ["delta"] = new JsonObject { ["stop_reason"] = Stop(call), ["stop_sequence"] = null },
            ["usage"] = new JsonObject { ["output_tokens"] = call.Output },
        });
        yield return Make("message_stop", []);

        static string Make(string type, JsonObject data)
        {
            data.Insert(0, "type", type);
            return SandboxHandler.Event(type, data);
        }
    }

    private static JsonObject Delta(string type, string name, string text) => new()
    {
        ["index"] = 0,
        ["delta"] = new JsonObject { ["type"] = type, [name] = text },
    };

    private static JsonObject Tool(SandboxCall call) => new()
    {
        ["type"] = "tool_use",
        ["id"] = call.Id("toolu_"),
        ["name"] = call.Tool,
        ["input"] = new JsonObject(),
    };

    private static string Stop(SandboxCall call) =>
        call.Tool is not null ? "tool_use" : call.IsCut ? "max_tokens" : "end_turn";

    // Beside one another: what is cached is not part of the input here.
    private static JsonObject Usage(SandboxCall call, long output) => new()
    {
        ["input_tokens"] = call.Input - call.Cached,
        ["cache_creation_input_tokens"] = 0,
        ["cache_read_input_tokens"] = call.Cached,
        ["output_tokens"] = output,
        ["service_tier"] = "standard",
    };
}
