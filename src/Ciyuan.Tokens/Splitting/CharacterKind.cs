namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// What the rules of cutting tell apart. The numbers are those of the resource <c>unicode-16.bin</c>.
/// </summary>
internal enum CharacterKind : byte
{
    /// <summary>Controls, formats, surrogates, private and unassigned code points (C).</summary>
    Other = 0,

    /// <summary>Upper and title case letters (Lu, Lt).</summary>
    Upper = 1,

    /// <summary>Lower case letters (Ll).</summary>
    Lower = 2,

    /// <summary>Letters without case, and modifiers (Lo, Lm).</summary>
    Caseless = 3,

    /// <summary>Combining marks (M).</summary>
    Mark = 4,

    /// <summary>Digits and other numbers (N).</summary>
    Number = 5,

    /// <summary>White_Space other than the two line ends.</summary>
    Space = 6,

    /// <summary>U+000A and U+000D.</summary>
    LineEnd = 7,

    /// <summary>Punctuation (P).</summary>
    Punctuation = 8,

    /// <summary>Symbols (S).</summary>
    Symbol = 9,
}
