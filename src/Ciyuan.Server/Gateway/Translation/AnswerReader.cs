using System.Text.Json;
using Ciyuan.Parties;

namespace Ciyuan.Server.Gateway.Translation;

/// <summary>
/// Reads an upstream's answer, whole or event by event, into what it brings. Nothing of it is kept but what is open.
/// For one answer and one thread.
/// </summary>
internal abstract class AnswerReader
{
    /// <summary>Most answers in one; the protocols allow no more.</summary>
    private const int MostChoices = 128;

    /// <summary>Most calls of tools in one answer.</summary>
    protected const int MostCalls = 1_024;

    private readonly List<AnswerEvent> _found = [];
    private readonly HashSet<int> _stopped = [];
    private readonly HashSet<int> _begun = [];

    /// <summary>Whether the answer came to its end: all that began has stopped, and something has.</summary>
    internal bool IsComplete => _stopped.Count > 0 && _begun.IsSubsetOf(_stopped);

    /// <summary>Opens a reader.</summary>
    /// <param name="protocol">The upstream's protocol.</param>
    /// <param name="call">Id of the call, for ids of tool calls that the upstream gives none.</param>
    /// <param name="byTool">Whether <see cref="AnthropicRequestWriter.JsonTool"/> brings the answer's text.</param>
    internal static AnswerReader Open(UpstreamProtocol protocol, string call, bool byTool) => protocol switch
    {
        UpstreamProtocol.Anthropic => new AnthropicAnswerReader(byTool),
        UpstreamProtocol.Gemini => new GeminiAnswerReader(call),
        _ => new OpenAIAnswerReader(call),
    };

    /// <summary>Reads the data of an event.</summary>
    /// <returns>What it brings, until the next call.</returns>
    internal IReadOnlyList<AnswerEvent> ReadEvent(ReadOnlySpan<byte> data) => Read(data, isWhole: false);

    /// <summary>Reads a whole answer.</summary>
    internal IReadOnlyList<AnswerEvent> ReadWhole(ReadOnlySpan<byte> body) => Read(body, isWhole: true);

    /// <summary>Reads what an event says.</summary>
    protected abstract void TakeEvent(Node data);

    /// <summary>Reads what a whole answer says.</summary>
    protected abstract void TakeWhole(Node body);

    /// <summary>Notes what was found.</summary>
    protected void Find(AnswerEvent found)
    {
        switch (found.Kind)
        {
            case AnswerEventKind.Stop:
                if (!_stopped.Add(found.Choice))
                {
                    return; // said twice
                }

                break;
            case AnswerEventKind.Text or AnswerEventKind.Thought or AnswerEventKind.Call:
                _begun.Add(found.Choice);
                break;
        }

        _found.Add(found);
    }

    /// <summary>Notes a piece of text, unless it is empty.</summary>
    protected void FindText(AnswerEventKind kind, string text, int choice)
    {
        if (text.Length > 0)
        {
            Find(new AnswerEvent(kind, text, choice));
        }
    }

    /// <summary>Which of several answers a part belongs to.</summary>
    protected static int ChoiceOf(Node part) => part.Find("index") is not { } index ? 0
        : index.Whole is >= 0 and < MostChoices and var choice ? (int)choice
        : throw index.Fault("is out of range");

    /// <summary>Notes an error; it ends the answer.</summary>
    protected void FindError(Node error) => Find(AnswerErrors.Read(error));

    private List<AnswerEvent> Read(ReadOnlySpan<byte> data, bool isWhole)
    {
        _found.Clear();
        data = data.Trim(" \t\r\n"u8);
        if (data.IsEmpty || data.SequenceEqual("[DONE]"u8))
        {
            return _found;
        }

        try
        {
            var json = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = CallFacts.Depth });
            using JsonDocument document = JsonDocument.ParseValue(ref json);
            Node top = Node.Top(document.RootElement);
            if (isWhole)
            {
                TakeWhole(top);
            }
            else
            {
                TakeEvent(top);
            }
        }
        catch (Exception fault) when (fault is JsonException or UncarriedException or InvalidOperationException
            or FormatException)
        {
            Find(AnswerEvent.Failed(
                RefusalKind.Upstream, $"The upstream's answer can't be carried over: {fault.Message}"));
        }

        return _found;
    }
}
