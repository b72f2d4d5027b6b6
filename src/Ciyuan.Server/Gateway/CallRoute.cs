using Ciyuan.Parties;
using Microsoft.AspNetCore.Http;

namespace Ciyuan.Server.Gateway;

/// <summary>What a call asks for.</summary>
internal enum CallKind
{
    Chat,
    Completions,
    Responses,
    Embeddings,
    ImageGeneration,
    ImageEdit,
    Speech,
    Transcription,
    Rerank,
    CountTokens,
    ListModels,
}

/// <summary>A path that clients of a protocol call.</summary>
/// <param name="Protocol">The protocol.</param>
/// <param name="Kind">What is asked for.</param>
/// <param name="Path">The path below the protocol's base address, for the upstream; Gemini's without its model.</param>
/// <param name="Model">The model, where the path names it; empty elsewhere.</param>
/// <param name="Action">Gemini's method after the model; empty elsewhere.</param>
internal readonly record struct CallRoute(
    UpstreamProtocol Protocol, CallKind Kind, string Path, string Model = "", string Action = "")
{
    private static readonly Dictionary<string, CallRoute> Posts = new(StringComparer.Ordinal)
    {
        ["/v1/chat/completions"] = new(UpstreamProtocol.OpenAI, CallKind.Chat, "/chat/completions"),
        ["/v1/completions"] = new(UpstreamProtocol.OpenAI, CallKind.Completions, "/completions"),
        ["/v1/responses"] = new(UpstreamProtocol.OpenAI, CallKind.Responses, "/responses"),
        ["/v1/embeddings"] = new(UpstreamProtocol.OpenAI, CallKind.Embeddings, "/embeddings"),
        ["/v1/images/generations"] = new(UpstreamProtocol.OpenAI, CallKind.ImageGeneration, "/images/generations"),
        ["/v1/images/edits"] = new(UpstreamProtocol.OpenAI, CallKind.ImageEdit, "/images/edits"),
        ["/v1/audio/speech"] = new(UpstreamProtocol.OpenAI, CallKind.Speech, "/audio/speech"),
        ["/v1/audio/transcriptions"] = new(
            UpstreamProtocol.OpenAI, CallKind.Transcription, "/audio/transcriptions"),
        ["/v1/rerank"] = new(UpstreamProtocol.OpenAI, CallKind.Rerank, "/rerank"),
        ["/v1/messages"] = new(UpstreamProtocol.Anthropic, CallKind.Chat, "/v1/messages"),
        ["/v1/messages/count_tokens"] = new(
            UpstreamProtocol.Anthropic, CallKind.CountTokens, "/v1/messages/count_tokens"),
    };

    private static readonly Dictionary<string, CallKind> GeminiActions = new(StringComparer.Ordinal)
    {
        ["generateContent"] = CallKind.Chat,
        ["streamGenerateContent"] = CallKind.Chat,
        ["countTokens"] = CallKind.CountTokens,
        ["embedContent"] = CallKind.Embeddings,
        ["batchEmbedContents"] = CallKind.Embeddings,
    };

    private const string GeminiModels = "/v1beta/models";

    /// <summary>The operation as records name it.</summary>
    internal string Operation => Kind switch
    {
        CallKind.Chat => "chat",
        CallKind.Completions => "completions",
        CallKind.Responses => "responses",
        CallKind.Embeddings => "embeddings",
        CallKind.ImageGeneration => "image_generation",
        CallKind.ImageEdit => "image_edit",
        CallKind.Speech => "speech",
        CallKind.Transcription => "transcription",
        CallKind.Rerank => "rerank",
        CallKind.CountTokens => "count_tokens",
        _ => "models",
    };

    /// <summary>Whether the answer is text that the model writes, token by token.</summary>
    internal bool Writes => Kind is CallKind.Chat or CallKind.Completions or CallKind.Responses;

    /// <summary>Finds the route of a request; false when the path is none of the gateway's.</summary>
    internal static bool TryFind(string method, PathString path, out CallRoute route)
    {
        string text = path.Value ?? "";
        route = default;
        if (!text.StartsWith("/v1", StringComparison.Ordinal))
        {
            return false;
        }

        if (HttpMethods.IsPost(method))
        {
            return Posts.TryGetValue(text, out route) || TryReadGemini(text, out route);
        }

        bool lists = HttpMethods.IsGet(method)
            && (IsAtOrBelow(text, "/v1/models") || IsAtOrBelow(text, GeminiModels));
        if (lists)
        {
            bool gemini = text.StartsWith(GeminiModels, StringComparison.Ordinal);
            string top = gemini ? GeminiModels : "/v1/models";
            string model = text.Length > top.Length ? text[(top.Length + 1)..] : "";
            route = new CallRoute(
                gemini ? UpstreamProtocol.Gemini : UpstreamProtocol.OpenAI, CallKind.ListModels, "", model);
        }

        return lists;
    }

    /// <summary>The route of one of Gemini's methods.</summary>
    internal static CallRoute ToGemini(string model, string action) =>
        new(UpstreamProtocol.Gemini, GeminiActions[action], GeminiModels, model, action);

    private static bool IsAtOrBelow(string path, string top) => path.StartsWith(top, StringComparison.Ordinal)
        && (path.Length == top.Length || path[top.Length] == '/');

    private static bool TryReadGemini(string path, out CallRoute route)
    {
        route = default;
        int colon = path.LastIndexOf(':');
        int start = GeminiModels.Length + 1;
        if (!path.StartsWith(GeminiModels + "/", StringComparison.Ordinal) || colon <= start
            || !GeminiActions.TryGetValue(path[(colon + 1)..], out CallKind kind))
        {
            return false;
        }

        route = new CallRoute(UpstreamProtocol.Gemini, kind, GeminiModels, path[start..colon], path[(colon + 1)..]);
        return true;
    }
}
