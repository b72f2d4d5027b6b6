namespace Ciyuan.Tokens.Vocabularies;

/// <summary>The Unicode form that text is brought into. The numbers are stored in files and never change.</summary>
public enum UnicodeForm
{
    /// <summary>As it is.</summary>
    None = 0,

    /// <summary>Canonical composition.</summary>
    Nfc = 1,

    /// <summary>Compatibility composition.</summary>
    Nfkc = 2,

    /// <summary>The character map of a SentencePiece model: <see cref="Normalization.CharacterMap"/>.</summary>
    CharacterMap = 3,

    /// <summary>The same map, applied to clusters of characters, as Hugging Face's tokenizers apply it.</summary>
    ClusterMap = 4,

    /// <summary>
    /// Two grave accents or apostrophes become a quotation mark; then compatibility decomposition, of which combining
    /// marks go; then <see cref="ClusterMap"/> (XLNet's tokenizer.json).
    /// </summary>
    UnmarkedClusterMap = 5,
}

/// <summary>
/// Where a space is put before text. A stretch is the text between two added tokens; an empty one gets none. The
/// numbers are stored in files and never change.
/// </summary>
public enum SpacePrefix
{
    /// <summary>Nowhere.</summary>
    None = 0,

    /// <summary>Before each stretch.</summary>
    EachStretch = 1,

    /// <summary>Before the text, unless it begins with an added token.</summary>
    Start = 2,

    /// <summary>Before each stretch that does not begin with a space or U+2581.</summary>
    EachStretchUnlessThere = 3,

    /// <summary>As <see cref="Start"/>, unless a space or U+2581 is there.</summary>
    StartUnlessThere = 4,
}

/// <summary>What BERT does to text before it looks for words, in this order. The numbers are stored in files and never
/// change.</summary>
[Flags]
public enum WordSteps
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Control characters and U+FFFD go; white space becomes U+0020.</summary>
    Clean = 1,

    /// <summary>Spaces are put around each Chinese character.</summary>
    SetIdeographsApart = 2,

    /// <summary>Canonical decomposition, of which nonspacing marks go.</summary>
    StripAccents = 4,

    /// <summary>Each character becomes its lower case.</summary>
    LowerCase = 8,
}

/// <summary>What is done to text before it is cut. The steps apply in the order of the members.</summary>
/// <param name="Form">The Unicode form.</param>
/// <param name="CollapseSpaces">Runs of spaces become one; those at both ends go.</param>
/// <param name="Prefix">Where a space is put before text.</param>
/// <param name="EscapeSpaces">Each U+0020 becomes U+2581.</param>
public sealed record Normalization(UnicodeForm Form, bool CollapseSpaces, SpacePrefix Prefix, bool EscapeSpaces)
{
    /// <summary>Text stays as it is.</summary>
    public static readonly Normalization None = new(UnicodeForm.None, false, SpacePrefix.None, false);

    /// <summary>Canonical composition only.</summary>
    public static readonly Normalization Nfc = new(UnicodeForm.Nfc, false, SpacePrefix.None, false);

    /// <summary>Before <see cref="Prefix"/>: white space at the end goes.</summary>
    public bool TrimEnd { get; init; }

    /// <summary>After <see cref="TrimEnd"/>: runs of spaces become one.</summary>
    public bool JoinSpaces { get; init; }

    /// <summary>What is done to find words, in place of all other steps.</summary>
    public WordSteps Words { get; init; }

    /// <summary>
    /// SentencePiece's precompiled map, where <see cref="Form"/> says so; else empty. It begins with the length in
    /// bytes of a double-array trie (little-endian, 32 bits); the trie and the replacements, each ended by a zero,
    /// follow.
    /// </summary>
    public ReadOnlyMemory<byte> CharacterMap { get; init; }
}
