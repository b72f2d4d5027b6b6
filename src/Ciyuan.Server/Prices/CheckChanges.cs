using System.Globalization;
using Ciyuan.Parties;

namespace Ciyuan.Server.Prices;

/// <summary>What the newest version of each book changes against the one before: by how much, the largest first.</summary>
internal static class CheckChanges
{
    /// <summary>A price that changes by more than this is taken for one in another unit.</summary>
    private const decimal MostTimes = 100;

    internal static void Run(List<CheckedLine> lines, List<PriceFinding> findings)
    {
        foreach (IGrouping<string, CheckedLine> book in lines.GroupBy(line => line.Book.Id))
        {
            int[] versions = [.. book.Select(line => line.Book.Version).Distinct().OrderDescending()];
            if (versions.Length > 1)
            {
                Compare([.. book.Where(line => line.Book.Version == versions[1])],
                    [.. book.Where(line => line.Book.Version == versions[0])], findings);
            }
        }
    }

    private static void Compare(CheckedLine[] before, CheckedLine[] after, List<PriceFinding> findings)
    {
        var changes = new List<(decimal Times, PriceFinding Finding)>();
        foreach (CheckedLine now in after)
        {
            CheckedLine? was = Array.Find(before, line => SameModel(line, now));
            if (was is null)
            {
                Add(changes, 0, now, now.Row, "new in this version");
                continue;
            }

            Compare("", now.Row, was.Own, now.Own, Both(was, now), now, changes);
            for (int i = 0; i < now.Rules.Count; i++)
            {
                RuleSetup rule = now.Rules[i];
                if (was.Rules.FirstOrDefault(r => r.Name == rule.Name) is { } old)
                {
                    Compare($"rule '{rule.Name}': ", now.RuleRows[i], meter => CheckedLine.Of(old, meter),
                        meter => CheckedLine.Of(rule, meter), Both(was, now), now, changes);
                    if (Conditions(old) != Conditions(rule))
                    {
                        Add(changes, 0, now, now.RuleRows[i], $"rule '{rule.Name}' holds under other conditions");
                    }
                }
                else
                {
                    Add(changes, 0, now, now.RuleRows[i], $"rule '{rule.Name}' is new");
                }
            }
        }

        foreach (CheckedLine gone in before.Where(line => !Array.Exists(after, now => SameModel(line, now))))
        {
            Add(changes, 0, after[0], after[0].Row, $"{gone.Name} is no longer in this version");
        }

        findings.AddRange(changes.OrderByDescending(change => change.Times).Select(change => change.Finding));
    }

    // A model may have become an alias of the one that took its place.
    private static bool SameModel(CheckedLine was, CheckedLine now) => was.Price.Provider == now.Price.Provider
        && (was.Price.Model == now.Price.Model || (now.Price.Aliases ?? []).Contains(was.Price.Model));

    private static IEnumerable<string> Both(CheckedLine was, CheckedLine now) =>
        was.Meters.Union(now.Meters, StringComparer.Ordinal);

    private static void Compare(
        string prefix, int row, Func<string, decimal?> was, Func<string, decimal?> now, IEnumerable<string> meters,
        CheckedLine line, List<(decimal Times, PriceFinding Finding)> changes)
    {
        foreach (string meter in meters)
        {
            (decimal? old, decimal? price) = (was(meter), now(meter));
            if (old == price)
            {
                continue;
            }

            string text = $"{prefix}{meter} {Plain(old)} → {Plain(price)}";
            if (old is > 0 && price is > 0)
            {
                decimal times = Math.Max(old.Value, price.Value) / Math.Min(old.Value, price.Value);
                decimal percent = ((price.Value / old.Value) - 1) * 100;
                Add(changes, times, line, row, string.Create(
                    CultureInfo.InvariantCulture, $"{text} ({percent:+0.0;-0.0} %)"), times > MostTimes);
            }
            else
            {
                Add(changes, 0, line, row, text);
            }
        }
    }

    private static string Plain(decimal? price) => price is { } value ? CheckUnits.Plain(value) : "none";

    private static string Conditions(RuleSetup rule) => System.Text.Json.JsonSerializer.Serialize(
        new Setup
        {
            Books = [new BookSetup("", 1, "", "", "", "", [new PriceSetup(
                "", new Dictionary<string, string>(), Rules: [new RuleSetup("", rule.When)])])],
        },
        SetupJson.Default.Setup);

    private static void Add(
        List<(decimal Times, PriceFinding Finding)> changes, decimal times, CheckedLine line, int row, string text,
        bool isWrong = false) => changes.Add((times, new PriceFinding(
            isWrong ? FindingKind.Unit : FindingKind.Change, isWrong, line.File, row, line.Where,
            isWrong ? $"{text}: looks like another unit" : text)));
}
