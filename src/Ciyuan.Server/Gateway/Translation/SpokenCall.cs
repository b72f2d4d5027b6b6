using System.Buffers;
using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// A call as it is said to an upstream: as the caller said it, or in the upstream's own protocol. From here on the
/// gateway treats both alike.
/// </summary>
/// <param name="Route">What is asked for, in the upstream's protocol.</param>
/// <param name="Facts">What the body says.</param>
/// <param name="Body">The body.</param>
internal sealed record SpokenCall(CallRoute Route, CallFacts Facts, ReadOnlyMemory<byte> Body)
{
    /// <summary>Whether it was translated.</summary>
    internal bool IsForeign { get; init; }

    /// <summary>Fields of the caller that were left out.</summary>
    internal IReadOnlyCollection<string> Dropped { get; init; } = [];

    /// <summary>Whether the text of the answer comes as the arguments of a tool.</summary>
    internal bool ByTool { get; init; }

    /// <summary>Whether calls of a kind can be said to an upstream of another protocol.</summary>
    internal static bool Carries(in CallRoute route, UpstreamProtocol protocol) => route.Kind switch
    {
        CallKind.Chat => true,
        CallKind.Responses => protocol != UpstreamProtocol.OpenAI, // whose own responses are asked for
        CallKind.CountTokens => protocol != UpstreamProtocol.OpenAI, // which has no way to ask for that
        _ => false,
    };

    /// <summary>Says a call to an upstream of another protocol; or why it can't be said.</summary>
    internal static (SpokenCall? Spoken, GatewayRefusal? Refusal) Translate(Call call, Candidate to)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(call.Body, JsonText.Reading);
            Exchange exchange = Read(call.Route, Node.Top(document.RootElement));
            exchange.Streams |= call.Facts.Streams;
            return (Write(call.Route, exchange, to), null);
        }
        catch (Exception fault) when (fault is UncarriedException or JsonException or InvalidOperationException)
        {
            return (null, new GatewayRefusal(RefusalKind.Malformed, fault.Message));
        }
    }

    /// <summary>The body for an upstream, with what the hold and the upstream need put in.</summary>
    internal ReadOnlyMemory<byte> WriteBody(ServedModelSetup served, long limit)
    {
        bool needsLimit = IsForeign && Route is { Protocol: UpstreamProtocol.Anthropic, Kind: CallKind.Chat }
            && Facts.MostOutput < 0 && limit < 0;
        return UpstreamBody.Write(Route, Facts, Body, served, needsLimit ? LimitOf(served) : limit);
    }

    /// <summary>Reads a body in the words of its protocol.</summary>
    internal static Exchange Read(in CallRoute route, Node body) => route.Protocol switch
    {
        UpstreamProtocol.Anthropic => AnthropicRequestReader.Read(body),
        UpstreamProtocol.Gemini => GeminiRequestReader.Read(
            route.Kind == CallKind.CountTokens ? body.Find("generateContentRequest") ?? body : body),
        _ => route.Kind == CallKind.Responses ? ResponsesRequestReader.Read(body) : OpenAIRequestReader.Read(body),
    };

    private static SpokenCall Write(in CallRoute asked, Exchange exchange, Candidate to)
    {
        UpstreamProtocol protocol = to.Upstream.Setup.Protocol;
        string model = to.Served.As.Length > 0 ? to.Served.As : to.Served.Model;
        bool counts = asked.Kind == CallKind.CountTokens;
        var body = new ArrayBufferWriter<byte>(1_024);
        bool byTool = false;
        using (Utf8JsonWriter json = JsonText.Open(body))
        {
            switch (protocol)
            {
                case UpstreamProtocol.Anthropic:
                    byTool = AnthropicRequestWriter.Write(exchange, json, model, counts);
                    break;
                case UpstreamProtocol.Gemini:
                    GeminiRequestWriter.Write(exchange, json, model, counts);
                    break;
                default:
                    string field = to.Served.LimitField.Length > 0 ? to.Served.LimitField : "max_tokens";
                    OpenAIRequestWriter.Write(exchange, json, model, field);
                    break;
            }
        }

        CallRoute route = RouteTo(protocol, counts ? CallKind.CountTokens : CallKind.Chat, exchange.Streams, model);
        return new SpokenCall(route, CallFacts.Read(route, body.WrittenSpan, "application/json"), body.WrittenMemory)
        {
            IsForeign = true,
            Dropped = exchange.Dropped,
            ByTool = byTool,
        };
    }

    private static CallRoute RouteTo(UpstreamProtocol protocol, CallKind kind, bool streams, string model) =>
        protocol switch
        {
            UpstreamProtocol.Anthropic => new CallRoute(
                protocol, kind, kind == CallKind.CountTokens ? "/v1/messages/count_tokens" : "/v1/messages"),
            UpstreamProtocol.Gemini => CallRoute.ToGemini(model, kind == CallKind.CountTokens ? "countTokens"
                : streams ? "streamGenerateContent"
                : "generateContent"),
            _ => new CallRoute(protocol, kind, "/chat/completions"),
        };

    // What Anthropic wants to be said is what the hold reckons with where nothing is said.
    private static long LimitOf(ServedModelSetup served) =>
        served.MaxOutput > 0 ? served.MaxOutput : GatewayLimits.AssumedOutput;
}
