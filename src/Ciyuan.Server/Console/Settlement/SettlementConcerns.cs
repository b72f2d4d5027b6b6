using Ciyuan.Parties;
using Ciyuan.Quantities;
using Ciyuan.Server.Console.Data;
using Ciyuan.Settlement;
using Ciyuan.Storage;

namespace Ciyuan.Server.Console.Settlement;

/// <summary>What is open between the sides of agreements: disputes of periods, and differences of bills.</summary>
internal static class SettlementConcerns
{
    private const int MostOfAKind = 8;

    /// <summary>What the visitor sees of it.</summary>
    internal static IEnumerable<Concern> Find(Visit visit, SettlementState state) =>
    [
        .. Disputes(visit, state.Calendar).Take(MostOfAKind),
        .. Signed(visit).Take(MostOfAKind),
        .. Undecided(visit).Take(MostOfAKind),
    ];

    /// <summary>The days that a signed result is about.</summary>
    internal static string DaysOf(Visit visit, ReconciliationSetup entry) =>
        Timestamp.TryParse(entry.From, out Timestamp from) && Timestamp.TryParse(entry.To, out Timestamp to)
            ? $"{visit.Local(from, "uuuu-MM-dd")} – {visit.Local(to.PlusNanoseconds(-1), "uuuu-MM-dd")}"
            : "";

    /// <summary>Whether a difference is held: two people have disputed it, and no two have ended that.</summary>
    internal static bool IsHeld(SignedReconciliation signed, SignedReconciliation? end) =>
        signed is { IsComplete: true, Entry.Decision: "disputed" } && end is not { IsComplete: true };

    private static IEnumerable<Concern> Disputes(Visit visit, SettlementCalendar calendar) =>
        from period in calendar.Periods
        where visit.Scope.Sees(period.Agreement)
        from dispute in period.Disputes
        where dispute.Resolved is null
        let currency = visit.Desk.Catalog.FindAgreement(period.Agreement)!.Currency.ToString()
        select new Concern(
            "concern.dispute",
            v => [period.Agreement, period.Name, dispute.Id,
                Figures.WithUnit(v.Language, dispute.Amount.Pico, currency)],
            SettlementPages.LinkOf(period.Agreement, period.Name) + "#disputes", true);

    // Signed by one person, or disputed by two.
    private static IEnumerable<Concern> Signed(Visit visit)
    {
        Reconciliations all = visit.Desk.Catalog.Reconciliations;
        foreach (SignedReconciliation signed in all.All.Where(s => s.Entry.Ends is null))
        {
            ReconciliationSetup entry = signed.Entry;
            SignedReconciliation? end = all.Find(entry.Id + ReconciliationSetup.End);
            bool waits = !signed.IsComplete || end is { IsComplete: false };
            if (visit.Scope.Sees(entry.Agreement) && (waits || IsHeld(signed, end)))
            {
                Amount delta = Amount.Parse(entry.There) - Amount.Parse(entry.Here);
                yield return new Concern(
                    waits ? "concern.reconcile.second" : "concern.reconcile.held",
                    v => [entry.Agreement, DaysOf(v, entry), Delta(v, delta, entry.Currency)],
                    LinkOf(visit, entry), true);
            }
        }
    }

    // Of the bills for one agreement and period, the last that was brought.
    private static IEnumerable<Concern> Undecided(Visit visit)
    {
        if (!visit.Scope.IsAll)
        {
            return [];
        }

        var signed = visit.Desk.Catalog.Reconciliations.All.Select(s => (s.Entry.Bill, s.Entry.Agreement)).ToHashSet();
        return from bill in visit.Desk.Bills.All.DistinctBy(b => (b.Agreement, b.Period))
               where bill.Found is not { Differences: 0 } && !signed.Contains((bill.Sha256, bill.Agreement))
               select bill.Found is { } found
                   ? new Concern(
                       "concern.bill",
                       v => [bill.Name, bill.Agreement, bill.Period, Figures.Exact(found.Differences),
                           Delta(v, Amount.Parse(found.Delta), found.Currency)],
                       ReconcilePages.LinkOf(bill.Id), true)
                   : new Concern(
                       "concern.bill.new", _ => [bill.Name, bill.Agreement, bill.Period],
                       ReconcilePages.LinkOf(bill.Id), false);
    }

    private static string LinkOf(Visit visit, ReconciliationSetup entry) =>
        visit.Scope.IsAll && visit.Desk.Bills.All.FirstOrDefault(
            b => b.Sha256 == entry.Bill && b.Agreement == entry.Agreement) is { } bill
                ? ReconcilePages.LinkOf(bill.Id) + "#sign"
                : ReconcilePages.Path;

    private static string Delta(Visit visit, Amount amount, string currency) =>
        (amount > Amount.Zero ? "+" : "") + Figures.WithUnit(visit.Language, amount.Pico, currency);
}
