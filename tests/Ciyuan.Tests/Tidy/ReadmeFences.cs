using System.Text.RegularExpressions;

namespace Ciyuan.Tests.Tidy;

/// <summary>A script on a page, and what the page says that it prints.</summary>
/// <param name="Script">The lines of the fence marked <c>sh</c>.</param>
/// <param name="Prints">Lines of the fence marked <c>text</c> that follows; none when there is no such fence.</param>
/// <param name="Exempt">True when the line before the fence says that the test of the page does not run it.</param>
internal sealed record ReadmeFence(string Script, string[] Prints, bool Exempt);

/// <summary>Finds the scripts of a page.</summary>
internal static partial class ReadmeFences
{
    /// <summary>The line before a fence that is not run: it would run the very test that runs it.</summary>
    internal const string ExemptMark = "<!-- not run by the test of this page -->";

    /// <summary>The scripts, in order.</summary>
    internal static List<ReadmeFence> Of(string page) =>
        [.. Script().Matches(page).Select(m => new ReadmeFence(
            m.Groups["script"].Value,
            [.. m.Groups["text"].Value.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l != "…")],
            m.Groups["mark"].Success))];

    [GeneratedRegex(
        @"(?<mark><!-- not run by the test of this page -->\n)?"
        + @"^```sh\n(?<script>.*?)^```\n(\s*```text\n(?<text>.*?)^```)?",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Script();
}
