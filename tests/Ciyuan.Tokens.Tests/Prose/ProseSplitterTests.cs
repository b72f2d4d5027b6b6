using System.Text;
using Ciyuan.Tokens.Prose;
using Ciyuan.Tokens.Vocabularies;

namespace Ciyuan.Tokens.Tests.Prose;

public sealed class ProseSplitterTests
{
    // Prose is written as p, code as c, one letter for each line.
    [Theory]
    [InlineData("a|```|x|```|b", "pcccp")]
    [InlineData("a|~~~ js|x|~~~|b", "pcccp")]
    [InlineData("a|````md|```|x|```|````|b", "pcccccp")] // a longer fence holds shorter ones
    [InlineData("```|x|~~~|```|b", "ccccp")] // the other mark does not close
    [InlineData("```|x|``` js|y|```|b", "cccccp")] // a fence with a language does not close
    [InlineData("a|```|x", "pcc")] // never closed
    [InlineData("a|   ```py|   x|   ```|b", "pcccp")]
    [InlineData("- a|    ```py|    x|    ```|- b", "pcccp")] // in a list
    [InlineData("1. ```py|   x|   ```|2. b", "cccp")]
    [InlineData("> ```|> x|> ```|> b", "cccp")] // in a quotation
    [InlineData("a `b` c|```inline``` code|b", "ppp")]
    [InlineData("``|x|``", "ppp")]
    [InlineData("~~~ a`b|x|~~~", "ccc")] // tildes may have backticks behind them
    [InlineData("a|```|```|b", "pccp")]
    [InlineData("```|x|`````  \t|b", "cccp")] // closed by a longer fence, spaces behind
    [InlineData("```|- ```|```|b", "cccp")] // a list mark does not close
    [InlineData("a|    indented|b", "ppp")]
    [InlineData("1234567890. ```|x", "pp")] // too long for a list mark
    [InlineData("", "")]
    [InlineData("```", "c")]
    [InlineData("||```||```||", "ppcccp")] // lines without text
    public void Split_OfMarkdown_FollowsTheRule(string lines, string kinds)
    {
        foreach (string end in (string[])["\n", "\r\n", "\r"])
        {
            byte[] text = Encoding.UTF8.GetBytes(lines.Replace("|", end, StringComparison.Ordinal));
            IReadOnlyList<ProseRange> ranges = ProseSplitter.Split(text, TextForm.Markdown);

            Assert.Equal(kinds, Kinds(text, ranges, end));
            AssertWhole(text.Length, ranges);
        }
    }

    [Fact]
    public void Append_InAnyPieces_GivesTheSameRanges()
    {
        Random random = new(3);
        string[] bits =
            ["```", "~~~", "`", "\n", "\r", "\r\n", " ", "> ", "- ", "-", "12. ", "text", "词元", "````", "js", "\t"];
        for (int i = 0; i < 3000; i++)
        {
            byte[] text = Encoding.UTF8.GetBytes(
                string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => bits[random.Next(bits.Length)])));
            IReadOnlyList<ProseRange> whole = ProseSplitter.Split(text, TextForm.Markdown);
            ProseSplitter pieces = new(TextForm.Markdown);
            for (int at = 0; at < text.Length;)
            {
                int length = Math.Min(text.Length - at, random.Next(1, 4));
                pieces.Append(text.AsSpan(at, length));
                at += length;
                Assert.True(pieces.Ranges.Count == 0 || pieces.Ranges[^1].End <= at);
            }

