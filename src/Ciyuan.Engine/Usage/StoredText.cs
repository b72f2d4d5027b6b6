namespace Ciyuan.Usage;

/// <summary>
/// Which texts can be stored: those that are the same after a way through UTF-8, without the zero character, which
/// divides scope and id where an id is hashed.
/// </summary>
internal static class StoredText
{
    /// <summary>Whether a text can be stored.</summary>
    public static bool IsText(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == 0 || char.IsLowSurrogate(c)
                || (char.IsHighSurrogate(c) && (++i == text.Length || !char.IsLowSurrogate(text[i]))))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a text can be stored and has 1 to <see cref="UsageRecord.MaxNameLength"/> characters.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= UsageRecord.MaxNameLength && IsText(text);
}
