using System.Globalization;

namespace Ciyuan.Server.Prices;

/// <summary>Classes that most lines of a version price by themselves and one does not: perhaps forgotten.</summary>
internal static class CheckSiblings
{
    private const int MinSiblings = 3;

    internal static void Run(List<CheckedLine> lines, List<PriceFinding> findings)
    {
        foreach (IGrouping<(string, int, string?), CheckedLine> version in
            lines.GroupBy(line => (line.Book.Id, line.Book.Version, line.Price.Provider)))
        {
            // Lines that price both directions: others are of another kind, such as embeddings.
            CheckedLine[] chat = [.. version.Where(line => Prices(line, CheckedLine.Input))];
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
                    string then = Prices(line, meter) ? "those tokens cost as input" : "they go to suspense";
                    findings.Add(new PriceFinding(FindingKind.Gap, false, line.File, line.Row, line.Where,
                        string.Create(CultureInfo.InvariantCulture, $"no price of its own for {meter}, which {with} of ")
                        + string.Create(CultureInfo.InvariantCulture, $"{chat.Length} lines have: {then}")));
                }
            }
        }
    }

    private static bool Has(CheckedLine line, string meter) =>
        meter == CheckedLine.Output ? Prices(line, meter) : line.Names(meter);

    private static bool Prices(CheckedLine line, string meter) => line.Own(meter) is not null
        || line.HasCurve(meter) || line.Rules.Any(rule => CheckedLine.Of(rule, meter) is not null);
}
