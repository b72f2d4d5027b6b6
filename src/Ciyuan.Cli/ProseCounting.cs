using System.Buffers;
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

        return ProseSplitter.Split(text, form).All(range => range.Kind == TextKind.Prose) ? 0 : Divide(tokenizer, text);
    }

    /// <summary>
    /// Fences are looked for in the text as the tokens spell it, for normalising may change where they stand.
    /// </summary>
    private static long Divide(Tokenizer tokenizer, ReadOnlySpan<byte> text)
    {
        List<int> ids = [];
        tokenizer.Encode(text, ids);
        int[] lengths = new int[ids.Count];
        var spelled = new ArrayBufferWriter<byte>(text.Length);
        bool isEscaped = tokenizer.Vocabulary.Normalization.EscapeSpaces;
        for (int i = 0; i < lengths.Length; i++)
        {
            ReadOnlySpan<byte> token = tokenizer.Vocabulary.BytesOf(ids[i]);
            int before = spelled.WrittenCount;
            for (int mark; isEscaped && (mark = token.IndexOf("\u2581"u8)) >= 0; token = token[(mark + 3)..])
            {
                spelled.Write(token[..mark]);
                spelled.Write(" "u8);
            }

            spelled.Write(token);
            lengths[i] = spelled.WrittenCount - before;
        }

        return ProseTally.Divide(ProseSplitter.Split(spelled.WrittenSpan, TextForm.Markdown), lengths).Code;
    }
}
