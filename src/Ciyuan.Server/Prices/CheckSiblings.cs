using System.Globalization;

namespace Ciyuan.Server.Prices;

/// <summary>Classes that most lines of a version price by themselves and one does not: perhaps forgotten.</summary>
internal static class CheckSiblings
{
    private const int MinSiblings = 3;

    // What the names of models have in them that answer with no text and cache none.
    private static readonly string[] WithoutOutput = ["embed", "rerank", "moderation"];

    internal static void Run(List<CheckedLine> lines, List<PriceFinding> findings)
    {
        foreach (IGrouping<(string, int, string?), CheckedLine> version in
            lines.GroupBy(line => (line.Book.Id, line.Book.Version, line.Price.Provider)))
        {
            CheckedLine[] chat = [.. version.Where(line => line.Prices(CheckedLine.Input) && !Array.Exists(
                WithoutOutput, word => line.Price.Model.Contains(word, StringComparison.OrdinalIgnoreCase)))];
            foreach (string meter in (string[])[CheckedLine.Output, CheckedLine.CacheRead])
            {
                CheckedLine[] without = [.. chat.Where(line => !Has(line, meter))];
                int with = chat.Length - without.Length;
                if (with < MinSiblings || without.Length * 3 > chat.Length)
                {
                    continue;
                }

                foreach (CheckedLine line in without)
                {
                    string then = line.Prices(meter) ? "those tokens cost as input" : "they go to suspense";
                    findings.Add(new PriceFinding(FindingKind.Gap, false, line.File, line.Row, line.Where,
                        string.Create(CultureInfo.InvariantCulture,
                            $"no price of its own for {meter}, which {with} of {chat.Length} lines have: {then}")));
                }
            }
        }
    }

    private static bool Has(CheckedLine line, string meter) =>
        meter == CheckedLine.Output ? line.Prices(meter) : line.Names(meter);
}
