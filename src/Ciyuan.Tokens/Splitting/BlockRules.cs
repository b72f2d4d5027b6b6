namespace Ciyuan.Tokens.Splitting;

/// <summary>The constants of a rule that is scanned in blocks; each implementation is compiled for itself.</summary>
internal interface IBlockRule
{
    /// <summary>False for rules that are only scanned one character after the other.</summary>
    static abstract bool HasBlocks { get; }

    /// <summary>Letters are cut before an upper case that follows a lower case.</summary>
    static abstract bool CaseRuns { get; }

    /// <summary>Where contractions belong.</summary>
    static abstract Contractions Contractions { get; }

    /// <summary>Three digits to a piece, else one.</summary>
    static abstract bool ThreeDigits { get; }

    /// <summary>After line ends punctuation goes on with slashes.</summary>
    static abstract bool SlashTail { get; }

    /// <summary>Letters whose runs are pieces of their own.</summary>
    static abstract LettersApart Apart { get; }

    /// <summary>
    /// The rule sees digits and letters apart as ends of the text; signs of ASCII stand before letters of ASCII, other
    /// signs before none; what is neither letter, digit, white space nor sign is left over.
    /// </summary>
    static abstract bool Segments { get; }

    /// <summary>
    /// Letters, digits and punctuation are runs that take one space, and line ends are as other white space.
    /// </summary>
    static abstract bool Plain { get; }
}

/// <summary>Letters whose runs are pieces of their own.</summary>
internal enum LettersApart
{
    /// <summary>None.</summary>
    None,

    /// <summary>The script Han.</summary>
    Han,

    /// <summary>U+4E00 to U+9FA5, and kana: U+3040 to U+30FF.</summary>
    ChineseAndKana,
}

/// <summary>No blocks.</summary>
internal readonly struct ScalarRule : IBlockRule
{
    public static bool HasBlocks => false;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.None;
    public static bool ThreeDigits => false;
    public static bool SlashTail => false;
    public static LettersApart Apart => LettersApart.None;
    public static bool Segments => false;
    public static bool Plain => false;
}

/// <summary>o200k.</summary>
internal readonly struct O200kRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => true;
    public static Contractions Contractions => Contractions.Suffix;
    public static bool ThreeDigits => true;
    public static bool SlashTail => true;
    public static LettersApart Apart => LettersApart.None;
    public static bool Segments => false;
    public static bool Plain => false;
}

/// <summary>Mistral Tekken.</summary>
internal readonly struct TekkenRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => true;
    public static Contractions Contractions => Contractions.None;
    public static bool ThreeDigits => false;
    public static bool SlashTail => true;
    public static LettersApart Apart => LettersApart.None;
    public static bool Segments => false;
    public static bool Plain => false;
}

/// <summary>Kimi K2.</summary>
internal readonly struct KimiRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => true;
    public static Contractions Contractions => Contractions.Suffix;
    public static bool ThreeDigits => true;
    public static bool SlashTail => false;
    public static LettersApart Apart => LettersApart.Han;
    public static bool Segments => false;
    public static bool Plain => false;
}

/// <summary>cl100k and Llama 3.</summary>
internal readonly struct Cl100kRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.Apart;
    public static bool ThreeDigits => true;
    public static bool SlashTail => false;
    public static LettersApart Apart => LettersApart.None;
    public static bool Segments => false;
    public static bool Plain => false;
}

/// <summary>Qwen 1.5 to 3.5.</summary>
internal readonly struct QwenRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.Apart;
    public static bool ThreeDigits => false;
    public static bool SlashTail => false;
    public static LettersApart Apart => LettersApart.None;
    public static bool Segments => false;
    public static bool Plain => false;
}

/// <summary>DeepSeek V3 and later.</summary>
internal readonly struct DeepSeekRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.None;
    public static bool ThreeDigits => true;
    public static bool SlashTail => false;
    public static LettersApart Apart => LettersApart.ChineseAndKana;
    public static bool Segments => true;
    public static bool Plain => false;
}

/// <summary>GPT-2, r50k and p50k.</summary>
internal readonly struct Gpt2Rule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.LowerCase;
    public static bool ThreeDigits => false;
    public static bool SlashTail => false;
    public static LettersApart Apart => LettersApart.None;
    public static bool Segments => false;
    public static bool Plain => true;
}
