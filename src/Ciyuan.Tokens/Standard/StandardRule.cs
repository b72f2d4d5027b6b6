using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using Ciyuan.Tokens.Media;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Standard;

/// <summary>A measured ratio.</summary>
/// <param name="RatioMillionths">Standard tokens for a million tokens of the family.</param>
/// <param name="ErrorPermille">How far a single block of 4 KB may be off, in thousandths of the result.</param>
public readonly record struct StandardRatio(long RatioMillionths, long ErrorPermille);

/// <summary>
/// A published rule that makes counts of different tokenizers comparable: docs/STANDARD-TOKEN.md. A rule that was used
/// never changes; what is to be different is a new rule with a new id. Safe for any number of threads.
/// </summary>
public sealed class StandardRule
{
    /// <summary>The most tokens that are converted: 10¹² times the largest ratio stays within 64 bits.</summary>
    public const long MaxTokens = 1_000_000_000_000;

    private const string Prefix = "Ciyuan.Tokens.Standard.";
    private const string CurrentId = "std-1";
    private const string Unpublished = "unpublished";

    private static readonly ConcurrentDictionary<string, StandardRule?> Loaded = [];

    private readonly Dictionary<string, StandardRatio[]> _byVocabulary = [];
    private readonly StandardRatio[] _unpublished = [];
    private readonly Lazy<Tokenizer> _reference;
    private readonly long _imagePatch;
    private readonly long _imageMax;
    private readonly long _soundPerSecond;
    private readonly long _videoPatch;
    private readonly long _videoMaxPerSecond;
    private readonly long _page;

    private StandardRule(JsonElement root)
    {
        Id = root.GetProperty("id").GetString()!;
        Reference = root.GetProperty("reference").GetString()!;
        JsonElement media = root.GetProperty("media");
        _imagePatch = media.GetProperty("imagePatch").GetInt64();
        _imageMax = media.GetProperty("imageMax").GetInt64();
        _soundPerSecond = media.GetProperty("soundPerSecond").GetInt64();
        _videoPatch = media.GetProperty("videoPatch").GetInt64();
        _videoMaxPerSecond = media.GetProperty("videoMaxPerSecond").GetInt64();
        _page = media.GetProperty("page").GetInt64();
        foreach (JsonElement c in root.GetProperty("conversions").EnumerateArray())
        {
            StandardRatio[] ratios = [Ratio(c, "any"), Ratio(c, "en"), Ratio(c, "zh"), Ratio(c, "code")];
            foreach (JsonElement vocabulary in c.GetProperty("vocabularies").EnumerateArray())
            {
                _byVocabulary.Add(vocabulary.GetString()!, ratios);
            }

            _unpublished = c.GetProperty("family").GetString() == Unpublished ? ratios : _unpublished;
        }

        _reference = new Lazy<Tokenizer>(() => Tokenizer.For(VocabularyCatalog.Shipped.Get(Reference)));
    }

    /// <summary>The rule for new counts.</summary>
    public static StandardRule Current => Get(CurrentId);

    /// <summary>The id, to be kept beside every number.</summary>
    public string Id { get; }

    /// <summary>The vocabulary under which text is recounted.</summary>
    public string Reference { get; }

    /// <summary>The vocabularies for which a ratio was measured.</summary>
    public IReadOnlyCollection<string> Vocabularies => _byVocabulary.Keys;

    /// <summary>The rule of an id; earlier ones stay.</summary>
    /// <exception cref="ArgumentException">There is no such rule.</exception>
    public static StandardRule Get(string id) => Loaded.GetOrAdd(id, Load)
        ?? throw new ArgumentException($"there is no standard rule '{id}'", nameof(id));

    /// <summary>Counts a text in UTF-8 under the reference vocabulary: exact.</summary>
    public StandardCount OfText(ReadOnlySpan<byte> utf8) =>
        new(_reference.Value.Count(utf8), 0, StandardMethod.Recounted, Id);

    /// <summary>
    /// Converts a provider's number, when the text is not at hand: tokens · ratio, to the nearest whole token, halves
    /// up. A count under the reference vocabulary stays as it is.
    /// </summary>
    /// <param name="tokens">The provider's count of text, 0…<see cref="MaxTokens"/>.</param>
    /// <param name="vocabulary">
    /// The vocabulary that the provider counted with; empty or unknown for models whose vocabulary is not published.
    /// </param>
    /// <param name="mix">What the text mostly was.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative or too large.</exception>
    public StandardCount Convert(long tokens, string vocabulary, TextMix mix = TextMix.Any)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, MaxTokens);
        StandardRatio ratio = RatioOf(vocabulary, mix);
        long result = ((tokens * ratio.RatioMillionths) + 500_000) / 1_000_000;
        long error = ((result * ratio.ErrorPermille) + 999) / 1000;
        return new StandardCount(result, error, StandardMethod.Converted, Id);
    }

    /// <summary>Converts a provider's number by the model's name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative or too large.</exception>
    public StandardCount ConvertForModel(long tokens, string model, TextMix mix = TextMix.Any) =>
        Convert(tokens, VocabularyCatalog.Shipped.Rules.Find(model)?.Vocabulary ?? "", mix);

    /// <summary>The ratio for a vocabulary and a mix; 1 without error for the reference itself.</summary>
    public StandardRatio RatioOf(string vocabulary, TextMix mix)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)mix, (int)TextMix.Code, nameof(mix));
        bool same = vocabulary == Reference || vocabulary == "o200k_harmony"; // the same text tokens, other marks
        return same
            ? new StandardRatio(1_000_000, 0)
            : _byVocabulary.GetValueOrDefault(vocabulary, _unpublished)[(int)mix];
    }

    /// <summary>
    /// Counts a picture, sound, film or document by the rule, whatever a vendor makes of it; null when what the rule
    /// needs is not known, or beyond <see cref="MediaLimits"/>.
    /// </summary>
    public StandardCount? OfMedia(MediaFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        long? tokens = facts.Kind switch
        {
            MediaKind.Image => Grid(facts, _imagePatch, _imageMax),
            MediaKind.Audio => Timed(facts, _soundPerSecond),
            MediaKind.Video => Grid(facts, _videoPatch, _videoMaxPerSecond) is { } grid
                ? Timed(facts, grid + (facts.HasSound ? _soundPerSecond : 0))
                : null,
            MediaKind.Document when facts.Pages is > 0 and <= MediaLimits.MaxPages => facts.Pages * _page,
            _ => null,
        };
        return tokens is { } t ? new StandardCount(t, 0, StandardMethod.Defined, Id) : null;
    }

    private static long? Grid(MediaFacts f, long patch, long max) =>
        f.Width is >= 1 and <= MediaLimits.MaxSide && f.Height is >= 1 and <= MediaLimits.MaxSide
            ? Math.Min(max, ImageShapes.CeilDiv(f.Width, patch) * ImageShapes.CeilDiv(f.Height, patch))
            : null;

    private static long? Timed(MediaFacts f, long perSecond) =>
        f.DurationMicroseconds is >= 1 and <= MediaLimits.MaxSeconds * 1_000_000
            ? ImageShapes.CeilDiv(f.DurationMicroseconds * perSecond, 1_000_000)
            : null;

    private static StandardRatio Ratio(JsonElement conversion, string mix)
    {
        JsonElement e = conversion.GetProperty(mix);
        return new StandardRatio(e.GetProperty("ppm").GetInt64(), e.GetProperty("errorPermille").GetInt64());
    }

    private static StandardRule? Load(string id)
    {
        using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{Prefix}{id}.json");
        if (stream is null)
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(stream);
        return new StandardRule(document.RootElement);
    }
}
