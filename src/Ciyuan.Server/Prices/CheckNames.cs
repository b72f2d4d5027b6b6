using System.Globalization;

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

            var shared = new OrderedDictionary<CheckedLine, List<(string Text, CheckedLine Other)>>();
            for (int i = 0; i < patterns.Count; i++)
            {
                for (int j = i + 1; j < patterns.Count; j++)
                {
                    Compare(patterns[i], patterns[j], findings, shared);
                }
            }

            AddShared(shared, findings);
        }
    }

    private static IEnumerable<string> PatternsOf(CheckedLine line) => (line.Price.Patterns ?? [])
        .Prepend(line.Price.Model).Where(name => name.Contains('*', StringComparison.Ordinal));

    private static void Compare(
        (CheckedLine Line, string Pattern) first, (CheckedLine Line, string Pattern) second,
        List<PriceFinding> findings, OrderedDictionary<CheckedLine, List<(string Text, CheckedLine Other)>> shared)
    {
        if (IsApart(first.Pattern, second.Pattern))
        {
            return; // as nearly all are
        }

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
            if (FindShared(first.Pattern, second.Pattern) is { } example)
            {
                CheckedLine winner = secondLetters > firstLetters ? second.Line : first.Line;
                shared.TryAdd(second.Line, []);
                shared[second.Line].Add(($"the patterns {first.Pattern} and {second.Pattern} share names{example}: "
                    + $"{winner.Name} gets them, for its letters or its place", first.Line));
            }
        }
    }

    // An example of names that both match; null when there are none. Two names that only stand one after the other, as
    // gpt-*claude-* has them, are no name that anybody has.
    private static string? FindShared(string first, string second)
    {
        bool isLong = Math.Min(NamePatterns.LiteralLength(first), NamePatterns.LiteralLength(second))
            > GenaiNames.ShortPattern;
        if (isLong && (first[0] == '*' || second[0] == '*')
            && !Longest(first).Contains(Longest(second), StringComparison.Ordinal)
            && !Longest(second).Contains(Longest(first), StringComparison.Ordinal))
        {
            return null;
        }

        IReadOnlyList<string>? both = NamePatterns.Intersect(first, second);
        int most = NamePatterns.LiteralLength(first) + NamePatterns.LiteralLength(second);
        return both is null ? ""
            : both.FirstOrDefault(name => !isLong || NamePatterns.LiteralLength(name) < most) is { } name
                ? $", such as {name}"
                : null;
    }

    // By what stands before the first star of both, or after the last.
    private static bool IsApart(string first, string second)
    {
        int front = Math.Min(
            first.IndexOf('*', StringComparison.Ordinal), second.IndexOf('*', StringComparison.Ordinal));
        int end = Math.Min(first.Length - first.LastIndexOf('*'), second.Length - second.LastIndexOf('*')) - 1;
        return !first.AsSpan(0, front).SequenceEqual(second.AsSpan(0, front))
            || !first.AsSpan(first.Length - end).SequenceEqual(second.AsSpan(second.Length - end));
    }

    private static string Longest(string pattern) => pattern.Split('*').MaxBy(part => part.Length)!;

    // A line whose patterns share names with many others is told once.
    private static void AddShared(
        OrderedDictionary<CheckedLine, List<(string Text, CheckedLine Other)>> shared, List<PriceFinding> findings)
    {
        foreach ((CheckedLine line, List<(string Text, CheckedLine Other)> all) in shared)
        {
            int lines = all.Select(s => s.Other).Distinct().Count();
            string more = lines == 1 ? "" : string.Create(CultureInfo.InvariantCulture,
                $"; with {lines - 1} other lines it shares names too");
            Add(findings, false, line, all[0].Text + more);
        }
    }

    private static void Add(List<PriceFinding> findings, bool isWrong, CheckedLine line, string text) => findings.Add(
        new PriceFinding(FindingKind.Overlap, isWrong, line.File, line.Row, line.Where, text));
}
