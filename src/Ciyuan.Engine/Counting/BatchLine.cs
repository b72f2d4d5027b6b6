using System.Text.Json;

namespace Ciyuan.Counting;

/// <summary>
/// A line of the results of a batch: the response stands within, and is charged at the batch price, which the response
/// itself does not say (OpenAI's body has the tier <c>default</c>).
/// </summary>
internal static class BatchLine
{
    /// <summary>The response of a line; what is none stays as it is.</summary>
    /// <param name="body">What came.</param>
    /// <param name="isBatch">Whether it is such a line.</param>
    internal static JsonElement Unwrap(JsonElement body, out bool isBatch)
    {
        JsonElement response = Find(body);
        isBatch = response.ValueKind == JsonValueKind.Object;
        return isBatch ? response : body;
    }

    private static JsonElement Find(JsonElement body)
    {
        if (ResponseFacts.TryGet(body, "custom_id", out _))
        {
            // OpenAI and who follows it: response.body; Anthropic: result.message, or result with why there is none.
            return Within(body, "response", "body") ?? Within(body, "result", "message")
                ?? Within(body, "result") ?? default;
        }

        if (ResponseFacts.TryGet(body, "recordId", out _))
        {
            return Within(body, "modelOutput") ?? default; // Bedrock
        }

        bool isGemini = ResponseFacts.TryGet(body, "key", out _) || ResponseFacts.TryGet(body, "request", out _);
        return isGemini && Within(body, "response", "usageMetadata") is not null
            ? Within(body, "response")!.Value
            : default;
    }

    private static JsonElement? Within(JsonElement body, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            if (!ResponseFacts.TryGet(body, name, out body))
            {
                return null;
            }
        }

        return body.ValueKind == JsonValueKind.Object ? body : null;
    }
}
