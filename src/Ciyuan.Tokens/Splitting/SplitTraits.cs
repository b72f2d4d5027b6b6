using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Splitting;

/// <summary>Where 's, 't, 're, 've, 'm, 'll and 'd belong.</summary>
internal enum Contractions
{
    /// <summary>They are nothing special.</summary>
    None,

    /// <summary>They are pieces of their own, in lower case only.</summary>
    LowerCase,

    /// <summary>They are pieces of their own.</summary>
    Apart,

    /// <summary>They end a run of letters.</summary>
    Suffix,
}

/// <summary>
/// In what the rules of the GPT lineage differ. All of them try, at each place: a contraction, letters with one
/// character before them, digits, punctuation with one space before it, and white space, of which the last leaves its
/// last character to what follows.
/// </summary>
/// <param name="Contractions">Where contractions belong.</param>
/// <param name="MaxDigits">The longest piece of digits.</param>
/// <param name="CaseRuns">Letters are cut before an upper case that follows a lower case.</param>
/// <param name="MarksJoin">Combining marks belong to letters.</param>
/// <param name="MarksPunctuate">Combining marks belong to punctuation where no letter takes them.</param>
/// <param name="AnyPrefix">Any character but a line end, letter or digit may stand before letters; else a space
/// may.</param>
/// <param name="DigitPrefix">A space may stand before digits.</param>
/// <param name="LineEnds">White space up to its last line end is a piece; line ends belong to punctuation.</param>
/// <param name="SlashTail">After line ends punctuation goes on with slashes.</param>
/// <param name="HanApart">Runs of Han are pieces of their own.</param>
/// <param name="TrailingSpaceWhole">White space that ends the text is one piece, line ends or not.</param>
/// <param name="DigitsEnd">A digit ends what is before it as the end of the text does.</param>
internal sealed record SplitTraits(
    Contractions Contractions,
    int MaxDigits,
    bool CaseRuns,
    bool MarksJoin,
    bool MarksPunctuate,
    bool AnyPrefix,
    bool DigitPrefix,
    bool LineEnds,
    bool SlashTail,
    bool HanApart,
    bool TrailingSpaceWhole,
    bool DigitsEnd = false)
{
    private static readonly SplitTraits O200k = new(
        Contractions.Suffix, 3, true, true, true, true, false, true, true, false, false);

    private static readonly SplitTraits Llama3 = new(
        Contractions.Apart, 3, false, false, true, true, false, true, false, false, false);

    private static readonly SplitTraits Gpt2 = new(
        Contractions.LowerCase, int.MaxValue, false, false, true, false, true, false, false, false, false);

    /// <summary>The traits of a rule; null when it is not of this lineage.</summary>
    internal static SplitTraits? Of(SplitRule rule) => rule switch
    {
        SplitRule.Gpt2 => Gpt2,
        SplitRule.Gpt2Digits => Gpt2 with { MaxDigits = 1, DigitPrefix = false, DigitsEnd = true },
        SplitRule.Cl100k => Llama3 with { TrailingSpaceWhole = true },
        SplitRule.O200k => O200k,
        SplitRule.Llama3 => Llama3,
        SplitRule.Qwen2 => Llama3 with { MaxDigits = 1 },
        SplitRule.Qwen35 => Llama3 with { MaxDigits = 1, MarksJoin = true, MarksPunctuate = false },
        SplitRule.Kimi => O200k with { SlashTail = false, HanApart = true },
        SplitRule.Tekken => O200k with { Contractions = Contractions.None, MaxDigits = 1 },
        _ => null,
    };
}
