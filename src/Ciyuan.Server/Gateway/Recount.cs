using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using Ciyuan.Parties;
using Ciyuan.Tokens;
using Ciyuan.Tokens.Framing;
using Ciyuan.Tokens.Media;
using Ciyuan.Tokens.Vocabularies;
using Ciyuan.Usage;

namespace Ciyuan.Server.Gateway;

/// <summary>A number of tokens that was counted here, and by how much it may be off to either side.</summary>
/// <param name="Tokens">Tokens.</param>
/// <param name="Error">How far off it may be, because a provider hides something.</param>
internal readonly record struct Recounted(long Tokens, long Error)
{
    /// <summary>Whether it says the same as the provider.</summary>
    internal bool Covers(long said) => Math.Abs(said - Tokens) <= Error;
}

/// <summary>
/// Step 3, Count 计数, a second time: calls and answers of models whose vocabulary is known are counted from their text,
/// beside what the provider says. Which vocabulary a model uses is data (docs/VOCABULARIES.md).
/// </summary>
internal sealed class Recount
{
    /// <summary>Most bytes of a call that is counted: 4 MiB. Counted after a whole answer has gone out, but before the
    /// end of a stream, so it must not take long.</summary>
    private const int MostBytes = 4 * 1024 * 1024;

    /// <summary>Most names of models that are remembered; names come from setups, so there are few.</summary>
    private const int MostModels = 1_024;

    private readonly VocabularyCatalog _catalog;
    private readonly ChatCounter _chats;
    private readonly ConcurrentDictionary<string, RecountModel?> _models = new(StringComparer.Ordinal);

    /// <summary>Looks into folders of vocabularies beside those that come with the program.</summary>
    internal Recount(params IEnumerable<string> folders)
    {
        _catalog = new VocabularyCatalog(folders);
        _chats = new ChatCounter(FramingRules.Default, MediaRules.Default, _catalog);
    }

    /// <summary>The model of a call, if it can be counted; null when its vocabulary is not known or not here. What the
    /// sandbox says is made up, so it is not compared with anything.</summary>
    internal RecountModel? Find(CallKind kind, Candidate served)
    {
        bool isText = kind is CallKind.Chat or CallKind.Completions or CallKind.Responses;
        if (!isText || served.Upstream.Setup.Protocol == UpstreamProtocol.Sandbox)
        {
            return null;
        }

        string model = served.Served.As.Length > 0 ? served.Served.As : served.Served.Model;
        if (_models.TryGetValue(model, out RecountModel? known))
        {
            return known;
        }

        RecountModel? found = _catalog.Rules.Find(model)?.Vocabulary is { } name && _catalog.Has(name)
            ? new RecountModel(model, _chats, new Lazy<Tokenizer>(() => Tokenizer.For(_catalog.Get(name))))
            : null;
        return _models.Count < MostModels ? _models.GetOrAdd(model, found) : found;
    }

    /// <summary>The form of a call's body for the library; null when it reads none of that kind.</summary>
    internal static ChatBodyForm? FormOf(in CallRoute route) => route.Kind != CallKind.Chat ? null
        : route.Protocol switch
        {
            UpstreamProtocol.Anthropic => ChatBodyForm.AnthropicMessages,
            UpstreamProtocol.Gemini => ChatBodyForm.Gemini,
            _ => ChatBodyForm.OpenAiChat,
        };

    /// <summary>Whether a body is small enough to be counted.</summary>
    internal static bool IsCounted(ReadOnlyMemory<byte> body) => body.Length <= MostBytes;

    /// <summary>
    /// Compares what a provider says with what was counted here: where the difference is within what the provider
    /// hides, the counts of that direction are exact; else they stay as reported. Both numbers are kept.
    /// </summary>
    internal static CallCount Compare(CallCount count, Recounted? input, Recounted? output)
    {
        if (input is null && output is null)
        {
            return count;
        }

        var tags = new List<Tag>(count.Tags);
        bool exactInput = Judge(count.Counts, Direction.Input, input, tags);
        bool exactOutput = Judge(count.Counts, Direction.Output, output, tags);
        Count[] counts = [.. count.Counts.Select(c => c.Grade == EvidenceGrade.Reported && c.Meter.IsTokens
            && (c.Meter.TokenClass.Direction == Direction.Input ? exactInput : exactOutput)
                ? c with { Grade = EvidenceGrade.Exact }
                : c)];
        return count with { Counts = counts, Tags = [.. tags] };
    }

