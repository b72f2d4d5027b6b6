namespace Ciyuan.Tokens.Vocabularies;

/// <summary>A token that is found in text as a whole, before the text is cut.</summary>
/// <param name="Content">Its text.</param>
/// <param name="Id">Its id; several contents may share one.</param>
/// <param name="Special">
/// True for control tokens, which the text of a user is not to produce; false for words that are merely kept whole.
/// </param>
/// <param name="LeftStrip">White space before it belongs to it.</param>
/// <param name="RightStrip">White space after it belongs to it.</param>
/// <param name="SingleWord">It is found only where no word character stands beside it.</param>
/// <param name="Normalized">It is looked for in the normalised text, not in the text as given.</param>
public sealed record AddedToken(
    string Content, int Id, bool Special, bool LeftStrip, bool RightStrip, bool SingleWord, bool Normalized)
{
    /// <summary>A control token without any strip.</summary>
    public static AddedToken Control(string content, int id) => new(content, id, true, false, false, false, false);
}
