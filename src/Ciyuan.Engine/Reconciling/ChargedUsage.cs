using Ciyuan.Journal;
using Ciyuan.Ledger;
using Ciyuan.Quantities;
using Ciyuan.Rating;
using Ciyuan.Usage;

namespace Ciyuan.Reconciling;

/// <summary>What one agreement charges for one record, by class, as a bill would list it.</summary>
internal static class ChargedUsage
{
    /// <summary>Sums by class of a record's charges under an agreement; null when it has none.</summary>
    /// <param name="counts">What the record counted.</param>
    /// <param name="charges">Its charges.</param>
    /// <param name="agreement">The agreement.</param>
    internal static List<SideSum>? Of(Count[] counts, Charge[] charges, string agreement)
    {
        List<SideSum>? sums = null;
        foreach (Charge charge in charges)
        {
            if (charge.Rate.Agreement == agreement)
            {
                sums ??= [];
                Add(sums, counts, charge, withSteps: true);
            }
        }

        return sums;
    }

    /// <summary>Adds what a correction changes: amounts alone, for the quantities stay.</summary>
    internal static void AddCorrection(List<SideSum> sums, CorrectedRecord record, string agreement)
    {
        for (int i = 0; i < record.Charges.Length; i++)
        {
            if (record.Charges[i].Rate.Agreement == agreement)
            {
                Add(sums, record.Counts ?? [], record.Charges[i], withSteps: false, takenBack: i < record.Reversed);
            }
        }
    }

    private static void Add(
        List<SideSum> sums, Count[] counts, Charge charge, bool withSteps, bool takenBack = false)
    {
        Rate rate = charge.Rate;
        if (rate.Method == RateMethod.PerCall)
        {
            AddTo(sums, BillClass.Of(Meter.Request), withSteps ? 1 : 0, charge.Amount);
            return;
        }

        Amount rest = charge.Amount;
        int unpriced = 0;
        BillClass last = BillClass.All;
        foreach (Count count in rate.Method == RateMethod.Share ? [] : counts)
        {
            bool hasPrice = rate.TryGetPrice(count.Meter, out Amount price);
            if (!hasPrice && rate.Formula is null && rate.Method != RateMethod.Suspense)
            {
                continue;
            }

            Int128 billed = count.Steps - Covered(charge, count.Meter);
            Amount amount = hasPrice ? new Amount(price.Pico * billed) : Amount.Zero;
            amount = takenBack ? -amount : amount;
            (unpriced, last) = hasPrice ? (unpriced, last) : (unpriced + 1, BillClass.Of(count.Meter));
            AddTo(sums, BillClass.Of(count.Meter), withSteps ? count.Steps : 0, amount);
            rest -= amount;
        }

        if (!rest.IsZero)
        {
            // What no price explains is the only class's without one, or of the call as a whole.
            AddTo(sums, unpriced == 1 ? last : BillClass.All, 0, rest);
        }
    }

    private static long Covered(Charge charge, Meter meter)
    {
        foreach (Count covered in charge.Covered ?? [])
        {
            if (covered.Meter == meter)
            {
                return covered.Steps;
            }
        }

        return 0;
    }

    internal static void AddTo(List<SideSum> sums, BillClass of, Int128 steps, Amount amount)
    {
        int at = sums.FindIndex(s => s.Class == of);
        if (at < 0)
        {
            sums.Add(new SideSum(of, steps, amount));
        }
        else
        {
            sums[at] = sums[at] with { Steps = sums[at].Steps + steps, Amount = sums[at].Amount + amount };
        }
    }
}
