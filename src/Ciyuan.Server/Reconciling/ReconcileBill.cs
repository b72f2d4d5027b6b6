using Ciyuan.Journal;
using Ciyuan.Quantities;
using Ciyuan.Reconciling;
using Ciyuan.Settlement;
using Ciyuan.Statistics;
using Ciyuan.Storage;
using Ciyuan.Usage;

namespace Ciyuan.Server.Reconciling;

/// <summary>How calls of both sides are matched.</summary>
public enum BillMatching
{
    /// <summary>By id where every line has one, else by day.</summary>
    Auto,

    /// <summary>By id.</summary>
    Id,

    /// <summary>By day, model and class.</summary>
    Day,
}

/// <summary>Compares a bill with our records.</summary>
public static class ReconcileBill
{
    private const long Margin = 26L * 3_600 * Timestamp.PerSecond;

    /// <summary>Compares.</summary>
    /// <param name="question">What is compared; its tolerance is that of the bill's decimals unless it is said.</param>
    /// <param name="bill">The bill.</param>
    /// <param name="matching">How.</param>
    /// <param name="idTag">The tag by which the other side knows a record; empty for the record's own id.</param>
    /// <param name="facts">Our facts.</param>
    /// <param name="frames">Our frames from the first on, each time anew.</param>
    /// <exception cref="BillException">The bill can't be read, or can't be matched so.</exception>
    /// <exception cref="ReportTooLargeException">Beyond a named limit.</exception>
    public static BillComparison Run(
        BillQuestion question, Bill bill, BillMatching matching, string idTag, FactStore facts,
        Func<IEnumerable<Frame>> frames)
    {
        bool byId = matching == BillMatching.Id || (matching == BillMatching.Auto && bill.HasIds);
        if (byId && !bill.HasIds)
        {
            throw new BillException($"{bill.Name}: not every line has an id; match by day");
        }

        return byId ? MatchCalls(question, bill, idTag, facts, frames) : MatchDays(question, bill, facts);
    }

    private static BillComparison MatchCalls(
        BillQuestion question, Bill bill, string idTag, FactStore facts, Func<IEnumerable<Frame>> frames)
    {
        ChargeSheet sheet = facts.RunCharges(Ask(question, Bucket.None));
        bool corrected = sheet.Lines.Any(
            line => line.Kind is StatementLineKind.TakenBack or StatementLineKind.MadeAnew);
        string? IdOf(UsageRecord record) => idTag.Length == 0 ? record.Id
            : Array.Find(record.Tags, tag => tag.Name == idTag).Value;
        return new MatchById(question, frames, IdOf, corrected).Run(bill.Read, bill.Lines);
    }

    private static BillComparison MatchDays(BillQuestion question, Bill bill, FactStore facts)
    {
        ChargeSheet sheet = facts.RunCharges(Ask(question, Bucket.QuarterHour));
        return new MatchByDay(question).Run(bill.Read(), Quarters(sheet.Lines));
    }

    private static ChargeQuery Ask(BillQuestion question, Bucket bucket) => new()
    {
        Period = new Period(
            question.Period.Start.PlusNanoseconds(-Margin), question.Period.End.PlusNanoseconds(Margin)),
        Bucket = bucket,
        Agreements = new HashSet<string> { question.Agreement },
        Keep = new HashSet<Dimension> { Dimension.Model },
    };

    // What has no price of its own has its amount in the line without a meter: that is its, where it is alone.
    private static IEnumerable<ChargedQuarter> Quarters(IReadOnlyList<ChargeLine> lines)
    {
        var unpriced = lines.Where(l => l is { Meter: not null, UnitPrice: null })
            .GroupBy(l => (l.Start, l.Context.ModelAnswered))
            .ToDictionary(g => g.Key, g => g.Select(l => l.Meter!.Value).Distinct().ToArray());
        foreach (ChargeLine line in lines)
        {
            // A correction changes amounts: the quantity is the record's, and counted there.
            bool counts = line.Kind is not (StatementLineKind.TakenBack or StatementLineKind.MadeAnew);
            BillClass of = line switch
            {
                { Meter: { } meter } => BillClass.Of(meter),
                { UnitPrice: not null } => BillClass.Of(Meter.Request),
                _ => unpriced.TryGetValue((line.Start, line.Context.ModelAnswered), out Meter[]? alone)
                    && alone.Length == 1 ? BillClass.Of(alone[0]) : BillClass.All,
            };
            Int128 steps = !counts ? 0 : line.Meter is null ? (line.UnitPrice is null ? 0 : line.Calls) : line.Steps;
            yield return new ChargedQuarter(
                line.Start, line.Context.ModelAnswered, new SideSum(of, steps, line.Amount));
        }
    }
}
