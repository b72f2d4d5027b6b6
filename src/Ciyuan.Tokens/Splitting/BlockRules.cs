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

    /// <summary>Runs of Han are pieces of their own.</summary>
    static abstract bool HanApart { get; }
}

/// <summary>No blocks.</summary>
internal readonly struct ScalarRule : IBlockRule
{
    public static bool HasBlocks => false;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.None;
    public static bool ThreeDigits => false;
    public static bool SlashTail => false;
    public static bool HanApart => false;
}

/// <summary>o200k.</summary>
internal readonly struct O200kRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => true;
    public static Contractions Contractions => Contractions.Suffix;
    public static bool ThreeDigits => true;
    public static bool SlashTail => true;
    public static bool HanApart => false;
}

/// <summary>Mistral Tekken.</summary>
internal readonly struct TekkenRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => true;
    public static Contractions Contractions => Contractions.None;
    public static bool ThreeDigits => false;
    public static bool SlashTail => true;
    public static bool HanApart => false;
}

/// <summary>Kimi K2.</summary>
internal readonly struct KimiRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => true;
    public static Contractions Contractions => Contractions.Suffix;
    public static bool ThreeDigits => true;
    public static bool SlashTail => false;
    public static bool HanApart => true;
}

/// <summary>cl100k and Llama 3.</summary>
internal readonly struct Cl100kRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.Apart;
    public static bool ThreeDigits => true;
    public static bool SlashTail => false;
    public static bool HanApart => false;
}

/// <summary>Qwen 1.5 to 3.5.</summary>
internal readonly struct QwenRule : IBlockRule
{
    public static bool HasBlocks => true;
    public static bool CaseRuns => false;
    public static Contractions Contractions => Contractions.Apart;
    public static bool ThreeDigits => false;
    public static bool SlashTail => false;
    public static bool HanApart => false;
}