            pieces.Complete();
            Assert.Equal(whole, pieces.Ranges);
            Assert.Equal(Slow(text), Kinds(text, whole));
            AssertWhole(text.Length, whole);
        }
    }

    [Fact]
    [Trait("Takes", "Long")]
    public void Split_OfAMillionFences_IsLinear()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("```\n", 1_000_000)));
        byte[] line = new byte[20_000_000];
        line.AsSpan().Fill((byte)'`');

        Assert.Single(ProseSplitter.Split(text, TextForm.Markdown));
        Assert.Single(ProseSplitter.Split(line, TextForm.Markdown));
    }

    [Fact]
    public void Split_OfOtherForms_IsOfOneKind()
    {
        Assert.Equal([new ProseRange(0, 7, TextKind.Code)], ProseSplitter.Split("a\n```\nb"u8, TextForm.Source));
        Assert.Equal([new ProseRange(0, 7, TextKind.Prose)], ProseSplitter.Split("a\n```\nb"u8, TextForm.Plain));
        Assert.Empty(ProseSplitter.Split(""u8, TextForm.Source));
        ProseSplitter done = new(TextForm.Plain);
        done.Complete();
        Assert.Throws<InvalidOperationException>(() => done.Append("x"u8));
    }

    [Fact]
    public void Divide_OfTokens_AddsUpAndGivesStraddlersToTheirFirstByte()
    {
        IReadOnlyList<ProseRange> ranges = ProseSplitter.Split("ab\n```\nx\n```\ncd"u8, TextForm.Markdown);

        // "ab", "\n``" (starts in prose), "`\nx", "\n", "```\nc" (starts in code), "d"
        Assert.Equal(new ProseCount(3, 3), ProseTally.Divide(ranges, [2, 3, 3, 1, 5, 1]));
        Assert.Equal(6, ProseTally.Divide(ranges, [2, 3, 3, 1, 5, 1]).Total);
        Assert.Equal(new ProseCount(0, 0), ProseTally.Divide([], []));
        Assert.Equal(new ProseCount(2, 0), ProseTally.Divide([], [1, 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ProseTally.Divide(ranges, [-1]));
    }

    [Theory]
    [InlineData("o200k_base")]
    [InlineData("qwen3")]
    [InlineData("deepseek_v3")]
    public void Of_ATextInMarkdown_AddsUpToItsCount(string vocabulary)
    {
        const string Text = "请看：\n\n```python\ndef f(x):\n    return x + 1\n```\n\n"
            + "e\u0301te\u0301 后记。\n~~~\nx = 1\n~~~\n";
        byte[] utf8 = Encoding.UTF8.GetBytes(Text);
        using Tokenizer tokenizer = Tokenizer.For(VocabularyCatalog.Shipped.Get(vocabulary));
        ProseCount count = ProseTally.Of(tokenizer, utf8, TextForm.Markdown);

        Assert.Equal(tokenizer.Count(utf8), count.Total);
        Assert.InRange(count.Code, 15, 30);
        Assert.InRange(count.Prose, 5, 20);
        Assert.Equal(new ProseCount(count.Total, 0), ProseTally.Of(tokenizer, utf8, TextForm.Plain));
        Assert.Equal(new ProseCount(0, count.Total), ProseTally.Of(tokenizer, utf8, TextForm.Source));
    }

    [Theory]
    [InlineData("src/a.CS", TextForm.Source)]
    [InlineData("Dockerfile", TextForm.Source)]
    [InlineData(@"c:\x\README.md", TextForm.Markdown)]
    [InlineData("README", TextForm.Plain)]
    [InlineData("types.d.ts", TextForm.Source)]
    [InlineData("notes.txt", TextForm.Plain)]
    [InlineData("CMakeLists.txt", TextForm.Source)]
    [InlineData("a.tar.gz", TextForm.Plain)]
    [InlineData("", TextForm.Plain)]
    [InlineData(".", TextForm.Plain)]
    public void Of_FileNames_FindsTheForm(string name, TextForm form) => Assert.Equal(form, FileKinds.Of(name));

    [Fact]
    public void Of_AScriptWithoutEnding_IsSource() => Assert.Equal(TextForm.Source, FileKinds.Of("run", "#!/bin/sh"u8));

    private static void AssertWhole(long length, IReadOnlyList<ProseRange> ranges)
    {
        long at = 0;
        foreach (ProseRange range in ranges)
        {
            Assert.Equal(at, range.Start);
            Assert.True(range.End > range.Start);
            at = range.End;
        }

        Assert.Equal(length, at);
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.NotEqual(pair.First.Kind, pair.Second.Kind));
    }

    private static string Kinds(byte[] text, IReadOnlyList<ProseRange> ranges, string? end = null)
    {
        StringBuilder kinds = new();
        int start = 0;
        foreach (string line in Lines(Encoding.UTF8.GetString(text), end))
        {
            ProseRange range = ranges.First(r => start >= r.Start && start < r.End);
            kinds.Append(range.Kind == TextKind.Code ? 'c' : 'p');
            start += Encoding.UTF8.GetByteCount(line);
        }

        return kinds.ToString();
    }

    /// <summary>The rule again, by lines and regular expressions.</summary>
    private static string Slow(byte[] text)
    {
        StringBuilder kinds = new();
        string open = "";
        foreach (string whole in Lines(Encoding.UTF8.GetString(text), null))
        {
            string line = whole.TrimEnd('\r', '\n');
            if (open.Length == 0)
            {
                System.Text.RegularExpressions.Match m = System.Text.RegularExpressions.Regex.Match(
                    line, @"^[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t][ \t>]*)?(?:(`{3,})[^`]*|(~{3,}).*)$");
                open = m.Success ? m.Groups[1].Value + m.Groups[2].Value : "";
                kinds.Append(m.Success ? 'c' : 'p');
            }
            else
            {
                kinds.Append('c');
                System.Text.RegularExpressions.Match m =
                    System.Text.RegularExpressions.Regex.Match(line, @"^[ \t>]*(`{3,}|~{3,})[ \t]*$");
                open = m.Success && m.Groups[1].Value.StartsWith(open, StringComparison.Ordinal) ? "" : open;
            }
        }

        return kinds.ToString();
    }

    private static IEnumerable<string> Lines(string text, string? end)
    {
        for (int at = 0; at < text.Length;)
        {
            int stop = text.IndexOfAny(['\r', '\n'], at);
            bool two = stop >= 0 && stop + 1 < text.Length && text[stop] == '\r' && text[stop + 1] == '\n';
            int length = stop < 0 ? text.Length - at : stop + (two ? 2 : 1) - at;
            Assert.True(end is null || stop < 0 || text.IndexOf(end, stop, StringComparison.Ordinal) == stop);
            yield return text.Substring(at, length);
            at += length;
        }
    }
}
