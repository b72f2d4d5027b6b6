using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Ciyuan.Tokens.Media;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Framing;

/// <summary>
/// Tells how many input tokens a chat request has before it is sent, with the size of the error where the provider
/// hides something. Safe for any number of threads.
/// </summary>
public sealed class ChatCounter
{
    /// <summary>What is used to count for a model whose vocabulary is not published or not here.</summary>
    private const string Stand = "o200k_base";

    /// <summary>How far that may be off, in percent of the text: measured in docs/STANDARD-TOKEN.md.</summary>
    private const long StandErrorPercent = 35;

    private readonly FramingRules _framing;
    private readonly MediaRules _media;
    private readonly VocabularyCatalog _catalog;
    private readonly ConcurrentDictionary<string, Lazy<Tokenizer>> _tokenizers = [];

    /// <summary>Makes a counter out of rules and vocabularies.</summary>
    public ChatCounter(FramingRules framing, MediaRules media, VocabularyCatalog catalog)
    {
        _framing = framing;
        _media = media;
        _catalog = catalog;
    }

    /// <summary>The counter with the rules and vocabularies that come with the library.</summary>
    public static ChatCounter Default { get; } =
        new(FramingRules.Default, MediaRules.Default, VocabularyCatalog.Shipped);

    /// <summary>Counts a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="counter">How to count text; null to use the vocabulary of the model.</param>
    public ChatCount Count(ChatRequest request, TextCounter? counter = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        Tally tally = new();
        FramingRule? rule = _framing.Find(request.Model);
        counter ??= CounterFor(request.Model, rule, tally);
        if (rule is null)
        {
            tally.Lower(MediaGrade.Approximate);
            tally.Notes.Add($"no rule of framing names the model '{request.Model}': only what is said was counted");
        }

        long[] texts = new long[request.Messages.Count]; // of each message
        long said = 0;
        for (int i = 0; i < texts.Length; i++)
        {
            foreach (ChatPart part in request.Messages[i].Parts)
            {
                texts[i] += part.Text is { } text ? CountOf(text, counter) : 0;
            }

            said += texts[i];
        }

        Dictionary<ChatPart, long> frames = Things(request, tally);
        long all = rule is null ? said : rule.Shape == "turns"
            ? Turns(rule, request, counter, frames)
            : Overhead(rule, request, counter, frames, texts);
        if (rule is not null)
        {
            (said, all) = Judge(rule, request, said, all, tally);
        }

        return tally.Result(all, Math.Max(0, all - said));
    }

    private static long Turns(
        FramingRule rule, ChatRequest request, TextCounter counter, Dictionary<ChatPart, long> frames)
    {
        PromptBuilder prompt = new(rule.Marks, counter);
        new TurnsFraming(rule, request, prompt, part => frames.GetValueOrDefault(part)).Write();
        return prompt.Count();
    }

    private static long Overhead(
        FramingRule rule, ChatRequest request, TextCounter counter, Dictionary<ChatPart, long> frames, long[] texts)
    {
        long total = rule.Number("base") + rule.Number("perReply") + frames.Values.Sum();
        bool hasTools = request.Tools.Count > 0;
        bool hasSystem = request.Messages.Any(m => m.Role is "system" or "developer");
        total += hasSystem ? rule.Number("withSystem") : 0;
        bool padded = !hasTools || !rule.Flag("systemNewlineWithTools");
        for (int i = 0; i < texts.Length; i++)
        {
            ChatMessage m = request.Messages[i];
            bool pad = !padded && m.Role is ("system" or "developer");
            padded |= pad;
            total += rule.Number("perMessage") + TextOf(m, pad, texts[i], counter);
            total += rule.Flag("countRoles") ? Of(m.Role) : 0;
            total += m.Name.Length > 0 ? Of(m.Name) + rule.Number("perName") : 0;
            total += m.Role is "function" or "tool" ? rule.Number("perFunctionAnswer") : 0;
            total += m.ToolCalls.Sum(c => Of(c.Name) + Of(c.Arguments) + rule.Number("perCall"));
        }

        if (hasTools)
        {
            total += rule.Number("perTools") + (hasSystem ? rule.Number("withSystemAndTools") : 0);
            total += Of(rule.Text("toolForm") == "typescript"
                ? TypeScriptTools.Render(request.Tools, withDefaults: false)
                : string.Join('\n', request.Tools.Select(
                    t => $"{t.Name}\n{t.Description}\n{JsonForms.Spaced(t.Parameters)}")));
            total += request.ToolChoice switch
            {
                "" or "auto" or "required" => 0,
                "none" => rule.Number("perChoiceNone"),
                _ => Of(request.ToolChoice) + rule.Number("perChoiceNamed"),
            };
        }

        return total;

        long Of(string text) => CountOf(text, counter);
    }

