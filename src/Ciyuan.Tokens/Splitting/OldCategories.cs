namespace Ciyuan.Tokens.Splitting;

/// <summary>
/// The general categories of Unicode 8.0, by which Hugging Face's tokenizers find punctuation, marks and controls where
/// no pattern does. The resource <c>categories-8.bin</c> has the form of <c>unicode-16.bin</c>.
/// </summary>
internal static unsafe class OldCategories
{
    /// <summary>Punctuation, and all signs of ASCII.</summary>
    internal const byte Punctuation = 1;

    /// <summary>White space.</summary>
    internal const byte White = 2;

    /// <summary>
    /// U+0000, U+FFFD, and controls, formats and private characters but for tab and line ends.
    /// </summary>
    internal const byte Control = 4;

    /// <summary>The ideographs that BERT sets apart: those of Unicode 8.0, less the block E.</summary>
    internal const byte Ideograph = 8;

    /// <summary>Nonspacing marks.</summary>
    internal const byte Mark = 16;

    private static readonly Lazy<nint> Loaded = new(() => (nint)UnicodeTable.Load("categories-8.bin"));

    /// <summary>A byte for each code point. Lives as long as the process.</summary>
    internal static byte* Bits => (byte*)Loaded.Value;
}
