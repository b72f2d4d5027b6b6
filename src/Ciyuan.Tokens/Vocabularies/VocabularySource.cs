namespace Ciyuan.Tokens.Vocabularies;

/// <summary>Where a vocabulary comes from.</summary>
/// <param name="Package">The package that held it, with its version; empty when it came as a file.</param>
/// <param name="File">The file's name, inside the package where there is one.</param>
/// <param name="Sha256">SHA-256 of that file, in lower-case hexadecimal digits.</param>
/// <param name="Licence">The licence by which it is passed on, or "unknown".</param>
public sealed record VocabularySource(string Package, string File, string Sha256, string Licence)
{
    /// <summary>Nothing is known.</summary>
    public static readonly VocabularySource Unknown = new("", "", "", "unknown");
}

/// <summary>One vocabulary of a file that may hold several over the same entries and merges.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Limit">Entries and merges with ids from here on are not its own.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="AddedTokens">Its added tokens.</param>
internal sealed record VocabularyProfile(
    string Name, int Limit, VocabularySource Source, IReadOnlyList<AddedToken> AddedTokens);