    // Its parts are one text, which is counted already where there is one part.
    private static long TextOf(ChatMessage message, bool pad, long counted, TextCounter counter) =>
        pad || message.Parts.Count > 1
            ? CountOf(string.Concat(message.Parts.Select(p => p.Text ?? "")) + (pad ? "\n" : ""), counter)
            : counted;

    private static long CountOf(string text, TextCounter counter)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            return counter(utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(utf8);
        }
    }

    /// <summary>What the rule says about scale, grade and error.</summary>
    private static (long Said, long All) Judge(FramingRule rule, ChatRequest request, long said, long all, Tally tally)
    {
        long percent = rule.Number("textPercent", 100);
        long scaled = ((all * percent) + 99) / 100;
        long error = rule.Number("errorBase") + (rule.Number("errorPerMessage") * request.Messages.Count)
            + (rule.Number("errorPerTool") * request.Tools.Count)
            + (((scaled * rule.Number("errorPercent")) + 99) / 100);
        tally.Error += error;
        tally.Lower(rule.Grade);
        tally.Notes.Add(rule.Summary);
        if (rule.Note.Length > 0)
        {
            tally.Notes.Add(rule.Note);
        }

        return (said * percent / 100, scaled);
    }

    /// <summary>Counts all things; what is answered is what the prompt has around each.</summary>
    private Dictionary<ChatPart, long> Things(ChatRequest request, Tally tally)
    {
        Dictionary<ChatPart, long> frames = new(ReferenceEqualityComparer.Instance);
        foreach (ChatPart part in request.Messages.SelectMany(m => m.Parts))
        {
            if (part.Text is not null)
            {
                continue;
            }

            if (part.Media is null)
            {
                tally.Complete = false;
                tally.Notes.Add($"not counted: {part.Unknown}");
                continue;
            }

            MediaCount count = _media.Count(request.Model, part.Media, part.Detail);
            if (count.Status != MediaStatus.Counted)
            {
                tally.Complete = false;
                string why = part.Unknown.Length > 0 ? part.Unknown + ": " : "";
                tally.Notes.Add($"not counted: {why}{count.Explanation}");
                continue;
            }

            frames[part] = frames.GetValueOrDefault(part) + count.FrameTokens;
            tally.Add(part.Media.Kind, count);
        }

        return frames;
    }

    private TextCounter CounterFor(string model, FramingRule? rule, Tally tally)
    {
        string wanted = rule?.Vocabulary is { Length: > 0 } told ? told : _catalog.Rules.Find(model)?.Vocabulary ?? "";
        string name = wanted.Length > 0 && _catalog.Has(wanted) ? wanted : Stand;
        if (name != wanted)
        {
            tally.StandIn = true;
            tally.Lower(MediaGrade.Approximate);
            tally.Notes.Add(wanted.Length == 0
                ? $"it is not known which vocabulary '{model}' uses: counted by {Stand}"
                : $"the vocabulary {wanted} is not here: counted by {Stand}");
        }
        else
        {
            tally.Notes.Add($"vocabulary {name}");
        }

        Tokenizer tokenizer =
            _tokenizers.GetOrAdd(name, n => new Lazy<Tokenizer>(() => Tokenizer.For(_catalog.Get(n)))).Value;
        return utf8 => tokenizer.Count(utf8);
    }

    /// <summary>What comes together while counting.</summary>
    private sealed class Tally
    {
        private readonly long[] _tokens = new long[(int)MediaKind.Document + 1];
        private MediaGrade _grade = MediaGrade.Exact;

        public List<string> Notes { get; } = [];

        public long Error { get; set; }

        public bool Complete { get; set; } = true;

        public bool StandIn { get; set; }

        public void Lower(MediaGrade grade) => _grade = grade > _grade ? grade : _grade;

        public void Add(MediaKind kind, MediaCount count)
        {
            _tokens[(int)kind] += count.Tokens;
            Error += count.ErrorTokens;
            Lower(count.Grade);
            Notes.Add(count.Explanation);
        }

        public ChatCount Result(long text, long framing) => new()
        {
            Text = text,
            Framing = framing,
            Image = _tokens[(int)MediaKind.Image],
            Audio = _tokens[(int)MediaKind.Audio],
            Video = _tokens[(int)MediaKind.Video],
            Document = _tokens[(int)MediaKind.Document],
            ErrorTokens = Error + (StandIn ? ((text * StandErrorPercent) + 99) / 100 : 0),
            Grade = _grade,
            IsComplete = Complete,
            Notes = Notes,
        };
    }
}