    private static bool Judge(Count[] counts, Direction direction, Recounted? recounted, List<Tag> tags)
    {
        if (recounted is not { } own)
        {
            return false;
        }

        string name = direction == Direction.Input ? "recount_input" : "recount_output";
        tags.Add(new Tag(name, own.Tokens.ToString(CultureInfo.InvariantCulture)));
        return own.Covers(counts.Where(c => c.Meter.IsTokens && c.Meter.TokenClass.Direction == direction)
            .Sum(c => c.Steps));
    }
}

/// <summary>A model that can be counted. Safe for any number of threads; its vocabulary is opened when it is first
/// needed, which takes some 30 ms.</summary>
internal sealed class RecountModel(string name, ChatCounter chats, Lazy<Tokenizer> tokenizer)
{
    /// <summary>Counts text.</summary>
    internal Tokenizer Tokenizer => tokenizer.Value;

    /// <summary>Tokens of a call's input by its messages, tools and their framing; null when something of it can't be
    /// counted, or nobody published how the model's calls are framed.</summary>
    internal Recounted? Input(in CallRoute route, ReadOnlyMemory<byte> body)
    {
        if (Recount.FormOf(route) is not { } form || !Recount.IsCounted(body))
        {
            return null;
        }

        try
        {
            ChatRequest request = ChatRequestReader.Read(body, form, name) with { Model = name };
            ChatCount count = chats.Count(request);
            return count.IsComplete && count.Grade != MediaGrade.Approximate
                ? new Recounted(count.Total, count.ErrorTokens)
                : null;
        }
        catch (ChatRequestException)
        {
            return null; // not a call of that form: whoever answered it knows better
        }
    }
}

/// <summary>What a piece of an answer is; pieces of one kind that follow each other are one text.</summary>
internal enum AnswerPart
{
    Text,
    Reasoning,
    Arguments,
}

/// <summary>
/// Counts the text of an answer as it comes. Of a text up to <see cref="Kept"/> bytes are kept and counted at the end;
/// beyond that it is counted bit by bit, so that memory is bounded whatever the length.
/// </summary>
internal sealed class AnswerText(RecountModel model) : IDisposable
{
    private const int Kept = 64 * 1024;

    /// <summary>What a provider puts around an answer, as far as it counts it: the mark of its end.</summary>
    private const int ErrorOfAnswer = 2;

    /// <summary>The same around the arguments of a call of a tool: its name, and marks.</summary>
    private const int ErrorOfCall = 24;

    private byte[] _buffer = [];
    private int _length;
    private RunningCount? _running;
    private AnswerPart _part;
    private long _tokens;
    private long _calls;

    /// <summary>Whether what the model thought was shown.</summary>
    internal bool HasReasoning { get; private set; }

    /// <summary>Adds a piece of text in UTF-8.</summary>
    internal void Add(AnswerPart part, ReadOnlySpan<byte> utf8)
    {
        if (part != _part)
        {
            EndText();
            _part = part;
            _calls += part == AnswerPart.Arguments ? 1 : 0;
            HasReasoning |= part == AnswerPart.Reasoning;
        }

        if (_running is null && _length + utf8.Length > Kept)
        {
            _running = model.Tokenizer.Begin();
            _running.Append(_buffer.AsSpan(0, _length));
            _length = 0;
        }

        if (_running is not null)
        {
            _running.Append(utf8);
            return;
        }

        if (_length + utf8.Length > _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + utf8.Length, Math.Max(256, _length * 2)));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            Return();
            _buffer = larger;
        }

        utf8.CopyTo(_buffer.AsSpan(_length));
        _length += utf8.Length;
    }

    /// <summary>Tokens of all that came.</summary>
    /// <param name="answers">How many answers were asked for.</param>
    internal Recounted Finish(long answers)
    {
        EndText();
        return new Recounted(_tokens, (ErrorOfAnswer * answers) + (ErrorOfCall * _calls));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _running?.Dispose();
        _running = null;
        Return();
        _buffer = [];
    }

    private void EndText()
    {
        if (_running is { } running)
        {
            _tokens += running.Finish();
            running.Dispose();
            _running = null;
        }
        else if (_length > 0)
        {
            _tokens += model.Tokenizer.Count(_buffer.AsSpan(0, _length));
        }

        _length = 0;
    }

    private void Return()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
