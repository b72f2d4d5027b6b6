using Ciyuan.Tokens.Splitting;

namespace Ciyuan.Tokens.Vocabularies;

/// <summary>The patterns by which files spell the known rules of cutting.</summary>
internal static class SplitRules
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Spaces = @"|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string UpperThenLower = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";
    private const string UpperFirst = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";
    private const string Lead = @"[^\r\n\p{L}\p{N}]?";

    /// <summary>Digits one by one, as <see cref="JsonSteps"/> describes it.</summary>
    private const string Digits = "Digits(true)";

    private const string KimiUpper = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]";
    private const string KimiLower = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]";

    /// <summary>
    /// Patterns that alone are a rule. Each matches every character, so what is cut out is the whole.
    /// </summary>
    private static readonly Dictionary<string, SplitRule> Single = new(StringComparer.Ordinal)
    {
        [@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = SplitRule.Gpt2,
        [@"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"] = SplitRule.Gpt2,
        [@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = SplitRule.Gpt2,
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
            + @"|\s+(?!\S)|\s"] = SplitRule.Cl100k,
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"
            + @"|\s+(?!\S)|\s+"] = SplitRule.Cl100k,
        [Lead + UpperThenLower + Contractions + "?|" + Lead + UpperFirst + Contractions
            + @"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + Spaces] = SplitRule.O200k,
        [Contractions + "|" + Lead + @"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + Spaces] = SplitRule.Llama3,
        [Contractions + "|" + Lead + @"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + Spaces] = SplitRule.Qwen2,
        [Contractions + "|" + Lead + @"[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + Spaces] = SplitRule.Qwen35,
        [@"[\p{Han}]+|" + Lead + KimiUpper + "*" + KimiLower + "+" + Contractions + "?|" + Lead + KimiUpper + "+"
            + KimiLower + "*" + Contractions + @"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + Spaces] = SplitRule.Kimi,
        [Lead + UpperThenLower + "|" + Lead + UpperFirst + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + Spaces]
            = SplitRule.Tekken,
    };

    private static readonly string[] DeepSeekV3 =
    [
        @"\p{N}{1,3}",
        "[一-龥぀-ゟ゠-ヿ]+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
            + "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    ];

    private static readonly string[] DeepSeekLlm =
    [
        "[\r\n]", @"\s?[" + FirstDeepSeekScanner.LlmLetters + "]+", @"\s?[" + FirstDeepSeekScanner.LlmSigns + "]+",
        @"\s+$", "[" + FirstDeepSeekScanner.Scripts + "]+",
    ];

    private static readonly string[] DeepSeekCoder =
        ["[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[" + FirstDeepSeekScanner.Scripts + "]+"];

    /// <summary>The rule of a pattern that alone is one, in any known spelling; null for another.</summary>
    internal static SplitRule? OfPattern(string pattern) =>
        Single.TryGetValue(pattern, out SplitRule rule) ? rule : null;

    /// <summary>The rule of a sequence of cuts, as <see cref="JsonSteps"/> describes them; null for another.</summary>
    internal static SplitRule? Recognise(List<string> cuts, bool isGpt2Last)
    {
        if (isGpt2Last)
        {
            return cuts.Count == 0 ? SplitRule.Gpt2 : cuts is [Digits] ? SplitRule.Gpt2Digits : null;
        }

        if (cuts.Count > 1)
        {
            return Are(DeepSeekV3) ? SplitRule.DeepSeekV3
                : Are(DeepSeekLlm, Digits) ? SplitRule.DeepSeekLlm
                : Are(DeepSeekCoder, Digits) ? SplitRule.DeepSeekCoder
                : null;
        }

        bool Are(string[] patterns, params string[] more) =>
            cuts.SequenceEqual([.. patterns.Select(pattern => $"Split(Regex:{pattern},Isolated,false)"), .. more]);

        const string start = "Split(Regex:";
        if (cuts is not [string only] || !only.StartsWith(start, StringComparison.Ordinal))
        {
            return null;
        }

        foreach (string end in (string[])[",Isolated,false)", ",Removed,true)"])
        {
            if (only.EndsWith(end, StringComparison.Ordinal) && OfPattern(only[start.Length..^end.Length]) is { } rule)
            {
                return rule;
            }
        }

        return null;
    }
}
