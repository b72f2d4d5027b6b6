using System.Text.Json.Nodes;

namespace Ciyuan.Server.Gateway.Sandbox;

/// <summary>The sandbox's generated content.</summary>
internal static class SandboxGemini
{
    internal static JsonObject Whole(SandboxCall call) => Part(call, call.Text, isLast: true);

    /// <summary>The parts of a stream; usage grows with each, as Gemini's does.</summary>
    internal static IEnumerable<JsonObject> Parts(SandboxCall call)
    {
        for (int i = 0; i < call.Pieces.Length - 1; i++)
        {
            yield return Part(call, call.Pieces[i], isLast: false, written: i + 1);
        }

        yield return Part(call, call.Pieces.LastOrDefault() ?? "", isLast: true);
    }

    private static JsonObject Part(SandboxCall call, string text, bool isLast, long written = -1)
    {
        long output = written < 0 ? call.Output - call.Reasoning : written;
        JsonObject part = call.Tool is null
            ? new JsonObject { ["text"] = text }
            : new JsonObject
            {
                ["functionCall"] = new JsonObject { ["name"] = call.Tool, ["args"] = new JsonObject() },
            };
        var candidate = new JsonObject
        {
            ["content"] = new JsonObject { ["parts"] = new JsonArray(part), ["role"] = "model" },
            ["index"] = 0,
        };
        if (isLast)
        {
            candidate["finishReason"] = call.IsCut ? "MAX_TOKENS" : "STOP";
        }

        return new JsonObject
        {
            ["candidates"] = new JsonArray(candidate),
            ["usageMetadata"] = Usage(call, output),
            ["modelVersion"] = call.Model,
            ["responseId"] = call.Id("r"),
        };
    }

    private static JsonObject Usage(SandboxCall call, long output)
    {
        var usage = new JsonObject
        {
            ["promptTokenCount"] = call.Input,
            ["candidatesTokenCount"] = output,
            ["totalTokenCount"] = call.Input + output + call.Reasoning,
            ["promptTokensDetails"] = new JsonArray(
                new JsonObject { ["modality"] = "TEXT", ["tokenCount"] = call.Input }),
        };
        if (call.Cached > 0)
        {
            usage["cachedContentTokenCount"] = call.Cached;
        }

        if (call.Reasoning > 0)
        {
            usage["thoughtsTokenCount"] = call.Reasoning;
        }

        return usage;
    }
}
