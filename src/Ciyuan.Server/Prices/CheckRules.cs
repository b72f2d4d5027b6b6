using System.Globalization;
using System.Numerics;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>Rules of one line: such as can never win, and cases that none covers.</summary>
internal static class CheckRules
{
    internal static void Run(CheckedLine line, List<PriceFinding> findings)
    {
        if (line.Rules.Count == 0)
        {
            if (!line.Meters.Any())
            {
                Add(findings, FindingKind.Gap, false, line, line.Row, "prices nothing: all of its usage goes to suspense");
            }

            return;
        }

        var grid = new RuleGrid(line.Rules);
        if (!grid.IsSmall)
        {
            Add(findings, FindingKind.Overlap, false, line, line.Row, string.Create(CultureInfo.InvariantCulture,
                $"its rules tell more than {RuleGrid.MaxCases} cases apart; they were not checked"));
            return;
        }

        string[] meters = [.. line.Meters];
        ulong[] prices = [.. meters.Select(meter => Mask(line.Rules, meter))];
        ulong possible = 0;
        ulong wins = 0;
        foreach ((ulong holds, _) in grid.Cases())
        {
            possible |= holds;
            foreach (ulong mask in prices)
            {
                ulong here = holds & mask;
                wins |= here == 0 ? 0 : 1UL << BitOperations.TrailingZeroCount(here); // the first of those that do both
            }
        }

        AddRules(line, possible, wins, findings);
        var gaps = new OrderedDictionary<(bool IsWrong, string Cases), List<string>>();
        for (int i = 0; i < meters.Length; i++)
        {
            if (line.Own(meters[i]) is null && !line.HasCurve(meters[i]) && Gap(prices[i], grid) is { } gap)
            {
                gaps.TryAdd(gap, []);
                gaps[gap].Add(meters[i]);
            }
        }

        foreach (((bool isWrong, string cases), List<string> of) in gaps)
        {
            Add(findings, FindingKind.Gap, isWrong, line, line.Row, $"no price for {string.Join(", ", of)}"
                + $"{(isWrong ? "" : " beyond its rules, which is suspense")}: {cases}");
        }
    }

    private static ulong Mask(IReadOnlyList<RuleSetup> rules, string meter)
    {
        ulong mask = 0;
        for (int i = 0; i < rules.Count; i++)
        {
            mask |= CheckedLine.Of(rules[i], meter) is null ? 0 : 1UL << i;
        }

        return mask;
    }

    private static void AddRules(CheckedLine line, ulong possible, ulong wins, List<PriceFinding> findings)
    {
        for (int i = 0; i < line.Rules.Count; i++)
        {
            ulong bit = 1UL << i;
            if ((wins & bit) == 0)
            {
                Add(findings, FindingKind.Overlap, true, line, line.RuleRows[i], (possible & bit) == 0
                    ? $"rule '{line.Rules[i].Name}' can never hold: its conditions exclude one another"
                    : $"rule '{line.Rules[i].Name}' can never win: rules before it take every case of it");
            }
        }
    }

    // The first case without a price; one that is left open on purpose only when there is no other.
    private static (bool IsWrong, string Cases)? Gap(ulong mask, RuleGrid grid)
    {
        string? open = null;
        foreach ((ulong holds, int[] values) in grid.Cases())
        {
            if ((holds & mask) == 0 && !grid.IsOpenEnd(values))
            {
                return (true, grid.Describe(values));
            }

            open ??= (holds & mask) == 0 ? grid.Describe(values) : null;
        }

        return open is null ? null : (false, open);
    }

    private static void Add(
        List<PriceFinding> findings, FindingKind kind, bool isWrong, CheckedLine line, int row, string text) =>
        findings.Add(new PriceFinding(kind, isWrong, line.File, row, line.Where, text));
}
