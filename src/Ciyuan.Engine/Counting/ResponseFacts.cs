using System.Text.Json;
using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>What responses say beside their usage. Providers name it so alike that one list of names serves all: model,
/// id, time, how it ended, tier.</summary>
internal static class ResponseFacts
{
    /// <summary>Objects within an event or a response that hold facts like the response itself.</summary>
    internal static readonly string[] Envelopes = ["response", "message", "delta", "metadata", "output", "messageStop"];

    internal static readonly string[] ModelNames = ["model", "modelVersion", "model_id"];

    internal static readonly string[] IdNames = ["id", "responseId", "response_id", "request_id", "generation_id"];

    internal static readonly string[] CreatedNames = ["created", "created_at", "createTime"];

    internal static readonly string[] FinishNames =
        ["finish_reason", "finishReason", "stop_reason", "stopReason", "status", "done_reason"];

    internal static readonly string[] TierNames = ["service_tier", "serviceTier"];

    private static readonly string[] ListsOfAnswers = ["choices", "candidates"];

    /// <summary>Reads the facts of a response, and of what it wraps.</summary>
    internal static void Read(JsonElement body, ReadingDraft draft)
    {
        ReadOne(body, draft);
        foreach (string name in Envelopes)
        {
            if (TryGet(body, name, out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
            {
                ReadOne(inner, draft);
            }
        }

        if (TryGet(body, "error", out JsonElement error)
            && error.ValueKind is JsonValueKind.Object or JsonValueKind.String)
        {
            draft.Outcome = Outcome.Failed;
        }
    }

    internal static bool TryGet(JsonElement element, string name, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value)
            && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);
    }

    /// <summary>Goes down by names, one within the other.</summary>
    internal static bool TryGoDown(JsonElement element, string[] path, out JsonElement value)
    {
        value = element;
        foreach (string name in path)
        {
            if (!TryGet(value, name, out value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Why the answer ended, as the provider says; empty when it does not.</summary>
    internal static string Finish(JsonElement body)
    {
        string finish = FirstText(body, FinishNames);
        foreach (string list in ListsOfAnswers)
        {
            if (TryGet(body, list, out JsonElement answers) && answers.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement answer in answers.EnumerateArray())
                {
                    finish = finish.Length == 0 ? FirstText(answer, FinishNames) : finish;
                }
            }
        }

        return finish == "null" ? "" : finish; // DashScope writes the word while it goes on
    }

    internal static string FirstText(JsonElement body, string[] names)
    {
        foreach (string name in names)
        {
            if (TryGet(body, name, out JsonElement value) && value.ValueKind == JsonValueKind.String)
            {
                return value.GetString()!;
            }
        }

        return "";
    }

    /// <summary>The tier, as a text or (as Bedrock has it) as an object with a type; empty when none is said.</summary>
    internal static string Tier(JsonElement body) => FirstText(body, TierNames) is { Length: > 0 } text ? text
        : TryGet(body, "serviceTier", out JsonElement tier) ? FirstText(tier, ["type"])
        : "";

    private static void ReadOne(JsonElement body, ReadingDraft draft)
    {
        draft.Model = Choose(draft.Model, FirstText(body, ModelNames), "model", draft);
        draft.ResponseId = Choose(draft.ResponseId, FirstText(body, IdNames), "id", draft);
        draft.Created ??= ReadCreated(body);
        string finish = Finish(body);
        draft.Tag("finish", finish);
        draft.Tag("service_tier", Tier(body));
        draft.Outcome = finish switch
        {
            "failed" or "error" => Outcome.Failed,
            "cancelled" or "in_progress" => Outcome.Cut,
            _ => draft.Outcome,
        };
    }

    private static string Choose(string known, string found, string name, ReadingDraft draft)
    {
        if (found.Length <= UsageRecord.MaxNameLength && !ReadingDraft.HasControl(found))
        {
            return known.Length > 0 ? known : found;
        }

        draft.Remark(FindingCode.TextLeftOut, name, "is too long or has control characters, and was left out");
        return known;
    }

    private static Timestamp? ReadCreated(JsonElement body)
    {
        foreach (string name in CreatedNames)
        {
            if (!TryGet(body, name, out JsonElement value))
            {
                continue;
            }

            if (value.ValueKind == JsonValueKind.String && Timestamp.TryParse(value.GetString()!, out Timestamp time))
            {
                return time;
            }

            // Seconds since 1970; the latest is that of the year 2261, where nanoseconds end.
            if (value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out decimal seconds)
                && seconds is > 0 and < 9_000_000_000)
            {
                return new Timestamp((long)(decimal.Truncate(seconds * 1_000) * 1_000_000));
            }
        }

        return null;
    }
}
