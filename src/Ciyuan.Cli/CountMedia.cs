using Ciyuan.Tokens.Media;

namespace Ciyuan.Cli;

/// <summary>
/// Tells files that are no text, and counts pictures, sounds, films and documents by their model's rule.
/// </summary>
internal static class CountMedia
{
    /// <summary>Where a zero byte shows that a file is no text.</summary>
    internal const int BeginningBytes = 8192;

    /// <summary>
    /// Endings of media. Damaged and small ones may have no zero byte, and must not be counted as text.
    /// </summary>
    private static readonly HashSet<string> Endings = new(StringComparer.OrdinalIgnoreCase)
    {
        ".avif", ".bmp", ".flac", ".gif", ".heic", ".jpeg", ".jpg", ".m4a", ".m4v", ".mkv", ".mov", ".mp3", ".mp4",
        ".oga", ".ogg", ".opus", ".pdf", ".png", ".wav", ".webm", ".webp",
    };

    /// <summary>Whether a file is text, by its name and its first <see cref="BeginningBytes"/>.</summary>
    internal static bool IsText(string path, ReadOnlySpan<byte> beginning) =>
        !HasZero(beginning) && !beginning.StartsWith("%PDF-"u8) && !Endings.Contains(Path.GetExtension(path));

    /// <summary>Whether there is a zero byte in the beginning of a text.</summary>
    internal static bool HasZero(ReadOnlySpan<byte> text) =>
        text[..Math.Min(text.Length, BeginningBytes)].Contains((byte)0);

    /// <summary>Counts what is no text; what no rule counts is left out, with the reason.</summary>
    internal static void Count(CountPlan plan, CountedFile file, Stream content)
    {
        file.Status = CountStatus.Binary;
        if (IsUtf16(file.Path, content))
        {
            file.Remark = "UTF-16: turn it into UTF-8 to count it";
            return;
        }

        MediaProbeResult probe = MediaProbe.Read(content);
        if (probe.Facts is null || plan.Choices.All(choice => choice.Model.Length == 0))
        {
            file.Remark = probe.Facts is null
                ? probe.Reason : "an image, sound, video or document: name a --model to count it";
            return;
        }

        long[] tokens = new long[plan.Choices.Count];
        List<string> remarks = [];
        for (int i = 0; i < tokens.Length; i++)
        {
            MediaCount count = MediaRules.Default.Count(plan.Choices[i].Model, probe.Facts);
            tokens[i] = count.Status == MediaStatus.Counted ? count.Tokens + count.FrameTokens : 0;
            file.Status = count.Status == MediaStatus.Counted ? CountStatus.Media : file.Status;
            remarks.Add($"{plan.Choices[i].Label}: {count.Explanation}"
                + (count.Status == MediaStatus.Counted ? $" ({count.Grade})" : $" ({count.Status})"));
        }

        file.Modality = probe.Facts.Kind.ToString().ToLowerInvariant();
        file.Remark = string.Join("; ", remarks);
        file.Add(tokens, [], 0, 0);
    }

    /// <summary>The mark of UTF-16 is also how a frame of MPEG sound may begin, so the name decides first.</summary>
    private static bool IsUtf16(string path, Stream content)
    {
        if (Endings.Contains(Path.GetExtension(path)))
        {
            return false;
        }

        content.Position = 0;
        return (content.ReadByte(), content.ReadByte()) is (0xFF, 0xFE) or (0xFE, 0xFF);
    }
}
