using System.Buffers;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>What an upstream says when it fails, in the words of each protocol.</summary>
internal static class AnswerErrors
{
    /// <summary>Longest message that is handed on.</summary>
    private const int MostMessage = 2_000;

    /// <summary>Reads what stands under <c>error</c>: an object with a message, or the message alone.</summary>
    internal static AnswerEvent Read(Node error)
    {
        string message = error.IsText ? error.Text : TextOf(error, "message");
        string kind = TextOf(error, "type") + " " + TextOf(error, "status") + " " + TextOf(error, "code");
        return AnswerEvent.Failed(KindOf(kind, StatusOf(error)), Cut(message));
    }

    /// <summary>Reads an answer with a status of 400 or more.</summary>
    internal static AnswerEvent Read(int status, ReadOnlyMemory<byte> body)
    {
        string message = "";
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, JsonText.Reading);
            Node top = Node.Top(document.RootElement);
            top = top.IsList && top.At.GetArrayLength() > 0 ? Node.Top(top.At[0]) : top;
            Node error = top.Find("error") ?? top;
            message = error.IsText ? error.Text : TextOf(error, "message");
        }
        catch (Exception fault) when (fault is JsonException or UncarriedException)
        {
            // A page, or nothing: the status says enough.
        }

        return AnswerEvent.Failed(
            KindOf("", status), message.Length > 0 ? Cut(message) : $"The upstream answered {status}.");
    }

    /// <summary>The error as a body of a protocol.</summary>
    internal static ReadOnlyMemory<byte> Write(AnswerEvent error, UpstreamProtocol protocol)
    {
        var body = new ArrayBufferWriter<byte>(512);
        new GatewayRefusal(error.Failure, error.Text).Write(body, protocol);
        return body.WrittenMemory;
    }

    /// <summary>The status of an error.</summary>
    internal static int StatusOf(AnswerEvent error) => new GatewayRefusal(error.Failure, "").Status;

    private static string TextOf(Node from, string name) => from.Find(name) is { IsText: true } text ? text.Text : "";

    private static int StatusOf(Node error) =>
        error.Find("code") is { At.ValueKind: JsonValueKind.Number } code && code.At.TryGetInt32(out int status)
            ? status
            : 0;

    private static string Cut(string message) => message.Length > MostMessage ? message[..MostMessage] : message;

    private static RefusalKind KindOf(string kind, int status)
    {
        bool Says(string word) => kind.Contains(word, StringComparison.OrdinalIgnoreCase);
        return status switch
        {
            400 or 422 => RefusalKind.Malformed,
            401 => RefusalKind.Upstream, // the gateway's own key, not the caller's
            402 => RefusalKind.Upstream,
            403 => RefusalKind.Permission,
            404 => RefusalKind.Model,
            408 or 504 => RefusalKind.Time,
            413 => RefusalKind.TooLarge,
            429 => RefusalKind.Rate,
            503 or 529 => RefusalKind.Busy,
            >= 400 and < 500 => RefusalKind.Malformed,
            _ when Says("overloaded") || Says("UNAVAILABLE") => RefusalKind.Busy,
            _ when Says("rate_limit") || Says("RESOURCE_EXHAUSTED") => RefusalKind.Rate,
            _ when Says("timeout") || Says("DEADLINE") => RefusalKind.Time,
            _ when Says("invalid_request") || Says("INVALID_ARGUMENT") => RefusalKind.Malformed,
            _ => RefusalKind.Upstream,
        };
    }
}
