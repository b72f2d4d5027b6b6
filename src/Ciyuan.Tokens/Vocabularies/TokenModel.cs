namespace Ciyuan.Tokens.Vocabularies;

/// <summary>How the text of one piece becomes tokens. The numbers are stored in files and never change.</summary>
public enum TokenModel
{
    /// <summary>
    /// Starts with bytes. Of all adjacent pairs whose concatenation is an entry, the one with the lowest id is merged,
    /// the leftmost first among equals, until there is none (.tiktoken, tekken.json).
    /// </summary>
    RankBpe = 1,

    /// <summary>
    /// Starts with bytes. Only the listed pairs merge, the one earliest in <see cref="Vocabulary.Merges"/> first, the
    /// leftmost first among equals (byte-level tokenizer.json).
    /// </summary>
    MergeBpe = 2,

    /// <summary>
    /// As <see cref="MergeBpe"/>, but starts with characters; one that is no entry becomes its byte tokens, or the
    /// unknown token (tokenizer.json made from SentencePiece: Llama 2, Mistral 7B, Gemma).
    /// </summary>
    CharacterMergeBpe = 3,

    /// <summary>
    /// Starts with characters. Of all adjacent pairs whose concatenation is an entry, the one with the highest score is
    /// merged, the leftmost first among equals (SentencePiece .model of type BPE).
    /// </summary>
    ScoredBpe = 4,

    /// <summary>The segmentation with the highest sum of scores (SentencePiece Unigram).</summary>
    Unigram = 5,

    /// <summary>
    /// From the beginning of a word on the longest entry each time, of which those inside of a word begin with
    /// <c>##</c>; else the word is the unknown token (BERT, and models that embed text: BGE, M3E, GTE).
    /// </summary>
    WordPiece = 6,
}
