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
}

/// <summary>What is done to text before it is cut. The steps apply in the order of the members.</summary>
/// <param name="Form">The Unicode form.</param>
/// <param name="CollapseSpaces">Runs of spaces become one; those at both ends go.</param>
/// <param name="DummyPrefix">A space is put before a text that is not empty.</param>
/// <param name="EscapeSpaces">Each U+0020 becomes U+2581.</param>
public sealed record Normalization(UnicodeForm Form, bool CollapseSpaces, bool DummyPrefix, bool EscapeSpaces)
{
    /// <summary>Text stays as it is.</summary>
    public static readonly Normalization None = new(UnicodeForm.None, false, false, false);

    /// <summary>Canonical composition only.</summary>
    public static readonly Normalization Nfc = new(UnicodeForm.Nfc, false, false, false);

    /// <summary>SentencePiece's precompiled map, where <see cref="Form"/> says so; else empty.</summary>
    public ReadOnlyMemory<byte> CharacterMap { get; init; }
}
