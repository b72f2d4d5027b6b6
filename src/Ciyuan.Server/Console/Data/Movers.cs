using Ciyuan.Quantities;
using Ciyuan.Statistics;

namespace Ciyuan.Server.Console.Data;

/// <summary>Why what a consumer pays changed from one week to the next, without a rest: volume + mix + price is the
/// change.</summary>
/// <param name="Party">The consumer.</param>
/// <param name="Currency">Currency.</param>
/// <param name="Before">What it paid in the week before.</param>
/// <param name="Now">What it paid in this one.</param>
/// <param name="Volume">More or fewer tokens, at the mean price of before.</param>
/// <param name="Mix">Dearer or cheaper models, at their prices of before.</param>
/// <param name="Price">Other prices of the same models.</param>
/// <param name="Model">The model whose cost changed most.</param>
/// <param name="ModelChange">By how much.</param>
internal sealed record Mover(
    string Party, string Currency, Int128 Before, Int128 Now, Int128 Volume, Int128 Mix, Int128 Price, string Model,
    Int128 ModelChange)
{
    internal Int128 Change => Now - Before;
}

/// <summary>Finds whose cost rose most, and why.</summary>
internal static class Movers
{
    /// <summary>Consumers by how much more they pay, the largest rise first.</summary>
    /// <param name="before">The week before, by party and model.</param>
    /// <param name="now">This week, the same.</param>
    /// <param name="moneyOf">What is paid in a currency.</param>
    internal static List<Mover> Find(Report before, Report now, Func<Sums, string, Int128> moneyOf)
    {
        Dictionary<string, Dictionary<string, Sums>> old = ByPartyAndModel(before);
        Dictionary<string, Dictionary<string, Sums>> current = ByPartyAndModel(now);
        var movers = new List<Mover>();
        foreach (string party in old.Keys.Union(current.Keys))
        {
            Dictionary<string, Sums> a = old.GetValueOrDefault(party) ?? [];
            Dictionary<string, Sums> b = current.GetValueOrDefault(party) ?? [];
            foreach (string currency in a.Values.Concat(b.Values).SelectMany(s => s.Currencies).Distinct())
            {
                movers.Add(Explain(party, currency, a, b, moneyOf));
            }
        }

        return [.. movers.Where(m => m.Change != 0).OrderByDescending(m => m.Change)];
    }

    private static Mover Explain(
        string party, string currency, Dictionary<string, Sums> before, Dictionary<string, Sums> now,
        Func<Sums, string, Int128> moneyOf)
    {
        Int128 paidBefore = before.Values.Aggregate((Int128)0, (sum, s) => sum + moneyOf(s, currency));
        Int128 paidNow = now.Values.Aggregate((Int128)0, (sum, s) => sum + moneyOf(s, currency));
        Int128 tokensBefore = before.Values.Aggregate((Int128)0, (sum, s) => sum + s.Tokens);
        Int128 tokensNow = now.Values.Aggregate((Int128)0, (sum, s) => sum + s.Tokens);
        Int128 atOldPrices = 0;
        string model = Dimensions.None;
        Int128 most = 0;
        foreach (string name in before.Keys.Union(now.Keys))
        {
            Int128 was = before.TryGetValue(name, out Sums? old) ? moneyOf(old, currency) : 0;
            Int128 moved = now.TryGetValue(name, out Sums? next) ? moneyOf(next, currency) : 0;
            // A model that was not used before has no price of before: what it costs is a matter of mix.
            Int128 tokens = next?.Tokens ?? 0;
            atOldPrices += old is { Tokens: var then } && then > 0 ? Scale(was, tokens, then) : moved;
            if (Int128.Abs(moved - was) >= Int128.Abs(most))
            {
                (model, most) = (name, moved - was);
            }
        }

        Int128 volume = tokensBefore > 0 ? Scale(paidBefore, tokensNow - tokensBefore, tokensBefore) : 0;
        return new Mover(
            party, currency, paidBefore, paidNow, volume, atOldPrices - paidBefore - volume, paidNow - atOldPrices,
            model, most);
    }

    // The product may need more than 128 bits; a share of a whole is exact enough as a quotient and a rest.
    private static Int128 Scale(Int128 amount, Int128 part, Int128 whole) =>
        (amount / whole * part) + (amount % whole * part / whole);

    private static Dictionary<string, Dictionary<string, Sums>> ByPartyAndModel(Report report)
    {
        var parties = new Dictionary<string, Dictionary<string, Sums>>(StringComparer.Ordinal);
        foreach (ReportRow row in report.Rows)
        {
            if (!parties.TryGetValue(row.Key[0], out Dictionary<string, Sums>? models))
            {
                parties[row.Key[0]] = models = new(StringComparer.Ordinal);
            }

            if (!models.TryGetValue(row.Key[1], out Sums? sums))
            {
                models[row.Key[1]] = sums = new Sums();
            }

            sums.Add(report, row);
        }

        return parties;
    }
}
