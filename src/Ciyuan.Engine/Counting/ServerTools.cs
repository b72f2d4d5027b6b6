using System.Text.Json;
using System.Text.Json.Nodes;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>
/// Calls of a provider's own tools that it charges and that stand in the answer, not in its usage: what was searched is
/// seen only by the items of the output, or by the queries that the answer is grounded on.
/// </summary>
internal static class ServerTools
{
    // What of a body is kept of a stream, beside its usage.
    private static readonly string[] Kept = ["performanceConfig", "choices", "tools", "web_search"];

    // Fields of an item that say what it is.
    private static readonly string[] ItemFields = ["id", "type", "status", "action", "quality", "size"];

    /// <summary>The items of OpenAI's responses. Pages that are opened after a search cost nothing; a container of a
    /// code interpreter costs by its session, which no response tells; a picture costs tokens of another model that are
    /// not in the usage, so the picture itself is counted.</summary>
    internal static void OfResponses(JsonElement body, ReadingDraft draft)
    {
        var calls = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (JsonElement item in Items(body, "output"))
        {
            string type = ResponseFacts.FirstText(item, ["type"]);
            if (!type.EndsWith("_call", StringComparison.Ordinal) || type == "function_call"
                || ResponseFacts.FirstText(item, ["status"]) == "failed")
            {
                continue;
            }

            string name = type[..^"_call".Length];
            bool isSearch = !ResponseFacts.TryGet(item, "action", out JsonElement action)
                || ResponseFacts.FirstText(action, ["type"]) is "" or "search";
            name = name == "web_search" && !isSearch ? "open_page" : name;
            calls[name] = calls.GetValueOrDefault(name) + 1;
            if (name == "image_generation")
            {
                draft.Add(Meter.Image, 1);
                draft.Tag("quality", ResponseFacts.FirstText(item, ["quality"]));
                draft.Tag("size", ResponseFacts.FirstText(item, ["size"]));
            }
        }

        foreach ((string name, long count) in calls)
        {
            draft.AddCalls(name, count, name is "web_search" or "file_search");
        }

        foreach (JsonElement tool in Items(body, "tools"))
        {
            draft.Tag("search_context_size", ResponseFacts.FirstText(tool, ["search_context_size"]));
        }
    }

    /// <summary>The queries that Gemini's answers are grounded on. Some of its models are charged by the query, some by
    /// the answer that has any; the book says which. An empty query is not charged.</summary>
    internal static void OfGemini(JsonElement body, ReadingDraft draft)
    {
        long queries = 0;
        bool hasMaps = false;
        foreach (JsonElement candidate in Items(body, "candidates"))
        {
            if (ResponseFacts.TryGet(candidate, "groundingMetadata", out JsonElement grounding))
            {
                queries += Items(grounding, "webSearchQueries").Concat(Items(grounding, "imageSearchQueries"))
                    .Count(q => q.ValueKind == JsonValueKind.String && q.GetString()!.Length > 0);
                hasMaps |= Items(grounding, "groundingChunks").Any(c => ResponseFacts.TryGet(c, "maps", out _));
            }
        }

        draft.AddCalls("google_search", queries);
        draft.AddCalls("google_maps", hasMaps ? 1 : 0);
    }

    /// <summary>The elements of an array; none when it is absent or something else.</summary>
    internal static IEnumerable<JsonElement> Items(JsonElement body, string name) =>
        ResponseFacts.TryGet(body, name, out JsonElement value) && value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray()
            : [];

    /// <summary>Keeps what of an event of a stream says which tools were called, without the texts.</summary>
    internal static void Keep(JsonElement data, JsonObject whole)
    {
        foreach (JsonElement item in Items(data, "output"))
        {
            KeepItem(item, whole);
        }

        if (ResponseFacts.TryGet(data, "item", out JsonElement one))
        {
            KeepItem(one, whole);
        }

        foreach (JsonElement candidate in Items(data, "candidates"))
        {
            if (ResponseFacts.TryGet(candidate, "groundingMetadata", out JsonElement grounding))
            {
                whole["candidates"] = new JsonArray(
                    new JsonObject { ["groundingMetadata"] = JsonNode.Parse(grounding.GetRawText()) });
            }
        }

        foreach (string name in Kept)
        {
            if (ResponseFacts.TryGet(data, name, out JsonElement value) && (name != "choices" || HasTools(data)))
            {
                whole[name] = JsonNode.Parse(value.GetRawText());
            }
        }
    }

    // An item comes when it begins, when it ends, and in the last event: it is one.
    private static void KeepItem(JsonElement item, JsonObject whole)
    {
        string type = ResponseFacts.FirstText(item, ["type"]);
        if (!type.EndsWith("_call", StringComparison.Ordinal) || type == "function_call")
        {
            return;
        }

        var slim = new JsonObject();
        foreach (string name in ItemFields)
        {
            if (ResponseFacts.TryGet(item, name, out JsonElement value))
            {
                slim[name] = JsonNode.Parse(value.GetRawText());
            }
        }

        whole["output"] ??= new JsonArray();
        var kept = (JsonArray)whole["output"]!;
        string id = ResponseFacts.FirstText(item, ["id"]);
        int known = kept.ToList().FindIndex(k => id.Length > 0 && k!["id"]?.ToString() == id);
        if (known >= 0)
        {
            kept[known] = slim;
        }
        else
        {
            kept.Add((JsonNode?)slim);
        }
    }

    /// <summary>What each choice of a chat says, whole or a piece of a stream.</summary>
    internal static IEnumerable<JsonElement> Messages(JsonElement body)
    {
        foreach (JsonElement choice in Items(body, "choices"))
        {
            if (ResponseFacts.TryGet(choice, "message", out JsonElement said)
                || ResponseFacts.TryGet(choice, "delta", out said))
            {
                yield return said;
            }
        }
    }

    /// <summary>The name of the function of a call; empty when it has none.</summary>
    internal static string NameOf(JsonElement call) => ResponseFacts.TryGet(call, "function", out JsonElement function)
        ? ResponseFacts.FirstText(function, ["name"])
        : "";

    // A name that begins with $ is a function of the provider itself.
    private static bool HasTools(JsonElement data) => Messages(data).Any(said => Items(said, "executed_tools").Any()
        || Items(said, "tool_calls").Any(call => NameOf(call).StartsWith('$')));
}
