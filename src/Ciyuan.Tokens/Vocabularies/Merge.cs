namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Two adjacent tokens and what they become. Its place in the list is its rank: lower merges first.</summary>
/// <param name="Left">Id of the left token.</param>
/// <param name="Right">Id of the right token.</param>
/// <param name="Result">Id of the token whose bytes are both, one after the other.</param>
public readonly record struct Merge(int Left, int Right, int Result);
