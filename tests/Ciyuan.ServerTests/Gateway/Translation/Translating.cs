using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ciyuan.Counting;
using Ciyuan.Parties;
using Ciyuan.Server.Gateway;
using Ciyuan.Server.Gateway.Translation;

namespace Ciyuan.ServerTests.Gateway.Translation;

/// <summary>Translates without a server, and reads the vectors.</summary>
internal static class Translating
{
    internal static readonly UpstreamProtocol[] Protocols =
        [UpstreamProtocol.OpenAI, UpstreamProtocol.Anthropic, UpstreamProtocol.Gemini];

    /// <summary>The vectors of a file beside the tests.</summary>
    internal static JsonObject[] Vectors(string name)
    {
        using Stream stream = typeof(Translating).Assembly.GetManifestResourceStream(name)!;
        return [.. JsonNode.Parse(stream)!.AsArray().Select(v => v!.AsObject())];
    }

    internal static string NameOf(UpstreamProtocol protocol) => protocol.ToString().ToLowerInvariant();

    internal static CallRoute RouteOf(UpstreamProtocol protocol) => protocol switch
    {
        UpstreamProtocol.Anthropic => new CallRoute(protocol, CallKind.Chat, "/v1/messages"),
        UpstreamProtocol.Gemini => CallRoute.ToGemini("m", "generateContent"),
        _ => new CallRoute(protocol, CallKind.Chat, "/chat/completions"),
    };

    /// <summary>Reads a call.</summary>
    internal static Exchange Read(UpstreamProtocol from, string body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        return SpokenCall.Read(RouteOf(from), Node.Top(document.RootElement));
    }

    /// <summary>Writes a call.</summary>
    internal static string Write(UpstreamProtocol to, Exchange exchange, bool counts = false)
    {
        var body = new ArrayBufferWriter<byte>();
        using (Utf8JsonWriter json = JsonText.Open(body))
        {
            switch (to)
            {
                case UpstreamProtocol.Anthropic:
                    AnthropicRequestWriter.Write(exchange, json, "m", counts);
                    break;
                case UpstreamProtocol.Gemini:
                    GeminiRequestWriter.Write(exchange, json, "m", counts);
                    break;
                default:
                    OpenAIRequestWriter.Write(exchange, json, "m", "max_tokens");
                    break;
            }
        }

        return Encoding.UTF8.GetString(body.WrittenSpan);
    }

    internal static UsageReader UsageReaderOf(UpstreamProtocol protocol) => protocol switch
    {
        UpstreamProtocol.Anthropic => UsageReaders.Find("anthropic", "messages")!,
        UpstreamProtocol.Gemini => UsageReaders.Find("google", "gemini")!,
        _ => UsageReaders.Find("openai", "chat")!,
    };

    /// <summary>Translates a whole answer.</summary>
    internal static string Answer(UpstreamProtocol from, UpstreamProtocol to, string body, bool byTool = false)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        using AnswerWriter writer = AnswerWriter.Open(to, CallKind.Chat, false, new AnswerFrame("X", 7, "m",
            () => AnswerUsage.From(UsageReaderOf(from).Read(bytes))));
        AnswerReader reader = AnswerReader.Open(from, "X", byTool);
        foreach (AnswerEvent found in reader.ReadWhole(bytes))
        {
            writer.Write(found);
        }

        writer.End();
        return Encoding.UTF8.GetString(writer.Output.WrittenSpan);
    }

    /// <summary>Translates a stream that comes in pieces of some bytes.</summary>
    internal static string Stream(
        UpstreamProtocol from, UpstreamProtocol to, byte[] stream, int pieceBytes, bool byTool = false,
        bool asEvents = true)
    {
        using var events = new SseReader();
        StreamReading usage = UsageReaderOf(from).OpenStream();
        using AnswerWriter writer = AnswerWriter.Open(to, CallKind.Chat, true, new AnswerFrame("X", 7, "m",
            () => AnswerUsage.From(usage.Finish()))
        {
            AsksForUsage = true,
            AsEvents = asEvents,
        });
        AnswerReader reader = AnswerReader.Open(from, "X", byTool);
        foreach (byte[] piece in stream.Chunk(pieceBytes))
        {
            ReadOnlySpan<byte> rest = piece;
            while (events.TryRead(ref rest, out ReadOnlySpan<byte> data))
            {
                usage.Add(data);
                foreach (AnswerEvent found in reader.ReadEvent(data))
                {
                    writer.Write(found);
                }
            }
        }

        if (!reader.IsComplete)
        {
            writer.Write(AnswerEvent.Failed(RefusalKind.Upstream, "The upstream broke off within its answer."));
        }

        writer.End();
        return Encoding.UTF8.GetString(writer.Output.WrittenSpan);
    }

    /// <summary>The data of a stream's events, without spaces that mean nothing.</summary>
    internal static string[] EventsOf(string stream) =>
    [
        .. stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(e => e[(e.IndexOf("data: ", StringComparison.Ordinal) + 6)..]),
    ];

    internal static void AssertSame(string expected, string actual) => Assert.True(
        JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)),
        $"expected {expected}\nbut was {actual}");
}
