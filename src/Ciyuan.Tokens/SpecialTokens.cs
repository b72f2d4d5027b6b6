using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens;

/// <summary>
/// What happens to the special tokens of a vocabulary when their text occurs in a text. Tokens that are kept whole
/// without being special (<see cref="AddedToken.Special"/>) are found under any policy, as the families do it.
/// </summary>
public sealed class SpecialTokens
{
    private readonly HashSet<string>? _contents;

    private SpecialTokens(HashSet<string>? contents) => _contents = contents;

    /// <summary>Ordinary text: what users write. The policy where none is given.</summary>
    public static SpecialTokens AsText { get; } = new([]);

    /// <summary>Each is one token: what a chat template makes.</summary>
    public static SpecialTokens Parsed { get; } = new(null);

    /// <summary>Those with these texts are one token each, others are ordinary text.</summary>
    /// <param name="contents">Their texts; one that the vocabulary does not have does nothing.</param>
    public static SpecialTokens Only(params IEnumerable<string> contents) => new([.. contents]);

    internal bool Finds(AddedToken token) => !token.Special || _contents is null || _contents.Contains(token.Content);
}
