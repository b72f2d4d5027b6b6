using System.Text.Json;
using Ciyuan.Usage;

namespace Ciyuan.Counting;

/// <summary>Reads the usage of responses in one convention of one provider. Immutable; for any number of
/// threads.</summary>
public sealed class UsageReader
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 128 };

    private static readonly string[] UsualRoots = ["usage", "response.usage", "message.usage"];
    private static readonly string[][] UsualPaths = Array.ConvertAll(UsualRoots, root => root.Split('.'));

    private readonly Action<UsageObject, ReadingDraft> _take;
    private readonly string[][] _paths = UsualPaths; // the roots, cut at their dots

    /// <summary>A reader.</summary>
    /// <param name="provider">The provider's usual name here.</param>
    /// <param name="flavour">Which of its interfaces.</param>
    /// <param name="take">States what a usage object says.</param>
    internal UsageReader(string provider, string flavour, Action<UsageObject, ReadingDraft> take) =>
        (Provider, Flavour, _take) = (provider, flavour, take);

    /// <summary>The provider.</summary>
    public string Provider { get; }

    /// <summary>Which of its interfaces.</summary>
    public string Flavour { get; }

    /// <summary>Other names of the provider.</summary>
    public IReadOnlyList<string> AlsoProviders { get; internal init; } = [];

    /// <summary>Other names of the interface.</summary>
    public IReadOnlyList<string> AlsoFlavours { get; internal init; } = [];

    /// <summary>Where the usage stands, the first that is there; an empty path is the response itself.</summary>
    internal string[] Roots
    {
        get;
        init
        {
            field = value;
            _paths = Array.ConvertAll(value, root => root.Length == 0 ? [] : root.Split('.'));
        }
    } = UsualRoots;

    /// <summary>States what the provider charges of the body beside its usage, such as calls of its tools; null: it has
    /// none.</summary>
    internal Action<JsonElement, ReadingDraft>? Beside { get; init; }

    /// <summary>What the reader itself declares, where whoever asks declares nothing.</summary>
    internal ReadingOptions Presets { get; init; }

    /// <summary>How the shape is known when nobody says what it is; null: never by shape.</summary>
    internal Func<JsonElement, bool>? Shape { get; init; }

    /// <summary>Order among the shapes: lower is asked first. The more a shape says, the lower.</summary>
    internal int ShapeOrder { get; init; }

    /// <summary>Reads one response.</summary>
    /// <param name="body">The body, as the provider sent it: a JSON object in UTF-8.</param>
    /// <param name="options">What is known beyond its bytes.</param>
    public UsageReading Read(ReadOnlyMemory<byte> body, ReadingOptions options = default)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, Strict);
            return Read(document.RootElement, options);
        }
        catch (JsonException broken)
        {
            return UsageReaders.Refuse(FindingCode.NotJson,
                $"the response is not JSON at line {broken.LineNumber + 1}, "
                + $"byte {broken.BytePositionInLine}");
        }
    }

    /// <summary>Reads one response.</summary>
    /// <param name="body">A JSON object.</param>
    /// <param name="options">What is known beyond it.</param>
    public UsageReading Read(JsonElement body, ReadingOptions options = default)
    {
        var draft = new ReadingDraft(Or(options));
        Read(body, draft);
        return draft.Finish();
    }

    /// <summary>Begins to read a stream of this convention.</summary>
    public StreamReading OpenStream(ReadingOptions options = default) => new(this, Or(options));

    /// <inheritdoc/>
    public override string ToString() => $"{Provider}/{Flavour}";

    internal void Read(JsonElement body, ReadingDraft draft)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            draft.Refuse(FindingCode.NotJson, "", "the response is not a JSON object");
            return;
        }

        try
        {
            JsonElement response = BatchLine.Unwrap(body, out bool isBatch);
            ResponseFacts.Read(response, draft);
            ReadUsage(response, draft);
            draft.Tag("service_tier", isBatch ? "batch" : "");
        }
        catch (InvalidOperationException)
        {
            // The parser's word for text that is half a surrogate pair, or not UTF-8.
            draft.Refuse(FindingCode.NotJson, "", "the response has text that is not UTF-8");
        }
    }

    private ReadingOptions Or(ReadingOptions options) => options == default ? Presets : options;

    private void ReadUsage(JsonElement body, ReadingDraft draft)
    {
        for (int i = 0; i < Roots.Length; i++)
        {
            if (ResponseFacts.TryGoDown(body, _paths[i], out JsonElement at) && at.ValueKind == JsonValueKind.Object)
            {
                var usage = new UsageObject(at, Roots[i], draft);
                _take(usage, draft);
                Beside?.Invoke(body, draft);
                if (Roots[i].Length > 0)
                {
                    draft.NoteUnread(usage);
                }

                return;
            }
        }

        bool failed = draft.Outcome == Outcome.Failed;
        draft.Refuse(FindingCode.NoUsage, string.Join(", ", Roots), failed
            ? "is missing: the response is an error"
            : "is missing: nothing says what the call used, which is not zero");
    }
}
