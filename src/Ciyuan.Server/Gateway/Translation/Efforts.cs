namespace Ciyuan.Server.Gateway.Translation;

/// <summary>How much a model is to think: as a word, or as tokens. Where one protocol has the word and the other one
/// the number, the table is the one that Google publishes for its own OpenAI-compatible interface.</summary>
internal static class Efforts
{
    private static readonly (string Effort, long Tokens)[] Table =
        [("low", 1_024), ("medium", 8_192), ("high", 24_576)];

    private static readonly string[] Words = ["minimal", "low", "medium", "high", "xhigh", "max"];

    /// <summary>Reads a word.</summary>
    internal static Thinking Read(Node effort)
    {
        string word = effort.Text.ToLowerInvariant();
        return word == "none" ? new Thinking { IsOff = true }
            : Words.Contains(word) ? new Thinking { Effort = word }
            : throw effort.NoPlace();
    }

    /// <summary>The word for a number of tokens: the first of the table that is not less.</summary>
    internal static string WordFor(long tokens)
    {
        foreach ((string effort, long most) in Table)
        {
            if (tokens <= most)
            {
                return effort;
            }
        }

        return Table[^1].Effort;
    }

    /// <summary>The word in the scale of Anthropic, which has no minimal one.</summary>
    internal static string ForAnthropic(string effort) => effort == "minimal" ? "low" : effort;

    /// <summary>The word in the scale of Gemini, whose highest is high.</summary>
    internal static string ForGemini(string effort) => effort is "xhigh" or "max" ? "HIGH" : effort.ToUpperInvariant();
}
