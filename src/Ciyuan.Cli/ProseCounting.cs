using Ciyuan.Tokens;
using Ciyuan.Tokens.Prose;

namespace Ciyuan.Cli;

/// <summary>Tells tokens of code from those of prose.</summary>
internal static class ProseCounting
{
    /// <summary>The tokens of code of a text whose count is known.</summary>
    internal static long CodeTokens(Tokenizer tokenizer, ReadOnlySpan<byte> text, TextForm form, int count)
    {
        if (form != TextForm.Markdown)
        {
            return form == TextForm.Source ? count : 0;
        }

        IReadOnlyList<ProseRange> ranges = ProseSplitter.Split(text, form);
        return ranges.All(range => range.Kind == TextKind.Prose) ? 0
            : ranges.All(range => range.Kind == TextKind.Code) ? count
            : throw new RefusedException("fenced code and prose in one text can't be told apart yet.");
    }
}
