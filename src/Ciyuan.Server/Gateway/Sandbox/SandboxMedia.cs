using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ciyuan.Server.Gateway.Sandbox;

/// <summary>What the sandbox answers where no text is asked for.</summary>
internal static class SandboxMedia
{
    private const int Dimensions = 8;

    /// <summary>A picture of one grey point.</summary>
    private const string Png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

    internal static JsonObject Embeddings(SandboxCall call)
    {
        bool packed = call.Body.TryGetProperty("encoding_format", out JsonElement format)
            && format.ValueEquals("base64"u8);
        int count = call.Body.TryGetProperty("input", out JsonElement input) && input.ValueKind == JsonValueKind.Array
            && (input.GetArrayLength() == 0 || input[0].ValueKind != JsonValueKind.Number)
                ? input.GetArrayLength()
                : 1;
        var data = new JsonArray();
        for (int i = 0; i < count; i++)
        {
            float[] vector = Vector(call, i);
            byte[] bytes = new byte[vector.Length * sizeof(float)];
            Buffer.BlockCopy(vector, 0, bytes, 0, bytes.Length);
            data.Add(new JsonObject
            {
                ["object"] = "embedding",
                ["index"] = i,
                ["embedding"] = packed ? Convert.ToBase64String(bytes) : Numbers(vector),
            });
        }

        return new JsonObject
        {
            ["object"] = "list",
            ["data"] = data,
            ["model"] = call.Model,
            ["usage"] = new JsonObject { ["prompt_tokens"] = call.Input, ["total_tokens"] = call.Input },
        };
    }

    internal static JsonObject GeminiEmbeddings(SandboxCall call)
    {
        var usage = new JsonObject { ["promptTokenCount"] = call.Input, ["totalTokenCount"] = call.Input };
        if (!call.Body.TryGetProperty("requests", out JsonElement requests))
        {
            return new JsonObject
            {
                ["embedding"] = new JsonObject { ["values"] = Numbers(Vector(call, 0)) },
                ["usageMetadata"] = usage,
            };
        }

        var list = new JsonArray();
        for (int i = 0; i < requests.GetArrayLength(); i++)
        {
            list.Add(new JsonObject { ["values"] = Numbers(Vector(call, i)) });
        }

        return new JsonObject { ["embeddings"] = list, ["usageMetadata"] = usage };
    }

    internal static JsonObject Images(SandboxCall call)
    {
        int count = call.Body.TryGetProperty("n", out JsonElement n) && n.TryGetInt32(out int asked) ? asked : 1;
        var data = new JsonArray();
        for (int i = 0; i < count; i++)
        {
            data.Add(new JsonObject { ["b64_json"] = Png });
        }

        return new JsonObject
        {
            ["created"] = 0,
            ["data"] = data,
            ["usage"] = new JsonObject
            {
                ["input_tokens"] = call.Input,
                ["output_tokens"] = 16 * count,
                ["total_tokens"] = call.Input + (16 * count),
                ["input_tokens_details"] = new JsonObject { ["text_tokens"] = call.Input, ["image_tokens"] = 0 },
            },
        };
    }

    /// <summary>A tenth of a second of silence: 8 000 bytes a second.</summary>
    internal static byte[] Sound()
    {
        byte[] head =
        [
            .. "RIFF"u8, 0x44, 0x03, 0, 0, .. "WAVEfmt "u8, 16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0,
            1, 0, 8, 0, .. "data"u8, 0x20, 0x03, 0, 0,
        ];
        byte[] silence = new byte[800];
        Array.Fill(silence, (byte)128);
        return [.. head, .. silence];
    }

    internal static JsonObject Transcript() => new()
    {
        ["text"] = "The sandbox heard something.",
        ["usage"] = new JsonObject { ["type"] = "duration", ["seconds"] = 1 },
    };

    internal static JsonObject Ranks(SandboxCall call)
    {
        var results = new JsonArray();
        int count = call.Body.TryGetProperty("documents", out JsonElement documents)
            && documents.ValueKind == JsonValueKind.Array ? documents.GetArrayLength() : 0;
        for (int i = 0; i < count; i++)
        {
            results.Add(new JsonObject { ["index"] = i, ["relevance_score"] = 1.0 / (i + 1) });
        }

        return new JsonObject
        {
            ["id"] = call.Id("rr_"),
            ["results"] = results,
            ["meta"] = new JsonObject { ["billed_units"] = new JsonObject { ["search_units"] = 1 } },
        };
    }

    private static float[] Vector(SandboxCall call, int index)
    {
        var vector = new float[Dimensions];
        for (int i = 0; i < Dimensions; i++)
        {
            ulong word = unchecked((call.Seed + (ulong)((index * Dimensions) + i)) * 0x9E3779B97F4A7C15UL);
            vector[i] = (word >> 40) / (float)(1 << 24);
        }

        return vector;
    }

    private static JsonArray Numbers(float[] vector) => [.. vector.Select(v => (JsonNode)v)];
}
