namespace Ciyuan.Tokens.Vocabularies;

/// <summary>
/// How text is cut into pieces before the model sees it: a family's own rule, exactly. The numbers are stored in files
/// and never change.
/// </summary>
public enum SplitRule
{
    /// <summary>The whole text is one piece.</summary>
    None = 0,

    /// <summary>GPT-2, r50k, p50k: contractions in lower case, runs of letters, digits, and the rest.</summary>
    Gpt2 = 1,

    /// <summary>cl100k: contractions in any case, at most three digits, line ends after punctuation.</summary>
    Cl100k = 2,

    /// <summary>o200k, gpt-oss, Llama 4, MiniMax: upper case then lower case, marks join letters.</summary>
    O200k = 3,

    /// <summary>Llama 3, GLM 4: cl100k in the spelling of tokenizer.json.</summary>
    Llama3 = 4,

    /// <summary>Qwen 1.5 to 3: <see cref="Llama3"/> with single digits.</summary>
    Qwen2 = 5,

    /// <summary>Qwen 3.5: <see cref="Qwen2"/>, and marks join letters.</summary>
    Qwen35 = 6,

    /// <summary>DeepSeek V3 and later: three rules, each inside the pieces of the one before.</summary>
    DeepSeekV3 = 7,

    /// <summary>DeepSeek LLM and V2.</summary>
    DeepSeekLlm = 8,

    /// <summary>DeepSeek Coder V1.</summary>
    DeepSeekCoder = 9,

    /// <summary>Kimi K2: Han runs apart, then o200k without them, no slash after punctuation.</summary>
    Kimi = 10,

    /// <summary>Mistral Tekken: o200k without contractions, single digits.</summary>
    Tekken = 11,

    /// <summary>A piece begins at each U+2581 (SentencePiece's mark for a space).</summary>
    WordMark = 12,

    /// <summary>
    /// White space separates words and is dropped; each word that does not begin with U+2581 gets it, and is cut before
    /// each further one (T5, XLM-R).
    /// </summary>
    MarkedWords = 13,

    /// <summary>StarCoder, Command R, SmolLM: digits one by one, and <see cref="Gpt2"/> between them.</summary>
    Gpt2Digits = 14,

    /// <summary>Falcon: punctuation apart, <see cref="Gpt2"/> between it, then digits by three, byte by byte.</summary>
    Falcon = 15,

    /// <summary>
    /// BERT: words, and each punctuation character; the white space before one belongs to its piece and makes no token.
    /// </summary>
    Words = 16,
}
