using Ciyuan.Quantities;
using Ciyuan.Usage;

namespace Ciyuan.Rating;

/// <summary>What one line of a plan makes of one record.</summary>
/// <param name="Line">The line.</param>
/// <param name="Rate">Its rate, or the one under which it goes to suspense.</param>
/// <param name="Amount">The amount; zero in suspense.</param>
public record struct RatedLine(PlanLine Line, Rate Rate, Amount Amount)
{
    /// <summary>Counts that token packs pay for; null when none.</summary>
    public Count[]? Covered { get; set; }

    /// <summary>True when it is in suspense.</summary>
    public readonly bool IsSuspended => Rate.Method == RateMethod.Suspense;
}

/// <summary>Step 5, Rate 计价: from a record and its plan to amounts. Exact integers; no price is never zero.</summary>
public static class RateUsage
{
    private const int MostOnStack = 64;

    /// <summary>
    /// Rates a record: fills <paramref name="rated"/> with a line for each agreement that bills it, shares still at
    /// zero (see <see cref="Share"/>), and with suspense where no agreement covers its consumer or its provider.
    /// </summary>
    public static void Rate(RatingPlan plan, RatingPlans plans, UsageRecord record, List<RatedLine> rated)
    {
        rated.Clear();
        bool income = false;
        bool cost = plan.NoCost is null;
        foreach (PlanLine line in plan.Lines)
        {
            if (!CarriesTags(record, line.Agreement!.Tags))
            {
                continue;
            }

            // An agreement that does not bill this outcome covers the record all the same: it is free under it.
            income |= line.OfConsumer;
            cost |= line.OfProvider;
            if (line.Agreement.Bills((int)record.Outcome))
            {
                rated.Add(RateLine(line, plans, record));
            }
        }

        RemoveBaseless(rated);
        if (!income)
        {
            rated.Add(new RatedLine(plan.NoIncome, plan.NoIncome.Rate, default));
        }

        if (!cost)
        {
            rated.Add(new RatedLine(plan.NoCost!, plan.NoCost!.Rate, default));
        }
    }

    /// <summary>
    /// Fills in the shares: those of one base are cut from its amount by largest remainder, the part that nobody asks
    /// for being a share like the others, so that shares of 100 % add up to the base exactly.
    /// </summary>
    public static void Share(RatingPlans plans, List<RatedLine> rated)
    {
        if (!rated.Exists(r => r.Rate.Method == RateMethod.Share))
        {
            return;
        }

        for (int i = 0; i < rated.Count; i++)
        {
            if (rated[i].Rate.Method != RateMethod.Share)
            {
                ShareOut(plans, rated, rated[i]);
            }
        }
    }

    private static RatedLine RateLine(PlanLine line, RatingPlans plans, UsageRecord record)
    {
        switch (line.Rate.Method)
        {
            case RateMethod.Prices:
                SuspenseReason reason = Sum(line.PerStep, record.Counts, out Amount amount);
                return reason == SuspenseReason.None
                    ? new RatedLine(line, line.Rate, amount)
                    : new RatedLine(line, plans.Suspended(line.Rate, reason), default);
            case RateMethod.PerCall:
                return new RatedLine(line, line.Rate, line.Rate.PerCall);
            default: // a share is filled in later; suspense has no amount
                return new RatedLine(line, line.Rate, default);
        }
    }

    /// <summary>Σ steps × price per step; a count above zero without a price, or too large a sum, is a reason for
    /// suspense.</summary>
    private static SuspenseReason Sum(Int128[] perStep, Count[] counts, out Amount amount)
    {
        Int128 sum = 0;
        amount = default;
        foreach (Count count in counts)
        {
            Int128 price = perStep[count.Meter.Value];
            if (count.Steps == 0)
            {
                continue;
            }

            if (price < 0)
            {
                return SuspenseReason.NoClassPrice;
            }

            if (price <= long.MaxValue)
            {
                // Up to 2⁶³ × 10¹⁵ a product can't overflow, nor can the sum of all counts' products.
                long high = Math.BigMul((long)price, count.Steps, out long low);
                sum += new Int128(unchecked((ulong)high), unchecked((ulong)low));
                continue;
            }

            if (price > Amount.Most.Pico / count.Steps)
            {
                return SuspenseReason.Overflow;
            }

            sum += price * count.Steps;
        }

        amount = new Amount(sum);
        return amount > Amount.Most ? SuspenseReason.Overflow : SuspenseReason.None;
    }

    private static bool CarriesTags(UsageRecord record, KeyValuePair<string, string>[] wanted)
    {
        foreach ((string name, string value) in wanted)
        {
            if (!Array.Exists(record.Tags, t => t.Name == name && t.Value == value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes out shares of agreements that bill nothing here: there is nothing to share, so nothing is
    /// owed.</summary>
    private static void RemoveBaseless(List<RatedLine> rated)
    {
        for (int i = rated.Count - 1; i >= 0; i--)
        {
            if (rated[i].Rate.Method == RateMethod.Share && !IsRated(rated, rated[i].Line.Base))
            {
                rated.RemoveAt(i);
            }
        }
    }

    private static bool IsRated(List<RatedLine> rated, PlanLine? line)
    {
        foreach (RatedLine other in rated)
        {
            if (line is not null && ReferenceEquals(other.Line, line))
            {
                return true;
            }
        }

        return false;
    }

    private static void ShareOut(RatingPlans plans, List<RatedLine> rated, RatedLine basis)
    {
        Span<int> places = rated.Count <= MostOnStack ? stackalloc int[MostOnStack] : new int[rated.Count];
        Span<long> weights = rated.Count <= MostOnStack ? stackalloc long[MostOnStack + 1] : new long[rated.Count + 1];
        int n = 0;
        long rest = 1_000_000;
        for (int i = 0; i < rated.Count; i++)
        {
            if (rated[i].Rate.Method == RateMethod.Share && ReferenceEquals(rated[i].Line.Base, basis.Line))
            {
                places[n] = i;
                weights[n++] = rated[i].Rate.SharePpm;
                rest -= rated[i].Rate.SharePpm;
            }
        }

        if (n == 0)
        {
            return;
        }

        Span<Amount> shares = n < MostOnStack ? stackalloc Amount[n + 1] : new Amount[n + 1];
        weights[n] = Math.Max(rest, 0);
        if (rest >= 0)
        {
            Rounding.Split(basis.Amount, weights[..(n + 1)], shares);
        }

        SuspenseReason reason = basis.IsSuspended ? SuspenseReason.NoBase : SuspenseReason.SharesExceedBase;
        for (int k = 0; k < n; k++)
        {
            RatedLine line = rated[places[k]];
            rated[places[k]] = rest < 0 || basis.IsSuspended
                ? line with { Rate = plans.Suspended(line.Rate, reason) }
                : line with { Amount = shares[k] };
        }
    }
}
