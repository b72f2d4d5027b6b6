using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ciyuan.Server.Gateway.Translation;

namespace Ciyuan.Server.Gateway.Sandbox;

/// <summary>
/// The built-in provider: answers calls of all three protocols without a network, the same call always with the same
/// bytes, and says what it "used". It is no model: it repeats what it was told.
/// </summary>
internal sealed class SandboxHandler : HttpMessageHandler
{
    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        byte[] body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
        string path = request.RequestUri!.AbsolutePath;
        try
        {
            SandboxCall call = SandboxCall.Read(path, request.RequestUri.Query, body);
            return Answer(path, call);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException)
        {
            return Json(SandboxOpenAI.Error(fault.Message), HttpStatusCode.BadRequest);
        }
    }

    private static HttpResponseMessage Answer(string path, SandboxCall call) => path switch
    {
        "/OpenAI/chat/completions" => call.Streams ? Events(SandboxOpenAI.ChatEvents(call)) : Json(
            SandboxOpenAI.Chat(call)),
        "/OpenAI/completions" => call.Streams ? Events(SandboxOpenAI.CompletionEvents(call)) : Json(
            SandboxOpenAI.Completion(call)),
        "/OpenAI/responses" => call.Streams ? Events(SandboxResponses.Events(call)) : Json(
            SandboxResponses.Whole(call, "completed")),
        "/OpenAI/embeddings" => Json(SandboxMedia.Embeddings(call)),
        "/OpenAI/images/generations" or "/OpenAI/images/edits" => Json(SandboxMedia.Images(call)),
        "/OpenAI/audio/speech" => Bytes(SandboxMedia.Sound(), "audio/wav"),
        "/OpenAI/audio/transcriptions" => Json(SandboxMedia.Transcript()),
        "/OpenAI/rerank" => Json(SandboxMedia.Ranks(call)),
        "/Anthropic/v1/messages" => call.Streams ? Events(SandboxAnthropic.Events(call)) : Json(
            SandboxAnthropic.Message(call)),
        "/Anthropic/v1/messages/count_tokens" => Json(new JsonObject { ["input_tokens"] = call.Input }),
        _ => AnswerGemini(path, call),
    };

    private static HttpResponseMessage AnswerGemini(string path, SandboxCall call) =>
        path[(path.LastIndexOf(':') + 1)..] switch
        {
            "generateContent" => Json(SandboxGemini.Whole(call)),
            "streamGenerateContent" when call.AsEvents => Events(SandboxGemini.Parts(call).Select(p => Data(p))),
            "streamGenerateContent" => Bytes(
                Encoding.UTF8.GetBytes(
                    $"[{string.Join(",\r\n", SandboxGemini.Parts(call)
                        .Select(p => p.ToJsonString(JsonText.Writing)))}]"),
                "application/json"),
            "countTokens" => Json(new JsonObject { ["totalTokens"] = call.Input }),
            _ => Json(SandboxMedia.GeminiEmbeddings(call)),
        };

    /// <summary>An event with data alone.</summary>
    internal static string Data(JsonNode data) => $"data: {data.ToJsonString(JsonText.Writing)}\n\n";

    /// <summary>An event with a name.</summary>
    internal static string Event(string name, JsonNode data) =>
        $"event: {name}\ndata: {data.ToJsonString(JsonText.Writing)}\n\n";

    private static HttpResponseMessage Json(JsonNode body, HttpStatusCode status = HttpStatusCode.OK)
    {
        HttpResponseMessage answer = Bytes(
            Encoding.UTF8.GetBytes(body.ToJsonString(JsonText.Writing)), "application/json");
        answer.StatusCode = status;
        return answer;
    }

    private static HttpResponseMessage Bytes(byte[] body, string type)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
    }

    private static HttpResponseMessage Events(IEnumerable<string> events)
    {
        var content = new StreamContent(new EventPieces(events));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("text/event-stream; charset=utf-8");
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
    }
}
