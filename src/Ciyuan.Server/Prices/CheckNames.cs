namespace Ciyuan.Server.Prices;

/// <summary>Names and patterns of a version's lines: such as can never match, and such where it is not plain which
/// line a name gets.</summary>
internal static class CheckNames
{
    internal static void Run(List<CheckedLine> lines, List<PriceFinding> findings)
    {
        foreach (IGrouping<(string, int, string?), CheckedLine> version in
            lines.GroupBy(line => (line.Book.Id, line.Book.Version, line.Price.Provider)))
        {
            List<(CheckedLine Line, string Pattern)> patterns =
                [.. version.SelectMany(line => PatternsOf(line).Select(pattern => (line, pattern)))];
            foreach ((CheckedLine line, string pattern) in patterns.Where(p => NamePatterns.Normal(p.Pattern) == "*"))
            {
                Add(findings, false, line,
                    "the pattern * prices every model that no other line takes, unknown ones too");
            }

            for (int i = 0; i < patterns.Count; i++)
            {
                for (int j = i + 1; j < patterns.Count; j++)
                {
                    Compare(patterns[i], patterns[j], findings);
                }
            }
        }
    }

    private static IEnumerable<string> PatternsOf(CheckedLine line) => (line.Price.Patterns ?? [])
        .Prepend(line.Price.Model).Where(name => name.Contains('*', StringComparison.Ordinal));

    private static void Compare(
        (CheckedLine Line, string Pattern) first, (CheckedLine Line, string Pattern) second,
        List<PriceFinding> findings)
    {
        int firstLetters = NamePatterns.LiteralLength(first.Pattern);
        int secondLetters = NamePatterns.LiteralLength(second.Pattern);
        bool firstCovers = NamePatterns.Covers(first.Pattern, second.Pattern);
        bool secondCovers = NamePatterns.Covers(second.Pattern, first.Pattern);
        if (firstCovers && firstLetters >= secondLetters)
        {
            Add(findings, true, second.Line,
                $"the pattern {second.Pattern} can never match: {first.Pattern} of {first.Line.Name} goes before it");
        }
        else if (secondCovers && secondLetters > firstLetters)
        {
            Add(findings, true, first.Line,
                $"the pattern {first.Pattern} can never match: {second.Pattern} of {second.Line.Name} goes before it");
        }
        else if (!firstCovers && !secondCovers && first.Line != second.Line)
        {
            IReadOnlyList<string>? both = NamePatterns.Intersect(first.Pattern, second.Pattern);
            if (both is { Count: 0 })
            {
                return;
            }

            string example = both is null ? "" : $", such as {both[0]}";
            CheckedLine winner = secondLetters > firstLetters ? second.Line : first.Line;
            Add(findings, false, second.Line, $"the patterns {first.Pattern} and {second.Pattern} share names{example}: "
                + $"{winner.Name} gets them, for its letters or its place");
        }
    }

    private static void Add(List<PriceFinding> findings, bool isWrong, CheckedLine line, string text) => findings.Add(
        new PriceFinding(FindingKind.Overlap, isWrong, line.File, line.Row, line.Where, text));
}
